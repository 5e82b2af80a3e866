"""Commands and rules of an objection (公示异议): heard in confidence, by somebody without interest (pure; §0.6)."""

from dataclasses import dataclass
from typing import Annotated, Any

from workflows.kernel.fields import Attachment, CaseRef, Contact, Field, Person, Prose
from workflows.kernel.process import Case, Change, Effect, GuardFailed, Notice, Turn, command
from workflows.objection.data import PUBLIC, Objection, Outcome

OPEN_TO_OBJECTIONS = ("RUNNING", "INTERRUPTED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Objector:
    """Who objects, and how he is reached (异议人)."""

    name: Annotated[str, Field("姓名", "Name", shortest=1, longest=50)]
    phone: Annotated[str | None, Field("电话", "Phone", longest=30)] = None
    wants_reply: Annotated[bool, Field("需要答复", "Wants a reply")] = True


@command("提出异议", "Object to a notice", name="object")
class Object:
    """Somebody says, with his name or with a lead that can be checked, why what is on notice should not be."""

    notice: Annotated[str, CaseRef("公示", "Notice", process="notice")]
    about: Annotated[str | None, Field("异议对象", "About", longest=64)] = None
    ground: Annotated[str, Prose("异议理由", "Ground")]
    evidence: Annotated[tuple[str, ...], Attachment("证据", "Evidence", longest=20)] = ()
    objector: Annotated[Objector | None, Contact("异议人", "Objector")] = None


@command("指定调查人", "Name the investigator")
class Assign:
    """Somebody without interest looks into it."""

    investigator: Annotated[str, Person("调查人", "Investigator")]


@command("答复异议", "Resolve the objection")
class Resolve:
    """What was found, and the answer to the objector."""

    outcome: Annotated[Outcome, Field("结论", "Outcome")]
    answer: Annotated[str, Prose("答复", "Answer")]
    evidence: Annotated[tuple[str, ...], Attachment("证据", "Evidence", longest=20)] = ()


@command("撤回异议", "Withdraw the objection", name="withdraw")
class Withdraw:
    """The objector no longer holds to it."""

    reason: Annotated[str | None, Prose("理由", "Reason")] = None


def raise_objection(case: Case[Objection], cmd: Object, turn: Turn) -> Change:
    """Inside the period of the notice; the notice hears against what, not from whom."""
    notice = turn.facts["objected_notice"]
    if notice["state"] not in OPEN_TO_OBJECTIONS:
        raise GuardFailed("NOTICE_NOT_RUNNING", field="notice", clause="processes §0.6")
    if cmd.about is not None and cmd.about not in notice["about"]:
        raise GuardFailed("NOT_ON_NOTICE", field="about", clause="processes §0.6")
    named = cmd.objector is not None
    has_account = turn.actor.id != PUBLIC
    if not named and not has_account:
        raise GuardFailed("OBJECTOR_REQUIRED", field="objector", clause="processes §0.6")
    account = turn.actor.id if has_account else None
    return Change(
        to="OPEN",
        title=notice["number"],
        level="L3",
        sets={
            "notice": notice["id"],
            "community": notice["community"],
            "about": cmd.about,
            "ground": cmd.ground,
            "evidence": cmd.evidence,
            "reporter": cmd.objector,
            "reporter_id": account,
            "submitted_by": account,
            "interested": tuple(dict.fromkeys((*notice["interested"], notice["posted_by"]))),
        },
        effects=(_tell(notice["id"], turn, "objection_raised", objection=case.id, about=cmd.about),),
        notices=(Notice(case.community, "objection_raised", "OBJECTION"),),
    )


def may_resolve(case: Case[Objection], turn: Turn) -> None:
    """Who objected, who posted the notice and whom it is about never answer it (processes §0.1 d)."""
    if _has_interest(case, turn.actor.id):
        raise GuardFailed("SEGREGATION", clause="processes §0.1")


def assign(case: Case[Objection], cmd: Assign, turn: Turn) -> Change:
    """Handed to somebody without interest, who may then know of it."""
    if _has_interest(case, cmd.investigator):
        raise GuardFailed("SEGREGATION", field="investigator", clause="processes §0.1")
    return Change(
        sets={"investigator": cmd.investigator},
        notices=(Notice(f"person:{cmd.investigator}", "objection_assigned", "OBJECTION"),),
    )


def resolve(case: Case[Objection], cmd: Resolve, turn: Turn) -> Change:
    """Upheld or dismissed; the objector is told, the notice only hears the outcome."""
    outcome = {"objection": case.id, "about": case.data.about, "outcome": cmd.outcome.value}
    objector = case.data.reporter_id
    return Change(
        to=f"CLOSED:{cmd.outcome.value}",
        sets={
            "outcome": cmd.outcome,
            "answer": cmd.answer,
            "answered_at": turn.now,
            "resolved_by": turn.actor.id,
            "evidence": case.data.evidence + cmd.evidence,
        },
        effects=(_tell(case.data.notice, turn, "objection_resolved", **outcome),),
        notices=(Notice(f"person:{objector}", "objection_answered"),) if objector else (),
    )


def withdraw(case: Case[Objection], cmd: Withdraw, turn: Turn) -> Change:
    """Nothing is objected to any more."""
    gone = {"objection": case.id, "about": case.data.about, "outcome": Outcome.DISMISSED.value}
    return Change(
        to="CLOSED:WITHDRAWN",
        effects=(_tell(case.data.notice, turn, "objection_resolved", **gone),),
        notes={"reason": cmd.reason} if cmd.reason else {},
    )


def _has_interest(case: Case[Objection], person: str) -> bool:
    return person in (case.data.reporter_id, *case.data.interested)


def _tell(notice: str, turn: Turn, command: str, **fields: Any) -> Effect:
    return Effect("TELL", "notice", notice, command, fields, turn.now)
