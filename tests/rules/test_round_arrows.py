"""The state table of the round of collection (P2): every row is taken, everything else is refused."""

from typing import Any

import pytest

from tests.rules.rows import name
from tests.rules.tables import Table, every_refusal_is_provoked
from tests.scenarios.street import C1, C2, PEOPLE, Town, moment
from workflows.issue import commands as issue
from workflows.issue.data import Source
from workflows.kernel.process import SYSTEM, Arrow, Moment
from workflows.round import commands as do
from workflows.round.data import VisitKind
from workflows.round.process import ROUND

REF = "text:0000000000000001"
WISH = do.Wish(title=REF, description=REF)


def planned() -> Town:
    """The round `r` of C1 of March 2026, on its first day."""
    town = Town("03-01 00:00")
    town.street.open("round", "r", do.PlanRound(community_code=C1, month="2026-03"), SYSTEM)
    return town.at("03-02 09:00")


def visited(households: int = 10, units: int = 1) -> Town:
    """Opened, with so many visits."""
    town = planned()
    town.say("r", "secretary1", do.OpenRound(plan=REF, collectors=("grid1",)))
    for kind, count in ((VisitKind.HOUSEHOLD, households), (VisitKind.UNIT, units)):
        for _ in range(count):
            town.say("r", "grid1", do.RecordVisit(kind=kind, target=REF, at=town.street.now))
    return town


def at_position(position: str) -> Town:
    """The round there, by the shortest way."""
    if position == "PLANNED":
        return planned()
    if position == "MISSED":
        return visited(1).at("03-31 24:00")
    if position == "WAIVED":
        town = planned()
        town.say("r", "officer", do.Waive(reason=REF, order_no="7"))
        return town
    if position == "CLOSED:NOT_NEEDED":
        town = planned()
        town.street.command("r", do.SiblingValid(round="other"), SYSTEM)
        return town.at("03-31 24:00")
    town = visited()
    if position in ("CONSOLIDATING", "CLOSED"):
        town.say("r", "secretary1", do.CloseCollection())
    if position == "CLOSED":
        town.say("r", "worker1", do.PublishProblemList())
    return town


def sample(town: Town, on: type) -> Any:
    """A lawful command."""
    return {
        do.PlanRound: do.PlanRound(community_code=C1, month="2026-03"),
        do.OpenRound: do.OpenRound(plan=REF, collectors=("grid1",)),
        do.RecordVisit: do.RecordVisit(kind=VisitKind.HOUSEHOLD, target=REF, at=town.street.now, wishes=(WISH,)),
        do.CloseCollection: do.CloseCollection(),
        do.PublishProblemList: do.PublishProblemList(),
        do.Waive: do.Waive(reason=REF, order_no="安街发〔2026〕7号"),
        do.SiblingPlanned: do.SiblingPlanned(round="r"),
        do.SiblingValid: do.SiblingValid(round="r"),
    }[on]


TABLE = Table(process=ROUND, at_position=at_position, sample=sample, key="r")
NEVER_LATER = [arrow for arrow in TABLE.commands if arrow.source == "MISSED" and arrow.on is do.RecordVisit]


@pytest.mark.parametrize("arrow", [one for one in TABLE.commands if one not in NEVER_LATER], ids=name)
def test_every_row_is_taken_and_keeps_its_word(arrow: Arrow) -> None:
    assert TABLE.takes(arrow).position in (arrow.to or (arrow.source,))


@pytest.mark.parametrize("arrow", TABLE.commands, ids=name)
def test_every_row_refuses_those_without_role_or_place(arrow: Arrow) -> None:
    TABLE.refuses_strangers(arrow)


@pytest.mark.parametrize("position", TABLE.positions)
def test_a_command_without_a_row_changes_nothing(position: str) -> None:
    TABLE.refuses_everything_else(position)
    TABLE.is_owed(position)


def test_what_was_missed_takes_no_visit() -> None:
    assert [name(arrow) for arrow in NEVER_LATER] == ["MISSED record_visit"]
    town = at_position("MISSED")
    assert town.refused("r", "secretary1", sample(town, do.RecordVisit)) == "BACKDATED"


