"""`shangliang notices` lists what has not arrived and lets it be tried again."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.channels.conftest import Gateway, Office
from tests.channels.test_outbox import channel, wish
from tests.storage.town import Town

WITHIN = 60


async def test_what_was_given_up_is_listed_and_sent_after_all(
    town: Town, office: Office, gateway: Gateway, database_url: str, tmp_path: Path
) -> None:
    await channel(office, "property1", gateway.url)
    gateway.answers = [500]
    case = await wish(town, office)
    await office.say(case, "property-1")
    await office.work()
    await office.ask("UPDATE delivery SET state = 'DEAD'")

    [listed] = json.loads(notices(database_url, tmp_path, "--json"))
    table = notices(database_url, tmp_path)
    again = notices(database_url, tmp_path, "--retry")
    await office.work()

    assert (listed["number"], listed["state"], listed["channel"], listed["tries"]) == (case.number, "DEAD", "json", 1)
    assert "已放弃" in table
    assert "127.0.0.1" not in table
    assert "1 deliveries" in again
    assert len(gateway.calls) == 2
    assert "Every message has arrived" in notices(database_url, tmp_path)


def notices(database_url: str, home: Path, *words: str) -> str:
    """What the command prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHANGLIANG_")}
    environment = {
        **kept,
        "SHANGLIANG_HOME": str(home),
        "SHANGLIANG_DATABASE_URL": database_url,
        "SHANGLIANG_TEMPORAL_ADDRESS": "127.0.0.1:1",
        "COLUMNS": "200",
    }
    command = [sys.executable, "-P", "-m", "services.cli", "notices", *words]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=WITHIN)
    return ended.stdout
