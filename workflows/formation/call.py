"""From the start to the end of the call (征集): seats, announcement, nominations by four ways (pure; 001 §三3)."""

from collections.abc import Mapping
from typing import Any

from workflows.formation import checks
from workflows.formation import commands as do
from workflows.formation.data import Candidate, Category, Formation, Kind, Standing, Vacancy, Way, standing
from workflows.kernel.amending import amend
from workflows.kernel.clocks import Clock, Start
from workflows.kernel.process import Case, Change, Effect, Forbidden, GuardFailed, Notice, Turn
from workflows.kernel.process import do as deed
from workflows.kernel.roles import Role

TITLES = {
    Kind.INITIAL: "社区建设工作委员会组建",
    Kind.REAPPOINTMENT: "社区建设工作委员会换届聘任",
    Kind.REPLACEMENT: "社区建设工作委员会增补委员",
}
STAFF = (Role.COMMUNITY_WORKER, Role.PARTY_SECRETARY)
"""They enter what was handed in on paper, so that the way is another person's."""
OUT = (Standing.NOT_SHORTLISTED, Standing.PARTY_REJECTED, Standing.DROPPED, Standing.DECLINED)


def start(case: Case[Formation], cmd: do.StartFormation, turn: Turn) -> Change:
    """A seat plan; a term that has ended goes on from the candidates who sit already."""
    by_case = turn.grant.role == Role.SYSTEM
    if not by_case and checks.committee(turn)["live_formation"] is not None:
        raise GuardFailed("FORMATION_UNDER_WAY", field="community_code", clause="processes P5")
    whole = cmd.kind is not Kind.REPLACEMENT
    if whole and turn.policy.text("member.term") != "NONE" and cmd.term_until is None:
        raise GuardFailed("TERM_UNTIL_REQUIRED", field="term_until", clause="member.term")
    planned = amend(case, data=amend(case.data, kind=cmd.kind))
    exceptions = checks.excused(checks.size(planned, cmd.target_size, turn), cmd.exception_reason) if whole else {}
    again = cmd.kind is Kind.REAPPOINTMENT
    return Change(
        to="SHORTLISTING" if again else "PREPARING",
        title=TITLES[cmd.kind],
        sets={
            "kind": cmd.kind,
            "target_size": cmd.target_size,
            "seats": _seats(cmd),
            "plan": cmd.plan,
            "term_until": cmd.term_until,
            "vacancies": cmd.vacancies or {},
            "exceptions": exceptions,
            **(_again(turn) if again else {}),
        },
        clocks=(Start(code="SHORTLIST"),) if again else (),
        effects=(deed(case, "begin_committee", community=case.community),) if whole else (),
        notes={"exceptions": exceptions} if exceptions else {},
    )


def publish_call(case: Case[Formation], cmd: do.PublishCall, turn: Turn) -> Change:
    """征集公告: seats and ways stand in the plan and the pack, the period in the clock."""
    return Change(
        to="ANNOUNCED",
        sets={"call_text": cmd.text, "conditions": cmd.conditions, "contact": cmd.contact},
        notices=(Notice(case.community, "formation_call", "CALL"),),
    )


def nominate(case: Case[Formation], cmd: do.Nominate, turn: Turn) -> Change:
    """One candidate however many ways; who names himself has agreed to it."""
    if cmd.way not in turn.policy.words("formation.ways"):
        raise GuardFailed("WAY_NOT_OPEN", field="way", clause="001 §三3")
    key = str(cmd.person)
    himself = key == turn.actor.id
    _check_way(case, cmd, turn, himself)
    known = case.data.candidates.get(key, Candidate(category=cmd.category))
    paper = cmd.consent if isinstance(cmd.consent, str) else None
    candidate = amend(
        known,
        ways=tuple(dict.fromkeys((*known.ways, cmd.way))),
        consent=known.consent or himself or bool(cmd.consent),
        consent_file=paper or known.consent_file,
    )
    return Change(
        sets={"nominations": case.data.nominations + 1},
        puts={"candidates": {key: candidate}},
        notices=() if candidate.consent or key.startswith("contact:") else (_ask_consent(key),),
        notes={"candidate": key, "way": cmd.way},
    )


