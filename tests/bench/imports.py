"""The import of real messages, beside how fast the bare engine opens workflows."""

import asyncio
import os
import sys
from pathlib import Path

import asyncpg

from tests.bench.measuring import Bench, Figure
from tests.bench.people import surroundings

PARALLEL = 16
FLOOR_CREATES = 100


async def imports(bench: Bench, *, rows: int) -> list[Figure]:
    """Messages a second of `shangliang import`, from the first to the last that is written."""
    shared = Path(os.environ.get("SHANGLIANG_SHARED", Path(__file__).parents[2].parent / "shared"))
    file = shared / "data" / "messages" / "with_replies.csv.gz"
    if not file.is_file():
        return [Figure("import", f"skipped: there is no {file.name} (SHANGLIANG_SHARED names its folder)")]
    already = len(bench.floors)
    floor = await bench.round(bench.floor_create, FLOOR_CREATES, PARALLEL)
    for name in bench.floors[already:]:
        await bench.client.get_workflow_handle(name).terminate()
    connection = await asyncpg.connect(bench.servers.database_url)
    before = await connection.fetchval("SELECT clock_timestamp()")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", "import", str(file), "--spread", "--limit", str(rows)),
        *("--parallel", str(PARALLEL), "--rejects", str(bench.home.root / "rejects.csv")),
        env=surroundings(bench.servers, str(bench.home.root)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    # 3: some rows are rejected, which is what the file is known for.
    if process.returncode not in (0, 3):
        raise SystemExit(f"the import ended with {process.returncode}:\n{told.decode()[-2000:]}")
    row = await connection.fetchrow(
        "SELECT count(*) AS written, extract(epoch FROM max(recorded_at) - min(recorded_at))::float AS seconds "
        "FROM event WHERE seq = 1 AND recorded_at > $1",
        before,
    )
    await connection.close()
    assert row is not None
    written: int = row["written"]
    if written < 2:
        return [Figure("import", f"nothing to time: {written} messages went in")]
    rate = (written - 1) / row["seconds"]
    return [
        Figure(
            f"import, {written} messages of {rows}",
            f"{rate:.1f}/s",
            f"floor opens {floor.rate:.1f}/s",
            rate / floor.rate,
        )
    ]
