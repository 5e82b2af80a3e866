"""Rules of a round of collection (排摸征集): one valid round a month, never back-dated (pure; seed 001 §四1)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from workflows.kernel.clocks import Clock, Meet, Start
from workflows.kernel.periods import beginning_of, clock_until, day_of_period, period_of
from workflows.kernel.process import Case, Change, Effect, GuardFailed, Notice, Turn, derived_id
from workflows.kernel.roles import Role
from workflows.round import commands as do
from workflows.round.data import Drawn, Entry, Round, Visit, VisitKind

MONTH = "clock.round.month"
REMIND = "round.remind_days"
REMINDED = (Role.CWC_CHAIR, Role.PARTY_SECRETARY)
"""Whom the first and the second reminder go to (processes P2)."""


# --- the month ----------------------------------------------------------------------------------------------


def plan(case: Case[Round], cmd: do.PlanRound, turn: Turn) -> Change:
    """A round begins in its own month only; two of them in a month know of each other."""
    by_hand = turn.grant.role != Role.SYSTEM
    month = _this_month(cmd.month, turn) if by_hand else cmd.month
    known: Mapping[str, Any] = {"rounds": cmd.siblings, "valid": cmd.covered}
    if by_hand:
        known = turn.facts["rounds_of_month"]
    siblings = tuple(known["rounds"])
    start = beginning_of(month)
    length = turn.policy.duration(MONTH)
    return Change(
        to="PLANNED",
        title=month,
        sets={
            "month": month,
            "extra": by_hand,
            "priority": cmd.priority,
            "siblings": siblings,
            "covered": bool(known["valid"]),
        },
        # The window speaks first at the same moment: what is valid then is met, everything else is breached.
        clocks=(
            Start(code="MONTH_END", duration=length, parameter=MONTH, since=start),
            Start(code="MONTH", duration=length, parameter=MONTH, since=start),
            *_reminders(month, turn),
        ),
        effects=tuple(_tell(one, turn, "sibling_planned", case) for one in siblings),
        notices=(Notice(f"role:{Role.CWC_CHAIR}@{case.community}", "round_planned", "MONTH"),),
    )


def _this_month(month: str, turn: Turn) -> str:
    """The month that goes on, however short a drill makes it; no other one can be collected in."""
    now = period_of(turn.now, "MONTH", turn.policy.scale)
    if month in (now, period_of(turn.now, "MONTH")):
        return now
    if month < now:
        raise GuardFailed("BACKDATED", field="month", clause="001 §四1")
    raise GuardFailed("MONTH_NOT_BEGUN", field="month", clause="001 §四1")


def _reminders(month: str, turn: Turn) -> tuple[Start, ...]:
    """Reminders that still lie ahead."""
    days = [int(day) for day in turn.policy.span(REMIND)]
    moments = {str(day): day_of_period(month, day, turn.policy.scale) for day in days}
    return tuple(
        clock_until("REMIND", at, turn.now, REMIND, scale=turn.policy.scale, ref=day)
        for day, at in moments.items()
        if at > turn.now
    )


def remind(case: Case[Round], clock: Clock, turn: Turn) -> Change:
    """Day 20 to the chair, day 25 to the secretary, as long as the month has no valid round."""
    days = [str(int(day)) for day in turn.policy.span(REMIND)]
    if case.data.valid or case.data.covered:
        return Change(type="reminder_not_needed")
    who = REMINDED[min(days.index(clock.ref), 1)] if clock.ref in days else REMINDED[0]
    return Change(type="reminded", notices=(Notice(f"role:{who}@{case.community}", "round_reminder", "MONTH"),))


def month_ends(case: Case[Round], clock: Clock, turn: Turn) -> tuple[Change, ...] | Change:
    """Closed by the calendar when the month has a valid round; otherwise the duty is breached in the same moment."""
    if not (case.data.valid or case.data.covered):
        return ()
    if case.state == "PLANNED":
        return Change(type="not_needed", to="CLOSED:NOT_NEEDED")
    return Change(
        type="closed_by_calendar",
        to="CONSOLIDATING",
        sets={"closed_by_calendar": True, "collected_at": turn.now},
        clocks=(Meet(code="MONTH"), Start(code="CONSOLIDATE")),
        notices=(Notice(case.community, "round_collected", "CONSOLIDATE"),),
    )


def missed(case: Case[Round], clock: Clock, turn: Turn) -> Change:
    """No valid round in the month: that stays so, whatever is entered later (S26)."""
    return Change(type="missed", to="MISSED", notices=(Notice(case.subdistrict, "round_missed"),))


def waive(case: Case[Round], cmd: do.Waive, turn: Turn) -> Change:
    """ "原则上" allows it in an emergency of level III or higher, or by a numbered order of the street (S27)."""
    if not cmd.order_no and not turn.facts["emergency"]["active"]:
        raise GuardFailed("NO_EMERGENCY", field="order_no", clause="001 §四1")
    return Change(to="WAIVED", sets={"order_no": cmd.order_no}, notes={"reason": cmd.reason})


def sibling_planned(case: Case[Round], cmd: do.SiblingPlanned, turn: Turn) -> Change:
    """It must hear when this round becomes valid, or has become so."""
    siblings = tuple(dict.fromkeys((*case.data.siblings, cmd.round)))
    told = (_tell(cmd.round, turn, "sibling_valid", case),) if case.data.valid else ()
    return Change(sets={"siblings": siblings}, effects=told)


def sibling_valid(case: Case[Round], cmd: do.SiblingValid, turn: Turn) -> Change:
    """The month is covered; the round may go on."""
    return Change(sets={"covered": True})


# --- collecting ---------------------------------------------------------------------------------------------


def open_round(case: Case[Round], cmd: do.OpenRound, turn: Turn) -> Change:
    """Every grid has a collector (soft); households and units are drawn by lot (随机走访)."""
    ground = turn.facts["collection_ground"]
    alone = [
        grid["code"]
        for grid in ground["grids"]
        if not any(grid["code"].startswith(place) for place in ground["reach"])
        and not set(grid["responsible"]) & set(cmd.collectors)
    ]
    if alone and cmd.exception_reason is None:
        raise GuardFailed("GRID_WITHOUT_COLLECTOR", field="collectors", clause="processes P2", soft=True)
    exception = {"exception": "GRID_WITHOUT_COLLECTOR", "exception_reason": cmd.exception_reason} if alone else {}
    return Change(
        to="OPEN",
        sets={
            "plan": cmd.plan,
            "collectors": tuple(dict.fromkeys(cmd.collectors)),
            "sample": tuple(Drawn(place=one["place"], ordinal=one.get("ordinal")) for one in ground["drawn"]),
            "opened_by": turn.actor.id,
            "opened_at": turn.now,
        },
        notices=tuple(Notice(f"person:{one}", "round_opened", "MONTH") for one in dict.fromkeys(cmd.collectors)),
        notes=exception,
    )


def record_visit(case: Case[Round], cmd: do.RecordVisit, turn: Turn) -> Change:
    """A visit of this month; every wish goes its own way as an issue (seed 001 §四1)."""
    _of_this_month(case, cmd.at, turn)
    if cmd.refused and (cmd.wishes or cmd.notes):
        raise GuardFailed("REFUSED_WITHOUT_DATA", field="wishes", clause="processes P2")
    ground = turn.facts["visited_place"]
    if cmd.place is not None and ground["code"] is None:
        raise GuardFailed("PLACE_ELSEWHERE", field="place", clause="processes P2")
    key = f"v{len(case.data.visits) + 1}"
    wishes = tuple(derived_id("wish", case.id, key, str(number)) for number in range(len(cmd.wishes)))
    visit = Visit(
        kind=cmd.kind,
        at=cmd.at,
        collector=turn.actor.id,
        place=ground["code"],
        target=None if cmd.refused else cmd.target,
        refused=cmd.refused,
        notes=cmd.notes,
        wishes=wishes,
    )
    became = not case.data.valid and _enough(case.data, turn, besides=cmd.kind)
    effects = tuple(
        Effect("START", "issue", issue, "submit_issue", _issue_of(case, wish, turn), turn.now)
        for issue, wish in zip(wishes, cmd.wishes, strict=True)
    )
    valid = tuple(_tell(one, turn, "sibling_valid", case) for one in case.data.siblings) if became else ()
    return Change(sets={"valid": True} if became else {}, puts={"visits": {key: visit}}, effects=effects + valid)


def _of_this_month(case: Case[Round], at: datetime, turn: Turn) -> None:
    """Not before the month and not in the future: what was not done in time is never entered afterwards (S26)."""
    if case.state == "MISSED" or at < beginning_of(case.data.month):
        raise GuardFailed("BACKDATED", field="at", clause="001 §四1")
    if at > turn.now:
        raise GuardFailed("VISIT_IN_FUTURE", field="at", clause="processes P2")


def _issue_of(case: Case[Round], wish: do.Wish, turn: Turn) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "community_code": case.community,
        "title": wish.title,
        "description": wish.description,
        "source": "ROUND",
        "category_code": wish.category_code,
        "place_text": wish.place_text,
        "danger": wish.danger,
        "general_concern": wish.general_concern,
        "anonymous": wish.anonymous,
        "reporter": wish.reporter,
        "hidden_from_lead": wish.hidden_from_lead,
        "evidence": list(wish.evidence),
        "round": case.id,
        "collector": turn.actor.id,
    }
    return {name: value for name, value in fields.items() if value not in (None, False, [])}


def _enough(data: Round, turn: Turn, besides: VisitKind | None = None) -> bool:
    """Both minimums are reached (round.min_household_visits, round.min_unit_visits)."""
    return all(data.paid(kind) + (kind is besides) >= turn.policy.number(key) for kind, key in _LEAST.items())


_LEAST = {
    VisitKind.HOUSEHOLD: "round.min_household_visits",
    VisitKind.UNIT: "round.min_unit_visits",
}


def close_collection(case: Case[Round], cmd: do.CloseCollection, turn: Turn) -> Change:
    """Enough households; fewer units than wanted need a reason (SOFT)."""
    data = case.data
    if data.paid(VisitKind.HOUSEHOLD) < turn.policy.number(_LEAST[VisitKind.HOUSEHOLD]):
        raise GuardFailed("TOO_FEW_HOUSEHOLDS", clause=_LEAST[VisitKind.HOUSEHOLD])
    few_units = data.paid(VisitKind.UNIT) < turn.policy.number(_LEAST[VisitKind.UNIT])
    if few_units and cmd.exception_reason is None:
        raise GuardFailed("TOO_FEW_UNITS", field="exception_reason", clause=_LEAST[VisitKind.UNIT], soft=True)
    valid = () if data.valid else tuple(_tell(one, turn, "sibling_valid", case) for one in data.siblings)
    return Change(
        to="CONSOLIDATING",
        sets={"valid": True, "collected_at": turn.now},
        effects=valid,
        notices=(Notice(case.community, "round_collected", "CONSOLIDATE"),),
        notes={"exception": "TOO_FEW_UNITS", "exception_reason": cmd.exception_reason} if few_units else {},
    )


# --- the list -----------------------------------------------------------------------------------------------


def publish(case: Case[Round], cmd: do.PublishProblemList, turn: Turn) -> Change:
    """Every wish is triaged; the list of the month as it stands becomes a version (a nil report is one too)."""
    found = turn.facts["problem_list_of_month"]
    if found["untriaged"]:
        raise GuardFailed("WISHES_NOT_TRIAGED", clause="processes P2", count=len(found["untriaged"]))
    return Change(
        to="CLOSED",
        sets={
            "list_version": found["version"],
            "entries": tuple(Entry(**entry) for entry in found["entries"]),
            "published_at": turn.now,
        },
        notices=(Notice(case.community, "problem_list_published"),),
    )


def _tell(round_id: str, turn: Turn, command: str, case: Case[Round]) -> Effect:
    return Effect("TELL", "round", round_id, command, {"round": case.id}, turn.now)
