"""S33–S35, S37–S43 and the admissions of M4 and M5, with their exact times."""

from typing import Any

import pytest

from tests.scenarios.admitting import MONEY, UNIT, WORK_ITEM, County, on
from tests.scenarios.street import C1, C2, C3, EVIDENCE, PEOPLE, written
from workflows.admission import commands as do
from workflows.admission.data import DeliveryMode, FundingKind, Ledgers, ListResult, Outcome, Variant
from workflows.admission.process import ADMISSION
from workflows.kernel.process import SYSTEM
from workflows.kernel.step import tasks
from workflows.supervision import rules as watch

COMMITTED = do.ConfirmFunding(kind=FundingKind.COMMITTED, evidence=EVIDENCE)


def insured(town: County) -> None:
    """医保参保核查: to be done by the two committees of three communities."""
    town.apply(
        "pw1",
        "medical-insurance",
        item_name="text:insured",
        communities=(C1, C2, C3),
        planned_from=on("11-02"),
        planned_until=on("2027-06-30"),
        funding=MONEY,
    )


def test_s33_an_item_of_a_city_department() -> None:
    town = County("09-14 10:00")
    insured(town)
    case = town.street.cases["pw1"]
    assert (case.position, case.community, town.due("pw1", "COMPLETENESS")) == ("SUBMITTED", "6201", "09-20 18:00")

    town.at("09-16 10:00").say("pw1", "reviewer", do.RunListCheck())
    town.say("pw1", "reviewer", do.ConfirmListCheck(result=ListResult.OTHER))
    assert town.street.cases["pw1"].position == "UNDER_REVIEW"
    assert town.street.cases["pw1"].data.warnings == ()
    assert (town.due("pw1", "REVIEW"), town.due("pw1", "OPINION")) == ("10-13 18:00", "09-20 18:00")
    assert town.state("pw1", "COMPLETENESS") == "MET"

    town.at("10-12 09:00")
    assert town.refused("pw1", "approver", do.Decide(outcome=Outcome.APPROVE)) == "WRONG_LEVEL"
    town.say("pw1", "cityapprover", do.Decide(outcome=Outcome.APPROVE))
    case = town.street.cases["pw1"]
    assert (case.position, town.due("pw1", "AGREE"), town.state("pw1", "REVIEW")) == ("APPROVED", "10-26 18:00", "MET")
    assert case.data.permit_no == f"{case.number}-1"

    town.at("10-20 10:00").say("pw1", "medical-insurance", do.SignAgreement())
    town.say("pw1", "secretary1", do.SignAgreement())
    town.say("pw1", "secretary2", do.RefuseTerms(reason="text:capacity"))
    assert town.street.cases["pw1"].position == "APPROVED"
    town.say("pw1", "secretary3", do.SignAgreement())
    assert town.street.cases["pw1"].position == "AGREED"
    assert (town.due("pw1", "MEDIATE"), town.due("pw1", "FUND")) == ("10-27 18:00", "11-17 18:00")

    town.at("10-26 10:00").say("pw1", "reviewer", do.AmendPermit(communities=(C1, C3)))
    assert town.state("pw1", "MEDIATE") == "MET"
    town.at("10-27 10:00").say("pw1", "medical-insurance", COMMITTED)
    assert town.street.cases["pw1"].position == "FUNDED"
    town.at("10-28 10:00").say("pw1", "reviewer", do.RegisterAndEnter())
    case = town.street.cases["pw1"]
    assert (case.position, case.data.communities) == ("ACTIVE", (C1, C3))
    assert (town.due("pw1", "TERM"), case.data.valid_until) == ("2027-06-30 24:00", on("2027-06-30"))
    assert [clock.state for clock in town.clocks("pw1", "INSTALMENT")] == ["RUNNING"] * 3

    for number, paid in enumerate(("11-27", "2027-02-25", "2027-05-28"), start=1):
        paid_on = on(paid)
        receipt = do.RecordPayment(instalment=number, paid_on=paid_on, receipt="receipt")
        town.at(f"{paid_on} 12:00").say("pw1", "medical-insurance", receipt)
    assert town.state("pw1", "INSTALMENT") == "MET"
    town.at("2027-06-01 10:00").say("pw1", "medical-insurance", do.ReportCompletion(text="text:done"))
    for who in ("secretary1", "secretary3", "reviewer"):
        town.say("pw1", who, do.ConfirmCompletion())
    assert town.street.cases["pw1"].position == "CLOSED:COMPLETED"
    assert town.state("pw1", "SETTLE") == "MET"
    assert not {"revocation_proposed", "revoked"} & set(town.types("pw1"))
    assert town.street.refused == []


