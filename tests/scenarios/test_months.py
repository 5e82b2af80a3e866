"""The months M1 to M5 of scenarios.md §6, step by step, with the totals at their end."""

from collections import Counter
from datetime import date

from tests.rules.test_commendation_arrows import held, summoned
from tests.scenarios.admitting import County
from tests.scenarios.committees import MET, Forming, opened, sitting, with_committees
from tests.scenarios.monthly import (
    CLAIM,
    COMPLEX,
    EPC,
    IMMEDIATE,
    LIMITED,
    MODERATE,
    PHONE,
    REF,
    REPORTED,
    RRA,
    SATISFIED,
    SCHEDULED,
    SIMPLE,
    begin,
    close_rounds,
    contacted,
    issues,
    minuted,
    months,
    on_agenda,
    open_rounds,
    overdue,
    rounds_of,
    told_and_visited,
    verdicts,
    with_2027,
)
from tests.scenarios.street import C1, C2, C3, CONTACT, EVIDENCE, PEOPLE, Town, day, moment, person
from tests.scenarios.test_admission_scenarios import COMMITTED, insured
from tests.scenarios.test_inspection_scenarios import REPORT, SITE, Office
from tests.scenarios.test_membership_scenarios import BAD, said, seats, vote
from tests.scenarios.test_notice_scenarios import posted
from workflows.admission import commands as adm
from workflows.admission.data import Outcome as Decided
from workflows.admission.data import Variant
from workflows.commendation import commands as commend
from workflows.commendation.data import SubjectKind
from workflows.emergency import commands as alarm
from workflows.emergency.data import Kind, Level
from workflows.formation import commands as forming
from workflows.formation.data import Category, Way
from workflows.inspection.data import BallotState, Finding
from workflows.inspection.data import Outcome as Ended
from workflows.issue import commands as do
from workflows.issue.data import (
    ClockClass,
    ClosureCode,
    Difficulty,
    Source,
)
from workflows.kernel.clocks import ClockState
from workflows.kernel.process import SYSTEM
from workflows.kernel.upkeep import RecomputeClocks
from workflows.meeting import commands as sit
from workflows.meeting.data import ItemKind, Outcome
from workflows.membership import commands as change
from workflows.membership.data import Outcome as Kept
from workflows.membership.data import Post
from workflows.notice.data import Kind as Posted
from workflows.refusal import commands as refuse
from workflows.supervision import rules as watch

# --- M1 --------------------------------------------------------------------------------------------------------


