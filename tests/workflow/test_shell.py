"""The shell on real servers: commands, repeats, races, roll-over, effects, and a case that was forgotten."""

import asyncio
from typing import Any

import pytest

from services.engine import IdempotencyConflict, NotFound, newest
from services.storage.history import case_at, case_now
from tests.workflow.conftest import C1, GRID, ISSUE, PROPERTY, SUPERVISOR, WORKER, WORKER_B, Office, person
from workflows.issue import commands as do
from workflows.issue.data import Audience, Channel, ClockClass, Difficulty, HandlingMode, Solved, Source, Timing
from workflows.kernel.process import Forbidden, GuardFailed, VersionConflict, WrongState
from workflows.kernel.upkeep import RebasePolicy
from workflows.kernel.wire import restored
from workflows.registry import PROCESSES

REPORTER = "contact:0123456789abcdef"


def submit(**more: Any) -> do.SubmitIssue:
    values: dict[str, Any] = {
        "community_code": C1,
        "title": "text:0000000000000001",
        "description": "text:0000000000000002",
        "source": Source.VISIT,
        "category_code": "A02",
        "reporter": REPORTER,
        **more,
    }
    return do.SubmitIssue(**values)


def at_once() -> do.AcceptToProblemList:
    return do.AcceptToProblemList(mode=HandlingMode.IMMEDIATE, category_code="A02", difficulty=Difficulty.EASY)


TOLD = do.GiveFeedback(
    audience=Audience.INDIVIDUAL, timing=Timing.ANYTIME, channel=Channel.PHONE, text="text:0000000000000004"
)


async def closed(office: Office) -> str:
    case_id, _ = await office.open(submit(), GRID)
    await office.give(case_id, at_once(), WORKER)
    await office.give(case_id, do.ClaimCompletion(text="text:0000000000000003"), GRID)
    await office.give(case_id, TOLD, WORKER)
    await office.give(case_id, do.RecordVisit(contacted=True, solved=Solved.YES, satisfaction=5), WORKER_B)
    return case_id


async def stored(office: Office, case_id: str) -> Any:
    async with office.storage.connect() as connection:
        return await case_now(connection, ISSUE, case_id)


async def test_an_issue_walks_the_fast_path(office: Office) -> None:
    case_id = await closed(office)

    case = await stored(office, case_id)

    assert case.position == "CLOSED:RESOLVED"
    assert case.number.startswith(C1)
    assert [clock.code for clock in case.clocks] == ["REOPEN"]


async def test_engine_and_postgres_hold_the_same_case_at_every_version(office: Office) -> None:
    case_id, _ = await office.open(submit(), GRID)
    for command, actor in (
        (at_once(), WORKER),
        (do.ClaimCompletion(text="text:0000000000000003"), GRID),
        (TOLD, WORKER),
        (do.RecordVisit(contacted=True, solved=Solved.NO), WORKER_B),
    ):
        receipt = await office.give(case_id, command, actor)
        held = await office.engine.case(ISSUE, case_id)
        assert held is not None
        case = await stored(office, case_id)
        assert case == restored(ISSUE, held)
        async with office.storage.connect() as connection:
            assert await case_at(connection, ISSUE, case_id, receipt.version) == case


async def test_a_refused_opening_leaves_no_case_and_frees_the_id(office: Office) -> None:
    with pytest.raises(Forbidden):
        await office.open(submit(), PROPERTY.__class__("nobody", "nobody", ()), key="again")

    case_id, receipt = await office.open(submit(), GRID, key="again")

    assert receipt.version == 1
    assert (await stored(office, case_id)).state == "REGISTERED"


async def test_the_same_key_gives_the_first_answer_also_after_later_commands(office: Office) -> None:
    case_id, first = await office.open(submit(), GRID, key="k-open")
    accepted = await office.give(case_id, at_once(), WORKER, key="k-accept")
    await office.give(case_id, do.LogProgress(text="text:0000000000000005"), GRID)

    assert (await office.open(submit(), GRID, key="k-open"))[1] == first
    assert await office.give(case_id, at_once(), WORKER, key="k-accept") == accepted


async def test_the_same_key_with_another_body_is_a_conflict_also_after_a_roll_over(office: Office) -> None:
    case_id, _ = await office.open(submit(), GRID, key="k-body")
    await office.give(case_id, at_once(), WORKER, key="k-once")
    note = do.LogProgress(text="text:0000000000000005")
    first = await office.give(case_id, note, GRID, key="k-note")
    with pytest.raises(IdempotencyConflict):
        await office.open(submit(danger=True), GRID, key="k-body")
    with pytest.raises(IdempotencyConflict):
        await office.give(case_id, do.LogProgress(text="text:0000000000000006"), GRID, key="k-note")

    await rolled_over(office, case_id)

    assert await office.give(case_id, note, GRID, key="k-note") == first
    with pytest.raises(IdempotencyConflict):
        await office.give(case_id, do.LogProgress(text="text:0000000000000006"), GRID, key="k-note")
    with pytest.raises(IdempotencyConflict):
        await office.open(submit(danger=True), GRID, key="k-body")


async def rolled_over(office: Office, case_id: str) -> None:
    handle = office.client.get_workflow_handle(f"issue/{case_id}")
    before = (await handle.describe()).run_id
    await office.engine.roll_over(ISSUE, case_id)
    while (await handle.describe()).run_id == before:
        await asyncio.sleep(0.05)


