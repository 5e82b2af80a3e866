"""People of a street by whom and by which commands an issue may be moved: a catalogue for random scripts.

Every command of both processes has samples here, lawful ones and others; the rules decide. Texts are references.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from workflows.issue import commands as do
from workflows.issue.data import (
    Audience,
    Channel,
    ClockClass,
    Difficulty,
    DifficultyReason,
    HandlingMode,
    HelpKind,
    Solved,
    Source,
    StreetOutcome,
    SuspensionClass,
    Timing,
)
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor, Case, Grant, Process, named
from workflows.kernel.step import Order, fitting
from workflows.kernel.upkeep import RebasePolicy, RecomputeClocks
from workflows.meeting import commands as sit
from workflows.meeting.data import ItemState, MeetingType, Outcome
from workflows.policy.packs import load
from workflows.supervision import rules as watch

T = TypeVar("T")

COUNTY = "620199"
ORGANIZATIONS = {
    "property-1": {"type": "COMPANY", "level": "COMMUNITY"},
    "bureau": {"type": "DEPARTMENT", "level": "COUNTY"},
    "drainage": {"type": "COMPANY", "level": "CITY"},
}
CATEGORIES = ("A02", "B01", "Z99")
SYSTEM_ONLY = (do.OpenSplitChild, do.AbsorbDuplicate, do.SupervisionDelisted)
NAMING = ("target", "subject_id", "topic")
"""Fields in which a command names another case."""
SHORT_CUTS = (
    do.TransferOut,
    do.Withdraw,
    do.Decline,
    do.Split,
    do.MergeInto,
    do.RaiseLevel,
    do.ReturnTopic,
    do.TransferCommunity,
    do.RequestVerification,
    do.Reopen,
    RebasePolicy,
    RecomputeClocks,
)
"""What may be done almost everywhere and leads away from the five steps."""


@dataclass(frozen=True, slots=True)
class Place:
    """A subdistrict with two communities and its people (街道): scripts that share none can run side by side."""

    number: int
    people: tuple[Actor, ...] = field(init=False)

    def __post_init__(self) -> None:
        first, second = self.communities

        def person(name: str, *grants: tuple[str, ...]) -> Actor:
            return Actor(name, name, tuple(Grant(*grant) for grant in grants))

        people = (
            person("grid1", ("grid_worker", first, "community-1")),
            person("worker1", ("community_worker", first, "community-1")),
            person("worker1b", ("community_worker", first, "community-1")),
            person("worker2", ("community_worker", second, "community-2")),
            person("vice1", ("cwc_vice_chair", first, "community-1")),
            person("member1", ("cwc_member", first, "community-1")),
            person("epc1", ("epc_member", first, "community-1")),
            person("secretary1", ("party_secretary", first, "community-1"), ("cwc_chair", first, "community-1")),
            person("secretary2", ("party_secretary", second, "community-2"), ("cwc_chair", second, "community-2")),
            person("clerk1", ("meeting_secretary", self.street)),
            person("property1", ("unit_liaison", first, "property-1")),
            person("bureau1", ("department_officer", COUNTY, "bureau")),
            person("drainage1", ("unit_liaison", "6201", "drainage")),
            person("officer1", ("subdistrict_officer", self.street, "street")),
            person("supervisor1", ("supervisor", self.street)),
            person("supervisor2", ("supervisor", COUNTY)),
            person("resident1", ("resident", first)),
            person("resident2", ("resident", second)),
            person("admin1", ("tenant_admin", "6201")),
            person("stranger", ("resident", "620199999001")),
        )
        object.__setattr__(self, "people", people)

    @property
    def street(self) -> str:
        """Region code of the subdistrict."""
        return f"{COUNTY}{self.number:03d}"

    @property
    def communities(self) -> tuple[str, str]:
        """Region codes of its two communities."""
        return f"{self.street}001", f"{self.street}002"

    def named(self, name: str) -> Actor:
        """The person with this name."""
        return next(one for one in self.people if one.id == name)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a sample may look at: the case, the moment, the other cases of the street, and chance."""

    place: Place
    rng: Random
    now: datetime
    cases: Mapping[str, Case[Any]]
    case: Case[Any] | None = None

    @property
    def today(self) -> date:
        """The day in Beijing."""
        return self.now.astimezone(CHINA).date()

    def one(self, *these: T) -> T:
        """Any of these."""
        return self.rng.choice(these)

    def day(self, least: int = 1, most: int = 25) -> date:
        """A day from now on."""
        return self.today + timedelta(days=self.rng.randint(least, most))

    def text(self) -> str:
        """A reference to a text."""
        return f"text:{self.rng.getrandbits(64):016x}"

    def evidence(self) -> tuple[str, ...]:
        """Nothing or one photo."""
        return self.one((), (f"00000000-0000-7000-8000-{self.rng.getrandbits(48):012x}",))

    def lead(self) -> str:
        """An organisation that could have the order."""
        return self.one("property-1", "property-1", "bureau", "drainage")


