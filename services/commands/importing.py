"""`shangliang import`: real messages go in, each once."""

import csv
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from activities.calendar import Calendars
from services.api.door import Door
from services.api.postgres import PostgresReads
from services.commands.connected import connected_settings
from services.commands.terminal import MISUSE, err, fail, out, run
from services.engine import Engine, connect, newest
from services.identity.actors import Directory
from services.importing.columns import TITLES, Columns, Target, WrongMap, columns
from services.importing.intake import PATIENCE, Counts, Intake, ServiceAway
from services.importing.messages import Message, Place, message, now, placed
from services.importing.reasons import Reject, Why
from services.importing.sheets import CELL_LIMIT, Sheet, Unreadable, opened
from services.settings import Settings
from services.storage.calendar import CalendarStore
from services.storage.communities import community_names
from services.storage.database import NoDatabaseError, answering, database
from services.storage.history import Past
from services.storage.keys import PAYLOADS
from services.storage.sealing import Seal
from workflows.issue.process import ISSUE
from workflows.policy.pack import Pack
from workflows.policy.packs import PackNotHere, available, load

EPILOG = (
    "例 Examples: shangliang import messages.csv.gz --spread · "
    "shangliang import 工单.xlsx --community 620199001001 --map title=工单标题 --dry-run · "
    "shangliang import hotline.csv --encoding gb18030 --spread 620199001001,620199001002 --policy drill"
)

