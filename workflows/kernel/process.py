"""What every process is made of: cases, commands, arrows, clocks, events, effects (pure).

A process is a table of arrows that a committee member can read, plus rules as plain functions. A rule is given
the case, the command and the turn (who, when, under which policy) and either raises a `Refusal` or returns
`Change`s: what is then true, which clocks start or end, which effects follow. `evolve` in `step.py` applies
changes the same way for every process.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from dataclasses import dataclass as _dataclass
from datetime import datetime
from typing import Any, Generic, Literal, Protocol, TypeVar, dataclass_transform

from workflows.kernel.calendar import Duration
from workflows.kernel.clocks import Cancel, Clock, ClockOp, ClockRule, Extend, Meet, Pause, Resume, Start
from workflows.kernel.roles import Role

D = TypeVar("D")


# --- people -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grant:
    """A role held somewhere (任职): role, place (prefix of region codes that it reaches), organisation."""

    role: str
    place: str
    org: str | None = None
    substitute_for: str | None = None
    """Id of the absent person whose role this is (代理); he who acts for him may do no more than either of the two."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts (操作人): account id, username and every role that he holds today."""

    id: str
    username: str
    grants: tuple[Grant, ...]


SYSTEM = Actor(id="system", username="system", grants=(Grant(Role.SYSTEM, ""),))
"""The timers themselves (系统定时)."""


@dataclass(frozen=True, slots=True)
class Address:
    """Whom a right or a task is addressed to: everything that is given must fit."""

    role: str | None = None
    place: str | None = None
    org: str | None = None
    person: str | None = None

    def fits(self, actor: Actor, grant: Grant) -> bool:
        """Say whether this person, acting in this role, is addressed."""
        return (
            (self.role is None or grant.role == self.role)
            and (self.place is None or self.place.startswith(grant.place))
            and (self.org is None or grant.org == self.org)
            and (self.person is None or self.person in (actor.id, grant.substitute_for))
        )


@dataclass(frozen=True, slots=True)
class Who:
    """Who may give a command: a role with reach over the case's place, or a function in the case (e.g. lead)."""

    name: str
    zh: str
    addresses: Callable[["Case[Any]"], tuple[Address, ...]]
    owes: bool = True
    """False for those who may, but of whom nobody expects it: it is no task of theirs (待办)."""


# --- cases --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pin:
    """The policy pack that a case was opened under; a later pack never changes a running case (0.2)."""

    pack: str
    version: int
    sha: str


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that follows outside the case, carried in the state until it is done."""

    kind: Literal["START", "TELL", "ASK", "DO"]
    """`START` opens a case, `TELL` commands one, `ASK` has a question answered and tells its own case the answer,
    `DO` carries out a deed on master data; `command` is the opening, the command or the name of the deed."""
    process: str
    case: str
    command: str
    fields: Mapping[str, Any]
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """An effect that waits to be carried out; `id` is `case#seq.i`, the same at every try."""

    id: str
    effect: Effect


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to people (通知): from which template, about which clock.

    `to` is a place's or an organisation's code, `person:<id>`, or `role:<role>@<place>`.
    """

    to: str
    template: str
    clock: str = ""


@dataclass(frozen=True, kw_only=True)
class Case(Generic[D]):
    """A case (事项) as the rules see it: what all events so far have made true."""

    id: str
    process: str
    community: str
    pin: Pin
    data: D
    version: int = 0
    number: str = ""
    state: str = ""
    phase: str = ""
    """A finer standing inside the state, e.g. REGISTERED with a decline proposed; for CLOSED the closure code."""
    level: str = "L1"
    title: str = ""
    opened_at: datetime | None = None
    updated_at: datetime | None = None
    closed_at: datetime | None = None
    clocks: tuple[Clock, ...] = ()
    """Live clocks only; ended ones stay in the clock table."""
    clock_count: int = 0
    pending: tuple[Pending, ...] = ()

    @property
    def position(self) -> str:
        """State and phase as the arrow table writes them: `REGISTERED` or `REGISTERED:DECLINE_PROPOSED`."""
        return f"{self.state}:{self.phase}" if self.phase else self.state

    @property
    def subdistrict(self) -> str:
        """Region code of the subdistrict (街道) above the community."""
        return self.community[:9]

    @property
    def county(self) -> str:
        """Region code of the county (县区) above the community."""
        return self.community[:6]

    def clock(self, code: str, ref: str = "") -> Clock | None:
        """The live clock with this code, newest first."""
        for clock in reversed(self.clocks):
            if clock.code == code and (not ref or clock.ref == ref):
                return clock
        return None


