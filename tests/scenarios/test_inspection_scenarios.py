"""S36, S38 (inspection), S55 and the inspections of M5: exact times, on the simulated street."""

from datetime import date
from typing import Any

import pytest

from tests.scenarios.admitting import County
from tests.scenarios.office import BOX
from tests.scenarios.street import C1, C2, ORGANIZATIONS, PEOPLE
from workflows.admission import commands as adm
from workflows.admission.data import Variant
from workflows.inspection import commands as do
from workflows.inspection.data import BallotState, Finding, Outcome
from workflows.inspection.indicators import Indicator, Planned
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Case, Refusal, derived_id
from workflows.refusal import commands as rf
from workflows.refusal.data import Nature, Ruling

COUNTY = "620199"
REPORT = do.SubmitSelfReport(staff="text:staff", funds="text:funds", results="text:results")
SITE = do.RecordSiteCheck(notes="text:notes")


class Office(County):
    """The street with permits and the office that inspects them."""

    def permit(self, key: str, by: str = "telecom", *, until: str = "2026-12-31", **fields: Any) -> Case[Any]:
        """A unit's permit, in force from now on; one into the next year was renewed in April (scenarios §0)."""
        if until > "2027":
            self.at("04-01 09:00")
        today = self.street.now.astimezone(CHINA).date()
        given = {"communities": (C1, C2), "planned_from": today, "planned_until": date.fromisoformat(until)}
        return self.admit(key, by, Variant.UNIT, **(given | fields))

    def november(self) -> None:
        """Nov 1: the inspections of the year begin."""
        self.at("11-01 00:00").street.begin("inspection", "yearly", COUNTY, "2026")

    def inspection(self, permit: str) -> str:
        """Id of a permit's inspection of 2026."""
        return derived_id("inspection", f"{permit}/2026")

    def assessed(self, permit: str, ratings: dict[int, int], panel: int = 40) -> str:
        """The office lets the communities assess a permit."""
        key = self.inspection(permit)
        BOX.ratings[key] = ratings
        self.say(key, "reviewer", do.OpenBallot(panel=panel))
        return key

    def conclude(self, permit: str, outcome: Outcome) -> Case[Any]:
        """The office concludes."""
        return self.say(self.inspection(permit), "reviewer", do.Conclude(outcome=outcome, opinion="text:opinion"))

    def log(self, key: str, text: str = "text:survey", **fields: Any) -> Case[Any]:
        """A task of the county's statistics office arrives in community 2."""
        command = rf.LogIncomingTask(community_code=C2, department="statistics", text=text, **fields)
        return self.street.open("refusal", key, command, PEOPLE["worker2"], facts={"organizations": ORGANIZATIONS})


@pytest.fixture
def office() -> Office:
    """A year that begins with permits."""
    return Office("01-05 09:00")


# --- the yearly inspection ----------------------------------------------------------------------------------


def test_november_opens_one_inspection_for_every_permit_that_was_in_force_long_enough(office: Office) -> None:
    office.permit("PU-1")
    office.permit("PU-2", until="2027-03-31")
    entry = {"planned_from": date(2026, 10, 28), "planned_until": date(2027, 6, 30)}
    office.at("10-28 09:00").admit("PW-1", "medical-insurance", Variant.WORK_ITEM, **entry)

    office.november()
    office.street.begin("inspection", "yearly", COUNTY, "2026")

    found = [one for one in office.street.cases.values() if one.process == "inspection"]
    assert {one.data.permit for one in found} == {"PU-1", "PU-2"}
    assert {one.state for one in found} == {"SELF_REPORT"}
    assert office.due(office.inspection("PU-1"), "SELF_REPORT") == "11-20 18:00"
    assert office.due(office.inspection("PU-1"), "INSPECT") == "12-31 18:00"
    assert "2026" in office.street.cases["PU-1"].data.inspections


