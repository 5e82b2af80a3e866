"""Everything that OpenAPI allows, and everything that it forbids, is sent to every address; nothing breaks, nothing
answers what is not described.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio

from tests.chaos.product import PASSWORD, Whole, whole

SEED = "20261121"
EXAMPLES = "2"
WITHIN = 240
C1 = "620199001001"
# A case that is there, so that more than the look for it is tried; and what a state machine may lawfully answer to a
# body of the right form. Signing out would end the run's own session.
SETTINGS = """
seed = {seed}
continue-on-failure = true
workers = 2

[generation]
mode = "all"
max-examples = {examples}

[phases.examples]
enabled = false
[phases.coverage]
enabled = false
[phases.stateful]
enabled = false

[checks]
positive_data_acceptance.enabled = false

[parameters]
"path.community_id" = "{community}"

[[operations]]
include-path-regex = "^/api/v1/issues/"
parameters = {{ "path.key" = "{issue}" }}

[[operations]]
include-path-regex = "/auth/|/me/(sessions|sign-out|password|second-factor)"
enabled = false
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running() -> AsyncIterator[Whole]:
    """The product as `make up` starts it, without limits on how often one may ask."""
    async with whole(SHANGLIANG_RATE_ACCOUNT="0", SHANGLIANG_RATE_SIGN_IN="0") as product:
        yield product


async def test_every_operation_keeps_what_its_description_says(running: Whole, tmp_path: Path) -> None:
    base = f"http://127.0.0.1:{running.port}"
    async with httpx.AsyncClient(base_url=f"{base}/api/v1", timeout=30) as client:
        form = {"username": "worker1", "password": PASSWORD}
        token = (await client.post("/auth/token", data=form)).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        wish = {"community_code": C1, "title": "路灯", "description": "不亮", "source": "VISIT", "category_code": "A02"}
        issue = (await client.post("/issues", json=wish, headers=bearer)).json()["id"]
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(SETTINGS.format(seed=SEED, examples=EXAMPLES, community=C1, issue=issue))
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(settings), "run",
        f"{base}/openapi.json", "--url", base, "--header", f"Authorization: Bearer {token}", "--no-color",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path,
    )  # fmt: skip
    async with asyncio.timeout(WITHIN):
        said, _ = await process.communicate()
    text = said.decode(errors="replace")
    log = (running.home.logs / "web.log").read_text().splitlines()
    defects = [line for line in log if json.loads(line).get("event") == "defect"]

    assert process.returncode == 0, text[-8000:]
    assert defects == []