def test_m1_march_2026_an_ordinary_month() -> None:
    town = Town("03-01 00:00")
    begin(town, "2026-03")
    keys = tuple(f"I-{n}" for n in range(1, 12))
    for number, when in ((3, "03-24 14:30"), (2, "03-25 14:30"), (1, "03-27 15:00")):
        town.at("03-02 09:00").meet(f"M-{number}", when, number)

    # step 1
    open_rounds(town, "2026-03", 1, 2, 3)
    assert rounds_of(town, "2026-03") == ["OPEN"] * 3

    # step 2: as S01
    town.at("03-03 09:10").submit("I-1", "grid1", category_code="A02", evidence=EVIDENCE, reporter=CONTACT)
    town.at("03-03 09:40").accept("I-1", "worker1", IMMEDIATE, "A02", helper_orgs=("property-1",))
    town.at("03-03 16:20").say("I-1", "grid1", CLAIM)
    town.at("03-03 17:20").say("I-1", "worker1", PHONE)

    # step 3 (and the visit that ends step 2)
    town.at("03-04 10:00").submit("I-2", "grid2", C2, category_code="D02", reporter=CONTACT)
    contacted(town, "I-2", 2)
    assert town.accept("I-2", "worker2", SCHEDULED, "D02", **MODERATE).position == "TOPIC_PROPOSED"
    assert town.due("I-2", "AGENDA") == "03-31 24:00"
    assert town.at("03-05 10:00").say("I-1", "worker1", SATISFIED).position == "CLOSED:RESOLVED"

    # step 4
    town.at("03-09 10:00").submit("I-3", "grid1", category_code="B01")
    town.accept("I-3", "worker1", LIMITED, "B01", lead_org="property-1", clock_class=ClockClass.SIMPLE)
    assert town.due("I-3", "HANDLE") == "03-18 18:00"

    # steps 5 and 6
    town.at("03-10 19:30").submit("I-4", "grid3", C3, category_code="C01", reporter=CONTACT)
    town.at("03-10 19:45").accept("I-4", "worker3", IMMEDIATE, "C01", lead_org="heating")
    assert town.due("I-4", "HANDLE") == "03-11 19:45"
    town.at("03-11 09:00").submit("I-5", "grid2", C2, category_code="F01", reporter=CONTACT)
    town.accept("I-5", "worker2", LIMITED, "F01", lead_org="property-2", clock_class=ClockClass.SIMPLE)
    assert town.due("I-5", "HANDLE") == "03-20 18:00"
    town.say("I-5", "property2", do.Sign())
    town.at("03-11 11:00").say("I-4", "heating", CLAIM)
    assert town.state("I-4", "HANDLE") == "MET"

    # step 7
    town.at("03-12 09:00").submit("I-6", "grid1", category_code="B03", reporter=CONTACT)
    town.accept("I-6", "worker1", LIMITED, "B03", lead_org="property-1", clock_class=ClockClass.SIMPLE)
    assert town.due("I-6", "HANDLE") == "03-23 18:00"
    town.say("I-6", "property1", do.Sign())
    told_and_visited(town, "I-4", 3, "03-12 10:00")
    town.at("03-12 19:00").submit("I-7", "resident1", category_code="B03", source=Source.RESIDENT)
    assert town.at("03-13 09:00").say("I-7", "worker1", do.MergeInto(target="I-6")).position == "CLOSED:MERGED"

    # steps 8 and 9
    town.at("03-16 14:00").submit("I-8", "grid3", C3, category_code="I01", reporter=CONTACT)
    contacted(town, "I-8", 3)
    town.accept("I-8", "worker3", SCHEDULED, "I01", **MODERATE)
    town.at("03-17 09:00").submit("I-9", "grid2", C2, category_code="A04", reporter=CONTACT)
    contacted(town, "I-9", 2)
    town.accept("I-9", "worker2", SCHEDULED, "A04", **MODERATE)

    # steps 10 and 11
    town.at("03-18 10:00").submit("I-10", "grid1", category_code="G03", reporter=CONTACT)
    town.accept("I-10", "worker1", LIMITED, "G03", lead_org="property-1", clock_class=ClockClass.SIMPLE)
    town.say("I-10", "property1", do.Sign())
    assert town.due("I-10", "HANDLE") == "03-27 18:00"
    town.at("03-19 15:00").say("I-5", "property2", CLAIM)
    assert town.marks("I-3", "HANDLE")["clock_breached"] == "03-18 18:00"
    town.at("03-20 09:00").say("I-5", "worker2", do.ApproveCompletion())
    town.at("03-20 10:00").say("I-6", "property1", CLAIM)
    town.say("I-6", "worker1", do.ApproveCompletion())
    assert (town.state("I-5", "HANDLE"), town.state("I-6", "HANDLE")) == ("MET", "MET")

    # step 12
    town.at("03-23 10:00").submit("I-11", "grid2", C2, category_code="B01", reporter=CONTACT)
    contacted(town, "I-11", 2)
    town.say("I-11", "worker2", do.TransferCommunity(to_community=C1, reason="text:r"))
    town.at("03-23 15:00").say("I-11", "worker1", do.AcceptTransfer())
    town.accept("I-11", "worker1", LIMITED, "B01", lead_org="property-1", clock_class=ClockClass.SIMPLE)
    assert (town.issue("I-11").community, town.due("I-11", "HANDLE")) == (C1, "04-01 18:00")
    town.at("03-24 09:00").say("I-11", "property1", do.Sign())
    told_and_visited(town, "I-5", 2, "03-24 10:00")

    # step 13: 大党委 of C3
    on_agenda(town, "M-3", "I-8")
    town.at("03-24 14:30").open_session("M-3")
    assert town.agree("M-3", "I-8", Outcome.ADOPT, lead_org="elder-care").position == "PLANNING"
    minuted(town, "M-3")
    assert town.due("I-8", "PLAN") == "03-31 18:00"

    # steps 10 and 7
    town.at("03-25 09:00").say("I-10", "property1", CLAIM)
    rejected = town.at("03-25 11:00").say("I-10", "worker1", do.RejectCompletion(reason="text:r"))
    assert (rejected.data.rework_count, town.due("I-10", "HANDLE")) == (1, "03-27 18:00")
    told_and_visited(town, "I-6", 1, "03-25 12:00")

    # step 14: 大党委 of C2
    on_agenda(town, "M-2", "I-2")
    on_agenda(town, "M-2", "I-9")
    item = town.item("M-2", "I-2")
    town.at("03-25 14:30").open_session("M-2")
    for member in ("epc2h", "epc2i"):
        town.say("M-2", member, sit.DeclareInterest(item=item))
    town.open_item("M-2", "I-2")
    town.heard("M-2", "I-2")
    town.vote("M-2", "I-2", in_favour=5, against=2)
    town.decide("M-2", "I-2", Outcome.ADOPT, lead_org="property-2")
    town.agree("M-2", "I-9", Outcome.REFER_DEPARTMENT, lead_org="urban-management")
    minuted(town, "M-2")
    assert (town.issue("I-2").position, town.due("I-2", "PLAN")) == ("PLANNING", "04-01 18:00")
    assert (town.due("I-9", "SIGN"), town.due("I-9", "REFER_REPLY")) == ("03-30 18:00", "04-01 18:00")

    # steps 15, 16, 17
    town.at("03-26 09:00").say("I-9", "department", do.Sign())
    assert town.marks("I-3", "HANDLE")["clock_red"] == "03-25 18:00"
    assert (town.listing("I-3").position, town.listing_id("I-3") != "") == ("OPENED", True)
    town.at("03-26 10:00").say("I-10", "property1", CLAIM)
    town.at("03-26 15:00")
    listed = watch.ListCase(responsible_org="drainage", due_on=day("04-03"), public=False)
    assert town.say(town.listing_id("I-3"), "supervisor", listed).position == "LISTED"
    town.at("03-26 17:00")
    town.say("M-1", "clerk1", sit.SendNotice(briefing=True))
    town.say("M-1", "secretary1", sit.AddUrgentItem(topic="I-3"))
    town.at("03-27 09:00").say("I-10", "worker1", do.ApproveCompletion())
    town.at("03-27 15:00").open_session("M-1")
    town.agree("M-1", "I-3", Outcome.ASSIGN, lead_org="drainage", due_on=day("04-03"))
    minuted(town, "M-1")
    town.at("03-30 09:00").say("I-3", "drainage", do.Sign())

    # step 18
    close_rounds(town, "2026-03", 1, 2, 3)

    # steps 13, 10, 14
    project = do.AddToProjectList(
        measures="text:m", survey_note="text:s", feasibility="text:f", lead_org="elder-care", due_on=day("05-29")
    )
    assert town.at("03-30 10:00").say("I-8", "worker3", project).position == "IN_PROGRESS"
    told_and_visited(town, "I-10", 1, "03-31 10:00")
    town.at("03-31 11:00").say("I-9", "department", do.ReplyReferral(text="text:t", due_on=day("04-15")))
    assert town.state("I-9", "REFER_REPLY") == "MET"

    town.at("03-31 24:00")
    assert rounds_of(town, "2026-03") == ["CLOSED"] * 3
    issues = [town.issue(key) for key in keys]
    assert Counter(issue.data.closure_code for issue in issues if issue.data.closure_code) == {
        ClosureCode.RESOLVED: 5,
        ClosureCode.MERGED: 1,
    }
    assert {issue.id: issue.position for issue in issues if issue.closed_at is None} == {
        "I-2": "PLANNING",
        "I-3": "IN_PROGRESS",
        "I-8": "IN_PROGRESS",
        "I-9": "IN_PROGRESS",
        "I-11": "IN_PROGRESS",
    }
    assert verdicts(town, keys, "03-31 24:00") == {"met": 5, "breached": 1}
    assert overdue(town) == []
    assert town.street.cases[town.listing_id("I-3")].position == "LISTED"
    visited = [issue for issue in issues if issue.data.visits]
    assert [issue.data.satisfaction for issue in visited] == [5] * 5
    assert months(town, "2026-03") == {1: "SLOT_DONE", 2: "SLOT_DONE", 3: "SLOT_DONE"}
    assert town.street.refused == []


