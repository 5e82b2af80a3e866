"""Write one turn of a case: stamp its clocks from the calendar, open its sealed texts, call `record` once."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, time
from functools import lru_cache
from typing import Any

import asyncpg
from pydantic_core import from_json, to_json, to_jsonable_python
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.calendar import Calendars
from activities.conflicts import Conflict
from services.storage.contacts import closed
from services.storage.incidents import note
from services.storage.numbers import scope
from services.storage.sealing import Seal, SealBroken
from workflows.kernel.calendar import HostCalendar
from workflows.kernel.clocks import Stamp
from workflows.kernel.process import SYSTEM
from workflows.kernel.stamping import Rungs, answer
from workflows.kernel.wire import Json, Recorded, Transaction
from workflows.policy.pack import Pack
from workflows.policy.packs import PackNotHere, pinned

CONFLICT = "SL001"
TURN_MISSING = "SL002"
RECORD = "SELECT record($1::text::jsonb)::text"
# Editions may follow each other while somebody edits the calendar; more tries than this are somebody's loop.
CALENDAR_TRIES = 3

REFERENCE = re.compile(r"(?:text|contact):[0-9a-f]{16}")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
REFUSED_TELL = "effect_refused"
# City, county, subdistrict, community: whoever works for one of them knows of what concerns a place in it.
PLACE_DIGITS = (4, 6, 9, 12)
FACETS: Mapping[str, Any] = {
    "lead_org": None,
    "category_code": None,
    "agenda_body": None,
    "agenda_reason": None,
    "agenda_since": None,
    "agenda_first": False,
    "red": False,
    "problem_month": None,
    "closure_code": None,
    "submitted_by": None,
    "reporter_id": None,
    "transfer_to": None,
    "external_id": None,
}
"""Columns that a process fills through its facets or, where it names none, from data of the same name."""


class LedgerFailed(Exception):
    """The database refused or did not answer; carries its error code and nothing of what people wrote."""


class Ledger:
    """The ledger of all cases (台账), written one turn at a time.

    `policy` finds the pack that a case is pinned to; `calendars` gives the calendar as it stands.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        calendars: Calendars,
        seal: Seal,
        policy: Callable[[str, int, str], Pack] = pinned,
    ) -> None:
        self._engine = engine
        self._calendars = calendars
        self._seal = seal
        self._policy = policy
        self._in_office: dict[str, HostCalendar] = {}

    async def record(self, t: Transaction) -> Recorded:
        """Write a turn and give its stamps; the same turn again gives the stored ones and writes nothing.

        Raises `Conflict` when another turn stands under the same numbers, and leaves an incident; `SealBroken`
        and `PackNotHere`, which a better configured program may mend, likewise; `LedgerFailed` for everything
        that the database may do better at the next try.
        """
        try:
            return await self._write(t)
        except (Conflict, SealBroken, PackNotHere) as refused:
            await self._note(t, refused)
            raise

    async def _write(self, t: Transaction) -> Recorded:
        case_id = t.case["id"]
        opened = self._seal.unseal(t.sealed, case_id) if t.sealed else {}
        pack = self._policy(t.case["pack"], t.case["pack_version"], t.case["pack_sha"]) if t.clocks else None
        for _ in range(CALENDAR_TRIES):
            stamps: list[Stamp] = []
            body = _body(t, opened)
            if contacts := opened.get("contacts"):
                body["contacts"] = closed(contacts, self._seal)
            if pack is not None:
                calendar = await self._calendar(pack)
                stamps = _stamps(t, pack, calendar)
                body["clocks"] = [*_clock_rows(t, stamps, pack, calendar)]
                if stamps:
                    body["stamps"] = to_jsonable_python(stamps)
                    body["edition"] = _edition_number(calendar)
            answer = await self._call(_written(body), t)
            if not answer.get("stale"):
                return Recorded(
                    number=answer.get("number") or "",
                    stamps=[stamp_of(row) for row in answer["stamps"]] if "stamps" in answer else stamps,
                    repeat=answer.get("repeat", 0),
                    repeat_hash=answer.get("repeat_hash", ""),
                )
            await self._calendars.refresh()
        raise LedgerFailed("the calendar changed with every try")

    async def _calendar(self, pack: Pack) -> HostCalendar:
        """The calendar as it stands, with the business hours of the pack."""
        calendar = await self._calendars.current()
        held = self._in_office.get(pack.sha)
        if held is None or held.edition != calendar.edition:
            opened, closed = (time.fromisoformat(pack.text(f"calendar.business_{end}")) for end in ("open", "close"))
            held = self._in_office[pack.sha] = calendar.with_hours(opened, closed)
        return held

    async def _call(self, body: str, t: Transaction) -> Json:
        """One statement, which is a transaction by itself: no BEGIN, no COMMIT."""
        try:
            async with self._engine.connect() as connection:
                driver = await _driver(connection)
                try:
                    answer: Json = from_json(await driver.fetchval(RECORD, body))
                except (asyncpg.InterfaceError, OSError):
                    await connection.invalidate()
                    raise
                return answer
        except asyncpg.PostgresError as error:
            if error.sqlstate == CONFLICT:
                raise Conflict(t.case["id"], t.first) from None
            # The text of an error may quote a row, and so a person: only its code goes on.
            raise LedgerFailed(f"{error.sqlstate} {type(error).__name__}") from None
        except (asyncpg.InterfaceError, SQLAlchemyError, OSError, TimeoutError) as error:
            raise LedgerFailed(type(error).__name__) from None

    async def _note(self, t: Transaction, refused: Exception) -> None:
        kind = "CONFLICT" if isinstance(refused, Conflict) else "RECORD_FAILS"
        detail = {"first": t.first, "error": type(refused).__name__, "events": [e["type"] for e in t.events]}
        async with self._engine.begin() as connection:
            await note(connection, kind, case_id=t.case["id"], key=str(t.first), detail=detail)