def test_s33_the_version_of_the_lists_on_the_day_of_the_check_counts() -> None:
    """From 11-15 the county's list has the item; a review that began before goes on, and the check says so."""
    town = County("11-12 10:00")
    insured(town)
    town.review("pw1")
    town.at("11-16 10:00")
    town.approve("pw1")

    check = town.street.cases["pw1"].data.list_check
    assert (check.version, check.checked_on, check.hits) == (3, on("11-12"), ())
    assert town.street.cases["pw1"].position == "APPROVED"

    # Checked on the sixteenth the same item needs no permit.
    later = County("11-16 10:00")
    insured(later)
    later.say("pw1", "reviewer", do.RunListCheck())
    listed = do.ConfirmListCheck(result=ListResult.ON_LIST, list_item="B-12")
    assert later.say("pw1", "reviewer", listed).position == "CLOSED:NOT_REQUIRED"
    assert later.street.cases["pw1"].data.list_check.version == 4


def test_s34_an_item_on_a_list_needs_no_permit() -> None:
    town = County("09-14 10:00")
    town.apply("s34", "civil-affairs", item_name="text:low-income")
    town.say("s34", "reviewer", do.RunListCheck())
    unexplained = do.ConfirmListCheck(result=ListResult.OTHER)
    assert town.refused("s34", "reviewer", unexplained) == "REASON_REQUIRED"
    other = do.ConfirmListCheck(result=ListResult.ON_LIST, list_item="B-99")
    assert town.refused("s34", "reviewer", other) == "NOT_ON_LIST"

    case = town.say("s34", "reviewer", do.ConfirmListCheck(result=ListResult.ON_LIST, list_item="B-07"))

    assert (case.position, case.data.list_check.version) == ("CLOSED:NOT_REQUIRED", 3)
    assert ("civil-affairs", "admission_on_list_b") in town.told("s34", "09-14 10:00")
    closing = town.street.histories["s34"][-1]
    assert closing.change.notes["funding_note"] == "由民政部门提供必要的经费和工作条件"


def test_s35_a_prohibited_item_is_rejected_with_its_clause() -> None:
    town = County("09-14 10:00")
    town.apply("s35", "department", item_name="text:investment")
    town.say("s35", "reviewer", do.RunListCheck())
    assert town.refused("s35", "reviewer", do.ConfirmListCheck(result=ListResult.OTHER)) == "PROHIBITED"

    case = town.say("s35", "reviewer", do.ConfirmListCheck(result=ListResult.PROHIBITED))
    assert (case.position, case.data.rejection_clause) == ("CLOSED:REJECTED_PROHIBITED", "004 §二(三)1")
    # Ten working days over National Day.
    assert town.due("s35", "RECONSIDER") == "09-28 18:00"

    town.at("09-28 17:00").say("s35", "department", do.Reconsider(reason="text:again"))
    assert town.street.cases["s35"].position == "UNDER_REVIEW"
    town.say("s35", "approver", do.Decide(outcome=Outcome.REJECT, reason="text:no"))
    assert town.refused("s35", "department", do.Reconsider(reason="text:again")) == "RECONSIDERED_ALREADY"


