"""Copies of one machine: complete to the row, checked before use, and repairable where the two stores disagree."""

import asyncio
import contextlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.calendar import Calendars
from activities.neighbours import Neighbours
from activities.payloads import DATA_CONVERTER
from activities.records import Records
from services.embedded import manifest
from services.embedded.backup import take_backup
from services.embedded.home import Home
from services.embedded.manifest import (
    BackupDamaged,
    BackupTooNew,
    CopyFailed,
    FolderTaken,
    HomeTaken,
    NoSpace,
    NotABackup,
)
from services.embedded.problems import HomeHalfRestored, HomeInUse
from services.embedded.restore import Restored, restore_backup
from services.embedded.servers import Servers, embedded
from services.engine import TASK_QUEUE, Engine, newest
from services.storage.answers import Answers
from services.storage.calendar import CalendarStore, bring_national
from services.storage.database import database
from services.storage.doing import Deeds
from services.storage.history import Past, broken_at, case_now
from services.storage.ledger import Ledger
from services.storage.migrating import knows_schema, migrate
from tests.workflow.conftest import C1, GRID, ISSUE, SEAL, WORKER, Office
from tests.workflow.test_shell import at_once, submit
from workflows.issue import commands as do
from workflows.kernel.process import Case
from workflows.kernel.wire import restored as case_from
from workflows.registry import PROCESSES, WORKFLOWS

PATIENCE = 60.0
CLIENTS = 2
# Fewer cases than the servers could carry: each that differs is looked at for seconds.
BETWEEN_CASES = 0.8
NOTE = "text:00000000000000aa"


def folder() -> Path:
    # A short path: the name of a socket may have a hundred letters.
    return Path(tempfile.mkdtemp(prefix="shangliang-")).resolve()


@contextlib.asynccontextmanager
async def servers_of(home: Home) -> AsyncIterator[Servers]:
    with home.locked():
        async with embedded(home, preferred_port=0) as servers:
            await migrate(servers.database_url)
            await bring_national(servers.database_url)
            yield servers


@contextlib.asynccontextmanager
async def office_of(servers: Servers) -> AsyncIterator[Office]:
    """A worker on the product's own queue, so that runs of a restored engine find it again."""
    client = await Client.connect(
        servers.temporal_address, namespace=servers.temporal_namespace, data_converter=DATA_CONVERTER
    )
    storage = database(servers.database_url, pool_size=10, application_name="test")
    past = Past(storage)
    engine = Engine(client, past, newest("lanzhou_2021"), timeout=15)
    records = Records(Ledger(storage, calendars=Calendars(CalendarStore(storage)), seal=SEAL), past)
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=list(WORKFLOWS),
        activities=[
            records.record,
            records.stands,
            Neighbours(engine, Answers(storage, PROCESSES), Deeds(storage)).carry_out,
        ],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    try:
        async with worker:
            yield Office(engine, client, storage, TASK_QUEUE)
    finally:
        await storage.dispose()
        await asyncio.sleep(0)


@dataclass(slots=True)
class Taken:
    """Two backups of one home under load, and what clients had been promised before each."""

    root: Path
    first: Path
    second: Path
    before_first: dict[str, int]
    before_second: dict[str, int]
    drilled: str = ""
    """A case of the pack `drill`, opened between the two: its clocks run in seconds."""
    lost: str = ""
    """A case opened between the two with the key `lost`."""
    moved: str = ""
    """A case that went on between the two."""
    merged: str = ""
    """A case that was open at the first and over at the second: nothing can happen to it any more."""

    @property
    def apart(self) -> Path:
        """Where the keys of the second are."""
        return self.root / "apart"

    def mixed(self, name: str, *, engine: Path, postgres: Path) -> Path:
        """A backup whose engine is of another moment than its record."""
        target = self.root / name
        shutil.copytree(postgres, target)
        shutil.copy(engine / "engine" / "temporal.db", target / "engine" / "temporal.db")
        made = manifest.read(target)
        files = {**made.files, **{f"engine/{key}": what for key, what in manifest.hashes(target / "engine").items()}}
        replace(made, files=files).write(target)
        return target


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def taken() -> AsyncIterator[Taken]:
    root = folder()
    home = Home(root / "origin")
    home.make()
    (home.attachments / "2026").mkdir()
    (home.attachments / "2026" / "photo").write_bytes(bytes(range(256)))
    home.secret("token_key")
    acknowledged: dict[str, int] = {}
    result = Taken(root, root / "first", root / "second", {}, {})
    try:
        async with servers_of(home) as servers, office_of(servers) as office, _clients(office, acknowledged) as clients:
            await _grow(acknowledged, 4, clients)
            result.merged, _ = await office.open(submit(), GRID)
            result.before_first = dict(acknowledged)
            home.remember_running({"database_url": servers.database_url, "temporal_ui": "http://127.0.0.1:1"})
            code, said = await shangliang("backup", str(result.first), SHANGLIANG_HOME=str(home.root))
            assert code == 0, said
            await _grow(acknowledged, len(acknowledged) + 2, clients)
            result.moved = next(iter(result.before_first))
            await office.give(result.moved, do.LogProgress(text=NOTE), GRID)
            await _merge(office, result.merged, result.moved)
            result.lost, _ = await office.open(submit(), GRID, key="lost")
            result.drilled = await _drill(office)
            result.before_second = dict(acknowledged)
            await take_backup(home, result.second, database_url=servers.database_url, secrets=result.apart)
        yield result
    finally:
        shutil.rmtree(root)


