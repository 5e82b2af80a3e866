"""A case that never was, so that a template can be looked at before it serves (样例)."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from services.documents.content import Lookup, facts_of, moment, noted, titles
from services.documents.papers import Issued, number_of
from services.texts.catalogue import catalogue
from workflows.kernel.process import Case, Paper, Pin, Process

PLACE = "000000000001"
PLACES = {PLACE[:4]: "示例市", PLACE[:6]: "示例区", PLACE[:9]: "示例街道", PLACE: "示例社区"}
PERSON, ORG = "示例人员", "示例单位"
NUMBER, CHECK_CODE, SEQ = "SAMPLE-1", "ABCD2345", 1
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
COUNT, AMOUNT, ROWS = 3, 10000.0, 2


def sample_facts(process: Process[Any], paper: Paper, *, pack: str, address: str) -> dict[str, Any]:
    """The facts of a document in which every field says its own title; `address` stands in its square code."""
    data = sample_data(process)
    state, _, phase = process.states[0].name.partition(":")
    case: Case[Any] = Case(
        id="",
        process=process.name,
        community=PLACE,
        pin=Pin(pack, 1, ""),
        data=data,
        number=NUMBER,
        state=state,
        phase=phase,
        title="示例事项",
        opened_at=AT,
    )
    entry = {
        "type": paper.on[0],
        "actor": PERSON,
        "acting_role": "community_worker",
        "org": ORG,
        "payload": {"notes": {name: _named(process, name) for name in noted(process)}, "to": process.states[0].name},
    }
    document = Issued(paper, number_of(NUMBER, paper.kind, SEQ), SEQ, AT)
    facts = facts_of(
        process, case, entry, document, Lookup(places=PLACES), check_code=CHECK_CODE, address=address, masked=False
    )
    due = {"due": moment(AT), "started": moment(AT), "owner": ORG, "supervisor": ORG, "color": "", "state": ""}
    facts["clocks"] = {
        code: {**due, "title": rule.zh, "parameter": rule.parameter, "clause": ""}
        for code, rule in process.clock_rules.items()
    }
    facts["clock"] = next(iter(facts["clocks"].values()), {})
    return facts


def sample_data(process: Process[Any]) -> Any:
    """Data of a case in which something stands in every field."""
    hints = get_type_hints(process.data)
    return process.data(**{one.name: _value(one.name, hints[one.name], process) for one in _given(process.data)})


def _given(kind: type) -> list[Any]:
    return [one for one in fields(kind) if one.init]


def _named(process: Process[Any], name: str) -> str:
    """What stands where people would write something: the title of the field."""
    title = titles(process).get(name) or catalogue().say("data", name, "zh")
    return f"〔{title}〕"


def _value(name: str, hint: Any, process: Process[Any]) -> Any:
    """Something of a type, for the field of this name."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _value(name, parts[0], process)
    if origin in (Union, UnionType):
        return _value(name, next(part for part in parts if part is not type(None)), process)
    if origin is Literal:
        return parts[0]
    if origin in (tuple, frozenset, set, list, Sequence):
        kind = origin if isinstance(origin, type) and origin is not Sequence else tuple
        return kind(_value(name, parts[0], process) for _ in range(ROWS))
    if origin is not None and issubclass(origin, Mapping):
        return {f"{PERSON}{number}": _value(name, parts[1], process) for number in range(1, ROWS + 1)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{one.name: _value(one.name, hints[one.name], process) for one in _given(hint)})
    plain: dict[Any, Any] = {str: _named(process, name), bool: True, int: COUNT, float: AMOUNT, date: AT.date()}
    return AT if hint is datetime else plain.get(hint)