Sample = Callable[[Scene], Any]


def submit(s: Scene) -> do.SubmitIssue:
    """A wish of residents, in any of the ways that it may come."""
    known = s.rng.random() < 0.6
    return do.SubmitIssue(
        community_code=s.one(*s.place.communities[:1] * 3, s.place.communities[1]),
        title=s.text(),
        description=s.one(s.text(), s.text(), ""),
        source=s.one(*Source),
        category_code=s.one(None, *CATEGORIES),
        danger=s.rng.random() < 0.1,
        general_concern=s.rng.random() < 0.2,
        anonymous=not known and s.rng.random() < 0.5,
        reporter="contact:00000000000000aa" if known else None,  # type: ignore[arg-type]  # as the door leaves it
        evidence=s.evidence(),
    )


def _accept(s: Scene) -> do.AcceptToProblemList:
    difficulty = s.one(Difficulty.EASY, Difficulty.EASY, *Difficulty)
    mode = s.one(*HandlingMode)
    return do.AcceptToProblemList(
        mode=mode,
        category_code=s.one(*CATEGORIES),
        difficulty=difficulty,
        difficulty_reasons=() if difficulty is Difficulty.EASY else (s.one(*DifficultyReason),),
        level=s.one(None, None, None, "L1", "L2", "L3"),
        lead_org=s.one(None, s.lead(), s.lead()),
        helper_orgs=s.one((), ("drainage",)),
        clock_class=s.one(None, *ClockClass),
        urgent=s.rng.random() < 0.2,
        exception_reason=s.one(None, s.text(), s.text()),
    )


def _street_decision(s: Scene) -> do.RecordStreetDecision:
    return do.RecordStreetDecision(
        outcome=s.one(*StreetOutcome),
        text=s.text(),
        document_no="1",
        lead_org=s.one(None, s.lead()),
        due_on=s.one(None, s.day()),
        until=s.one(None, s.day()),
        explanation=s.text(),
    )


def _project(s: Scene) -> do.AddToProjectList:
    due_on = s.day(5, 40)
    milestones = tuple(
        do.Milestone(title=s.text(), due_on=s.today + timedelta(days=s.rng.randint(1, 5)))
        for _ in range(s.rng.randint(0, 2))
    )
    return do.AddToProjectList(
        measures=s.text(),
        survey_note=s.text(),
        feasibility=s.text(),
        lead_org=s.lead(),
        budget=s.one(None, 1000.0, 500000.0),
        milestones=milestones,
        due_on=due_on,
        exception_reason=s.one(None, s.text()),
    )


def _feedback(s: Scene) -> do.GiveFeedback:
    audience = s.one(*Audience)
    channel = Channel.NOTICE_BOARD if audience is Audience.PUBLIC else Channel.PHONE
    return do.GiveFeedback(
        audience=audience, timing=s.one(*Timing), channel=s.one(channel, channel, *Channel), text=s.text()
    )


def _visit(s: Scene) -> do.RecordVisit:
    return s.one(
        do.RecordVisit(contacted=False),
        do.RecordVisit(contacted=True, solved=Solved.YES, satisfaction=5),
        do.RecordVisit(contacted=True, solved=Solved.PARTLY),
        do.RecordVisit(contacted=True, solved=Solved.NO),
        do.RecordVisit(contacted=True, satisfaction=1, demand_reasonable=False),
    )


def _extension(s: Scene) -> do.RequestExtension:
    handle = s.case.clock("HANDLE") if s.case else None
    after = handle.due_at.astimezone(CHINA).date() if handle and handle.due_at else s.today
    return do.RequestExtension(to=after + timedelta(days=s.rng.randint(0, 4)), reason=s.text())


def _other(s: Scene) -> str:
    others = [case.id for case in s.cases.values() if case.process == "issue" and case is not s.case]
    return s.rng.choice(others) if others else "00000000-0000-7000-8000-000000000000"