def test_s35_reconsideration_ends_with_its_time() -> None:
    town = County("09-14 10:00")
    town.apply("s35", "department", item_name="text:investment")
    town.say("s35", "reviewer", do.RunListCheck())
    town.say("s35", "reviewer", do.ConfirmListCheck(result=ListResult.PROHIBITED))

    town.at("09-28 18:00")
    assert town.refused("s35", "department", do.Reconsider(reason="text:again")) == "RECONSIDER_OVER"


def test_s37_work_by_the_departments_own_staff_is_only_registered() -> None:
    town = County("09-14 10:00")
    town.apply(
        "s37",
        "disabled-persons",
        delivery_mode=DeliveryMode.OWN_STAFF,
        planned_from=on("10-08"),
        planned_until=on("11-30"),
    )
    town.say("s37", "reviewer", do.RunListCheck())
    assert town.refused("s37", "reviewer", do.ConfirmListCheck(result=ListResult.OTHER)) == "DONE_BY_OTHERS"
    case = town.say("s37", "reviewer", do.ConfirmListCheck(result=ListResult.OTHER_MODE))
    assert case.position == "REGISTERED_ONLY"
    assert case.data.permit_no is None

    # No task for the community; a ledger that is asked for nevertheless is written down as a burden.
    assert tasks(ADMISSION, case) == ()
    asked = do.ReportBreach(text="text:ledger", ledgers=("text:card",))
    town.at("10-12 10:00").say("s37", "secretary1", asked)
    breach = town.street.cases["s37"].data.breaches["1"]
    assert (breach.community, breach.ledgers) == (C1, ("text:card",))

    town.at("12-01 00:00")
    assert town.street.cases["s37"].position == "CLOSED:COMPLETED"
    assert town.when("s37", "closed") == "11-30 24:00"


def telecom(town: County, key: str, until: str = "2027-03-31", **fields: Any) -> None:
    """A unit permit that is in force from now on."""
    town.admit(key, "telecom", planned_from=on("2026-04-01"), planned_until=on(until), **fields)


def test_s38_rectification_fails_and_the_permit_is_revoked() -> None:
    town = County("04-01 10:00")
    telecom(town, "pu3", communities=(C1, C2, C3))

    town.at("11-10 10:00").say("pu3", "worker2", do.ReportBreach(text="text:breach"))
    assert town.refused("pu3", "reviewer", do.Revoke(reason="text:r")) == "NO_RECTIFICATION"
    town.say("pu3", "reviewer", do.OrderRectification(findings="text:f"))
    assert (town.street.cases["pu3"].position, town.due("pu3", "RECTIFY")) == ("RECTIFYING", "12-10 24:00")
    assert town.refused("pu3", "reviewer", do.ProposeRevocation(findings="text:f")) == "RECTIFICATION_RUNNING"

    town.at("12-11 10:00").say("pu3", "reviewer", do.ProposeRevocation(findings="text:f"))
    assert town.street.cases["pu3"].position == "REVOCATION_PROPOSED"
    assert town.due("pu3", "STATEMENT") == "12-18 18:00"
    assert town.refused("pu3", "reviewer", do.Revoke(reason="text:r")) == "STATEMENT_RUNNING"

    # The inspection joins the running case (M5 step 6).
    concluded = do.InspectionConcluded(inspection="i3", year=2026, outcome="PROPOSE_REVOKE", satisfied_share=43.8)
    town.at("12-15 10:00").street.command("pu3", concluded, SYSTEM)
    assert town.street.cases["pu3"].position == "REVOCATION_PROPOSED"

    town.at("12-21 10:00").say("pu3", "reviewer", do.Revoke(reason="text:r"))
    case = town.street.cases["pu3"]
    assert (case.position, case.data.ban_until) == ("REVOKED", on("2027-12-21"))
    assert set(_dues(town, "pu3", "HAND_OVER")) == {"2027-01-04 18:00"}
    assert town.clock("pu3", "HAND_OVER").provisional
    told = town.told("pu3", "12-21 10:00")
    assert {("telecom", "admission_revoked"), (C1, "admission_revoked"), ("620199", "admission_revoked")} <= told

    assert town.refused_application("telecom", Variant.UNIT).reason == "REAPPLY_BAN"
    town.at("2027-12-20 23:59")
    soon: dict[str, Any] = {"planned_from": on("2028-02-01"), "planned_until": on("2028-12-31")}
    assert town.refused_application("telecom", Variant.UNIT, **soon).reason == "REAPPLY_BAN"
    town.at("2027-12-21 00:00")
    assert town.apply("again", "telecom", Variant.UNIT, **soon).position == "SUBMITTED"


