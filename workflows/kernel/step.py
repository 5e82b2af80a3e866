"""One turn of a case: fire, decide, evolve, stamp, queue (pure).

`step` is a generator that the Temporal shell and the simulator both drive, so the two cannot drift: it yields a
`Batch` for every transaction it wants and is sent back what `record` stamped. Nothing here knows a clock of the
machine, a calendar or a database.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from workflows.kernel.amending import amend
from workflows.kernel.calendar import CHINA
from workflows.kernel.clocks import (
    Cancel,
    Clock,
    Mark,
    Meet,
    Restamp,
    Stamp,
    StampRequest,
    Start,
    apply,
    nearest,
    stamped,
)
from workflows.kernel.process import (
    SYSTEM,
    Actor,
    Address,
    Arrow,
    Case,
    Change,
    Event,
    Forbidden,
    Grant,
    Moment,
    Notice,
    Pending,
    Pin,
    Process,
    Turn,
    VersionConflict,
    WrongState,
    named,
)

MOMENTS = {"YELLOW": "DUE", "END": "ENDED", "RED": "RED", "RED_PLUS_PLUS": "RED_PLUS_PLUS", "BLUE": "BLUE"}
MARKS = {
    "BLUE": "clock_reminded",
    "YELLOW": "clock_breached",
    "RED": "clock_red",
    "RED_PLUS_PLUS": "clock_red_plus_plus",
    "END": "window_ended",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One command as a person gave it (指令): who, in which role, on which version, with which key."""

    command: Any
    actor: Actor
    acting_role: str | None = None
    acting_org: str | None = None
    on_behalf_of: str | None = None
    expected_version: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Work that somebody owes (待办): whom it is addressed to and which commands settle it."""

    to: Address
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One transaction: the events, the case after them, every clock they touched, and what needs a stamp."""

    case: Case[Any]
    events: tuple[Event, ...]
    clocks: tuple[Clock, ...]
    requests: tuple[StampRequest, ...]
    process: Process[Any]
    order: Order | None = None

    @property
    def first(self) -> int:
        """Number of the first event; `record` writes only when the stored version is one less."""
        return self.events[0].seq

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The work that is owed after it; only who writes it down needs to know."""
        return tasks(self.process, self.case)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """What `record` hands back: moments of clocks and the human number of a new case."""

    number: str = ""
    clocks: tuple[Stamp, ...] = ()


Walk = Generator[Batch, Stamps, Case[Any]]


def embryo(process: Process[Any], case_id: str, order: Order, pin: Pin) -> Case[Any]:
    """The case before its first event: it has a place, so that rights can be asked, and nothing else."""
    return Case(
        id=case_id,
        process=process.name,
        community=process.place(order.command, order.facts),
        pin=pin,
        data=process.data(),
    )


# --- rights and guards ---------------------------------------------------------------------------------


def fitting(case: Case[Any], arrow: Arrow, order: Order) -> Grant | None:
    """The role in which this person may give the command here; the first that fits, as the arrow lists them.

    A role of his own goes before one in which he stands in for somebody.
    """
    lent = None
    for who in arrow.by:
        for address in who.addresses(case):
            for grant in order.actor.grants:
                if order.acting_role is not None and grant.role != order.acting_role:
                    continue
                if order.acting_org is not None and grant.org != order.acting_org:
                    continue
                if address.fits(order.actor, grant):
                    if grant.substitute_for is None:
                        return grant
                    lent = lent or grant
    return lent


def authorize(process: Process[Any], case: Case[Any], order: Order) -> tuple[Arrow, Grant]:
    """Find the arrow and the acting role; rights first, then version, then state (api.md, Errors)."""
    kind = type(order.command)
    here = process.table.get((case.position, kind))
    candidates = [here] if here else [arrow for arrow in process.arrows if arrow.on is kind]
    grants = [grant for arrow in candidates if (grant := fitting(case, arrow, order)) is not None]
    if not grants:
        raise Forbidden("NOT_IN_ROLE", command=named(kind).name)
    if order.expected_version is not None and order.expected_version != case.version:
        raise VersionConflict("VERSION_CONFLICT", expected=order.expected_version, actual=case.version)
    if here is None:
        raise WrongState("WRONG_STATE", command=named(kind).name, state=case.position)
    return here, grants[0]


def decide(process: Process[Any], case: Case[Any], order: Order, policy: Any, now: datetime) -> tuple[Event, ...]:
    """Say what happens if this order is carried out now, or refuse it. Changes nothing."""
    arrow, grant = authorize(process, case, order)
    turn = Turn(order.actor, grant, now, policy, order.facts, order.on_behalf_of or grant.substitute_for)
    return [_weighed(process, case, arrow, order.command, one) for one in answering(turn)][-1]


def answering(turn: Turn) -> tuple[Turn, ...]:
    """The turns that the rules must all let pass: the acting person's own, and before it that of whom he stands in for.

    So nobody may do through a substitute what he may not do himself, nor as a substitute either (0.1).
    """
    absent = turn.grant.substitute_for
    if absent is None:
        return (turn,)
    own = replace(turn.grant, substitute_for=None)
    return (replace(turn, actor=Actor(absent, "", (own,)), grant=own), turn)


def _weighed(process: Process[Any], case: Case[Any], arrow: Arrow, command: Any, turn: Turn) -> tuple[Event, ...]:
    if arrow.may is not None:
        arrow.may(case, turn)
    return _events(process, case, arrow, command, turn)


def _events(
    process: Process[Any], case: Case[Any], arrow: Arrow, on: Any, turn: Turn, lead: Change | None = None
) -> tuple[Event, ...]:
    """Number the changes of a rule and complete the first with what the arrow's row says."""
    outcome = arrow.rule(case, on, turn) if arrow.rule else Change(to=arrow.to[0] if arrow.to else "")
    changes = outcome if isinstance(outcome, tuple) else (outcome,)
    if changes:
        row = tuple(
            [Meet(code=code) for code in arrow.meets]
            + [Cancel(code=code) for code in arrow.cancels]
            + [Start(code=code) for code in arrow.starts]
        )
        if row:
            changes = (amend(changes[0], clocks=row + changes[0].clocks), *changes[1:])
    for change in changes:
        if change.to and change.to != case.position and change.to not in arrow.to:
            raise AssertionError(f"{process.name}: the arrow {arrow.source} -{arrow.on}-> does not lead to {change.to}")
    default = arrow.event or (named(type(on)).name if arrow.on is type(on) else "moved")
    changes = tuple(change if change.type else amend(change, type=default) for change in changes)
    if lead is not None:
        changes = (lead, *changes)
    return tuple(
        Event(
            seq=case.version + place,
            type=change.type,
            at=turn.now,
            actor=turn.actor.id,
            role=turn.grant.role,
            org=turn.grant.org,
            on_behalf_of=turn.on_behalf_of,
            change=_complete(process, change, turn.policy),
        )
        for place, change in enumerate(changes, start=1)
    )