# --- M2 --------------------------------------------------------------------------------------------------------


def test_m2_february_2026_the_spring_festival() -> None:
    town = with_committees(Town("01-20 09:00"))
    opened(town, "X", sitting("member1a"), "EXIT", member="member1a", reason=REF)
    town.at("01-21 10:00")
    said(town, "X", "secretary1", change.ApproveExit())
    said(town, "X", "secretary1", change.StartReplacement(category="VOLUNTEER", post=Post.MEMBER))
    child = Forming(town, town.street.cases["X"].data.replacement or "").call()
    child.say("worker", forming.Nominate(way=Way.RESIDENT, person="p1", category=Category.VOLUNTEER, consent=True))
    town.at("02-01 00:00")
    begin(town, "2026-02")

    # step 1
    town.at("02-02 09:00")
    open_rounds(town, "2026-02", 1, 2)
    town.meet("M-1", "02-11 15:00", 1)
    town.meet("M-2", "02-26 15:00", 2)
    town.meet("M-3", "02-27 15:00", 3)

    # step 2
    town.at("02-05 09:00")
    opened(town, "C", "streetparty", "EX_OFFICIO", member="secretary3", place=C3)
    town.at("02-06 10:00")
    opened(town, "A", "streetparty", "ACTING", member="vice3", place=C3)
    assert (town.street.cases["C"].state, town.street.cases["A"].state) == ("EX_OFFICIO_ENDED", "ACTING")

    # step 3
    town.at("02-09 10:00")
    child.verify("p1").shortlist("p1", vices=0).decide("p1")
    town.at("02-10 10:00").submit("I-21", "grid2", C2, category_code="D01", reporter=CONTACT)
    town.accept("I-21", "worker2", LIMITED, "D01", lead_org="property-2", clock_class=COMPLEX)
    town.say("I-21", "property2", do.Sign())
    assert town.due("I-21", "HANDLE") == "03-09 18:00"

    # steps 4 and 5
    town.at("02-11 15:00").say("M-1", "clerk1", sit.SendNotice(briefing=True))
    town.say("M-1", "secretary1", sit.OpenSession(present=town.members("M-1")[:7]))
    minuted(town, "M-1")
    town.at("02-12 10:00")
    child.approve()
    assert town.due(child.notice(), "NOTICE") == "02-24 24:00"

    # steps 6 and 7
    town.at("02-14 16:00").submit("I-23", "grid2", C2, category_code="B03")
    town.at("02-14 16:30").accept("I-23", "worker2", LIMITED, "B03", lead_org="property-2", clock_class=SIMPLE)
    town.say("I-23", "property2", do.Sign())
    assert (town.state("I-23", "TRIAGE"), town.due("I-23", "HANDLE")) == ("MET", "03-03 18:00")
    town.at("02-16 08:40").submit("I-24", "grid2", C2, category_code="A01", reporter=CONTACT)
    town.at("02-16 09:00").accept("I-24", "worker2", IMMEDIATE, "A01")
    assert town.due("I-24", "HANDLE") == "02-17 09:00"
    town.at("02-16 15:00").say("I-24", "grid2", CLAIM)
    assert town.state("I-24", "HANDLE") == "MET"

    # step 8
    town.at("02-17 21:05").submit("I-22", "grid1", category_code="C01", reporter=CONTACT)
    town.accept("I-22", "worker1", IMMEDIATE, "C01", urgent=True)
    assert town.due("I-22", "HANDLE") == "02-17 23:05"
    town.at("02-17 22:40").say("I-22", "grid1", CLAIM)
    assert (town.state("I-22", "HANDLE"), town.due("I-22", "FEEDBACK")) == ("MET", "02-25 18:00")

    # step 9
    town.at("02-20 18:30").submit("I-25", "resident1", source=Source.RESIDENT, category_code="F01")
    town.at("02-20 20:00").say("I-25", "worker1", do.ContactReporter(note=REF))
    assert (town.state("I-25", "RESPONSE"), town.due("I-25", "TRIAGE")) == ("MET", "02-24 18:00")
    town.at("02-24 10:00").accept("I-25", "worker1", LIMITED, "F01", lead_org="property-1", clock_class=SIMPLE)
    town.say("I-25", "property1", do.Sign())
    assert town.due("I-25", "HANDLE") == "03-04 18:00"
    town.say("I-22", "worker1", PHONE)
    town.say("I-24", "worker2", PHONE)

    # step 10
    town.at("02-24 24:00")
    assert child.case.state == "APPOINTING"
    town.at("02-26 10:00")
    child.appoint()

    # step 11
    town.at("02-26 15:00").say("M-2", "clerk2", sit.SendNotice(briefing=True))
    town.at("02-26 15:30")
    assert town.open_session("M-2", present=4).state == "INQUORATE"
    again = sit.Reconvene(scheduled_at=moment("02-28 10:00"))
    town.say("M-2", "secretary2", again)
    town.at("02-27 09:00")
    close_rounds(town, "2026-02", 1, 2)
    for key, number in (("I-22", 1), ("I-24", 2)):
        assert town.say(key, f"worker{number}", SATISFIED).position == "CLOSED:RESOLVED"

    # step 12: the acting chair
    town.at("02-27 15:00").say("M-3", "clerk3", sit.SendNotice(briefing=True))
    acting = person("vice3", ("cwc_chair", C3))
    here = tuple(one for one in town.members("M-3") if one != "secretary3")
    for command in (sit.OpenSession(present=here), sit.Adjourn(), sit.SignMinutes()):
        town.street.command("M-3", command, acting)

    # step 11: the working Saturday
    town.at("02-28 10:00").open_session("M-2", present=6)
    minuted(town, "M-2")

    # step 13
    town.at("02-28 24:00")
    assert rounds_of(town, "2026-02") == ["CLOSED", "CLOSED", "MISSED"]
    assert months(town, "2026-02") == {1: "SLOT_DONE", 2: "SLOT_DONE", 3: "SLOT_DONE"}
    keys = ("I-21", "I-22", "I-23", "I-24", "I-25")
    assert issues(town, *keys) == {
        "I-21": "IN_PROGRESS",
        "I-22": "CLOSED:RESOLVED",
        "I-23": "IN_PROGRESS",
        "I-24": "CLOSED:RESOLVED",
        "I-25": "IN_PROGRESS",
    }
    assert verdicts(town, keys, "02-28 24:00") == {"met": 2}
    assert len(seats(town, C1)) == 13
    holiday = (moment("02-15 00:00"), moment("02-23 24:00"))
    due = {
        clock.duration.unit.value
        for clock in town.street.clocks.values()
        if clock.due_at is not None
        and holiday[0] <= clock.due_at < holiday[1]
        and clock.state is not ClockState.CANCELLED
    }
    assert due <= {"hours"}
    assert town.street.refused == []