@contextlib.asynccontextmanager
async def _clients(office: Office, acknowledged: dict[str, int]) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """Clients that work until the block ends."""
    clients = [asyncio.create_task(_live(office, acknowledged)) for _ in range(CLIENTS)]
    try:
        yield clients
    finally:
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


async def _live(office: Office, acknowledged: dict[str, int]) -> None:
    """Open one case after the other; each is noted when it is promised, and goes on a while later."""
    mine: list[str] = []
    while True:
        await asyncio.sleep(BETWEEN_CASES)
        case_id, receipt = await office.open(submit(), GRID)
        acknowledged[case_id] = receipt.version
        mine.append(case_id)
        acknowledged[case_id] = (await office.give(case_id, at_once(), WORKER)).version
        earlier = mine[len(mine) // 2]
        acknowledged[earlier] = (await office.give(earlier, do.LogProgress(text=NOTE), GRID)).version


async def _drill(office: Office) -> str:
    """Open a case whose clocks run in seconds."""
    envelope = office.envelope(submit(), GRID)
    case_id = str(uuid.uuid4())
    await office.engine.open(ISSUE, case_id, envelope, pin=newest("drill"))
    return case_id


async def _merge(office: Office, case_id: str, target: str) -> None:
    """Bring a case to its end, and wait until the other one knows of it."""
    facts = {"target": {"id": target, "closed": False, "community": C1}}
    await office.give(case_id, do.MergeInto(target=target), WORKER, facts=facts)
    async with asyncio.timeout(PATIENCE):
        while (await _stored(office, case_id)).pending:
            await asyncio.sleep(0.05)


async def _grow(acknowledged: dict[str, int], to: int, clients: list["asyncio.Task[None]"]) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(acknowledged) < to:
            done, _ = await asyncio.wait(clients, timeout=0.02)
            for client in done:
                client.result()


@pytest.fixture
def second_home() -> Iterator[Home]:
    root = folder()
    yield Home(root / "home")
    shutil.rmtree(root)


async def shangliang(*words: str, **given: str) -> tuple[int, str]:
    """Call a command as somebody types it; gives its exit code and all that it said."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHANGLIANG_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "services.cli", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**kept, "COLUMNS": "200", **given},
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def put_back(backup: Path, home: Home, **more: Any) -> Restored:
    return await restore_backup(backup, home, knows_schema=knows_schema, **more)


# --- what is restored ------------------------------------------------------------------------------------


async def test_a_copy_taken_under_load_comes_back_to_the_row(taken: Taken, second_home: Home) -> None:
    home = second_home
    # What an earlier owner and a killed restore left.
    (home.root / "restoring" / "postgres").mkdir(parents=True)
    home.temporal.write_text("earlier")
    with pytest.raises(HomeHalfRestored):
        home.make()
    words = ("restore", str(taken.first), "--force-empty")

    code, said = await shangliang(*words, SHANGLIANG_HOME=str(home.root))

    assert code == 0, said
    (aside,) = home.root.glob("replaced-*")
    assert (aside / "temporal.db").read_text() == "earlier"
    assert not home.restoring.exists()
    made = manifest.read(taken.first)
    assert f"{made.cases} cases, {made.events} events" in said
    assert home.secret("token_key") == Home(taken.root / "origin").secret("token_key")
    assert stat.S_IMODE((home.secrets / "token_key").stat().st_mode) == 0o600
    assert (home.attachments / "2026" / "photo").read_bytes() == bytes(range(256))
    async with servers_of(home) as servers:
        assert await _counts(servers) == {name: made.rows[name] for name in ("case_file", "event", "clock", "command")}
        assert await _broken(servers) == []
        versions = await _versions(servers)
    assert taken.before_first
    assert {id for id, version in taken.before_first.items() if versions.get(id, 0) < version} == set()


async def test_an_engine_older_than_the_record_is_named_and_brought_up(taken: Taken, second_home: Home) -> None:
    mixed = taken.mixed("older-engine", engine=taken.first, postgres=taken.second)
    await put_back(mixed, second_home, secrets=taken.apart)
    async with servers_of(second_home) as servers, office_of(servers) as office:
        wrong = await _differing(office)
        before = await _version(office, taken.drilled)
        assert {taken.drilled, taken.lost, taken.moved, taken.merged} <= wrong

        code, said = await reconcile(servers, second_home)
        assert code == 1, said
        assert {id for id in wrong if id not in said} == set()
        code, said = await reconcile(servers, second_home, "--repair")
        assert code == 0, said

        assert await _differing(office) - {taken.drilled} == set()
        assert (await reconcile(servers, second_home))[0] == 0
        await _until_moved(office, taken.drilled, before)
        accepted = await office.give(taken.lost, at_once(), WORKER)
        assert accepted.version == await _version(office, taken.lost)


async def test_an_engine_newer_than_the_record_is_named_and_taken_back(taken: Taken, second_home: Home) -> None:
    mixed = taken.mixed("newer-engine", engine=taken.second, postgres=taken.first)
    await put_back(mixed, second_home)
    async with servers_of(second_home) as servers, office_of(servers) as office:
        ahead, unknown = await _differing(office), await _without_row(office) - {taken.drilled}
        assert ahead
        assert taken.lost in unknown

        code, said = await reconcile(servers, second_home)
        assert code == 1, said
        assert {id for id in ahead | unknown if id not in said} == set()
        code, said = await reconcile(servers, second_home, "--repair")
        assert code == 0, said

        assert await _differing(office) == set()
        assert await _without_row(office) == set()
        again, receipt = await office.open(submit(), GRID, key="lost")
        assert (again, receipt.version) == (taken.lost, 1)
        assert await _version(office, taken.lost) == 1


async def test_without_the_engines_store_every_open_case_is_started_from_its_record(
    taken: Taken, second_home: Home
) -> None:
    await put_back(taken.second, second_home, secrets=taken.apart, with_engine=False)
    assert not second_home.temporal.exists()
    assert second_home.secret("token_key") == Home(taken.root / "origin").secret("token_key")
    async with servers_of(second_home) as servers, office_of(servers) as office:
        everything = await _differing(office)
        assert set(taken.before_second) <= everything

        code, said = await reconcile(servers, second_home, "--repair")

        assert code == 0, said
        # A case that is over needs no run.
        assert await _differing(office) - {taken.drilled} == {taken.merged}


async def reconcile(servers: Servers, home: Home, *words: str) -> tuple[int, str]:
    return await shangliang(
        "reconcile",
        "--json",
        *words,
        SHANGLIANG_HOME=str(home.root),
        SHANGLIANG_DATABASE_URL=servers.database_url,
        SHANGLIANG_TEMPORAL_ADDRESS=servers.temporal_address,
        # The office of these tests reads what is not encrypted.
        SHANGLIANG_ENCRYPT_PAYLOADS="false",
    )


async def _differing(office: Office) -> set[str]:
    """The issues whose run holds something else than Postgres, or that have none."""
    found = set()
    for case_id in await _issues(office):
        held = await office.engine.case(ISSUE, case_id)
        async with office.storage.connect() as connection:
            if held is None or case_from(ISSUE, held) != await case_now(connection, ISSUE, case_id):
                found.add(case_id)
    return found


async def _without_row(office: Office) -> set[str]:
    """The issues that run and are not on record."""
    query = f'ExecutionStatus = "Running" AND WorkflowType = "{ISSUE.name}"'
    running = {one.id.partition("/")[2] async for one in office.client.list_workflows(query)}
    return running - set(await _issues(office))


async def _issues(office: Office) -> list[str]:
    async with office.storage.connect() as connection:
        rows = await connection.execute(text("SELECT id FROM case_file WHERE process = 'issue'"))
        return [str(id) for id in rows.scalars()]


async def _stored(office: Office, case_id: str) -> Case[Any]:
    async with office.storage.connect() as connection:
        case = await case_now(connection, ISSUE, case_id)
    assert case is not None
    return case


async def _version(office: Office, case_id: str) -> int:
    return (await _stored(office, case_id)).version


async def _until_moved(office: Office, case_id: str, version: int) -> None:
    """Wait until the clocks of a case have written something."""
    async with asyncio.timeout(PATIENCE):
        while await _version(office, case_id) <= version:
            await asyncio.sleep(0.1)


async def _counts(servers: Servers) -> dict[str, int]:
    connection = await asyncpg.connect(servers.database_url)
    try:
        tables = ("case_file", "event", "clock", "command")
        return {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in tables}
    finally:
        await connection.close()


async def _versions(servers: Servers) -> dict[str, int]:
    connection = await asyncpg.connect(servers.database_url)
    try:
        return {str(row["id"]): row["version"] for row in await connection.fetch("SELECT id, version FROM case_file")}
    finally:
        await connection.close()


async def _broken(servers: Servers) -> list[object]:
    engine = database(servers.database_url, pool_size=1)
    try:
        async with engine.connect() as connection:
            return [found for id in await _versions(servers) if (found := await broken_at(connection, id)) is not None]
    finally:
        await engine.dispose()


# --- what is refused -------------------------------------------------------------------------------------


@pytest.fixture
def copied(taken: Taken) -> Iterator[Path]:
    """A copy of a good backup, to be spoiled."""
    target = folder() / "backup"
    shutil.copytree(taken.first, target)
    yield target
    shutil.rmtree(target.parent)


def _change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


SPOILED: dict[str, tuple[Callable[[Path], object], type[Exception], str]] = {
    "missing file": (lambda b: (b / "postgres" / "toc.dat").unlink(), BackupDamaged, r"toc\.dat: .*missing"),
    "missing attachment": (lambda b: (b / "attachments/2026/photo").unlink(), BackupDamaged, "photo: .*missing"),
    "one bit": (lambda b: _flip(b / "engine" / "temporal.db"), BackupDamaged, r"temporal\.db: .*wrong sha256"),
    "cut short": (lambda b: os.truncate(b / "postgres" / "toc.dat", 99), BackupDamaged, "99 bytes instead of"),
    "changed key": (lambda b: _flip(b / "secrets" / "token_key"), BackupDamaged, "token_key: .*wrong sha256"),
    "no manifest": (lambda b: (b / "manifest.json").unlink(), NotABackup, "no manifest.json"),
    "torn manifest": (lambda b: os.truncate(b / "manifest.json", 200), NotABackup, "cannot be read"),
    "poor manifest": (lambda b: (b / "manifest.json").write_text('{"format": 1}'), NotABackup, "lacks"),
    "path upwards": (
        lambda b: _change(b / "manifest.json", files={"../lock": [0, ""]}), BackupDamaged, "not a path of a backup"
    ),
    "no keys": (lambda b: shutil.rmtree(b / "secrets"), NotABackup, "--new-secrets"),
    "keys of another": (lambda b: _change(b / "secrets" / "manifest.json", of="x"), NotABackup, "another backup"),
    "newer format": (lambda b: _change(b / "manifest.json", format=2), BackupTooNew, "format 2"),
    "newer schema": (lambda b: _change(b / "manifest.json", schema="9999_later"), BackupTooNew, "9999_later"),
    "newer PostgreSQL": (lambda b: _change(b / "manifest.json", postgres="99.1"), BackupTooNew, "PostgreSQL"),
    "newer Temporal": (lambda b: _change(b / "manifest.json", temporal="99.0.0"), BackupTooNew, "--without-engine"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILED)
async def test_a_spoiled_backup_is_refused_before_anything_is_written(
    copied: Path, second_home: Home, name: str
) -> None:
    spoil, refusal, says = SPOILED[name]
    spoil(copied)

    with pytest.raises(refusal, match=says):
        await put_back(copied, second_home)

    assert not second_home.root.exists()


@pytest.mark.parametrize("fault", ["rows", "dump"])
async def test_a_copy_that_cannot_be_loaded_leaves_the_home_as_it_was(
    copied: Path, second_home: Home, fault: str
) -> None:
    second_home.root.mkdir()
    second_home.temporal.write_text("earlier")
    made = manifest.read(copied)
    if fault == "rows":
        replace(made, rows={**made.rows, "event": made.events + 1}).write(copied)
    else:
        # Its hash is right, so this was spoiled before the copy was finished.
        os.truncate(copied / "postgres" / "toc.dat", 5000)
        sizes = {f"postgres/{name}": what for name, what in manifest.hashes(copied / "postgres").items()}
        replace(made, files={**made.files, **sizes}).write(copied)

    with pytest.raises(CopyFailed):
        await put_back(copied, second_home, replace=True)

    assert second_home.temporal.read_text() == "earlier"
    assert {path.name for path in second_home.root.iterdir()} == {"lock", "temporal.db"}


async def test_a_home_with_data_is_kept(taken: Taken, second_home: Home) -> None:
    second_home.make()
    second_home.secret("token_key")

    with pytest.raises(HomeTaken, match="--force-empty"):
        await put_back(taken.first, second_home)


async def test_a_home_in_use_is_not_restored(taken: Taken, second_home: Home) -> None:
    second_home.make()

    with second_home.locked(), pytest.raises(HomeInUse):
        await put_back(taken.first, second_home, replace=True)


async def test_a_stopped_home_is_copied_too_with_its_keys_apart(taken: Taken, second_home: Home) -> None:
    third, keys = taken.root / "third", taken.root / "keys-of-third"

    code, said = await shangliang(
        "backup", str(third), "--secrets", str(keys), SHANGLIANG_HOME=str(taken.root / "origin")
    )

    assert code == 0, said
    assert manifest.read(third).events >= manifest.read(taken.second).events
    assert not (third / "secrets").exists()
    assert stat.S_IMODE((keys / "token_key").stat().st_mode) == 0o600
    with pytest.raises(NotABackup, match="--secrets"):
        await put_back(third, second_home)
    with pytest.raises(NotABackup, match="another backup"):
        await put_back(third, second_home, secrets=taken.apart)


async def test_a_folder_that_is_not_free_takes_no_backup(taken: Taken, tmp_path: Path) -> None:
    home = Home(taken.root / "origin")
    (tmp_path / "note").touch()

    with pytest.raises(FolderTaken, match="not empty"):
        await take_backup(home, tmp_path, database_url="postgresql://nobody@/nothing")
    with pytest.raises(FolderTaken, match="in the home"):
        await take_backup(home, home.root / "backup", database_url="postgresql://nobody@/nothing")

    assert [path.name for path in tmp_path.iterdir()] == ["note"]


async def test_a_database_that_is_away_leaves_no_half_backup(taken: Taken, tmp_path: Path) -> None:
    away = f"postgresql://nobody@/nothing?host={tmp_path}"

    with pytest.raises(CopyFailed):
        await take_backup(Home(taken.root / "origin"), tmp_path / "new", database_url=away)

    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of our own, smaller than any copy."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", place], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk can only be made by somebody who may mount one")
    yield place
    subprocess.run(["umount", place], check=True)


async def test_a_full_disk_leaves_no_half_backup(taken: Taken, small_disk: Path) -> None:
    with pytest.raises(CopyFailed, match="full"):
        await take_backup(Home(taken.root / "origin"), small_disk, database_url="postgresql://nobody@/nothing")

    assert list(small_disk.iterdir()) == []


async def test_a_disk_that_is_too_small_is_not_begun_with(taken: Taken, small_disk: Path) -> None:
    with pytest.raises(NoSpace, match="too small"):
        await put_back(taken.first, Home(small_disk / "home"))

    assert {path.name for path in (small_disk / "home").iterdir()} == {"lock"}


async def test_commands_say_what_there_is_not_to_copy(tmp_path: Path) -> None:
    words = ("backup", str(tmp_path / "backup"))
    empty = await shangliang(*words, SHANGLIANG_HOME=str(tmp_path / "home"))
    foreign = await shangliang(
        *words, SHANGLIANG_HOME=str(tmp_path / "home"), SHANGLIANG_DATABASE_URL="postgresql://db/shangliang"
    )
    nothing = await shangliang("restore", str(tmp_path), SHANGLIANG_HOME=str(tmp_path / "home"))

    assert (empty[0], foreign[0], nothing[0]) == (1, 1, 1)
    assert "nothing to copy" in empty[1]
    assert "their own tools" in foreign[1]
    assert "not a finished backup" in nothing[1]
    assert list(tmp_path.iterdir()) == []
