"""`shangliang notices`: messages that have not arrived, and another try for all of them."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from services.commands.connected import connected_settings
from services.commands.terminal import fail, out, run
from services.settings import Settings
from services.storage.database import NoDatabaseError, answering, database
from services.storage.outbox import Outbox, Waiting
from services.storage.sealing import Seal

EPILOG = "例 Examples: shangliang notices · shangliang notices --retry · shangliang notices --json"
WORDS = {
    "UNSENT": ("未找到收件人", "no reader yet"),
    "WAITING": ("待发送", "waits"),
    "DEAD": ("已放弃", "given up"),
}


def notices(
    again: Annotated[bool, typer.Option("--retry", help="立即重试全部。Try all of them again now.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")] = False,
) -> None:
    """列出尚未送达的通知:找不到收件人的,以及各渠道待发或已放弃的。List messages that have not arrived.

    --retry 让工作进程立即重试全部,包括已放弃的。--retry lets the worker try all of them again now, those given up too.
    """
    try:
        run(_looked_after(connected_settings(), again, as_json))
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")


async def _looked_after(settings: Settings, again: bool, as_json: bool) -> None:
    assert settings.database_url is not None, "connected_settings names the servers"
    seal_keys = settings.seal_keys
    storage = database(settings.database_url.get_secret_value(), pool_size=1, application_name="shangliang-notices")
    outbox = Outbox(storage, Seal(seal_keys, current=next(iter(seal_keys))))
    try:
        with answering():
            waiting = await outbox.waiting()
        if again:
            count = await outbox.again()
            out.print(f"已安排重试 {count} 次发送。{count} deliveries will be tried again.")
        elif as_json:
            typer.echo(json.dumps([_written(one) for one in waiting], ensure_ascii=False))
        else:
            _show(waiting)
    finally:
        await storage.dispose()


def _written(one: Waiting) -> dict[str, object]:
    return {**asdict(one), "next_at": one.next_at.isoformat(), "since": one.since.isoformat()}


def _show(waiting: tuple[Waiting, ...]) -> None:
    if not waiting:
        out.print("通知均已送达。Every message has arrived.")
        return
    table = Table(box=None)
    for name in (
        "时间 since",
        "状态 state",
        "事项 case",
        "通知 message",
        "收件 to",
        "渠道 channel",
        "次数 tries",
        "原因 why",
    ):
        table.add_column(name)
    for one in waiting:
        zh, en = WORDS.get(one.state, (one.state, ""))
        table.add_row(
            f"{one.since:%m-%d %H:%M}",
            f"{zh} {en}",
            one.number,
            one.template,
            one.to,
            one.channel or "–",
            str(one.tries),
            one.error or "–",
        )
    out.print(table)
