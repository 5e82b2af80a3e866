"""The lives whose histories are kept, by process: a case at every position, one that goes on in a new run, odd ends."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date

from tests.replay.stage import Life
from tests.rules import (
    issue_scenes,
    test_commendation_arrows,
    test_emergency_arrows,
    test_exclusion_arrows,
    test_formation_arrows,
    test_inspection_arrows,
    test_issue_arrows,
    test_meeting_arrows,
    test_membership_arrows,
    test_notice_arrows,
    test_objection_arrows,
    test_refusal_arrows,
    test_round_arrows,
    test_slot_arrows,
    test_supervision_arrows,
    test_supervision_order_arrows,
)
from tests.rules.admission_scenes import WAYS
from tests.scenarios.admitting import County, on
from tests.scenarios.street import C1, C2, PEOPLE, Town
from tests.scenarios.taping import Act
from workflows.admission import commands as permit
from workflows.admission.data import Outcome as Decided
from workflows.admission.data import Variant
from workflows.inspection import commands as inspect
from workflows.kernel.process import named
from workflows.registry import PROCESSES

YEARS = 3
"""How often the permit of years is renewed."""
ISSUES_AT_LEAST = 60


def issues() -> list[Life]:
    """A few of all the lives of an issue that its state table knows, so that they show all that any of them shows.

    They are the scenes, each row of the table taken from one of them, and each scene left alone until the new year.
    """
    towns = {name: issue_scenes.play(name) for name in issue_scenes.WAYS}
    for arrow in test_issue_arrows.COMMANDS:
        assert isinstance(arrow.on, type)
        towns[f"{arrow.source}/{named(arrow.on).name}"] = test_issue_arrows.taken(arrow)[0]
    towns |= {f"{name}/silent": issue_scenes.play(name).at("2027-01-31 09:00") for name in issue_scenes.WAYS}
    rest = [Life(f"issue-{name}", town, "i") for name, town in towns.items()]
    kept: list[Life] = []
    missing, untaken = set().union(*(one.shown for one in rest)), set().union(*(one.rows for one in rest))
    while missing or len(kept) < ISSUES_AT_LEAST:
        best = max(rest, key=lambda one: (len(one.rows & untaken) + len(one.shown & missing), -len(one.events)))
        rest.remove(best)
        kept.append(best)
        missing -= best.shown
        untaken -= best.rows
    return kept


def years() -> County:
    """A unit's permit that is renewed year after year, then runs out and is handed over."""
    town = County("09-14 10:00")
    town.admit(
        "a", "telecom", Variant.UNIT, communities=(C1, C2), planned_from=on("10-01"), planned_until=on("2027-09-30")
    )
    for year in range(2027, 2027 + YEARS):
        town.at(f"{year}-08-16 10:00").say("a", "telecom", permit.ApplyRenewal(valid_until=date(year + 1, 9, 30)))
        town.at(f"{year}-08-20 10:00").say("a", "reviewer", permit.Decide(outcome=Decided.APPROVE))
    end = f"{2027 + YEARS}-10-08 10:00"
    town.at(end).say("a", "secretary1", permit.ConfirmHandOver())
    town.say("a", "reviewer", permit.ConfirmHandOver())
    return town


def is_renewed(act: Act) -> bool:
    """A decision on a renewal, after which the permit goes on in a new run."""
    return isinstance(act.order.command, permit.Decide)


def in_vain() -> Town:
    """An inspection whose ballot is counted in vain."""
    town = test_inspection_arrows.at_position("ASSESSING")
    town.street.command("i", inspect.OpenBallot(panel=40), PEOPLE["reviewer"])
    return town.at("12-31 09:00")


def unreported() -> Town:
    """An inspection of which nobody reports."""
    return test_inspection_arrows.opened().at("12-31 09:00")


At = Callable[[str], Town]
"""A town in which a case stands at a position."""
TABLES: Mapping[str, tuple[str, At]] = {
    "supervision": ("s", test_supervision_arrows.at_position),
    "meeting": ("m", test_meeting_arrows.at_position),
    "slot": ("s", test_slot_arrows.at_position),
    "round": ("r", test_round_arrows.at_position),
    "notice": ("n", test_notice_arrows.at_position),
    "objection": ("o", test_objection_arrows.at_position),
    "supervision_order": ("d", test_supervision_order_arrows.at_position),
    "exclusion": ("x", test_exclusion_arrows.at_position),
    "inspection": ("i", test_inspection_arrows.at_position),
    "refusal": ("r", test_refusal_arrows.at_position),
    "emergency": ("e", test_emergency_arrows.at_position),
    "commendation": ("c", test_commendation_arrows.at_position),
    "formation": ("f", lambda position: test_formation_arrows.played(position).town),
    "membership": ("m", test_membership_arrows.played),
    "admission": ("a", lambda position: WAYS[position]()),
}
"""By process: what its case is called in the towns of its state table, and how it comes to each position."""
UNSEEN = {("meeting", position) for position in test_meeting_arrows.UNSEEN}
ODD: Mapping[str, Mapping[str, Callable[[], Town]]] = {
    "admission": {"years": years},
    "inspection": {"in-vain": in_vain, "unreported": unreported},
}
"""Lives that end where another one ends too."""


def lives(process: str) -> Iterator[Life]:
    """A case at every position, what else is odd, and the longest of all again, with a new run now and then."""
    if process == "issue":
        found = issues()
    else:
        key, at = TABLES[process]
        seen = [one.name for one in PROCESSES[process].states if (process, one.name) not in UNSEEN]
        found = [Life(f"{process}-{position}", at(position), key) for position in seen]
        found += [Life(f"{process}-{name}", town(), key) for name, town in ODD.get(process, {}).items()]
    yield from found
    longest = max(found, key=lambda one: len(one.events))
    yield replace(longest, name=f"{longest.name}-in-runs", rolls=longest.now_and_then)
