"""The state table of the supervision case (挂牌销号): every row is taken and all else is refused."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.rules.rows import UPKEEP, keeps_its_word, name, outcome, raise_sites, rows, site_of
from tests.scenarios.street import C1, EVIDENCE, ORGANIZATIONS, PEOPLE, STREET, Town, day, moment, world, written
from workflows.issue import commands as issue
from workflows.issue.data import ClockClass, Difficulty, HandlingMode
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import SYSTEM, Actor, Arrow, Case, Forbidden, Grant, Moment, Refusal, named
from workflows.kernel.roles import Role
from workflows.kernel.step import Order, decide, embryo
from workflows.policy.pack import Pack
from workflows.policy.packs import load
from workflows.supervision import rules as watch
from workflows.supervision.process import SUPERVISION

POLICY = world().policy
ROLES = tuple(role for role in Role if role is not Role.SYSTEM)
OUTSIDER = Actor("outsider", "outsider", tuple(Grant(role, "620199002001", "elsewhere") for role in ROLES))
"""Somebody with every role there is, in another street."""
NO_ROLE = Actor("keeper", "keeper", (Grant(Role.SEAL_KEEPER, C1, "community-1"), Grant(Role.LIAISON_LEADER, STREET)))
"""Somebody of the very place, in roles that have nothing to do with supervision."""
REPORTER = {"reporter_known": True, "contacted": True, "satisfaction": None}
FACTS: dict[str, Any] = {"organizations": ORGANIZATIONS, "supervised_subject": REPORTER}
ROWS = rows(SUPERVISION)
COMMANDS = [arrow for arrow in ROWS if isinstance(arrow.on, type) and arrow.source]
TIMED = [arrow for arrow in ROWS if isinstance(arrow.on, Moment)]
POSITIONS = [state.name for state in SUPERVISION.states]
ACTORS: tuple[Actor, ...] = (*PEOPLE.values(), SYSTEM)
LISTED = watch.ListCase(responsible_org="drainage", responsible_person="city", due_on=day("04-20"), public=False)
REPORTED = watch.ReportRectified(text="text:t")
AGAIN = watch.RefuseDelist(reason="text:r", due_on=day("04-27"))


def opened(by_hand: bool = False) -> Town:
    """An issue of C1 and its supervision case `s`, by hand or because RED was reached."""
    town = Town("04-07 09:00")
    town.submit("i", "grid1")
    easy = issue.AcceptToProblemList(
        mode=HandlingMode.TIME_LIMITED,
        category_code="Z99",
        difficulty=Difficulty.EASY,
        lead_org="property-1",
        clock_class=ClockClass.CONSULT,
    )
    town.say("i", "worker1", easy)
    command = watch.OpenSupervision(
        subject_id="i", community_code=C1, responsible_org=None if by_hand else "property-1"
    )
    town.street.open("supervision", "s", command, PEOPLE["supervisor"] if by_hand else SYSTEM)
    return town


def at_position(position: str) -> Town:
    """The case there, by the shortest way."""
    town = opened()
    if position != "OPENED":
        town.say("s", "supervisor", LISTED)
    if position in ("VERIFYING", "DELISTED"):
        town.say("s", "drainage", REPORTED)
    if position == "DELISTED":
        town.say("s", "supervisor", watch.Delist(text="text:t"))
    assert town.street.cases["s"].position == position
    return town


def sample(case: Case[Any], on: type) -> Any:
    """A lawful command."""
    assert case.updated_at is not None
    soon = case.updated_at.astimezone(CHINA).date() + timedelta(days=10)
    return {
        watch.ListCase: watch.ListCase(responsible_org="property-1", due_on=soon, public=True, text="text:t"),
        watch.ReportRectified: watch.ReportRectified(evidence=EVIDENCE),
        watch.Delist: watch.Delist(evidence=EVIDENCE),
        watch.RecordSatisfaction: watch.RecordSatisfaction(satisfaction=4, remark="text:t"),
        watch.RefuseDelist: watch.RefuseDelist(reason="text:r", due_on=soon),
        watch.OpenSupervision: watch.OpenSupervision(subject_id="i", community_code=C1),
    }[on]


def takers(case: Case[Any], on: type) -> list[Actor]:
    """Everybody whom the rules let give a command here."""
    return [a for a in ACTORS if isinstance(outcome(SUPERVISION, case, sample(case, on), a, POLICY, FACTS), tuple)]


@pytest.mark.parametrize("arrow", COMMANDS, ids=name)
def test_every_command_row_is_taken_and_keeps_its_word(arrow: Arrow) -> None:
    assert isinstance(arrow.on, type)
    town = at_position(arrow.source)
    before = town.street.cases["s"]
    people = takers(before, arrow.on)
    assert people

    town.street.command("s", sample(before, arrow.on), people[0], facts=FACTS)
    clocks = [clock for key, clock in town.street.clocks.items() if key[0] == "s"]
    keeps_its_word(arrow, before, town.street.cases["s"], clocks)
    assert town.street.cases["s"].position in (arrow.to or (arrow.source,))


@pytest.mark.parametrize("arrow", COMMANDS, ids=name)
def test_every_row_refuses_those_without_role_or_place(arrow: Arrow) -> None:
    assert isinstance(arrow.on, type)
    case = at_position(arrow.source).street.cases["s"]
    moved = Actor("moved", "moved", (Grant("supervisor", "620199002"), Grant("unit_liaison", C1, "property-2")))

    for stranger in (OUTSIDER, NO_ROLE, Actor("nobody", "nobody", ()), moved):
        assert outcome(SUPERVISION, case, sample(case, arrow.on), stranger, POLICY, FACTS) == "forbidden"


@pytest.mark.parametrize("position", POSITIONS)
def test_a_command_without_a_row_changes_nothing(position: str) -> None:
    case = at_position(position).street.cases["s"]
    for on in SUPERVISION.commands.values():
        if (position, on) in SUPERVISION.table or on in UPKEEP:
            continue
        codes = {outcome(SUPERVISION, case, sample(case, on), actor, POLICY, FACTS) for actor in ACTORS}
        assert codes == {"wrong_state", "forbidden"}, named(on).name
        assert outcome(SUPERVISION, case, sample(case, on), OUTSIDER, POLICY, FACTS) == "forbidden"


def test_every_timed_row_is_taken() -> None:
    waiting = at_position("LISTED").at("06-30 00:00")
    reported = at_position("LISTED").at("04-21 09:00")
    reported.say("s", "drainage", REPORTED)
    reported.at("06-30 00:00")

    assert {name(arrow) for arrow in TIMED} == {
        "LISTED DUE RECTIFY",
        "LISTED ENDED COUNTY",
        "VERIFYING ENDED COUNTY",
    }
    for town in (waiting, reported):
        types = town.types("s")
        assert types.index("rectification_breached") < types.index("reported_to_county")
        assert written(town.clock("s", "COUNTY").due_at) == "05-20 24:00"
        assert ("620199", "supervision_to_county") in town.told("s", "05-20 24:00")
    assert waiting.state("s", "RECTIFY") == "BREACHED"


def test_who_may_open_a_case_where() -> None:
    command = watch.OpenSupervision(subject_id="i", community_code=C1)
    order = {actor.id: Order(command=command, actor=actor) for actor in (*ACTORS, OUTSIDER, NO_ROLE)}

    def may(one: Order) -> bool:
        try:
            decide(SUPERVISION, embryo(SUPERVISION, "s", one, world().pin), one, POLICY, moment("04-07 09:00"))
        except Forbidden:
            return False
        return True

    assert {who for who, one in order.items() if may(one)} == {"supervisor", "city", "system"}


def test_the_place_is_that_of_the_subject_whatever_the_caller_says() -> None:
    command = watch.OpenSupervision(subject_id="i", community_code=C1)
    facts = {"subject_id": {"id": "i", "community": "620199002001", "closed": False}}
    order = Order(command=command, actor=PEOPLE["supervisor"], facts=facts)

    with pytest.raises(Forbidden):
        decide(SUPERVISION, embryo(SUPERVISION, "s", order, world().pin), order, POLICY, moment("04-07 09:00"))


def test_a_case_opened_by_hand_is_known_to_the_issue() -> None:
    town = opened(by_hand=True)
    assert town.issue("i").data.supervision_id == "s"

    # RED opens no second one, and 销号 approves the completion of the issue.
    town.at("04-30 09:00")
    assert town.issue("i").data.red
    assert [key for key, case in town.street.cases.items() if case.process == "supervision"] == ["s"]
    town.say("s", "worker1", REPORTED)
    town.say("s", "supervisor", watch.Delist(evidence=EVIDENCE))
    assert (town.issue("i").position, town.issue("i").data.red) == ("FEEDBACK_DUE", False)


def test_delisting_another_case_does_not_approve_the_issue() -> None:
    town = opened(by_hand=True)
    second = watch.OpenSupervision(subject_id="i", community_code=C1)
    town.street.open("supervision", "s2", second, PEOPLE["city"])
    assert town.issue("i").data.supervision_id == "s"

    town.say("s2", "worker1", REPORTED)
    town.say("s2", "supervisor", watch.Delist(evidence=EVIDENCE))
    assert town.issue("i").position == "ASSIGNED"
    assert town.street.refused == []


@pytest.mark.parametrize("position", [state for state in POSITIONS if state != "DELISTED"])
def test_an_open_case_is_always_owed_by_somebody(position: str) -> None:
    case = at_position(position).street.cases["s"]

    assert [clock.code for clock in case.clocks if clock.live and clock.due_at]
    assert SUPERVISION.positions[position].work


def test_notices_go_to_who_must_know() -> None:
    town = opened()
    assert (STREET, "supervision_opened") in town.told("s", "04-07 09:00")
    town.say("s", "supervisor", LISTED)
    assert ("drainage", "supervision_listed") in town.told("s", "04-07 09:00")
    town.at("04-10 09:00").say("s", "drainage", REPORTED)
    town.say("s", "supervisor", AGAIN)
    assert ("620199", "supervision_relisted") in town.told("s", "04-10 09:00")


def _late(days: int) -> date:
    return day("04-07") + timedelta(days=days)


REFUSALS: dict[str, tuple[str, str, Any]] = {
    "rules.list_case PUBLIC_TEXT_REQUIRED": (
        "OPENED",
        "supervisor",
        watch.ListCase(responsible_org="drainage", due_on=day("04-20"), public=True),
    ),
    "rules.report_rectified NO_EVIDENCE": ("LISTED", "drainage", watch.ReportRectified()),
    "rules.may_delist SEGREGATION": ("VERIFYING", "city", watch.Delist(text="text:t")),
    "rules.delist NO_EVIDENCE": ("VERIFYING", "supervisor", watch.Delist()),
    "rules._rectify DAY_IN_PAST": (
        "OPENED",
        "supervisor",
        watch.ListCase(responsible_org="drainage", due_on=_late(-1), public=False),
    ),
    "rules._rectify DUE_TOO_LATE": (
        "OPENED",
        "supervisor",
        watch.ListCase(responsible_org="drainage", due_on=_late(31), public=False),
    ),
}


@pytest.mark.parametrize("site", REFUSALS)
def test_the_rules_refuse(site: str) -> None:
    position, who, command = REFUSALS[site]
    town = at_position(position)
    before = town.street.cases["s"]

    with pytest.raises(Refusal) as caught:
        town.say("s", who, command)
    assert site_of(caught.value) == site
    assert town.street.cases["s"] == before


OPENINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "rules.open_case SUBJECT_CLOSED": ("issue", {"process": "issue", "closed": True}),
    "rules.open_case OTHER_SUBJECT": ("admission", {"process": "issue", "closed": False}),
    "rules.open_case NOT_RECTIFYING": ("admission", {"process": "admission", "closed": False, "state": "ACTIVE"}),
}


@pytest.mark.parametrize("site", OPENINGS)
def test_a_case_is_opened_on_what_can_be_put_right_only(site: str) -> None:
    kind, subject = OPENINGS[site]
    command = watch.OpenSupervision(subject_type=kind, subject_id="i")  # type: ignore[arg-type]
    order = Order(command=command, actor=PEOPLE["city"], facts={"subject_id": {"id": "i", "community": C1, **subject}})

    with pytest.raises(Refusal) as caught:
        decide(SUPERVISION, embryo(SUPERVISION, "s", order, world().pin), order, POLICY, moment("04-07 09:00"))
    assert site_of(caught.value) == site


def test_a_rectification_of_a_permit_is_supervised_as_an_issue_is() -> None:
    command = watch.OpenSupervision(subject_type="admission", subject_id="a", reason="text:r")
    subject = {"id": "a", "process": "admission", "community": "620199", "closed": False, "state": "RECTIFYING"}
    order = Order(command=command, actor=PEOPLE["city"], facts={"subject_id": subject})
    case = embryo(SUPERVISION, "s", order, world().pin)
    (opened_event,) = decide(SUPERVISION, case, order, POLICY, moment("04-07 09:00"))

    assert (case.community, opened_event.change.to) == ("620199", "OPENED")
    (told,) = opened_event.change.effects
    assert (told.process, told.case, told.command) == ("admission", "a", "supervision_opened")
    # A supervisor of the street does not reach the county.
    with pytest.raises(Forbidden):
        decide(SUPERVISION, case, replace(order, actor=PEOPLE["supervisor"]), POLICY, moment("04-07 09:00"))


def strict() -> Pack:
    """Lanzhou's pack with 销号须群众满意 (practice R41)."""
    lanzhou = load("lanzhou_2021")
    key = "supervision.require_satisfaction"
    wanted = replace(lanzhou.parameter(key), value=True)
    return replace(lanzhou, parameters={**lanzhou.parameters, key: wanted}, sha="strict")