def _complete(process: Process[Any], change: Change, policy: Any) -> Change:
    """Write the register's value into clocks that name none, so that the event alone tells the whole story."""
    if not any(isinstance(op, Start) and op.duration is None for op in change.clocks):
        return change
    ops = tuple(
        replace(
            op,
            duration=policy.duration(op.parameter or process.clock_rules[op.code].parameter),
            parameter=op.parameter or process.clock_rules[op.code].parameter,
        )
        if isinstance(op, Start) and op.duration is None
        else op
        for op in change.clocks
    )
    return amend(change, clocks=ops)


# --- evolve --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Evolved:
    """A case after an event, the clocks that the event touched and the stamps it waits for."""

    case: Case[Any]
    touched: tuple[Clock, ...]
    requests: tuple[StampRequest, ...]


def evolve(process: Process[Any], case: Case[Any], event: Event) -> Evolved:
    """Say what is true after an event; the same for every process."""
    change = event.change
    state, _, phase = (change.to or case.position).partition(":")
    data = amend(case.data, **change.sets) if change.sets else case.data
    if change.puts:
        data = amend(data, **{name: _with(getattr(data, name), entries) for name, entries in change.puts.items()})
    pending = tuple(one for one in case.pending if one.id != change.done) + tuple(
        Pending(f"{case.id}#{event.seq}.{place}", effect) for place, effect in enumerate(change.effects)
    )
    after: Case[Any] = amend(
        case,
        data=data,
        version=event.seq,
        state=state,
        phase=phase,
        community=change.community or case.community,
        level=change.level or case.level,
        title=change.title or case.title,
        pin=change.pin or case.pin,
        opened_at=case.opened_at or event.at,
        updated_at=event.at,
        pending=pending,
    )
    live = {clock.number: clock for clock in case.clocks}
    touched: dict[int, Clock] = {}
    requests: dict[int, StampRequest] = {}
    count = case.clock_count
    for op in change.clocks:
        if isinstance(op, Start):
            count += 1
            clock, request = _started(process, after, op, event, count)
            live[count] = touched[count] = clock
            requests[count] = request
            continue
        for clock in _meant(live, op):
            changed, asked = apply(clock, op, event.at)
            if changed is not clock:
                live[clock.number] = touched[clock.number] = changed
            if asked is not None:
                requests[clock.number] = asked
    # Who owes a clock follows from where the case stands and what is known of it; most events change neither.
    if change.to or change.sets or change.puts or change.community or change.level:
        for clock in [one for one in live.values() if one.live]:
            rule = process.clock_rules[clock.code]
            owner, supervisor = rule.owner(after, clock.ref), rule.supervisor(after, clock.ref)
            if (owner, supervisor) != (clock.owner, clock.supervisor):
                moved = amend(clock, owner=owner, supervisor=supervisor)
                live[clock.number] = touched[clock.number] = moved
    if process.ended(after):
        begun = set(range(case.clock_count + 1, count + 1))
        for clock in list(live.values()):
            if clock.live and clock.number not in begun and not clock.outlives:
                ended, _ = apply(clock, Cancel(code=clock.code, reason="CASE_ENDED"), event.at)
                live[clock.number] = touched[clock.number] = ended
        closed_at = after.closed_at or event.at
    else:
        closed_at = None
    for number in [number for number in requests if not live[number].live]:
        del requests[number]
    after = amend(
        after,
        closed_at=closed_at,
        clock_count=count,
        clocks=tuple(clock for number, clock in sorted(live.items()) if clock.live),
    )
    return Evolved(case=after, touched=tuple(touched.values()), requests=tuple(requests.values()))