# --- M3 --------------------------------------------------------------------------------------------------------


def test_m3_july_2026_the_flood_season() -> None:
    town = with_committees(Town("07-01 00:00"))
    begin(town, "2026-07")

    # step 1, and the sessions of step 12
    town.at("07-01 09:00")
    open_rounds(town, "2026-07", 1, 2, 3)
    town.meet("M-2", "07-23 15:00", 2)
    town.meet("M-3", "07-24 15:00", 3)

    # step 2
    town.at("07-06 10:00").submit("I-30", "grid1", category_code="B03", reporter=CONTACT)
    town.accept("I-30", "worker1", LIMITED, "B03", lead_org="property-1", clock_class=SIMPLE)
    town.say("I-30", "property1", do.Sign())
    assert town.due("I-30", "HANDLE") == "07-15 18:00"

    # step 3
    detect = alarm.Detect(community_code=C1, kind=Kind.NATURAL_DISASTER, place_text=REF)
    town.at("07-08 16:20").street.open("emergency", "E", detect, PEOPLE["grid1"])
    town.at("07-08 16:23").say("E", "worker1", alarm.Call())
    town.at("07-08 16:35").say("E", "secretary1", alarm.Grade(level=Level.III))
    assert (town.due("E", "CALL"), town.due("E", "GRADE"), town.due("E", "REPORT")) == (
        "07-08 16:25",
        "07-08 16:38",
        "07-08 16:50",
    )

    # steps 4 and 3
    town.at("07-08 16:40").say("E", "officer", alarm.PauseClocks(reason=REF))
    assert town.state("I-30", "HANDLE") == "PAUSED"
    for when in ("16:45", "17:40", "18:35", "19:30"):
        town.at(f"07-08 {when}").say("E", "secretary1", alarm.Report(text=REF))
    assert {town.state("E", code) for code in ("CALL", "GRADE", "REPORT")} == {"MET"}

    # step 5
    town.at("07-08 20:10").say("E", "secretary1", alarm.Contain())
    town.at("07-09 08:00").say("E", "secretary1", alarm.StandDown())
    town.say("E", "officer", alarm.ResumeClocks())
    assert (town.due("I-30", "HANDLE"), town.due("E", "REVIEW")) == ("07-16 18:00", "07-16 24:00")

    # step 6
    town.at("07-09 09:00").submit("I-31", "grid1", source=Source.EMERGENCY, category_code="B01", reporter=CONTACT)
    town.accept("I-31", "worker1", LIMITED, "B01", lead_org="property-1", clock_class=COMPLEX)
    town.say("I-31", "property1", do.Sign())
    town.submit("I-32", "grid1", source=Source.EMERGENCY, category_code="G02", danger=True, reporter=CONTACT)
    town.at("07-09 09:05").accept("I-32", "worker1", IMMEDIATE, "G02", urgent=True)
    assert (town.due("I-31", "HANDLE"), town.due("I-32", "HANDLE")) == ("07-30 18:00", "07-09 11:05")
    town.at("07-09 10:30").say("I-32", "grid1", CLAIM)
    assert town.state("I-32", "HANDLE") == "MET"

    # step 7
    town.at("07-10 09:00")
    opened(town, "X", sitting("member2a", C2), "EXIT", member="member2a", reason=REF, place=C2)
    assert town.due("X", "DECIDE") == "07-17 18:00"
    town.say("I-32", "worker1", PHONE)

    # steps 8 and 6
    nominate = commend.NominateSubject(
        community_code=C1, subject_kind=SubjectKind.UNIT, subject=REF, deeds=REF, agreement=REF
    )
    town.at("07-13 09:00").street.open("commendation", "c", nominate, PEOPLE["worker1"])
    assert town.due("c", "VERIFY") == "07-27 18:00"
    assert town.say("I-32", "worker1", SATISFIED).position == "CLOSED:RESOLVED"

    # steps 9 and 10
    town.at("07-15 09:00")
    opened(town, "D", "secretary3", "DISMISSAL", member="member3a", place=C3, **BAD)
    assert (town.due("D", "STATEMENT"), town.due("D", "DECIDE_DISMISSAL")) == ("07-22 18:00", "08-05 18:00")
    assert town.say("E", "secretary1", alarm.Review(lessons=REF)).position == "CLOSED:REVIEWED"
    assert town.state("E", "REVIEW") == "MET"

    # steps 7, 11 and 8
    town.at("07-16 10:00")
    said(town, "X", "secretary2", change.ApproveExit())
    assert (town.state("X", "DECIDE"), town.due("X", "FILL")) == ("MET", "08-17 24:00")
    town.at("07-16 15:00").say("I-30", "property1", CLAIM)
    verified = commend.VerifyDeeds(fulfilled=True, open_violation=False, finding=REF)
    town.at("07-17 09:00").say("c", "worker1", verified)
    assert town.state("c", "VERIFY") == "MET"
    summoned(town, "M-1", "07-22 15:00", EPC)
    town.say("I-30", "worker1", do.ApproveCompletion())
    town.at("07-20 09:00").say("I-30", "worker1", PHONE)
    assert town.at("07-21 09:00").say("I-30", "worker1", SATISFIED).position == "CLOSED:RESOLVED"
    assert town.state("I-30", "HANDLE") == "MET"

    # step 12
    held(town, "M-1", "07-22 15:00", EPC)
    minuted(town, "M-1")
    assert town.say("c", "secretary1", commend.Deliberate(meeting="M-1")).position == "EPC_SUPPORTED"
    for number, when in ((2, "07-23 15:00"), (3, "07-24 15:00")):
        town.at(when).open_session(f"M-{number}")
        minuted(town, f"M-{number}")
    votes = vote(*["FOR"] * 4, *["AGAINST"] * 4)
    said(town, "D", "secretary3", change.DecideDismissal(outcome=Kept.DISMISS, votes=votes), party_meeting=MET)
    dismissal = town.street.cases["D"]
    assert (dismissal.position, dismissal.data.outcome) == ("ACTIVE:RETAINED", Kept.RETAIN)

    # step 13
    held(town, "R-1", "07-28 15:00", RRA, in_favour=40, against=2)
    assert town.say("c", "secretary1", commend.Discuss(meeting="R-1")).position == "RRA_SUPPORTED"
    assert town.due("c", "STREET") == "08-18 18:00"

    # steps 14 and 1
    town.at("07-29 09:00").say("I-31", "property1", CLAIM)
    close_rounds(town, "2026-07", 1, 2, 3)
    town.at("07-30 09:00").say("I-31", "worker1", do.ApproveCompletion())
    town.at("07-31 09:00").say("I-31", "worker1", PHONE)

    town.at("07-31 24:00")
    assert issues(town, "I-30", "I-31", "I-32") == {
        "I-30": "CLOSED:RESOLVED",
        "I-31": "RETURN_VISIT",
        "I-32": "CLOSED:RESOLVED",
    }
    assert sum(case.process == "issue" for case in town.street.cases.values()) == 3
    assert verdicts(town, ("I-30", "I-31", "I-32"), "07-31 24:00") == {"met": 3}
    (emergency,) = (case for case in town.street.cases.values() if case.process == "emergency")
    assert (emergency.state, emergency.data.level) == ("CLOSED", Level.III)
    assert (len(seats(town, C2)), town.street.cases["X"].data.under_strength) == (10, False)
    assert town.street.cases["X"].position == "EXITED:VACANCY"
    assert len(seats(town, C3)) == 9
    assert town.street.cases["c"].position == "RRA_SUPPORTED"
    assert rounds_of(town, "2026-07") == ["CLOSED"] * 3
    assert months(town, "2026-07") == {1: "SLOT_DONE", 2: "SLOT_DONE", 3: "SLOT_DONE"}
    assert (overdue(town), town.street.refused) == ([], [])


