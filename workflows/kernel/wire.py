"""What crosses a border of the process: commands, events, clocks and cases as plain JSON values, and back.

The rules work on frozen dataclasses; Temporal and Postgres carry JSON. Adapters are built once per class.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import datetime
from functools import cache
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from workflows.kernel.clocks import Clock, ClockOp, Mark, Stamp, StampRequest
from workflows.kernel.fields import Contact, Prose
from workflows.kernel.process import (
    Actor,
    Case,
    Change,
    Effect,
    Event,
    Grant,
    Notice,
    Pending,
    Pin,
    Process,
    named,
)
from workflows.kernel.step import Batch, Order, Stamps

Json = dict[str, Any]


# --- what Temporal carries -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Envelope:
    """One command on its way to a case. Texts of people are references; their clear values are in `sealed`."""

    command: str
    fields: Json
    actor: Actor
    key: str
    """Idempotency key, already bound to the caller."""
    body_hash: str
    acting_role: str | None = None
    acting_org: str | None = None
    on_behalf_of: str | None = None
    expected_version: int | None = None
    facts: Json = field(default_factory=dict)
    sealed: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The engine's answer to a command: the version it led to and the hash of the body that was carried out."""

    version: int
    body_hash: str


@dataclass(frozen=True, slots=True)
class Seed:
    """Input of a case's run: new (no case), or the case as it stood at roll-over or at its reopening."""

    process: str
    case_id: str
    pin: Pin
    case: Json | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """Everything that one turn writes: rows for `record`, and the requests it must stamp before writing.

    `case`: the case's row (see `case_row`); `events`: rows with `payload`; `clocks`: rows of the clocks touched;
    `command` is empty for turns of the timers.
    """

    process: str
    first: int
    case: Json
    events: list[Json]
    clocks: list[Json]
    requests: list[StampRequest]
    tasks: list[Json]
    notices: list[Json]
    command: Json = field(default_factory=dict)
    sealed: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What `record` answers. `repeat` is the version an earlier run of the same command key led to, 0 when new."""

    number: str = ""
    stamps: list[Stamp] = field(default_factory=list)
    repeat: int = 0
    repeat_hash: str = ""


# --- commands ------------------------------------------------------------------------------------------


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def command_of(process: Process[Any], name: str, values: Mapping[str, Any]) -> Any:
    """Build the command from its JSON fields; the door has validated them before.

    A place or a person's contact, which the door has replaced by a reference, stays that reference.
    """
    kind = process.commands[name]
    given = dict(values)
    references = {one: given.pop(one) for one in _sealed_fields(kind) if isinstance(given.get(one), str)}
    command = _adapter(kind).validate_python(given)
    return replace(command, **references) if references else command


@cache
def _sealed_fields(kind: type) -> frozenset[str]:
    """Fields whose clear value never comes here: a text's or contact's reference stands in them."""
    return frozenset(
        name
        for name, hint in _hints(kind).items()
        for marker in getattr(hint, "__metadata__", ())
        if isinstance(marker, Prose | Contact) and str not in (hint.__origin__, *get_args(hint.__origin__))
    )


def order_of(process: Process[Any], envelope: Envelope) -> Order:
    """Build the order that an envelope carries."""
    return Order(
        command=command_of(process, envelope.command, envelope.fields),
        actor=envelope.actor,
        acting_role=envelope.acting_role,
        acting_org=envelope.acting_org,
        on_behalf_of=envelope.on_behalf_of,
        expected_version=envelope.expected_version,
        facts=envelope.facts,
    )


def fields_of(command: Any) -> Json:
    """The JSON fields of a command, without those that stand at their default."""
    values: Json = {}
    for one in fields(command):
        value = getattr(command, one.name)
        if value != one.default:
            values[one.name] = to_jsonable_python(value)
    return values


# --- events --------------------------------------------------------------------------------------------


def event_row(event: Event) -> Json:
    """An event as the row that is stored; fields at their default are left out of the payload."""
    change = event.change
    payload: Json = {}
    if change.to:
        payload["to"] = change.to
    if change.sets:
        payload["sets"] = to_jsonable_python(dict(change.sets))
    if change.puts:
        payload["puts"] = to_jsonable_python({name: dict(entries) for name, entries in change.puts.items()})
    for name in ("community", "level", "title", "done"):
        if value := getattr(change, name):
            payload[name] = value
    if change.clocks:
        payload["clocks"] = [_op_json(op) for op in change.clocks]
    if change.effects:
        payload["effects"] = [_sparse(effect) for effect in change.effects]
    if change.pin:
        payload["pin"] = to_jsonable_python(change.pin)
    if change.notes:
        payload["notes"] = to_jsonable_python(dict(change.notes))
    return {
        "seq": event.seq,
        "type": event.type,
        "at": event.at.isoformat(),
        "actor": event.actor,
        "role": event.role,
        "org": event.org,
        "on_behalf_of": event.on_behalf_of,
        "payload": payload,
    }


def event_of(process: Process[Any], row: Mapping[str, Any]) -> Event:
    """The event that a stored row means; notices are not kept in history."""
    payload = row["payload"]
    sets = payload.get("sets", {})
    hints = _hints(_class(process))
    return Event(
        seq=row["seq"],
        type=row["type"],
        at=_moment(row["at"]),
        actor=row["actor"],
        role=row["role"],
        org=row["org"],
        on_behalf_of=row["on_behalf_of"],
        change=Change(
            type=row["type"],
            to=payload.get("to", ""),
            sets={name: _adapter(hints[name]).validate_python(value) for name, value in sets.items()},
            puts={name: _entries(hints[name], entries) for name, entries in payload.get("puts", {}).items()},
            community=payload.get("community", ""),
            level=payload.get("level", ""),
            title=payload.get("title", ""),
            clocks=tuple(_op_of(op) for op in payload.get("clocks", ())),
            effects=tuple(_adapter(Effect).validate_python(effect) for effect in payload.get("effects", ())),
            notes=payload.get("notes", {}),
            done=payload.get("done", ""),
            pin=Pin(**payload["pin"]) if "pin" in payload else None,
        ),
    )


def _entries(hint: Any, entries: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of a field that is a mapping; those that are taken away stay None."""
    given = {name: value for name, value in entries.items() if value is not None}
    return {**dict.fromkeys(entries), **_adapter(hint).validate_python(given)}