def _dues(town: County, key: str, code: str) -> list[str]:
    return [written(clock.due_at) for clock in town.clocks(key, code)]


def test_s38_a_hand_over_is_confirmed_by_each_community() -> None:
    town = County("04-01 10:00")
    telecom(town, "pu3", communities=(C1, C2))
    town.at("11-10 10:00").say("pu3", "reviewer", do.OrderRectification(findings="text:f"))
    town.at("12-11 10:00").say("pu3", "reviewer", do.ProposeRevocation(findings="text:f"))
    town.say("pu3", "telecom", do.StateViews(text="text:views"))
    town.say("pu3", "reviewer", do.Revoke(reason="text:r"))

    town.say("pu3", "secretary1", do.ConfirmHandOver())
    assert town.refused("pu3", "secretary1", do.ConfirmHandOver()) == "HANDED_OVER_ALREADY"
    town.at("2027-01-20 10:00").say("pu3", "reviewer", do.ConfirmHandOver())
    assert [clock.state for clock in town.clocks("pu3", "HAND_OVER")] == ["MET", "MET_LATE"]


def test_s38_a_work_item_may_not_be_asked_for_again_but_another_one_may() -> None:
    town = County("04-01 10:00")
    town.admit("w", "department", Variant.WORK_ITEM, planned_until=on("2027-03-31"))
    town.at("11-10 10:00").say("w", "approver", do.OrderRectification(findings="text:f"))
    town.at("12-11 10:00").say("w", "reviewer", do.ProposeRevocation(findings="text:f"))
    town.at("12-21 10:00").say("w", "reviewer", do.Revoke(reason="text:r"))

    town.apply("same", "department", planned_from=on("2027-03-01"))
    town.say("same", "reviewer", do.RunListCheck())
    assert town.refused("same", "reviewer", do.ConfirmListCheck(result=ListResult.OTHER)) == "REAPPLY_BAN"
    town.apply("other", "department", planned_from=on("2027-03-01"), item_name="text:other")
    assert town.review("other").position == "UNDER_REVIEW"


