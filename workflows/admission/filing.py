"""The application (申请): submitted, corrected, withdrawn; or first an entry in an emergency (pure)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from workflows.admission import commands as do
from workflows.admission.data import FOUR_CANCELLATIONS, Admission, Closure, Instalment, Means, Variant
from workflows.admission.ending import closed
from workflows.admission.people import APPLICANT_ROLES
from workflows.kernel.calendar import CHINA
from workflows.kernel.clocks import Clock, Meet, Pause, Resume, Start
from workflows.kernel.process import Case, Change, Forbidden, GuardFailed, Notice, Turn

CITY, COUNTY = 4, 6
DEPARTMENT = "DEPARTMENT"
NOT_UNITS = ("RESIDENT_COMMITTEE", "PARTY_ORG", "OWNERS_COMMITTEE", "SUBDISTRICT_OFFICE")
FIELDS = (
    "item_name",
    "basis",
    "need_reason",
    "content",
    "delivery_mode",
    "communities",
    "planned_from",
    "planned_until",
    "staffing",
    "training",
    "hours_month",
    "ledgers_required",
    "ledgers_derived",
    "expected_result",
    "exit_condition",
)


def today(turn: Turn) -> date:
    """The day of the turn in Beijing."""
    return turn.now.astimezone(CHINA).date()


def place(command: Any, facts: Mapping[str, Any]) -> str:
    """The region whose leading group decides: the city for its departments, else the county (seed 004 §二(三)2)."""
    org = facts.get("organizations", {}).get(command.applicant_org, {})
    return str(command.communities[0][: CITY if org.get("level") == "CITY" else COUNTY])


def submit(case: Case[Admission], cmd: do.Submit, turn: Turn) -> Change:
    """提交: the office has five working days to see whether it is complete; or, in an emergency, enter first."""
    org = _applicant(cmd, turn)
    _admitted(cmd.variant, org, turn)
    emergency = case.state == "" and cmd.emergency_basis is not None
    if emergency and not turn.policy.flag("admission.emergency_entry"):
        raise GuardFailed("EMERGENCY_ENTRY_OFF", field="emergency_basis", clause=_clause(turn, "emergency_entry"))
    if case.state and (cmd.applicant_org, cmd.variant) != (case.data.applicant_org, case.data.variant):
        raise GuardFailed("OTHER_APPLICATION", field="applicant_org", clause="practice R11")
    _place_and_time(cmd.communities, cmd.planned_from, cmd.planned_until, org, turn)
    banned = [one for one in turn.facts["bans"]["bans"] if one["until"] > today(turn).isoformat()]
    if banned:
        until = max(one["until"] for one in banned)
        raise GuardFailed("REAPPLY_BAN", field="applicant_org", clause=_clause(turn, "reapply_ban"), until=until)
    sets: dict[str, Any] = {name: getattr(cmd, name) for name in FIELDS}
    sets |= {
        "variant": cmd.variant,
        "applicant_org": cmd.applicant_org,
        "applicant_level": org["level"],
        "submitted_by": turn.actor.id,
        "submitted_at": turn.now,
        "evidence": cmd.evidence,
        "emergency_basis": cmd.emergency_basis or case.data.emergency_basis,
        "office_approves": cmd.variant is Variant.UNIT
        and turn.policy.text("admission.approver") == "LEADING_GROUP_OFFICE",
        "office_revokes": turn.policy.text("admission.revoker") == "LEADING_GROUP_OFFICE",
        "warnings": _warnings(case.data.warnings, cmd.ledgers_required, cmd.ledgers_derived, turn),
    }
    puts = {}
    if cmd.funding is not None:
        sets["funding"] = means(cmd.funding)
        puts["instalments"] = plan(case.data, cmd.funding)
    if emergency:
        return Change(
            type="emergency_asked",
            to="EMERGENCY_ASKED",
            title=cmd.item_name,
            level="L4",
            sets=sets,
            puts=puts,
            notices=(Notice(case.community, "admission_emergency_asked"),),
        )
    county = cmd.communities[0][:COUNTY]
    return Change(
        type="submitted",
        to="SUBMITTED",
        title=cmd.item_name,
        level="L4",
        sets=sets,
        puts=puts,
        clocks=(
            Meet(code="LATE_FILE"),
            # Whether the application came early enough is known where the calendar is.
            Start(code="COMPLETENESS", limits=(turn.policy.duration("admission.lead"),)),
        ),
        notices=(Notice(f"role:office_reviewer@{county}", "admission_submitted", "COMPLETENESS"),),
    )


def confirm_emergency(case: Case[Admission], cmd: do.ConfirmEmergency, turn: Turn) -> Change:
    """先进后批: the department goes in and files within five working days."""
    if not cmd.approve:
        if cmd.reason is None:
            raise GuardFailed("REASON_REQUIRED", field="reason", clause="practice R11")
        sets = {"rejection": cmd.reason, "rejection_clause": "practice R11"}
        return closed(case, Closure.REJECTED, sets=sets, told="admission_rejected", type="emergency_refused")
    return Change(
        type="entered_provisionally",
        to="ACTIVE_PROVISIONAL",
        sets={"provisional": True, "entered_at": turn.now},
        clocks=(Start(code="LATE_FILE"),),
        notices=tuple(
            Notice(to, "admission_provisional", "LATE_FILE") for to in (case.data.applicant_org, *case.data.communities)
        ),
        notes={"reason": cmd.reason} if cmd.reason else {},
    )


def not_filed(case: Case[Admission], clock: Clock, turn: Turn) -> Change:
    """No file in time: the entry lapses and the communities may refuse (S42)."""
    return closed(case, Closure.LAPSED, told="admission_lapsed")


def request_correction(case: Case[Admission], cmd: do.RequestCorrection, turn: Turn) -> Change:
    """补正通知: all gaps at once, hence only once."""
    if case.data.corrections:
        raise GuardFailed("GAPS_TOLD_ALREADY", field="gaps", clause="processes P4")
    return Change(
        type="correction_requested",
        to="CORRECTION",
        sets={"gaps": cmd.gaps, "corrections": case.data.corrections + 1},
        clocks=(Pause(code="COMPLETENESS", why="CORRECTION"),),
        notices=(Notice(case.data.applicant_org, "admission_correction", "APPLICANT"),),
    )


def resubmit(case: Case[Admission], cmd: do.Resubmit, turn: Turn) -> Change:
    """The corrected file; the office's time runs on with what is left of it."""
    data = case.data
    given = {name: value for name in FIELDS if (value := getattr(cmd, name)) is not None}
    communities = given.get("communities", data.communities)
    if communities[0][:COUNTY] != data.county:
        raise GuardFailed("SEVERAL_COUNTIES", field="communities", clause="004 §二(三)1")
    if {"communities", "planned_from", "planned_until"} & given.keys():
        begins, ends = cmd.planned_from or data.planned_from, cmd.planned_until or data.planned_until
        assert begins is not None
        assert ends is not None
        _place_and_time(communities, begins, ends, None, turn)
    puts = {}
    if cmd.funding is not None:
        given["funding"] = means(cmd.funding)
        puts["instalments"] = plan(data, cmd.funding)
    if cmd.evidence:
        given["evidence"] = data.evidence + cmd.evidence
    asked, derived = given.get("ledgers_required", data.ledgers_required), given.get("ledgers_derived")
    given["warnings"] = _warnings(data.warnings, asked, data.ledgers_derived if derived is None else derived, turn)
    return Change(
        type="resubmitted",
        to="SUBMITTED",
        title=given.get("item_name", ""),
        sets=given,
        puts=puts,
        clocks=(Resume(code="COMPLETENESS"),),
        notices=(Notice(f"role:office_reviewer@{data.county}", "admission_submitted", "COMPLETENESS"),),
    )