async def test_a_roll_over_changes_nothing(office: Office) -> None:
    case_id, _ = await office.open(submit(), GRID)
    await office.give(case_id, at_once(), WORKER)
    before = await stored(office, case_id)

    await rolled_over(office, case_id)

    held = await office.engine.case(ISSUE, case_id)
    assert held is not None
    assert restored(ISSUE, held) == before
    assert (
        await office.give(case_id, do.LogProgress(text="text:0000000000000005"), GRID)
    ).version == before.version + 1


async def test_of_many_at_once_one_decides(office: Office) -> None:
    case_id, _ = await office.open(submit(), GRID)

    answers = await asyncio.gather(*(office.give(case_id, at_once(), WORKER) for _ in range(9)), return_exceptions=True)

    assert len([answer for answer in answers if not isinstance(answer, BaseException)]) == 1
    assert all(isinstance(answer, WrongState) for answer in answers if isinstance(answer, BaseException))
    assert (await stored(office, case_id)).version == 3


async def test_a_refusal_leaves_no_event_in_the_history(office: Office) -> None:
    case_id, _ = await office.open(submit(), GRID)
    handle = office.client.get_workflow_handle(f"issue/{case_id}")
    before = (await handle.describe()).history_length

    for _ in range(3):
        with pytest.raises(WrongState):
            await office.give(case_id, do.RecordVisit(contacted=False), WORKER)
        with pytest.raises(VersionConflict):
            await office.give(case_id, at_once(), WORKER, expected_version=7)
        with pytest.raises(GuardFailed) as refused:
            await office.give(case_id, do.ReceiveInfo(text="text:0000000000000005"), WORKER)
        assert refused.value.reason == "NOT_ASKED"

    assert (await handle.describe()).history_length == before


async def test_a_case_that_the_engine_forgot_refuses_as_before_and_reopens_with_the_next_number(office: Office) -> None:
    case_id = await closed(office)
    before = await stored(office, case_id)
    await office.client.get_workflow_handle(f"issue/{case_id}").terminate("as if its windows had ended")

    with pytest.raises(WrongState):
        await office.give(case_id, at_once(), WORKER)
    with pytest.raises(Forbidden):
        await office.give(case_id, do.Reopen(reason="text:0000000000000005"), PROPERTY)
    receipt = await office.give(case_id, do.Reopen(reason="text:0000000000000005"), SUPERVISOR, key="k-reopen")

    assert receipt.version == before.version + 1
    assert (await stored(office, case_id)).position == "IN_PROGRESS"
    assert await office.give(case_id, do.Reopen(reason="text:0000000000000005"), SUPERVISOR, key="k-reopen") == receipt


async def test_an_opening_is_repeated_after_the_run_is_gone(office: Office) -> None:
    case_id, first = await office.open(submit(), GRID, key="k-gone")
    await office.client.get_workflow_handle(f"issue/{case_id}").terminate("gone")

    assert (await office.open(submit(), GRID, key="k-gone"))[1] == first
    assert (await stored(office, case_id)).version == 1


async def test_there_is_no_such_case(office: Office) -> None:
    with pytest.raises(NotFound):
        await office.give("00000000-0000-7000-8000-000000000000", at_once(), WORKER)


async def test_a_duplicate_is_merged_into_another_case(office: Office) -> None:
    target, _ = await office.open(submit(), GRID)
    duplicate, _ = await office.open(submit(), GRID)
    facts = {"target": {"id": target, "community": C1, "closed": False}}

    await office.give(duplicate, do.MergeInto(target=target), WORKER, facts=facts)

    async with asyncio.timeout(10):
        while (await stored(office, duplicate)).pending or (await stored(office, target)).version == 1:
            await asyncio.sleep(0.05)
    assert (await stored(office, duplicate)).position == "CLOSED:MERGED"


async def test_silence_climbs_to_red_and_opens_a_supervision_case(drill: Office) -> None:
    case_id, _ = await drill.open(submit(reporter=None), GRID)
    await drill.give(
        case_id,
        do.AcceptToProblemList(
            mode=HandlingMode.TIME_LIMITED,
            category_code="B01",
            difficulty=Difficulty.EASY,
            lead_org="property-1",
            clock_class=ClockClass.CONSULT,
        ),
        WORKER,
    )

    async with asyncio.timeout(60):
        while not (await stored(drill, case_id)).data.red:
            await asyncio.sleep(0.2)
        while (await stored(drill, case_id)).pending:
            await asyncio.sleep(0.1)

    case = await stored(drill, case_id)
    assert case.data.escalated is not None
    assert case.data.escalated.level == "L2"
    async with drill.storage.connect() as connection:
        listed = await case_now(connection, PROCESSES["supervision"], case.data.supervision_id)
    assert listed is not None
    assert listed.state == "OPENED"


ADMIN = person("admin", ("tenant_admin", "6201"))


async def test_another_pack_applies_only_by_command_and_the_history_still_tells_the_first(office: Office) -> None:
    case_id, _ = await office.open(submit(), GRID)
    first = (await stored(office, case_id)).pin
    pin = newest("drill")
    facts = {"pack": {"pack": pin.pack, "version": pin.version, "sha": pin.sha, "scaled": True, "demonstration": True}}

    await office.give(case_id, RebasePolicy(pack="drill", reason="text:0000000000000005"), ADMIN, facts=facts)
    receipt = await office.give(case_id, at_once(), WORKER)

    case = await stored(office, case_id)
    assert case.pin == pin
    handle = case.clock("HANDLE")
    assert (handle.due_at - handle.started_at).total_seconds() == pytest.approx(2.4)
    async with office.storage.connect() as connection:
        assert (await case_at(connection, ISSUE, case_id, 1)).pin == first
        assert await case_at(connection, ISSUE, case_id, receipt.version) == case
