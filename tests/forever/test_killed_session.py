"""`kill -9` in the middle of a meeting loses no vote and counts none twice (issue 5)."""

import asyncio
import signal
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client

from activities.payloads import DATA_CONVERTER
from services.embedded.servers import Servers
from services.engine import Engine, EngineUnavailable, newest
from services.storage.database import database
from services.storage.history import Past, case_now
from tests.workflow.conftest import C1, Office, person, worker_on
from workflows.kernel.process import Actor
from workflows.meeting import commands as do
from workflows.meeting.data import Choice, MeetingType
from workflows.meeting.process import MEETING

ROOT = Path(__file__).parents[2]
TEXT = "text:0000000000000001"
CLERK = person("clerk", ("meeting_secretary", C1, "community-1"))
CHAIR = person("secretary", ("party_secretary", C1, "community-1"))
MEMBERS = tuple(person(f"member{number}", ("epc_member", C1, "community-1")) for number in range(9))
SEATS: list[dict[str, Any]] = [{"person": one.id, "org": None, "post": "MEMBER", "deputies": []} for one in MEMBERS]
FACTS: dict[str, Any] = {
    "slots": {"slots": []},
    "topics": {"topics": [], "tasks": []},
    "seats": {"bodies": {"EXTENDED_PARTY_COMMITTEE": SEATS}},
    "issue_topic": {},
}
MEETING_ = do.ScheduleMeeting(
    community_code=C1,
    type=MeetingType.EXTENDED_PARTY_COMMITTEE,
    scheduled_at=datetime.now(UTC) + timedelta(days=5),
    place=TEXT,
)
ITEM = "i1"


async def test_a_vote_whose_worker_dies_is_neither_lost_nor_counted_twice(servers: Servers, database_url: str) -> None:
    client = await Client.connect(
        servers.temporal_address, namespace=servers.temporal_namespace, data_converter=DATA_CONVERTER
    )
    storage = database(database_url, pool_size=4, application_name="test")
    queue = f"gov-{uuid.uuid4().hex[:8]}"
    engine = Engine(client, Past(storage), newest("lanzhou_2021"), task_queue=queue, timeout=20)
    office = Office(engine, client, storage, queue)
    case_id = str(uuid.uuid4())

    async def give(command: Any, actor: Actor, key: str = "") -> int:
        envelope = office.envelope(command, actor, key=key, facts=FACTS)
        return (await engine.command(MEETING, case_id, envelope)).version

    async def vote(place: int) -> int:
        choice = Choice.FOR if place % 2 else Choice.AGAINST
        return await give(do.RecordVote(item=ITEM, choice=choice), MEMBERS[place], key=f"{case_id}-{place}")

    dying = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.forever.dying",
        servers.temporal_address,
        servers.temporal_namespace,
        queue,
        database_url,
        "record_vote",
        cwd=ROOT,
    )
    try:
        await engine.open(MEETING, case_id, office.envelope(MEETING_, CLERK, facts=FACTS))
        await give(do.ProposeItem(title=TEXT, document=TEXT), CHAIR)
        await give(do.SendNotice(), CLERK)
        await give(do.OpenSession(present=tuple(one.id for one in MEMBERS)), CHAIR)
        await give(do.OpenItem(item=ITEM), CHAIR)
        asked = asyncio.create_task(vote(0))
        assert await asyncio.wait_for(dying.wait(), 20) == -signal.SIGKILL
    finally:
        if dying.returncode is None:
            dying.kill()
            await dying.wait()

    async with worker_on(client, storage, engine, queue):
        try:
            first = await asked
        except EngineUnavailable:
            first = await vote(0)
        # Everybody votes, and everybody sends his vote twice, as a phone without network does.
        versions = [[await vote(place) for place in range(9)] for _ in range(2)]

        assert versions[0] == versions[1]
        assert versions[0][0] == first
        async with storage.connect() as connection:
            case = await case_now(connection, MEETING, case_id)
    await storage.dispose()

    assert case is not None
    assert len(case.data.votes) == 9
    assert case.data.items[ITEM].result == "NOT_PASSED"
    assert list(case.data.votes.values()).count(Choice.FOR) == 4
