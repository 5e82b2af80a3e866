"""Everything that OpenAPI allows, and everything that it forbids, is sent to every address; nothing breaks, nothing
answers what is not described.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest_asyncio

from tests.chaos.product import PASSWORD, Whole, whole

SEED = "20261121"
EXAMPLES = "1"
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


NASTY = (
    "' OR '1'='1", "1; DROP TABLE event; --", "%' UNION SELECT password_hash FROM account --",
    "\\'; SELECT pg_sleep(9) --",
    "{{7*7}}", "{% include '/etc/passwd' %}", "${7*7}", "<script>alert(1)</script>", "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd", "%00", "\u202e\ufeff", "a" * 5000, "😀",
    '{"$gt": ""}', "1e999", "-0", "NaN", "true", "[]",
)  # fmt: skip


LONGEST_QUERY = 50_000
"""Letters that the client of this test sends in an address."""


async def test_no_string_does_anything_but_stand_there(running: Whole) -> None:
    base = f"http://127.0.0.1:{running.port}"
    strange: list[str] = []
    async with httpx.AsyncClient(base_url=base, timeout=30) as client:
        form = {"username": "supervisor", "password": PASSWORD}
        token = (await client.post("/api/v1/auth/token", data=form)).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        paths = (await client.get("/openapi.json")).json()["paths"]
        reads = [(path, one["get"]) for path, one in paths.items() if "get" in one and "stream" not in path]
        for number, (path, operation) in enumerate(reads):
            wanted = operation.get("parameters", [])
            # Each address gets some of the strings, so that all of them together get all of them many times.
            for nasty in (NASTY[number % len(NASTY)], NASTY[(number * 7 + 3) % len(NASTY)]):
                address = path
                for one in wanted:
                    if one["in"] == "path":
                        address = address.replace("{" + one["name"] + "}", quote(nasty, safe=""))
                asked = [one["name"] for one in wanted if one["in"] == "query"]
                query = dict.fromkeys(asked, nasty[: LONGEST_QUERY // (len(asked) or 1)])
                answer = await client.get(address, params=query, headers=bearer)
                if answer.status_code >= 500 or "password_hash" in answer.text or "root:" in answer.text:
                    strange.append(f"{address} {query} {answer.status_code}")
        worker = (await client.post("/api/v1/auth/token", data=form | {"username": "worker1"})).json()["access_token"]
        for nasty in NASTY:
            text = nasty[:100]
            wish = {"community_code": C1, "title": text, "description": text, "source": "VISIT", "category_code": "A02"}
            told = await client.post("/api/v1/issues", json=wish, headers={"Authorization": f"Bearer {worker}"})
            if told.status_code == 201:
                assert told.json()["title"] == text.strip()
            else:
                assert told.status_code == 422, told.text
        deep = '{"title": ' + "[" * 100_000 + "]" * 100_000 + "}"
        bearer["Content-Type"] = "application/json"
        assert (await client.post("/api/v1/issues", content=deep, headers=bearer)).status_code in (400, 422)
        large = '{"title": "' + "x" * 2_000_000 + '"}'
        assert (await client.post("/api/v1/issues", content=large, headers=bearer)).status_code == 413

    assert strange == []


async def test_no_answer_shows_how_we_are_made(running: Whole) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}", timeout=30) as client:
        for method, path in (("GET", "/nothing"), ("POST", "/api/v1/issues"), ("PATCH", "/api/v1/me"), ("GET", "/")):
            answer = await client.request(method, path)
            assert "Traceback" not in answer.text
            assert "server" not in answer.headers
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "content-security-policy" in answer.headers