def meet(s: Scene) -> sit.ScheduleMeeting:
    """A meeting of one of the two bodies that take topics, whose seats nobody keeps here."""
    return sit.ScheduleMeeting(
        community_code=s.place.communities[0],
        type=s.one(MeetingType.TWO_COMMITTEES, MeetingType.EXTENDED_PARTY_COMMITTEE),
        scheduled_at=s.now + timedelta(hours=s.rng.randint(1, 24 * 12)),
        place=s.text(),
        briefing=s.rng.random() < 0.5,
    )


def _item(s: Scene, *states: ItemState) -> str:
    items = s.case.data.items if s.case is not None and s.case.process == "meeting" else {}
    fit = [key for key, item in items.items() if item.state in states]
    keys: list[str] = fit or list(items) or ["i1"]
    return s.rng.choice(keys)


def _coming(s: Scene) -> tuple[str, ...]:
    items = s.case.data.items if s.case is not None and s.case.process == "meeting" else {}
    coming = [key for key, item in items.items() if item.state in (ItemState.PROPOSED, ItemState.ADMITTED)]
    s.rng.shuffle(coming)
    return tuple(coming or ["i1"])


def _opened(s: Scene) -> str:
    return _item(s, ItemState.OPENED)


def _proposal(s: Scene) -> sit.ProposeItem:
    if s.rng.random() < 0.7:
        return sit.ProposeItem(topic=_other(s))
    return sit.ProposeItem(title=s.text(), document=s.text(), personnel=s.rng.random() < 0.3)


def _count(s: Scene) -> sit.Count:
    return s.one(
        sit.Count(in_favour=7, against=1),
        sit.Count(in_favour=6, against=1),
        sit.Count(in_favour=3, against=3),
        sit.Count(in_favour=2, against=5, abstain=1),
    )


def _decision(s: Scene) -> sit.RecordDecision:
    return sit.RecordDecision(
        item=_opened(s),
        outcome=s.one(*Outcome),
        text=s.text(),
        lead_org=s.one(None, s.lead(), s.lead()),
        due_on=s.one(None, s.day()),
        until=s.one(None, s.day()),
        reason=s.text(),
        explanation=s.one(None, s.text()),
        waiver_reason=s.one(None, s.text()),
    )


MEETINGS: Mapping[type, Sample] = {
    sit.NameChair: lambda s: sit.NameChair(chair="secretary1"),
    sit.ProposeItem: _proposal,
    sit.Admit: lambda s: sit.Admit(item=_item(s, ItemState.PROPOSED)),
    sit.ReturnItem: lambda s: sit.ReturnItem(item=_item(s, ItemState.PROPOSED), reason=s.text()),
    sit.ArrangeItems: lambda s: sit.ArrangeItems(items=_coming(s)),
    sit.AddUrgentItem: lambda s: sit.AddUrgentItem(topic=_other(s)),
    sit.SendNotice: lambda s: sit.SendNotice(briefing=s.one(True, False)),
    sit.DeclareInterest: lambda s: sit.DeclareInterest(
        item=_item(s, ItemState.ADMITTED, ItemState.OPENED), member=s.one(None, "member1", "vice1")
    ),
    sit.RuleOnInterest: lambda s: sit.RuleOnInterest(
        item=_item(s, ItemState.ADMITTED, ItemState.OPENED),
        member=s.one("member1", "vice1"),
        accepted=s.one(True, False),
    ),
    sit.Postpone: lambda s: sit.Postpone(scheduled_at=s.now + timedelta(hours=s.rng.randint(1, 300)), reason=s.text()),
    sit.Cancel: lambda s: sit.Cancel(reason=s.text()),
    sit.Reconvene: lambda s: sit.Reconvene(scheduled_at=s.now + timedelta(hours=s.rng.randint(20, 150))),
    sit.OpenSession: lambda s: sit.OpenSession(headcount=sit.Headcount(members=9, present=s.one(8, 8, 8, 5, 4))),
    sit.RecordAttendance: lambda s: sit.RecordAttendance(headcount=s.one(8, 7, 6, 4)),
    sit.OpenItem: lambda s: sit.OpenItem(item=_item(s, ItemState.ADMITTED)),
    sit.RecordStatement: lambda s: sit.RecordStatement(
        item=_opened(s), party=s.text(), position=s.text(), need=s.text(), written=s.one(True, False)
    ),
    sit.Deliberate: lambda s: sit.Deliberate(item=_opened(s), text=s.text()),
    sit.RecordVote: lambda s: sit.RecordVote(item=_opened(s), count=_count(s)),
    sit.RecordDecision: _decision,
    sit.Adjourn: lambda s: sit.Adjourn(),
    sit.CompleteDecision: lambda s: sit.CompleteDecision(
        item=_item(s, ItemState.DECIDED), lead_org=s.lead(), due_on=s.day()
    ),
    sit.SignMinutes: lambda s: sit.SignMinutes(),
    sit.Correction: lambda s: sit.Correction(reason=s.text(), text=s.text()),
    sit.TaskDone: lambda s: sit.TaskDone(task=s.one("t1", "t2")),
}

