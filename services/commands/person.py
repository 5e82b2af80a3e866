"""`shangliang person`: what is kept of one person, and its erasure."""

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from services.commands.connected import connected_settings
from services.commands.terminal import MISUSE, fail, out, run
from services.settings import Settings
from services.storage.database import NoDatabaseError, answering, single_connection
from services.storage.files import Files
from services.storage.people import act_as, log_access
from services.storage.personal import (
    Forgotten,
    forget_person,
    forget_reporter,
    open_cases,
    person_of,
    personal_data,
    reported_data,
)
from services.storage.sealing import Seal

EPILOG = (
    "例 Examples: shangliang person export resident1 · shangliang person export --phone 13800000000 · "
    "shangliang person erase resident1"
)
ACTOR = "terminal"


class Act(StrEnum):
    """What to do."""

    EXPORT = "export"
    ERASE = "erase"


def person(
    act: Annotated[Act, typer.Argument(help="export 导出 · erase 删除")],
    who: Annotated[str | None, typer.Argument(metavar="ID", help="用户名或 id。Username or id.")] = None,
    phone: Annotated[
        str | None, typer.Option(help="没有账号的人:他留下的电话。Somebody without an account, by his phone.")
    ] = None,
    reason: Annotated[str, typer.Option(help="依据,记入查阅记录。Why; goes into the log of readings.")] = "本人申请",
    also_open: Annotated[
        bool, typer.Option("--also-open", help="即使有未办结的诉求也删除。Erase though cases of his are open.")
    ] = False,
) -> None:
    """导出一个人的全部个人信息(JSON),或将其删除:姓名、电话、作为居民写下的文字;事件保留,只留编号。

    Give everything that is kept of one person as JSON, or erase it: name, phone, what was written as a resident. Events
    stay and hold ids only. Erased data come back with an older backup: erase again after a restore.
    """
    if (who is None) == (phone is None):
        fail("请给出用户名、id 或 --phone 之一。", "Give a username or id, or --phone, and not both.", code=MISUSE)
    try:
        found = run(_act(connected_settings(), act, who, phone, reason, also_open))
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")
    if isinstance(found, Forgotten):
        out.print(
            f"已删除:联系方式 {found.contacts},文字 {found.texts},附件 {len(found.files)}。"
            f"Erased: {found.contacts} contacts, {found.texts} texts, {len(found.files)} files."
        )
    else:
        typer.echo(json.dumps(found, ensure_ascii=False, default=str, indent=2))


async def _act(
    settings: Settings, act: Act, who: str | None, phone: str | None, reason: str, also_open: bool
) -> Forgotten | dict[str, Any]:
    assert settings.database_url is not None, "connected_settings names the servers"
    known = settings.seal_keys
    seal = Seal(known, current=next(iter(known)))
    storage = single_connection(settings.database_url.get_secret_value(), application_name="shangliang-person")
    try:
        with answering():
            async with storage.begin() as connection:
                await act_as(connection, ACTOR)
                one = await person_of(connection, who) if who is not None else None
                if who is not None and one is None:
                    fail(f"没有 {who}。", f"There is nobody called {who}.")
                if act is Act.EXPORT:
                    await log_access(
                        connection, actor_id=ACTOR, entity="person", row_id=str(one or "by phone"),
                        fields_class="ALL", purpose=reason,
                    )  # fmt: skip
                    if one is None:
                        return await reported_data(connection, phone or "", seal)
                    return await personal_data(connection, one, seal) or {}
                if one is not None and not also_open and (numbers := await open_cases(connection, one)):
                    fail(
                        f"还有未办结的诉求:{', '.join(numbers)}。办结后再删除,或加 --also-open。",
                        f"Cases of his are open: {', '.join(numbers)}. Erase once they are closed, or use --also-open.",
                    )
                if one is None:
                    forgotten = await forget_reporter(connection, phone or "", seal)
                else:
                    forgotten = await forget_person(connection, one)
        # After the rows that name them.
        await Files(settings.store_url).forget(forgotten.files)
        return forgotten
    finally:
        await storage.dispose()
