"""Step 1, 征集意愿: register, verify, transfer, decline, merge, split, accept (pure; seed 001 §四1)."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from workflows.issue import commands as do
from workflows.issue import emergency
from workflows.issue.closing import closed
from workflows.issue.data import ClockClass, ClosureCode, Difficulty, HandlingMode, Issue, Source, at_least
from workflows.issue.orders import first_handle, handling, led, order_of, outside, sent, signing
from workflows.issue.topic import overall, propose
from workflows.kernel.amending import amend
from workflows.kernel.calendar import CHINA
from workflows.kernel.clocks import Cancel, Clock, Meet, Pause, Resume, Start
from workflows.kernel.process import Case, Change, Effect, Forbidden, GuardFailed, Turn, derived_id
from workflows.kernel.roles import Role

CLASS_PARAMETERS = {
    ClockClass.CONSULT: "issue.mode.limited.consult",
    ClockClass.SIMPLE: "issue.mode.limited.simple",
    ClockClass.COMPLEX: "issue.mode.limited.complex",
}


# --- registration -------------------------------------------------------------------------------------------


def submit(case: Case[Issue], cmd: do.SubmitIssue, turn: Turn) -> Change:
    """A wish or problem is registered; its registration time never changes (invariant 8)."""
    category = turn.policy.category(cmd.category_code) if cmd.category_code else None
    resident = turn.grant.role == Role.RESIDENT
    anonymous = cmd.anonymous
    if not cmd.description and not cmd.evidence:
        raise GuardFailed("NOTHING_DESCRIBED", field="description", clause="processes P1")
    if anonymous and cmd.reporter is not None:
        raise GuardFailed("ANONYMOUS_WITH_REPORTER", field="reporter", clause="processes P1")
    if cmd.reported_at is not None and cmd.reported_at > turn.now:
        raise GuardFailed("REPORTED_IN_FUTURE", field="reported_at", clause="processes P1")
    known = cmd.reporter is not None or (resident and not anonymous)
    alarm = emergency.raised(case, cmd, category, turn)
    return Change(
        to="REGISTERED",
        title=cmd.title,
        effects=alarm,
        level="L1",
        sets={
            "description": cmd.description,
            "source": cmd.source,
            "category_code": cmd.category_code,
            "place_text": cmd.place_text,
            "location": cmd.location,
            "danger": cmd.danger or bool(category and category.danger),
            "emergency": alarm[0].case if alarm else None,
            "general_concern": cmd.general_concern,
            "anonymous": anonymous,
            "reporter": cmd.reporter,
            "reporter_id": turn.actor.id if resident and not anonymous else None,
            "submitted_by": cmd.collector or turn.actor.id,
            "round_id": cmd.round,
            "hidden_from_lead": cmd.hidden_from_lead,
            "evidence": cmd.evidence,
            "external_id": cmd.external_id,
            "reported_at": cmd.reported_at,
            "registered_at": turn.now,
            "counted_from": turn.now,
        },
        clocks=(Start(code="RESPONSE"),) if known else (),
    )


def open_child(case: Case[Issue], cmd: do.OpenSplitChild, turn: Turn) -> Change:
    """A part of a split issue starts on the problem list with its parent's registration time (拆分)."""
    inherited: dict[str, Any] = dict(cmd.inherited)
    for name in ("registered_at", "counted_from", "accepted_at", "reopened_at"):
        inherited[name] = datetime.fromisoformat(inherited[name]) if inherited[name] else None
    for name in ("followers", "duplicates"):
        inherited[name] = tuple(inherited[name])
    difficulty = Difficulty(inherited["difficulty"]) if inherited["difficulty"] else None
    return Change(
        to="ON_PROBLEM_LIST",
        title=cmd.title,
        sets={
            **inherited,
            "description": cmd.description,
            "difficulty": difficulty,
            "source": Source(inherited["source"]) if inherited["source"] else None,
        },
        clocks=(Start(code="OVERALL", since=inherited["reopened_at"] or inherited["registered_at"]),),
        notes={"parent": cmd.parent},
    )


