"""Keep the calendar of working days: national data, years published by hand, and days that a place decides itself.

Every function works in the caller's transaction. Each transaction that changes a day makes a new edition.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, delete, extract, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.storage.calendar_tables import calendar_day, calendar_edition
from services.storage.database import single_connection
from services.storage.national_calendar import national_days, national_edition
from services.storage.people import act_as
from workflows.kernel.calendar import SATURDAY, WEEKDAY_NAMES, Day, HostCalendar, whole_year

LOADER = "calendar-loader"
# A statement takes 32,767 values; a day has seven.
BATCH = 2_000
LONGEST_REASON = 60


async def bring_national(url: str) -> int:
    """Load the national calendar into the migrated database at `url`; gives the number of days that changed."""
    engine = single_connection(url, application_name="shangliang-calendar")
    try:
        async with engine.begin() as connection:
            return await load_national(connection)
    finally:
        await engine.dispose()


async def load_national(connection: AsyncConnection) -> int:
    """Write the national calendar of the library; local days stay. Gives the number of days that changed.

    Safe to repeat: without a change there is no new edition. Years the library does not have are left alone.
    """
    days = national_days()
    await act_as(connection, LOADER)
    return await _write(connection, days, source=national_edition())


async def load_year(
    connection: AsyncConnection, year: int, *, rest: Mapping[date, str], make_up: Iterable[date], source: str, by: str
) -> int:
    """Write a newly published year before the library has it: holidays with names, make-up working days.

    `source` is the number of the official notice. Gives the number of days that changed; raises `ValueError` for
    days of another year.
    """
    days = whole_year(year, rest=rest, make_up=make_up)
    await act_as(connection, by)
    return await _write(connection, days, source=source)


async def set_local_day(connection: AsyncConnection, on: date, working: bool, why: str, by: str) -> None:
    """Let a place work or rest on a day other than the nation does (地方调整); audited under `by`."""
    if not 0 < len(why.strip()) <= LONGEST_REASON:
        raise ValueError(f"a local day needs a reason of at most {LONGEST_REASON} letters")
    await act_as(connection, by)
    row = _row(Day(on, working, why.strip(), provisional=False), source=by) | {"local": True, "kind": "LOCAL"}
    await _upsert(connection, [row])


async def clear_local_day(connection: AsyncConnection, on: date, by: str) -> bool:
    """Take a local day back, so that the national calendar holds again; False when there was none."""
    await act_as(connection, by)
    gone = await connection.execute(
        delete(calendar_day).where(calendar_day.c.date == on, calendar_day.c.local).returning(calendar_day.c.date)
    )
    return gone.first() is not None


async def edition(connection: AsyncConnection) -> str:
    """Name of the calendar as it stands, e.g. `chinese-calendar 1.11.0 #3`; another name after every change."""
    sources = select(func.string_agg(calendar_day.c.source.distinct(), " + ")).where(~calendar_day.c.local)
    number = select(func.coalesce(func.max(calendar_edition.c.number), 0))
    row = (await connection.execute(select(sources.scalar_subquery(), number.scalar_subquery()))).one()
    return f"{row[0] or 'weekdays'} #{row[1]}"


async def load_calendar(connection: AsyncConnection) -> HostCalendar:
    """The whole calendar, local days before national ones, to be kept in memory by the caller."""
    # The name first: a change in between then shows as a newer edition and is loaded next time.
    name = await edition(connection)
    rows = await connection.execute(
        select(calendar_day.c.date, calendar_day.c.is_working, calendar_day.c.why, calendar_day.c.provisional).order_by(
            calendar_day.c.date, calendar_day.c.local
        )
    )
    return HostCalendar(name, {row.date: Day(row.date, row.is_working, row.why, row.provisional) for row in rows})


async def days_between(connection: AsyncConnection, first: date, last: date) -> Sequence[RowMapping]:
    """Every day that is written down, with whether it is a place's own; a local row stands behind the national one."""
    wanted = select(calendar_day).where(calendar_day.c.date.between(first, last))
    rows = await connection.execute(wanted.order_by(calendar_day.c.date, calendar_day.c.local))
    return rows.mappings().all()


async def known_years(connection: AsyncConnection) -> list[int]:
    """Years of which days are written down."""
    year = extract("year", calendar_day.c.date)
    return [int(one) for one in (await connection.scalars(select(year).distinct().order_by(year))).all()]


class CalendarStore:
    """Give activities the calendar without showing them the database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def edition(self) -> str:
        """Name of the calendar as it stands."""
        async with self._engine.connect() as connection:
            return await edition(connection)

    async def load(self) -> HostCalendar:
        """The whole calendar."""
        async with self._engine.connect() as connection:
            return await load_calendar(connection)


async def _write(connection: AsyncConnection, days: Mapping[date, Day], *, source: str) -> int:
    wanted = {day.date: _row(day, source=source) for day in days.values()}
    table = calendar_day.c
    found = await connection.execute(select(*table).where(~table.local, table.date.between(min(wanted), max(wanted))))
    present = {row.date: dict(row._mapping) for row in found}
    changed = [row for on, row in wanted.items() if present.get(on) != row]
    for start in range(0, len(changed), BATCH):
        await _upsert(connection, changed[start : start + BATCH])
    return len(changed)


async def _upsert(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    given = insert(calendar_day).values(rows)
    await connection.execute(
        given.on_conflict_do_update(
            index_elements=[calendar_day.c.date, calendar_day.c.local],
            set_={name: given.excluded[name] for name in ("is_working", "kind", "why", "source", "provisional")},
        )
    )


def _row(day: Day, *, source: str) -> dict[str, Any]:
    made_up = day.working and day.date.weekday() >= SATURDAY
    rests = not day.working and day.why not in WEEKDAY_NAMES
    return {
        "date": day.date,
        "local": False,
        "is_working": day.working,
        "kind": "MAKEUP" if made_up else "HOLIDAY" if rests else "NORMAL",
        "why": day.why,
        "source": source,
        "provisional": day.provisional,
    }
