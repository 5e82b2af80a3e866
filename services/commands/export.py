"""`shangliang export`: every case of a process as a CSV file or a spreadsheet, straight from the database."""

import csv
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from openpyxl import Workbook
from rich.progress import Progress, SpinnerColumn, TextColumn

from services.commands.lookup import color_named, database_url, day, no_such_place, process_named
from services.commands.terminal import MISUSE, err, fail, out, run
from services.storage.cases import Filters
from services.storage.database import NoDatabaseError
from services.storage.exporting import COLUMNS, WORDS, every_case, knows_place, reading

EPILOG = (
    "例 Examples: shangliang export issues.xlsx · shangliang export red.csv --color RED --community 620199001001 · "
    "shangliang export all.csv --with-texts"
)
# A cell that begins so is a formula for spreadsheet programs; what people wrote must never be run.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
LONGEST_CELL = 32_767
MOST_ROWS = 1_048_575

Line = Sequence[Any]
Write = Callable[[Line], None]


class TooManyRows(Exception):
    """A spreadsheet holds about a million rows and no more."""


def export(
    file: Annotated[Path, typer.Argument(help="目标文件 .csv 或 .xlsx。The file to write.")],
    process: Annotated[str, typer.Option(help="流程。Process.")] = "issues",
    state: Annotated[str | None, typer.Option(help="状态。State.")] = None,
    step: Annotated[str | None, typer.Option(help="步骤。Step.")] = None,
    community: Annotated[str | None, typer.Option(help="社区或其他区划代码。Region code.")] = None,
    level: Annotated[str | None, typer.Option(help="层级 L0–L4。Level.")] = None,
    color: Annotated[str | None, typer.Option(help="RED, YELLOW, BLUE")] = None,
    lead_org: Annotated[str | None, typer.Option(help="牵头单位代码。Responsible organisation.")] = None,
    category: Annotated[str | None, typer.Option(help="类别代码。Category.")] = None,
    month: Annotated[str | None, typer.Option(help="月份 2026-03。Month.")] = None,
    since: Annotated[str | None, typer.Option(help="登记不早于。Opened on or after.")] = None,
    until: Annotated[str | None, typer.Option(help="登记不晚于。Opened on or before.")] = None,
    with_texts: Annotated[
        bool, typer.Option("--with-texts", help="含标题和内容(个人信息)。With what people wrote: personal data.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="覆盖已有文件。Write over a file that is there.")] = False,
) -> None:
    """导出事项清单;默认不含任何个人信息。Write a list of cases to a file; by default without personal data."""
    kinds: dict[str, Callable[[Path], AbstractContextManager[Write]]] = {".csv": _csv, ".xlsx": _xlsx}
    opener = kinds.get(file.suffix.lower())
    if opener is None:
        fail("文件名应以 .csv 或 .xlsx 结尾。", "The file's name must end in .csv or .xlsx.", code=MISUSE)
    if file.exists() and not force:
        fail(f"{file} 已存在,加 --force 覆盖。", f"{file} is there already; --force writes over it.", code=MISUSE)
    filters = Filters(
        state=state,
        step=step,
        community_id=community,
        level=level,
        color=color_named(color),
        lead_org=lead_org,
        category_code=category,
        month=month,
        created_from=day(since),
        created_to=day(until),
    )
    kind = process_named(process).name
    # Under another name until it is whole, so that nobody takes half a list for all of it.
    draft = file.with_name(f".{file.name}.part")
    try:
        with opener(draft) as write:
            count = run(_write(database_url(), kind, filters, write, words=with_texts))
        draft.replace(file)
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")
    except TooManyRows:
        fail(f"超过 {MOST_ROWS} 行,请改用 .csv。", f"More than {MOST_ROWS} rows: write a .csv instead.")
    except OSError as refused:
        fail(f"无法写入 {file}。", f"{file} cannot be written: {refused.strerror}")
    finally:
        draft.unlink(missing_ok=True)
    out.print(f"{file}:{count} 行 rows", markup=False)
    if with_texts:
        err.print("注意:文件含个人信息,请妥善保管。The file holds personal data; keep it safe.")


async def _write(url: str, process: str, filters: Filters, write: Write, *, words: bool) -> int:
    columns = (*COLUMNS, *WORDS) if words else COLUMNS
    write([heading for heading, _ in columns])
    count = 0
    with Progress(SpinnerColumn(), TextColumn("{task.completed}"), console=err, transient=True) as progress:
        bar = progress.add_task("", total=None)
        async with reading(url, application_name="shangliang-export") as connection:
            if filters.community_id and not await knows_place(connection, filters.community_id):
                no_such_place(filters.community_id)
            async for row in every_case(connection, process, filters, words=words):
                write([_cell(value) for value in row.values])
                count += 1
                progress.advance(bar)
    return count


def _cell(value: str | int | datetime | None) -> str | int:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return "" if value is None else value


@contextmanager
def _csv(path: Path) -> Any:
    # With a mark at the front, or the common spreadsheet program shows Chinese as rubbish.
    with path.open("w", encoding="utf-8-sig", newline="") as opened:
        yield csv.writer(opened).writerow


@contextmanager
def _xlsx(path: Path) -> Any:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("事项")
    count = 0

    def write(line: Line) -> None:
        nonlocal count
        count += 1
        if count > MOST_ROWS:
            raise TooManyRows
        sheet.append([_fits(value) for value in line])

    yield write
    book.save(path)


def _fits(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # Letters that the format cannot hold, and no more than a cell takes.
    return "".join(letter for letter in value if letter >= " " or letter in "\t\n")[:LONGEST_CELL]
