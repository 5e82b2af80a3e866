"""Whatever people do, and however long they wait: a permit has at most one inspection a year."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scenarios.admitting import County
from tests.scenarios.office import BOX
from tests.scenarios.street import C1, C2, PEOPLE
from workflows.admission import commands as adm
from workflows.admission.data import Variant
from workflows.inspection import commands as do
from workflows.inspection.data import BallotState, Outcome
from workflows.kernel.process import Refusal, derived_id

REF = "text:0000000000000001"
FIXED = derived_id("inspection", "PU/2026")
BY_HAND = ("h1", "h2")
COUNTY = {"permit": {"id": "PU", "community": "620199"}}

SAID = st.sampled_from(
    [
        ("telecom", do.SubmitSelfReport(staff=REF, funds=REF, results=REF)),
        ("reviewer", do.OpenBallot(panel=40)),
        ("reviewer", do.RecordBallotResult(panel=40, valid=34, satisfied=31)),
        ("reviewer", do.RecordBallotResult(panel=40, valid=20, satisfied=20)),
        ("reviewer", do.RecordSiteCheck(notes=REF)),
        ("reviewer", do.Conclude(outcome=Outcome.PASS, opinion=REF)),
        ("reviewer", do.Conclude(outcome=Outcome.RECTIFY, opinion=REF)),
        ("reviewer", do.Conclude(outcome=Outcome.PROPOSE_REVOKE, opinion=REF)),
    ]
)
STEPS = st.one_of(
    st.tuples(st.just("say"), st.sampled_from((FIXED, *BY_HAND)), SAID),
    st.tuples(st.just("open"), st.sampled_from(BY_HAND), st.none()),
    st.tuples(st.just("begin"), st.none(), st.none()),
    st.tuples(st.just("wait"), st.integers(1, 40), st.none()),
    st.tuples(st.just("answer"), st.sampled_from((FIXED, *BY_HAND)), st.integers(0, 40)),
    st.tuples(
        st.just("permit"),
        st.just("PU"),
        st.sampled_from([adm.OrderRectification(findings=REF), adm.ProposeRevocation(findings=REF)]),
    ),
)


def permitted() -> County:
    """A permit of the year, on Nov 1."""
    town = County("04-01 09:00")
    town.admit(
        "PU",
        "telecom",
        Variant.UNIT,
        communities=(C1, C2),
        planned_from=date(2026, 4, 1),
        planned_until=date(2027, 3, 31),
    )
    return town.at("11-01 00:00")


def take(town: County, kind: str, what: Any, more: Any) -> None:
    """Take one step; what is refused changes nothing."""
    street = town.street
    try:
        if kind == "say" and what in street.cases:
            street.command(what, more[1], PEOPLE[more[0]])
        elif kind == "open" and what not in street.cases:
            street.open("inspection", what, do.OpenInspection(permit="PU"), PEOPLE["reviewer"], facts=COUNTY)
        elif kind == "begin":
            street.begin("inspection", "yearly", "620199", "2026")
        elif kind == "wait":
            street.run_to(street.now + timedelta(days=what))
        elif kind == "answer":
            BOX.ratings[what] = {5: more // 2, 1: more - more // 2}
        elif kind == "permit":
            street.command("PU", more, PEOPLE["reviewer"])
    except Refusal:
        return


@settings(max_examples=120, deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_at_most_one_conclusion_a_year_and_nothing_impossible_is_counted(steps: list[tuple[str, Any, Any]]) -> None:
    BOX.ratings.clear()
    town = permitted()

    for step in steps:
        take(town, *step)

    found = [one for one in town.street.cases.values() if one.process == "inspection"]
    done = [one for one in found if one.data.outcome is not None]
    assert len({one.data.period for one in found}) == len(found)
    for one in done:
        assert one.state == "DONE"
        assert one.data.ballot.is_result
        assert one.data.site_check is not None
        assert town.street.cases["PU"].data.inspections[one.data.period].outcome == one.data.outcome
    for one in found:
        ballot = one.data.ballot
        if ballot is not None:
            assert 0 <= ballot.satisfied <= ballot.valid <= ballot.panel
            assert ballot.state is not BallotState.INVALID or not ballot.valid
            assert all(count is None or count >= 5 for count in ballot.cells.values())
    assert town.street.refused == []