def test_nothing_opens_before_november(office: Office) -> None:
    office.permit("PU-1")

    office.at("10-31 23:59").street.begin("inspection", "yearly", COUNTY, "2026")

    assert not [one for one in office.street.cases.values() if one.process == "inspection"]


@pytest.mark.parametrize(("entered", "inspected"), [("10-03 09:00", True), ("10-04 09:00", False)])
def test_ninety_days_of_the_year_counted_to_its_end(office: Office, entered: str, inspected: bool) -> None:
    office.at(entered).permit("PU-9", until="2027-06-30")

    office.november()

    assert (office.inspection("PU-9") in office.street.cases) is inspected


def test_a_work_item_of_a_year_is_inspected_too(office: Office) -> None:
    year = {"planned_from": date(2026, 1, 5), "planned_until": date(2027, 1, 4)}
    office.admit("PW-9", "statistics", Variant.WORK_ITEM, **year)

    office.november()

    assert office.inspection("PW-9") in office.street.cases


def test_a_permit_that_has_ended_is_inspected_and_concluded_all_the_same(office: Office) -> None:
    office.permit("PU-8", until="2026-06-30")
    assert office.at("07-01 09:00").street.cases["PU-8"].state == "CLOSED"

    office.november()
    office.at("11-30 09:00").assessed("PU-8", {5: 31})
    office.say(office.inspection("PU-8"), "reviewer", SITE)
    office.at("12-15 10:00").conclude("PU-8", Outcome.PASS)

    assert office.street.cases[office.inspection("PU-8")].state == "DONE"
    assert office.street.refused == []


def test_a_missing_self_report_is_a_finding_and_a_late_one_stays_one(office: Office) -> None:
    office.permit("PU-2", until="2027-03-31")
    office.november()
    key = office.inspection("PU-2")

    office.at("11-20 18:00")

    case = office.street.cases[key]
    assert (case.state, case.data.findings) == ("ASSESSING", (Finding.NO_SELF_REPORT,))
    assert office.state(key, "SELF_REPORT") == "BREACHED"
    after = office.at("11-23 09:00").say(key, "telecom", REPORT)
    assert after.data.findings == (Finding.NO_SELF_REPORT,)
    assert office.state(key, "SELF_REPORT") == "MET_LATE"
    assert office.refused(key, "telecom", REPORT) == "SELF_REPORTED_ALREADY"


# --- 下评上 -------------------------------------------------------------------------------------------------


def test_s55_few_are_satisfied_and_the_permit_must_be_put_right(office: Office) -> None:
    office.permit("PU-2", until="2027-03-31")
    office.november()
    key = office.at("11-30 09:00").assessed("PU-2", {5: 10, 4: 5, 3: 9, 2: 7, 1: 2})
    assert office.due(key, "COLLECT") == "12-10 24:00"

    office.at("12-11 00:00")

    ballot = office.street.cases[key].data.ballot
    assert (ballot.state, ballot.valid, ballot.satisfied, ballot.share) == (BallotState.TALLIED, 33, 15, 45.5)
    assert ballot.cells == {"5": 10, "4": 5, "3": 9, "2": 7, "1": None}
    office.say(key, "reviewer", SITE)
    office.at("12-15 10:00").conclude("PU-2", Outcome.RECTIFY)
    assert office.street.cases["PU-2"].state == "RECTIFYING"
    assert office.due("PU-2", "RECTIFY") == "2027-01-14 24:00"
    assert ("role:leading_group_approver@6201", "inspection_reported") in office.told(key, "12-15 10:00")


def test_s55_below_the_threshold_a_pass_is_put_right_all_the_same(office: Office) -> None:
    office.permit("PU-2", until="2027-03-31")
    office.november()
    key = office.at("11-30 09:00").assessed("PU-2", {5: 15, 1: 18})
    office.say(key, "reviewer", SITE)

    office.at("12-15 10:00").conclude("PU-2", Outcome.PASS)

    assert office.street.cases["PU-2"].state == "RECTIFYING"


