"""The state table of the formation: who may take which row, what every rule refuses, and who is told."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from services.rehearsal_committees import register
from tests.rules.rows import UPKEEP, name, operations, raise_sites, rows, site_of
from tests.scenarios.committees import (
    C1,
    MET,
    NAMES,
    Forming,
    in_notice,
    on_list,
    resident,
    with_committees,
    without_committee,
)
from tests.scenarios.street import PEOPLE, Town, world
from workflows.formation import commands as do
from workflows.formation.data import Category, Kind, Post, Standing, Way
from workflows.formation.process import FORMATION, OPEN
from workflows.kernel.amending import amend
from workflows.kernel.process import SYSTEM, Actor, Case, Grant, Moment, Refusal, named
from workflows.kernel.step import Order, decide, embryo
from workflows.policy.packs import load

POLICY = world().policy
ROWS = rows(FORMATION)
OUTSIDER = Actor("out", "out", tuple(Grant(role, "620199002001") for role in (
    "party_secretary", "community_worker", "street_party_officer", "resident", "unit_liaison",
)))  # fmt: skip
ACTORS = (*PEOPLE.values(), SYSTEM, OUTSIDER)
COMMITTEES = {f"{kind}1{letter}" for kind in ("epc", "tc") for letter in "abcdefghi"} & set(PEOPLE)
NOMINATORS = COMMITTEES | {
    "grid1", "worker1", "worker1b", "secretary1", "vice1", "member1a", "property1", "resident1", "resident1b",
    "drainage", "heating", "power", "telecom", "elder-care",
}  # fmt: skip
OBJECTORS = {
    "grid1", "member1a", "property1", "resident1", "resident1b",
    "drainage", "heating", "power", "telecom", "elder-care",
}  # fmt: skip
MATRIX: dict[type, tuple[str, set[str]]] = {
    do.StartFormation: ("", {"secretary1", "system"}),
    do.PublishCall: ("PREPARING", {"secretary1"}),
    do.Nominate: ("ANNOUNCED", NOMINATORS),
    do.GiveConsent: ("SHORTLISTING", {"worker1", "worker1b", "secretary1"}),
    do.ExtendCall: ("SHORTLISTING", {"secretary1"}),
    do.VerifyCandidate: ("SHORTLISTING", {"worker1", "worker1b"}),
    do.ProposeShortlist: ("SHORTLISTING", {"worker1", "worker1b"}),
    do.PartyMeetingDecide: ("SHORTLISTING", {"secretary1"}),
    do.ApproveAndFile: ("STREET_REVIEW", {"streetparty"}),
    do.ReturnList: ("STREET_REVIEW", {"streetparty"}),
    do.ObjectTo: ("PUBLIC_NOTICE", OBJECTORS),
    do.ResolveObjection: ("PUBLIC_NOTICE", {"secretary1", "streetparty"}),
    do.Supplement: ("PUBLIC_NOTICE", {"secretary1"}),
    do.ContinueWithout: ("PUBLIC_NOTICE", {"secretary1"}),
    do.IssueCertificate: ("APPOINTING", {"secretary1"}),
    do.RecordDeclined: ("APPOINTING", {"secretary1"}),
    do.Abort: ("APPOINTING", {"streetparty"}),
    do.NoticeEnded: ("PUBLIC_NOTICE", {"system"}),
    do.NoticeInterrupted: ("PUBLIC_NOTICE", {"system"}),
    do.NoticeReposted: ("PUBLIC_NOTICE", {"system"}),
    do.ObjectionRaised: ("PUBLIC_NOTICE", {"system"}),
    do.ObjectionResolved: ("PUBLIC_NOTICE", {"system"}),
    do.SecretaryKnown: ("PUBLIC_NOTICE", {"system"}),
    do.ShareVacancy: ("PREPARING", {"system"}),
}
"""The access matrix of P5: for each command a position that takes it, and everybody who may give it there."""


@cache
def at(position: str) -> Forming:
    """A formation that stands there, played once; look at it only."""
    return played(position)


def played(position: str) -> Forming:
    """A formation that stands there, by a lawful way."""
    match position:
        case "PREPARING":
            return Forming(without_committee(Town("05-11 09:00"), C1)).start()
        case "ANNOUNCED":
            return Forming(without_committee(Town("05-11 09:00"), C1)).start().call().nominate(*NAMES)
        case "SHORTLISTING":
            return on_list()
        case "STREET_REVIEW":
            return on_list().shortlist(*NAMES[:12]).decide(*NAMES[:12])
        case "PUBLIC_NOTICE":
            return in_notice()
    forming = in_notice()
    if position == "ABORTED":
        return forming.say("streetparty", do.Abort(reason="text:r"))
    forming.town.at("06-02 11:00")
    return forming.appoint() if position == "APPOINTED" else forming


def sample(case: Case[Any], on: type) -> Any:
    """A well-formed command; whether the rules take it is another matter."""
    notice = next(iter(getattr(case.data, "notices", {}) or {"n": None}))
    samples: dict[type, Callable[[], Any]] = {
        do.StartFormation: lambda: do.StartFormation(community_code=C1, kind=Kind.INITIAL, target_size=9),
        do.PublishCall: lambda: do.PublishCall(text="text:t", conditions="text:c", contact="text:k"),
        do.Nominate: lambda: do.Nominate(way=Way.VOLUNTEER_CALL, person="p1", category=Category.VETERAN),
        do.GiveConsent: lambda: do.GiveConsent(candidate="p1", consent="f"),
        do.ExtendCall: lambda: do.ExtendCall(reason="text:r"),
        do.VerifyCandidate: lambda: do.VerifyCandidate(candidate="p1", eligible=True),
        do.ProposeShortlist: lambda: do.ProposeShortlist(candidates=(do.Choice(candidate="p1", post=Post.MEMBER),)),
        do.PartyMeetingDecide: lambda: do.PartyMeetingDecide(candidates=("p1",), text="text:d"),
        do.ApproveAndFile: lambda: do.ApproveAndFile(filing_no="7"),
        do.ReturnList: lambda: do.ReturnList(reason="text:r"),
        do.ObjectTo: lambda: do.ObjectTo(candidate="p1", ground="text:g"),
        do.ResolveObjection: lambda: do.ResolveObjection(objection="o1", outcome="UPHELD", answer="text:a"),
        do.Supplement: do.Supplement,
        do.ContinueWithout: lambda: do.ContinueWithout(reason="text:r"),
        do.IssueCertificate: lambda: do.IssueCertificate(member="p1", post=Post.VICE_CHAIR),
        do.RecordDeclined: lambda: do.RecordDeclined(member="p1"),
        do.Abort: lambda: do.Abort(reason="text:r"),
        do.NoticeEnded: lambda: do.NoticeEnded(notice=notice),
        do.NoticeInterrupted: lambda: do.NoticeInterrupted(notice=notice),
        do.NoticeReposted: lambda: do.NoticeReposted(notice=notice),
        do.ObjectionRaised: lambda: do.ObjectionRaised(notice=notice, objection="x", about="p1"),
        do.ObjectionResolved: lambda: do.ObjectionResolved(notice=notice, objection="x", outcome="UPHELD"),
        do.SecretaryKnown: lambda: do.SecretaryKnown(person="p1"),
        do.ShareVacancy: lambda: do.ShareVacancy(membership="m", post=Post.MEMBER),
    }
    return samples[on]()


def code(case: Case[Any] | None, command: Any, actor: Actor, street: Any) -> str:
    """What comes of a command: `taken`, or the code of the refusal."""
    facts = street.facts(FORMATION, case, command, actor)
    order = Order(command=command, actor=actor, facts=facts)
    case = case or embryo(FORMATION, "new", order, world().pin)
    try:
        decide(FORMATION, case, order, POLICY, street.now)
    except Refusal as no:
        return no.code
    return "taken"


@pytest.mark.parametrize("on", MATRIX, ids=lambda on: named(on).name)
def test_the_access_matrix(on: type) -> None:
    position, allowed = MATRIX[on]
    forming = at(position or "PREPARING")
    case = forming.case if position else None
    command = sample(forming.case, on)
    may = {one.id for one in ACTORS if code(case, command, one, forming.town.street) != "forbidden"}
    assert may == allowed


def test_the_matrix_names_every_command() -> None:
    assert set(MATRIX) == {on for on in FORMATION.commands.values() if on not in UPKEEP}


@pytest.mark.parametrize("position", [state.name for state in FORMATION.states])
def test_a_command_without_a_row_changes_nothing(position: str) -> None:
    forming = at(position)
    assert forming.case.position == position
    for on in MATRIX:
        if on is do.StartFormation or (position, on) in FORMATION.table:
            continue
        found = {code(forming.case, sample(forming.case, on), one, forming.town.street) for one in ACTORS}
        assert found == {"wrong_state", "forbidden"}, named(on).name


def test_candidates_consent_for_themselves() -> None:
    forming = at("SHORTLISTING")
    assert code(forming.case, do.GiveConsent(), resident("p1"), forming.town.street) == "taken"
    assert code(forming.case, do.GiveConsent(candidate="p2"), resident("p1"), forming.town.street) == "guard_failed"


def test_every_open_position_is_owed_by_somebody() -> None:
    owed = {"PREPARING": [], "ANNOUNCED": ["CALL"], "SHORTLISTING": ["SHORTLIST"], "STREET_REVIEW": ["STREET"],
            "PUBLIC_NOTICE": [], "APPOINTING": ["APPOINT"]}  # fmt: skip
    for position in OPEN:
        case = at(position).case
        assert [clock.code for clock in case.clocks if clock.live] == owed[position]
    # The notice's own case has its clock, and PREPARING its task.
    assert FORMATION.positions["PREPARING"].work == ("publish_call",)


@pytest.mark.parametrize("arrow", [one for one in ROWS if isinstance(one.on, Moment)], ids=name)
def test_timed_rows(arrow: Any) -> None:
    forming = played("ANNOUNCED")
    forming.town.at("05-20 09:00")
    assert "call_ended" in forming.town.types("f")
    assert forming.case.position == arrow.to[0]


def test_rows_do_to_clocks_what_they_say() -> None:
    for arrow in ROWS:
        if not isinstance(arrow.on, type) or not arrow.source or not (arrow.meets or arrow.starts or arrow.cancels):
            continue
        if arrow.on in (do.ExtendCall, do.Supplement, do.ContinueWithout) or arrow.source == "PUBLIC_NOTICE":
            continue
        forming = played(arrow.source)
        before = len(forming.town.street.histories["f"])
        _give(forming, arrow.on)
        done = {code for _, code in operations(forming.town.street.histories["f"][before:])}
        assert done >= {*arrow.meets, *arrow.starts, *arrow.cancels}, name(arrow)


def _give(forming: Forming, on: type) -> None:
    match named(on).name:
        case "publish_call":
            forming.call()
        case "party_meeting_decide":
            forming.shortlist(*NAMES[:12]).decide(*NAMES[:12])
        case "approve_and_file":
            forming.approve()
        case "return_list":
            forming.say("streetparty", do.ReturnList(reason="text:r"))
        case other:
            raise AssertionError(other)


def test_the_community_and_the_street_hear_of_it() -> None:
    forming = played("APPOINTED")
    told = forming.town.told("f", "06-02 11:00")
    assert {(C1, "roster_published"), ("620199001", "roster_published")} <= told


def test_news_that_come_too_late_change_nothing() -> None:
    for position in ("APPOINTED", "ABORTED"):
        forming = played(position)
        before = forming.case.data
        for on in (do.NoticeEnded, do.NoticeInterrupted, do.NoticeReposted, do.ObjectionRaised, do.SecretaryKnown):
            forming.town.street.command("f", sample(forming.case, on), SYSTEM)
        assert forming.case.data == before
        assert forming.case.position == position


def test_a_vacancy_that_comes_too_late_is_sent_back() -> None:
    forming = at("PUBLIC_NOTICE")
    order = Order(command=do.ShareVacancy(membership="m", post=Post.MEMBER), actor=SYSTEM)
    (event,) = decide(FORMATION, forming.case, order, POLICY, forming.town.street.now)
    (effect,) = event.change.effects
    assert (effect.process, effect.case, effect.command) == ("membership", "m", "formation_aborted")


# --- what the rules refuse --------------------------------------------------------------------------------------

CHOICE = do.Choice(candidate="p1", post=Post.MEMBER)
LONG = do.PartyMeetingDecide(candidates=NAMES[:12], text="text:d")
REFUSALS: dict[str, tuple[str, str, Any, dict[str, Any]]] = {
    "call.give_consent CONSENT_PAPER_REQUIRED": ("SHORTLISTING", "worker1", do.GiveConsent(candidate="p1"), {}),
    "call.may_extend ENOUGH_CANDIDATES": ("SHORTLISTING", "secretary1", do.ExtendCall(reason="text:r"), {}),
    "call._check_way NOT_HIMSELF": (
        "ANNOUNCED", "resident1", do.Nominate(way=Way.SELF, person="p1", category=Category.VETERAN), {},
    ),
    "call._check_way NOT_IN_ROLE": (
        "ANNOUNCED", "resident1", do.Nominate(way=Way.UNIT, person="p1", category=Category.VETERAN), {},
    ),
    "selection.verify CANDIDATE_DECIDED": (
        "PUBLIC_NOTICE", "worker1", "SUPPLEMENTED", {},
    ),
    "selection.verify REASON_REQUIRED": (
        "SHORTLISTING", "worker1", do.VerifyCandidate(candidate="p1", eligible=False), {},
    ),
    "selection.verify MINOR": (
        "SHORTLISTING", "worker1", do.VerifyCandidate(candidate="p1", eligible=True),
        {"eligibility": {"minor": True, "dismissed_within_year": False}},
    ),
    "selection.verify DISMISSED_WITHIN_YEAR": (
        "SHORTLISTING", "worker1", do.VerifyCandidate(candidate="p1", eligible=True),
        {"eligibility": {"minor": False, "dismissed_within_year": True}},
    ),
    "selection.propose_shortlist UNKNOWN_CANDIDATE": (
        "SHORTLISTING", "worker1", do.ProposeShortlist(candidates=(do.Choice(candidate="nobody"),)), {},
    ),
    "selection._check_selectable NOT_VERIFIED": ("SHORTLISTING", "worker1", "UNVERIFIED", {}),
    "selection._check_selectable CONSENT_MISSING": ("SHORTLISTING", "worker1", "UNASKED", {}),
    "selection._check_selectable ALREADY_MEMBER": ("SHORTLISTING", "worker1", "SEATED", {}),
    "selection._by_office CHAIR_NOT_SECRETARY": (
        "SHORTLISTING", "worker1",
        do.ProposeShortlist(candidates=(CHOICE, do.Choice(candidate="secretary1", post=Post.MEMBER))), {},
    ),
    "selection.decide NOT_SHORTLISTED": ("SHORTLISTING", "secretary1", LONG, {"party_meeting": MET}),
    "selection.decide CONSENT_MISSING": ("SHORTLISTING", "secretary1", "UNASKED_LIST", {"party_meeting": MET}),
    "selection._meeting PARTY_MEETING_REQUIRED": ("SHORTLISTING", "secretary1", LONG, {"party_meeting": {}}),
    "selection._meeting NOT_A_PARTY_MEETING": (
        "SHORTLISTING", "secretary1", LONG, {"party_meeting": {**MET, "of_party_organisation": False}},
    ),
    "selection._meeting MEETING_NOT_QUORATE": (
        "SHORTLISTING", "secretary1", LONG, {"party_meeting": {**MET, "quorate": False}},
    ),
    "selection.approve NOT_ON_SUBMITTED_LIST": (
        "STREET_REVIEW", "streetparty", do.ApproveAndFile(filing_no="7", candidates=("p17",)), {},
    ),
    "selection.approve CHAIR_BY_OFFICE": (
        "STREET_REVIEW", "streetparty", do.ApproveAndFile(filing_no="7", candidates=("p1",)), {},
    ),
    "checks.known UNKNOWN_CANDIDATE": (
        "SHORTLISTING", "worker1", do.VerifyCandidate(candidate="nobody", eligible=True), {},
    ),
    "checks.check_chair TWO_CHAIRS": (
        "SHORTLISTING", "worker1", do.ProposeShortlist(candidates=(do.Choice(candidate="p1", post=Post.CHAIR),)), {},
    ),
    "checks.check_chair CHAIR_NOT_SECRETARY": ("SHORTLISTING", "worker1", "NO_SECRETARY", {}),
    "appointment.object_to NOTICE_OVER": ("APPOINTING", "resident1", do.ObjectTo(candidate="p1", ground="text:g"), {}),
    "appointment.resolve UNKNOWN_OBJECTION": (
        "PUBLIC_NOTICE", "secretary1", do.ResolveObjection(objection="o9", outcome="UPHELD", answer="text:a"), {},
    ),
    "appointment.resolve OBJECTION_RESOLVED": ("PUBLIC_NOTICE", "secretary1", "RESOLVED", {}),
    "appointment.resolve SEGREGATION": ("PUBLIC_NOTICE", "secretary1", "CONCERNED", {}),
    "appointment.may_supplement ENOUGH_CANDIDATES": ("PUBLIC_NOTICE", "secretary1", do.Supplement(), {}),
    "appointment.continue_without NOT_CLEARED": (
        "SHORTLISTING", "secretary1", do.ContinueWithout(reason="text:r"), {},
    ),
    "appointment.all_dropped CANDIDATES_LEFT": (
        "PUBLIC_NOTICE", "streetparty", do.ReturnList(reason="text:r"), {},
    ),
    "appointment.issue NOT_CLEARED": (
        "PUBLIC_NOTICE", "secretary1", do.IssueCertificate(member="p1", post=Post.VICE_CHAIR), {},
    ),
    "appointment.issue POST_DIFFERS": (
        "APPOINTING", "secretary1", do.IssueCertificate(member="p1", post=Post.MEMBER), {},
    ),
    "appointment.record_declined NOT_CLEARED": ("APPOINTING", "secretary1", do.RecordDeclined(member="p17"), {}),
    "appointment.record_declined CHAIR_BY_OFFICE": (
        "APPOINTING", "secretary1", do.RecordDeclined(member="secretary1"), {},
    ),
    "appointment._accepting CHAIR_NOT_SECRETARY": (
        "APPOINTING", "secretary1", do.IssueCertificate(member="p1", post=Post.CHAIR), {},
    ),
}  # fmt: skip


def _prepared(forming: Forming, command: Any) -> Any:
    """What some refusals need first; they are named by a word in the place of their command."""
    match command:
        case "SUPPLEMENTED":
            forming.say("secretary", do.RecordDeclined(member="p12")).say("secretary", do.Supplement())
            return do.VerifyCandidate(candidate="p1", eligible=True)
        case "UNVERIFIED":
            forming.say("worker", do.VerifyCandidate(candidate="p1", eligible=False, reason="text:r"))
            return do.ProposeShortlist(candidates=(CHOICE,))
        case "UNASKED" | "UNASKED_LIST":
            again = Forming(without_committee(Town("05-11 09:00"), C1)).start().call().nominate("p1", consent=False)
            again.town.at("05-19 09:00")
            again.verify("p1")
            forming.town = again.town
            if command == "UNASKED_LIST":
                candidate = again.case.data.candidates["p1"]
                listed = {**again.case.data.candidates, "p1": amend(candidate, standing=Standing.SHORTLISTED)}
                again.town.street.cases["f"] = amend(again.case, data=amend(again.case.data, candidates=listed))
                return do.PartyMeetingDecide(candidates=("p1",), text="text:d")
            return do.ProposeShortlist(candidates=(CHOICE,))
        case "SEATED":
            again = Forming(with_committees(Town("05-11 09:00"))).start(1, kind=Kind.REPLACEMENT).call()
            again.nominate("member1a")
            again.town.at("05-19 09:00")
            again.verify("member1a")
            forming.town = again.town
            return do.ProposeShortlist(candidates=(do.Choice(candidate="member1a", post=Post.MEMBER),))
        case "NO_SECRETARY":
            register(forming.town.street).secretaries[C1] = None
            return do.ProposeShortlist(candidates=(do.Choice(candidate="p1", post=Post.CHAIR),))
        case "RESOLVED" | "CONCERNED":
            key = "p5" if command == "RESOLVED" else "secretary1"
            forming.say("resident", do.ObjectTo(candidate=key, ground="text:g"))
            answer = do.ResolveObjection(objection="o1", outcome="DISMISSED", answer="text:a")
            if command == "RESOLVED":
                forming.say("secretary", answer)
            return answer
    return command


@pytest.mark.parametrize("site", REFUSALS)
def test_the_rules_refuse(site: str) -> None:
    position, who, command, facts = REFUSALS[site]
    forming = played(position)
    command = _prepared(forming, command)
    before = forming.case

    with pytest.raises(Refusal) as caught:
        forming.town.street.command("f", command, PEOPLE[who], facts=facts)
    assert site_of(caught.value) == site
    assert forming.case == before


def _start(**fields: Any) -> do.StartFormation:
    return do.StartFormation(**{"community_code": C1, "kind": Kind.INITIAL, "target_size": 9, **fields})


OPENINGS: dict[str, Any] = {
    "call._seats SEATS_UNCLEAR": _start(seats={"NOBODY": 1}),
    "call._seats SEATS_EXCEED_SIZE": _start(seats={"VETERAN": 10}),
}


@pytest.mark.parametrize("site", OPENINGS)
def test_a_start_is_refused(site: str) -> None:
    town = without_committee(Town("05-11 09:00"), C1)
    with pytest.raises(Refusal) as caught:
        town.street.open("formation", "f", OPENINGS[site], PEOPLE["secretary1"])
    assert site_of(caught.value) == site
    assert "f" not in town.street.cases


def test_a_second_formation_is_refused() -> None:
    forming = at("PREPARING")
    assert code(None, _start(), PEOPLE["secretary1"], forming.town.street) == "guard_failed"


def test_seats_are_people_by_category_or_a_list_of_them() -> None:
    for seats in ({"VETERAN": 2}, ({"category": "VETERAN", "count": 2},), ({"category": "VETERAN"},) * 2):
        town = without_committee(Town("05-11 09:00"), C1)
        town.street.open("formation", "f", _start(seats=seats), PEOPLE["secretary1"])
        assert town.street.cases["f"].data.seats == {"VETERAN": 2}


class Termed:
    """A pack that sets a term and leaves out one way of nomination."""

    def __getattr__(self, name: str) -> Any:
        return getattr(POLICY, name)

    def text(self, key: str) -> str:
        return "RESIDENT_COMMITTEE_TERM" if key == "member.term" else str(POLICY.text(key))

    def words(self, key: str) -> tuple[str, ...]:
        return ("RESIDENT",) if key == "formation.ways" else POLICY.words(key)


def _under(policy: Any, forming: Forming, case: Case[Any] | None, command: Any, who: str) -> str:
    street = forming.town.street
    order = Order(command=command, actor=PEOPLE[who], facts=street.facts(FORMATION, case, command, PEOPLE[who]))
    with pytest.raises(Refusal) as caught:
        decide(FORMATION, case or embryo(FORMATION, "n", order, world().pin), order, policy, street.now)
    return site_of(caught.value)


def test_a_pack_with_terms_asks_for_their_end_and_one_with_fewer_ways_closes_them() -> None:
    free = Forming(without_committee(Town("05-11 09:00"), C1))
    assert _under(Termed(), free, None, _start(), "secretary1") == "call.start TERM_UNTIL_REQUIRED"
    forming = at("ANNOUNCED")
    command = do.Nominate(way=Way.SELF, person="p1", category=Category.VETERAN)
    assert _under(Termed(), forming, forming.case, command, "worker1") == "call.nominate WAY_NOT_OPEN"


def test_every_refusal_of_the_rules_is_provoked() -> None:
    elsewhere = {
        "call.start FORMATION_UNDER_WAY",
        "call.start TERM_UNTIL_REQUIRED",
        "call.nominate WAY_NOT_OPEN",
        "call.may_extend EXTENDED_ALREADY",
    }
    assert raise_sites("formation") == {*REFUSALS, *OPENINGS, *elsewhere}


def test_a_soft_rule_that_a_city_makes_hard_cannot_be_excused() -> None:
    class Hard(Termed):
        def parameter(self, key: str) -> Any:
            return replace(POLICY.parameter(key), strength="HARD")

        def text(self, key: str) -> str:
            return str(POLICY.text(key))

    forming = Forming(without_committee(Town("05-11 09:00"), C1))
    command = _start(target_size=20, exception_reason="text:why")
    assert code(None, command, PEOPLE["secretary1"], forming.town.street) == "taken"
    site = _under(Hard(), forming, None, command, "secretary1")
    assert site.endswith("SIZE_OUTSIDE_RANGE")


def test_every_clock_has_its_value_in_the_packs() -> None:
    for rule in FORMATION.clocks:
        assert load("lanzhou_2021").parameter(rule.parameter).unit is not None
