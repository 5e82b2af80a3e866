"""Commands and rules of a supervision order (督办单): whoever gets one owes a reply (pure; processes §0.4)."""

from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from workflows.kernel.calendar import CHINA, Duration, Unit
from workflows.kernel.clocks import Start
from workflows.kernel.fields import Attachment, CaseRef, Field, Organization, Prose
from workflows.kernel.process import Case, Change, GuardFailed, Notice, Turn, command
from workflows.kernel.roles import Role
from workflows.supervision_order.data import OrderColor, SupervisionOrder

REPLY = "clock.supervision.reply"
Evidence = Annotated[tuple[str, ...], Attachment("证据", "Evidence", longest=20)]
DueOn = Annotated[date | None, Field("回复期限", "Reply by")]


@command("下达督办单", "Issue a supervision order")
class IssueOrder:
    """A supervisor reminds, warns or demands, and wants a reply (督办单); an issue that is late sends one by itself."""

    asked_of_people: ClassVar = ("text",)
    kept_from_people: ClassVar = ("community_code", "title", "number", "clock")

    subject_id: Annotated[str, CaseRef("督办事项", "Case")]
    color: Annotated[OrderColor, Field("颜色", "Colour")]
    responsible_org: Annotated[str | None, Organization("责任单位", "Responsible organisation")] = None
    text: Annotated[str | None, Prose("督办要求", "What is demanded")] = None
    due_on: DueOn = None
    community_code: Annotated[str | None, Field("社区", "Community", longest=12)] = None
    title: Annotated[str | None, Field("标题", "Title", longest=120)] = None
    number: Annotated[str, Field("编号", "Number", longest=40)] = ""
    clock: Annotated[str, Field("时限", "Clock", longest=40)] = ""


@command("回复督办单", "Reply to the order")
class Reply:
    """What has been done, or will be until when."""

    text: Annotated[str, Prose("回复", "Reply")]
    evidence: Evidence = ()


@command("认可回复", "Accept the reply")
class AcceptReply:
    """The reply will do."""


@command("退回回复", "Return the reply")
class ReturnReply:
    """The reply does not answer what was asked; another one is owed."""

    reason: Annotated[str, Prose("理由", "Reason")]
    due_on: DueOn = None


@command("撤销督办单", "Withdraw the order", name="withdraw")
class WithdrawOrder:
    """It is no longer needed, or was a mistake."""

    reason: Annotated[str, Prose("理由", "Reason")]


@command("督办事项了结", "The case is settled", name="subject_settled")
class SubjectSettled:
    """The matter is solved, or a later order takes the place of this one; sent by that case."""

    why: Annotated[Literal["SOLVED", "SUPERSEDED"], Field("缘由", "Why")]


def issue(case: Case[SupervisionOrder], cmd: IssueOrder, turn: Turn) -> Change:
    """To whoever is responsible for the case; no order on what is closed."""
    subject = _told(cmd) if turn.grant.role == Role.SYSTEM else turn.facts["subject_id"]
    if subject["closed"]:
        raise GuardFailed("SUBJECT_CLOSED", field="subject_id", clause="processes §0.4")
    responsible = cmd.responsible_org or subject.get("lead_org")
    return Change(
        to="ISSUED",
        title=subject["title"],
        level="L3",
        sets={
            "color": cmd.color,
            "subject_type": subject["process"],
            "subject_id": subject["id"],
            "subject_number": subject["number"],
            "responsible_org": responsible,
            "text": cmd.text,
            "clock": cmd.clock,
            "due_on": cmd.due_on,
            "issued_by": turn.actor.id,
            "issued_at": turn.now,
        },
        clocks=(_until(cmd.due_on, turn),),
        notices=(Notice(responsible or case.community, f"order_{cmd.color.value.lower()}", "REPLY"),),
    )


def _told(cmd: IssueOrder) -> dict[str, Any]:
    """What the late issue says of itself."""
    said = {"process": "issue", "id": cmd.subject_id, "number": cmd.number, "title": cmd.title or ""}
    return {**said, "closed": False, "lead_org": cmd.responsible_org}


def reply(case: Case[SupervisionOrder], cmd: Reply, turn: Turn) -> Change:
    """Answered; the supervisor looks at it."""
    return Change(
        to="REPLIED",
        sets={
            "reply": cmd.text,
            "evidence": case.data.evidence + cmd.evidence,
            "replied_by": turn.actor.id,
            "replied_at": turn.now,
            "replies": case.data.replies + 1,
        },
        notices=(Notice(case.subdistrict, "order_replied"),),
    )


def may_judge(case: Case[SupervisionOrder], turn: Turn) -> None:
    """Nobody judges his own reply (processes §0.1)."""
    if turn.actor.id == case.data.replied_by:
        raise GuardFailed("SEGREGATION", clause="processes §0.1")


def accept(case: Case[SupervisionOrder], cmd: AcceptReply, turn: Turn) -> Change:
    """The order is settled."""
    return Change(to="CLOSED:ACCEPTED", sets={"accepted_by": turn.actor.id})


def return_reply(case: Case[SupervisionOrder], cmd: ReturnReply, turn: Turn) -> Change:
    """Owed again, with a new time."""
    return Change(
        to="ISSUED",
        sets={"due_on": cmd.due_on},
        clocks=(_until(cmd.due_on, turn),),
        notices=(Notice(case.data.responsible_org or case.community, "order_returned", "REPLY"),),
        notes={"reason": cmd.reason},
    )


def withdraw(case: Case[SupervisionOrder], cmd: WithdrawOrder, turn: Turn) -> Change:
    """Nothing is owed any more."""
    return Change(to="CLOSED:WITHDRAWN", notes={"reason": cmd.reason})


def settle(case: Case[SupervisionOrder], cmd: SubjectSettled, turn: Turn) -> Change:
    """Nobody writes replies about what is solved already (processes §0.8)."""
    return Change(to="CLOSED:SETTLED", notes={"why": cmd.why})


def settled_already(case: Case[SupervisionOrder], cmd: SubjectSettled, turn: Turn) -> Change:
    """Answered or withdrawn before."""
    return Change(notes={"why": cmd.why})


def _until(due_on: Any, turn: Turn) -> Start:
    """Until the day that is named, else as long as the pack says."""
    if due_on is None:
        return Start(code="REPLY")
    if due_on < turn.now.astimezone(CHINA).date():
        raise GuardFailed("DAY_IN_PAST", field="due_on", clause="processes §0.3")
    return Start(code="REPLY", parameter=REPLY, duration=Duration(0, Unit.DATE, on=due_on))
