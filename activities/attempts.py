"""Tell somebody when an activity fails again and again, and when it went well after all."""

from typing import Any, Protocol

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

FAILING_FROM = 5
"""Tries after which a failure is no longer a hiccup: about ten seconds with the waits between them."""


class Troubles(Protocol):
    """Where lasting troubles are written down; does nothing, and never raises, when it cannot."""

    async def failing(self, workflow: str, name: str, attempt: int, error: str) -> None:
        """An activity of a workflow fails for the `attempt`-th time; `error` is a class, without a text."""

    async def mended(self, workflow: str, name: str) -> None:
        """The activity went well at last."""


class Attempts(Interceptor):
    """Watches how often each activity is tried."""

    def __init__(self, troubles: Troubles) -> None:
        self._troubles = troubles

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Stand before every activity."""
        return _Counted(next, self._troubles)


class _Counted(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, troubles: Troubles) -> None:
        super().__init__(following)
        self._troubles = troubles

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """Carry it out as ever."""
        info = activity.info()
        try:
            answer = await super().execute_activity(input)
        except Exception as error:
            if info.attempt >= FAILING_FROM:
                await self._troubles.failing(
                    info.workflow_id or "", info.activity_type, info.attempt, type(error).__name__
                )
            raise
        if info.attempt > FAILING_FROM:
            await self._troubles.mended(info.workflow_id or "", info.activity_type)
        return answer