@pytest.mark.parametrize(
    ("subject", "answered", "may"),
    [
        ({"reporter_known": True, "contacted": True, "satisfaction": None}, None, False),
        ({"reporter_known": True, "contacted": True, "satisfaction": 2}, None, False),
        ({"reporter_known": True, "contacted": True, "satisfaction": 3}, None, True),
        ({"reporter_known": True, "contacted": False, "satisfaction": None}, 4, True),
        ({"reporter_known": True, "contacted": True, "satisfaction": 5}, 2, False),
        ({"reporter_known": False, "contacted": False, "satisfaction": None}, None, True),
    ],
)
def test_a_pack_may_want_the_reporter_satisfied(subject: dict[str, Any], answered: int | None, may: bool) -> None:
    town = at_position("VERIFYING")
    if answered is not None:
        town.say("s", "worker1", watch.RecordSatisfaction(satisfaction=answered))
    case = town.street.cases["s"]
    order = Order(
        command=watch.Delist(text="text:t"), actor=PEOPLE["supervisor"], facts={"supervised_subject": subject}
    )

    assert case.updated_at is not None
    if may:
        (event,) = decide(SUPERVISION, case, order, strict(), case.updated_at)
        contacted = subject["contacted"] or answered is not None
        assert event.change.notes.get("reporter_contacted", False) is contacted
    else:
        with pytest.raises(Refusal) as caught:
            decide(SUPERVISION, case, order, strict(), case.updated_at)
        assert site_of(caught.value) == "rules.delist SATISFACTION_REQUIRED"
    assert decide(SUPERVISION, case, order, POLICY, case.updated_at)


def test_every_refusal_of_the_rules_is_provoked() -> None:
    assert raise_sites("supervision") == {*REFUSALS, *OPENINGS, "rules.delist SATISFACTION_REQUIRED"}


def test_thirty_days_are_not_too_late() -> None:
    town = opened()

    listed = watch.ListCase(responsible_org="drainage", due_on=_late(30), public=False)
    assert town.say("s", "supervisor", listed).position == "LISTED"