# --- M4 --------------------------------------------------------------------------------------------------------


def test_m4_october_2026_the_national_day() -> None:
    town = Town("10-01 00:00")
    begin(town, "2026-10")
    keys = tuple(f"I-{n}" for n in range(41, 47))

    # step 2
    town.at("10-03 08:20").submit("I-44", "grid3", C3, category_code="G01", reporter=CONTACT)
    town.at("10-03 08:30").accept("I-44", "worker3", IMMEDIATE, "G01")
    assert town.due("I-44", "HANDLE") == "10-04 08:30"
    town.at("10-03 18:00").say("I-44", "grid3", CLAIM)
    assert (town.state("I-44", "HANDLE"), town.due("I-44", "FEEDBACK")) == ("MET", "10-09 18:00")

    # steps 3 and 2
    assert rounds_of(town, "2026-10") == ["PLANNED"] * 3
    town.at("10-08 09:00")
    open_rounds(town, "2026-10", 1, 2, 3)
    town.at("10-08 10:00").say("I-44", "worker3", PHONE)
    town.at("10-09 09:00").say("I-44", "worker3", SATISFIED)

    # step 4, and step 10's issue
    town.at("10-09 10:00").submit("I-42", "grid3", C3, category_code="B01")
    town.accept("I-42", "worker3", LIMITED, "B01", lead_org="property-3", clock_class=ClockClass.SIMPLE)
    assert town.due("I-42", "HANDLE") == "10-19 18:00"
    town.submit("I-43", "grid1", C1, category_code="E01")
    town.accept("I-43", "secretary1", SCHEDULED, "E01", **(MODERATE | {"difficulty": Difficulty.HARD}))

    # steps 7 and 8: as S07
    town.at("10-12 09:00").submit("I-46", "grid3", C3)
    town.accept("I-46", "worker3", LIMITED, "Z99", lead_org="power", clock_class=ClockClass.COMPLEX)
    town.at("10-12 11:00").submit("I-41", "resident2", C2, source=Source.RESIDENT, category_code="D02")
    contacted(town, "I-41", 2)
    town.accept("I-41", "worker2", SCHEDULED, "D02", **MODERATE)
    for when, lead, following in (("10-13 10:00", "power", "telecom"), ("10-14 10:00", "telecom", "property-3")):
        town.at(when).say("I-46", lead, do.ReturnOrder(reason="text:r"))
        town.say("I-46", "worker3", do.Dispatch(mode=LIMITED, lead_org=following))
    town.at("10-15 10:00").say("I-46", "property3", do.ReturnOrder(reason="text:r"))
    town.submit("I-45", "integration", C2, source=Source.HOTLINE, external_id="12345-1", category_code="D02")
    assert town.say("I-45", "worker2", do.MergeInto(target="I-41")).position == "CLOSED:MERGED"
    town.at("10-16 10:00").say("I-46", "officer", do.Designate(lead_org="telecom"))
    town.meet("M-1", "10-20 15:00", 1)
    town.meet("M-2", "10-22 15:00", 2)
    town.meet("M-3", "10-28 15:00", 3)

    # step 9
    town.at("10-19 10:00").say("I-46", "telecom", do.Sign())
    assert town.due("I-46", "HANDLE") == "11-02 18:00"
    town.at("10-19 18:00")
    assert town.marks("I-42", "HANDLE") == {"clock_reminded": "10-16 18:00", "clock_breached": "10-19 18:00"}

    # step 10: 大党委 of C1
    on_agenda(town, "M-1", "I-43")
    town.at("10-20 15:00").open_session("M-1")
    town.open_item("M-1", "I-43")
    town.heard("M-1", "I-43")
    assert town.decide("M-1", "I-43", Outcome.CONSULT).position == "DEFERRED:CONSULTATION"
    minuted(town, "M-1")

    # step 11: postponed once, on the day
    on_agenda(town, "M-2", "I-41")
    town.at("10-22 09:00")
    postponed = town.say("M-2", "secretary2", sit.Postpone(scheduled_at=moment("10-29 15:00"), reason="text:r"))
    assert postponed.position == "AGENDA_OPEN"
    again = sit.Postpone(scheduled_at=moment("10-30 15:00"), reason="text:r")
    assert town.refused("M-2", "secretary2", again) == "POSTPONED_ALREADY"

    # steps 9 and 11
    town.at("10-26 18:00")
    assert town.marks("I-42", "HANDLE")["clock_red"] == "10-26 18:00"
    listing = town.listing_id("I-42")
    assert town.due(listing, "LIST") == "10-27 18:00"
    town.at("10-27 10:00")
    town.say(listing, "supervisor", watch.ListCase(responsible_org="drainage", due_on=day("11-06"), public=False))

    # step 12: 大党委 of C3
    assert town.when("M-3", "agenda_frozen") == "10-25 15:00"
    town.at("10-28 09:00").say("M-3", "clerk3", sit.SendNotice(briefing=True))
    town.say("M-3", "secretary3", sit.AddUrgentItem(topic="I-42"))
    town.at("10-28 15:00").open_session("M-3")
    town.agree("M-3", "I-42", Outcome.ASSIGN, lead_org="drainage", due_on=day("11-06"))
    minuted(town, "M-3")
    town.at("10-29 09:00").say("I-42", "drainage", do.Sign())
    assert town.due("I-42", "HANDLE") == "11-06 18:00"
    town.at("10-29 15:00").say("M-2", "clerk2", sit.SendNotice())
    assert town.at("10-29 15:30").open_session("M-2", present=4).state == "INQUORATE"
    carried = town.issue("I-41")
    assert (carried.position, carried.data.carry_over) == ("TOPIC_PROPOSED", 1)

    # steps 3 and 13
    town.at("10-30 10:00")
    close_rounds(town, "2026-10", 1, 2, 3)
    town.at("10-31 24:00")
    missed = town.slot("2026-10", 2)
    assert (missed.position, town.due(missed.id, "MAKE_UP")) == ("SLOT_MISSED", "11-10 24:00")
    assert town.issue("I-41").data.carry_over == 1
    assert rounds_of(town, "2026-10") == ["CLOSED"] * 3
    issues = [town.issue(key) for key in keys]
    assert Counter(issue.data.closure_code for issue in issues if issue.data.closure_code) == {
        ClosureCode.RESOLVED: 1,
        ClosureCode.MERGED: 1,
    }
    assert sum(issue.closed_at is None for issue in issues) == 4
    assert verdicts(town, keys, "10-31 24:00") == {"met": 1, "breached": 1}
    assert overdue(town) == [(missed.id, "SLOT")]
    assert months(town, "2026-10") == {1: "SLOT_DONE", 2: "SLOT_MISSED", 3: "SLOT_DONE"}
    assert town.street.cases[listing].position == "LISTED"
    assert town.street.refused == []


