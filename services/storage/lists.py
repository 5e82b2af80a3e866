"""The county's lists (清单) as versions: publish one, find what is in it, compare two, and ask what is allowed today.

Lists are made by the county (seed 004 §二(三)1): 两项清单 `LIST_A` and `LIST_B`, 负面清单 `NEGATIVE`, 证明清单
`CERTIFICATE`, 不应出具证明清单 `CERTIFICATE_NEGATIVE`, 印章使用清单 `SEAL_USE`. On a day that version is in force
whose `effective_from` is the last one not after it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ids import uuid7
from services.storage.list_tables import duty_item, duty_list
from services.storage.people import act_as

FIELDS = ("item_code", "name", "legal_basis", "lead_department", "funding_note")
NEAR = 0.34
"""Least likeness of words that are near: a third of their pairs of letters are the same."""

# Likeness is Dice's: twice the pairs of letters that two texts share, by all they have. Words that stand in an entry
# as they are count for more than any near ones; an entry of exactly these words counts most.
SEARCH = text("""
WITH asked AS (SELECT item_words(:words) AS words, bigrams(item_words(:words)) AS grams)
SELECT list_id, item_code, name, legal_basis, lead_department, funding_note,
       CASE WHEN item.words = asked.words THEN 1 WHEN held THEN greatest(dice, 0.9) ELSE dice END AS likeness
  FROM asked, duty_item AS item,
       LATERAL (SELECT strpos(item.words, asked.words) > 0 AS held) AS holding,
       LATERAL (SELECT 2.0 * count(*) / greatest(cardinality(item.grams) + cardinality(asked.grams), 1) AS dice
                  FROM unnest(item.grams) AS pair WHERE pair = ANY (asked.grams)) AS likeness
 WHERE item.list_id = ANY (:lists) AND asked.words <> '' AND (held OR dice >= :near)
 ORDER BY likeness DESC, item_code
 LIMIT :limit
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a list (清单事项)."""

    item_code: str
    name: str
    legal_basis: str = ""
    lead_department: str = ""
    funding_note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of a list (清单版本); `until` is the last day on which it is in force, None while no other follows."""

    id: UUID
    county: str
    list_type: str
    version: int
    effective_from: date
    until: date | None
    source: str
    published_at: datetime
    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An entry that a search found, with its likeness to what was asked, 0 to 1."""

    list_type: str
    version: int
    entry: Entry
    likeness: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one version says otherwise than another (清单比对); `changed` holds entries before and after."""

    added: tuple[Entry, ...]
    removed: tuple[Entry, ...]
    changed: tuple[tuple[Entry, Entry], ...]


class NotPublishable(ValueError):
    """A version that may not be published: `EFFECTIVE_IN_PAST`, `EFFECTIVE_BEFORE_LAST`, `SAME_AS_LAST`."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(code)
        self.code, self.details = code, details


# --- versions ----------------------------------------------------------------------------------------------


def _versions() -> Select[Any]:
    following = func.lead(duty_list.c.effective_from).over(
        partition_by=(duty_list.c.county, duty_list.c.list_type), order_by=duty_list.c.version
    )
    counted = select(func.count()).where(duty_item.c.list_id == duty_list.c.id).scalar_subquery()
    return select(duty_list, (following - 1).label("until"), counted.label("items"))


async def versions(connection: AsyncConnection, county: str, list_type: str | None = None) -> list[Version]:
    """Every version of a county's lists, newest first within each list."""
    wanted = _versions().where(duty_list.c.county == county)
    if list_type is not None:
        wanted = wanted.where(duty_list.c.list_type == list_type)
    rows = await connection.execute(wanted.order_by(duty_list.c.list_type, duty_list.c.version.desc()))
    return [_version(row) for row in rows.mappings()]


async def version_of(
    connection: AsyncConnection, county: str, list_type: str, *, number: int | None = None, on: date | None = None
) -> Version | None:
    """One version of a list by its number, or the one in force on a day."""
    for one in await versions(connection, county, list_type):
        if one.version == number or (number is None and on is not None and one.effective_from <= on):
            return one
    return None


async def in_force(connection: AsyncConnection, county: str, on: date) -> dict[str, Version]:
    """The versions in force in a county on a day, by kind of list."""
    found: dict[str, Version] = {}
    for one in await versions(connection, county):
        if one.effective_from <= on:
            found.setdefault(one.list_type, one)
    return found


