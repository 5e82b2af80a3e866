"""What rules must know of the county's lists and of what is admitted (清单与准入核查)."""

from dataclasses import asdict
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.coverage import coverage
from services.storage.lists import Found, in_force, search
from services.storage.prose import said, texts_of
from workflows.kernel.calendar import local
from workflows.kernel.process import Asked

COUNTY_DIGITS = 6
CHECKED = ("LIST_A", "LIST_B", "NEGATIVE")
TWO_LISTS = ("LIST_A", "LIST_B")
MOST_HITS = 10
FITS = 0.9
"""Likeness from which an entry has the words of the item or holds them (see `lists.SEARCH`)."""


async def words_of(connection: AsyncConnection, asked: Asked, field: str) -> str:
    """What a field of the question, or else of the case that asks, says in clear words."""
    value = asked.about.get(field) or getattr(asked.case.data if asked.case else None, field, "") or ""
    cases = [asked.case.id] if asked.case else []
    return said(value, await texts_of(connection, cases, [value])) if value else ""


async def lists_in_force(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """The county's entries that an item fits, in the lists in force today, the most alike first.

    `{version, versions: {LIST_A: n, …}, hits: [{list_type, version, item_code, name, funding_note, legal_basis,
    likeness}], near: […]}`; `version` is that of the two lists, 0 where there is none. A hit has the words of the
    item, or holds them; what is only near is for somebody to look at. The county is the question's, or the case's.
    """
    data = asked.case.data if asked.case else None
    county = str(asked.about.get("county") or getattr(data, "county", "") or (asked.case.county if asked.case else ""))
    lists = await in_force(connection, county[:COUNTY_DIGITS], local(asked.now).date())
    checked = [one for kind, one in lists.items() if kind in CHECKED]
    hits = await search(connection, checked, await words_of(connection, asked, "item_name"), MOST_HITS)
    return {
        "version": max((one.version for kind, one in lists.items() if kind in TWO_LISTS), default=0),
        "versions": {kind: one.version for kind, one in lists.items()},
        "hits": [_hit(one) for one in hits if one.likeness >= FITS],
        "near": [_hit(one) for one in hits if one.likeness < FITS],
    }


def _hit(one: Found) -> dict[str, Any]:
    entry = asdict(one.entry)
    return {
        "list_type": one.list_type,
        "version": one.version,
        **{name: entry[name] for name in ("item_code", "name", "funding_note", "legal_basis")},
        "likeness": one.likeness,
    }


async def coverage_check(connection: AsyncConnection, asked: Asked) -> dict[str, Any]:
    """Whether an incoming task is on a list or has a permit here today; see `Coverage`, with the lists' versions."""
    assert asked.case is not None
    today = local(asked.now).date()
    department = str(getattr(asked.case.data, "department", "")) or None
    words = await words_of(connection, asked, "text")
    found = (await coverage(connection, asked.case.community, [words], today, department=department))[0]
    lists = await in_force(connection, asked.case.county, today)
    versions = {kind: one.version for kind, one in lists.items() if kind in CHECKED}
    answer = asdict(found)
    return {**answer, "versions": versions}


QUESTIONS = {"lists_in_force": lists_in_force, "coverage_check": coverage_check}