def _op_json(op: ClockOp) -> Json:
    return {"op": type(op).__name__, **_sparse(op)}


@cache
def _op_kinds() -> dict[str, type]:
    return {kind.__name__: kind for kind in ClockOp.__args__}


def _op_of(row: Mapping[str, Any]) -> ClockOp:
    values = {name: value for name, value in row.items() if name != "op"}
    op: ClockOp = _adapter(_op_kinds()[row["op"]]).validate_python(values)
    return op


def _sparse(value: Any) -> Json:
    """A dataclass as JSON without the fields at their default."""
    return {
        one.name: to_jsonable_python(getattr(value, one.name))
        for one in fields(value)
        if getattr(value, one.name) != (one.default if one.default_factory is MISSING else one.default_factory())
    }


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _class(process: Process[Any]) -> type:
    """The data class of a process, as something that can be a key."""
    kind: type = process.data
    return kind


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


# --- clocks and cases ----------------------------------------------------------------------------------


def clock_row(clock: Clock) -> Json:
    """A clock as JSON, every field."""
    row: Json = to_jsonable_python(clock)
    return row


def clock_of(row: Mapping[str, Any]) -> Clock:
    """The clock that a row means; keys that are not of the clock are passed over."""
    names = _hints(Clock)
    clock: Clock = _adapter(Clock).validate_python({k: v for k, v in row.items() if k in names})
    return clock


