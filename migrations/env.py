"""Run by Alembic: give it our tables and the connection it works on."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection

from services.storage.database import single_connection
from services.storage.migrating import all_tables


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=all_tables(),
        compare_type=True,
        # Each migration commits by itself: one that stops half-way leaves the earlier ones done.
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_from_command_line(url: str) -> None:
    """Serve `alembic -c migrations/alembic.ini …`, by which developers write a new revision."""
    engine = single_connection(url, application_name="shangliang-alembic")
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


def run_as_script() -> None:
    """Print the SQL instead of running it, for those whose database only an administrator may change."""
    context.configure(
        dialect_name="postgresql",
        target_metadata=all_tables(),
        literal_binds=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if context.is_offline_mode():
    run_as_script()
elif given is not None:
    run(given)
else:
    asyncio.run(run_from_command_line(os.environ["SHANGLIANG_DATABASE_URL"]))