class Policy(Protocol):
    """What rules ask of a pinned policy pack (政策包)."""

    def duration(self, key: str) -> Duration: ...
    def number(self, key: str) -> float: ...
    def flag(self, key: str) -> bool: ...
    def text(self, key: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a case: who acts in which role, when, under which policy, and what the door knows besides."""

    actor: Actor
    grant: Grant
    now: datetime
    policy: Any
    """The pinned `Pack`; typed by the process that reads categories from it."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    on_behalf_of: str | None = None


def derived_id(*parts: str) -> str:
    """An id that the same parts always give, in the form of a UUID of version 7 (children, idempotent starts)."""
    digest = bytearray(hashlib.sha256("|".join(parts).encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x70
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


# --- refusals -----------------------------------------------------------------------------------------


class Refusal(Exception):
    """A lawful no. `code` is one of the API's stable codes, `reason` names the rule, `clause` its source."""

    code = "guard_failed"

    def __init__(self, reason: str, *, field: str = "", clause: str = "", **details: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field
        self.clause = clause
        self.details = details


class Forbidden(Refusal):
    """The caller is known, but not in a role or place that may do this."""

    code = "forbidden"


class WrongState(Refusal):
    """The case does not take this command where it stands."""

    code = "wrong_state"


class VersionConflict(Refusal):
    """The caller decided on an older version of the case."""

    code = "version_conflict"


class GuardFailed(Refusal):
    """A rule of the process does not hold."""

    code = "guard_failed"


# --- changes and events -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a rule makes true; becomes one event."""

    type: str = ""
    """Name of the event; empty: the event name of the command."""
    to: str = ""
    """Position to move to; empty: stay."""
    sets: Mapping[str, Any] = field(default_factory=dict)
    """New values of fields of the case's data."""
    puts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """New entries of fields that are mappings, by key; None takes an entry away. The others stay."""
    community: str = ""
    level: str = ""
    title: str = ""
    clocks: tuple[ClockOp, ...] = ()
    effects: tuple[Effect, ...] = ()
    notices: tuple[Notice, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What the history keeps besides: reasons, exceptions, references to texts."""
    done: str = ""
    """Id of the pending effect that this event settles."""
    pin: Pin | None = None
    """Another policy pack, from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of a case's history (事件): written once, never changed."""

    seq: int
    type: str
    at: datetime
    actor: str
    role: str
    org: str | None
    on_behalf_of: str | None
    change: Change


# --- commands -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Named:
    """How a command is called: on the wire, in Chinese, in English."""

    name: str
    zh: str
    en: str


NAMES: dict[type, Named] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def command(zh: str, en: str, *, name: str = "") -> Callable[[type[D]], type[D]]:
    """Declare a command (命令): a frozen dataclass with the name that the API uses and titles for people."""

    def declare(cls: type[D]) -> type[D]:
        declared = _dataclass(frozen=True, slots=True, kw_only=True)(cls)
        wire = name or re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        NAMES[declared] = Named(wire, zh, en)
        return declared

    return declare


def named(cls: type) -> Named:
    """The wire name and titles of a command class."""
    return NAMES[cls]


# --- moments ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moment:
    """A trigger of the clocks: reminder, a duty breached (`DUE`), a window closed (`ENDED`), and the rungs above."""

    kind: Literal["BLUE", "DUE", "ENDED", "RED", "RED_PLUS_PLUS"]
    code: str


# --- questions ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a rule wants to know of other cases or of master data (查询): the name of the question and about what.

    `case` is the case that asks, None before its first event; `about` holds the fields of the command that needs the
    answer, or what an `ask` effect carries.
    """

    name: str
    about: Mapping[str, Any]
    now: datetime
    actor: Actor
    case: Case[Any] | None = None


def ask(case: Case[Any], question: str, then: str, **about: Any) -> Effect:
    """Have a question answered outside of the rules; the answer comes back as the system command `then`."""
    return Effect("ASK", case.process, case.id, then, {"question": question, "about": about})


def do(case: Case[Any], deed: str, **fields: Any) -> Effect:
    """Have a deed on master data carried out (seat a member in a body); repeated tries change nothing more."""
    return Effect("DO", case.process, case.id, deed, fields)


# --- arrows -------------------------------------------------------------------------------------------


Rule = Callable[[Case[Any], Any, Turn], "Change | tuple[Change, ...]"]
"""A rule: refuses by raising a `Refusal`, or says what is then true. For a `Moment` the command is the `Clock`."""

May = Callable[[Case[Any], Turn], None]
"""The part of a guard that needs no fields of the command: raises a `Refusal`, which `/actions` shows as why_not."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """One row of a state table: from here, on this command of these people, to there.

    `meets`, `starts`, `cancels` name clocks that end or start whatever the rule says; `to` lists every position
    the rule may choose (the first one is taken when there is no rule); empty means the case stays.
    """

    source: str
    on: type | Moment
    to: tuple[str, ...] = ()
    by: tuple[Who, ...] = ()
    rule: Rule | None = None
    may: May | None = None
    meets: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    cancels: tuple[str, ...] = ()
    event: str = ""
    clause: str = ""


def arrows(
    source: str | tuple[str, ...],
    on: type | Moment,
    to: str | tuple[str, ...] = (),
    *,
    by: Who | tuple[Who, ...] = (),
    rule: Rule | None = None,
    may: May | None = None,
    meets: tuple[str, ...] = (),
    starts: tuple[str, ...] = (),
    cancels: tuple[str, ...] = (),
    event: str = "",
    clause: str = "",
) -> tuple[Arrow, ...]:
    """One row for each source position, so that a row that holds in many states is written once."""
    sources = (source,) if isinstance(source, str) else source
    targets = (to,) if isinstance(to, str) else to
    people = (by,) if isinstance(by, Who) else by
    return tuple(Arrow(one, on, targets, people, rule, may, meets, starts, cancels, event, clause) for one in sources)


# --- processes ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class State:
    """A position of a process: name, titles, step of the five, and the commands that are expected here as work."""

    name: str
    zh: str
    en: str
    step: str = ""
    work: tuple[str, ...] = ()
    """Wire names of the commands that somebody owes here: they become tasks (待办)."""
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Paper:
    """A document (文书) that exists once an event of one of these types was written; numbered and with a check code.

    It is rendered from the case as it stood at that event, so that nobody types it and nobody can change it.
    """

    kind: str
    zh: str
    en: str
    on: tuple[str, ...]
    public: bool = False
    """Everybody may read it, so its texts and names are masked."""
    when: Callable[[Mapping[str, Any]], bool] = lambda payload: True
    """Which of these events, by their payload as it is stored (`to`, `sets`, `notes` …); all of them by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """A rhythm in which cases begin by themselves (周期): what is opened for each region of a level, how often.

    `question` is asked about `{region, period, at}` and answers `{openings: [{key, fields}]}`; every one is opened
    once with `command`, however often it is asked. `month` is that of a yearly rhythm.
    """

    code: str
    every: Literal["MONTH", "YEAR"]
    level: Literal["SUBDISTRICT", "COUNTY", "CITY"]
    question: str
    command: str
    month: int = 1


# There is one of each, so it is equal to itself alone, and may be a key.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Process(Generic[D]):
    """A process (流程): its name in URLs, its states, arrows and clocks, and how a case of it begins."""

    name: str
    """Singular name, also the first part of workflow ids: `issue`."""
    plural: str
    """Name in the API: `issues`."""
    zh: str
    en: str
    states: tuple[State, ...]
    arrows: tuple[Arrow, ...]
    clocks: tuple[ClockRule, ...]
    data: type[D]
    place: Callable[[Any, Mapping[str, Any]], str]
    """Community code of a new case, from the opening command and the facts."""
    sees: tuple[Who, ...] = ()
    """Who may know of a case besides those who may act in it."""
    facets: Callable[[Case[Any]], Mapping[str, Any]] = lambda case: {}
    """Columns that lists filter by: lead_org, category_code, agenda_body …"""
    work: Callable[[Case[Any]], tuple[str, ...]] = lambda case: ()
    """Commands owed besides those of the position, e.g. the decision on an extension that was asked for."""
    needs: Mapping[type, tuple[str, ...]] = field(default_factory=dict)
    """Questions whose answers a command's rule finds in `turn.facts`, each under its name."""
    papers: tuple[Paper, ...] = ()
    cadences: tuple[Cadence, ...] = ()
    wide: bool = False
    """Whether a case may lie above the communities that it concerns, which its facets then name as `places`."""
    table: Mapping[tuple[str, type | Moment], Arrow] = field(init=False)
    commands: Mapping[str, type] = field(init=False)
    openings: Mapping[str, type] = field(init=False)
    """Commands that start a case; the first in the table is what `POST /{plural}` takes."""
    positions: Mapping[str, State] = field(init=False)
    clock_rules: Mapping[str, ClockRule] = field(init=False)

    def __post_init__(self) -> None:
        table: dict[tuple[str, type | Moment], Arrow] = {}
        for arrow in self.arrows:
            key = (arrow.source, arrow.on)
            if key in table:
                raise ValueError(f"{self.name}: two arrows for {key}")
            table[key] = arrow
        known = {state.name for state in self.states} | {""}
        for arrow in self.arrows:
            for name in (arrow.source, *arrow.to):
                if name not in known:
                    raise ValueError(f"{self.name}: unknown position {name!r} in {arrow}")
        taken = [arrow.on for arrow in self.arrows if isinstance(arrow.on, type)]
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "commands", {named(on).name: on for on in taken})
        object.__setattr__(
            self,
            "openings",
            {named(a.on).name: a.on for a in self.arrows if a.source == "" and isinstance(a.on, type)},
        )
        object.__setattr__(self, "positions", {state.name: state for state in self.states})
        object.__setattr__(self, "clock_rules", {rule.code: rule for rule in self.clocks})
        if not is_dataclass(self.data):
            raise TypeError(f"{self.name}: data must be a dataclass")

    def step_of(self, case: Case[Any]) -> str:
        """The step of the five in which a case stands; empty for processes without steps."""
        return self.positions[case.position].step

    def ended(self, case: Case[Any]) -> bool:
        """Say whether the case stands in an end state (a window may still let it be reopened)."""
        state = self.positions.get(case.position)
        return state is not None and state.ends

    def field_names(self) -> frozenset[str]:
        """Names of the data fields that an event may set."""
        return frozenset(one.name for one in fields(self.data))  # type: ignore[arg-type]


__all__ = [
    "SYSTEM",
    "Actor",
    "Address",
    "Arrow",
    "Asked",
    "Cadence",
    "Cancel",
    "Case",
    "Change",
    "Clock",
    "ClockRule",
    "Duration",
    "Effect",
    "Event",
    "Extend",
    "Forbidden",
    "Grant",
    "GuardFailed",
    "Meet",
    "Moment",
    "Named",
    "Notice",
    "Paper",
    "Pause",
    "Pending",
    "Pin",
    "Policy",
    "Process",
    "Refusal",
    "Resume",
    "Role",
    "Start",
    "State",
    "Turn",
    "VersionConflict",
    "Who",
    "WrongState",
    "arrows",
    "ask",
    "command",
    "derived_id",
    "do",
    "named",
]
