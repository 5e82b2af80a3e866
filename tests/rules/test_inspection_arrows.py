"""The state table of the yearly inspection (年度检查评估): every row is taken, everything else is refused."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.rules.rows import name
from tests.rules.tables import Table, every_refusal_is_provoked
from tests.scenarios.admitting import County
from tests.scenarios.office import BOX
from tests.scenarios.street import C1, C2, PEOPLE, Town
from workflows.admission.data import Variant
from workflows.inspection import commands as do
from workflows.inspection.data import Outcome
from workflows.inspection.indicators import Indicator, Planned
from workflows.inspection.process import INSPECTION
from workflows.kernel.process import SYSTEM, Arrow

REF = "text:0000000000000001"
COUNTY = {"permit": {"id": "PU", "community": "620199"}}
REPORT = do.SubmitSelfReport(staff=REF, funds=REF, results=REF)
SITE = do.RecordSiteCheck(notes=REF)
FILED = do.RecordBallotResult(panel=40, valid=34, satisfied=31)


def opened(key: str = "i", until: str = "2026-12-31") -> County:
    """The inspection `i` of the permit `PU`, opened by the office on 2026-11-02."""
    town = County("04-01 09:00")
    term = {"planned_from": date(2026, 4, 1), "planned_until": date.fromisoformat(until)}
    town.admit("PU", "telecom", Variant.UNIT, communities=(C1, C2), **term)
    town.at("11-02 09:00").street.open(
        "inspection", key, do.OpenInspection(permit="PU"), PEOPLE["reviewer"], facts=COUNTY
    )
    return town


def at_position(position: str) -> Town:
    """The inspection there, by the shortest way."""
    town = opened()
    if position in ("ASSESSING", "CONCLUDING", "DONE"):
        town.say("i", "telecom", REPORT)
    if position in ("CONCLUDING", "DONE"):
        town.say("i", "reviewer", FILED)
        town.say("i", "reviewer", SITE)
    if position == "DONE":
        town.say("i", "reviewer", do.Conclude(outcome=Outcome.PASS, opinion=REF))
    return town


def unreported(position: str) -> Town:
    """The same where the applicant has not reported yet, and a ballot waits for its count."""
    if position != "ASSESSING":
        return at_position(position)
    return opened().at("11-30 09:00")


def sample(town: Town, on: type) -> Any:
    """A lawful command."""
    return {
        do.OpenInspection: do.OpenInspection(permit="PU"),
        do.SubmitSelfReport: REPORT,
        do.OpenBallot: do.OpenBallot(panel=40, indicators=(Planned(kind=Indicator.SATISFACTION),)),
        do.TallyBallot: do.TallyBallot(valid=34, satisfied=31, cells={"5": 31, "2": 3}),
        do.RecordBallotResult: FILED,
        do.RecordSiteCheck: SITE,
        do.Conclude: do.Conclude(outcome=Outcome.PASS, opinion=REF),
    }[on]


TABLE = Table(process=INSPECTION, at_position=unreported, sample=sample, key="i")
BY_THE_CLOCK = [arrow for arrow in TABLE.commands if arrow.on is do.TallyBallot]


@pytest.mark.parametrize("arrow", [one for one in TABLE.commands if one not in BY_THE_CLOCK], ids=name)
def test_every_row_is_taken_and_keeps_its_word(arrow: Arrow) -> None:
    assert TABLE.takes(arrow).position in (*arrow.to, arrow.source)


@pytest.mark.parametrize("arrow", TABLE.commands, ids=name)
def test_every_row_refuses_those_without_role_or_place(arrow: Arrow) -> None:
    TABLE.refuses_strangers(arrow)


@pytest.mark.parametrize("position", TABLE.positions)
def test_a_command_without_a_row_changes_nothing(position: str) -> None:
    TABLE.refuses_everything_else(position)
    TABLE.is_owed(position)


def test_the_clocks_speak_here() -> None:
    assert [name(arrow) for arrow in TABLE.timed] == ["SELF_REPORT DUE SELF_REPORT", "ASSESSING ENDED COLLECT"]


def test_the_box_is_counted_when_the_time_is_over_and_not_twice() -> None:
    town = opened("counted")
    town.at("11-24 09:00").say("counted", "reviewer", do.OpenBallot(panel=40))
    BOX.ratings["counted"] = {5: 31, 2: 3}

    town.at("12-05 00:00")

    assert town.types("counted").count("ballot_tallied") == 1
    tallied = town.street.cases["counted"].data.ballot
    town.street.command("counted", do.TallyBallot(valid=40, satisfied=0, cells={"1": 40}), SYSTEM)
    assert town.street.cases["counted"].data.ballot == tallied


def test_every_refusal_is_provoked() -> None:
    def saying(position: str, by: str, command: Any) -> Callable[[], Any]:
        return lambda: at_position(position).say("i", by, command)

    def balloted(command: Any) -> Callable[[], Any]:
        def say() -> Any:
            town = at_position("ASSESSING")
            town.say("i", "reviewer", do.OpenBallot(panel=40))
            return town.say("i", "reviewer", command)

        return say

    def planned(kind: Indicator) -> Any:
        return do.OpenBallot(panel=40, indicators=(Planned(kind=kind),))

    def again(town: County) -> Any:
        command = do.OpenInspection(permit="PU")
        return town.street.open("inspection", "again", command, PEOPLE["reviewer"], facts=COUNTY)

    def twice() -> Any:
        town = at_position("CONCLUDING")
        other = {"id": "other", "period": "2026", "outcome": "PASS"}
        facts = {"permit_of": {"rectification_failed": False, "inspections": [other]}}
        command = do.Conclude(outcome=Outcome.PASS, opinion=REF)
        return town.street.command("i", command, PEOPLE["reviewer"], facts=facts)

    def after_the_site() -> Any:
        town = at_position("ASSESSING")
        town.say("i", "reviewer", SITE)
        return town.say("i", "reviewer", SITE)

    every_refusal_is_provoked(
        "inspection",
        {
            "rules.open_inspection ALREADY_INSPECTED": lambda: again(opened()),
            "rules._permit PERMIT_NOT_IN_FORCE": lambda: again(opened(until="2026-11-30").at("12-20 09:00")),
            "rules.submit_self_report SELF_REPORTED_ALREADY": saying("ASSESSING", "telecom", REPORT),
            "rules.may_open_ballot BALLOT_EXISTS": balloted(do.OpenBallot(panel=40)),
            "rules.record_ballot_result BALLOT_COUNTS": saying(
                "ASSESSING", "reviewer", do.RecordBallotResult(panel=40, valid=41, satisfied=1)
            ),
            "rules.record_ballot_result BALLOT_TOO_FEW": saying(
                "ASSESSING", "reviewer", do.RecordBallotResult(panel=40, valid=20, satisfied=1)
            ),
            "rules.record_site_check SITE_CHECKED_ALREADY": after_the_site,
            "rules.conclude ALREADY_INSPECTED": twice,
            "rules.conclude NO_RECTIFICATION": saying(
                "CONCLUDING", "reviewer", do.Conclude(outcome=Outcome.PROPOSE_REVOKE, opinion=REF)
            ),
            "indicators.check_indicators REFUSAL_NOT_NEGATIVE": saying(
                "ASSESSING", "reviewer", planned(Indicator.REFUSALS)
            ),
            "indicators.check_indicators VETO_NOT_ALLOWED": saying("ASSESSING", "reviewer", planned(Indicator.VETO)),
            "indicators.check_indicators INDICATOR_NOT_ALLOWED": saying(
                "ASSESSING", "reviewer", planned(Indicator.SIGNS)
            ),
        },
    )
