"""When a message was first sent is kept beside its registration, and never lies ahead."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from workflows.issue.commands import SubmitIssue
from workflows.issue.data import Issue, Source
from workflows.issue.process import ISSUE
from workflows.kernel.process import Actor, Case, Grant, GuardFailed, Pin
from workflows.kernel.step import Order, decide, embryo, evolve
from workflows.policy.packs import load

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOTLINE = Actor("hotline", "integration", (Grant("integration", "6201"),))
SENT = SubmitIssue(
    community_code="620199001001", title="text:1", description="text:2", source=Source.HOTLINE, reported_at=NOW
)


def submitted(command: SubmitIssue) -> Case[Issue]:
    pack = load("lanzhou_2021")
    order = Order(command=command, actor=HOTLINE)
    case = embryo(ISSUE, "c", order, Pin(pack.pack, pack.version, pack.sha))
    [event] = decide(ISSUE, case, order, pack, NOW)
    after: Case[Issue] = evolve(ISSUE, case, event).case
    return after


def test_the_time_of_the_message_is_kept_and_counts_for_no_clock() -> None:
    case = submitted(replace(SENT, reported_at=NOW - timedelta(days=400)))

    assert case.data.reported_at == NOW - timedelta(days=400)
    assert case.data.registered_at == NOW
    assert [clock.started_at for clock in case.clocks if clock.code == "TRIAGE"] == [NOW]


def test_a_message_from_the_future_is_refused() -> None:
    with pytest.raises(GuardFailed, match="REPORTED_IN_FUTURE"):
        submitted(replace(SENT, reported_at=NOW + timedelta(seconds=1)))