def case_row(process: Process[Any], case: Case[Any]) -> Json:
    """A case as JSON without its clocks: what the table `case` holds."""
    return {
        "id": case.id,
        "process": case.process,
        "number": case.number,
        "community": case.community,
        "state": case.state,
        "phase": case.phase,
        "step": process.step_of(case) if case.state else "",
        "level": case.level,
        "title": case.title,
        "version": case.version,
        "opened_at": _iso(case.opened_at),
        "updated_at": _iso(case.updated_at),
        "closed_at": _iso(case.closed_at),
        "pack": case.pin.pack,
        "pack_version": case.pin.version,
        "pack_sha": case.pin.sha,
        "clock_count": case.clock_count,
        "pending": [{"id": one.id, "effect": _sparse(one.effect)} for one in case.pending],
        "data": _sparse(case.data),
        "facets": dict(process.facets(case)),
    }


def case_of(process: Process[Any], row: Mapping[str, Any], clocks: tuple[Clock, ...]) -> Case[Any]:
    """The case that a row and its live clocks mean."""
    return Case(
        id=str(row["id"]),
        process=row["process"],
        number=row["number"],
        community=row["community"],
        state=row["state"],
        phase=row["phase"],
        level=row["level"],
        title=row["title"],
        version=row["version"],
        opened_at=_moment(row["opened_at"]) if row["opened_at"] else None,
        updated_at=_moment(row["updated_at"]) if row["updated_at"] else None,
        closed_at=_moment(row["closed_at"]) if row["closed_at"] else None,
        pin=Pin(row["pack"], row["pack_version"], row["pack_sha"]),
        clock_count=row["clock_count"],
        pending=tuple(Pending(one["id"], _adapter(Effect).validate_python(one["effect"])) for one in row["pending"]),
        data=_adapter(_class(process)).validate_python(row["data"]),
        clocks=tuple(sorted((clock for clock in clocks if clock.live), key=lambda clock: clock.number)),
    )


def carried(process: Process[Any], case: Case[Any]) -> Json:
    """The whole case with its live clocks, as a run hands it to its successor."""
    return {**case_row(process, case), "clocks": [clock_row(clock) for clock in case.clocks]}


def restored(process: Process[Any], carried_case: Mapping[str, Any]) -> Case[Any]:
    """The case that `carried` wrote."""
    return case_of(process, carried_case, tuple(clock_of(row) for row in carried_case["clocks"]))


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def transaction(process: Process[Any], batch: Batch, envelope: Envelope | None) -> Transaction:
    """Write a batch as the rows that one transaction records."""
    notices = [
        {"seq": event.seq, "place": place, **to_jsonable_python(notice)}
        for event in batch.events
        for place, notice in enumerate(event.change.notices)
    ]
    command: Json = {}
    sealed = ""
    if envelope is not None and batch.order is not None:
        command = {
            "key": envelope.key,
            "body_hash": envelope.body_hash,
            "name": named(type(batch.order.command)).name,
            "actor": envelope.actor.id,
        }
        sealed = envelope.sealed
    return Transaction(
        process=process.name,
        first=batch.first,
        case=case_row(process, batch.case),
        events=[event_row(event) for event in batch.events],
        clocks=[clock_row(clock) for clock in batch.clocks],
        requests=list(batch.requests),
        tasks=[{**to_jsonable_python(task.to), "commands": list(task.commands)} for task in batch.tasks],
        notices=notices,
        command=command,
        sealed=sealed,
    )


def stamps_of(recorded: Recorded) -> Stamps:
    """What `record` stamped, as the step wants it."""
    return Stamps(number=recorded.number, clocks=tuple(recorded.stamps))


__all__ = [
    "Actor",
    "Envelope",
    "Grant",
    "Mark",
    "Notice",
    "Receipt",
    "Recorded",
    "Seed",
    "Transaction",
    "carried",
    "case_of",
    "case_row",
    "clock_of",
    "clock_row",
    "command_of",
    "event_of",
    "event_row",
    "fields_of",
    "order_of",
    "restored",
    "stamps_of",
    "transaction",
]