def _with(held: Mapping[str, Any], entries: Mapping[str, Any]) -> Mapping[str, Any]:
    """A mapping with new entries; those that are None are taken away."""
    return {name: value for name, value in {**held, **entries}.items() if value is not None}


def _started(
    process: Process[Any], case: Case[Any], op: Start, event: Event, number: int
) -> tuple[Clock, StampRequest]:
    rule = process.clock_rules[op.code]
    if op.duration is None:
        raise AssertionError(f"{op.code} started without a duration")
    since = op.since or event.at
    after_end = (
        op.since is None
        and event.actor == SYSTEM.id
        and since.astimezone(CHINA).timetz()
        == since.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0).timetz()
    )
    clock = Clock(
        number=number,
        code=op.code,
        ref=op.ref,
        kind=rule.kind,
        ladder=rule.ladder,
        red_at_due=rule.red_at_due,
        outlives=rule.outlives,
        duration=op.duration,
        parameter=op.parameter or rule.parameter,
        owner=rule.owner(case, op.ref),
        supervisor=rule.supervisor(case, op.ref),
        started_at=since,
        after_end=after_end,
    )
    request = StampRequest(
        number=number,
        op="START",
        duration=op.duration,
        started_at=since,
        after_end=after_end,
        ladder=rule.ladder,
        red_at_due=rule.red_at_due,
        limits=op.limits,
        not_before=event.at if op.since is not None else None,
    )
    return clock, request


def _meant(live: Mapping[int, Clock], op: Any) -> list[Clock]:
    """The live clocks that an operation means: by number for marks, by code (and ref) for all others."""
    if isinstance(op, (Mark, Restamp)):
        return [live[op.number]]
    return [
        clock for clock in live.values() if clock.live and clock.code == op.code and (not op.ref or clock.ref == op.ref)
    ]


def stamp(case: Case[Any], stamps: Stamps) -> Case[Any]:
    """Put what `record` computed into the case."""
    if not stamps.clocks and (not stamps.number or case.number):
        return case
    found = {one.number: one for one in stamps.clocks}
    return amend(
        case,
        number=case.number or stamps.number,
        clocks=tuple(stamped(clock, found[clock.number]) if clock.number in found else clock for clock in case.clocks),
    )