def request_verification(case: Case[Issue], cmd: do.RequestVerification, turn: Turn) -> Change:
    """A visit on the spot instead of the reporter's answer: nothing is waited for any more."""
    return Change(to="VERIFYING", sets={"waiting_info": False})


def report_facts(case: Case[Issue], cmd: do.ReportFacts, turn: Turn) -> Change:
    """Facts from the spot, with a photo or a visit note."""
    if not cmd.evidence and not cmd.text:
        raise GuardFailed("NO_EVIDENCE", field="evidence", clause="processes P1")
    return Change(
        to="REGISTERED",
        sets={"facts_verified": True, "evidence": case.data.evidence + cmd.evidence},
        notes={"text": cmd.text} if cmd.text else {},
    )


def may_contact(case: Case[Issue], turn: Turn) -> None:
    """Only a known reporter can be contacted."""
    if not case.data.identified:
        raise GuardFailed("NO_REPORTER", clause="processes P1")


def contact(case: Case[Issue], cmd: do.ContactReporter, turn: Turn) -> Change:
    """First contact; the lead learns no name that is to be hidden from it (S18)."""
    if case.data.hidden_from_lead and turn.grant.role != Role.COMMUNITY_WORKER:
        raise GuardFailed("HIDDEN_FROM_LEAD", clause="processes §0.7")
    return Change(notes={"note": cmd.note})


def ask_reporter(case: Case[Issue], cmd: do.AskReporter, turn: Turn) -> Change:
    """TRIAGE waits for the answer, at most `issue.info_wait.max`, and never again once that time has passed in vain."""
    if case.data.waiting_info or case.data.info_missed:
        raise GuardFailed("ALREADY_ASKED", clause="processes §0.3")
    return Change(
        sets={"waiting_info": True},
        clocks=(Pause(code="TRIAGE", why="INFO_WAIT"), Start(code="INFO_WAIT")),
        notes={"info": cmd.info},
    )


def receive_info(case: Case[Issue], cmd: do.ReceiveInfo, turn: Turn) -> Change:
    """The answer came; TRIAGE runs on."""
    if not case.data.waiting_info:
        raise GuardFailed("NOT_ASKED", clause="processes P1")
    return Change(
        sets={"waiting_info": False},
        clocks=(Meet(code="INFO_WAIT"), Resume(code="TRIAGE")),
        notes={"text": cmd.text},
    )


def info_wait_over(case: Case[Issue], clock: Clock, turn: Turn) -> Change:
    """No answer came: the case continues without it."""
    return Change(
        type="info_wait_over", sets={"waiting_info": False, "info_missed": True}, clocks=(Resume(code="TRIAGE"),)
    )


# --- merge, split, transfer, decline ------------------------------------------------------------------------


def merge(case: Case[Issue], cmd: do.MergeInto, turn: Turn) -> Change:
    """The same matter: followers go to the target; the earliest registration counts for the figures."""
    target = turn.facts["target"]
    if target["id"] == case.id:
        raise GuardFailed("MERGE_WITH_ITSELF", field="target")
    if target["closed"]:
        raise GuardFailed("TARGET_CLOSED", field="target", clause="processes P1")
    if target["community"] != case.community:
        street = target["community"][:9] == case.subdistrict
        if not street or turn.grant.role != Role.SUBDISTRICT_OFFICER:
            raise GuardFailed("TARGET_ELSEWHERE", field="target", clause="processes P1")
    people = tuple(filter(None, (case.data.reporter_id, *case.data.followers)))
    counted = case.data.counted_from or turn.now
    return closed(
        case,
        ClosureCode.MERGED,
        sets={"merged_into": target["id"]},
        effects=(
            Effect(
                "TELL",
                "issue",
                target["id"],
                "absorb_duplicate",
                {
                    "duplicate": case.id,
                    "counted_from": counted.isoformat(),
                    "followers": list(people),
                    "reporter_known": case.data.identified,
                },
            ),
        ),
    )


