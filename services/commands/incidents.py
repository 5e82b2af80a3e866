"""`shangliang incidents`: what needs a hand, tried again or closed by one."""

import getpass
import json
from typing import Annotated

import typer
from rich.table import Table

from services.commands.connected import connected_settings
from services.commands.terminal import FAILURE, MISUSE, fail, out, run
from services.engine import Engine, EngineUnavailable, connect, newest
from services.settings import Settings
from services.storage.database import NoDatabaseError, answering, database
from services.storage.history import Past
from services.storage.incidents import Incident, Incidents
from services.storage.keys import PAYLOADS
from services.watching import Retried, retry

EPILOG = (
    "例 Examples: shangliang incidents · shangliang incidents --retry 0198c6 · "
    "shangliang incidents --close 0198c6 --reason 已电话核实"
)
WORDS = {
    "CONFLICT": ("记录冲突", "another turn stands there"),
    "RECORD_FAILS": ("无法记录", "cannot be written"),
    "EFFECT_FAILS": ("联动未送达", "a message to another case does not arrive"),
    "REFUSED_TELL": ("联动被拒绝", "a message was refused by another case"),
    "STUCK": ("流程卡住", "its run fails again and again"),
    "RUN_FAILED": ("流程中断", "its run has ended with an error"),
    "NOBODY_TO_TELL": ("通知无人可收", "nobody is there to be told"),
    "NOTICE_DEAD": ("通知渠道失效", "a channel takes no message any more"),
    "NOTICE_UNREADABLE": ("通知渠道密钥缺失", "the key of a channel's address is missing"),
    "ACTIVITY_FAILS": ("任务失败", "an activity fails again and again"),
}


def incidents(
    again: Annotated[str | None, typer.Option("--retry", metavar="ID", help="再试一次。Try this one again.")] = None,
    close: Annotated[str | None, typer.Option(metavar="ID", help="人工关闭,须写明原因。Close it by hand.")] = None,
    reason: Annotated[str, typer.Option(help="关闭的原因。Why it is closed.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")] = False,
) -> None:
    """列出需要人工处理的异常;再试一次,或写明原因关闭。List what needs a hand; try it again, or close it with a reason.

    ID 是列表第一栏的编号,写出能区分的前几位即可。--retry 从数据库重建该事项的流程实例,或重新送达被拒绝的联动。
    ID is what the first column shows; so much of it as tells it apart will do. --retry starts the case's run again from
    the database, or sends a refused message once more.
    """
    if close is not None and not reason.strip():
        fail("关闭时必须用 --reason 写明原因。", "Closing one needs a --reason.", code=MISUSE)
    try:
        run(_worked_off(connected_settings(), again, close, reason.strip(), as_json))
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")
    except EngineUnavailable as away:
        fail("流程引擎没有应答。", f"The engine does not answer: {away}")


async def _worked_off(settings: Settings, again: str | None, close: str | None, reason: str, as_json: bool) -> None:
    assert settings.database_url is not None, "connected_settings names the servers"
    assert settings.temporal_address is not None, "connected_settings names the servers"
    storage = database(settings.database_url.get_secret_value(), pool_size=2, application_name="shangliang-incidents")
    try:
        incidents = Incidents(storage)
        with answering():
            listed = await incidents.listed()
        if again is not None:
            one, past = _chosen(listed, again), Past(storage)
            client = await connect(settings.temporal_address, settings.temporal_namespace, settings.keys_for(PAYLOADS))
            engine = Engine(client, past, newest(settings.policy), timeout=settings.request_timeout)
            tried: Retried = await retry(engine, past, incidents, one)
            if not tried.goes_on:
                fail(f"重试未成功:{tried.why}", f"It does not go on: {tried.why}")
            await _close(incidents, one, "RETRIED")
            out.print("已重试;若仍有问题会再次列出。Tried again; listed anew if the trouble lasts.")
        elif close is not None:
            await _close(incidents, _chosen(listed, close), reason)
            out.print("已关闭。Closed.")
        elif as_json:
            typer.echo(json.dumps([_written(one) for one in listed], ensure_ascii=False))
        else:
            _show(listed)
    finally:
        await storage.dispose()


async def _close(incidents: Incidents, one: Incident, reason: str) -> None:
    if not await incidents.close(one.id, by=f"terminal:{getpass.getuser()}", reason=reason):
        fail("该异常已不在列表中。", "It is not on the list any more.")


def _chosen(listed: tuple[Incident, ...], beginning: str) -> Incident:
    found = [one for one in listed if str(one.id).replace("-", "").startswith(beginning.lower().replace("-", ""))]
    if len(found) != 1:
        fail(
            f"{beginning}:{'没有这样的异常' if not found else '不止一个,请多写几位'}。",
            f"{beginning}: {'no such incident' if not found else 'more than one, write more of it'}.",
            code=FAILURE,
        )
    return found[0]


def _written(one: Incident) -> dict[str, object]:
    return {
        "id": str(one.id),
        "kind": one.kind,
        "case_id": str(one.case_id) if one.case_id else None,
        "number": one.number,
        "process": one.process,
        "key": one.key,
        "detail": dict(one.detail),
        "at": one.at.isoformat(),
    }


def _show(listed: tuple[Incident, ...]) -> None:
    if not listed:
        out.print("没有需要人工处理的异常。Nothing needs a hand.")
        return
    table = Table(box=None)
    for name in ("编号 id", "时间 since", "异常 trouble", "事项 case", "详情 detail"):
        table.add_column(name)
    for one in listed:
        zh, en = WORDS.get(one.kind, (one.kind, ""))
        detail = ", ".join(f"{name}={value}" for name, value in one.detail.items())
        table.add_row(str(one.id), f"{one.at:%m-%d %H:%M}", f"{zh} {en}", one.number or str(one.case_id or "–"), detail)
    out.print(table)
