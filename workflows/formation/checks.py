"""The rules of a committee's composition, I1 to I13 (pure; seed 001 §三).

Hard ones refuse. Soft ones ("原则上", "一般") may be broken with a reason, which stays on record. What a rule's value
and strength are the policy pack says, so that a city may make a soft rule hard.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workflows.formation.data import Candidate, Category, Formation, Kind, Post, Standing, standing
from workflows.kernel.process import Case, GuardFailed, Turn

VICE_SOURCES = (
    Category.VETERAN,
    Category.SOCIAL_ORG,
    Category.RESIDENT_UNIT,
    Category.PARTY_ORG_MEMBER,
    Category.RESIDENT_REPRESENTATIVE,
)
"""Where vice chairs come from (001 §三2): "…等", so that others need a reason only."""
TWO_COMMITTEES = (Category.PARTY_ORG_MEMBER, Category.RESIDENT_COMMITTEE_MEMBER)
GOING_ON = (Standing.IN_NOTICE, Standing.FROZEN, Standing.CLEARED, Standing.APPOINTED)
"""Candidates of earlier rounds who count when further ones are chosen."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One place in the committee as it would be (席位)."""

    post: Post
    category: Category | None


def committee(turn: Turn) -> Mapping[str, Any]:
    """What the question `committee` answered: who sits now, who is secretary, what else is under way."""
    found: Mapping[str, Any] = turn.facts["committee"]
    return found


def is_whole(case: Case[Formation]) -> bool:
    """Say whether the whole committee is formed, not only some seats of it."""
    return case.data.kind is not Kind.REPLACEMENT


def seated(turn: Turn) -> dict[str, Seat]:
    """Everybody who sits in the committee today."""
    return {
        one["person"]: Seat(Post(one["post"]), Category(one["category"]) if one["category"] else None)
        for one in committee(turn)["members"]
    }


def composition(case: Case[Formation], chosen: Mapping[str, Seat], turn: Turn) -> dict[str, Seat]:
    """The committee as it would be with those who are chosen."""
    ahead = {key: Seat(one.post or Post.MEMBER, one.category) for key, one in standing(case.data, *GOING_ON).items()}
    stay = {} if is_whole(case) else seated(turn)
    return {**stay, **ahead, **chosen}


def check_chair(case: Case[Formation], whole: Mapping[str, Seat], turn: Turn) -> None:
    """I2 and I3: one chair, and he is the secretary."""
    chairs = [person for person, seat in whole.items() if seat.post is Post.CHAIR]
    if len(chairs) > 1:
        raise GuardFailed("TWO_CHAIRS", field="candidates", clause="001 §三2")
    if chairs and chairs[0] != committee(turn)["secretary"]:
        raise GuardFailed("CHAIR_NOT_SECRETARY", field="candidates", clause="001 §三2")


def soft(
    case: Case[Formation], whole: Mapping[str, Seat], new: Mapping[str, Seat], turn: Turn
) -> Iterator[GuardFailed]:
    """Every soft rule that this composition breaks, as the refusal that it is without a reason."""
    yield from size(case, len(whole), turn)
    vices = sum(seat.post is Post.VICE_CHAIR for seat in whole.values())
    least, most = turn.policy.span("committee.vice_count")
    if vices > most or (is_whole(case) and vices < least):
        yield _broken(turn, "VICE_COUNT_OUTSIDE_RANGE", "I4", "committee.vice_count")
    epc = set(committee(turn)["epc"])
    if any(seat.post is Post.MEMBER and person in epc for person, seat in new.items()):
        yield _broken(turn, "OVERLAP_WITH_EPC", "I5", "committee.epc_overlap")
    if any(seat.post is Post.VICE_CHAIR and seat.category not in VICE_SOURCES for seat in new.values()):
        yield GuardFailed("VICE_CHAIR_SOURCE", field="exception_reason", clause="001 §三2", rule="I6")
    by_issue = turn.policy.text("committee.interested_party_mode") == "AD_HOC"
    if by_issue and any(seat.category is Category.INTERESTED_PARTY for seat in new.values()):
        yield _broken(turn, "INTERESTED_PARTY_SEATED", "I7", "committee.interested_party_mode")
    two = set(committee(turn)["two_committees"])
    only = is_whole(case) and all(seat.category in TWO_COMMITTEES for seat in whole.values())
    if (two and two <= whole.keys()) or only:
        yield GuardFailed("ALL_OF_TWO_COMMITTEES", field="exception_reason", clause="001 §三1", rule="I8")


def size(case: Case[Formation], members: int, turn: Turn) -> Iterator[GuardFailed]:
    """I1: nine to fifteen; fewer are no fault of whoever fills one seat of several."""
    least, most = turn.policy.span("committee.size")
    if members > most or (is_whole(case) and members < least):
        yield _broken(turn, "SIZE_OUTSIDE_RANGE", "I1", "committee.size")


def excused(broken: Iterator[GuardFailed], reason: str | None) -> dict[str, str]:
    """The reason for each broken rule; raises the first one that has none or that nothing excuses."""
    found: dict[str, str] = {}
    for refusal in broken:
        if reason is None or refusal.details.get("hard"):
            raise refusal
        found[refusal.details["rule"]] = reason
    return found


def known(case: Case[Formation], key: str, field: str = "candidate") -> Candidate:
    """The candidate with this key."""
    found = case.data.candidates.get(key)
    if found is None:
        raise GuardFailed("UNKNOWN_CANDIDATE", field=field, clause="processes P5")
    return found


def _broken(turn: Turn, reason: str, rule: str, key: str) -> GuardFailed:
    parameter = turn.policy.parameter(key)
    hard = parameter.strength == "HARD"
    return GuardFailed(
        reason, field="candidates" if hard else "exception_reason", clause=parameter.clause or key, rule=rule, hard=hard
    )