def test_s39_a_renewal_after_a_passed_inspection() -> None:
    town = County("01-05 10:00")
    town.admit("pu1", "telecom", planned_from=on("2026-01-01"), planned_until=on("2026-12-31"))
    first = town.street.cases["pu1"].data.permit_no

    town.at("10-31 23:59")
    ask = do.ApplyRenewal(valid_until=on("2027-12-31"))
    assert town.refused("pu1", "telecom", ask) == "RENEWAL_TOO_EARLY"
    assert "expiry_reminded" not in town.types("pu1")
    town.at("11-01 00:00")
    assert town.when("pu1", "expiry_reminded") == "10-31 24:00"
    town.street.command("pu1", do.InspectionOpened(inspection="i1", year=2026), SYSTEM)

    town.at("11-25 10:00").say("pu1", "telecom", ask)
    assert (town.street.cases["pu1"].position, town.due("pu1", "REVIEW")) == ("RENEWAL_REVIEW", "12-16 18:00")
    approve = do.Decide(outcome=Outcome.APPROVE)
    assert town.refused("pu1", "reviewer", approve) == "INSPECTION_NOT_CONCLUDED"

    passed = do.InspectionConcluded(inspection="i1", year=2026, outcome="PASS", satisfied_share=91.2)
    town.at("12-15 10:00").street.command("pu1", passed, SYSTEM)
    town.at("12-16 10:00").say("pu1", "reviewer", approve)
    data = town.street.cases["pu1"].data
    assert town.street.cases["pu1"].position == "ACTIVE"
    assert (data.valid_from, data.valid_until) == (on("2027-01-01"), on("2027-12-31"))
    assert data.permit_no != first
    assert sorted(data.terms) == sorted([first, data.permit_no])
    assert (town.state("pu1", "REVIEW"), town.due("pu1", "TERM")) == ("MET", "2027-12-31 24:00")

    # The next window is that of the new term.
    town.at("2027-10-31 23:59")
    assert town.street.cases["pu1"].position == "ACTIVE"
    again = do.ApplyRenewal(valid_until=on("2028-12-31"))
    assert town.refused("pu1", "telecom", again) == "RENEWAL_TOO_EARLY"
    town.at("2027-12-01 23:59").say("pu1", "telecom", again)
    town.at("2028-01-01 00:00")
    assert town.street.cases["pu1"].position == "CLOSED:EXPIRED"


def test_s39_the_window_for_a_renewal_closes_thirty_days_before_the_end() -> None:
    town = County("01-05 10:00")
    town.admit("pu1", "telecom", planned_from=on("2026-01-01"), planned_until=on("2026-12-31"))

    town.at("12-02 00:00")
    assert town.refused("pu1", "telecom", do.ApplyRenewal(valid_until=on("2027-12-31"))) == "RENEWAL_TOO_LATE"


def test_s39_no_renewal_while_money_is_owed_and_the_permit_expires() -> None:
    town = County("01-05 10:00")
    owed = do.Funding(source="text:b", amount=5000, instalments=(do.Payment(amount=5000, due_on=on("11-30")),))
    town.admit("pu5", "telecom", planned_from=on("2026-01-01"), planned_until=on("2026-12-31"), funding=owed)

    town.at("12-01 10:00")
    assert town.refused("pu5", "telecom", do.ApplyRenewal(valid_until=on("2027-12-31"))) == "FUND_UNSETTLED"
    town.at("2027-01-01 00:00")
    assert town.street.cases["pu5"].position == "CLOSED:EXPIRED"
    assert town.when("pu5", "expired") == "12-31 24:00"
    # The hand-over counts from the day that ended.
    assert town.due("pu5", "HAND_OVER") == "2027-01-14 18:00"


def test_s39_an_interim_of_at_most_thirty_days() -> None:
    town = County("01-05 10:00")
    town.admit("pu1", "telecom", planned_from=on("2026-01-01"), planned_until=on("2026-12-31"))
    town.at("12-01 10:00").say("pu1", "telecom", do.ApplyRenewal(valid_until=on("2027-12-31")))
    town.at("12-30 10:00")
    long = do.GrantInterim(until=on("2027-01-31"), reason="text:r")
    assert town.refused("pu1", "reviewer", long) == "INTERIM_TOO_LONG"
    town.say("pu1", "reviewer", do.GrantInterim(until=on("2027-01-30"), reason="text:r"))
    assert town.due("pu1", "TERM") == "2027-01-30 24:00"

    town.at("2027-01-15 10:00").say("pu1", "reviewer", do.Decide(outcome=Outcome.APPROVE))
    assert (town.street.cases["pu1"].position, town.due("pu1", "TERM")) == ("ACTIVE", "2027-12-31 24:00")


def test_s40_silence_never_approves() -> None:
    town = County("08-05 10:00")
    town.apply("s40", "telecom", Variant.UNIT)
    town.review("s40")
    assert town.due("s40", "REVIEW") == "08-26 18:00"

    town.at("09-30 10:00")
    assert (town.state("s40", "REVIEW"), town.street.cases["s40"].position) == ("BREACHED", "UNDER_REVIEW")
    told = town.told("s40", "08-26 18:00")
    assert ("role:leading_group_approver@620199", "admission_review_overdue") in told