def give_consent(case: Case[Formation], cmd: do.GiveConsent, turn: Turn) -> Change:
    """I13: by the candidate himself, or on paper by whoever takes it in."""
    key = cmd.candidate or turn.actor.id
    candidate = checks.known(case, key)
    if key != turn.actor.id and cmd.consent is None:
        raise GuardFailed("CONSENT_PAPER_REQUIRED", field="consent", clause="processes P5 I13")
    given = amend(candidate, consent=True, consent_file=cmd.consent or candidate.consent_file)
    return Change(puts={"candidates": {key: given}}, notes={"candidate": key})


def call_over(case: Case[Formation], clock: Clock, turn: Turn) -> Change:
    """The period has passed: now they are looked at."""
    return Change(type="call_ended", to="SHORTLISTING", clocks=(Start(code="SHORTLIST"),))


def may_extend(case: Case[Formation], turn: Turn) -> None:
    """Once, and only when too few came."""
    if case.data.extended:
        raise GuardFailed("EXTENDED_ALREADY", clause="processes P5")
    # An office brings the chair of a whole committee without a nomination.
    there = len(case.data.candidates) - len(standing(case.data, *OUT)) + checks.is_whole(case)
    if there >= case.data.target_size:
        raise GuardFailed("ENOUGH_CANDIDATES", clause="processes P5")


def extend_call(case: Case[Formation], cmd: do.ExtendCall, turn: Turn) -> Change:
    """Another call of the same length."""
    return Change(
        to="ANNOUNCED",
        sets={"extended": True},
        notices=(Notice(case.community, "formation_call", "CALL"),),
        notes={"reason": cmd.reason},
    )


def share_vacancy(case: Case[Formation], cmd: do.ShareVacancy, turn: Turn) -> Change:
    """One procedure for exits that come together; too late once the list is with the street."""
    vacancy = Vacancy(post=cmd.post, category=cmd.category)
    seats = {**case.data.seats}
    if cmd.category is not None:
        seats[cmd.category] = seats.get(cmd.category, 0) + 1
    return Change(
        sets={"target_size": case.data.target_size + 1, "seats": seats},
        puts={"vacancies": {cmd.membership: vacancy}},
    )


def share_too_late(case: Case[Formation], cmd: do.ShareVacancy, turn: Turn) -> Change:
    """The list is with the street already: that seat needs a procedure of its own."""
    answer = Effect("TELL", "membership", cmd.membership, "formation_aborted", {"formation": case.id}, turn.now)
    return Change(type="told_too_late", effects=(answer,))


def _check_way(case: Case[Formation], cmd: do.Nominate, turn: Turn, himself: bool) -> None:
    held = {one.role for one in turn.actor.grants if case.community.startswith(one.place)}
    if held & set(STAFF):
        return
    if cmd.way is Way.SELF and not himself:
        raise GuardFailed("NOT_HIMSELF", field="way", clause="001 §三3")
    if cmd.way is Way.UNIT and Role.UNIT_LIAISON not in held:
        raise Forbidden("NOT_IN_ROLE", field="way", clause="001 §三3")
    if cmd.way is Way.RESIDENT and held <= {Role.UNIT_LIAISON}:
        raise Forbidden("NOT_IN_ROLE", field="way", clause="001 §三3")


def _seats(cmd: do.StartFormation) -> dict[str, int]:
    """The seat plan as people by category, whichever way it was written."""
    if isinstance(cmd.seats, Mapping):
        entries: list[tuple[Any, Any]] = list(cmd.seats.items())
    else:
        entries = [(one.get("category"), one.get("count", 1)) for one in cmd.seats]
    plan: dict[str, int] = {}
    for category, count in entries:
        if category not in Category.__members__ or not isinstance(count, int) or count < 0:
            raise GuardFailed("SEATS_UNCLEAR", field="seats", clause="001 §三1")
        plan[category] = plan.get(category, 0) + count
    if sum(plan.values()) > cmd.target_size:
        raise GuardFailed("SEATS_EXCEED_SIZE", field="seats", clause="001 §三1")
    return plan


def _again(turn: Turn) -> dict[str, Any]:
    """Those who sit now stand again; those whose term has ended already wait for the outcome."""
    terms = checks.committee(turn)["ended_terms"]
    before = {one["person"]: one["category"] for one in (*checks.committee(turn)["members"], *terms)}
    return {
        "candidates": {
            person: Candidate(category=Category(category or Category.RESIDENT_REPRESENTATIVE))
            for person, category in before.items()
        },
        "terms": tuple(one["membership"] for one in terms),
    }


def _ask_consent(person: str) -> Notice:
    return Notice(f"person:{person}", "formation_consent_asked")
