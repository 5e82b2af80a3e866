"""`shangliang overdue`: what is overdue, worst first, straight from the database."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from services.commands.lookup import color_named, coloured, database_url, moment, no_such_place, process_named, span
from services.commands.terminal import MISUSE, fail, out, run
from services.storage.cursors import CursorInvalid
from services.storage.database import NoDatabaseError
from services.storage.exporting import knows_place, reading
from services.storage.overdue import LARGEST_PAGE, Narrowed, Overdue, OverduePage, overdue_everywhere

EPILOG = (
    "例 Examples: shangliang overdue · shangliang overdue --within 48h --community 620199001001 · "
    "shangliang overdue --color RED --json"
)
WHOLE = ("编号 number", "时限 clock", "颜色 color", "到期 due")
NEXT = {
    "REMIND": "催办 reminder",
    "BREACH": "逾期 breach",
    "SUPERVISION_AND_TOPIC": "挂牌、上会 listed, on the agenda",
    "REPORT_TO_COUNTY": "报县区 county",
}


def overdue(
    within: Annotated[str | None, typer.Option(help="另加此时间内到期的,如 48h。Adds what is due by then.")] = None,
    community: Annotated[str | None, typer.Option(help="社区或其他区划代码。Region code.")] = None,
    process: Annotated[str | None, typer.Option(help="流程,如 issues。Process.")] = None,
    color: Annotated[str | None, typer.Option(help="RED, YELLOW")] = None,
    owner: Annotated[str | None, typer.Option(help="责任单位代码。Who owes it, by code.")] = None,
    supervisor: Annotated[str | None, typer.Option(help="督办单位代码。Who watches, by code.")] = None,
    older_than: Annotated[str | None, typer.Option(help="逾期已超过,如 5d。Overdue for longer than.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LARGEST_PAGE, help="最多行数。Rows at most.")] = 50,
    after: Annotated[str | None, typer.Option(help="接上一页。Cursor of the page before.")] = None,
    with_texts: Annotated[
        bool, typer.Option("--with-texts", help="显示标题(含个人信息)。Show titles: personal data.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")] = False,
) -> None:
    """列出逾期未完成的时限,最严重的在前。List what is breached and not yet met, worst first."""
    filters = Narrowed(
        within=span(within),
        process=process_named(process).name if process else None,
        community_id=community,
        color=color_named(color),
        owner=owner,
        supervisor=supervisor,
        older_than=span(older_than),
    )
    try:
        page = run(_read(database_url(), filters, after, limit))
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")
    except CursorInvalid:
        fail("--after 不是上一页给出的值。", "--after is not what the page before gave.", code=MISUSE)
    if as_json:
        items = [_plain(one, with_texts=with_texts) for one in page.items]
        written = {"items": items, "next_cursor": page.next_cursor}
        typer.echo(json.dumps(written, ensure_ascii=False, default=str))
    else:
        _show(page, with_texts=with_texts)


async def _read(url: str, filters: Narrowed, after: str | None, limit: int) -> OverduePage:
    async with reading(url, application_name="shangliang-overdue") as connection:
        if filters.community_id and not await knows_place(connection, filters.community_id):
            no_such_place(filters.community_id)
        return await overdue_everywhere(connection, filters, now=datetime.now(UTC), after=after, limit=limit)


def _plain(one: Overdue, *, with_texts: bool) -> dict[str, object]:
    row = asdict(one)
    if not with_texts:
        del row["title"]
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def _show(page: OverduePage, *, with_texts: bool) -> None:
    if not page.items:
        out.print("没有逾期。Nothing is overdue.")
        return
    table = Table(box=None)
    headings = ["编号 number", "时限 clock", "颜色 color", "到期 due", "责任 owner", "督办 supervisor", "下一步 next"]
    for heading in [*headings, "标题 title"] if with_texts else headings:
        # What people copy stays whole on a narrow screen; names give way.
        table.add_column(heading.replace(" ", "\n"), no_wrap=heading in WHOLE, overflow="fold")
    for one in page.items:
        following = one.next_escalation
        cells = [
            one.number,
            f"{one.clock} {one.clock_ref}".strip(),
            coloured(one.color),
            moment(one.due_at),
            one.owner_name or one.owner,
            one.supervisor_name or one.supervisor,
            f"{moment(following.at)} {NEXT[following.what]}" if following else "",
        ]
        table.add_row(*cells, *([one.title] if with_texts else []))
    out.print(table)
    if page.next_cursor is not None:
        out.print(f"还有更多 There is more: --after {page.next_cursor}", markup=False)