# --- the turn ------------------------------------------------------------------------------------------


def tasks(process: Process[Any], case: Case[Any]) -> tuple[Task, ...]:
    """The work that the case now asks of people, one task for each circle of addressees."""
    position = process.positions.get(case.position)
    owed = (position.work if position else ()) + process.work(case)
    found: dict[Address, list[str]] = {}
    for name in dict.fromkeys(owed):
        arrow = process.table.get((case.position, process.commands[name]))
        if arrow is None:
            continue
        for who in arrow.by:
            if not who.owes:
                continue
            for address in who.addresses(case):
                found.setdefault(address, []).append(name)
    return tuple(Task(to=address, commands=tuple(names)) for address, names in found.items())


def next_moment(case: Case[Any]) -> datetime | None:
    """When the case next does something by itself."""
    moment = nearest(case.clocks)
    return moment[0] if moment else None


def fire(process: Process[Any], case: Case[Any], policy: Any, until: datetime) -> tuple[Event, ...]:
    """Events of the earliest clock moment that has passed by `until`; none when nothing has.

    They carry the moment itself, not the time at which somebody looked.
    """
    found = nearest(case.clocks)
    if found is None or found[0] > until:
        return ()
    at, rung, clock = found
    turn = Turn(SYSTEM, SYSTEM.grants[0], at, policy)
    notices = (
        ()
        if rung == "END"
        else tuple(
            Notice(to, f"clock_{rung.lower()}", clock.code)
            for to in dict.fromkeys((clock.owner, clock.supervisor))
            if to and not (rung == "BLUE" and to != clock.owner)
        )
    )
    mark = Change(
        type=MARKS[rung],
        clocks=(Mark(number=clock.number, rung=rung),),
        notices=notices,
        notes={"clock": clock.code, "ref": clock.ref} if clock.ref else {"clock": clock.code},
    )
    kind: Any = MOMENTS[rung]
    arrow = process.table.get((case.position, Moment(kind, clock.code)))
    if arrow is None:
        arrow = Arrow(case.position, Moment(kind, clock.code), rule=_nothing)
    return _events(process, case, arrow, clock, turn, lead=mark)


def _nothing(case: Case[Any], clock: Clock, turn: Turn) -> tuple[Change, ...]:
    return ()


def commit(process: Process[Any], case: Case[Any], events: tuple[Event, ...], order: Order | None = None) -> Walk:
    """Evolve a case by events that belong together, ask for their transaction, and take its stamps."""
    touched: dict[int, Clock] = {}
    requests: dict[int, StampRequest] = {}
    for event in events:
        evolved = evolve(process, case, event)
        case = evolved.case
        touched.update((clock.number, clock) for clock in evolved.touched)
        requests.update((request.number, request) for request in evolved.requests)
    live = {clock.number for clock in case.clocks}
    stamps = yield Batch(
        case=case,
        events=events,
        clocks=tuple(touched.values()),
        requests=tuple(request for number, request in requests.items() if number in live),
        process=process,
        order=order,
    )
    return stamp(case, stamps)


def step(process: Process[Any], case: Case[Any], order: Order | None, policy: Any, now: datetime) -> Walk:
    """Fire every clock moment that has passed, then carry out the order, if any; may raise a `Refusal`.

    One transaction for each moment (the next one may depend on its stamps) and one for the order.
    """
    while events := fire(process, case, policy, now):
        case = yield from commit(process, case, events)
    if order is not None:
        case = yield from commit(process, case, decide(process, case, order, policy, now), order)
    return case


def settle(case: Case[Any], effect: str, now: datetime, *, refused: Mapping[str, Any] | None = None) -> Event:
    """The event that takes a carried-out effect off the case; a refused one says why (architecture, rule 7)."""
    change = Change(
        type="effect_refused" if refused else "effect_done",
        done=effect,
        notes={"effect": effect, **(refused or {})},
    )
    return Event(
        seq=case.version + 1,
        type=change.type,
        at=now,
        actor=SYSTEM.id,
        role=SYSTEM.grants[0].role,
        org=None,
        on_behalf_of=None,
        change=change,
    )
