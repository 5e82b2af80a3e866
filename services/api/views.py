"""Show a case the way api.md promises, as much of it as the viewer may see."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_jsonable_python

from services.api.ports import Json, Known
from services.storage.prose import references, resolve
from workflows.kernel.calendar import CHINA
from workflows.kernel.clocks import ClockKind, ClockState, Color
from workflows.kernel.masking import mask
from workflows.kernel.process import Actor, Case, Process
from workflows.kernel.roles import STAFF, Role

_COLORS = (Color.NONE, Color.BLUE, Color.YELLOW, Color.RED)
_REPORTER = ("reporter", "reporter_id", "followers", "submitted_by")
_OBJECTOR = "objector"
"""Who objects to somebody is known to himself only (processes §0.6)."""
_VEILED = "***"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a case, and what he may see of it."""

    actor: Actor
    language: str = "zh"

    def is_staff(self, case: Case[Any]) -> bool:
        """Say whether he works for the place of the case, not for an organisation that handles it."""
        return any(grant.role in STAFF and case.community.startswith(grant.place) for grant in self.actor.grants)

    def is_reporter(self, case: Case[Any]) -> bool:
        """Say whether he brought it in or is told of its result."""
        data = case.data
        return self.actor.id in {
            getattr(data, "submitted_by", None),
            getattr(data, "reporter_id", None),
            *getattr(data, "followers", ()),
        }

    def is_kept_from(self, case: Case[Any]) -> str | None:
        """Give the account that stays hidden from him although he handles the case: who objects in confidence."""
        hides = getattr(case.data, "confidential", False) and not self.is_reporter(case)
        return getattr(case.data, "reporter_id", None) or "" if hides else None

    def is_veiled(self, case: Case[Any]) -> bool:
        """Say whether the reporter stays hidden from him: from the lead if so wished (S18), from neighbours always."""
        if self.is_staff(case) or self.is_reporter(case):
            return False
        is_neighbour = all(grant.role == Role.RESIDENT for grant in self.actor.grants)
        return is_neighbour or bool(getattr(case.data, "hidden_from_lead", False))