def not_corrected(case: Case[Admission], clock: Clock, turn: Turn) -> Change:
    """Nothing came within the time for a correction."""
    return closed(case, Closure.LAPSED, told="admission_lapsed")


def withdraw(case: Case[Admission], cmd: do.Withdraw, turn: Turn) -> Change:
    """撤回: before the permit is in force."""
    return closed(case, Closure.WITHDRAWN, told="admission_withdrawn")


# --- money -------------------------------------------------------------------------------------------------


def means(funding: do.Funding) -> Means:
    """The money without its plan; what is to be paid may not be more than there is."""
    if sum(one.amount for one in funding.instalments) > funding.amount + 0.005:
        raise GuardFailed("INSTALMENTS_ABOVE_AMOUNT", field="funding.instalments", clause="004 §二(三)2")
    return Means(source=funding.source, amount=funding.amount)


def plan(data: Admission, funding: do.Funding) -> dict[str, Instalment | None]:
    """The instalments by number; those of an earlier plan fall away."""
    return {
        **dict.fromkeys(data.instalments),
        **{
            str(number): Instalment(amount=one.amount, due_on=one.due_on)
            for number, one in enumerate(funding.instalments, start=1)
        },
    }


# --- guards ------------------------------------------------------------------------------------------------


def _clause(turn: Turn, key: str) -> str:
    return str(turn.policy.parameter(f"admission.{key}").clause or f"policy-packs §4 admission.{key}")