def test_s41_unpaid_money_gives_the_right_to_stop() -> None:
    town = County("10-28 10:00")
    town.admit("s41", "department", Variant.WORK_ITEM, funding=MONEY, communities=(C1, C2))
    town.at("11-30 18:00")
    assert town.street.cases["s41"].data.funding_overdue
    assert town.due("s41", "SUSPEND_RIGHT") == "12-14 18:00"

    stop = do.SuspendPerformance(reason="text:unpaid")
    town.at("12-14 17:59")
    assert town.refused("s41", "secretary1", stop) == "SUSPEND_RIGHT_NOT_YET"
    town.at("12-14 18:00").say("s41", "secretary1", stop)
    data = town.street.cases["s41"].data
    assert sorted(data.stopped) == [C1]
    # The department's own clocks run on.
    running = {clock.code for clock in town.street.cases["s41"].clocks if clock.state == "RUNNING"}
    assert {"TERM", "INSTALMENT"} <= running
    assert town.clocks("s41", "INSTALMENT")[0].state == "BREACHED"

    paid = do.RecordPayment(instalment=1, paid_on=on("12-16"), receipt="receipt")
    town.at("12-16 10:00").say("s41", "department", paid)
    data = town.street.cases["s41"].data
    assert (data.funding_overdue, dict(data.stopped)) == (False, {})
    assert town.clocks("s41", "INSTALMENT")[0].state == "MET_LATE"


FLOOD: dict[str, Any] = {"emergency_basis": "text:flood", "planned_from": on("07-09"), "planned_until": on("08-31")}


def test_s42_an_emergency_entry_lapses_without_a_file() -> None:
    town = County("07-09 10:00", "panzhihua_2016")
    town.apply("s42", "department", **FLOOD)
    assert town.street.cases["s42"].position == "EMERGENCY_ASKED"
    town.say("s42", "approver", do.ConfirmEmergency(approve=True))
    case = town.street.cases["s42"]
    assert (case.position, case.data.provisional) == ("ACTIVE_PROVISIONAL", True)
    assert town.due("s42", "LATE_FILE") == "07-16 18:00"

    town.at("07-16 18:00")
    case = town.street.cases["s42"]
    assert (case.position, case.data.provisional) == ("CLOSED:LAPSED", False)
    assert (C1, "admission_lapsed") in town.told("s42", "07-16 18:00")


def test_s42_a_file_in_time_lets_the_work_go_on_until_the_decision() -> None:
    town = County("07-09 10:00", "panzhihua_2016")
    town.apply("s42", "department", **FLOOD)
    town.say("s42", "approver", do.ConfirmEmergency(approve=True))
    file = town.application("department", planned_from=on("07-09"), planned_until=on("08-31"))
    town.at("07-15 10:00").say("s42", "department", file)

    case = town.street.cases["s42"]
    assert (case.position, case.data.provisional, town.state("s42", "LATE_FILE")) == ("SUBMITTED", True, "MET")
    assert town.due("s42", "COMPLETENESS") == "07-22 18:00"
    town.review("s42")
    town.say("s42", "approver", do.Decide(outcome=Outcome.REJECT, reason="text:no"))
    assert not town.street.cases["s42"].data.provisional
    assert (C1, "admission_rejected") in town.told("s42", "07-15 10:00")


@pytest.mark.parametrize("pack", [WORK_ITEM, "lanzhou_2021"])
def test_s42_a_pack_without_it_rejects_the_command(pack: str) -> None:
    town = County("07-09 10:00", pack)

    no = town.refused_application("department", **FLOOD)
    assert (no.reason, no.code) == ("EMERGENCY_ENTRY_OFF", "guard_failed")


