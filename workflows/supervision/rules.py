"""Commands and rules of a supervision case (挂牌销号): listed until somebody else has seen it solved (pure)."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, ClassVar, Literal

from workflows.kernel.calendar import CHINA, Duration, Unit
from workflows.kernel.clocks import Cancel, Clock, Meet, Pause, Start
from workflows.kernel.fields import Attachment, CaseRef, Field, Organization, Person, Prose
from workflows.kernel.process import Case, Change, Effect, GuardFailed, Notice, Turn, command
from workflows.kernel.roles import Role
from workflows.supervision.data import Supervision

RESPONSIBLE_ROLES = (
    Role.UNIT_LIAISON,
    Role.DEPARTMENT_OFFICER,
    Role.COMMUNITY_WORKER,
    Role.GRID_WORKER,
    Role.PARTY_SECRETARY,
    Role.SUBDISTRICT_OFFICER,
)
DAYS = Field("期限", "Due on")
RECTIFYING = "RECTIFYING"
"""Where an admission stands while a rectification runs, which may be supervised as an issue may (processes P4)."""
NEUTRAL = 3
"""基本满意 of five."""
UNASKED: Mapping[str, Any] = {"reporter_known": False, "contacted": False, "satisfaction": None}
"""What is known of the subject where a case was delisted before anybody asked."""


@command("立案督查", "Open a supervision case")
class OpenSupervision:
    """RED was reached, or a supervisor opens it by hand (红色督办单)."""

    asked_of_people: ClassVar = ("subject_type", "reason")
    kept_from_people: ClassVar = ("reason_code", "community_code", "responsible_org", "title")

    subject_type: Annotated[Literal["issue", "admission"], Field("对象类别", "Kind of subject")] = "issue"
    subject_id: Annotated[str, CaseRef("对象", "Subject")]
    reason: Annotated[str | None, Prose("理由", "Reason")] = None
    reason_code: Annotated[str, Field("原因", "Reason code", longest=40)] = "BY_HAND"
    community_code: Annotated[str | None, Field("社区", "Community", longest=12)] = None
    responsible_org: Annotated[str | None, Organization("责任单位", "Responsible organisation")] = None
    title: Annotated[str | None, Field("标题", "Title", longest=120)] = None


@command("挂牌", "List the case", name="list")
class ListCase:
    """Who must solve it until when; on the public board if so decided."""

    responsible_org: Annotated[str, Organization("责任单位", "Responsible organisation")]
    responsible_person: Annotated[str | None, Person("责任人", "Responsible person")] = None
    due_on: Annotated[date, DAYS]
    public: Annotated[bool, Field("公开", "Public")]
    text: Annotated[str | None, Prose("公开内容", "Public text", longest=500)] = None

    @property
    def public_fields(self) -> tuple[str, ...]:
        """Fields that everybody will read, so that they must be masked (S23)."""
        return ("text",) if self.public else ()


@command("申报整改", "Report as rectified")
class ReportRectified:
    """The responsible says that it is solved, with evidence."""

    asked_of_people: ClassVar = ("evidence",)

    evidence: Annotated[tuple[str, ...], Attachment("证据", "Evidence", longest=20)] = ()
    text: Annotated[str | None, Prose("说明", "Text")] = None


@command("销号", "Delist")
class Delist:
    """Seen on the spot by somebody else: solved."""

    asked_of_people: ClassVar = ("evidence",)

    evidence: Annotated[tuple[str, ...], Attachment("证据", "Evidence", longest=20)] = ()
    text: Annotated[str | None, Prose("核查情况", "Check")] = None


@command("登记群众评价", "Record the reporter's satisfaction")
class RecordSatisfaction:
    """The reporter was asked on the spot or by telephone whether he is satisfied (practice R41)."""

    satisfaction: Annotated[int, Field("满意度", "Satisfaction", least=1, most=5)]
    remark: Annotated[str | None, Prose("备注", "Remark")] = None


@command("不予销号", "Refuse to delist")
class RefuseDelist:
    """Not solved: it stays listed with a new day."""

    reason: Annotated[str, Prose("理由", "Reason")]
    due_on: Annotated[date, DAYS]


def open_case(case: Case[Supervision], cmd: OpenSupervision, turn: Turn) -> Change:
    """立案: the clock to list it runs."""
    subject = turn.facts.get("subject_id", {})
    if subject.get("process", cmd.subject_type) != cmd.subject_type:
        raise GuardFailed("OTHER_SUBJECT", field="subject_type", clause="processes P1")
    if subject.get("closed"):
        raise GuardFailed("SUBJECT_CLOSED", field="subject_id", clause="processes P1")
    if cmd.subject_type == "admission" and subject.get("state", RECTIFYING) != RECTIFYING:
        raise GuardFailed("NOT_RECTIFYING", field="subject_id", clause="000 §三(三)1")
    # By hand: the issue learns of it, so that 销号 approves its completion and RED opens no second case.
    about = str(subject.get("id", cmd.subject_id))
    by_hand = turn.grant.role != Role.SYSTEM
    told = Effect("TELL", cmd.subject_type, about, "supervision_opened", {"supervision": case.id}, turn.now)
    return Change(
        to="OPENED",
        title=cmd.title or str(subject.get("title", "")),
        level="L3",
        sets={
            "subject_type": cmd.subject_type,
            "subject_id": about,
            "reason": cmd.reason,
            "reason_code": cmd.reason_code,
            "opened_by": turn.actor.id,
            "responsible_org": cmd.responsible_org or subject.get("lead_org"),
        },
        effects=(told,) if by_hand else (),
        notices=(Notice(case.subdistrict, "supervision_opened", "LIST"),),
    )


def list_case(case: Case[Supervision], cmd: ListCase, turn: Turn) -> Change:
    """挂牌: on the board until delisted."""
    if cmd.public and not cmd.text:
        raise GuardFailed("PUBLIC_TEXT_REQUIRED", field="text", clause="processes §0.7")
    return Change(
        to="LISTED",
        sets={
            "responsible_org": cmd.responsible_org,
            "responsible_person": cmd.responsible_person,
            "due_on": cmd.due_on,
            "public": cmd.public,
            "public_text": cmd.text,
            "listed_at": turn.now,
        },
        clocks=(_rectify(cmd.due_on, turn),),
        notices=(Notice(cmd.responsible_org, "supervision_listed", "RECTIFY"),),
    )


def report_rectified(case: Case[Supervision], cmd: ReportRectified, turn: Turn) -> Change:
    """Solved, they say: the check runs, the time to rectify waits."""
    if not cmd.evidence and not cmd.text:
        raise GuardFailed("NO_EVIDENCE", field="evidence", clause="processes P1")
    return Change(
        to="VERIFYING",
        sets={"reported_by": turn.actor.id, "evidence": case.data.evidence + cmd.evidence},
        clocks=(Pause(code="RECTIFY", why="VERIFYING"),),
        notes={"text": cmd.text} if cmd.text else {},
    )


def may_delist(case: Case[Supervision], turn: Turn) -> None:
    """The responsible person never checks himself (S19)."""
    if turn.actor.id in (case.data.reported_by, case.data.responsible_person):
        raise GuardFailed("SEGREGATION", clause="processes §0.1")


def delist(case: Case[Supervision], cmd: Delist, turn: Turn) -> Change:
    """销号: the issue's completion is approved with it."""
    if not cmd.evidence and not cmd.text:
        raise GuardFailed("NO_EVIDENCE", field="evidence", clause="processes P1")
    subject = turn.facts.get("supervised_subject", UNASKED)
    satisfied = (case.data.satisfaction or subject["satisfaction"] or 0) >= NEUTRAL
    if turn.policy.flag("supervision.require_satisfaction") and subject["reporter_known"] and not satisfied:
        raise GuardFailed("SATISFACTION_REQUIRED", clause="supervision.require_satisfaction")
    notes: dict[str, Any] = {"text": cmd.text} if cmd.text else {}
    if subject["reporter_known"]:
        notes["reporter_contacted"] = subject["contacted"] or case.data.satisfaction is not None
    return Change(
        to="DELISTED",
        sets={
            "checked_by": turn.actor.id,
            "delisted_at": turn.now,
            "evidence": case.data.evidence + cmd.evidence,
        },
        clocks=(Meet(code="RECTIFY"), Cancel(code="COUNTY", reason="DELISTED")),
        effects=(
            Effect(
                "TELL",
                case.data.subject_type,
                case.data.subject_id,
                "supervision_delisted",
                {"supervision": case.id},
                turn.now,
            ),
        ),
        notes=notes,
    )