def _applicant(cmd: do.Submit, turn: Turn) -> Mapping[str, Any]:
    """What is known of the applicant; only its own people apply for it."""
    if turn.grant.role in APPLICANT_ROLES and turn.grant.org != cmd.applicant_org:
        raise Forbidden("NOT_IN_ROLE", field="applicant_org")
    org: Mapping[str, Any] = turn.facts["organizations"][cmd.applicant_org]
    return org


def _admitted(variant: Variant, org: Mapping[str, Any], turn: Turn) -> None:
    if not turn.policy.flag("admission.enabled") or variant.value not in turn.policy.words("admission.subject"):
        raise GuardFailed("VARIANT_NOT_ADMITTED", field="variant", clause=_clause(turn, "subject"))
    if org["type"] in NOT_UNITS or (variant is Variant.WORK_ITEM and org["type"] != DEPARTMENT):
        raise GuardFailed("NOT_AN_APPLICANT", field="applicant_org", clause=_clause(turn, "subject"))


def _place_and_time(
    communities: tuple[str, ...], begins: date, ends: date, org: Mapping[str, Any] | None, turn: Turn
) -> None:
    if len({code[:COUNTY] for code in communities}) > 1:
        raise GuardFailed("SEVERAL_COUNTIES", field="communities", clause="004 §二(三)1")
    region = str(org.get("region", "")) if org is not None and org["type"] == DEPARTMENT else ""
    if not all(code.startswith(region) for code in communities):
        raise GuardFailed("OUTSIDE_DEPARTMENT", field="communities", clause="004 §二(三)2")
    if ends < begins:
        raise GuardFailed("ENDS_BEFORE_IT_BEGINS", field="planned_until", clause="000 §三(三)1")
    if ends <= today(turn):
        raise GuardFailed("DAY_IN_PAST", field="planned_until", clause="000 §三(三)1")


def _warnings(before: tuple[str, ...], ledgers: tuple[str, ...], derived: bool, turn: Turn) -> tuple[str, ...]:
    """What the reviewer must look at: ledgers that the community would have to keep (S43)."""
    kept = tuple(one for one in before if one != FOUR_CANCELLATIONS)
    asks = bool(ledgers) and not derived and turn.policy.flag("four_cancellations")
    return (*kept, FOUR_CANCELLATIONS) if asks else kept