async def in_force_everywhere(connection: AsyncConnection, on: date) -> dict[str, dict[str, Version]]:
    """The same for every county that has lists, by its code."""
    wanted = _versions().order_by(duty_list.c.county, duty_list.c.list_type, duty_list.c.version.desc())
    found: dict[str, dict[str, Version]] = {}
    for row in (await connection.execute(wanted)).mappings():
        one = _version(row)
        if one.effective_from <= on:
            found.setdefault(one.county, {}).setdefault(one.list_type, one)
    return found


def _version(row: RowMapping) -> Version:
    names = ("id", "county", "list_type", "version", "effective_from", "until", "source", "published_at", "items")
    return Version(**{name: row[name] for name in names})


async def publish(
    connection: AsyncConnection,
    *,
    county: str,
    list_type: str,
    entries: Sequence[Entry],
    effective_from: date,
    source: str,
    by: str,
    today: date,
) -> Version:
    """Write the next version of a list, all of it or nothing; raises `NotPublishable`.

    The past is not rewritten: only the first version of a list may begin before today.
    """
    await act_as(connection, by)
    # One publisher of a list at a time, so that its versions count without a gap.
    lock = select(func.pg_advisory_xact_lock(func.hashtextextended(f"duty_list/{county}/{list_type}", 0)))
    await connection.execute(lock)
    last = next(iter(await versions(connection, county, list_type)), None)
    if last is not None:
        if effective_from < today:
            raise NotPublishable("EFFECTIVE_IN_PAST", today=today.isoformat())
        if effective_from <= last.effective_from:
            raise NotPublishable("EFFECTIVE_BEFORE_LAST", last=last.effective_from.isoformat())
        if set(await entries_of(connection, last.id)) == set(entries):
            raise NotPublishable("SAME_AS_LAST", version=last.version)
    return await _write(
        connection, county, list_type, (last.version if last else 0) + 1, entries, effective_from, source, by
    )


async def _write(
    connection: AsyncConnection,
    county: str,
    list_type: str,
    number: int,
    entries: Sequence[Entry],
    effective_from: date,
    source: str,
    by: str,
) -> Version:
    list_id = uuid7()
    row = {"id": list_id, "county": county, "list_type": list_type, "version": number}
    await connection.execute(
        insert(duty_list).values(**row, effective_from=effective_from, source=source, published_by=by)
    )
    values = [{"list_id": list_id, **{name: getattr(entry, name) for name in FIELDS}} for entry in entries]
    if values:
        await connection.execute(insert(duty_item), values)
    found = await version_of(connection, county, list_type, number=number)
    assert found is not None
    return found


# --- entries -----------------------------------------------------------------------------------------------


def _entry(row: RowMapping) -> Entry:
    return Entry(**{name: row[name] for name in FIELDS})


async def entries_of(connection: AsyncConnection, list_id: UUID) -> list[Entry]:
    """Every entry of a version, by code."""
    columns = [duty_item.c[name] for name in FIELDS]
    rows = await connection.execute(
        select(*columns).where(duty_item.c.list_id == list_id).order_by(duty_item.c.item_code)
    )
    return [_entry(row) for row in rows.mappings()]


async def search(connection: AsyncConnection, lists: Iterable[Version], words: str, limit: int = 50) -> list[Found]:
    """Entries that hold the words, or are near to them, in these versions; the most alike first."""
    by_id = {one.id: one for one in lists}
    asked = {"lists": list(by_id), "words": words, "near": NEAR, "limit": limit}
    rows = await connection.execute(SEARCH, asked)
    return [
        Found(
            list_type=by_id[row["list_id"]].list_type,
            version=by_id[row["list_id"]].version,
            entry=_entry(row),
            likeness=round(float(row["likeness"]), 2),
        )
        for row in rows.mappings()
    ]


async def compare(connection: AsyncConnection, before: Version, after: Version) -> Comparison:
    """What the second version says otherwise than the first; entries are the same when their codes are."""
    old = {one.item_code: one for one in await entries_of(connection, before.id)}
    return compared(old.values(), await entries_of(connection, after.id))


def compared(before: Iterable[Entry], after: Iterable[Entry]) -> Comparison:
    """The same of entries that need not be stored yet (预览)."""
    old, new = ({one.item_code: one for one in entries} for entries in (before, after))
    return Comparison(
        added=tuple(new[code] for code in new if code not in old),
        removed=tuple(old[code] for code in old if code not in new),
        changed=tuple((old[code], new[code]) for code in new if code in old and old[code] != new[code]),
    )
