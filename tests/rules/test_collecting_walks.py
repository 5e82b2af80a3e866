"""Whatever people do in whatever order: a missed month stays missed, and no notice ends before its whole period."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.tables import ACTORS
from tests.scenarios.street import C1, PEOPLE, Town, moment
from workflows.kernel.calendar import Duration, due
from workflows.kernel.process import SYSTEM, Case, Refusal
from workflows.notice import commands as post
from workflows.notice.data import Kind
from workflows.round import commands as do
from workflows.round.data import VisitKind

REF = "text:0000000000000001"
FEW = settings(max_examples=60, deadline=None)
PEOPLE_OF_ROUNDS = ("secretary1", "vice1", "worker1", "grid1", "officer")
Acts = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 60)), max_size=25)
"""What is done, and how many hours pass before it."""


def visits(town: Town, count: int) -> None:
    """So many households, and a unit."""
    for kind in (*[VisitKind.HOUSEHOLD] * count, VisitKind.UNIT):
        tried(town, "r", "grid1", do.RecordVisit(kind=kind, target=REF, at=town.street.now))


def tried(town: Town, key: str, who: str, command: Any) -> None:
    """Give a command; a refusal is fine."""
    try:
        town.street.command(key, command, PEOPLE.get(who, SYSTEM))
    except Refusal:
        return


def acted(town: Town, act: int) -> None:
    """One of the things that people do with a round."""
    now = town.street.now
    backdated = do.RecordVisit(kind=VisitKind.HOUSEHOLD, target=REF, at=now - timedelta(days=40))
    match act:
        case 0:
            tried(town, "r", "secretary1", do.OpenRound(plan=REF, collectors=("grid1",)))
        case 1:
            visits(town, 3)
        case 2:
            visits(town, 10)
        case 3:
            tried(town, "r", "secretary1", do.CloseCollection())
        case 4:
            tried(town, "r", "worker1", do.PublishProblemList())
        case 5:
            tried(town, "r", "secretary1", backdated)
        case 6:
            tried(town, "r", "", do.SiblingValid(round="other"))


@FEW
@given(Acts)
def test_a_month_is_missed_for_ever_or_never(acts: list[tuple[int, int]]) -> None:
    town = Town("03-01 00:00")
    town.street.open("round", "r", do.PlanRound(community_code=C1, month="2026-03"), SYSTEM)
    seen: list[Case[Any]] = []
    for act, hours in [*acts, (5, 24 * 40), *acts]:
        town.street.run_to(town.street.now + timedelta(hours=hours))
        acted(town, act)
        seen.append(town.street.cases["r"])

    for case in seen:
        data = case.data
        assert data.valid or data.covered or case.state in ("PLANNED", "OPEN", "MISSED", "WAIVED")
        assert all(moment("03-01 00:00") <= visit.at for visit in data.visits.values())
        assert (data.list_version is not None) == (case.position == "CLOSED")
    assert seen[-1].state not in ("PLANNED", "OPEN")
    after = [case.position for case in seen if (case.updated_at or moment("03-01 00:00")) >= moment("03-31 24:00")]
    missed = ["MISSED" in position for position in after]
    assert len(set(missed)) <= 1


def hung(town: Town, act: int) -> None:
    """One of the things that happen to a notice."""
    commands = (
        post.TakeDown(),
        post.Interrupt(reason=REF),
        post.Repost(),
        post.Revise(text="text:0000000000000009", reason=REF),
        post.ObjectionRaised(objection="o"),
        post.TakeDown(),
        post.Interrupt(reason=REF),
    )
    for actor in ACTORS:
        try:
            town.street.command("n", commands[act], actor)
        except Refusal:
            continue
        return


@FEW
@given(Acts, st.sampled_from(list(Kind)))
def test_a_notice_ends_only_after_a_whole_period_without_a_break(acts: list[tuple[int, int]], kind: Kind) -> None:
    town = Town("09-25 10:00")
    town.street.open("notice", "n", post.PostNotice(kind=kind, community_code=C1, text=REF), SYSTEM)
    for act, hours in acts:
        town.street.run_to(town.street.now + timedelta(hours=hours))
        hung(town, act)
    town.street.run_to(town.street.now + timedelta(days=60))

    case = town.street.cases["n"]
    assert case.state in ("ENDED", "INTERRUPTED")
    if case.state == "ENDED":
        calendar = town.street.world.calendar
        period: Duration = town.street.world.policy.duration(case.data.parameter)
        posted_at: datetime = case.data.posted_at
        assert case.data.ended_at == due(posted_at, period, calendar).at
    types = town.types("n")
    assert "taken_down" not in types or types.index("ended") < types.index("taken_down")
