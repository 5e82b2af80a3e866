"""Which processes there are, and the Temporal workflow type of each (名录)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey

from workflows.kernel.shell import CaseWorkflow

with workflow.unsafe.imports_passed_through():
    from activities.rhythms import Beginning, Rhythms
    from workflows.admission.process import ADMISSION
    from workflows.commendation.process import COMMENDATION
    from workflows.emergency.process import EMERGENCY
    from workflows.exclusion.process import EXCLUSION
    from workflows.formation.process import FORMATION
    from workflows.inspection.process import INSPECTION
    from workflows.issue.process import ISSUE
    from workflows.kernel.periods import named_period
    from workflows.kernel.process import Process
    from workflows.kernel.wire import Seed
    from workflows.meeting.process import MEETING
    from workflows.membership.process import MEMBERSHIP
    from workflows.notice.process import NOTICE
    from workflows.objection.process import OBJECTION
    from workflows.refusal.process import REFUSAL
    from workflows.round.process import ROUND
    from workflows.slot.process import SLOT
    from workflows.supervision.process import SUPERVISION
    from workflows.supervision_order.process import SUPERVISION_ORDER

SCHEDULED_FOR = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
BEGIN_WITHIN = timedelta(minutes=10)
BEGIN_TRIES = RetryPolicy(maximum_interval=timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The pace at which a region's cases begin; `seconds` is the length of a scaled month."""

    region: str
    level: str
    every: str
    month: int
    seconds: float | None = None


@workflow.defn(name="cadence")
class CadenceWorkflow:
    """The beginning of a month or a year in a region (周期启动); a schedule starts one each time."""

    @workflow.run
    async def run(self, rhythm: Rhythm) -> dict[str, int]:
        """Open what the processes' rhythms ask for, in the period for which it was scheduled."""
        # A schedule that was held up opens the period that it was for, not the one in which it came to run.
        at = workflow.info().typed_search_attributes.get(SCHEDULED_FOR) or workflow.now()
        period = named_period(at, rhythm.every, rhythm.seconds)
        beginning = Beginning(
            rhythm.region, rhythm.level, rhythm.every, rhythm.month, period, workflow.now().isoformat()
        )
        return await workflow.execute_activity_method(
            Rhythms.begin, beginning, start_to_close_timeout=BEGIN_WITHIN, retry_policy=BEGIN_TRIES
        )


@workflow.defn(name="issue")
class IssueWorkflow(CaseWorkflow):
    """P1, a resident's issue (诉求)."""

    process = ISSUE

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """The five steps, from registration to the end of the reopening window."""
        return await self.live()


@workflow.defn(name="supervision")
class SupervisionWorkflow(CaseWorkflow):
    """挂牌销号: a matter that is watched until somebody else has seen it solved."""

    process = SUPERVISION

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """Opened, listed, verified, delisted."""
        return await self.live()


@workflow.defn(name="notice")
class NoticeWorkflow(CaseWorkflow):
    """公示: what hangs for its whole period, or begins again."""

    process = NOTICE

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """Posted, perhaps interrupted, ended, taken down."""
        return await self.live()


@workflow.defn(name="objection")
class ObjectionWorkflow(CaseWorkflow):
    """公示异议: heard in confidence by somebody without interest."""

    process = OBJECTION

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """Raised, looked into, answered."""
        return await self.live()


@workflow.defn(name="round")
class RoundWorkflow(CaseWorkflow):
    """P2, a round of collection (每月征集)."""

    process = ROUND

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """Planned with the month, opened, collected, published, or missed."""
        return await self.live()


@workflow.defn(name="admission")
class AdmissionWorkflow(CaseWorkflow):
    """P4, what may enter a community (准入)."""

    process = ADMISSION

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """Applied for, checked, decided, agreed, in force for its term, renewed or ended."""
        return await self.live()


@workflow.defn(name="formation")
class FormationWorkflow(CaseWorkflow):
    """P5, formation and appointment of a committee (组建与聘任)."""

    process = FORMATION

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """Called, chosen, approved, on notice, appointed."""
        return await self.live()


@workflow.defn(name="membership")
class MembershipChangeWorkflow(CaseWorkflow):
    """P6, a change of membership (退出、解聘、增补)."""

    process = MEMBERSHIP

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """Asked for, decided, and the seat filled again."""
        return await self.live()


@workflow.defn(name="meeting")
class MeetingWorkflow(CaseWorkflow):
    """P3, a meeting of a body (会议)."""

    process = MEETING

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """Agenda, notice, session, minutes, follow-up."""
        return await self.live()


@workflow.defn(name="slot")
class MeetingCadenceWorkflow(CaseWorkflow):
    """The month of a body that must meet (当月例会)."""

    process = SLOT

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """Open, filled, done; or missed, and made up."""
        return await self.live()


@workflow.defn(name="inspection")
class AnnualInspectionWorkflow(CaseWorkflow):
    """P4, the yearly inspection of a permit (年度检查评估)."""

    process = INSPECTION

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """Self report, assessment by the communities, check on the spot, conclusion."""
        return await self.live()


@workflow.defn(name="refusal")
class RefusalWorkflow(CaseWorkflow):
    """P4-R, a task that a department sends and a community may refuse (可拒绝执行)."""

    process = REFUSAL

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """Checked, refused or accepted, and what the department makes of it."""
        return await self.live()


@workflow.defn(name="supervision_order")
class SupervisionOrderWorkflow(CaseWorkflow):
    """督办单: a reply is owed to the supervisor."""

    process = SUPERVISION_ORDER

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """Issued, replied to, accepted."""
        return await self.live()


@workflow.defn(name="exclusion")
class ExclusionWorkflow(CaseWorkflow):
    """剔除申诉: a figure leaves a case out by a decision only."""

    process = EXCLUSION

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """Asked for, decided, perhaps appealed."""
        return await self.live()


@workflow.defn(name="emergency")
class EmergencyWorkflow(CaseWorkflow):
    """P8, an emergency (应急)."""

    process = EMERGENCY

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """Detected, called, graded, contained, stood down, reviewed."""
        return await self.live()


@workflow.defn(name="commendation")
class CommendationWorkflow(CaseWorkflow):
    """P9, a commendation (表彰)."""

    process = COMMENDATION

    @workflow.init
    def __init__(self, seed: Seed) -> None:
        self.begin(seed)

    @workflow.run
    async def run(self, seed: Seed) -> str:
        """Nominated, verified, three bodies in their order, on notice, commended."""
        return await self.live()


WORKFLOWS: tuple[type[CaseWorkflow], ...] = (
    IssueWorkflow,
    AdmissionWorkflow,
    AnnualInspectionWorkflow,
    RefusalWorkflow,
    SupervisionWorkflow,
    NoticeWorkflow,
    ObjectionWorkflow,
    RoundWorkflow,
    SupervisionOrderWorkflow,
    ExclusionWorkflow,
    MeetingWorkflow,
    MeetingCadenceWorkflow,
    FormationWorkflow,
    MembershipChangeWorkflow,
    EmergencyWorkflow,
    CommendationWorkflow,
)

PROCESSES: Mapping[str, Process[Any]] = {
    name: kind.process for kind in WORKFLOWS for name in (kind.process.name, kind.process.plural)
}
"""Every process by its singular and by its plural name."""