def test_s55_too_few_answers_extend_once_and_then_give_no_result(office: Office) -> None:
    office.permit("PU-2", until="2027-03-31")
    office.november()
    key = office.at("11-30 09:00").assessed("PU-2", {5: 20})
    office.say(key, "reviewer", SITE)

    office.at("12-11 00:00")
    assert office.street.cases[key].data.ballot.extended
    assert office.due(key, "COLLECT") == "12-15 24:00"
    office.at("12-16 00:00")

    case = office.street.cases[key]
    assert (case.state, case.data.ballot.state) == ("ASSESSING", BallotState.INVALID)
    assert case.data.ballot.valid == 0
    again = office.assessed("PU-2", {5: 36})
    assert office.street.cases[again].data.ballot.round == 2


@pytest.mark.parametrize(
    ("valid", "panel", "enough"), [(30, 40, True), (29, 40, True), (24, 40, True), (23, 40, False)]
)
def test_thirty_answers_or_sixty_percent_of_the_panel(office: Office, valid: int, panel: int, enough: bool) -> None:
    office.permit("PU-2", until="2027-03-31")
    office.november()
    key = office.inspection("PU-2")
    office.at("11-21 09:00")
    command = do.RecordBallotResult(panel=panel, valid=valid, satisfied=valid)

    if enough:
        assert office.say(key, "reviewer", command).data.ballot.state is BallotState.FILED
    else:
        assert office.refused(key, "reviewer", command) == "BALLOT_TOO_FEW"


def test_the_assessed_never_run_the_ballot(office: Office) -> None:
    office.permit("PU-2", until="2027-03-31")
    office.november()
    key = office.inspection("PU-2")
    office.at("11-23 09:00")

    for command in (do.OpenBallot(panel=40), do.RecordBallotResult(panel=40, valid=40, satisfied=40), SITE):
        assert office.refused(key, "telecom", command) == "NOT_IN_ROLE"


def test_a_ballot_that_goes_on_takes_no_other_result(office: Office) -> None:
    office.permit("PU-2", until="2027-03-31")
    office.november()
    key = office.at("11-23 09:00").assessed("PU-2", {5: 40})

    assert office.refused(key, "reviewer", do.OpenBallot(panel=40)) == "BALLOT_EXISTS"
    filed = do.RecordBallotResult(panel=40, valid=40, satisfied=1)
    assert office.refused(key, "reviewer", filed) == "BALLOT_EXISTS"


@pytest.mark.parametrize("valid", [(41, 40), (30, 31)])
def test_counts_of_a_filed_ballot_must_be_possible(office: Office, valid: tuple[int, int]) -> None:
    office.permit("PU-2", until="2027-03-31")
    office.november()
    office.at("11-23 09:00")
    command = do.RecordBallotResult(panel=40, valid=valid[0], satisfied=valid[1])

    assert office.refused(office.inspection("PU-2"), "reviewer", command) == "BALLOT_COUNTS"


# --- M5 and S38: four inspections -----------------------------------------------------------------------------


