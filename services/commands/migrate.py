"""`shangliang migrate`: bring the database to the shape that this program needs."""

from typing import Annotated

import typer

from services.commands.connected import given_settings
from services.commands.terminal import err, fail, out, run
from services.embedded.home import Home
from services.storage.calendar import bring_national
from services.storage.database import NoDatabaseError
from services.storage.migrating import Schema, SchemaAheadError, schema
from services.storage.migrating import migrate as migrate_database

EPILOG = "例 Examples: shangliang migrate · shangliang migrate --check · SHANGLIANG_DATABASE_URL=… shangliang migrate"


def migrate(
    database_url: Annotated[
        str | None, typer.Option(help="数据库地址;默认取环境变量或正在运行的实例。The database's address.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="只检查,不改动;落后时退出代码为 1。Only look; 1 when behind.")
    ] = False,
) -> None:
    """把数据库升级到本程序需要的版本,可重复执行。Apply every missing migration; safe to repeat."""
    settings = given_settings(database_url=database_url)
    running = Home(settings.home).running_now().get("database_url")
    address = settings.database_url.get_secret_value() if settings.database_url else running
    if address is None:
        fail(
            "没有数据库:请给出 --database-url、设置 SHANGLIANG_DATABASE_URL,或先运行 shangliang up。",
            "No database: give --database-url, set SHANGLIANG_DATABASE_URL, or run `shangliang up` first.",
        )
    try:
        state: Schema = run(schema(address) if check else _bring_up(address))
    except SchemaAheadError as refused:
        fail("数据库由更新的程序升级过,本程序不能使用。", str(refused))
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")
    if not state.is_current:
        err.print(f"数据库需要升级 / behind: {state.current} → {state.head}", markup=False)
        raise typer.Exit(1)
    out.print(f"数据库版本 / schema: {state.head}", markup=False)


async def _bring_up(address: str) -> Schema:
    state = await migrate_database(address)
    # A deadline needs the calendar as it needs the tables; local days stay.
    await bring_national(address)
    return state
