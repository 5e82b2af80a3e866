"""The engine bounds every wait and keeps JSON as it is."""

import asyncio
import math
from datetime import timedelta

import pytest
from sqlalchemy import JSON, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError

from services.storage.database import NoDatabaseError, database, healthy, single_connection
from services.storage.ids import uuid7

JSON_VALUES = [
    {"a": [1, 2.5, None, True], "题": "楼道堆物 \U0001f600"},
    [],
    "text",
    {"big": 2**60},
]


@pytest.mark.parametrize("kind", [JSON, JSONB])
@pytest.mark.parametrize("value", JSON_VALUES)
async def test_json_comes_back_as_it_went(database_url: str, kind: type[JSON], value: object) -> None:
    engine = database(database_url)
    query = text("SELECT :value").bindparams(bindparam("value", type_=kind())).columns(value=kind())

    async with engine.connect() as connection:
        assert await connection.scalar(query, {"value": value}) == value

    await engine.dispose()


async def test_a_number_that_json_cannot_hold_is_refused(database_url: str) -> None:
    engine = database(database_url)
    query = text("SELECT :value").bindparams(bindparam("value", type_=JSONB()))

    async with engine.connect() as connection:
        with pytest.raises(DBAPIError):
            await connection.execute(query, {"value": {"x": math.nan}})

    await engine.dispose()


async def test_a_statement_that_takes_too_long_is_stopped(database_url: str) -> None:
    engine = database(database_url, statement_timeout=timedelta(milliseconds=50))

    async with engine.connect() as connection:
        with pytest.raises(DBAPIError, match="statement timeout"):
            await connection.execute(text("SELECT pg_sleep(60)"))

    await engine.dispose()


async def test_a_wait_for_a_lock_is_stopped(database_url: str) -> None:
    engine = database(database_url, lock_timeout=timedelta(milliseconds=50))
    lock = text("SELECT pg_advisory_xact_lock(42)")

    async with engine.connect() as first, engine.connect() as second:
        await first.execute(lock)
        with pytest.raises(DBAPIError, match="lock timeout"):
            await second.execute(lock)

    await engine.dispose()


async def test_migrations_have_no_limit_on_a_statement(database_url: str) -> None:
    engine = single_connection(database_url, application_name="test")

    async with engine.connect() as connection:
        assert await connection.scalar(text("SHOW statement_timeout")) == "0"

    await engine.dispose()


async def test_connections_carry_the_programs_name_and_take_libpq_options(database_url: str) -> None:
    joined = "&" if "?" in database_url else "?"
    engine = database(f"{database_url}{joined}sslmode=prefer&connect_timeout=3&application_name=worker-7")

    async with engine.connect() as connection:
        assert await connection.scalar(text("SHOW application_name")) == "worker-7"

    await engine.dispose()


def test_an_option_that_nobody_knows_is_named() -> None:
    with pytest.raises(NoDatabaseError, match="sslmoed"):
        database("postgresql://somebody@127.0.0.1/town?sslmoed=require")


async def test_health_says_yes_when_the_database_answers(database_url: str) -> None:
    engine = database(database_url)

    assert await healthy(engine)

    await engine.dispose()


@pytest.mark.parametrize(
    "url",
    ["postgresql://nobody:x@127.0.0.1:1/nothing", "postgresql://nobody:x@/nothing?host=/nowhere"],
)
async def test_health_says_no_when_nobody_is_there(url: str) -> None:
    engine = database(url)

    assert not await healthy(engine)

    await engine.dispose()


async def test_health_says_no_when_somebody_is_there_who_never_answers() -> None:
    stay = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stay.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    engine = database(f"postgresql://nobody@127.0.0.1:{port}/nothing")

    assert not await healthy(engine)

    stay.set()
    server.close()
    await server.wait_closed()
    await engine.dispose()


async def test_a_connection_that_the_server_closed_is_replaced(database_url: str) -> None:
    engine = database(database_url)
    async with engine.connect() as connection:
        pid = await connection.scalar(text("SELECT pg_backend_pid()"))
    killer = single_connection(database_url, application_name="test")
    async with killer.connect() as connection:
        await connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    await killer.dispose()

    answers = [await healthy(engine), await healthy(engine)]

    # There is no ping before each use: the first caller may meet the dead connection, nobody after him does.
    assert answers[1]
    await engine.dispose()


def test_ids_made_later_sort_later_and_are_version_seven() -> None:
    made = [uuid7() for _ in range(2000)]

    assert len(set(made)) == len(made)
    assert all(each.version == 7 for each in made)
    moments = [each.int >> 64 for each in made]
    assert moments == sorted(moments)
