"""The office's check (审核): lists of the day for a work item, conditions for a unit; then opinions (pure)."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from workflows.admission import commands as do
from workflows.admission.data import (
    SHORT_LEAD,
    Admission,
    Closure,
    DeliveryMode,
    ListCheck,
    ListResult,
    Variant,
    Word,
)
from workflows.admission.ending import closed
from workflows.admission.filing import today
from workflows.admission.people import community_of, is_office
from workflows.kernel.amending import amend
from workflows.kernel.calendar import CHINA, Duration, Unit
from workflows.kernel.clocks import Clock, ClockOp, Meet, Start
from workflows.kernel.process import Case, Change, GuardFailed, Notice, Turn

DUTIES = ("LIST_A", "LIST_B")
NEGATIVE = "NEGATIVE"
FINANCE = "FINANCE"
LISTS = "004 §二(三)1"
ADMITTED = "004 §二(三)2"


def run_list_check(case: Case[Admission], cmd: do.RunListCheck, turn: Turn) -> Change:
    """对照两项清单: what the lists in force today say; a later version changes nothing here."""
    _only(case, Variant.WORK_ITEM, ADMITTED)
    found = turn.facts["lists_in_force"]
    check = ListCheck(
        version=found["version"], versions=found.get("versions", {}), checked_on=today(turn), hits=tuple(found["hits"])
    )
    return Change(
        type="lists_checked",
        to="LIST_CHECKED",
        sets={"list_check": check, "warnings": _lead(case)},
        clocks=(Meet(code="COMPLETENESS"),),
    )


def confirm_list_check(case: Case[Admission], cmd: do.ConfirmListCheck, turn: Turn) -> Change:
    """What the item is decides where it goes (seed 004 §二(三)1,2)."""
    banned = [one for one in turn.facts["bans"]["bans"] if one["until"] > today(turn).isoformat()]
    if banned:
        until = max(one["until"] for one in banned)
        raise GuardFailed("REAPPLY_BAN", clause="policy-packs §4 admission.reapply_ban", until=until)
    assert case.data.list_check is not None
    checked = amend(case.data.list_check, result=cmd.result, list_item=cmd.list_item)
    if cmd.result is ListResult.ON_LIST:
        return _on_list(case, cmd, checked)
    if cmd.result is ListResult.PROHIBITED:
        return _prohibited(case, cmd, checked)
    if _exact(checked, *DUTIES) and cmd.reason is None:
        # What is on a list never needs a permit; whoever says otherwise says why.
        raise GuardFailed("REASON_REQUIRED", field="reason", clause=LISTS)
    by_others = case.data.delivery_mode is not DeliveryMode.TWO_COMMITTEES
    freely = by_others and not turn.policy.flag("admission.other_modes_require_approval")
    if cmd.result is ListResult.OTHER_MODE:
        if not by_others:
            raise GuardFailed("DONE_BY_TWO_COMMITTEES", field="result", clause=ADMITTED)
        if not freely:
            raise GuardFailed("OTHER_MODES_NEED_APPROVAL", field="result", clause=ADMITTED)
        return _registered_only(case, cmd, checked, turn)
    if freely:
        raise GuardFailed("DONE_BY_OTHERS", field="result", clause=ADMITTED)
    if _exact(checked, NEGATIVE) and cmd.exception_reason is None:
        raise GuardFailed("PROHIBITED", field="exception_reason", clause=LISTS)
    notes = {"reason": cmd.reason, "exception_reason": cmd.exception_reason}
    return Change(
        type="review_began",
        to="UNDER_REVIEW",
        sets={"list_check": checked},
        clocks=(Start(code="REVIEW"), *(Start(code="OPINION", ref=code) for code in case.data.communities)),
        notices=(
            *(Notice(code, "admission_opinion_asked", "OPINION") for code in case.data.communities),
            Notice(f"role:office_reviewer@{case.data.county}", "admission_finance_opinion", "REVIEW"),
            _approver(case),
        ),
        notes={name: value for name, value in notes.items() if value},
    )


def check_conditions(case: Case[Admission], cmd: do.CheckConditions, turn: Turn) -> Change:
    """进社区基本条件 and the separation of functions (seed 000 §三(三)1)."""
    _only(case, Variant.UNIT, "000 §三(三)1")
    if not cmd.met and not cmd.unmet:
        raise GuardFailed("NO_CONDITION_CHECKED", field="met", clause="000 §三(三)1")
    sets: dict[str, Any] = {
        "conditions_met": cmd.met,
        "conditions_unmet": cmd.unmet,
        "function_split": cmd.function_split,
        "warnings": _lead(case),
    }
    if cmd.unmet:
        return closed(
            case,
            Closure.REJECTED,
            told="admission_rejected",
            type="rejected",
            sets={**sets, "rejection_clause": "000 §三(三)1"},
            clocks=(Meet(code="COMPLETENESS"), *reconsideration(case)),
        )
    return Change(
        type="review_began",
        to="UNDER_REVIEW",
        sets=sets,
        clocks=(Meet(code="COMPLETENESS"), Start(code="REVIEW")),
        notices=(_approver(case),),
    )


def give_opinion(case: Case[Admission], cmd: do.GiveOpinion, turn: Turn) -> Change:
    """意见: of a community about itself, of finance through the office."""
    whose = FINANCE if is_office(turn) else community_of(case, cmd.community, turn)
    word = Word(opinion=cmd.opinion, text=cmd.text, by=turn.actor.id, at=turn.now)
    return Change(
        type="opinion_given",
        puts={"opinions": {whose: word}},
        clocks=() if whose == FINANCE else (Meet(code="OPINION", ref=whose),),
    )


def planned_end(case: Case[Admission], clock: Clock, turn: Turn) -> Change:
    """The registered work of the department's own people has come to its planned end."""
    return closed(case, Closure.COMPLETED, told="admission_completed")


