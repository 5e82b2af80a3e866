"""Migrations bring any database to the shape of the tables, whoever runs them and however often."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from services.storage.database import NoDatabaseError, single_connection
from services.storage.migrating import (
    Schema,
    SchemaAheadError,
    alembic_configuration,
    all_tables,
    migrate,
    migrations_folder,
    schema,
)

T = TypeVar("T")


def head() -> str:
    found = ScriptDirectory.from_config(alembic_configuration()).get_current_head()
    assert found is not None
    return found


async def on(url: str, do: Callable[[Connection], T]) -> T:
    engine = single_connection(url, application_name="test")
    async with engine.connect() as connection:
        answer = await connection.run_sync(do)
        await connection.commit()
    await engine.dispose()
    return answer


async def test_an_empty_database_is_brought_to_the_newest_shape(empty_database_url: str) -> None:
    assert await schema(empty_database_url) == Schema(current=None, head=head())

    done = await migrate(empty_database_url)

    assert done == Schema(current=head(), head=head())
    assert await schema(empty_database_url) == done


async def test_migrating_again_changes_nothing(empty_database_url: str) -> None:
    await migrate(empty_database_url)

    assert (await migrate(empty_database_url)).is_current


async def test_several_programs_may_migrate_at_once(empty_database_url: str) -> None:
    done = await asyncio.gather(*(migrate(empty_database_url) for _ in range(4)))

    assert all(each.is_current for each in done)


async def test_the_migrated_database_is_what_the_tables_describe(empty_database_url: str) -> None:
    await migrate(empty_database_url)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, all_tables()))

    assert await on(empty_database_url, differences) == []


async def test_every_migration_can_be_taken_back_and_applied_again(empty_database_url: str) -> None:
    await migrate(empty_database_url)

    def back(connection: Connection) -> None:
        configuration = alembic_configuration()
        configuration.attributes["connection"] = connection
        command.downgrade(configuration, "base")

    await on(empty_database_url, back)
    assert (await schema(empty_database_url)).current is None

    assert (await migrate(empty_database_url)).is_current


async def test_a_database_of_a_newer_program_is_left_alone_with_a_clear_word(empty_database_url: str) -> None:
    await migrate(empty_database_url)

    def from_the_future(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    await on(empty_database_url, from_the_future)

    with pytest.raises(SchemaAheadError, match="9999"):
        await migrate(empty_database_url)


def test_revisions_are_one_straight_line_of_numbered_files() -> None:
    revisions = list(ScriptDirectory.from_config(alembic_configuration()).walk_revisions())[::-1]

    assert [revision.revision for revision in revisions] == [f"{n:04}" for n in range(1, len(revisions) + 1)]
    assert all(Path(revision.path).name.startswith(f"{revision.revision}_") for revision in revisions)


@pytest.mark.parametrize("path", sorted((migrations_folder() / "versions").glob("*.py")), ids=lambda path: path.stem)
def test_every_migration_gives_up_rather_than_wait_for_a_lock(path: Path) -> None:
    assert len(re.findall("SET (?:LOCAL )?lock_timeout", path.read_text("utf-8"))) >= 2


@pytest.mark.parametrize("work", [migrate, schema])
async def test_a_database_that_is_not_there_is_named_as_such(
    empty_database_url: str, work: Callable[[str], Awaitable[Schema]]
) -> None:
    with pytest.raises(NoDatabaseError, match="does not exist"):
        await work(urlunsplit(urlsplit(empty_database_url)._replace(path="/missing")))

    with pytest.raises(NoDatabaseError, match="onnect"):
        await work("postgresql://nobody:secret@127.0.0.1:1/nothing")
