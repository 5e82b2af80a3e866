"""One case, and lists of cases with filters, newest first: what the caller may know of, in clear words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    RowMapping,
    Select,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    or_,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.cursors import cursor, order_of
from services.storage.history import live_clocks, standing
from services.storage.ledger_tables import case_file, prose
from services.storage.prose import texts_of
from services.storage.sight import branches, sight, single_sight, within
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor, Case, Process

LARGEST_PAGE = 200
KIND = "cases"
OLDEST_KIND = "cases, oldest first"
NEWEST = (case_file.c.opened_at.desc(), case_file.c.id.desc())
OLDEST = (case_file.c.opened_at, case_file.c.id)
UUID_LETTERS = 36


@dataclass(frozen=True, slots=True)
class Known:
    """A case as it stands now (事项), with what its row says besides."""

    case: Case[Any]
    color: str
    next_due_at: datetime | None
    texts: Mapping[str, Any] | None = None
    """Clear values of all its references, where they were read along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a list of cases is narrowed by; None narrows nothing.

    `month` is the month of the 问题清单 where the case has one, else the month in which it was opened; `state` may
    name a phase too, `CLOSED:RESOLVED`; `community_id` may be any region code; dates are whole days of Beijing.
    `open` is whether it still runs; `oldest` turns the order round.
    """

    state: str | None = None
    open: bool | None = None
    oldest: bool = False
    step: str | None = None
    community_id: str | None = None
    level: str | None = None
    color: str | None = None
    lead_org: str | None = None
    category_code: str | None = None
    month: str | None = None
    q: str | None = None
    created_from: date | datetime | None = None
    created_to: date | datetime | None = None


class Narrowing(Protocol):
    """Anything with the attributes of `Filters`."""

    @property
    def state(self) -> str | None: ...

    @property
    def open(self) -> bool | None: ...

    @property
    def oldest(self) -> bool: ...

    @property
    def step(self) -> str | None: ...

    @property
    def community_id(self) -> str | None: ...

    @property
    def level(self) -> str | None: ...

    @property
    def color(self) -> str | None: ...

    @property
    def lead_org(self) -> str | None: ...

    @property
    def category_code(self) -> str | None: ...

    @property
    def month(self) -> str | None: ...

    @property
    def q(self) -> str | None: ...

    @property
    def created_from(self) -> date | datetime | None: ...

    @property
    def created_to(self) -> date | datetime | None: ...


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list: cases without their clocks, the clear texts of all of them, and where the rest begins."""

    items: Sequence[Known]
    texts: Mapping[str, Any] = field(default_factory=dict)
    next_cursor: str | None = None


async def known(connection: AsyncConnection, actor: Actor, process: Process[Any], key: str) -> Known | None:
    """The case with this id or number; None when there is none or this person may not know of it."""
    column, wanted = _key(key)
    rows = await connection.execute(_seen_by(actor, column.name), {"of": process.name, "wanted": wanted})
    return _known(process, rows.mappings().first())


async def found(connection: AsyncConnection, process: Process[Any], key: str | UUID) -> Known | None:
    """The case with this id or number, whoever asks."""
    column: Column[Any]
    wanted: UUID | str
    try:
        column, wanted = case_file.c.id, UUID(str(key))
    except ValueError:
        column, wanted = case_file.c.number, str(key)
    rows = await connection.execute(_whole(column.name), {"of": process.name, "wanted": wanted})
    return _known(process, rows.mappings().first())


