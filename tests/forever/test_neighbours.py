"""Cases that tell each other: at once, against a no, after the teller has ended, to one that is not there."""

import asyncio
import uuid
from typing import Any

from sqlalchemy import select

from services.storage.history import broken_at, case_now
from services.storage.incidents import open_incidents
from services.storage.ledger_tables import event
from tests.workflow.conftest import C1, GRID, ISSUE, SUPERVISOR, WORKER, Office, person
from tests.workflow.test_shell import submit
from workflows.issue import commands as do
from workflows.kernel.process import Process
from workflows.registry import PROCESSES
from workflows.supervision import rules as watch

SUPERVISION: Process[Any] = PROCESSES["supervision"]
LIAISON = person("community1", ("community_worker", C1, "community-1"))


def target(case_id: str) -> dict[str, Any]:
    return {"target": {"id": case_id, "community": C1, "closed": False}}


async def at_rest(office: Office, process: Process[Any], case_id: str) -> Any:
    """The case when no effect of it waits."""
    async with asyncio.timeout(20):
        while True:
            async with office.storage.connect() as connection:
                case = await case_now(connection, process, case_id)
            if case is not None and not case.pending:
                return case
            await asyncio.sleep(0.05)


async def events(office: Office, case_id: str) -> list[str]:
    async with office.storage.connect() as connection:
        assert await broken_at(connection, case_id) is None
        rows = await connection.execute(
            select(event.c.type).where(event.c.case_id == uuid.UUID(case_id)).order_by(event.c.seq)
        )
        return [row.type for row in rows]


async def incidents(office: Office, case_id: str) -> list[tuple[str, Any]]:
    async with office.storage.connect() as connection:
        found = await open_incidents(connection)
    return [(one.kind, one.detail.get("reason")) for one in found if str(one.case_id) == case_id]


async def delisted(office: Office, subject: str, *, title: str = "") -> str:
    """A supervision case on an issue, opened by hand and brought to its end; its id."""
    case_id = str(uuid.uuid4())
    facts = {"subject_id": {"id": subject, "community": C1, "closed": False, "title": title}}
    await office.engine.open(
        SUPERVISION, case_id, office.envelope(watch.OpenSupervision(subject_id=subject), SUPERVISOR, facts=facts)
    )
    for command, actor in (
        (watch.ReportRectified(text="text:0000000000000008"), LIAISON),
        (watch.Delist(text="text:0000000000000009"), SUPERVISOR),
    ):
        await office.engine.command(SUPERVISION, case_id, office.envelope(command, actor))
    return case_id


async def test_two_cases_that_tell_each_other_at_once_do_not_lock(office: Office) -> None:
    pairs = [[(await office.open(submit(), GRID))[0] for _ in range(2)] for _ in range(3)]

    await asyncio.gather(
        *(
            office.give(one, do.MergeInto(target=other), WORKER, facts=target(other))
            for first, second in pairs
            for one, other in ((first, second), (second, first))
        )
    )

    # Each had ended when the other's word came, and is sent back to triage: nobody sinks with both.
    for case_id in (one for pair in pairs for one in pair):
        async with asyncio.timeout(20):
            while not {"duplicate_sent_back", "undo_merge"} <= {*(found := await events(office, case_id))}:
                await asyncio.sleep(0.05)
        assert (await at_rest(office, ISSUE, case_id)).position == "REGISTERED"
        assert found.count("merge_into") == 1
        assert not [kind for kind, _ in await incidents(office, case_id) if kind != "REFUSED_TELL"]


async def test_a_tell_that_nobody_takes_comes_back_to_a_sender_that_has_ended_as_an_incident(office: Office) -> None:
    case_id = await delisted(office, str(uuid.uuid4()))

    await at_rest(office, SUPERVISION, case_id)

    told = await events(office, case_id)
    assert told[-1] == "effect_refused"
    assert await incidents(office, case_id) == [("REFUSED_TELL", "NO_SUCH_CASE")] * told.count("effect_refused")
    async with asyncio.timeout(10):
        assert await office.client.get_workflow_handle(f"supervision/{case_id}").result() == "DELISTED"
