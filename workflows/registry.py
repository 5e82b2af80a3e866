"""Which processes there are, and the Temporal workflow type of each (名录)."""

from collections.abc import Mapping
from typing import Any

from temporalio import workflow

from workflows.kernel.shell import CaseWorkflow

with workflow.unsafe.imports_passed_through():
    from workflows.issue.process import ISSUE
    from workflows.kernel.process import Process
    from workflows.kernel.wire import Seed
    from workflows.supervision.process import SUPERVISION


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


PROCESSES: Mapping[str, Process[Any]] = {
    name: process for process in (ISSUE, SUPERVISION) for name in (process.name, process.plural)
}
"""Every process by its singular and by its plural name."""

WORKFLOWS: tuple[type, ...] = (IssueWorkflow, SupervisionWorkflow)
