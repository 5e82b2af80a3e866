"""Every refusal of the rules of admission is provoked, and changes nothing; just inside the limit it is not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.rules.admission_scenes import (
    OWED,
    active,
    agreed,
    approved,
    correction,
    emergency,
    expired,
    funded,
    hearing,
    listed,
    overdue_rectification,
    prohibited,
    provisional,
    rectifying,
    renewal,
    reported,
    revoked,
    submitted,
    under_review,
    unpaid,
    window,
)
from tests.rules.rows import raise_sites, site_of
from tests.scenarios.admitting import County, on
from tests.scenarios.street import C1, C2, C3, EVIDENCE, ORGANIZATIONS, PEOPLE, world
from workflows.admission import commands as do
from workflows.admission.data import DeliveryMode, FundingKind, ListResult, Opinion, Outcome, Variant
from workflows.admission.process import ADMISSION
from workflows.kernel.process import SYSTEM, Actor, Grant, Refusal
from workflows.kernel.step import Order, decide

Way = Callable[[], County]
APPROVE = do.Decide(outcome=Outcome.APPROVE)
CHECK = do.ConfirmListCheck
MONEY = do.Funding(source="text:b", amount=99, instalments=(do.Payment(amount=100, due_on=on("12-01")),))
STREET_WIDE = Actor("wide", "wide", (Grant("party_secretary", "620199001"),))


def _then(way: Way, *said: tuple[str, Any] | str) -> Way:
    """A way, and what is said or how long is waited after it."""

    def go() -> County:
        town = way()
        for one in said:
            if isinstance(one, str):
                town.at(one)
            elif one[0] == "system":
                town.street.command("a", one[1], SYSTEM)
            else:
                town.say("a", one[0], one[1])
        return town

    return go


def concluded(outcome: str, share: float) -> Way:
    """A renewal under review, the inspection concluded; what was found is put right where needed."""
    opened = do.InspectionOpened(inspection="i", year=2026)
    told = do.InspectionConcluded(inspection="i", year=2026, outcome=outcome, satisfied_share=share)  # type: ignore[arg-type]
    ask = do.ApplyRenewal(valid_until=on("2027-06-30"))
    return _then(
        window,
        ("system", opened),
        ("system", told),
        ("reviewer", do.AcceptRectification(text="t")),
        ("department", ask),
    )


REFUSED: dict[str, tuple[Way, str, Any]] = {
    "checking._on_list NOT_ON_LIST": (listed, "reviewer", CHECK(result=ListResult.ON_LIST, list_item="B-01")),
    "checking._only OTHER_VARIANT": (lambda: submitted(Variant.UNIT), "reviewer", do.RunListCheck()),
    "checking._prohibited REASON_REQUIRED": (listed, "reviewer", CHECK(result=ListResult.PROHIBITED)),
    "checking.check_conditions NO_CONDITION_CHECKED": (
        lambda: submitted(Variant.UNIT),
        "reviewer",
        do.CheckConditions(met=(), unmet=(), function_split="text:s"),
    ),
    "checking.confirm_list_check DONE_BY_OTHERS": (
        lambda: listed(delivery_mode=DeliveryMode.HIRED_STAFF),
        "reviewer",
        CHECK(result=ListResult.OTHER),
    ),
    "checking.confirm_list_check DONE_BY_TWO_COMMITTEES": (listed, "reviewer", CHECK(result=ListResult.OTHER_MODE)),
    "checking.confirm_list_check PROHIBITED": (
        lambda: listed(item_name="text:investment"),
        "reviewer",
        CHECK(result=ListResult.OTHER),
    ),
    "checking.confirm_list_check REASON_REQUIRED": (
        lambda: listed(item_name="text:low-income"),
        "reviewer",
        CHECK(result=ListResult.OTHER),
    ),
    "deciding._approve COMMUNITY_NOT_APPLIED_FOR": (
        under_review,
        "approver",
        replace(APPROVE, communities=(C1, C3)),
    ),
    "deciding._approve MEANS_NOT_STATED": (lambda: under_review(funding=None), "approver", APPROVE),
    "deciding._defer ALREADY_DUE": (
        _then(under_review, "11-30 10:00"),
        "approver",
        do.Decide(outcome=Outcome.DEFER),
    ),
    "deciding._defer DEFERRED_ALREADY": (
        _then(under_review, ("approver", do.Decide(outcome=Outcome.DEFER))),
        "approver",
        do.Decide(outcome=Outcome.DEFER),
    ),
    "deciding._in_good_standing INSPECTION_NOT_CONCLUDED": (
        _then(renewal, ("system", do.InspectionOpened(inspection="i", year=2026))),
        "approver",
        APPROVE,
    ),
    "deciding._in_good_standing UPWARD_ASSESSMENT_LOW": (concluded("RECTIFY", 59.9), "approver", APPROVE),
    "deciding._ledgers FOUR_CANCELLATIONS": (lambda: under_review(ledgers_required=("text:l",)), "approver", APPROVE),
    "deciding._reason REASON_REQUIRED": (under_review, "approver", do.Decide(outcome=Outcome.REJECT)),
    "deciding._term DAY_IN_PAST": (
        under_review,
        "approver",
        replace(APPROVE, valid_from=on("09-01"), valid_until=on("09-14")),
    ),
    "deciding._term ENDS_BEFORE_IT_BEGINS": (under_review, "approver", replace(APPROVE, valid_until=on("09-30"))),
    "deciding._term TERM_TOO_LONG": (
        under_review,
        "approver",
        replace(APPROVE, valid_from=on("10-01"), valid_until=on("2027-10-01")),
    ),
    "deciding.decide_renewal NOT_LATER": (
        renewal,
        "approver",
        replace(APPROVE, valid_from=on("10-01"), valid_until=on("12-31")),
    ),
    "deciding.decide_renewal RENEWAL_NOT_DEFERRED": (renewal, "approver", do.Decide(outcome=Outcome.DEFER)),
    "deciding.may_reconsider RECONSIDERED_ALREADY": (
        _then(
            prohibited,
            ("department", do.Reconsider(reason="text:r")),
            ("approver", do.Decide(outcome=Outcome.REJECT, reason="text:r")),
        ),
        "department",
        do.Reconsider(reason="text:r"),
    ),
    "deciding.may_reconsider RECONSIDER_OVER": (
        _then(prohibited, "09-28 18:00"),
        "department",
        do.Reconsider(reason="text:r"),
    ),
    "entering._by_applicant SIGNED_ALREADY": (agreed, "department", do.SignAgreement()),
    "entering._by_community SIGNED_ALREADY": (agreed, "secretary1", do.SignAgreement()),
    "entering.amend_permit COMMUNITY_NOT_APPLIED_FOR": (agreed, "reviewer", do.AmendPermit(communities=(C1, C3))),
    "entering.amend_permit NO_MEDIATION": (agreed, "reviewer", do.AmendPermit(communities=(C2,))),
    "entering.amend_permit TERMS_REQUIRED": (agreed, "reviewer", do.AmendPermit(communities=(C1, C2))),
    "entering.confirm_funding AGREEMENT_REQUIRED": (
        approved,
        "department",
        do.ConfirmFunding(kind=FundingKind.COMMITTED, evidence=EVIDENCE),
    ),
    "entering.confirm_funding NO_EVIDENCE": (agreed, "department", do.ConfirmFunding(kind=FundingKind.COMMITTED)),
    "entering.refuse_terms NOT_ASKED_TO_SIGN": (agreed, "secretary1", do.RefuseTerms(reason="text:r")),
    "entering.register_and_enter TERM_OVER": (_then(funded, "2027-06-30 10:00"), "reviewer", do.RegisterAndEnter()),
    "entering.register_and_enter NOBODY_AGREED": (
        _then(
            lambda: approved(Variant.UNIT),
            ("secretary1", do.RefuseTerms(reason="text:r")),
            ("secretary2", do.RefuseTerms(reason="text:r")),
            ("telecom", do.ConfirmFunding(kind=FundingKind.COMMITTED, evidence=EVIDENCE)),
        ),
        "reviewer",
        do.RegisterAndEnter(),
    ),
    "filing.confirm_emergency REASON_REQUIRED": (emergency, "approver", do.ConfirmEmergency(approve=False)),
    "filing.request_correction GAPS_TOLD_ALREADY": (
        _then(correction, ("department", do.Resubmit(content="text:c"))),
        "reviewer",
        do.RequestCorrection(gaps=("text:g",)),
    ),
    "filing.resubmit SEVERAL_COUNTIES": (correction, "department", do.Resubmit(communities=("620299001001",))),
    "living.apply_renewal FUND_UNSETTLED": (
        _then(lambda: active(funding=OWED, planned_until=on("12-31")), "11-25 10:00"),
        "department",
        do.ApplyRenewal(valid_until=on("2027-06-30")),
    ),
    "living.apply_renewal NOT_LATER": (window, "department", do.ApplyRenewal(valid_until=on("12-31"))),
    "living.confirm_completion COMMUNITIES_NOT_CONFIRMED": (reported, "reviewer", do.ConfirmCompletion()),
    "living.confirm_completion CONFIRMED_ALREADY": (
        _then(reported, ("secretary1", do.ConfirmCompletion())),
        "secretary1",
        do.ConfirmCompletion(),
    ),
    "living.confirm_completion FUND_UNSETTLED": (
        _then(
            lambda: active(funding=OWED),
            ("department", do.ReportCompletion(text="text:t")),
            ("secretary1", do.ConfirmCompletion()),
        ),
        "reviewer",
        do.ConfirmCompletion(),
    ),
    "living.grant_interim INTERIM_ALREADY": (
        _then(renewal, ("reviewer", do.GrantInterim(until=on("2027-01-10"), reason="text:r"))),
        "reviewer",
        do.GrantInterim(until=on("2027-01-20"), reason="text:r"),
    ),
    "living.grant_interim INTERIM_TOO_LONG": (
        renewal,
        "reviewer",
        do.GrantInterim(until=on("2027-01-31"), reason="text:r"),
    ),
    "living.may_confirm COMPLETION_NOT_REPORTED": (active, "secretary1", do.ConfirmCompletion()),
    "living.may_renew RENEWAL_TOO_EARLY": (active, "department", do.ApplyRenewal(valid_until=on("2027-12-31"))),
    "living.may_renew RENEWAL_TOO_LATE": (
        _then(window, "12-02 10:00"),
        "department",
        do.ApplyRenewal(valid_until=on("2027-12-31")),
    ),
    "living.may_suspend SUSPEND_RIGHT_NOT_YET": (
        _then(lambda: active(funding=OWED), "11-02 10:00"),
        "secretary1",
        do.SuspendPerformance(reason="text:r"),
    ),
    "living.record_payment DAY_IN_FUTURE": (
        unpaid,
        "department",
        do.RecordPayment(instalment=1, paid_on=on("12-02"), receipt="r"),
    ),
    "living.record_payment NO_SUCH_INSTALMENT": (
        unpaid,
        "department",
        do.RecordPayment(instalment=2, paid_on=on("12-01"), receipt="r"),
    ),
    "living.record_payment PAID_ALREADY": (
        _then(unpaid, ("department", do.RecordPayment(instalment=1, paid_on=on("12-01"), receipt="r"))),
        "department",
        do.RecordPayment(instalment=1, paid_on=on("12-01"), receipt="r"),
    ),
    "living.report_completion COMPLETION_REPORTED_ALREADY": (
        reported,
        "department",
        do.ReportCompletion(text="text:t"),
    ),
    "living.suspend_performance SUSPENDED_ALREADY": (
        _then(unpaid, ("secretary1", do.SuspendPerformance(reason="text:r"))),
        "secretary1",
        do.SuspendPerformance(reason="text:r"),
    ),
    "living.transfer_to_list NOT_ON_LIST": (active, "reviewer", do.TransferToList(list_item="B-12")),
    "people.community_of NOT_IN_ROLE": (
        under_review,
        "secretary1",
        do.GiveOpinion(opinion=Opinion.SUPPORT, community=C2),
    ),
    "people.may_approve WRONG_LEVEL": (under_review, "cityapprover", APPROVE),
    "revoking._in_time DAY_IN_PAST": (
        active,
        "approver",
        do.OrderRectification(findings="text:f", due_on=on("09-13")),
    ),
    "revoking._in_time DUE_TOO_LATE": (
        active,
        "approver",
        do.OrderRectification(findings="text:f", due_on=on("10-15")),
    ),
    "revoking.confirm_hand_over HANDED_OVER_ALREADY": (
        _then(revoked, ("reviewer", do.ConfirmHandOver())),
        "secretary1",
        do.ConfirmHandOver(),
    ),
    "revoking.extend_rectification NOT_LATER": (
        rectifying,
        "reviewer",
        do.ExtendRectification(to=on("10-14"), reason="text:r"),
    ),
    "revoking.may_extend ALREADY_DUE": (
        overdue_rectification,
        "reviewer",
        do.ExtendRectification(to=on("11-20"), reason="text:r"),
    ),
    "revoking.may_extend RECTIFICATION_EXTENDED_ALREADY": (
        _then(rectifying, ("reviewer", do.ExtendRectification(to=on("10-20"), reason="text:r"))),
        "reviewer",
        do.ExtendRectification(to=on("10-21"), reason="text:r"),
    ),
    "revoking.may_propose RECTIFICATION_RUNNING": (rectifying, "reviewer", do.ProposeRevocation(findings="text:f")),
    "revoking.may_revoke STATEMENT_RUNNING": (hearing, "reviewer", do.Revoke(reason="text:r")),
    "revoking.no_rectification NO_RECTIFICATION": (active, "reviewer", do.Revoke(reason="text:r")),
    "revoking.state_views STATEMENT_OVER": (
        _then(hearing, "12-01 10:00"),
        "department",
        do.StateViews(text="text:t"),
    ),
}
"""Where a refusal is raised: the way there, who says what."""


@pytest.mark.parametrize("site", REFUSED)
def test_the_rules_refuse(site: str) -> None:
    way, who, command = REFUSED[site]
    town = way()
    before = town.street.cases["a"]

    with pytest.raises(Refusal) as caught:
        town.say("a", who, command)
    assert site_of(caught.value) == site
    assert town.street.cases["a"] == before


APPLIED: dict[str, tuple[str, Variant, dict[str, Any]]] = {
    "filing._admitted NOT_AN_APPLICANT": ("telecom", Variant.WORK_ITEM, {}),
    "filing._applicant NOT_IN_ROLE": ("department", Variant.WORK_ITEM, {"applicant_org": "statistics"}),
    "filing._place_and_time DAY_IN_PAST": (
        "department",
        Variant.WORK_ITEM,
        {"planned_from": on("09-01"), "planned_until": on("09-14")},
    ),
    "filing._place_and_time ENDS_BEFORE_IT_BEGINS": (
        "department",
        Variant.WORK_ITEM,
        {"planned_until": on("2027-01-03")},
    ),
    "filing._place_and_time OUTSIDE_DEPARTMENT": (
        "department",
        Variant.WORK_ITEM,
        {"communities": ("620299001001",)},
    ),
    "filing._place_and_time SEVERAL_COUNTIES": (
        "medical-insurance",
        Variant.WORK_ITEM,
        {"communities": (C1, "620299001001")},
    ),
    "filing.means INSTALMENTS_ABOVE_AMOUNT": ("department", Variant.WORK_ITEM, {"funding": MONEY}),
    "filing.submit EMERGENCY_ENTRY_OFF": ("department", Variant.WORK_ITEM, {"emergency_basis": "text:flood"}),
}


@pytest.mark.parametrize("site", APPLIED)
def test_an_application_is_refused(site: str) -> None:
    by, variant, fields = APPLIED[site]
    town = County("09-14 10:00")

    refusal = town.refused_application(by, variant, **fields)
    assert site_of(refusal) == site


def test_a_pack_admits_its_own_variant_only() -> None:
    town = County("09-14 10:00", "panzhihua_2016")

    refusal = town.refused_application("telecom", Variant.UNIT)
    assert site_of(refusal) == "filing._admitted VARIANT_NOT_ADMITTED"


def test_the_file_of_an_emergency_is_that_of_the_same_applicant() -> None:
    town = provisional()
    file = town.application("department", Variant.UNIT, planned_from=on("09-14"), planned_until=on("12-31"))
    policy = world("lanzhou_2021").policy
    order = Order(command=file, actor=PEOPLE["department"], facts=_facts())

    with pytest.raises(Refusal) as caught:
        decide(ADMISSION, town.street.cases["a"], order, policy, town.street.now)
    assert site_of(caught.value) == "filing.submit OTHER_APPLICATION"


def test_who_was_revoked_waits_a_year() -> None:
    town = revoked()
    unit = County("04-01 10:00")
    unit.admit("a", "telecom", planned_from=on("04-01"), planned_until=on("2027-03-31"))
    unit.say("a", "reviewer", do.OrderRectification(findings="text:f"))
    unit.at("05-11 10:00").say("a", "reviewer", do.ProposeRevocation(findings="text:f"))
    unit.say("a", "telecom", do.StateViews(text="text:t"))
    unit.say("a", "reviewer", do.Revoke(reason="text:r"))
    assert site_of(unit.refused_application("telecom", Variant.UNIT)) == "filing.submit REAPPLY_BAN"

    town.apply("b", "department", planned_from=on("2027-03-01"))
    town.say("b", "reviewer", do.RunListCheck())
    with pytest.raises(Refusal) as caught:
        town.say("b", "reviewer", CHECK(result=ListResult.OTHER))
    assert site_of(caught.value) == "checking.confirm_list_check REAPPLY_BAN"


def test_people_are_stated_as_well_as_money() -> None:
    town = under_review(staffing=None)

    assert town.refused("a", "approver", APPROVE) == "MEANS_NOT_STATED"
    assert town.approve("a", staffing="text:two-people").position == "APPROVED"


@pytest.mark.parametrize(
    ("key", "value", "way", "command", "site"),
    [
        (
            "admission.other_modes_require_approval",
            True,
            lambda: listed(delivery_mode=DeliveryMode.OWN_STAFF),
            CHECK(result=ListResult.OTHER_MODE),
            "checking.confirm_list_check OTHER_MODES_NEED_APPROVAL",
        ),
        (
            "admission.funding_gate",
            "RECEIVED",
            agreed,
            do.ConfirmFunding(kind=FundingKind.COMMITTED, evidence=EVIDENCE),
            "entering.confirm_funding FUNDING_NOT_RECEIVED",
        ),
    ],
)
def test_another_pack_is_stricter(key: str, value: Any, way: Way, command: Any, site: str) -> None:
    town = way()
    case = town.street.cases["a"]
    pack = world().under(case.pin).policy
    stricter = replace(pack, parameters={**pack.parameters, key: replace(pack.parameter(key), value=value)})
    order = Order(command=command, actor=PEOPLE["reviewer"], facts=_facts())

    decide(ADMISSION, case, order, pack, town.street.now)
    with pytest.raises(Refusal) as caught:
        decide(ADMISSION, case, order, stricter, town.street.now)
    assert site_of(caught.value) == site


def test_nobody_decides_on_what_he_asked_for_himself() -> None:
    town = under_review()
    both = Actor("department", "department", (Grant("leading_group_approver", "620199"), *PEOPLE["department"].grants))
    colleague = Actor("boss", "boss", (Grant("leading_group_approver", "620199", "urban-management"),))

    for actor in (both, colleague):
        with pytest.raises(Refusal) as caught:
            town.street.command("a", APPROVE, actor)
        assert site_of(caught.value) == "people.may_approve SEGREGATION"


def test_whoever_speaks_for_several_communities_says_for_which() -> None:
    town = under_review()

    with pytest.raises(Refusal) as caught:
        town.street.command("a", do.GiveOpinion(opinion=Opinion.OBJECT), STREET_WIDE)
    assert site_of(caught.value) == "people.community_of COMMUNITY_REQUIRED"
    named = do.GiveOpinion(opinion=Opinion.OBJECT, community=C2)
    assert sorted(town.street.command("a", named, STREET_WIDE).data.opinions) == [C2]


def test_an_inspection_that_was_not_passed_bars_the_renewal() -> None:
    """It cannot come about by the rows alone: what is not passed is put right before. The guard stands all the same."""
    town = renewal()
    case = town.street.cases["a"]
    told = do.InspectionConcluded(inspection="i", year=2026, outcome="RECTIFY", satisfied_share=80.0)
    after = town.street.command("a", told, SYSTEM)
    assert after.position == "RECTIFYING"
    standing = replace(case, data=replace(case.data, inspections=after.data.inspections))
    order = Order(command=APPROVE, actor=PEOPLE["approver"], facts=_facts())

    with pytest.raises(Refusal) as caught:
        decide(ADMISSION, standing, order, world().under(case.pin).policy, town.street.now)
    assert site_of(caught.value) == "deciding._in_good_standing INSPECTION_NOT_PASSED"


def test_every_refusal_of_the_rules_is_provoked() -> None:
    elsewhere = {
        "filing._admitted VARIANT_NOT_ADMITTED",
        "filing.submit OTHER_APPLICATION",
        "filing.submit REAPPLY_BAN",
        "checking.confirm_list_check REAPPLY_BAN",
        "checking.confirm_list_check OTHER_MODES_NEED_APPROVAL",
        "entering.confirm_funding FUNDING_NOT_RECEIVED",
        "people.may_approve SEGREGATION",
        "people.community_of COMMUNITY_REQUIRED",
        "deciding._in_good_standing INSPECTION_NOT_PASSED",
    }

    assert raise_sites("admission") == {*REFUSED, *APPLIED, *elsewhere}


ALLOWED: dict[str, tuple[Way, str, Any]] = {
    "a reason for an exception lets a prohibited kind be reviewed": (
        lambda: listed(item_name="text:investment"),
        "reviewer",
        CHECK(result=ListResult.OTHER, exception_reason="text:law"),
    ),
    "a reason for an exception allows a longer term": (
        under_review,
        "approver",
        replace(APPROVE, valid_until=on("2027-10-01"), exception_reason="text:r"),
    ),
    "a term of twelve months": (under_review, "approver", replace(APPROVE, valid_until=on("2027-09-30"))),
    "a rectification of thirty days": (
        active,
        "approver",
        do.OrderRectification(findings="text:f", due_on=on("10-14")),
    ),
    "a proposal after the applicant has asked for the re-inspection": (
        _then(rectifying, ("department", do.ReportRectified(text="text:t"))),
        "reviewer",
        do.ProposeRevocation(findings="text:f"),
    ),
    "a revocation after silence": (_then(hearing, "11-09 18:00"), "reviewer", do.Revoke(reason="text:r")),
    "an interim of thirty days": (renewal, "reviewer", do.GrantInterim(until=on("2027-01-30"), reason="text:r")),
    "a hand-over after the term": (expired, "secretary1", do.ConfirmHandOver()),
    "a deferral just before the end": (
        _then(under_review, "10-10 17:59"),
        "approver",
        do.Decide(outcome=Outcome.DEFER),
    ),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_just_inside_the_limit_it_is_allowed(what: str) -> None:
    way, who, command = ALLOWED[what]
    town = way()
    version = town.street.cases["a"].version

    assert town.say("a", who, command).version > version


def _facts() -> dict[str, Any]:
    return {"organizations": ORGANIZATIONS, "bans": {"bans": []}}