async def _driver(connection: AsyncConnection) -> asyncpg.Connection:
    """The driver's own connection: the toolkit's layers above it would cost as much as the statement."""
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is not None and driver.is_closed():
        # The server went away since its last use; the others of the pool have gone with it.
        await connection.invalidate()
        driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, asyncpg.Connection)  # the only driver that `database` opens
    return driver


# --- what is written ------------------------------------------------------------------------------------


def _body(t: Transaction, opened: Mapping[str, Any]) -> Json:
    """Everything of a turn but its clocks, as `record` of migration 0003 reads it."""
    case, texts, contacts = t.case, opened.get("texts") or {}, opened.get("contacts") or {}
    body: Json = {
        "id": case["id"],
        "first": t.first,
        "batch_hash": digest(t),
        "scope": scope(t.process, case["community"], datetime.fromisoformat(case["opened_at"])),
        # A turn that opens a case cannot move it, so where it lies now is where it began.
        "origin": case["community"],
        "case": _case_columns(t),
        "events": t.events,
        "tasks": t.tasks,
    }
    if t.notices:
        body["notices"] = t.notices
    if t.command:
        body["command"] = t.command
    if texts:
        body["texts"] = texts
    if contacts:
        body["contacts"] = contacts
    if borrowed := _brought(t) - texts.keys() - contacts.keys():
        body["borrowed"] = sorted(borrowed)
    if attachments := _attachments(t):
        body["attachments"] = attachments
    if incidents := [
        {"kind": "REFUSED_TELL", "key": str(event["seq"]), "detail": event["payload"].get("notes", {})}
        for event in t.events
        if event["type"] == REFUSED_TELL
    ]:
        body["incidents"] = incidents
    return body


def digest(t: Transaction) -> str:
    """What makes a turn this turn and no other, in hexadecimal: its events and the command that asked for it."""
    content = {"first": t.first, "events": t.events, "command": t.command, "case": t.case["id"]}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _case_columns(t: Transaction) -> Json:
    row = {name: value for name, value in t.case.items() if name not in {"id", "number", "facets"}}
    facets, data = t.case["facets"], t.case["data"]
    for name, otherwise in FACETS.items():
        row[name] = facets[name] if name in facets else data.get(name, otherwise)
    followers = facets.get("followers") or data.get("followers", ())
    people = (row["submitted_by"], row["reporter_id"], *followers)
    row["persons"] = sorted({person for person in (*people, *facets.get("people", ())) if person})
    row["places"] = sorted({place[:digits] for place in facets.get("places", ()) for digits in PLACE_DIGITS})
    owners = (clock["owner"] for clock in t.clocks)
    orgs = (row["lead_org"], *facets.get("orgs", ()), *(facets.get("helper_orgs") or data.get("helper_orgs", ())))
    # A code of digits alone is a place, and places are reached by where a case lies.
    row["orgs"] = sorted({org for org in (*orgs, *owners) if org and not org.isdigit()})
    return row


