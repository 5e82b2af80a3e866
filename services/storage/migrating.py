"""Bring a database to the shape that this program needs."""

import asyncio
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

import services.storage
from services.storage.database import answering, single_connection
from services.storage.metadata import metadata

# One number for everybody who migrates a database of ours: the second program waits for the first.
MIGRATION_LOCK = 0x5348_414E_474C
MIGRATION_LOCK_WAIT = 60.0
MIGRATION_LOCK_PAUSE = 0.2


class SchemaAheadError(Exception):
    """The database was migrated by a newer program than this one."""

    def __init__(self, current: str, head: str) -> None:
        super().__init__(
            f"The database stands at revision {current}, which this program does not know "
            f"(it knows up to {head}). Start the newer program, or restore a backup made before it."
        )
        self.current = current
        self.head = head


@dataclass(frozen=True, slots=True)
class Schema:
    """Where a database stands and where this program needs it; `current` is None on an empty database."""

    current: str | None
    head: str

    @property
    def is_current(self) -> bool:
        return self.current == self.head


async def migrate(url: str) -> Schema:
    """Apply every missing migration to the database at `url` and say where it stands then.

    Safe to repeat and to run from two programs at once. Raises `SchemaAheadError` when the database is ahead
    and `NoDatabaseError` when it cannot be reached.
    """
    engine = single_connection(url, application_name="shangliang-migrate")
    try:
        # The lock has a connection of its own without a transaction, so that a migration may build an index beside
        # the writers, which waits for every open transaction to end.
        with answering():
            async with engine.connect() as guard:
                await guard.execution_options(isolation_level="AUTOCOMMIT")
                await _alone(guard)
                before = await _schema(engine)
                if before.is_current:
                    return before
                async with engine.connect() as connection:
                    await connection.run_sync(_upgrade)
                    await connection.commit()
                return await _schema(engine)
    finally:
        await engine.dispose()


async def _alone(guard: AsyncConnection) -> None:
    """Wait until nobody else migrates; raises `TimeoutError`.

    By short questions: a statement that waits is a transaction too, and an index built beside it would wait for it.
    """
    given_up = time.monotonic() + MIGRATION_LOCK_WAIT
    while not await guard.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": MIGRATION_LOCK}):
        if time.monotonic() > given_up:
            raise TimeoutError("Another program has been migrating this database for a minute.")
        await asyncio.sleep(MIGRATION_LOCK_PAUSE)


async def schema(url: str) -> Schema:
    """Say where the database at `url` stands, changing nothing; raises as `migrate` does."""
    engine = single_connection(url, application_name="shangliang-schema")
    try:
        with answering():
            return await _schema(engine)
    finally:
        await engine.dispose()


def knows_schema(revision: str) -> bool:
    """Say whether this program can bring a database from that revision to the one it needs."""
    try:
        ScriptDirectory.from_config(alembic_configuration()).get_revision(revision)
    except CommandError:
        return False
    return True


def migrations_folder() -> Path:
    """Find the migrations: beside the packages in a checkout, inside `services` in an installed program."""
    packages = Path(services.storage.__file__).parent.parent
    for folder in (packages / "_migrations", packages.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise FileNotFoundError(f"No migrations beside or inside {packages}.")


def alembic_configuration() -> Config:
    """Give Alembic its settings without a settings file."""
    config = Config()
    # A percent sign in a folder's name would be read as an interpolation.
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def all_tables() -> MetaData:
    """Give the metadata with the tables of every `*_tables` module of this room."""
    for module in iter_modules(services.storage.__path__):
        if module.name.endswith("_tables"):
            import_module(f"services.storage.{module.name}")
    return metadata


async def _schema(engine: AsyncEngine) -> Schema:
    script = await asyncio.to_thread(ScriptDirectory.from_config, alembic_configuration())
    head = script.get_current_head()
    assert head is not None, "there is always a first migration"
    async with engine.connect() as connection:
        current = await connection.run_sync(_current)
    if current is not None:
        try:
            script.get_revision(current)
        except CommandError:
            raise SchemaAheadError(current, head) from None
    return Schema(current=current, head=head)


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> None:
    config = alembic_configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