def absorb(case: Case[Issue], cmd: do.AbsorbDuplicate, turn: Turn) -> Change:
    """Followers of a merged duplicate follow this issue; its own registration time stays."""
    earliest = min(filter(None, (case.data.counted_from, datetime.fromisoformat(cmd.counted_from))))
    followers = tuple(dict.fromkeys(case.data.followers + cmd.followers))
    return Change(
        sets={
            "counted_from": earliest,
            "followers": followers,
            "duplicates": tuple(dict.fromkeys((*case.data.duplicates, cmd.duplicate))),
            "answers_others": case.data.answers_others or cmd.reporter_known,
        },
        notes={"duplicate": cmd.duplicate},
    )


def absorb_too_late(case: Case[Issue], cmd: do.AbsorbDuplicate, turn: Turn) -> Change:
    """The target ended while the duplicate was being merged: nobody may sink with it, so it is sent back."""
    back = Effect("TELL", "issue", cmd.duplicate, "undo_merge", {"target": case.id}, turn.now)
    return Change(type="duplicate_sent_back", effects=(back,), notes={"duplicate": cmd.duplicate})


def undo_merge(case: Case[Issue], cmd: do.UndoMerge, turn: Turn) -> Change:
    """Back to triage, since the issue that should have taken this one over had ended."""
    if cmd.target != case.data.merged_into:
        raise GuardFailed("OTHER_TARGET", field="target", clause="processes P1")
    return Change(
        to="REGISTERED",
        sets={"merged_into": None, "closure_code": None},
        clocks=overall(case),
        notes={"target": cmd.target},
    )


def split(case: Case[Issue], cmd: do.Split, turn: Turn) -> Change:
    """Two or more matters in one report; the group stays one unit in the figures (S10)."""
    data = case.data
    group = data.group_id or case.id
    inherited = {
        "source": data.source,
        "category_code": data.category_code,
        "danger": data.danger,
        "general_concern": data.general_concern,
        "anonymous": data.anonymous,
        # The contact itself stays with the parent (`group_id`); the reference says that somebody waits for an answer.
        "reporter": data.reporter,
        "reporter_id": data.reporter_id,
        "followers": list(data.followers),
        "duplicates": list(data.duplicates),
        "answers_others": data.answers_others,
        "hidden_from_lead": data.hidden_from_lead,
        "submitted_by": data.submitted_by,
        "registered_at": data.registered_at.isoformat() if data.registered_at else None,
        "counted_from": data.counted_from.isoformat() if data.counted_from else None,
        "accepted_at": data.accepted_at.isoformat() if data.accepted_at else None,
        "reopened_at": data.reopened_at.isoformat() if data.reopened_at else None,
        "difficulty": data.difficulty,
        "problem_month": data.problem_month,
        "group_id": group,
    }
    children = tuple(
        Effect(
            "START",
            "issue",
            derived_id("split", case.id, str(place)),
            "open_split_child",
            {
                "community_code": case.community,
                "title": child.title,
                "description": child.description,
                "parent": case.id,
                "inherited": {**inherited, "lead_org": child.lead_org},
            },
        )
        for place, child in enumerate(cmd.children, start=1)
    )
    return closed(case, ClosureCode.SPLIT, sets={"group_id": group}, effects=children)


def transfer_out(case: Case[Issue], cmd: do.TransferOut, turn: Turn) -> Change:
    """Another channel is competent; the slip keeps the receiver's number."""
    notes = {"channel": cmd.channel, "reason": cmd.reason, **({"receipt": cmd.receipt} if cmd.receipt else {})}
    return closed(case, ClosureCode.TRANSFERRED_OUT, notes=notes)


