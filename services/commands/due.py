"""`shangliang due`: the deadline calculator, without any server."""

import json
from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.table import Table

from services.commands.connected import given_settings
from services.commands.terminal import MISUSE, fail, out
from services.storage.national_calendar import national_calendar
from workflows.kernel.calendar import CHINA, MIDNIGHT, Due, Duration, HostCalendar, Unit, day_that_ends, due, local
from workflows.policy.packs import PackNotHere, load

EPILOG = (
    "例 Examples: shangliang due --start '2026-03-09 10:00' --value 7 --unit working_days · "
    "shangliang due --start 2026-05-28 --value 3 --unit calendar_days --roll · "
    "shangliang due --unit date --on 2026-04-03 --json"
)


def due_at(
    unit: Annotated[Unit, typer.Option(help="时限单位。What is counted.")],
    value: Annotated[float | None, typer.Option(help="多少。How many.")] = None,
    start: Annotated[
        str | None,
        typer.Option(help="起算时刻,默认现在;不写时区即北京时间。Start, default now; Beijing time without an offset."),
    ] = None,
    roll: Annotated[
        bool, typer.Option("--roll", help="末日为休息日的顺延。Roll to the next working day (calendar_days).")
    ] = False,
    after_end: Annotated[
        bool, typer.Option("--after-end", help="由另一时限 24:00 届满起算。Started by an end at 24:00.")
    ] = False,
    on: Annotated[str | None, typer.Option(help="到期日,仅用于 date。The day, for unit date.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")] = False,
) -> None:
    """计算到期时间:节假日、调休、顺延都算在内。Say when a deadline ends, and which days it did not count.

    用程序自带的全国日历,不需要运行中的服务;地方调整的日子不在其中。
    From the national calendar that ships with the program, without a service; local days are not in it.
    """
    if unit is not Unit.DATE and value is None:
        fail("缺少 --value。", "--value is missing.", code=MISUSE)
    if unit is Unit.DATE and value is not None:
        fail("单位 date 用 --on,不用 --value。", "Unit date takes --on, not --value.", code=MISUSE)
    try:
        begun = _moment(start)
        duration = Duration(value or 0, unit, roll=roll, on=date.fromisoformat(on) if on is not None else None)
        calendar = _calendar()
        found = due(begun, duration, calendar, after_end=after_end)
    except ValueError as refused:
        fail("无法计算,请检查各项参数。", f"Cannot be counted: {refused}", code=MISUSE)
    if as_json:
        typer.echo(json.dumps(_written(found, calendar.edition), ensure_ascii=False))
    else:
        _show(begun, found, calendar.edition)


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC).astimezone(CHINA).replace(microsecond=0)
    given = datetime.fromisoformat(text)
    return given.replace(tzinfo=CHINA) if given.utcoffset() is None else local(given)


def _calendar() -> HostCalendar:
    """The national calendar with the business hours of the policy pack that new cases take."""
    name = given_settings().policy
    try:
        pack = load(name)
    except PackNotHere as refused:
        fail(f"没有政策包 {name}。", str(refused), code=MISUSE)
    hours = (pack.text(f"calendar.business_{end}") for end in ("open", "close"))
    opened, closed = (datetime.strptime(text, "%H:%M").time() for text in hours)  # noqa: DTZ007 - a time of day
    return national_calendar().with_hours(opened, closed)


def _written(found: Due, edition: str) -> dict[str, object]:
    """The fields of `GET /due`."""
    return {
        "due_at": found.at.isoformat(),
        "provisional": found.provisional,
        "calendar_edition": edition,
        "days_skipped": [{"date": day.date.isoformat(), "why": day.why} for day in found.skipped],
    }


def _show(begun: datetime, found: Due, edition: str) -> None:
    table = Table(show_header=False, box=None)
    table.add_row("起算 start", f"{begun:%Y-%m-%d %H:%M}")
    table.add_row("到期 due", f"[bold]{_said(found.at)}[/]")
    table.add_row(
        "暂定 provisional", "是:该年日历尚未公布 yes: that year is not published yet" if found.provisional else "否 no"
    )
    table.add_row("日历 calendar", edition)
    skipped = "\n".join(f"{day.date} {day.why}" for day in found.skipped)
    table.add_row("跳过 skipped", skipped or "无 none")
    out.print(table)


def _said(moment: datetime) -> str:
    """A moment as notices write it: the end of a day is its 24:00."""
    if moment.time() == MIDNIGHT:
        return f"{day_that_ends(moment)} 24:00"
    return f"{moment:%Y-%m-%d %H:%M}" + (f":{moment:%S}" if moment.second else "")