def record_satisfaction(case: Case[Supervision], cmd: RecordSatisfaction, turn: Turn) -> Change:
    """What he answered counts for the check; asked again, the last answer does."""
    return Change(sets={"satisfaction": cmd.satisfaction}, notes={"remark": cmd.remark} if cmd.remark else {})


def refuse_delist(case: Case[Supervision], cmd: RefuseDelist, turn: Turn) -> Change:
    """Overflow found again: listed with a new day, the higher level is told."""
    return Change(
        to="LISTED",
        sets={
            "due_on": cmd.due_on,
            "relist_count": case.data.relist_count + 1,
            "checked_by": turn.actor.id,
            "listed_at": case.data.listed_at or turn.now,
        },
        clocks=(Cancel(code="RECTIFY", reason="SUPERSEDED"), _rectify(cmd.due_on, turn)),
        notices=(Notice(case.county, "supervision_relisted", "RECTIFY"),),
        notes={"reason": cmd.reason},
    )


def rectify_due(case: Case[Supervision], clock: Clock, turn: Turn) -> Change:
    """Not solved in time: criticism, and after 30 days more the county; it stays listed until solved."""
    counting = case.clock("COUNTY") is not None or case.level == "L4"
    return Change(
        type="rectification_breached",
        level=max(case.level, "L3"),
        clocks=() if counting else (Start(code="COUNTY"),),
        notices=(Notice(case.subdistrict, "supervision_breached", "RECTIFY"),),
    )


def to_county(case: Case[Supervision], clock: Clock, turn: Turn) -> Change:
    """Thirty days after the breach and still on the board: to the county."""
    return Change(
        type="reported_to_county", level="L4", notices=(Notice(case.county, "supervision_to_county", "RECTIFY"),)
    )


def _rectify(due_on: Any, turn: Turn) -> Start:
    today = turn.now.astimezone(CHINA).date()
    if due_on < today:
        raise GuardFailed("DAY_IN_PAST", field="due_on", clause="processes §0.3")
    longest = turn.policy.duration("clock.supervision.rectify").value
    if due_on > today + timedelta(days=longest):
        raise GuardFailed("DUE_TOO_LATE", field="due_on", clause="clock.supervision.rectify")
    return Start(code="RECTIFY", parameter="clock.supervision.rectify", duration=Duration(0, Unit.DATE, on=due_on))
