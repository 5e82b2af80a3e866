"""`shangliang calendar`: show the calendar of working days, change a local day, load a published year."""

import tomllib
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from services.commands.connected import connected_settings
from services.commands.terminal import MISUSE, fail, out, run
from services.engine import Engine, connect, newest
from services.recomputing import recompute
from services.settings import Settings
from services.storage.calendar import clear_local_day, load_calendar, load_year, set_local_day
from services.storage.database import NoDatabaseError, answering, database
from services.storage.history import Past
from services.storage.keys import PAYLOADS
from services.storage.provisional import provisional_cases
from workflows.kernel.calendar import HostCalendar

EPILOG = (
    "例 Examples: shangliang calendar · shangliang calendar --rest 2026-12-31 --why 市庆 · "
    "shangliang calendar --load-year 2027.toml"
)
CLERK = "calendar-command"


def calendar(
    rest: Annotated[str | None, typer.Option(help="本地放假的日子。A day off here, YYYY-MM-DD.")] = None,
    work: Annotated[str | None, typer.Option(help="本地上班的日子。A working day here.")] = None,
    clear: Annotated[str | None, typer.Option(help="取消本地调整的日子。A local day to take back.")] = None,
    why: Annotated[str | None, typer.Option(help="理由,必填。The reason of a local day.")] = None,
    load_year: Annotated[
        Path | None,
        typer.Option(help="新公布年度的 TOML 文件(year, source, rest, make_up)。A newly published year."),
    ] = None,
) -> None:
    """查看工作日历;调整本地日子或装入新公布的年度,并重算暂定时限。

    Show the calendar of working days; set a local day or load a published year, and then recompute every clock whose
    due time was provisional. Breaches stay as they are. A year's file: year = 2027, source = "notice number",
    rest = {"2027-01-01" = "元旦"}, make_up = ["2027-02-20"].
    """
    given = [one for one in (rest, work, clear) if one is not None]
    if len(given) + (load_year is not None) > 1:
        fail("一次只改一处。", "One change at a time.", code=MISUSE)
    if (rest or work) and not why:
        fail("本地调整需要 --why 理由。", "A local day needs --why.", code=MISUSE)
    day = _day(given[0]) if given else None
    year = _year(load_year) if load_year else None
    settings = connected_settings()
    try:
        run(_change(settings, day, working=work is not None, clear=clear is not None, why=why or "", year=year))
    except NoDatabaseError as refused:
        fail("数据库没有应答。", f"The database does not answer: {refused}")
    except ValueError as wrong:
        fail(f"日历数据不可用:{wrong}", f"The calendar cannot be used: {wrong}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        fail(f"日期应为 YYYY-MM-DD:{text}", f"Not a date: {text}", code=MISUSE)


def _year(file: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        return {
            "year": int(content["year"]),
            "source": str(content["source"]),
            "rest": {date.fromisoformat(on): str(name) for on, name in content["rest"].items()},
            "make_up": [date.fromisoformat(on) for on in content.get("make_up", [])],
        }
    except (OSError, KeyError, ValueError, AttributeError) as wrong:
        fail(f"年度文件不可用:{file}:{wrong}", f"The year's file cannot be used: {file}: {wrong}", code=MISUSE)


async def _change(
    settings: Settings, day: date | None, *, working: bool, clear: bool, why: str, year: dict[str, Any] | None
) -> None:
    assert settings.database_url is not None
    storage = database(settings.database_url.get_secret_value(), application_name="shangliang-calendar")
    try:
        with answering():
            async with storage.begin() as connection:
                if day is not None and clear:
                    await clear_local_day(connection, day, CLERK)
                elif day is not None:
                    await set_local_day(connection, day, working, why, CLERK)
                if year is not None:
                    await load_year(connection, **year, by=CLERK)
                known = await load_calendar(connection)
                waiting = await provisional_cases(connection)
        _show(known)
        if waiting and (day is not None or year is not None):
            moved = await _recompute(settings, Past(storage), list(waiting))
            out.print(f"已重算 {moved} 件的暂定时限。Recomputed the provisional clocks of {moved} cases.")
    finally:
        await storage.dispose()


def _show(known: HostCalendar) -> None:
    table = Table(title=f"工作日历 Calendar · {known.edition}")
    for name in ("年度 year", "工作日 working", "休息日 rest", "暂定 provisional"):
        table.add_column(name, justify="right")
    years: Counter[tuple[int, str]] = Counter()
    for one in known.days.values():
        years[one.date.year, "working" if one.working else "rest"] += 1
        years[one.date.year, "provisional"] += one.provisional
    for number in sorted({found for found, _ in years}):
        table.add_row(str(number), *(str(years[number, kind]) for kind in ("working", "rest", "provisional")))
    out.print(table)


async def _recompute(settings: Settings, past: Past, cases: list[tuple[str, str]]) -> int:
    assert settings.temporal_address is not None
    client = await connect(settings.temporal_address, settings.temporal_namespace, settings.keys_for(PAYLOADS))
    return await recompute(Engine(client, past, newest(settings.policy), timeout=settings.request_timeout), cases)