SAMPLES: Mapping[type, Sample] = {
    **MEETINGS,
    do.SubmitIssue: submit,
    do.RequestVerification: lambda s: do.RequestVerification(),
    do.ReportFacts: lambda s: do.ReportFacts(evidence=s.evidence(), text=s.one(None, s.text(), s.text())),
    do.ContactReporter: lambda s: do.ContactReporter(note=s.text()),
    do.AskReporter: lambda s: do.AskReporter(info=s.text()),
    do.ReceiveInfo: lambda s: do.ReceiveInfo(text=s.text()),
    do.MergeInto: lambda s: do.MergeInto(target=_other(s)),
    do.Decline: lambda s: do.Decline(reason=s.text()),
    do.ConfirmDecline: lambda s: do.ConfirmDecline(),
    do.RefuseDecline: lambda s: do.RefuseDecline(reason=s.text()),
    do.ObjectToDecline: lambda s: do.ObjectToDecline(reason=s.text()),
    do.TransferOut: lambda s: do.TransferOut(channel="12345", reason=s.text()),
    do.TransferCommunity: lambda s: do.TransferCommunity(to_community=s.one(*s.place.communities), reason=s.text()),
    do.AcceptTransfer: lambda s: do.AcceptTransfer(),
    do.RefuseTransfer: lambda s: do.RefuseTransfer(reason=s.text()),
    do.DecideTransfer: lambda s: do.DecideTransfer(community=s.one(*s.place.communities)),
    do.AcceptToProblemList: _accept,
    do.Dispatch: lambda s: do.Dispatch(
        mode=s.one(HandlingMode.TIME_LIMITED, *HandlingMode), lead_org=s.lead(), exception_reason=s.text()
    ),
    do.Split: lambda s: do.Split(
        children=tuple(
            do.Child(title=s.text(), description=s.text(), lead_org=s.one(None, "property-1")) for _ in range(2)
        )
    ),
    do.Withdraw: lambda s: do.Withdraw(reason=s.text()),
    do.Unsubscribe: lambda s: do.Unsubscribe(),
    do.ReturnTopic: lambda s: do.ReturnTopic(reason=s.text()),
    do.RaiseLevel: lambda s: do.RaiseLevel(reason=s.text()),
    do.RecordStreetDecision: _street_decision,
    do.RecordConsultation: lambda s: do.RecordConsultation(
        conclusion=s.one("CONSENSUS", "PARTIAL", "NONE"), text=s.text()
    ),
    do.AddToProjectList: _project,
    do.ReportInfeasible: lambda s: do.ReportInfeasible(reason=s.text()),
    do.Sign: lambda s: do.Sign(),
    do.ReturnOrder: lambda s: do.ReturnOrder(reason=s.text(), suggested_owner=s.one(None, "bureau")),
    do.Designate: lambda s: do.Designate(lead_org=s.lead()),
    do.ReplyReferral: lambda s: do.ReplyReferral(text=s.text(), due_on=s.one(None, s.day())),
    do.LogProgress: lambda s: do.LogProgress(text=s.text(), evidence=s.evidence()),
    do.MilestoneDone: lambda s: do.MilestoneDone(milestone=s.one("m1", "m2")),
    do.RequestExtension: _extension,
    do.DecideExtension: lambda s: do.DecideExtension(approve=s.one(True, True, False)),
    do.RequestSuspension: lambda s: do.RequestSuspension(class_=s.one(*SuspensionClass), reason=s.text()),
    do.DecideSuspension: lambda s: do.DecideSuspension(approve=s.one(True, True, False)),
    do.ReviewSuspension: lambda s: do.ReviewSuspension(conditions_exist=s.one(True, False)),
    do.Resume: lambda s: do.Resume(reason=s.text()),
    do.CallForHelp: lambda s: do.CallForHelp(
        departments=s.one(("bureau",), ("bureau", "drainage")), kind=s.one(*HelpKind)
    ),
    do.ReportArrival: lambda s: do.ReportArrival(department=s.one("bureau", "drainage")),
    do.ClaimCompletion: lambda s: do.ClaimCompletion(text=s.text(), evidence=s.evidence()),
    do.ApproveCompletion: lambda s: do.ApproveCompletion(),
    do.RejectCompletion: lambda s: do.RejectCompletion(reason=s.text()),
    do.GiveFeedback: _feedback,
    do.RecordVisit: _visit,
    do.DecideDispute: lambda s: do.DecideDispute(outcome=s.one("CLOSE", "SUPERVISE"), explanation=s.text()),
    do.Reopen: lambda s: do.Reopen(reason=s.text()),
    watch.OpenSupervision: lambda s: watch.OpenSupervision(subject_id=_other(s), responsible_org=s.one(None, "bureau")),
    watch.ListCase: lambda s: watch.ListCase(
        responsible_org=s.one("property-1", "bureau"),
        responsible_person=s.one(None, "supervisor2"),
        due_on=s.day(1, 14),
        public=False,
    ),
    watch.ReportRectified: lambda s: watch.ReportRectified(text=s.text()),
    watch.Delist: lambda s: watch.Delist(text=s.text()),
    watch.RecordSatisfaction: lambda s: watch.RecordSatisfaction(satisfaction=s.rng.randint(1, 5)),
    watch.RefuseDelist: lambda s: watch.RefuseDelist(reason=s.text(), due_on=s.day(1, 14)),
    RebasePolicy: lambda s: RebasePolicy(pack=s.one("default_2026", "lanzhou_2021"), reason=s.text()),
    RecomputeClocks: lambda s: RecomputeClocks(),
}


