"""`shangliang lists`: show a county's lists, import a version from a spreadsheet with preview, compare two versions."""

import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from services.commands.connected import connected_settings
from services.commands.terminal import MISUSE, fail, out, run
from services.importing.lists import Read, read_list
from services.importing.sheets import Unreadable
from services.storage.database import NoDatabaseError, answering, database
from services.storage.list_tables import LIST_TYPES
from services.storage.lists import (
    Comparison,
    NotPublishable,
    Version,
    compare,
    compared,
    entries_of,
    publish,
    search,
    version_of,
    versions,
)
from services.texts.catalogue import catalogue
from workflows.kernel.calendar import CHINA

EPILOG = (
    "例 Examples: shangliang lists show --county 620199 · shangliang lists show LIST_B --county 620199 --find 低保 · "
    "shangliang lists import LIST_B 清单.xlsx --county 620199 --from 2027-01-01 --dry-run · "
    "shangliang lists diff LIST_B --county 620199 --before 2 --after 3"
)
CLERK = "lists-command"
FOUND_FAULTS = 1


class What(StrEnum):
    """What to do with lists."""

    SHOW = "show"
    IMPORT = "import"
    DIFF = "diff"


def lists(
    what: Annotated[What, typer.Argument(help="show 查看 · import 导入新版本 · diff 比较两个版本。")],
    list_type: Annotated[str | None, typer.Argument(help=f"清单类别 {', '.join(LIST_TYPES)}。Kind of list.")] = None,
    file: Annotated[Path | None, typer.Argument(help="xlsx 或 csv 文件。A spreadsheet.")] = None,
    county: Annotated[str, typer.Option(help="区县代码,六位。Six-digit code of the county.")] = "",
    begins: Annotated[str | None, typer.Option("--from", help="生效日期 YYYY-MM-DD。Effective from.")] = None,
    source: Annotated[str, typer.Option(help="文件依据。What it rests on.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只预览,不写入。Preview only.")] = False,
    encoding: Annotated[str | None, typer.Option(help="CSV 的编码,默认自动识别。Encoding of a CSV.")] = None,
    find: Annotated[str, typer.Option(help="按字词查找。Find entries by words.")] = "",
    version: Annotated[int | None, typer.Option(help="版本号,默认今日有效。Version; today's by default.")] = None,
    before: Annotated[int | None, typer.Option(help="比较:旧版本。The older version.")] = None,
    after: Annotated[int | None, typer.Option(help="比较:新版本。The newer version.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")] = False,
) -> None:
    """查看区县清单;从表格导入新版本(先预览,有错全不写入);比较两个版本。

    Show a county's lists, import a new version (all of it or nothing, with every fault by cell), compare two versions.
    """
    if not county:
        fail("请用 --county 给出区县代码。", "Name the county with --county.", code=MISUSE)
    if list_type is not None and list_type not in LIST_TYPES:
        fail(f"没有这种清单:{list_type}", f"No such list: {list_type}", code=MISUSE)
    if list_type is None and what is not What.SHOW:
        fail("请给出清单类别。", "Name the kind of list.", code=MISUSE)
    if what is What.IMPORT:
        if file is None or begins is None:
            fail("导入需要文件和 --from 生效日期。", "An import takes a file and --from.", code=MISUSE)
        read = _read(file, encoding)
        run(_with_database(lambda on: _import(on, county, str(list_type), read, begins, source, dry_run=dry_run)))
    elif what is What.DIFF:
        if before is None or after is None:
            fail("比较需要 --before 和 --after。", "A comparison takes --before and --after.", code=MISUSE)
        run(_with_database(lambda on: _diff(on, county, str(list_type), before, after, as_json=as_json)))
    else:
        run(_with_database(lambda on: _show(on, county, list_type, version, find, as_json=as_json)))


async def _with_database(work: Any) -> None:
    settings = connected_settings()
    assert settings.database_url is not None
    storage = database(settings.database_url.get_secret_value(), application_name="shangliang-lists")
    try:
        with answering():
            async with storage.begin() as connection:
                await work(connection)
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")
    finally:
        await storage.dispose()


def _today() -> date:
    return datetime.now(UTC).astimezone(CHINA).date()


# --- import --------------------------------------------------------------------------------------------------


def _read(file: Path, encoding: str | None) -> Read:
    try:
        return read_list(file, encoding=encoding)
    except Unreadable as no:
        fail(no.zh, no.en)
    except OSError as no:
        fail(f"文件无法读取:{file}", f"The file cannot be read: {no}")