def test_m4_october_2026_what_departments_want() -> None:
    """Steps 1, 5 and 6 of M4: a notice over the National Day, a task that is refused, an item that is admitted."""
    town = County("09-14 10:00")
    insured(town)
    town.at("09-16 10:00").review("pw1")
    assert town.due("pw1", "REVIEW") == "10-13 18:00"

    # step 1
    town.at("09-30 16:00")
    posted(town, Posted.MEMBER)
    assert town.due("n", "NOTICE") == "10-08 24:00"

    # steps 5 and 6
    town.at("10-12 09:00").approve("pw1")
    assert (town.street.cases["pw1"].state, town.state("pw1", "REVIEW")) == ("APPROVED", "MET")
    task = refuse.LogIncomingTask(community_code=C2, department="statistics", text=REF)
    town.at("10-12 10:00").street.open("refusal", "r", task, PEOPLE["worker2"])
    assert town.due("r", "CHECK") == "10-13 18:00"
    assert town.at("10-13 10:00").say("r", "secretary2", refuse.Refuse(reason=REF)).state == "REFUSED"
    town.at("10-16 10:00").apply("applied", "statistics", communities=(C2,))
    linked = town.say("r", "statistics", refuse.DepartmentApplies(admission="applied"))
    assert (linked.state, linked.data.admission) == ("LINKED", "applied")
    town.at("10-19 10:00").review("applied")
    assert (town.street.cases["applied"].state, town.due("applied", "REVIEW")) == ("UNDER_REVIEW", "11-09 18:00")

    # step 6
    town.at("10-20 10:00").say("pw1", "medical-insurance", adm.SignAgreement())
    town.say("pw1", "secretary1", adm.SignAgreement())
    town.say("pw1", "secretary2", adm.RefuseTerms(reason=REF))
    town.say("pw1", "secretary3", adm.SignAgreement())
    town.at("10-26 10:00").say("pw1", "reviewer", adm.AmendPermit(communities=(C1, C3)))
    town.at("10-27 10:00").say("pw1", "medical-insurance", COMMITTED)
    town.at("10-28 10:00").say("pw1", "reviewer", adm.RegisterAndEnter())

    town.at("10-31 24:00")
    active = [one for one in town.street.cases.values() if one.process == "admission" and one.state == "ACTIVE"]
    assert [one.data.communities for one in active] == [(C1, C3)]
    assert town.street.cases["n"].state == "ENDED"
    assert town.street.refused == []