def test_m5_the_inspections_of_a_year(office: Office) -> None:
    office.permit("PU-1")
    office.permit("PU-2", until="2027-03-31")
    office.permit("PU-3", until="2027-03-31")
    office.permit("PU-5")
    office.november()
    office.at("11-10 09:00").say("PU-3", "secretary1", adm.ReportBreach(text="text:breach"))
    office.say("PU-3", "reviewer", adm.OrderRectification(findings="text:findings"))
    office.at("11-18 10:00")
    for permit in ("PU-1", "PU-3", "PU-5"):
        office.say(office.inspection(permit), "telecom", REPORT)
    office.at("11-30 09:00")
    ballots = {"PU-1": (31, 3), "PU-2": (15, 18), "PU-3": (14, 18), "PU-5": (24, 7)}
    for permit, (satisfied, others) in ballots.items():
        office.assessed(permit, {5: satisfied, 2: others})
        office.say(office.inspection(permit), "reviewer", SITE)

    office.at("12-11 09:00")
    assert {office.street.cases[office.inspection(one)].data.ballot.share for one in ballots} == {
        91.2,
        45.5,
        43.8,
        77.4,
    }
    office.say("PU-3", "reviewer", adm.ProposeRevocation(findings="text:failed"))
    office.at("12-15 10:00")
    assert (
        office.refused(
            office.inspection("PU-2"), "reviewer", do.Conclude(outcome=Outcome.PROPOSE_REVOKE, opinion="text:o")
        )
        == "NO_RECTIFICATION"
    )
    for permit, outcome in (
        ("PU-1", Outcome.PASS),
        ("PU-2", Outcome.RECTIFY),
        ("PU-3", Outcome.PROPOSE_REVOKE),
        ("PU-5", Outcome.PASS),
    ):
        office.conclude(permit, outcome)

    assert office.due("PU-2", "RECTIFY") == "2027-01-14 24:00"
    assert {one: office.street.cases[one].state for one in ballots} == {
        "PU-1": "ACTIVE",
        "PU-2": "RECTIFYING",
        "PU-3": "REVOCATION_PROPOSED",
        "PU-5": "ACTIVE",
    }
    concluded = [one for one in office.street.cases.values() if one.process == "inspection" and one.state == "DONE"]
    assert len(concluded) == 4
    assert office.street.cases[office.inspection("PU-2")].data.findings == (Finding.NO_SELF_REPORT,)
    assert office.street.refused == []


def test_a_permit_has_one_inspection_a_year_however_it_is_opened(office: Office) -> None:
    office.permit("PU-1")
    office.at("03-02 09:00")
    by_hand = do.OpenInspection(permit="PU-1")
    facts = {"permit": {"id": "PU-1", "community": COUNTY}}
    office.street.open("inspection", "by-hand", by_hand, PEOPLE["reviewer"], facts=facts)

    office.november()

    assert office.inspection("PU-1") not in office.street.cases
    with pytest.raises(Refusal, match="ALREADY_INSPECTED"):
        office.street.open("inspection", "again", by_hand, PEOPLE["reviewer"], facts=facts)


# --- S36: the right to refuse ---------------------------------------------------------------------------------


def test_s36_what_was_never_admitted_is_refused(office: Office) -> None:
    office.at("10-12 10:00").log("task")
    assert office.street.cases["task"].data.check.because == "NOT_ADMITTED"
    assert office.due("task", "CHECK") == "10-13 18:00"

    refused = office.say("task", "secretary2", rf.Refuse(reason="text:reason"))

    assert refused.state == "REFUSED"
    assert office.state("task", "CHECK") == "MET"
    assert office.told("task", "10-12 10:00") >= {
        ("statistics", "task_refused"),
        ("role:office_reviewer@620199", "task_refused"),
    }
    office.at("10-16 10:00").apply("applied", "statistics", communities=(C2,))
    office.say("task", "statistics", rf.DepartmentApplies(admission="applied"))
    assert office.street.cases["task"].state == "LINKED"


def test_s36_no_assessment_is_built_on_a_refusal(office: Office) -> None:
    office.permit("PU-2", until="2027-03-31")
    office.november()
    office.at("11-23 09:00")
    command = do.OpenBallot(panel=40, indicators=(Planned(kind=Indicator.REFUSALS),))

    assert office.refused(office.inspection("PU-2"), "reviewer", command) == "REFUSAL_NOT_NEGATIVE"
    office.log("task")
    office.say("task", "secretary2", rf.Refuse(reason="text:reason"))
    service = do.OpenBallot(panel=40, indicators=(Planned(kind=Indicator.SERVICE, built_on="task"),))
    facts = {"indicators.0.built_on": {"id": "task", "process": "refusal"}}
    with pytest.raises(Refusal, match="REFUSAL_NOT_NEGATIVE"):
        office.street.command(office.inspection("PU-2"), service, PEOPLE["reviewer"], facts=facts)