def transfer_community(case: Case[Issue], cmd: do.TransferCommunity, turn: Turn) -> Change:
    """The place lies in another community of the same county (S13)."""
    if cmd.to_community == case.community:
        raise GuardFailed("SAME_COMMUNITY", field="to_community")
    if cmd.to_community[:6] != case.county:
        raise GuardFailed("OTHER_TENANT", field="to_community", clause="processes P1")
    return Change(
        to="REGISTERED:TRANSFER_PENDING",
        sets={"transfer_to": cmd.to_community, "waiting_info": False},
        clocks=(Cancel(code="INFO_WAIT", reason="TRANSFER"),),
        notes={"reason": cmd.reason},
    )


def accept_transfer(case: Case[Issue], cmd: do.AcceptTransfer, turn: Turn) -> Change:
    """The receiver takes it; the original time is kept."""
    return Change(to="REGISTERED", community=case.data.transfer_to or "", sets={"transfer_to": None})


def refuse_transfer(case: Case[Issue], cmd: do.RefuseTransfer, turn: Turn) -> Change:
    """The receiver sends it back."""
    return Change(to="REGISTERED", sets={"transfer_to": None}, notes={"reason": cmd.reason})


def may_decide_transfer(case: Case[Issue], turn: Turn) -> None:
    """The street decides only when the receiver let its day pass."""
    clock = case.clock("TRANSFER")
    if clock is not None and clock.state != "BREACHED":
        raise GuardFailed("RECEIVER_HAS_TIME", clause="processes P1")


def decide_transfer(case: Case[Issue], cmd: do.DecideTransfer, turn: Turn) -> Change:
    """The street names the community."""
    if cmd.community[:9] != case.subdistrict:
        raise GuardFailed("OTHER_SUBDISTRICT", field="community", clause="processes P1")
    return Change(to="REGISTERED", community=cmd.community, sets={"transfer_to": None})


def decline(case: Case[Issue], cmd: do.Decline, turn: Turn) -> Change:
    """A first person proposes; TRIAGE runs on until a second one confirms, also where it waited for an answer."""
    return Change(
        to="REGISTERED:DECLINE_PROPOSED",
        sets={"decline_proposed_by": turn.actor.id, "waiting_info": False},
        clocks=(Cancel(code="INFO_WAIT", reason="DECLINE_PROPOSED"), Resume(code="TRIAGE")),
        notes={"reason": cmd.reason},
    )


def may_confirm_decline(case: Case[Issue], turn: Turn) -> None:
    """Somebody else than the proposer."""
    if turn.actor.id == case.data.decline_proposed_by:
        raise GuardFailed("SEGREGATION", clause="processes §0.1")


def confirm_decline(case: Case[Issue], cmd: do.ConfirmDecline, turn: Turn) -> Change:
    """Not accepted; the reporter has five working days to object."""
    return closed(
        case,
        ClosureCode.NOT_ACCEPTED,
        clocks=() if case.data.objected else (Start(code="OBJECT_DECLINE"),),
    )


def refuse_decline(case: Case[Issue], cmd: do.RefuseDecline, turn: Turn) -> Change:
    """To be handled after all."""
    return Change(to="REGISTERED", sets={"decline_proposed_by": None}, notes={"reason": cmd.reason})


def may_object(case: Case[Issue], turn: Turn) -> None:
    """Once, and within the window."""
    if case.data.objected:
        raise GuardFailed("OBJECTED_ALREADY", clause="processes P1")
    if case.clock("OBJECT_DECLINE") is None:
        raise GuardFailed("WINDOW_OVER", clause="clock.issue.object_decline")


def object_to_decline(case: Case[Issue], cmd: do.ObjectToDecline, turn: Turn) -> Change:
    """Back to triage, reviewed by the party secretary."""
    return Change(
        to="REGISTERED",
        sets={"objected": True, "closure_code": None},
        clocks=(Cancel(code="REOPEN", reason="OBJECTION"), *overall(case)),
        notes={"reason": cmd.reason, "reviewer": Role.PARTY_SECRETARY},
    )


# --- acceptance and dispatch --------------------------------------------------------------------------------


