"""The state table of a change of membership: who may take which row, who may open which kind, what is refused."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from services.rehearsal_committees import register
from services.storage.questions.committees import absent_in_row, meeting_view
from tests.rules.rows import UPKEEP, raise_sites, rows, site_of
from tests.scenarios.committees import C1, C3, MET, Forming, opened, sitting, with_committees
from tests.scenarios.street import PEOPLE, Town, world
from workflows.formation.data import Kind as Formed
from workflows.kernel.process import SYSTEM, Actor, Case, Grant, Refusal, named
from workflows.kernel.step import Order, decide, embryo
from workflows.membership import commands as do
from workflows.membership.data import Ground, Kind, Outcome, Post
from workflows.membership.process import MEMBERSHIP
from workflows.policy.packs import load

POLICY = world().policy
SECRETARY2 = Actor("secretary-of-2", "s", (Grant("party_secretary", "620199001002"),))
MEMBER = sitting("member1a")
VICE = sitting("vice1", role="cwc_vice_chair")
ACTORS = (*PEOPLE.values(), SYSTEM, MEMBER, VICE, SECRETARY2)
EFFECT: dict[str, Any] = {"ground": Ground.RULE_BREACH, "adverse_effect": "text:e"}
MATRIX: dict[type, tuple[str, set[str]]] = {
    do.ApproveExit: ("EXIT_REQUESTED", {"secretary1"}),
    do.DeclineExit: ("EXIT_REQUESTED", {"secretary1"}),
    do.WithdrawRequest: ("EXIT_REQUESTED", {"member1a"}),
    do.SuspendDuty: ("DISMISSAL_REVIEW", {"secretary1"}),
    do.StateViews: ("DISMISSAL_REVIEW", {"member1a"}),
    do.DecideDismissal: ("DISMISSAL_REVIEW", {"secretary1"}),
    do.FileWithStreet: ("DISMISSED:VACANCY", {"secretary1"}),
    do.StartReplacement: ("EXITED:VACANCY", {"secretary1"}),
    do.SecretaryChanged: ("EX_OFFICIO_ENDED", {"streetparty", "integration"}),
    do.FormationAppointed: ("EXITED:FILLING", {"system"}),
    do.FormationAborted: ("EXITED:FILLING", {"system"}),
    do.ChairSeated: ("ACTING", {"system"}),
}
"""The access matrix of P6, without its opening."""
OPENERS: dict[Kind, tuple[str, set[str]]] = {
    Kind.EXIT: ("member1a", {"worker1", "worker1b", "member1a"}),
    Kind.DISMISSAL: ("member1a", {"secretary1", "vice1", "member1a", "resident1", "resident1b"}),
    Kind.EX_OFFICIO: ("secretary1", {"streetparty", "integration"}),
    Kind.ACTING: ("vice1", {"streetparty", *(f"tc1{letter}" for letter in "abcdefgh")} & {*PEOPLE, "streetparty"}),
    Kind.TERM_END: ("member1a", {"system"}),
    Kind.REVIEW: ("member1a", {"system"}),
}
"""Who may open which kind of change, about whom."""


@cache
def at(position: str) -> Town:
    """A change that stands there, as case `m`; look at it only."""
    return played(position)


def played(position: str) -> Town:
    """A change that stands there, by a lawful way."""
    town = with_committees(Town("07-15 09:00"))
    state, _, phase = position.partition(":")
    if state in ("EXIT_REQUESTED", "EXITED") or phase in ("DECLINED", "WITHDRAWN"):
        opened(town, "m", MEMBER, "EXIT", member="member1a", reason="text:r")
    if state == "EXITED":
        _say(town, "secretary1", do.ApproveExit())
    if phase == "DECLINED":
        _say(town, "secretary1", do.DeclineExit(reason="text:r"))
    if phase == "WITHDRAWN":
        _say(town, MEMBER, do.WithdrawRequest())
    if state in ("DISMISSAL_REVIEW", "DISMISSED") or phase in ("WARNED", "RETAINED"):
        opened(town, "m", "secretary1", "DISMISSAL", member="member1a", **EFFECT)
    outcome = {"DISMISSED": Outcome.DISMISS, "WARNED": Outcome.WARN, "RETAINED": Outcome.RETAIN}
    if wanted := outcome.get(state, outcome.get(phase)):
        town.at("07-24 15:00")
        _say(town, "secretary1", do.DecideDismissal(outcome=wanted), party_meeting=MET)
    if state == "EX_OFFICIO_ENDED":
        opened(town, "m", "streetparty", "EX_OFFICIO", member="secretary1")
    if phase == "SUCCEEDED":
        _say(town, "streetparty", do.SecretaryChanged(new="p1"))
    if state == "ACTING" or phase == "RETURNED":
        opened(town, "c", "streetparty", "EX_OFFICIO", member="secretary1")
        opened(town, "m", "streetparty", "ACTING", member="vice1")
    if phase == "RETURNED":
        town.street.command("c", do.SecretaryChanged(new="p1"), PEOPLE["streetparty"])
    if state == "TERM_ENDED" or phase == "REAPPOINTED":
        opened(town, "m", SYSTEM, "TERM_END", member="member1a", post=Post.MEMBER, category="VOLUNTEER")
    if phase == "REAPPOINTED":
        _say(town, SYSTEM, do.FormationAppointed(formation="f", appointed=("member1a",)))
    if phase == "REVIEW_SUGGESTED":
        opened(town, "m", SYSTEM, "REVIEW", member="member1a", absences=3)
    if state == "TERM_ENDED" and phase:
        _say(town, SYSTEM, do.FormationAppointed(formation="f"))
    if phase in ("FILLING", "FILLED"):
        _say(town, "secretary1", do.StartReplacement(post=Post.MEMBER))
    if phase == "FILLED":
        _say(town, SYSTEM, do.FormationAppointed(formation="f"))
    assert town.street.cases["m"].position == position
    return town


def _say(town: Town, who: Actor | str, command: Any, **facts: Any) -> None:
    town.street.command("m", command, PEOPLE[who] if isinstance(who, str) else who, facts=facts)


SAMPLES: dict[type, Callable[[], Any]] = {
    do.OpenMembership: lambda: do.OpenMembership(community_code=C1, kind=Kind.EXIT, member="member1a", reason="text:r"),
    do.ApproveExit: do.ApproveExit,
    do.DeclineExit: lambda: do.DeclineExit(reason="text:r"),
    do.WithdrawRequest: do.WithdrawRequest,
    do.SuspendDuty: lambda: do.SuspendDuty(reason="text:r"),
    do.StateViews: lambda: do.StateViews(text="text:v"),
    do.DecideDismissal: lambda: do.DecideDismissal(outcome=Outcome.RETAIN),
    do.FileWithStreet: lambda: do.FileWithStreet(filing_no="9"),
    do.StartReplacement: lambda: do.StartReplacement(post=Post.MEMBER),
    do.SecretaryChanged: lambda: do.SecretaryChanged(new="p1"),
    do.FormationAppointed: lambda: do.FormationAppointed(formation="f"),
    do.FormationAborted: lambda: do.FormationAborted(formation="f"),
    do.ChairSeated: lambda: do.ChairSeated(chair="p1"),
}


def code(town: Town, case: Case[Any] | None, command: Any, actor: Actor) -> str:
    """What comes of a command: `taken`, or the code of the refusal."""
    facts = {**town.street.facts(MEMBERSHIP, case, command, actor), "party_meeting": MET}
    order = Order(command=command, actor=actor, facts=facts)
    case = case or embryo(MEMBERSHIP, "new", order, world().pin)
    try:
        decide(MEMBERSHIP, case, order, POLICY, town.street.now)
    except Refusal as no:
        return no.code
    return "taken"


@pytest.mark.parametrize("on", MATRIX, ids=lambda on: named(on).name)
def test_the_access_matrix(on: type) -> None:
    position, allowed = MATRIX[on]
    town = at(position)
    case = town.street.cases["m"]
    assert {one.id for one in ACTORS if code(town, case, SAMPLES[on](), one) != "forbidden"} == allowed


def test_the_matrix_names_every_command() -> None:
    every = {on for on in MEMBERSHIP.commands.values() if on not in UPKEEP}
    assert set(MATRIX) | {do.OpenMembership} == every == set(SAMPLES)


@pytest.mark.parametrize("kind", OPENERS, ids=str)
def test_who_may_open_which_kind(kind: Kind) -> None:
    member, allowed = OPENERS[kind]
    town = with_committees(Town("07-15 09:00"))
    if kind is Kind.ACTING:
        opened(town, "c", "streetparty", "EX_OFFICIO", member="secretary1")
    command = do.OpenMembership(community_code=C1, kind=kind, member=member, reason="text:r", **EFFECT)
    may = {one.id for one in ACTORS if code(town, None, command, one) == "taken"}
    assert may == allowed


def test_a_unit_calls_back_who_sits_for_it_and_nobody_else() -> None:
    town = with_committees(Town("07-15 09:00"))
    seats = {one.person: one for one in register(town.street).sitting("CWC", C1, town.street.now.date())}
    of_unit = next(who for who, seat in seats.items() if seat.category == "PROPERTY_COMPANY")
    of_none = next(who for who, seat in seats.items() if seat.category == "VOLUNTEER")
    for member, outcome in ((of_unit, "taken"), (of_none, "forbidden")):
        command = do.OpenMembership(community_code=C1, kind=Kind.EXIT, member=member, reason="text:r")
        assert code(town, None, command, PEOPLE["property1"]) == outcome


@pytest.mark.parametrize("position", [state.name for state in MEMBERSHIP.states])
def test_a_command_without_a_row_changes_nothing(position: str) -> None:
    town = at(position)
    case = town.street.cases["m"]
    for on in MATRIX:
        if (position, on) in MEMBERSHIP.table:
            continue
        found = {code(town, case, SAMPLES[on](), one) for one in ACTORS}
        # The member himself is known in one position only by the case that names him.
        assert found <= {"wrong_state", "forbidden"}, named(on).name
        assert "wrong_state" in found or on in (do.StateViews, do.WithdrawRequest)


OWED = {
    "EXIT_REQUESTED": {"DECIDE"},
    "DISMISSAL_REVIEW": {"STATEMENT", "DECIDE_DISMISSAL"},
    "TERM_ENDED": {"REAPPOINT"},
    "ACTING": {"ACTING_MAX"},
    "EXITED:VACANCY": {"FILL"},
    "EXITED:FILLING": {"FILL"},
    "DISMISSED:VACANCY": {"FILE", "FILL"},
    "DISMISSED:FILLING": {"FILE", "FILL"},
    "DISMISSED:FILLED": {"FILE"},
    "TERM_ENDED:VACANCY": {"FILL"},
    "TERM_ENDED:FILLING": {"FILL"},
}


@pytest.mark.parametrize("position", [state.name for state in MEMBERSHIP.states])
def test_what_runs_in_each_position(position: str) -> None:
    case = at(position).street.cases["m"]
    assert {clock.code for clock in case.clocks if clock.live} == OWED.get(position, set())


def test_rows_end_the_clocks_that_they_name() -> None:
    for arrow in rows(MEMBERSHIP):
        for code_ in (*arrow.meets, *arrow.cancels):
            assert not arrow.source or code_ in OWED.get(arrow.source, set()), (arrow.source, code_)


def test_every_clock_has_its_value_in_the_packs() -> None:
    for rule in MEMBERSHIP.clocks:
        assert load("lanzhou_2021").parameter(rule.parameter).unit is not None


# --- what the rules refuse --------------------------------------------------------------------------------------


def _open(**fields: Any) -> do.OpenMembership:
    return do.OpenMembership(**{"community_code": C1, "kind": Kind.EXIT, "member": "member1a", **fields})


def _vacant() -> Town:
    town = with_committees(Town("07-15 09:00"))
    opened(town, "c", "streetparty", "EX_OFFICIO", member="secretary1")
    return town


def _acting() -> Town:
    town = _vacant()
    opened(town, "a", "streetparty", "ACTING", member="vice1")
    return town


def _seated() -> Town:
    return with_committees(Town("07-15 09:00"))


def _under_way() -> Town:
    town = _seated()
    opened(town, "x", MEMBER, "EXIT", member="member1a", reason="text:r")
    return town


def _retained() -> Town:
    return played("ACTIVE:RETAINED")


OPENINGS: dict[str, tuple[Callable[[], Town], str | Actor, do.OpenMembership]] = {
    "opening._exit NOT_IN_ROLE": (_seated, "resident1", _open(reason="text:r")),
    "opening._exit REASON_REQUIRED": (_seated, MEMBER, _open()),
    "opening._seat NOT_A_MEMBER": (_seated, "worker1", _open(member="p1", reason="text:r")),
    "opening._check_leaving CHAIR_BY_OFFICE": (_seated, "worker1", _open(member="secretary1", reason="text:r")),
    "opening._check_leaving CHANGE_UNDER_WAY": (_under_way, "worker1", _open(reason="text:r")),
    "opening._dismissal NOT_IN_ROLE": (_seated, "worker1", _open(kind=Kind.DISMISSAL, **EFFECT)),
    "opening._dismissal GROUND_REQUIRED": (_seated, "secretary1", _open(kind=Kind.DISMISSAL)),
    "opening._dismissal ADVERSE_EFFECT_REQUIRED": (
        _seated, "secretary1", _open(kind=Kind.DISMISSAL, ground=Ground.RULE_BREACH),
    ),
    "opening._dismissal SAME_FACTS": (_retained, "secretary1", _open(kind=Kind.DISMISSAL, **EFFECT)),
    "opening._ex_officio NOT_IN_ROLE": (_seated, "secretary1", _open(kind=Kind.EX_OFFICIO, member="secretary1")),
    "opening._ex_officio NOT_THE_CHAIR": (_seated, "streetparty", _open(kind=Kind.EX_OFFICIO)),
    "opening._ex_officio SAME_PERSON": (
        _seated, "streetparty", _open(kind=Kind.EX_OFFICIO, member="secretary1", new="secretary1"),
    ),
    "opening._acting NOT_IN_ROLE": (_vacant, "secretary1", _open(kind=Kind.ACTING, member="vice1")),
    "opening._acting CHAIR_NOT_VACANT": (_seated, "streetparty", _open(kind=Kind.ACTING, member="vice1")),
    "opening._acting NOT_A_VICE_CHAIR": (_vacant, "streetparty", _open(kind=Kind.ACTING)),
    "opening._acting ACTING_ALREADY": (_acting, "streetparty", _open(kind=Kind.ACTING, member="vice1")),
    "opening._only_system NOT_IN_ROLE": (_seated, "secretary1", _open(kind=Kind.TERM_END)),
}  # fmt: skip


@pytest.mark.parametrize("site", OPENINGS)
def test_an_opening_is_refused(site: str) -> None:
    begin, who, command = OPENINGS[site]
    town = begin()
    before = set(town.street.cases)
    with pytest.raises(Refusal) as caught:
        town.street.open("membership", "n", command, PEOPLE[who] if isinstance(who, str) else who)
    assert site_of(caught.value) == site
    assert set(town.street.cases) == before


def _votes(*members: str) -> do.DecideDismissal:
    votes = tuple(do.Vote(member=one, choice="FOR") for one in members)
    return do.DecideDismissal(outcome=Outcome.DISMISS, votes=votes)


HEARD = "HEARD"
REFUSALS: dict[str, tuple[str, str, Any, dict[str, Any]]] = {
    "leaving.suspend_duty DUTY_SUSPENDED": ("DISMISSAL_REVIEW", "secretary1", do.SuspendDuty(reason="text:r"), {}),
    "leaving.may_decide MEMBER_NOT_HEARD": ("DISMISSAL_REVIEW", "secretary1", _votes("tc1b"), {"party_meeting": MET}),
    "leaving.file_with_street FILED_ALREADY": (
        "DISMISSED:VACANCY", "secretary1", do.FileWithStreet(filing_no="9"), {},
    ),
    "leaving._meeting PARTY_MEETING_REQUIRED": (HEARD, "secretary1", _votes("tc1b"), {"party_meeting": {}}),
    "leaving._meeting NOT_A_PARTY_MEETING": (
        HEARD, "secretary1", _votes("tc1b"), {"party_meeting": {**MET, "of_party_organisation": False}},
    ),
    "leaving._passed RECUSED": (HEARD, "secretary1", _votes("tc1b", "member1a"), {"party_meeting": MET}),
    "leaving._passed VOTED_TWICE": (HEARD, "secretary1", _votes("tc1b", "tc1b"), {"party_meeting": MET}),
    "leaving._passed VOTER_NOT_PRESENT": (
        HEARD, "secretary1", _votes("tc1b"), {"party_meeting": {**MET, "present": ["tc1c"]}},
    ),
    "leaving._check_not_acting ACTING_CHAIR": ("EXIT_REQUESTED", "secretary1", "ACTING", {}),
    "vacancy.start_replacement CHAIR_BY_OFFICE": (
        "EXITED:VACANCY", "secretary1", do.StartReplacement(post=Post.CHAIR), {},
    ),
    "vacancy.start_replacement FORMATION_UNDER_WAY": ("EXITED:VACANCY", "secretary1", "FORMING", {}),
    "office.secretary_changed CHAIR_NOT_VACANT": (
        "EX_OFFICIO_ENDED", "streetparty", do.SecretaryChanged(new="p2"), {"committee": {"chair": "p1"}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("site", REFUSALS)
def test_the_rules_refuse(site: str) -> None:
    position, who, command, facts = REFUSALS[site]
    town = played("DISMISSAL_REVIEW" if position == HEARD else position)
    if position == HEARD:
        town.at("07-24 15:00")
    if site.endswith(("DUTY_SUSPENDED", "FILED_ALREADY")):
        _say(town, who, command)
    if command == "ACTING":
        command, facts = do.ApproveExit(), {"committee": {"acting": "member1a", "members": []}}
    if command == "FORMING":
        Forming(town, "f").start(13, kind=Formed.INITIAL)
        command = do.StartReplacement(post=Post.MEMBER)
    before = town.street.cases["m"]

    with pytest.raises(Refusal) as caught:
        _say(town, who, command, **facts)
    assert site_of(caught.value) == site
    assert town.street.cases["m"] == before


def test_every_refusal_of_the_rules_is_provoked() -> None:
    assert raise_sites("membership") == {*REFUSALS, *OPENINGS}


# --- what the questions say ---------------------------------------------------------------------------------------


def _session(*present: str, of: tuple[str, ...] = ("a", "b")) -> dict[str, Any]:
    seats = [{"person": one} for one in of]
    return {"rosters": {"CWC_SESSION": seats}, "attendance": {one: {"member": True} for one in present}}


def test_absences_in_a_row_end_at_the_session_that_somebody_came_to() -> None:
    sessions = [("s4", _session("b")), ("s3", _session("b")), ("s2", _session("a", "b")), ("s1", _session("b"))]
    assert absent_in_row("a", sessions) == {"person": "a", "count": 2, "since": "s3"}
    assert absent_in_row("b", sessions)["count"] == 0


def test_sessions_before_somebody_was_a_member_do_not_count() -> None:
    sessions = [("s2", _session("b")), ("s1", _session("b", of=("b",)))]
    assert absent_in_row("a", sessions)["count"] == 1


def test_a_meetings_record_tells_its_body_quorum_and_votes() -> None:
    data = {
        "type": "TWO_COMMITTEES",
        "held": True,
        "attendance": {"a": {"member": True}, "guest": {"member": False}},
        "items": {"i1": {"subject_id": "m"}, "i2": {"subject_id": "n"}},
        "votes": {"i1/a": "FOR", "i1/b": "AGAINST"},
        "tallies": {"i2": {"in_favour": 3, "against": 1}},
    }
    row = {"id": "x", "number": "H1", "community": C1, "state": "CLOSED", "data": data}
    seen = meeting_view(row, C1)
    assert (seen["of_party_organisation"], seen["quorate"], seen["present"]) == (True, True, ["a"])
    assert seen["tallies"] == {"m": {"FOR": 1, "ALL": 2}, "n": {"FOR": 3, "ALL": 4}}
    assert not meeting_view(row, C3)["of_party_organisation"]
    assert not meeting_view({**row, "state": "INQUORATE", "data": {**data, "held": False}}, C1)["quorate"]
