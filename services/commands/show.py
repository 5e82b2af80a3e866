"""`shangliang show`: one case with its clocks and its history, straight from the database."""

import json
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from rich.table import Table

from services.commands.lookup import coloured, database_url, moment
from services.commands.terminal import fail, out, run
from services.storage.cases import Known, found
from services.storage.clocks import Deadline, clocks_of
from services.storage.database import NoDatabaseError
from services.storage.events import Entry, events_of
from services.storage.exporting import reading
from services.storage.history import broken_at
from services.storage.prose import said, texts_of
from workflows.kernel.process import Process
from workflows.registry import PROCESSES

EPILOG = "例 Examples: shangliang show 6201990010012026030001 · shangliang show 6201990010012026030001 --with-texts"


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that is shown of a case."""

    process: Process[Any]
    known: Known
    title: str
    clocks: tuple[Deadline, ...]
    events: tuple[Entry, ...]
    broken: tuple[int, str] | None


def show(
    case: Annotated[str, typer.Argument(help="编号或 id。Number or id of a case.")],
    with_texts: Annotated[
        bool, typer.Option("--with-texts", help="显示文字内容(含个人信息)。Show what people wrote: personal data.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")] = False,
) -> None:
    """显示一个事项:状态、时限及其依据、全部历史,并校验哈希链。

    Show a case: where it stands, its clocks and why they are due then, its whole history; check the chain of hashes.
    """
    try:
        shown = run(_read(database_url(), case, clear=with_texts))
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")
    if shown is None:
        fail(f"没有事项 {case}。", f"There is no case {case}.")
    if as_json:
        typer.echo(json.dumps(_plain(shown, with_texts=with_texts), ensure_ascii=False, default=_written))
    else:
        _show(shown, with_texts=with_texts)
    if shown.broken is not None:
        seq, why = shown.broken
        fail(f"历史第 {seq} 条被改动过({why})。", f"Entry {seq} of the history is not what was written: {why}.")


async def _read(url: str, key: str, *, clear: bool) -> Shown | None:
    async with reading(url, application_name="shangliang-show") as connection:
        for process in {one.name: one for one in PROCESSES.values()}.values():
            known = await found(connection, process, key)
            if known is not None:
                texts = await texts_of(connection, [known.case.id], [known.case.title])
                return Shown(
                    process,
                    known,
                    said(known.case.title, texts),
                    await clocks_of(connection, known.case.id),
                    await events_of(connection, known.case.id, clear=clear),
                    await broken_at(connection, known.case.id),
                )
    return None


def _written(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _plain(shown: Shown, *, with_texts: bool) -> dict[str, Any]:
    case = shown.known.case
    return {
        "id": case.id,
        "number": case.number,
        "process": case.process,
        "state": case.position,
        "version": case.version,
        **({"title": shown.title} if with_texts else {}),
        "color": shown.known.color,
        "next_due_at": shown.known.next_due_at,
        "clocks": [asdict(one) for one in shown.clocks],
        "events": [asdict(one) for one in shown.events],
        "chain": "OK" if shown.broken is None else list(shown.broken),
    }


def _show(shown: Shown, *, with_texts: bool) -> None:
    case = shown.known.case
    position = shown.process.positions[case.position]
    head = Table(show_header=False, box=None)
    head.add_row("编号 number", f"[bold]{case.number}[/]")
    head.add_row("流程 process", f"{shown.process.zh} {shown.process.en}")
    head.add_row("状态 state", f"{position.zh} {position.en} ({case.position})")
    if with_texts:
        head.add_row("标题 title", shown.title)
    head.add_row("社区 community", case.community)
    head.add_row("颜色 color", coloured(shown.known.color) or "-")
    head.add_row("到期 next due", moment(shown.known.next_due_at) or "-")
    head.add_row("政策包 policy", f"{case.pin.pack} v{case.pin.version}")
    head.add_row("登记 opened", moment(case.opened_at))
    head.add_row("办结 closed", moment(case.closed_at) or "-")
    head.add_row("哈希链 chain", "完好 whole" if shown.broken is None else f"[red]{shown.broken}[/]")
    out.print(head)
    out.print(_clocks(shown.clocks))
    out.print(_events(shown.events))


def _clocks(clocks: tuple[Deadline, ...]) -> Table:
    table = Table(title="时限 Clocks", box=None, title_justify="left")
    for heading in ("时限 clock", "状态 state", "颜色 color", "起 from", "到期 due", "责任 owner"):
        table.add_column(heading, no_wrap=True)
    table.add_column("依据 because", overflow="fold")
    for one in clocks:
        rule = one.rule
        value = f"{rule.value:g}" if isinstance(rule.value, float) else rule.value
        reason = f"{rule.parameter} = {value} {rule.unit} [{rule.clause}]"
        if rule.days_skipped:
            reason += f";跳过 skipped {len(rule.days_skipped)}"
        if rule.pauses:
            reason += f";暂停 paused {len(rule.pauses)}"
        table.add_row(
            f"{one.code} {one.ref}".strip(),
            one.state,
            coloured(one.color),
            moment(one.started_at),
            moment(one.due_at),
            one.owner_name or one.owner,
            _literal(reason),
        )
    return table


def _events(events: tuple[Entry, ...]) -> Table:
    table = Table(title="历史 History", box=None, title_justify="left")
    for heading in ("#", "时间 at", "事件 event", "角色 role", "状态 to", "哈希 hash"):
        table.add_column(heading, no_wrap=True)
    for one in events:
        table.add_row(
            str(one.seq), moment(one.occurred_at), one.type, one.acting_role, one.payload.get("to", ""), one.hash[:12]
        )
    return table


def _literal(text: str) -> str:
    """A text with square brackets as it is, not as markup."""
    return text.replace("[", r"\[")
