"""Say on the engine what the tables of meetings and months say on the simulator, and what a meeting tells an issue.

`python -m tests.replay.sessions` records a case at every position for the replays, each alone as in `collecting`.
"""

import asyncio
import json
import logging
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.replay.admissions import stage
from tests.replay.collecting import YEAR, TapedTown, play
from tests.replay.record import HISTORIES, save
from tests.rules import test_meeting_arrows as meetings
from tests.rules import test_slot_arrows as months
from tests.rules.issue_scenes import CLAIM, PHONE, UNREASONABLE, accepted, start, system, tally, told
from tests.rules.issue_scenes import Path as Way
from tests.rules.tables import Table
from tests.scenarios.street import Town, moment
from workflows.issue import commands as do
from workflows.issue.data import HandlingMode, Outcome, Result
from workflows.issue.process import ISSUE
from workflows.meeting.process import MEETING
from workflows.slot.process import SLOT

EPC = ("EXTENDED_PARTY_COMMITTEE",)
ADMITTED = system(do.AdmitToAgenda(meeting="m", bodies=EPC, meets_at=moment("04-20 15:00")))
OPENED = system(do.OpenItem(meeting="m", item="i1"))
HEARD = system(do.RecordStatement(meeting="m", item="i1", party="text:p", position="text:q", need="text:n"))
PASSED = system(tally(Result.PASSED, "m"))
TOPIC = (start("04-07 09:00"), accepted(HandlingMode.SCHEDULED))
TABLED = (*TOPIC, ADMITTED, OPENED, HEARD)


def decided(outcome: Outcome, **fields: Any) -> Way:
    """What the meeting tells when it has decided."""
    return system(do.RecordDecision(meeting="m", item="i1", outcome=outcome, text="text:d", **fields))


EXPLAINED = (*TABLED, decided(Outcome.NOT_FEASIBLE, explanation="text:e"), told("worker1", PHONE))
DONE = (start("04-07 09:00"), accepted(HandlingMode.IMMEDIATE), told("grid1", CLAIM), told("worker1", PHONE))
ISSUES: dict[str, tuple[Way, ...]] = {
    "ON_AGENDA": (*TOPIC, ADMITTED),
    "UNDER_DISCUSSION": TABLED,
    "DEFERRED": (*TABLED, system(tally(Result.TIE, "m"))),
    "DEFERRED:CONSULTATION": (*TABLED, decided(Outcome.CONSULT)),
    "PLANNING": (*TABLED, PASSED, decided(Outcome.ADOPT, lead_org="property-1")),
    "ASSIGNED": (*TABLED, PASSED, decided(Outcome.REFER_DEPARTMENT, lead_org="urban-management", department=True)),
    "TOPIC_PROPOSED": (*TABLED, system(do.CarryOver(meeting="m", reason="ADJOURNED"))),  # type: ignore[arg-type]
    "RETURN_VISIT:DISPUTED": (*DONE, told("worker1", UNREASONABLE)),
    "CLOSED:EXPLAINED": (*EXPLAINED, told("worker1", do.RecordVisit(contacted=True, satisfaction=4))),
}
"""What an issue hears of a meeting, and two ends that chance seldom finds."""


def issue_at(position: str) -> Town:
    """An issue there; the meeting is not on this stage."""
    town = TapedTown("01-12 08:00")
    town.meet("m", "04-20 15:00")
    for step in ISSUES[position]:
        step(town)
    assert town.issue("i").position == position
    return town


def scenes() -> Iterator[tuple[str, Table, Town]]:
    """A case at every position, and how it came there."""
    for module, process, key in ((meetings, MEETING, "m"), (months, SLOT, "s")):
        plain, module.Town = module.Town, TapedTown  # type: ignore[attr-defined]
        try:
            table = Table(process=process, at_position=module.at_position, sample=lambda town, on: None, key=key)
            for position in table.positions:
                if position not in meetings.UNSEEN:
                    yield f"{process.name}-{position}", table, table.at_position(position)
        finally:
            module.Town = plain  # type: ignore[attr-defined]
    table = Table(process=ISSUE, at_position=issue_at, sample=lambda town, on: None, key="i")
    for position in ISSUES:
        yield f"issue-{position}", table, issue_at(position)


async def main() -> None:
    """Record every scene, one after the other, into a folder of their own."""
    logging.disable(logging.WARNING)
    version = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["version"]
    folder = HISTORIES / f"{version}-sessions"
    folder.mkdir(parents=True, exist_ok=True)
    async with stage() as on_stage:
        now = await on_stage.environment.get_current_time()
        first = now.year - int(YEAR) + 1
        kept = [await play(on_stage, *scene, first + number) for number, scene in enumerate(scenes())]
        for old in folder.glob("*"):
            old.unlink()
        client = on_stage.environment.client
        listed = [await save(client, one, folder, number) for number, one in enumerate(sorted(kept), 1)]
    text = json.dumps(listed, ensure_ascii=False, indent=1)
    if re.search(r"/work|/home|/root|/tmp", text):
        raise SystemExit("a path of this machine is in the list")
    (folder / "list.json").write_text(text + "\n", encoding="utf-8")
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{len(listed)} cases, {size // 1024} KB")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
