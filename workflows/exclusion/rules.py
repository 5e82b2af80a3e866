"""Commands and rules of an exclusion (剔除与申诉): a figure leaves a case out by a decision, never silently (pure)."""

from typing import Annotated

from workflows.exclusion.data import Exclusion, Figure, Ruling
from workflows.kernel.clocks import Clock, Start
from workflows.kernel.fields import Attachment, CaseRef, Field, Prose
from workflows.kernel.process import Case, Change, GuardFailed, Notice, Turn, command
from workflows.kernel.roles import Role

Evidence = Annotated[tuple[str, ...], Attachment("证据", "Evidence", longest=20)]
DocumentNo = Annotated[str | None, Field("文号", "Document number", shortest=1, longest=60)]


@command("提出剔除", "Exclude a case from a figure")
class Exclude:
    """A supervisor takes a case out of a figure with reason and document; an organisation asks for it (申诉)."""

    subject_id: Annotated[str, CaseRef("事项", "Case")]
    figure: Annotated[Figure, Field("指标", "Figure")]
    reason: Annotated[str, Prose("理由", "Reason")]
    document_no: DocumentNo = None
    evidence: Evidence = ()


@command("裁定", "Decide")
class Decide:
    """The street, or on an appeal the county, says whether the case counts."""

    outcome: Annotated[Ruling, Field("裁定", "Outcome")]
    reason: Annotated[str, Prose("理由", "Reason")]
    document_no: DocumentNo = None


@command("申诉", "Appeal")
class Appeal:
    """Whoever the ruling is against asks the county (申诉)."""

    reason: Annotated[str, Prose("理由", "Reason")]
    evidence: Evidence = ()


def open_exclusion(case: Case[Exclusion], cmd: Exclude, turn: Turn) -> Change:
    """By a supervisor it counts at once; by an organisation it waits for the street."""
    subject = turn.facts["subject_id"]
    by_supervisor = turn.grant.role == Role.SUPERVISOR
    if by_supervisor and cmd.document_no is None:
        raise GuardFailed("DOCUMENT_REQUIRED", field="document_no", clause="glossary §7")
    org = subject.get("lead_org") if by_supervisor else turn.grant.org
    ruled = {"excluded": True, "ruled_by": turn.actor.id, "ruled_at": turn.now} if by_supervisor else {}
    to = org or case.community
    return Change(
        to="EXCLUDED" if by_supervisor else "REQUESTED",
        title=subject["number"],
        level="L3",
        sets={
            "subject_type": subject["process"],
            "subject_id": subject["id"],
            "subject_number": subject["number"],
            "figure": cmd.figure,
            "reason": cmd.reason,
            "document_no": cmd.document_no,
            "evidence": cmd.evidence,
            "org": org,
            "asked_by": turn.actor.id,
            **ruled,
        },
        clocks=(Start(code="APPEAL" if by_supervisor else "DECIDE"),),
        notices=(Notice(to if by_supervisor else case.subdistrict, "exclusion_opened"),),
    )


def may_decide(case: Case[Exclusion], turn: Turn) -> None:
    """Nobody decides what he has asked for, or an appeal against himself (processes §0.1)."""
    data = case.data
    on_appeal = (data.ruled_by, data.appealed_by) if case.state == "APPEALED" else ()
    if turn.actor.id in (data.asked_by, *on_appeal):
        raise GuardFailed("SEGREGATION", clause="processes §0.1")


def decide(case: Case[Exclusion], cmd: Decide, turn: Turn) -> Change:
    """The first ruling may be appealed; that of the county is the last."""
    excluded = cmd.outcome is Ruling.EXCLUDE
    final = case.state == "APPEALED"
    position = "EXCLUDED" if excluded else "KEPT"
    return Change(
        to=f"{position}:FINAL" if final else position,
        sets={"excluded": excluded, "ruled_by": turn.actor.id, "ruled_at": turn.now, "final": final}
        | ({"document_no": cmd.document_no} if cmd.document_no else {}),
        clocks=() if final else (Start(code="APPEAL"),),
        notices=(Notice(case.data.org or case.community, "exclusion_decided"),),
        notes={"outcome": cmd.outcome, "reason": cmd.reason},
    )


def may_appeal(case: Case[Exclusion], turn: Turn) -> None:
    """Whoever made the ruling does not appeal against it; the time for it ends with the position."""
    if turn.actor.id == case.data.ruled_by:
        raise GuardFailed("SEGREGATION", clause="processes §0.1")


def appeal(case: Case[Exclusion], cmd: Appeal, turn: Turn) -> Change:
    """The ruling counts until the county has decided."""
    return Change(
        to="APPEALED",
        level="L4",
        sets={"appealed_by": turn.actor.id, "evidence": case.data.evidence + cmd.evidence},
        notices=(Notice(case.county, "exclusion_appealed", "DECIDE"),),
        notes={"reason": cmd.reason},
    )


def settled(case: Case[Exclusion], clock: Clock, turn: Turn) -> Change:
    """Nobody has appealed in time."""
    return Change(type="settled", to=f"{case.state}:FINAL", sets={"final": True})
