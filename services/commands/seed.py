"""`shangliang seed`: load the demonstration street."""

from typing import Annotated

import typer

from services.commands.connected import given_settings
from services.commands.terminal import fail, out, run
from services.embedded.home import Home
from services.identity.passwords import Passwords
from services.storage.database import NoDatabaseError, answering, single_connection
from services.storage.demo import SeedReport, seed_demo
from services.storage.migrating import schema

EPILOG = "例 Examples: shangliang seed · SHANGLIANG_DEMO_PASSWORD=… shangliang seed"


def seed(
    database_url: Annotated[
        str | None, typer.Option(help="数据库地址;默认取环境变量或正在运行的实例。The database's address.")
    ] = None,
) -> None:
    """载入示范街道(只载入一次),供试用。Load the demonstration street, once, to try the product with.

    所有示范账号的密码为 SHANGLIANG_DEMO_PASSWORD;未设置时随机生成,只显示这一次。
    以后换了这个变量再执行,只更新示范账号的密码。

    All accounts have the password SHANGLIANG_DEMO_PASSWORD; without it one is made up and shown this once. Repeated
    with another SHANGLIANG_DEMO_PASSWORD, it renews the password of these accounts and changes nothing else.
    """
    settings = given_settings(database_url=database_url)
    running = Home(settings.home).running_now().get("database_url")
    address = settings.database_url.get_secret_value() if settings.database_url else running
    if address is None:
        fail(
            "没有数据库:请给出 --database-url、设置 SHANGLIANG_DATABASE_URL,或先运行 shangliang up。",
            "No database: give --database-url, set SHANGLIANG_DATABASE_URL, or run `shangliang up` first.",
        )
    password = settings.demo_password.get_secret_value() if settings.demo_password else None
    try:
        report = run(_seed_migrated(address, password))
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")
    if report is None:
        fail("数据库需要先升级:shangliang migrate。", "Migrate the database first: shangliang migrate.")
    if report.created:
        out.print("示范街道已载入。The demonstration street is loaded.")
    else:
        out.print("数据库中已有街道,未新增任何内容。The database has its street already; nothing was added.")
    if report.password:
        out.print("所有示范账号的密码(只显示这一次)Password of every demonstration account, shown this once:")
        out.print(report.password, markup=False)


async def seed_street(database_url: str, password: str | None) -> SeedReport:
    """Load the street into a migrated database; see `seed_demo`. Raises `NoDatabaseError`."""
    engine = single_connection(database_url, application_name="shangliang-seed")
    try:
        with answering():
            return await seed_demo(engine, password, Passwords())
    finally:
        await engine.dispose()


async def _seed_migrated(database_url: str, password: str | None) -> SeedReport | None:
    if not (await schema(database_url)).is_current:
        return None
    return await seed_street(database_url, password)