def accept(case: Case[Issue], cmd: do.AcceptToProblemList, turn: Turn) -> tuple[Change, ...]:
    """受理: the entry goes to the month's problem list and at once on its way, by its mode."""
    if cmd.difficulty is Difficulty.HARD and turn.grant.role != Role.CWC_CHAIR:
        raise GuardFailed("HARD_NEEDS_CHAIR", field="difficulty", clause="processes P1")
    if cmd.difficulty is Difficulty.EASY and cmd.difficulty_reasons:
        raise GuardFailed("EASY_WITH_REASONS", field="difficulty_reasons", clause="001 §四2")
    if cmd.difficulty is not Difficulty.EASY and cmd.mode is HandlingMode.IMMEDIATE:
        raise GuardFailed("DIFFICULT_NOT_IMMEDIATE", field="mode", clause="001 §四2")
    notes = soft_mode(turn, cmd.category_code, cmd.mode, cmd.exception_reason)
    floor = "L1"
    if cmd.mode is HandlingMode.SCHEDULED and cmd.difficulty is not Difficulty.EASY:
        floor = "L2"
    if cmd.level is not None and cmd.level < floor and floor == "L2":
        raise GuardFailed("LEVEL_TOO_LOW", field="level", clause="001 §四2")
    # Street and county are reached through the 大党委, not around it (processes §0.1).
    if cmd.mode is HandlingMode.SCHEDULED and cmd.level is not None and cmd.level > "L2":
        raise GuardFailed("LEVEL_TOO_HIGH", field="level", clause="001 §四3")
    level = at_least(cmd.level or floor, floor) if cmd.level is None or floor == "L2" else cmd.level
    month = turn.now.astimezone(CHINA).strftime("%Y-%m")
    urgent = cmd.urgent or turn.policy.category(cmd.category_code).clock_class == "URGENT"
    accepted = Change(
        to="ON_PROBLEM_LIST",
        level=level,
        sets={
            "mode": cmd.mode,
            "category_code": cmd.category_code,
            "difficulty": cmd.difficulty,
            "difficulty_reasons": cmd.difficulty_reasons,
            "urgent": urgent,
            "accepted_at": turn.now,
            "problem_month": case.data.problem_month or month,
            "waiting_info": False,
        },
        clocks=(Cancel(code="INFO_WAIT", reason="ACCEPTED"),),
        notes=notes,
    )
    taken = amend(
        case,
        level=level,
        data=amend(case.data, category_code=cmd.category_code, difficulty=cmd.difficulty, urgent=urgent),
    )
    return accepted, route(taken, cmd.mode, cmd.lead_org, cmd.helper_orgs, cmd.clock_class, turn)


def dispatch(case: Case[Issue], cmd: do.Dispatch, turn: Turn) -> Change:
    """A new order or topic; a handling clock that runs goes on (invariant 7)."""
    category = case.data.category_code or "Z99"
    notes = soft_mode(turn, category, cmd.mode, cmd.exception_reason)
    if case.data.difficulty not in (None, Difficulty.EASY) and cmd.mode is HandlingMode.IMMEDIATE:
        raise GuardFailed("DIFFICULT_NOT_IMMEDIATE", field="mode", clause="001 §四2")
    if cmd.mode is HandlingMode.SCHEDULED and case.data.difficulty not in (None, Difficulty.EASY):
        case = amend(case, level=at_least(case.level, "L2"))
    # A split part that never had an order goes to the lead it was split off for, unless another one is named.
    lead = cmd.lead_org or (None if case.data.leads else case.data.lead_org)
    change = route(case, cmd.mode, lead, cmd.helper_orgs, cmd.clock_class, turn)
    return replace(
        change,
        type="dispatched",
        level=change.level or case.level,
        sets={**change.sets, "mode": cmd.mode},
        notes={**change.notes, **notes},
    )


def soft_mode(turn: Turn, category_code: str, mode: HandlingMode, reason: str | None) -> dict[str, Any]:
    """The category allows the mode, or somebody says why not this time (SOFT)."""
    if mode.value in turn.policy.category(category_code).modes:
        return {}
    if reason is None:
        raise GuardFailed("CATEGORY_MODE", field="mode", clause="000 §五三是", soft=True)
    return {"exception": "CATEGORY_MODE", "exception_reason": reason}