def test_every_timed_row_is_taken() -> None:
    assert {(arrow.source, arrow.on) for arrow in TABLE.timed} == {
        (source, Moment(kind, code))  # type: ignore[arg-type]
        for source in ("PLANNED", "OPEN")
        for kind, code in (("ENDED", "REMIND"), ("ENDED", "MONTH_END"), ("DUE", "MONTH"))
    }
    silent = planned().at("03-31 24:00")
    assert silent.types("r")[-2:] == ["clock_breached", "missed"]
    assert silent.types("r").count("reminded") == 2
    late = visited(3).at("03-31 24:00")
    assert late.street.cases["r"].state == "MISSED"
    assert late.types("r").count("reminded") == 2
    enough = visited().at("03-31 24:00")
    assert enough.street.cases["r"].state == "CONSOLIDATING"
    assert at_position("CLOSED:NOT_NEEDED").types("r")[-1] == "not_needed"


def test_every_refusal_is_provoked() -> None:
    def by_hand(month: str) -> Any:
        town = Town("03-02 09:00")
        return town.street.open("round", "r", do.PlanRound(community_code=C1, month=month), PEOPLE["vice1"])

    def visit(**fields: Any) -> Any:
        town = visited(1)
        given = {"kind": VisitKind.HOUSEHOLD, "target": REF, "at": town.street.now, **fields}
        return town.say("r", "grid1", do.RecordVisit(**given))

    def alone() -> Any:
        town = planned()
        grid = {"code": f"{C1}001", "responsible": []}
        ground = {"collection_ground": {"grids": [grid], "reach": [], "drawn": []}}
        command = do.OpenRound(plan=REF, collectors=("grid1",))
        return town.street.command("r", command, PEOPLE["secretary1"], facts=ground)

    def untriaged() -> Any:
        town = visited()
        case = town.say("r", "grid1", sample(town, do.RecordVisit))
        assert town.issue(case.data.wishes[0]).data.source == Source.ROUND
        town.say("r", "secretary1", do.CloseCollection())
        return town.say("r", "worker1", do.PublishProblemList())

    every_refusal_is_provoked(
        "round",
        {
            "rules._this_month BACKDATED": lambda: by_hand("2026-02"),
            "rules._this_month MONTH_NOT_BEGUN": lambda: by_hand("2026-04"),
            "rules.waive NO_EMERGENCY": lambda: planned().say("r", "officer", do.Waive(reason=REF)),
            "rules.open_round GRID_WITHOUT_COLLECTOR": alone,
            "rules.record_visit REFUSED_WITHOUT_DATA": lambda: visit(refused=True, wishes=(WISH,)),
            "rules.record_visit PLACE_ELSEWHERE": lambda: visit(place=f"{C2}001"),
            "rules._of_this_month BACKDATED": lambda: visit(at=moment("02-27 09:00")),
            "rules._of_this_month VISIT_IN_FUTURE": lambda: visit(at=moment("03-27 09:00")),
            "rules.close_collection TOO_FEW_HOUSEHOLDS": lambda: visited(9).say(
                "r", "secretary1", do.CloseCollection()
            ),
            "rules.close_collection TOO_FEW_UNITS": lambda: visited(10, 0).say("r", "secretary1", do.CloseCollection()),
            "rules.publish WISHES_NOT_TRIAGED": untriaged,
        },
    )


def test_a_round_that_became_valid_before_its_sibling_was_planned_says_so() -> None:
    town = visited()
    town.street.open("round", "s", do.PlanRound(community_code=C1, month="2026-03"), PEOPLE["vice1"])

    assert town.street.cases["s"].data.covered
    assert town.street.cases["r"].data.siblings == ("s",)


def test_an_issue_told_at_a_visit_is_asked_of_nobody_by_hand() -> None:
    kept = issue.SubmitIssue.kept_from_people
    assert set(kept) == {"round", "collector"}