SOME_REJECTED = 3
ACCOUNT = "integration"
PREVIEW_ROWS = 8
PREVIEW_LETTERS = 40
ALL = "*"
CODES = re.compile(r"[0-9]{12}(,[0-9]{12})*")
REJECT_HEADER = ("row", "line", "external_id", "code", "reason", "reason_en")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the caller asked for, the same for every file."""

    maps: tuple[str, ...]
    encoding: str | None
    sheet: str | None
    community: str | None
    spread: str | None
    source: str | None
    policy: str | None
    parallel: int
    cell_limit: int
    limit: int | None
    patience: float


def import_files(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="CSV、CSV.GZ 或 XLSX。")],
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="字段=列名", help="指明列，可多次；字段=空 表示不用该列。Name a column; repeat."),
    ] = None,
    community: Annotated[
        str | None, typer.Option(help="没有社区列的行归入此社区。Community of rows that name none.")
    ] = None,
    spread: Annotated[
        bool,
        typer.Option(
            "--spread",
            help="按编号散列分到全部社区，或其后列出的社区（CODE,CODE）。Spread over all communities, or "
            "those that follow.",
        ),
    ] = False,
    source: Annotated[
        str | None, typer.Option(help="来源名，与编号一起辨认重复；默认文件名。Name of the source, default the file's.")
    ] = None,
    policy: Annotated[
        str | None, typer.Option(help="新事项采用的政策包，如 drill。Policy pack of the new cases.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="文件编码，默认自动识别。Encoding, default guessed.")] = None,
    sheet: Annotated[str | None, typer.Option(help="XLSX 的工作表，默认第一张。Sheet of a workbook.")] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="退回行写到哪里，默认 FILE.rejects.csv。Where rejected rows go.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="只读前 N 行。Read the first N rows only.")] = None,
    parallel: Annotated[int, typer.Option(min=1, max=256, help="同时登记多少件。Messages at a time.")] = 16,
    cell_limit: Annotated[int, typer.Option(min=1000, max=10_000_000, help="单元格字数上限。")] = CELL_LIMIT,
    patience: Annotated[
        float, typer.Option(min=0, max=3600, help="服务不应答时等多少秒。Seconds to wait for a service that is away.")
    ] = PATIENCE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只预览，不写入。Preview; write nothing.")] = False,
) -> None:
    """导入居民留言或热线工单，每条成为一件诉求；重复执行不会重复登记。Import messages; repeat it as you like.

    以 integration 账号登记。坏行写入退回文件并注明原因，其余照常导入。
    列按表头识别；字段：id, title, description, reported_at, place, community, category。
    退出代码：0 全部导入，3 有退回行，1 失败（可重新执行），2 用法错误。

    Acts as the account `integration`. Bad rows go to the rejects file with the reason, the rest goes in. Exit codes: 0
    all in, 3 some rejected, 1 failed (repeat it), 2 wrong usage.
    """
    codes = [one for one in files if spread and CODES.fullmatch(one)]
    paths = [Path(one) for one in files if one not in codes]
    for path in paths:
        if not path.is_file():
            fail(f"没有文件 {path}。", f"There is no file {path}.", code=MISUSE)
    if not paths:
        fail("没有指定文件。", "No file is given.", code=MISUSE)
    if rejects is not None and len(paths) > 1:
        fail("多个文件时不能用 --rejects。", "--rejects takes one file.", code=MISUSE)
    if source is not None and len(paths) > 1:
        fail("多个文件时不能用 --source。", "--source takes one file.", code=MISUSE)
    settings = connected_settings()
    wanted = Wanted(
        maps=tuple(maps or ()),
        encoding=encoding,
        sheet=sheet,
        community=community,
        spread=(",".join(codes) or ALL) if spread else None,
        source=source,
        policy=policy,
        parallel=parallel,
        cell_limit=cell_limit,
        limit=limit,
        patience=patience,
    )
    pack = _pack(policy or settings.policy)
    code = 0
    for path in paths:
        work = _preview(settings, wanted, path) if dry_run else _bring_in(settings, wanted, pack, path, rejects)
        try:
            code = max(code, run(work))
        except Unreadable as refused:
            fail(refused.zh, refused.en)
        except WrongMap as refused:
            fail(refused.zh, refused.en, code=MISUSE)
        except NoDatabaseError as refused:
            fail("数据库没有应答。", f"The database does not answer: {refused}")
    if code:
        raise typer.Exit(code)


def _pack(name: str) -> Pack:
    try:
        return load(name)
    except PackNotHere:
        packs = ", ".join(available())
        fail(
            f"没有政策包 {name}。可用：{packs}",
            f"There is no policy pack {name}. Available: {packs}",
            code=MISUSE,
        )


# --- the dry run ----------------------------------------------------------------------------------------------


async def _preview(settings: Settings, wanted: Wanted, path: Path) -> int:
    """Show what would go in and what would not; nothing is written anywhere."""
    names = await _communities(settings)
    reasons: Counter[Why] = Counter()
    places: Counter[str] = Counter()
    shown: list[Message] = []
    first: dict[Why, Reject] = {}
    with opened(path, encoding=wanted.encoding, sheet=wanted.sheet, cell_limit=wanted.cell_limit) as sheet:
        found = columns(sheet.header, wanted.maps)
        place = _placing(wanted, names, found)
        for one in _messages(sheet, found, place, wanted.limit):
            if isinstance(one, Reject):
                reasons[one.why] += 1
                first.setdefault(one.why, one)
                continue
            places[str(one.fields["community_code"])] += 1
            if len(shown) < PREVIEW_ROWS:
                shown.append(one)
        _show_mapping(path, sheet, found)
    _show_rows(shown)
    table = Table("社区 community", "件数 messages", title="将导入 would go in", title_justify="left")
    for code in sorted(places):
        table.add_row(f"{code} {names.get(code, '')}", str(places[code]))
    table.add_row("[bold]合计 all[/]", f"[bold]{places.total()}[/]")
    out.print(table)
    if reasons:
        _show_reasons(reasons, first)
    out.print("未写入任何内容 nothing was written (--dry-run)")
    return SOME_REJECTED if reasons else 0


def _show_mapping(path: Path, sheet: Sheet, found: Columns) -> None:
    table = Table("字段 field", "列 column", title=f"{escape(path.name)} · {sheet.encoding}", title_justify="left")
    for target in Target:
        column = escape(sheet.header[found.places[target]]) if target in found else "[dim]无 none[/]"
        table.add_row(f"{target.value} {' '.join(TITLES[target])}", column)
    out.print(table)


def _show_rows(shown: Sequence[Message]) -> None:
    fields = ("external_id", "reported_at", "community_code", "title", "description")
    table = Table("行 row", *fields, title="前几行 first rows", title_justify="left")
    for one in shown:
        values = (str(one.fields.get(name, "")).replace("\n", " ") for name in fields)
        cut = (value if len(value) <= PREVIEW_LETTERS else f"{value[:PREVIEW_LETTERS]}…" for value in values)
        table.add_row(str(one.row), *(escape(value) for value in cut))
    out.print(table)


def _show_reasons(reasons: Counter[Why], first: dict[Why, Reject]) -> None:
    table = Table("退回原因 why rejected", "行数 rows", "首见于行 first row", title="将退回", title_justify="left")
    for why, count in reasons.most_common():
        zh, en = first[why].zh, first[why].en
        table.add_row(escape(f"{why}：{zh} / {en}" if zh != en else f"{why}：{zh}"), str(count), str(first[why].row))
    out.print(table)


# --- the import -----------------------------------------------------------------------------------------------


async def _bring_in(settings: Settings, wanted: Wanted, pack: Pack, path: Path, rejects: Path | None) -> int:
    assert settings.database_url is not None, "connected_settings names the servers"
    assert settings.temporal_address is not None, "connected_settings names the servers"
    names = await _communities(settings)
    storage = database(
        settings.database_url.get_secret_value(),
        pool_size=min(settings.database_pool, wanted.parallel + 1),
        application_name="shangliang-import",
    )
    reject_file = Rejects(rejects or path.with_name(f"{path.name}.rejects.csv"))
    begun = time.monotonic()
    counts = Counts()
    try:
        with ExitStack() as stack:
            sheet = stack.enter_context(
                opened(path, encoding=wanted.encoding, sheet=wanted.sheet, cell_limit=wanted.cell_limit)
            )
            found = columns(sheet.header, wanted.maps)
            place = _placing(wanted, names, found)
            directory = Directory(storage)
            with answering():
                actor = (await directory.by_username([ACCOUNT])).get(ACCOUNT)
            if actor is None:
                fail(f"没有账号 {ACCOUNT}。", f"There is no account {ACCOUNT}.")
            client = await connect(settings.temporal_address, settings.temporal_namespace, settings.keys_for(PAYLOADS))
            seal_keys = settings.seal_keys
            seal = Seal(seal_keys, current=next(iter(seal_keys)))
            intake = Intake(
                actor=actor,
                source=wanted.source or _stem(path),
                door=Door(
                    PostgresReads(storage, Calendars(CalendarStore(storage)), seal),
                    directory,
                    seal,
                    {ISSUE.name: ISSUE},
                ),
                engine=Engine(client, Past(storage), newest(pack.pack), timeout=settings.request_timeout),
                storage=storage,
                pack=pack,
                parallel=wanted.parallel,
                patience=wanted.patience,
                counts=counts,
            )
            progress = stack.enter_context(_progress())
            bar = progress.add_task(path.name, total=sheet.size or None, rows=0)
            stack.enter_context(reject_file)
            await intake.take(
                _messages(sheet, found, place, wanted.limit),
                reject=reject_file.write,
                progress=lambda: progress.update(bar, completed=sheet.position, rows=counts.read),
            )
            progress.update(bar, completed=sheet.size, rows=counts.read)
    except ServiceAway as away:
        _show_counts(path, counts, time.monotonic() - begun, reject_file)
        fail(
            f"服务没有应答，导入中断；已登记 {counts.new} 件，重新执行同一命令即可继续，不会重复登记。",
            f"The service does not answer ({away}); {counts.new} went in. Run the same command again: nothing is "
            "registered twice.",
        )
    except Unreadable:
        if counts.read:
            _show_counts(path, counts, time.monotonic() - begun, reject_file)
        raise
    finally:
        await storage.dispose()
    _show_counts(path, counts, time.monotonic() - begun, reject_file)
    return SOME_REJECTED if counts.rejected else 0


async def _communities(settings: Settings) -> dict[str, str]:
    assert settings.database_url is not None, "connected_settings names the servers"
    storage = database(settings.database_url.get_secret_value(), pool_size=1, application_name="shangliang-import")
    try:
        with answering():
            async with storage.connect() as connection:
                return await community_names(connection)
    finally:
        await storage.dispose()


def _placing(wanted: Wanted, names: dict[str, str], found: Columns) -> Place:
    """How rows get their community; ends the command when there is no way at all."""
    known = {**{name: code for code, name in names.items()}, **{code: code for code in names}}
    spread = tuple(names) if wanted.spread == ALL else tuple(filter(None, (wanted.spread or "").split(",")))
    for code in (*spread, *filter(None, [wanted.community])):
        if code not in known:
            fail(f"没有社区 {code}。", f"There is no community {code}.", code=MISUSE)
    if wanted.spread is not None and not spread:
        fail("没有可分配的社区。", "There is no community to spread over.", code=MISUSE)
    if Target.COMMUNITY not in found and wanted.community is None and not spread:
        fail(
            "文件没有社区列：请用 --community 指定社区，或用 --spread 分到全部社区，或用 --map community=列名。",
            "The file has no column for the community: give --community, --spread, or --map community=column.",
            code=MISUSE,
        )
    fixed = known[wanted.community] if wanted.community is not None else None
    return placed(known, fixed=fixed, spread=[known[code] for code in spread])


def _messages(sheet: Sheet, found: Columns, place: Place, limit: int | None) -> Iterator[Message | Reject]:
    for row in islice(sheet.rows, limit):
        yield row if isinstance(row, Reject) else message(row, found, place, now())


def _stem(path: Path) -> str:
    name = path.name
    for suffix in (".gz", ".csv", ".txt", ".tsv", ".xlsx", ".xlsm"):
        name = name.removesuffix(suffix)
    return name


@dataclass(slots=True)
class Rejects:
    """The file of rejected rows; made at the first one, and an older one of ours is taken away."""

    path: Path
    _file: TextIO | None = field(default=None, init=False)
    _rows: int = field(default=0, init=False)

    def __enter__(self) -> "Rejects":
        if self.path.exists():
            with self.path.open(encoding="utf-8-sig", errors="replace") as before:
                ours = before.readline().strip() == ",".join(REJECT_HEADER)
            if not ours:
                fail(
                    f"{self.path} 已存在且不是退回文件，请用 --rejects 另指文件。",
                    f"{self.path} exists and is no rejects file; name another with --rejects.",
                    code=MISUSE,
                )
            self.path.unlink()
        if not os.access(self.path.parent, os.W_OK):
            fail(
                f"不能在 {self.path.parent} 写退回文件，请用 --rejects 另指位置。",
                f"The rejects file cannot be written in {self.path.parent}; name another place with --rejects.",
                code=MISUSE,
            )
        return self

    def __exit__(self, *ended: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, one: Reject) -> None:
        """Write one rejected row."""
        if self._file is None:
            # With a BOM, so that Excel shows the Chinese.
            self._file = self.path.open("w", encoding="utf-8-sig", newline="")
            csv.writer(self._file).writerow(REJECT_HEADER)
        self._rows += 1
        csv.writer(self._file).writerow(
            (one.row, one.line or "", *map(_harmless, (one.external_id, one.why.value, one.zh, one.en)))
        )
        self._file.flush()

    def __bool__(self) -> bool:
        return self._rows > 0


def _harmless(text: str) -> str:
    """No spreadsheet takes a cell for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]} 行 rows"),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    )


def _show_counts(path: Path, counts: Counts, seconds: float, rejects: Rejects) -> None:
    table = Table(show_header=False, title=escape(path.name), title_justify="left")
    table.add_row("读入 rows read", str(counts.read))
    table.add_row("新登记 new", str(counts.new))
    table.add_row("早已登记 already there", str(counts.already))
    table.add_row("退回 rejected", str(counts.rejected))
    table.add_row("速度 rate", f"{counts.new / seconds if seconds else 0:.1f} 件/秒 per second · {seconds:.1f} s")
    out.print(table)
    if rejects:
        out.print(f"退回行见 rejected rows are in {escape(str(rejects.path))}")