def _clock_rows(t: Transaction, stamps: list[Stamp], pack: Pack, calendar: HostCalendar) -> Iterator[Json]:
    stamped = {stamp.number: stamp for stamp in stamps}
    whys = _pause_reasons(t)
    for given in t.clocks:
        row = {name: value for name, value in given.items() if name != "duration"}
        row.update({f"duration_{name}": value for name, value in given["duration"].items()})
        rule = pack.parameters.get(given["parameter"])
        row["clause"] = rule.source if rule is not None else ""
        row["strength"] = rule.strength.value if rule is not None else ""
        row["pause_why"] = whys.get((given["code"], given["ref"])) or whys.get((given["code"], ""), "")
        row["edition"], row["skipped"] = "", []
        stamp = stamped.get(given["number"])
        if stamp is not None:
            row.update(
                due_at=stamp.due_at,
                original_due_at=given["original_due_at"] or stamp.due_at,
                blue_at=stamp.blue_at,
                red_at=stamp.red_at,
                red_plus_plus_at=stamp.red_plus_plus_at,
                limits=stamp.limits or given["limits"],
                provisional=stamp.provisional,
                skipped=stamp.skipped,
                edition=calendar.edition,
            )
        else:
            # Started and ended within one turn: it never ran, and nobody asked when it would have been due.
            row["due_at"] = row["due_at"] or row["closed_at"] or row["started_at"]
            row["original_due_at"] = row["original_due_at"] or row["due_at"]
        yield row


def _pause_reasons(t: Transaction) -> dict[tuple[str, str], str]:
    return {
        (op["code"], op.get("ref", "")): op.get("why", "")
        for event in t.events
        for op in event["payload"].get("clocks", ())
        if op["op"] == "Pause"
    }


def _stamps(t: Transaction, pack: Pack, calendar: HostCalendar) -> list[Stamp]:
    if not t.requests:
        return []
    rungs = rungs_of(pack)
    return [answer(request, calendar, rungs) for request in t.requests]


@lru_cache(maxsize=64)
def rungs_of(pack: Pack) -> Rungs:
    """The steps of the ladder that a pack sets."""
    return Rungs(
        remind_before=pack.duration("issue.remind_before"),
        red_after=pack.duration("issue.red_after"),
        red_after_hours=pack.duration("issue.red_after_hours"),
        red_street_max=pack.duration("issue.red_street_max"),
        scale=pack.scale,
    )


def stamp_of(row: Mapping[str, Any]) -> Stamp:
    """A stamp as it is stored with the first event of its turn."""
    return Stamp(
        number=row["number"],
        due_at=datetime.fromisoformat(row["due_at"]),
        blue_at=_moment(row["blue_at"]),
        red_at=_moment(row["red_at"]),
        red_plus_plus_at=_moment(row["red_plus_plus_at"]),
        limits=tuple(datetime.fromisoformat(limit) for limit in row["limits"]),
        provisional=row["provisional"],
        skipped=tuple((day, why) for day, why in row["skipped"]),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _edition_number(calendar: HostCalendar) -> int:
    """The number behind the name of an edition, `chinese-calendar 1.11.0 #3`."""
    return int(calendar.edition.rpartition("#")[2])


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _strings(one)


def _brought(t: Transaction) -> set[str]:
    """Texts and contacts that may have been written in another case: of an opening, or of what another case tells."""
    found: list[Any] = [t.case["title"], t.case["data"]] if t.first == 1 else []
    if t.command.get("actor") == SYSTEM.id:
        found += [event["payload"] for event in t.events]
    return {text for text in _strings(found) if REFERENCE.fullmatch(text)}


def _attachments(t: Transaction) -> list[str]:
    """Ids of the attached files that the turn names as evidence."""
    named: list[str] = []
    for event in t.events:
        payload = event["payload"]
        for part in (payload.get("sets", {}), payload.get("notes", {})):
            given = part.get("evidence")
            if isinstance(given, list):
                named.extend(one for one in given if isinstance(one, str))
    return [one for one in dict.fromkeys(named) if UUID.fullmatch(one)]


def _written(body: Json) -> str:
    text = to_json(body, inf_nan_mode="constants").decode()
    # PostgreSQL stores every letter but this one. Nobody types it; it comes from broken files.
    if "\\u0000" in text:
        text = to_json(_without_nul(body), inf_nan_mode="constants").decode()
    return text


def _without_nul(value: Any) -> Any:
    plain = to_jsonable_python(value)
    if isinstance(plain, str):
        return plain.replace("\0", "")
    if isinstance(plain, dict):
        return {_without_nul(name): _without_nul(one) for name, one in plain.items()}
    if isinstance(plain, list):
        return [_without_nul(one) for one in plain]
    return plain