async def _import(
    connection: Any, county: str, list_type: str, read: Read, begins: str, source: str, *, dry_run: bool
) -> None:
    if read.faults:
        table = Table(title="未写入任何内容 Nothing was written")
        for heading in ("行 row", "列 column", "问题", "fault"):
            table.add_column(heading)
        for one in read.faults:
            table.add_row(str(one.row), one.column, one.say("zh"), one.say("en"))
        out.print(table)
        raise typer.Exit(FOUND_FAULTS)
    try:
        effective = date.fromisoformat(begins)
    except ValueError:
        fail(f"日期应为 YYYY-MM-DD:{begins}", f"Not a date: {begins}", code=MISUSE)
    last = next(iter(await versions(connection, county, list_type)), None)
    changes = compared(await entries_of(connection, last.id) if last else [], read.entries)
    _show_changes(f"{list_type} {county} · {effective}", changes)
    if dry_run:
        out.print(f"预览:{len(read.entries)} 项,未写入。A preview of {len(read.entries)} entries; nothing was written.")
        return
    try:
        written = await publish(
            connection,
            county=county,
            list_type=list_type,
            entries=read.entries,
            effective_from=effective,
            source=source,
            by=CLERK,
            today=_today(),
        )
    except NotPublishable as no:
        fail(*(catalogue().say("reason", no.code, language, **no.details) for language in ("zh", "en")))
    out.print(
        f"已发布第 {written.version} 版,{written.items} 项,{effective} 起生效。"
        f"Published version {written.version} with {written.items} entries, in force from {effective}."
    )


# --- show and compare ------------------------------------------------------------------------------------------


async def _show(
    connection: Any, county: str, list_type: str | None, number: int | None, words: str, *, as_json: bool
) -> None:
    every = await versions(connection, county, list_type)
    if words:
        await _find(connection, every, words, as_json=as_json)
    elif list_type is None:
        _show_versions(every, as_json=as_json)
    else:
        held = await version_of(connection, county, list_type, number=number, on=_today())
        if held is None:
            fail("没有这个版本。", "There is no such version.")
        entries = [asdict(one) for one in await entries_of(connection, held.id)]
        if as_json:
            typer.echo(json.dumps({"version": held.version, "entries": entries}, ensure_ascii=False))
            return
        table = Table(title=f"{list_type} {county} v{held.version} · {held.effective_from} 起 from")
        for heading in ("编码 code", "事项 name", "依据 basis", "牵头部门 department", "经费 funding"):
            table.add_column(heading, overflow="fold")
        for one in entries:
            table.add_row(*one.values())
        out.print(table)


async def _find(connection: Any, every: list[Version], words: str, *, as_json: bool) -> None:
    held: dict[str, Version] = {}
    for version in every:
        if version.effective_from <= _today():
            held.setdefault(version.list_type, version)
    hits = await search(connection, held.values(), words)
    if as_json:
        found = [{"list_type": one.list_type, "likeness": one.likeness, **asdict(one.entry)} for one in hits]
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    table = Table(title=words)
    for heading in ("清单 list", "编码 code", "事项 name", "相似 likeness"):
        table.add_column(heading)
    for one in hits:
        table.add_row(one.list_type, one.entry.item_code, one.entry.name, f"{one.likeness:.2f}")
    out.print(table)


def _show_versions(every: list[Version], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {"list_type": o.list_type, "version": o.version, "from": str(o.effective_from), "items": o.items}
            for o in every
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table(title="清单版本 Versions of the lists")
    for heading in ("清单 list", "版本 version", "生效 from", "至 until", "事项数 entries", "依据 source"):
        table.add_column(heading)
    for one in every:
        until = str(one.until) if one.until else "—"
        table.add_row(one.list_type, str(one.version), str(one.effective_from), until, str(one.items), one.source)
    out.print(table)


async def _diff(connection: Any, county: str, list_type: str, before: int, after: int, *, as_json: bool) -> None:
    old, new = [await version_of(connection, county, list_type, number=number) for number in (before, after)]
    if old is None or new is None:
        fail("没有这个版本。", "There is no such version.")
    found = await compare(connection, old, new)
    if as_json:
        changed = [{"before": asdict(one), "after": asdict(other)} for one, other in found.changed]
        sides = {"added": [asdict(one) for one in found.added], "removed": [asdict(one) for one in found.removed]}
        typer.echo(json.dumps({**sides, "changed": changed}, ensure_ascii=False))
        return
    _show_changes(f"{list_type} {county} v{before} → v{after}", found)


def _show_changes(title: str, found: Comparison) -> None:
    table = Table(title=title)
    for heading in ("", "编码 code", "事项 name", "变化 change"):
        table.add_column(heading, overflow="fold")
    for one in found.added:
        table.add_row("+", one.item_code, one.name, "新增 added")
    for one in found.removed:
        table.add_row("-", one.item_code, one.name, "取消 removed")
    for old, new in found.changed:
        before, after = asdict(old), asdict(new)
        told = [
            f"{name}: {before[name] or '—'} → {after[name] or '—'}" for name in after if before[name] != after[name]
        ]
        table.add_row("~", new.item_code, new.name, "\n".join(told))
    out.print(table if table.row_count else "没有变化。Nothing changes.")