def route(
    case: Case[Issue],
    mode: HandlingMode,
    lead: str | None,
    helpers: tuple[str, ...],
    clock_class: ClockClass | None,
    turn: Turn,
) -> Change:
    """Send an entry of the problem list on its way: order at once, order with time, or topic of a meeting."""
    running = case.clock("HANDLE") is not None
    if mode is HandlingMode.SCHEDULED:
        topic = propose(case, case.level, "SCHEDULED", turn)
        return replace(
            topic,
            type="topic_proposed",
            sets={**topic.sets, "lead_org": lead, "helper_orgs": helpers, "leads": led(case, lead)},
        )
    if mode is HandlingMode.IMMEDIATE:
        if lead is not None and outside(lead, turn):
            raise GuardFailed("LEAD_OUTSIDE_COMMUNITY", field="lead_org", clause="001 §四2")
        parameter = "issue.mode.immediate.urgent" if case.data.urgent else "issue.mode.immediate.due"
        return Change(
            type="order_started",
            to="IN_PROGRESS",
            sets=order_of(case, lead, helpers)
            | {"fast_path": mode}
            | first_handle(case, turn.policy.duration(parameter)),
            clocks=() if running else handling(turn.policy.duration(parameter), parameter, turn),
        )
    if lead is None:
        raise GuardFailed("LEAD_REQUIRED", field="lead_org", clause="processes P1")
    category = turn.policy.category(case.data.category_code or "Z99")
    chosen = clock_class or (
        ClockClass(category.clock_class) if category.clock_class in ClockClass.__members__ else ClockClass.SIMPLE
    )
    parameter = CLASS_PARAMETERS[chosen]
    duration = turn.policy.duration(parameter)
    return Change(
        type="dispatched",
        to="ASSIGNED",
        sets=order_of(case, lead, helpers) | {"fast_path": mode, "clock_class": chosen} | first_handle(case, duration),
        clocks=(signing(lead, turn), *(() if running else handling(duration, parameter, turn))),
        notices=sent(lead),
    )


def may_withdraw(case: Case[Issue], turn: Turn) -> None:
    """Only one's own wish; not when there is danger, others follow, or it has become a public matter (S11)."""
    if case.data.danger:
        raise GuardFailed("WITHDRAW_DANGER", clause="processes P1")
    others = (case.data.reporter_id, *case.data.followers)
    if turn.actor.id not in (*others, case.data.submitted_by):
        raise GuardFailed("NOT_THE_REPORTER", clause="processes P1")
    if case.data.duplicates or any(person != turn.actor.id for person in others if person):
        raise GuardFailed("WITHDRAW_FOLLOWERS", clause="processes P1")
    if case.data.general_concern:
        raise GuardFailed("WITHDRAW_PUBLIC_INTEREST", clause="processes P1")


def withdraw(case: Case[Issue], cmd: do.Withdraw, turn: Turn) -> Change:
    """The reporter no longer wants it."""
    return closed(case, ClosureCode.WITHDRAWN, notes={"reason": cmd.reason})


def unsubscribe(case: Case[Issue], cmd: do.Unsubscribe, turn: Turn) -> Change:
    """The person is asked and told no more; the issue goes on."""
    if turn.actor.id != case.data.reporter_id and turn.actor.id not in case.data.followers:
        raise Forbidden("NOT_A_FOLLOWER")
    followers = tuple(person for person in case.data.followers if person != turn.actor.id)
    mine = turn.actor.id == case.data.reporter_id
    if not mine:
        return Change(sets={"followers": followers})
    # Nobody is left whom a first contact could reach.
    gone = {"followers": followers, "reporter_id": None, "reporter": None}
    left = amend(case.data, reporter_id=None, reporter=None).identified
    return Change(sets=gone, clocks=() if left else (Cancel(code="RESPONSE", reason="UNSUBSCRIBED"),))