class CheckCodes:
    """Six characters by which a resident without an account follows his issue (查询码)."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = tuple(secrets)

    def of(self, case_id: str) -> str:
        """Give the code of a case: always the same, and nothing to be guessed from the number."""
        return self._code(self._secrets[0], case_id)

    def fits(self, case_id: str, code: str) -> bool:
        """Say whether somebody knows the code."""
        given = code.strip().upper().encode()
        return any(hmac.compare_digest(self._code(one, case_id).encode(), given) for one in self._secrets)

    @staticmethod
    def _code(secret: bytes, case_id: str) -> str:
        digest = hmac.digest(secret, b"check-code|" + case_id.encode(), hashlib.sha256)
        return base64.b32encode(digest)[:6].decode()


def case_view(
    process: Process[Any], known: Known, texts: Json, viewer: Viewer, codes: CheckCodes | None = None
) -> dict[str, Any]:
    """Give the JSON of a case with its texts in clear."""
    case = known.case
    veiled = viewer.is_veiled(case)
    if veiled:
        texts = {ref: mask(text) if isinstance(text, str) else _VEILED for ref, text in texts.items()}
    data = to_jsonable_python(case.data)
    if "objections" in data:
        data = _discreet(data, viewer.actor.id)
    data["phase"] = case.phase
    if "reporter" in data:
        # The contact itself is a read of its own, with its own right.
        data["has_contact"] = data["reporter"] is not None
        del data["reporter"]
    if veiled:
        data = {name: value for name, value in data.items() if name not in (*_REPORTER, "has_contact")}
    if viewer.is_kept_from(case) is not None:
        data = {name: value for name, value in data.items() if name not in _REPORTER}
    if codes is not None and "submitted_by" in data and (viewer.is_reporter(case) or viewer.is_staff(case)):
        data["check_code"] = codes.of(case.id)
    return {
        "id": case.id,
        "number": case.number,
        "process": case.process,
        "state": case.state,
        "step": process.step_of(case),
        "title": resolve(case.title, texts),
        "version": case.version,
        "community_id": case.community,
        "level": case.level,
        "created_at": moment(case.opened_at),
        "updated_at": moment(case.updated_at),
        "closed_at": moment(case.closed_at),
        "policy": {"pack": case.pin.pack, "version": case.pin.version},
        "next_due_at": moment(known.next_due_at),
        "color": known.color,
        "data": local(resolve(data, texts)),
    }


def event_view(entry: Json, *, veiled: bool, reader: str = "", hidden: str | None = None) -> dict[str, Any]:
    """Give the JSON of one entry of the history; `entry` has its texts in clear, `reader` is who looks at it.

    `hidden` is an account that stays unnamed.
    """
    payload, actor, on_behalf_of = entry["payload"], entry["actor"], entry["on_behalf_of"]
    if hidden is not None:
        sets = {name: value for name, value in payload.get("sets", {}).items() if name not in _REPORTER}
        payload = {**payload, "sets": sets} if "sets" in payload else payload
        if actor == hidden or entry["seq"] == 1:
            actor, on_behalf_of, entry = None, None, {**entry, "org": None}
    if "objections" in payload.get("puts", {}):
        if actor != reader and actor in _objectors(payload):
            actor, on_behalf_of, entry = None, None, {**entry, "org": None}
        payload = _discreet(payload, reader)
    if veiled:
        sets = {name: value for name, value in payload.get("sets", {}).items() if name not in _REPORTER}
        payload = _masked({**payload, "sets": sets} if "sets" in payload else payload)
        # The first entry is the reporter's own, or names for whom it was made.
        actor, on_behalf_of = (None if entry["seq"] == 1 else actor), None
    return {
        "seq": entry["seq"],
        "type": entry["type"],
        "actor": actor,
        "acting_role": entry["acting_role"],
        "acting_org": entry["org"],
        "on_behalf_of": on_behalf_of,
        "occurred_at": moment(entry["occurred_at"]),
        "recorded_at": moment(entry["recorded_at"]),
        "payload": local(payload),
        "hash": entry["hash"],
    }


def standing(process: Process[Any], case: Case[Any]) -> tuple[str, datetime | None]:
    """Colour and next due time of a case by its live clocks, for a version that is no longer the latest."""
    duties = [clock for clock in case.clocks if clock.kind is ClockKind.DUTY and clock.live]
    color = max((clock.color for clock in duties), key=_COLORS.index, default=Color.NONE)
    if process.facets(case).get("red"):
        color = Color.RED
    due = [clock.due_at for clock in duties if clock.state is not ClockState.PAUSED and clock.due_at is not None]
    return color.value, min(due, default=None)


def references_of(case: Case[Any]) -> frozenset[str]:
    """Give the references that a case shows."""
    return frozenset(references([case.title, case.data]))


def _discreet(value: Any, reader: str) -> Any:
    """Leave out who objected, for everybody but himself."""
    if isinstance(value, Mapping):
        return {name: _discreet(inner, reader) for name, inner in value.items() if name != _OBJECTOR or inner == reader}
    return [_discreet(inner, reader) for inner in value] if isinstance(value, list) else value


def _objectors(payload: Json) -> set[str]:
    return {one.get(_OBJECTOR, "") for one in payload["puts"]["objections"].values() if one} - {""}


def moment(at: datetime | str | None) -> str | None:
    """Write a moment in Beijing time with its offset."""
    if at is None:
        return None
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    return at.astimezone(CHINA).isoformat()


def local(value: Any) -> Any:
    """Write every moment inside a value in Beijing time."""
    if isinstance(value, str):
        return _local(value)
    if isinstance(value, Mapping):
        return {name: local(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [local(inner) for inner in value]
    return moment(value) if isinstance(value, datetime) else value


def _local(text: str) -> str:
    # Only what has exactly the form of a moment in UTC; what people wrote stays as it is.
    if not (20 <= len(text) <= 32 and text[4:5] == "-" and text[10:11] == "T" and text[-1] == "Z"):
        return text
    try:
        return moment(text) or text
    except ValueError:
        return text


def _masked(value: Any) -> Any:
    """Mask every text in a value; what is no text but was sealed like one, such as a place, is hidden whole."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {name: _VEILED if name == "location" and inner else _masked(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(inner) for inner in value]
    return value
