"""The street of scenarios.md §0 on the simulator: its people by username, its moments as the text writes them."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from typing import Any, Self

from services import rehearsal_committees, sittings
from services.rehearsal import answers
from services.storage.national_calendar import national_calendar
from tests.scenarios import county, office
from tests.scenarios.taping import Taped
from workflows.issue import commands as do
from workflows.issue.data import Difficulty, HandlingMode, Issue, Source
from workflows.kernel.calendar import CHINA, end_of
from workflows.kernel.clocks import Clock
from workflows.kernel.process import Actor, Case, Grant, Pin, Refusal, derived_id
from workflows.kernel.simulator import Deed, Question, Street, World
from workflows.kernel.stamping import Rungs
from workflows.kernel.wire import command_of
from workflows.meeting import commands as sit
from workflows.meeting.bodies import body
from workflows.meeting.counting import awaited
from workflows.meeting.data import Choice, Meeting, MeetingType, Outcome, Seat
from workflows.policy.pack import Pack
from workflows.policy.packs import chosen, load, pinned
from workflows.registry import PROCESSES
from workflows.supervision.data import Supervision

STREET = "620199001"
C1, C2, C3 = f"{STREET}001", f"{STREET}002", f"{STREET}003"
EPC, TWO_COMMITTEES = MeetingType.EXTENDED_PARTY_COMMITTEE, MeetingType.TWO_COMMITTEES
EVIDENCE = ("photo-1",)
CONTACT: Any = "contact:0000000000000001"
"""A reporter as the door leaves him: a reference; name and phone never reach the rules."""

ORGANIZATIONS = {
    **{f"community-{n}": {"type": "RESIDENT_COMMITTEE", "level": "COMMUNITY"} for n in (1, 2, 3)},
    **{f"property-{n}": {"type": "PROPERTY_COMPANY", "level": "COMMUNITY"} for n in (1, 2, 3)},
    "owners-2": {"type": "OWNERS_COMMITTEE", "level": "COMMUNITY"},
    **{code: {"type": "ENTERPRISE", "level": "OTHER"} for code in ("drainage", "heating", "power", "telecom")},
    "elder-care": {"type": "SOCIAL_ORG", "level": "OTHER"},
    "subdistrict-office": {"type": "SUBDISTRICT_OFFICE", "level": "SUBDISTRICT"},
    **county.ORGANIZATIONS,
}
"""What the door tells the rules of the organisations of the demonstration street."""


def _seats(number: int) -> dict[str, tuple[Seat, ...]]:
    """The bodies of a community (scenarios §0): nine in the 大党委, eight in the 两委, and its committee."""
    chair = Seat(person=f"secretary{number}", post="CHAIR")
    epc = tuple(Seat(person=f"epc{number}{letter}") for letter in "bcdefghi")
    two = tuple(Seat(person=f"tc{number}{letter}") for letter in "bcdefgh")
    delegates = (
        Seat(person=f"secretary{number}", org=f"community-{number}", post="CHAIR"),
        Seat(person=f"property{number}", org=f"property-{number}", post="DELEGATE"),
        Seat(org="elder-care", post="DELEGATE", deputies=("elder-care",)),
    )
    cwc = (chair, Seat(person=f"vice{number}", post="VICE_CHAIR"), Seat(person=f"member{number}a"))
    return {"EPC": (chair, *epc), "TWO_COMMITTEES": (chair, *two), "CWC": cwc, "PJM": delegates}


ROSTERS = {f"{STREET}{number:03}": _seats(number) for number in (1, 2, 3)}
QUESTIONS: dict[str, Question] = {
    **answers({C1: 7, C2: 9, C3: 5}),
    **sittings.answers(ROSTERS),
    **county.QUESTIONS,
    **office.QUESTIONS,
    **rehearsal_committees.QUESTIONS,
}
"""What this street answers to the questions of the rules, by name."""
DEEDS: dict[str, Deed] = {**rehearsal_committees.DEEDS}
"""What deeds do to this street, by name."""


def moment(text: str) -> datetime:
    """A moment of 2026 such as `03-04 18:00`, of another year with its year; 24:00 is the end of the day."""
    day, _, clock = text.rpartition(" ")
    day = day if day.count("-") == 2 else f"2026-{day}"
    if clock == "24:00":
        return end_of(date.fromisoformat(day))
    return datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=CHINA)


def day(text: str) -> date:
    """A day of 2026 such as `04-03`."""
    return date.fromisoformat(f"2026-{text}")


def person(username: str, *grants: tuple[str, str] | tuple[str, str, str]) -> Actor:
    """An account with its roles: role, place, organisation."""
    return Actor(username, username, tuple(Grant(*grant) for grant in grants))


def _community(number: int) -> Iterable[Actor]:
    place, org = f"{STREET}{number:03}", f"community-{number}"
    yield person(f"grid{number}", ("grid_worker", place, org))
    yield person(f"worker{number}", ("community_worker", place, org))
    yield person(f"worker{number}b", ("community_worker", place, org))
    yield person(f"secretary{number}", ("party_secretary", place, org), ("cwc_chair", place, org))
    yield person(f"vice{number}", ("cwc_vice_chair", place, org))
    yield person(f"member{number}a", ("cwc_member", place, org))
    yield person(f"clerk{number}", ("meeting_secretary", place, org))
    yield from (person(f"epc{number}{letter}", ("epc_member", place, org)) for letter in "bcdefghi")
    yield from (person(f"tc{number}{letter}", ("two_committees_member", place, org)) for letter in "bcdefgh")
    yield person(f"property{number}", ("unit_liaison", place, f"property-{number}"))
    yield person(f"resident{number}", ("resident", place))
    yield person(f"resident{number}b", ("resident", place))


PEOPLE: dict[str, Actor] = {
    one.username: one
    for one in (
        *_community(1),
        *_community(2),
        *_community(3),
        *(person(code, ("unit_liaison", "6201", code)) for code in ("drainage", "heating", "power", "telecom")),
        person("elder-care", ("unit_liaison", STREET, "elder-care")),
        person("department", ("department_officer", "620199", "urban-management")),
        *(
            person(code, ("department_officer", "620199", code))
            for code in ("statistics", "civil-affairs", "disabled-persons")
        ),
        person("medical-insurance", ("department_officer", "6201", "medical-insurance")),
        person("reviewer", ("office_reviewer", "620199")),
        person("approver", ("leading_group_approver", "620199")),
        person("cityapprover", ("leading_group_approver", "6201")),
        person("officer", ("subdistrict_officer", STREET, "subdistrict-office")),
        person("supervisor", ("supervisor", STREET)),
        person("city", ("supervisor", "6201")),
        person("integration", ("integration", "6201")),
        person("streetparty", ("street_party_officer", STREET)),
    )
}
"""The demonstration accounts of api.md."""


@cache
def world(pack: str = "lanzhou_2021") -> World:
    """The processes with the national calendar and a policy pack."""
    return world_of(load(pack))


@cache
def world_of(policy: Pack) -> World:
    """The same under any policy pack."""
    return World(
        processes={process.name: process for process in PROCESSES.values()},
        calendar=national_calendar(),
        policy=policy,
        pin=_pin(policy),
        rungs=Rungs(
            remind_before=policy.duration("issue.remind_before"),
            red_after=policy.duration("issue.red_after"),
            red_after_hours=policy.duration("issue.red_after_hours"),
            red_street_max=policy.duration("issue.red_street_max"),
            scale=policy.scale,
        ),
        commands=command_of,
        questions=QUESTIONS,
        deeds=DEEDS,
        others=lambda pin: world_of(pinned(pin.pack, pin.version, pin.sha)),
        pins=lambda process, variant, place: _pin(chosen(policy, process, variant, place)),
    )


def _pin(pack: Pack) -> Pin:
    return Pin(pack.pack, pack.version, pack.sha)


class Town:
    """安和街道 on a virtual clock: who says what, when, and what is then true."""

    def __init__(self, start: str = "01-05 09:00", pack: str = "lanzhou_2021") -> None:
        self.street: Street = Taped(world(pack), moment(start))

    def at(self, text: str) -> Self:
        """Let time pass until then."""
        self.street.run_to(moment(text))
        return self

    def submit(self, key: str, by: str, community: str = C1, **fields: Any) -> Case[Issue]:
        """Register an issue."""
        given = {"title": f"text:{key}", "description": f"text:{key}d", "source": Source.VISIT, **fields}
        command = do.SubmitIssue(community_code=community, **given)
        return self.street.open("issue", key, command, PEOPLE[by])

    def say(self, key: str, by: str, command: Any, **acting: Any) -> Case[Any]:
        """Give a command now, with what the door would know of the organisations and cases in it."""
        facts: dict[str, Any] = {"organizations": ORGANIZATIONS}
        if isinstance(command, do.MergeInto):
            facts["target"] = self.known(command.target)
        if isinstance(command, sit.ProposeItem) and command.subject_id in self.street.cases:
            facts["subject_id"] = self.known(command.subject_id)
        return self.street.command(key, command, PEOPLE[by], facts=facts, **acting)

    def refused(self, key: str, by: str, command: Any, **acting: Any) -> str:
        """The reason why a command is refused; nothing may have changed."""
        before, events = self.street.cases[key], len(self.street.histories[key])
        try:
            self.say(key, by, command, **acting)
        except Refusal as no:
            assert self.street.cases[key] == before
            assert len(self.street.histories[key]) == events
            return no.reason
        raise AssertionError(f"{command} was not refused")

    def known(self, key: str) -> dict[str, Any]:
        """What the door tells of another case."""
        case = self.street.cases[key]
        closed = case.closed_at is not None
        known = {"process": case.process, "number": case.number, "title": case.title}
        return {"id": key, "community": case.community, "closed": closed, **known}

    def accept(self, key: str, by: str, mode: HandlingMode, category: str, **fields: Any) -> Case[Issue]:
        """Put it on the problem list; EASY unless said otherwise."""
        given = {"difficulty": Difficulty.EASY, **fields}
        return self.say(key, by, do.AcceptToProblemList(mode=mode, category_code=category, **given))

    # --- meetings ------------------------------------------------------------------------------------------

    def month(self, period: str) -> None:
        """Let the months of the bodies begin."""
        self.street.begin("slot", "monthly", STREET, period)

    def slot(self, period: str, number: int = 1) -> Case[Any]:
        """The month of a community's 大党委."""
        return self.street.cases[derived_id("slot", f"{STREET}{number:03}|{EPC.value}|{period}")]

    def meet(self, key: str, at: str, number: int = 1, kind: MeetingType = EPC, **fields: Any) -> Case[Meeting]:
        """The clerk sets a meeting of a community."""
        command = sit.ScheduleMeeting(
            community_code=f"{STREET}{number:03}", type=kind, scheduled_at=moment(at), place="text:place", **fields
        )
        return self.street.open("meeting", key, command, PEOPLE[f"clerk{number}"])

    def meeting(self, key: str) -> Case[Meeting]:
        """The meeting as it now is."""
        return self.street.cases[key]

    def item(self, key: str, subject: str) -> str:
        """How an issue's item is called on an agenda, the last one if it was there twice."""
        return [name for name, item in self.meeting(key).data.items.items() if item.subject_id == subject][-1]

    def propose(self, key: str, topic: str) -> str:
        """The clerk puts a topic on the agenda by hand."""
        number = self.meeting(key).community[-1]
        self.say(key, f"clerk{number}", sit.ProposeItem(topic=topic))
        self.say(key, f"clerk{number}", sit.Admit(item=self.item(key, topic)))
        return self.item(key, topic)

    def members(self, key: str) -> tuple[str, ...]:
        """Everybody who sits in the body of a meeting."""
        case = self.meeting(key)
        seats = (ROSTERS[case.community][body(kind).register] for kind in case.data.bodies)
        return tuple(dict.fromkeys(seat.person for held in seats for seat in held if seat.person))

    def open_session(self, key: str, present: int | None = None) -> Case[Meeting]:
        """The notice is sent where it is not yet, and the chair opens with so many members, or all of them."""
        number = self.meeting(key).community[-1]
        if self.meeting(key).state in ("AGENDA_OPEN", "AGENDA_FROZEN"):
            self.say(key, f"clerk{number}", sit.SendNotice(briefing=True))
        return self.say(key, f"secretary{number}", sit.OpenSession(present=self.members(key)[:present]))

    def open_item(self, key: str, topic: str) -> str:
        """The chair opens the item of an issue."""
        item = self.item(key, topic)
        self.say(key, f"secretary{self.meeting(key).community[-1]}", sit.OpenItem(item=item))
        return item

    def heard(self, key: str, topic: str, *, written: bool = False) -> None:
        """A party states its position and need."""
        said = sit.RecordStatement(
            item=self.item(key, topic), party="text:p", position="text:q", need="text:n", written=written
        )
        self.say(key, f"clerk{self.meeting(key).community[-1]}", said)

    def vote(self, key: str, topic: str, in_favour: int, against: int = 0, abstain: int = 0) -> Case[Meeting]:
        """The clerk writes down the votes of those who are here and not recused, in the order of their seats."""
        case, item = self.meeting(key), self.item(key, topic)
        free = [one for one in self.members(key) if one in awaited(case, item)]
        choices = [*[Choice.FOR] * in_favour, *[Choice.AGAINST] * against, *[Choice.ABSTAIN] * abstain]
        cast = tuple(sit.Cast(member=one, choice=choice) for one, choice in zip(free, choices, strict=False))
        return self.say(key, f"clerk{case.community[-1]}", sit.RecordVote(item=item, votes=cast))

    def decide(self, key: str, topic: str, outcome: Outcome, **fields: Any) -> Case[Issue]:
        """The chair records what was decided; nobody speaks and nobody votes unless they have."""
        number = self.meeting(key).community[-1]
        command = sit.RecordDecision(item=self.item(key, topic), outcome=outcome, text="text:decision", **fields)
        self.say(key, f"secretary{number}", command)
        return self.issue(topic)

    def agree(self, key: str, topic: str, outcome: Outcome, **fields: Any) -> Case[Issue]:
        """Opened, a party heard, voted for by everybody, decided."""
        self.open_item(key, topic)
        self.heard(key, topic)
        self.vote(key, topic, in_favour=99)
        return self.decide(key, topic, outcome, **fields)

    def adjourn(self, key: str) -> Case[Meeting]:
        """The chair closes the session."""
        return self.say(key, f"secretary{self.meeting(key).community[-1]}", sit.Adjourn())

    # --- looking -------------------------------------------------------------------------------------------

    def issue(self, key: str) -> Case[Issue]:
        """The issue as it now is."""
        return self.street.cases[key]

    def listing(self, key: str) -> Case[Supervision]:
        """The supervision case of an issue."""
        return self.street.cases[self.listing_id(key)]

    def listing_id(self, key: str) -> str:
        """The id of the supervision case of an issue."""
        found = self.issue(key).data.supervision_id
        assert found is not None
        return found

    def clocks(self, key: str, code: str) -> list[Clock]:
        """Every clock of a code that the case ever had, oldest first."""
        found = ((number, clock) for (case, number), clock in self.street.clocks.items() if case == key)
        return [clock for _, clock in sorted(found, key=lambda pair: pair[0]) if clock.code == code]

    def clock(self, key: str, code: str) -> Clock:
        """The last clock of a code."""
        return self.clocks(key, code)[-1]

    def due(self, key: str, code: str) -> str:
        """When it is due, as the scenarios write it."""
        return written(self.clock(key, code).due_at)

    def state(self, key: str, code: str) -> str:
        """State of the last clock of a code."""
        return self.clock(key, code).state.value

    def types(self, key: str) -> list[str]:
        """Names of the events of a case, oldest first."""
        return list(self.street.events(key))

    def when(self, key: str, event: str, nth: int = -1) -> str:
        """The moment of an event."""
        return written([one.at for one in self.street.histories[key] if one.type == event][nth])

    def marks(self, key: str, code: str) -> dict[str, str]:
        """When a clock reminded, was breached and turned red."""
        return {
            one.type: written(one.at) for one in self.street.histories[key] if one.change.notes.get("clock") == code
        }

    def told(self, key: str, at: str) -> set[tuple[str, str]]:
        """Who was told what at a moment: place or organisation and template."""
        return {
            (notice.to, notice.template)
            for event in self.street.histories[key]
            if event.at == moment(at)
            for notice in event.change.notices
        }


def written(at: datetime | None) -> str:
    """A moment as the scenarios write it: the end of a day is its 24:00, another year has its number."""
    assert at is not None
    local = at.astimezone(CHINA)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        ended = date.fromordinal(local.toordinal() - 1)
        return _day(ended) + " 24:00"
    return _day(local.date()) + local.strftime(" %H:%M")


def _day(on: date) -> str:
    return on.strftime("%m-%d" if on.year == 2026 else "%Y-%m-%d")
