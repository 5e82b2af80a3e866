"""Tell a database that does not answer from a defect of ours."""

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# Classes of SQLSTATE (appendix A of PostgreSQL's manual): no connection, no room, stopped by the operator,
# limits of time and of locks, system trouble such as a full disk.
_CLASSES = ("08", "53", "57", "58")
_STATES = ("55P03", "25P03", "40P01", "40001")


def is_outage(error: BaseException) -> bool:
    """Say whether repeating later may help, because the database was away, full or too slow."""
    if isinstance(error, PoolTimeout | OperationalError | InterfaceError):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _is_state(getattr(error.orig, "sqlstate", None))
    if isinstance(error, asyncpg.PostgresError):
        return _is_state(error.sqlstate)
    return isinstance(error, asyncpg.InterfaceError | OSError | TimeoutError)


def _is_state(state: str | None) -> bool:
    return state is not None and (state[:2] in _CLASSES or state in _STATES)