def test_s43_no_ledger_besides() -> None:
    town = County("09-14 10:00")
    town.apply("s43", "department", ledgers_required=("text:paper-ledger",))
    assert town.street.cases["s43"].data.warnings == ("FOUR_CANCELLATIONS",)
    town.review("s43")

    approve = do.Decide(outcome=Outcome.APPROVE)
    assert town.refused("s43", "approver", approve) == "FOUR_CANCELLATIONS"
    town.approve("s43", ledgers=Ledgers.REMOVED)
    data = town.street.cases["s43"].data
    assert (data.ledgers_required, data.warnings) == ((), ())


def test_s43_a_ledger_that_the_platform_derives_may_stay() -> None:
    town = County("09-14 10:00")
    town.apply("s43", "department", ledgers_required=("text:paper-ledger",))
    town.say("s43", "reviewer", do.RequestCorrection(gaps=("text:ledger",)))
    assert town.due("s43", "APPLICANT") == "09-28 18:00"
    town.at("09-16 10:00").say("s43", "department", do.Resubmit(ledgers_derived=True))
    case = town.street.cases["s43"]
    # Paused on the day of the correction and run on two working days later.
    assert (case.data.warnings, town.due("s43", "COMPLETENESS")) == ((), "09-22 18:00")

    town.review("s43")
    assert town.approve("s43").position == "APPROVED"


def test_a_short_lead_is_a_warning_only() -> None:
    town = County("09-14 10:00")
    town.apply("near", "department", planned_from=on("10-29"))
    town.apply("far", "department", planned_from=on("10-30"))

    assert town.review("near").data.warnings == ("SHORT_LEAD",)
    assert town.review("far").data.warnings == ()


def test_m4_the_insurance_item_is_in_force_in_two_communities_only() -> None:
    town = County("09-14 10:00")
    insured(town)
    town.at("09-16 10:00")
    town.review("pw1")
    town.at("10-12 15:00")
    town.approve("pw1")
    # One day before the review is due.
    assert (town.due("pw1", "REVIEW"), town.when("pw1", "approved")) == ("10-13 18:00", "10-12 15:00")
    town.at("10-20 10:00").say("pw1", "medical-insurance", do.SignAgreement())
    town.say("pw1", "secretary1", do.SignAgreement())
    town.say("pw1", "secretary3", do.SignAgreement())
    town.say("pw1", "secretary2", do.RefuseTerms(reason="text:capacity"))
    town.at("10-26 10:00").say("pw1", "reviewer", do.AmendPermit(communities=(C1, C3)))
    town.at("10-28 10:00").say("pw1", "reviewer", COMMITTED)
    town.say("pw1", "reviewer", do.RegisterAndEnter())

    active = [one for one in town.street.cases.values() if one.state == "ACTIVE"]
    assert [one.data.communities for one in active] == [(C1, C3)]


def test_m4_an_application_of_october_is_under_review_until_november() -> None:
    town = County("10-16 10:00")
    town.apply("survey", "statistics")
    town.at("10-19 10:00")
    town.review("survey")

    assert town.due("survey", "REVIEW") == "11-09 18:00"


