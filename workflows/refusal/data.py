"""What is known of an incoming task and its refusal (可拒绝执行) (pure). Texts stand here as references only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Nature(StrEnum):
    """What kind of task it is; only an ordinary one may be refused (processes P4-R)."""

    ORDINARY = "ORDINARY"
    EMERGENCY_ORDER = "EMERGENCY_ORDER"
    """A statutory order in an emergency (法定应急指令)."""
    PARTY_INTERNAL = "PARTY_INTERNAL"
    """A task inside the party (党内事务)."""


class Ruling(StrEnum):
    """How the office decides a dispute (裁定)."""

    UPHELD = "UPHELD"
    COVERED = "COVERED"
    MUST_APPLY = "MUST_APPLY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What the lists and permits of the day say of the task (自动核对); stays as it was found."""

    covered: bool
    because: str
    at: datetime
    versions: Mapping[str, int] = field(default_factory=dict)
    permit_no: str | None = None
    list_item: Mapping[str, object] | None = None
    near: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The decision of the two committees to do it all the same (自愿承担), with a note on people and money."""

    decision: str
    staff_note: str
    money_note: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Who said why, and when (理由)."""

    text: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Data of an incoming task: who asks for what, and how it was answered."""

    department: str = ""
    text: str = ""
    form: str | None = None
    nature: Nature = Nature.ORDINARY
    logged_by: str = ""
    check: Check | None = None
    refused: Said | None = None
    accepted: Accepted | None = None
    admission: str | None = None
    """The admission by which the department now asks properly."""
    disputes: Mapping[str, Said] = field(default_factory=dict)
    """Objections of the department, keyed by their number from 1."""
    rulings: Mapping[str, Said] = field(default_factory=dict)
    """Answers of the office, keyed by the number of the objection."""
    ruling: Ruling | None = None
    escalation: Said | None = None
    settlement: Said | None = None

    @property
    def lead_org(self) -> str:
        """Who asked."""
        return self.department