def test_s34_what_is_on_a_list_is_done(office: Office) -> None:
    office.at("10-12 10:00").log("task", "text:low-income")

    case = office.street.cases["task"]

    assert (case.position, case.data.check.because) == ("CLOSED:COVERED", "LIST_B")
    assert office.state("task", "CHECK") == "MET"
    assert office.refused("task", "secretary2", rf.Refuse(reason="text:reason")) == "WRONG_STATE"


def test_what_has_a_permit_here_is_done_and_elsewhere_is_not(office: Office) -> None:
    office.permit("PU-1", item_name="text:service", communities=(C2,))
    office.permit("PU-2", item_name="text:elsewhere", communities=(C1,))
    office.log("here", "text:service")
    office.log("elsewhere", "text:elsewhere")

    assert office.street.cases["here"].position == "CLOSED:COVERED"
    assert office.street.cases["elsewhere"].position == "CHECKING"


def test_a_list_that_changes_before_the_answer_decides_it(office: Office) -> None:
    office.at("11-13 10:00").log("task", "text:insured")
    assert office.street.cases["task"].position == "CHECKING"

    assert office.at("11-16 10:00").refused("task", "secretary2", rf.Refuse(reason="text:reason")) == "TASK_COVERED"


@pytest.mark.parametrize("nature", [Nature.EMERGENCY_ORDER, Nature.PARTY_INTERNAL])
def test_emergency_orders_and_party_matters_cannot_be_refused(office: Office, nature: Nature) -> None:
    office.log("task", nature=nature)

    assert office.refused("task", "secretary2", rf.Refuse(reason="text:reason")) == "NOT_REFUSABLE"


def test_a_voluntary_acceptance_says_with_which_people_and_money(office: Office) -> None:
    office.log("task")

    case = office.say(
        "task", "secretary2", rf.AcceptVoluntarily(decision="text:d", staff_note="text:s", money_note="text:m")
    )

    assert case.position == "ACCEPTED_VOLUNTARILY"
    assert case.data.accepted.money_note == "text:m"


@pytest.mark.parametrize(
    ("ruling", "position"),
    [(Ruling.UPHELD, "REFUSED"), (Ruling.COVERED, "CLOSED:COVERED"), (Ruling.MUST_APPLY, "REFUSED:MUST_APPLY")],
)
def test_the_office_arbitrates_within_five_working_days(office: Office, ruling: Ruling, position: str) -> None:
    office.at("10-12 10:00").log("task")
    office.say("task", "secretary2", rf.Refuse(reason="text:reason"))
    office.at("10-13 10:00").say("task", "statistics", rf.Dispute(reason="text:dispute"))
    assert office.due("task", "ARBITRATE") == "10-20 18:00"

    case = office.at("10-14 10:00").say("task", "reviewer", rf.Arbitrate(outcome=ruling, reason="text:ruling"))

    assert case.position == position
    assert office.state("task", "ARBITRATE") == "MET"
    assert case.data.rulings["1"].text == "text:ruling"


def test_a_department_that_insists_is_dealt_with_by_the_leading_group(office: Office) -> None:
    office.log("task")
    office.say("task", "secretary2", rf.Refuse(reason="text:reason"))
    office.say("task", "secretary2", rf.Escalate(reason="text:insists"))

    case = office.say("task", "approver", rf.Settle(text="text:settled"))

    assert case.position == "CLOSED:SETTLED"


def test_the_department_may_withdraw_and_nobody_else_speaks_for_it(office: Office) -> None:
    office.log("task")
    office.say("task", "secretary2", rf.Refuse(reason="text:reason"))

    assert office.refused("task", "department", rf.DepartmentWithdraws()) == "NOT_IN_ROLE"
    assert office.say("task", "statistics", rf.DepartmentWithdraws()).position == "CLOSED:WITHDRAWN"