# --- M5 --------------------------------------------------------------------------------------------------------


def test_m5_december_2026_the_end_of_the_year() -> None:
    town = Office("01-05 09:00")
    unpaid = adm.Funding(
        source=REF, amount=5000, instalments=(adm.Payment(amount=5000, due_on=date(2026, 11, 30)),)
    )  # fmt: skip
    town.permit("PU-1")
    town.permit("PU-5", "power", funding=unpaid)
    town.permit("PU-2", until="2027-03-31")
    town.permit("PU-3", until="2027-03-31")
    # what a 大党委 decided in October, for the task list of step 8
    town.at("10-12 09:00").submit("I-50", "grid1", category_code="K02", reporter=CONTACT)
    town.accept("I-50", "worker1", SCHEDULED, "K02", **MODERATE)
    town.meet("M-0", "10-20 15:00")
    town.at("10-20 15:00").open_session("M-0")
    town.agree("M-0", "I-50", Outcome.ASSIGN, lead_org="property-1", due_on=date(2026, 12, 31))
    minuted(town, "M-0")
    item = {"planned_from": date(2026, 10, 28), "planned_until": date(2027, 6, 30), "communities": (C1, C3)}
    town.at("10-28 09:00").admit("PW-1", "medical-insurance", Variant.WORK_ITEM, **item)
    permits = ("PU-1", "PU-2", "PU-3", "PU-5")

    # step 1
    town.november()
    inspections = {one.data.permit: one.id for one in town.street.cases.values() if one.process == "inspection"}
    assert sorted(inspections) == sorted(permits)
    assert {town.due(one, "SELF_REPORT") for one in inspections.values()} == {"11-20 18:00"}

    # steps 2 and 3
    town.at("11-10 09:00").say("PU-3", "secretary1", adm.ReportBreach(text=REF))
    town.say("PU-3", "reviewer", adm.OrderRectification(findings=REF))
    assert town.due("PU-3", "RECTIFY") == "12-10 24:00"
    town.at("11-18 10:00")
    for permit, by in (("PU-1", "telecom"), ("PU-3", "telecom"), ("PU-5", "power")):
        town.say(inspections[permit], by, REPORT)
    town.at("11-20 18:00")
    assert town.street.cases[inspections["PU-2"]].data.findings == (Finding.NO_SELF_REPORT,)

    # step 4
    renewal = adm.ApplyRenewal(valid_until=date(2027, 12, 31))
    town.at("11-25 10:00").say("PU-1", "telecom", renewal)
    assert town.due("PU-1", "REVIEW") == "12-16 18:00"

    # steps 5, 3 and 8
    town.at("11-30 09:00")
    for permit, satisfied, others in (("PU-1", 31, 3), ("PU-2", 15, 18), ("PU-3", 14, 18), ("PU-5", 24, 7)):
        town.assessed(permit, {5: satisfied, 2: others})
        town.say(inspections[permit], "reviewer", SITE)
    town.at("12-01 00:00")
    begin(town, "2026-12")
    for number, when in ((1, "12-17 15:00"), (2, "12-18 15:00"), (3, "12-22 15:00")):
        town.at("12-01 09:00").meet(f"M-{number}", when, number)
    open_rounds(town, "2026-12", 1, 2, 3)
    town.at("12-11 09:00")
    ballots = {permit: town.street.cases[inspections[permit]].data.ballot for permit in permits}
    assert {permit: ballot.share for permit, ballot in ballots.items()} == {
        "PU-1": 91.2,
        "PU-2": 45.5,
        "PU-3": 43.8,
        "PU-5": 77.4,
    }
    assert {ballot.state for ballot in ballots.values()} == {BallotState.TALLIED}
    town.say("PU-3", "reviewer", adm.ProposeRevocation(findings=REF))
    assert town.due("PU-3", "STATEMENT") == "12-18 18:00"

    # step 6
    town.at("12-15 10:00")
    for permit, verdict in zip(permits, (Ended.PASS, Ended.RECTIFY, Ended.PROPOSE_REVOKE, Ended.PASS), strict=True):
        town.conclude(permit, verdict)
    assert (town.street.cases["PU-2"].state, town.due("PU-2", "RECTIFY")) == ("RECTIFYING", "2027-01-14 24:00")
    assert town.street.cases["PU-3"].state == "REVOCATION_PROPOSED"

    # step 7
    renewed = town.at("12-16 10:00").say("PU-1", "reviewer", adm.Decide(outcome=Decided.APPROVE))
    assert (renewed.state, renewed.data.valid_until) == ("ACTIVE", date(2027, 12, 31))

    # steps 8 and 10
    for number, when in ((1, "12-17 15:00"), (2, "12-18 15:00")):
        town.at(when).open_session(f"M-{number}")
        minuted(town, f"M-{number}")
    first = min(town.meeting("M-1").data.items.values(), key=lambda one: one.order)
    assert (first.kind, first.subject_id) == (ItemKind.INFORMATION, "M-0"), "the tasks of October come first"
    town.at("12-21 10:00").say("PU-3", "reviewer", adm.Revoke(reason=REF))
    assert (town.due("PU-3", "HAND_OVER"), town.clock("PU-3", "HAND_OVER").provisional) == ("2027-01-04 18:00", True)
    town.at("12-22 15:00").open_session("M-3")
    minuted(town, "M-3")

    # step 12
    town.at("12-25 09:00")
    with_2027(town)
    for case in list(town.street.cases.values()):
        if any(clock.live and clock.provisional for clock in case.clocks):
            town.street.command(case.id, RecomputeClocks(), SYSTEM)
    assert (town.due("PU-3", "HAND_OVER"), town.due("PU-2", "RECTIFY")) == ("2027-01-05 18:00", "2027-01-14 24:00")
    assert not [clock for case in town.street.cases.values() for clock in case.clocks if clock.provisional]

    # steps 13, 14 and 15
    town.at("12-30 10:00")
    close_rounds(town, "2026-12", 1, 2, 3)
    town.at("12-31 24:00")
    concluded = [one for one in town.street.cases.values() if one.process == "inspection" and one.state == "DONE"]
    assert len(concluded) == 4
    reported = {to for one in concluded for to, template in town.told(one.id, "12-15 10:00") if template == REPORTED}
    assert "role:leading_group_approver@6201" in reported
    assert {key: town.street.cases[key].position for key in (*permits, "PW-1")} == {
        "PU-1": "ACTIVE",
        "PU-2": "RECTIFYING",
        "PU-3": "REVOKED",
        "PU-5": "CLOSED:EXPIRED",
        "PW-1": "ACTIVE",
    }
    assert rounds_of(town, "2026-12") == ["CLOSED"] * 3
    assert months(town, "2026-12") == {1: "SLOT_DONE", 2: "SLOT_DONE", 3: "SLOT_DONE"}
    assert town.street.refused == []