async def cases(
    connection: AsyncConnection,
    actor: Actor,
    process: Process[Any],
    filters: Filters | Narrowing,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """Part of the list, newest first unless asked otherwise; raises `CursorInvalid` for a cursor of another list."""
    limit = max(1, min(limit, LARGEST_PAGE))
    kind, order = (OLDEST_KIND, OLDEST) if filters.oldest else (KIND, NEWEST)
    narrowed = [case_file.c.process == process.name, *conditions(filters, wide=process.wide)]
    if after is not None:
        here, there = tuple_(case_file.c.opened_at, case_file.c.id), order_of(kind, after, (datetime, UUID))
        narrowed.append(here > there if filters.oldest else here < there)
    # A branch for each way of knowing of a case: each walks its own index and stops when the page is full.
    wanted = union_all(
        *(
            select(case_file.c.id, case_file.c.opened_at).where(*narrowed, branch).order_by(*order).limit(limit + 1)
            for branch in branches(actor, wide=process.wide)
        )
    ).subquery()
    first = (wanted.c.opened_at, wanted.c.id) if filters.oldest else (wanted.c.opened_at.desc(), wanted.c.id.desc())
    # Chosen before their rows are read: else the plan may walk through the whole list to find so few of it.
    chosen = select(wanted).distinct().order_by(*first).limit(limit + 1).cte("chosen").prefix_with("MATERIALIZED")
    rows = await connection.execute(select(case_file).join(chosen, chosen.c.id == case_file.c.id).order_by(*order))
    listed = rows.mappings().all()
    items = [Known(standing(process, row), row["color"], _china(row["next_due_at"])) for row in listed[:limit]]
    texts = await texts_of(
        connection, [one.case.id for one in items], [(one.case.title, one.case.data) for one in items]
    )
    last = listed[limit - 1] if len(listed) > limit else None
    return Page(items, texts, cursor(kind, (last["opened_at"], last["id"])) if last is not None else None)


async def similar(
    connection: AsyncConnection, actor: Actor, process: Process[Any], community: str, words: str
) -> tuple[Sequence[tuple[Known, float]], Mapping[str, Any]]:
    """Running cases of a community that say much the same, with the share of these words that they hold; best first.

    Only what this person may know of, and the clear texts of all of them.
    """
    alike = func.cases_alike(process.name, community, words).table_valued("id", "likeness").alias("alike")
    rows = await connection.execute(
        select(case_file, alike.c.likeness)
        .join(alike, alike.c.id == case_file.c.id)
        .where(sight(actor, process.name))
        .order_by(alike.c.likeness.desc(), *NEWEST)
    )
    listed = rows.mappings().all()
    items = [
        (Known(standing(process, row), row["color"], _china(row["next_due_at"])), row["likeness"]) for row in listed
    ]
    texts = await texts_of(
        connection, [one.case.id for one, _ in items], [(one.case.title, one.case.data) for one, _ in items]
    )
    return items, texts


@lru_cache(maxsize=512)
def _seen_by(actor: Actor, column: str) -> Select[Any]:
    """The same for what this person may open; the same people ask again and again."""
    return _whole(column).where(single_sight(actor))


@cache
def _whole(column: str) -> Select[Any]:
    """A case by its id or number with its live clocks and its texts, in one statement that is put together once."""
    texts = (
        select(func.coalesce(func.jsonb_object_agg(prose.c.ref, prose.c.value), text("'{}'::jsonb")))
        .where(prose.c.case_id == case_file.c.id)
        .scalar_subquery()
        .label("texts")
    )
    return select(case_file, live_clocks(), texts).where(
        case_file.c.process == bindparam("of"), case_file.c[column] == bindparam("wanted")
    )


def _known(process: Process[Any], row: RowMapping | None) -> Known | None:
    if row is None:
        return None
    return Known(standing(process, row), row["color"], _china(row["next_due_at"]), row["texts"])


def _key(key: str) -> tuple[Column[Any], UUID | str]:
    """The column that a key of a case belongs to, and its value there."""
    if len(key) == UUID_LETTERS:
        try:
            return case_file.c.id, UUID(key)
        except ValueError:
            pass
    return case_file.c.number, key


def conditions(filters: Filters | Narrowing, *, wide: bool = False) -> list[ColumnElement[bool]]:
    """What a list is narrowed to; `wide`: also to cases that lie above a community and concern it."""
    table = case_file.c
    found: list[ColumnElement[bool]] = []
    if filters.state:
        state, _, phase = filters.state.partition(":")
        found.append(table.state == state)
        if phase:
            found.append(table.phase == phase)
    if filters.open is not None:
        found.append(table.closed_at.is_(None) if filters.open else table.closed_at.is_not(None))
    for column, wanted in (
        (table.step, filters.step),
        (table.level, filters.level),
        (table.color, filters.color),
        (table.lead_org, filters.lead_org),
        (table.category_code, filters.category_code),
    ):
        if wanted:
            found.append(column == wanted)
    if filters.community_id:
        lies = within(case_file, filters.community_id)
        found.append(or_(lies, _concerns(filters.community_id)) if wide else lies)
    if filters.month:
        opened = func.to_char(func.timezone("Asia/Shanghai", table.opened_at), "YYYY-MM")
        found.append(func.coalesce(table.problem_month, opened) == filters.month)
    if filters.created_from is not None:
        found.append(table.opened_at >= _start(filters.created_from))
    if filters.created_to is not None:
        moment = filters.created_to
        end = moment if isinstance(moment, datetime) else _start(moment + timedelta(days=1))
        found.append(table.opened_at <= end if isinstance(moment, datetime) else table.opened_at < end)
    if filters.q and filters.q.strip():
        found.append(_says(filters.q.strip()))
    return found


def _concerns(place: str) -> ColumnElement[bool]:
    return case_file.c.places.contains(cast([place], ARRAY(Text)))


def _says(words: str) -> ColumnElement[bool]:
    """Title or description, as they are now, contain these words; or the number is these words."""
    # The function goes by its own right: behind the wall of row-level security no index on words can be used.
    hits = select(func.cases_that_say(words, type_=Uuid).column_valued("hit").label("id"))
    other = case_file.alias()
    numbered = select(other.c.id).where(other.c.number == words)
    # Looked for once, however many branches ask.
    spoken = union_all(hits, numbered).cte("spoken")
    return case_file.c.id.in_(select(spoken.c.id))


def _start(moment: date | datetime) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time(0), CHINA)


def _china(moment: datetime | None) -> datetime | None:
    return moment.astimezone(CHINA) if moment else None
