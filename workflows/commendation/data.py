"""What is known of a commendation (表彰): whom for what, and the three bodies that spoke in their order (pure; P9)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class SubjectKind(StrEnum):
    """Who is to be commended (表彰对象类别)."""

    UNIT = "UNIT"
    PERSON = "PERSON"
    COMMUNITY = "COMMUNITY"
    """Appraisals aimed at communities need an approved project (seed 004 §二(三)3)."""


class Verdict(StrEnum):
    """What the street's party committee decides (街道决定)."""

    COMMEND = "COMMEND"
    REJECT = "REJECT"


class Standing(StrEnum):
    """Where an objection against the notice stands (异议状态)."""

    OPEN = "OPEN"
    UPHELD = "UPHELD"
    DISMISSED = "DISMISSED"


@dataclass(frozen=True, kw_only=True)
class Commendation:
    """Data of a commendation (表彰)."""

    subject_kind: SubjectKind | None = None
    subject: str | None = None
    org: str | None = None
    deeds: str | None = None
    agreement: str | None = None
    """The agreement that was fulfilled, or the record of service (共驻共建协议)."""
    project_no: str | None = None
    nominated_by: str = ""
    finding: str | None = None
    verified_at: datetime | None = None
    epc_meeting: str | None = None
    supported_at: datetime | None = None
    """When the 大党委 supported it; the residents' representatives speak after that."""
    rra_meeting: str | None = None
    decision_no: str | None = None
    """Number of the decision of the street's party committee, whose meetings are kept elsewhere."""
    notice: str | None = None
    notice_over: bool = False
    objections: Mapping[str, Standing] = field(default_factory=dict)