# --- results of the list check ----------------------------------------------------------------------------


def _on_list(case: Case[Admission], cmd: do.ConfirmListCheck, checked: ListCheck) -> Change:
    listed = {hit["item_code"]: hit for hit in _hits(checked, *DUTIES)}
    if cmd.list_item not in listed:
        raise GuardFailed("NOT_ON_LIST", field="list_item", clause=LISTS)
    hit = listed[cmd.list_item]
    notes = {key: hit[key] for key in ("list_type", "item_code", "funding_note", "legal_basis") if hit.get(key)}
    # LIST_B: "应当为社区提供必要的经费和工作条件".
    told = "admission_on_list_b" if hit["list_type"] == "LIST_B" else "admission_on_list_a"
    sets = {"list_check": checked}
    return closed(case, Closure.NOT_REQUIRED, told=told, sets=sets, notes={**notes, "version": checked.version})


def _prohibited(case: Case[Admission], cmd: do.ConfirmListCheck, checked: ListCheck) -> Change:
    if not _hits(checked, NEGATIVE) and cmd.reason is None:
        raise GuardFailed("REASON_REQUIRED", field="reason", clause=LISTS)
    return closed(
        case,
        Closure.REJECTED_PROHIBITED,
        told="admission_rejected",
        type="rejected",
        sets={"list_check": checked, "rejection": cmd.reason, "rejection_clause": LISTS},
        clocks=reconsideration(case),
        notes={"clause": LISTS},
    )


def _registered_only(case: Case[Admission], cmd: do.ConfirmListCheck, checked: ListCheck, turn: Turn) -> Change:
    until = case.data.planned_until
    assert until is not None
    days = max(1, (until - today(turn)).days)
    return Change(
        type="registered_only",
        to="REGISTERED_ONLY",
        sets={"list_check": checked, "valid_until": until, "term_days": days},
        clocks=(Start(code="TERM", duration=Duration(days, Unit.CALENDAR_DAYS)),),
        notices=tuple(
            Notice(to, "admission_registered_only") for to in (case.data.applicant_org, *case.data.communities)
        ),
        notes={"reason": cmd.reason} if cmd.reason else {},
    )


# --- parts ------------------------------------------------------------------------------------------------


def reconsideration(case: Case[Admission]) -> tuple[ClockOp, ...]:
    """The time in which a rejected applicant may ask once more; none after that was used."""
    return () if case.data.reconsidered else (Start(code="RECONSIDER"),)


def _only(case: Case[Admission], variant: Variant, clause: str) -> None:
    if case.data.variant is not variant:
        raise GuardFailed("OTHER_VARIANT", clause=clause)


def _hits(check: ListCheck, *types: str) -> tuple[Mapping[str, Any], ...]:
    return tuple(hit for hit in check.hits if hit["list_type"] in types)


def _exact(check: ListCheck, *types: str) -> bool:
    """Say whether an entry has the item's very words; near wording is for the reviewer to look at."""
    return any(hit.get("exact", True) for hit in _hits(check, *types))


def _approver(case: Case[Admission]) -> Notice:
    role, place = (
        ("office_reviewer", case.data.county)
        if case.data.office_approves
        else ("leading_group_approver", case.community)
    )
    return Notice(f"role:{role}@{place}", "admission_review", "REVIEW")


def _lead(case: Case[Admission]) -> tuple[str, ...]:
    """A planned start less than thirty working days after the application is a warning, no more."""
    clock = case.clock("COMPLETENESS")
    planned: date | None = case.data.planned_from
    warnings = tuple(one for one in case.data.warnings if one != SHORT_LEAD)
    if clock is None or not clock.limits or planned is None:
        return warnings
    earliest = (clock.limits[0] - timedelta(microseconds=1)).astimezone(CHINA).date()
    return warnings if planned >= earliest else (*warnings, SHORT_LEAD)