def test_m5_the_permits_at_the_end_of_the_year() -> None:
    """PU-1 renewed, PU-2 rectifying, PU-3 revoked, PU-5 expired (M5); inspections are told by their own cases."""
    town = County("01-05 10:00")
    unpaid = do.Funding(source="text:b", amount=5000, instalments=(do.Payment(amount=5000, due_on=on("11-30")),))
    year: dict[str, Any] = {"planned_from": on("2026-01-01"), "planned_until": on("2026-12-31")}
    town.admit("pu1", "telecom", **year)
    town.admit("pu5", "power", funding=unpaid, **year)
    town.at("04-01 10:00")
    for key in ("pu2", "pu3"):
        town.admit(key, "telecom", planned_from=on("2026-04-01"), planned_until=on("2027-03-31"))
    town.at("11-01 00:00")
    for key in ("pu1", "pu2", "pu3", "pu5"):
        town.street.command(key, do.InspectionOpened(inspection=f"i-{key}", year=2026), SYSTEM)
    town.at("11-10 10:00").say("pu3", "reviewer", do.OrderRectification(findings="text:f"))
    town.at("11-25 10:00").say("pu1", "telecom", do.ApplyRenewal(valid_until=on("2027-12-31")))
    town.at("12-11 10:00").say("pu3", "reviewer", do.ProposeRevocation(findings="text:f"))

    town.at("12-15 10:00")
    for key, outcome, share in (
        ("pu1", "PASS", 91.2),
        ("pu2", "RECTIFY", 45.5),
        ("pu3", "PROPOSE_REVOKE", 43.8),
        ("pu5", "PASS", 77.4),
    ):
        told = do.InspectionConcluded(inspection=f"i-{key}", year=2026, outcome=outcome, satisfied_share=share)  # type: ignore[arg-type]
        town.street.command(key, told, SYSTEM)
    assert town.due("pu2", "RECTIFY") == "2027-01-14 24:00"
    town.at("12-16 10:00").say("pu1", "reviewer", do.Decide(outcome=Outcome.APPROVE))
    town.at("12-21 10:00").say("pu3", "reviewer", do.Revoke(reason="text:r"))
    assert town.due("pu3", "HAND_OVER") == "2027-01-04 18:00"
    town.at("2027-01-01 00:00")

    assert {key: case.position for key, case in town.street.cases.items()} == {
        "pu1": "ACTIVE",
        "pu2": "RECTIFYING",
        "pu3": "REVOKED",
        "pu5": "CLOSED:EXPIRED",
    }


def test_an_upward_assessment_below_the_threshold_is_put_right_also_with_a_pass() -> None:
    town = County("01-05 10:00")
    telecom(town, "pu2")
    told = do.InspectionConcluded(inspection="i", year=2026, outcome="PASS", satisfied_share=59.9)

    town.at("12-15 10:00").street.command("pu2", told, SYSTEM)
    assert town.street.cases["pu2"].position == "RECTIFYING"
    accepted = town.say("pu2", "reviewer", do.AcceptRectification(text="text:ok"))
    assert (accepted.position, accepted.data.inspections["2026"].rectified) == ("ACTIVE", True)


def test_the_packs_of_the_variants() -> None:
    town = County("09-14 10:00")
    town.apply("w", "department")
    town.apply("u", "telecom", Variant.UNIT)

    assert {key: case.pin.pack for key, case in town.street.cases.items()} == {"w": WORK_ITEM, "u": UNIT}


def test_a_rectification_may_be_supervised() -> None:
    """挂牌销号 also of a rectification (processes P4); whether it is accepted stays with the office."""
    town = County("04-01 10:00")
    telecom(town, "pu3")
    town.say("pu3", "reviewer", do.OrderRectification(findings="text:f"))
    case = town.street.cases["pu3"]
    facts = {
        "subject_id": {
            "id": "pu3",
            "process": "admission",
            "community": case.community,
            "state": case.state,
            "closed": False,
            "lead_org": case.data.lead_org,
        }
    }

    command = watch.OpenSupervision(subject_type="admission", subject_id="pu3", reason="text:r")
    opened = town.street.open("supervision", "s", command, PEOPLE["city"], facts=facts)
    assert (opened.data.responsible_org, town.street.cases["pu3"].data.supervision_id) == ("telecom", "s")
    listed = watch.ListCase(responsible_org="telecom", due_on=on("04-20"), public=False)
    town.say("s", "city", listed)
    town.say("s", "telecom", watch.ReportRectified(text="text:t"))
    town.say("s", "city", watch.Delist(text="text:t"))

    after = town.street.cases["pu3"]
    assert (after.position, after.data.supervision_id) == ("RECTIFYING", None)
    assert town.street.refused == []