def facts_for(command: Any, cases: Mapping[str, Case[Any]]) -> dict[str, Any]:
    """What the door would tell the rules of the organisations and cases that a command names."""
    facts: dict[str, Any] = {"organizations": ORGANIZATIONS}
    if isinstance(command, do.MergeInto):
        facts["target"] = _known(cases, command.target)
    if isinstance(command, watch.OpenSupervision):
        facts["subject_id"] = _known(cases, command.subject_id)
    if isinstance(command, sit.ProposeItem) and command.subject_id is not None:
        facts["subject_id"] = _known(cases, command.subject_id)
    if isinstance(command, RebasePolicy):
        pack = load(command.pack)
        facts["pack"] = {
            "pack": pack.pack,
            "version": pack.version,
            "sha": pack.sha,
            "scaled": pack.scale is not None,
            "demonstration": True,
        }
    return facts


def _known(cases: Mapping[str, Case[Any]], case_id: str) -> dict[str, Any]:
    case = cases[case_id]
    return {"id": case.id, "community": case.community, "closed": case.closed_at is not None, "title": case.title}


def wanted(process: Process[Any], scene: Scene) -> Iterator[tuple[Any, Actor]]:
    """Endless suggestions of who might do what now; mostly somebody who may, something that fits the position."""
    case, rng = scene.case, scene.rng
    assert case is not None
    here = [
        on
        for (source, on) in process.table
        if source == case.position and isinstance(on, type) and on in SAMPLES and on not in SYSTEM_ONLY
    ]
    owed = {process.commands[name] for name in process.positions[case.position].work}
    weights = [0.25 if on in SHORT_CUTS else 4 if on in owed else 1 for on in here]
    if do.ReturnOrder in here:
        # An order that was returned is likely to be returned again: only the third time asks the street.
        weights[here.index(do.ReturnOrder)] = 40 if case.data.returns else 4
    anything = [on for on in process.commands.values() if on in SAMPLES]
    while True:
        kind = rng.choices(here, weights)[0] if here and rng.random() < 0.9 else rng.choice(anything)
        command = SAMPLES[kind](scene)
        yield command, _somebody(process, case, command, scene)


def _somebody(process: Process[Any], case: Case[Any], command: Any, scene: Scene) -> Actor:
    """Mostly one of those whose role fits, sometimes anybody."""
    people = scene.place.people
    arrow = process.table.get((case.position, type(command)))
    if arrow is not None and scene.rng.random() < 0.95:
        fit = [one for one in people if fitting(case, arrow, Order(command=command, actor=one)) is not None]
        if fit:
            return scene.rng.choice(fit)
    return scene.rng.choice(people)


def name_of(command: Any) -> str:
    """Its name on the wire."""
    return named(type(command)).name
