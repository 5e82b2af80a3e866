"""Open PostgreSQL the way every part of the product uses it: bounded waits, no wasted statement."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import asyncpg
from pydantic_core import from_json, to_json
from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

CONNECT_TIMEOUT = timedelta(seconds=5)
STATEMENT_TIMEOUT = timedelta(seconds=15)
LOCK_TIMEOUT = timedelta(seconds=5)
IDLE_TRANSACTION_TIMEOUT = timedelta(seconds=30)
POOL_TIMEOUT = timedelta(seconds=5)
HEALTH_TIMEOUT = timedelta(seconds=2)

# What PostgreSQL's own tools write in an address, and how asyncpg calls it.
_LIBPQ_NAMES = {"sslmode": "ssl"}
_OPTIONS = {
    "application_name",
    "connect_timeout",
    "passfile",
    "password",
    "port",
    "ssl",
    "target_session_attrs",
    "user",
}


def database(
    url: str,
    *,
    pool_size: int = 8,
    max_overflow: int = 4,
    application_name: str = "shangliang",
    statement_timeout: timedelta = STATEMENT_TIMEOUT,
    lock_timeout: timedelta = LOCK_TIMEOUT,
    role: str | None = None,
) -> AsyncEngine:
    """Give an engine on the database at `url`; nothing is connected before the first use.

    `url` is what PostgreSQL's tools take (`postgresql://user:password@host:port/name`, or a socket directory
    as `?host=/path`). A statement, a wait for a lock, a wait for a free connection and a connection attempt
    each end with an error after a few seconds, so that a request never hangs. Every session works as `role`, of which
    the user in the address is a member.

    A single statement is a transaction by itself; take
    `engine.execution_options(isolation_level="AUTOCOMMIT")` for it and save the BEGIN and the COMMIT.
    """
    address, arguments = _address(url)
    return create_async_engine(
        address,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=POOL_TIMEOUT.total_seconds(),
        # The connection used last is the warmest; idle ones above need are closed by nobody but the server.
        pool_use_lifo=True,
        # A ping costs a round trip per checkout; instead, a lost server empties the pool at the first error.
        # The pool's rollback on return sends nothing after a commit, so no release costs a statement either.
        pool_pre_ping=False,
        connect_args=_connect_arguments(arguments, application_name, statement_timeout, lock_timeout, role),
        json_serializer=_to_json,
        json_deserializer=from_json,
    )


def single_connection(url: str, *, application_name: str) -> AsyncEngine:
    """Give an engine without a pool or a statement limit, for migrations and other rare, long work."""
    address, arguments = _address(url)
    return create_async_engine(
        address,
        poolclass=NullPool,
        connect_args=_connect_arguments(arguments, application_name, timedelta(0), LOCK_TIMEOUT),
        json_serializer=_to_json,
        json_deserializer=from_json,
    )


class NoDatabaseError(OSError):
    """The database cannot be reached with this address; the text says what it answered, without the address."""


@contextmanager
def answering() -> Iterator[None]:
    """Turn whatever the driver says when a connection cannot be made into `NoDatabaseError`, inside this block."""
    try:
        yield
    except DBAPIError as refused:
        # Without a statement it is the connection that failed: no such name, wrong password, starting up.
        if refused.statement is not None:
            raise
        raise NoDatabaseError(str(refused.orig)) from refused
    except (asyncpg.InterfaceError, OSError, TimeoutError) as refused:
        raise NoDatabaseError(str(refused) or type(refused).__name__) from refused


async def healthy(engine: AsyncEngine) -> bool:
    """Say whether the database answers within two seconds; never raises for a database that does not."""
    try:
        async with asyncio.timeout(HEALTH_TIMEOUT.total_seconds()), engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    # What fails before there is a connection may come through bare.
    except (SQLAlchemyError, asyncpg.InterfaceError, OSError, TimeoutError):
        return False
    return True


def _address(url: str) -> tuple[URL, dict[str, str]]:
    """Split an address into what SQLAlchemy reads and the options that asyncpg wants by name."""
    given = make_url(url)
    options = {_LIBPQ_NAMES.get(name, name): str(value) for name, value in given.query.items() if name != "host"}
    if unknown := sorted(options.keys() - _OPTIONS):
        raise NoDatabaseError(f"The address has an option that is not known here: {', '.join(unknown)}")
    host = {"host": given.query["host"]} if "host" in given.query else {}
    return given.set(drivername="postgresql+asyncpg", query=host), options


def _connect_arguments(
    options: dict[str, str],
    application_name: str,
    statement_timeout: timedelta,
    lock_timeout: timedelta,
    role: str | None = None,
) -> dict[str, Any]:
    name = options.pop("application_name", application_name)
    connect_timeout = float(options.pop("connect_timeout", CONNECT_TIMEOUT.total_seconds()))
    return {
        **options,
        "timeout": connect_timeout,
        "server_settings": {
            "application_name": name,
            "statement_timeout": _milliseconds(statement_timeout),
            "lock_timeout": _milliseconds(lock_timeout),
            "idle_in_transaction_session_timeout": _milliseconds(IDLE_TRANSACTION_TIMEOUT),
            # Our statements are short; compiling one costs more than running it.
            "jit": "off",
            **({"role": role} if role else {}),
        },
    }


def _milliseconds(span: timedelta) -> str:
    return str(int(span.total_seconds() * 1000))


def _to_json(value: object) -> str:
    """Write JSON with pydantic's compiled writer; refuses NaN and infinity, which jsonb cannot hold."""
    return to_json(value, inf_nan_mode="constants").decode()
