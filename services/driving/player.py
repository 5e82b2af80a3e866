"""Somebody who plays every role in the life of one case, and notes what came of it."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.driving.api import Api, Json
from services.driving.sessions import Hall, NoMeeting, Table
from workflows.kernel.calendar import CHINA

POLL = 0.7
SUPERVISION_WITHIN = 20.0
TOLD_WITHIN = 30.0
EPC = "EXTENDED_PARTY_COMMITTEE"
LATE = "guard_failed:RETURN_WINDOW_OVER"


class Astray(Exception):
    """The case did not take the way that its path leads."""


def day(ahead: int) -> str:
    """The day so many days from today, as a command writes it."""
    return (datetime.now(UTC).astimezone(CHINA).date() + timedelta(days=ahead)).isoformat()


@dataclass(slots=True)
class Player:
    """The people around one issue. `case` is the issue as the last answer showed it."""

    api: Api
    case: Json
    on_purpose: Counter[str] = field(default_factory=Counter)
    """Refusals that were provoked, by code and reason."""
    agendas: list[Json] = field(default_factory=list)
    """Items found on agendas on the way: body and reason."""
    others: list[str] = field(default_factory=list)
    """Ids of further issues that the path opened."""
    hall: Hall | None = None
    """Where the bodies meet."""
    place: tuple[str, str] = ("", "")
    """The meeting that has the issue on its table, and its item."""

    @property
    def number(self) -> str:
        """The digit of the community, which the accounts of its people carry."""
        return str(self.case["community_id"])[-1]

    @property
    def position(self) -> str:
        """State and phase, as the arrow table writes them."""
        phase = self.case["data"].get("phase") or ""
        return f"{self.case['state']}:{phase}" if phase else str(self.case["state"])

    def account(self, role: str) -> str:
        """The account of a role in this community: `worker` is worker1, `worker+b` is worker1b."""
        name, _, letter = role.partition("+")
        return f"{name}{self.number}{letter}"

    @property
    def company(self) -> str:
        """The property company of the community."""
        return f"property-{self.number}"

    async def give(self, who: str, command: str, **fields: Any) -> None:
        """Give a command; raises `Astray` when it is refused."""
        answer = await self.api.post(who, f"/issues/{self.case['id']}/commands/{command}", fields)
        if not answer.is_yes:
            raise Astray(f"{command} as {who} at {self.position}: {answer.code}")
        self.case = answer.body

    async def may_be_late(self, who: str, command: str, late: str, **fields: Any) -> bool:
        """Give a command that has a time window; False when the window is over already."""
        answer = await self.api.post(who, f"/issues/{self.case['id']}/commands/{command}", fields)
        if answer.is_yes:
            self.case = answer.body
            return True
        if answer.code != late:
            raise Astray(f"{command} as {who} at {self.position}: {answer.code}")
        return False

    async def refused(self, who: str, command: str, expected: str, **fields: Any) -> None:
        """Give a command that must be refused with this code and reason; raises `Astray` when it is not."""
        answer = await self.api.post(who, f"/issues/{self.case['id']}/commands/{command}", fields)
        if answer.is_yes or answer.code != expected:
            told = "carried out" if answer.is_yes else answer.code
            raise Astray(f"{command} as {who} at {self.position} should be {expected}, was {told}")
        self.on_purpose[expected] += 1

    async def look(self) -> None:
        """See the case as it stands now."""
        self.case = await self.api.get("supervisor", f"/issues/{self.case['id']}")

    async def until(self, holds: Callable[[Json], bool], seconds: float, what: str) -> None:
        """Wait until the case is so; raises `Astray` when it never is."""
        deadline = time.monotonic() + seconds
        while True:
            await self.look()
            if holds(self.case):
                return
            if time.monotonic() > deadline:
                raise Astray(f"{what} did not happen within {seconds:.0f} s at {self.position}")
            await asyncio.sleep(POLL)

    async def appeared(self, seconds: float) -> None:
        """Wait for a case that another one starts."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return await self.look()
            except LookupError:
                if time.monotonic() > deadline:
                    raise Astray("a case that should have been started is not there") from None
            await asyncio.sleep(POLL)

    async def open(self, fields: Mapping[str, Any], who: str = "") -> Json:
        """Register another issue in the same community."""
        body = {"community_code": self.case["community_id"], "source": "VISIT", **fields}
        answer = await self.api.post(who or self.account("grid"), "/issues", body)
        if not answer.is_yes:
            raise Astray(f"submit_issue: {answer.code}")
        opened: Json = answer.body
        self.others.append(opened["id"])
        return opened

    async def supervision(self, who: str, command: str, **fields: Any) -> Json:
        """Give a command to the supervision case of the issue, which begins a moment after the issue says so."""
        case = self.case["data"]["supervision_id"]
        deadline = time.monotonic() + SUPERVISION_WITHIN
        while True:
            answer = await self.api.post(who, f"/supervisions/{case}/commands/{command}", fields)
            if answer.code != "not_found" or time.monotonic() > deadline:
                break
            await asyncio.sleep(POLL)
        if not answer.is_yes:
            raise Astray(f"supervision: {command} as {who}: {answer.code}")
        done: Json = answer.body
        return done

    # --- meetings ------------------------------------------------------------------------------------------

    @property
    def table(self) -> Table:
        """The table of the 大党委 of the community."""
        assert self.hall is not None
        return self.hall.table(self.case["community_id"], EPC)

    async def sit_down(self) -> None:
        """Wait for the meeting that has the topic on its agenda; raises `Astray` when there is none."""
        try:
            self.place = await self.table.seat(self.case["id"])
        except NoMeeting as nothing:
            raise Astray(f"no meeting: {nothing}") from None
        await self.until(lambda case: case["data"]["meeting"] == self.place[0], TOLD_WITHIN, "a place on the agenda")

    async def tell(self, who: str, command: str, **fields: Any) -> None:
        """Give the meeting a command about the item; raises `Astray` when it is refused."""
        meeting, item = self.place
        answer = await self.api.post(who, f"/meetings/{meeting}/commands/{command}", {"item": item, **fields})
        if not answer.is_yes:
            raise Astray(f"meeting: {command} as {who} at {self.position}: {answer.code}")

    async def not_told(self, who: str, command: str, expected: str, **fields: Any) -> None:
        """Give the meeting a command that must be refused with this code and reason."""
        meeting, item = self.place
        answer = await self.api.post(who, f"/meetings/{meeting}/commands/{command}", {"item": item, **fields})
        if answer.is_yes or answer.code != expected:
            told = "carried out" if answer.is_yes else answer.code
            raise Astray(f"meeting: {command} as {who} should be {expected}, was {told}")
        self.on_purpose[expected] += 1

    async def stand_up(self) -> None:
        """Leave the table, and see what has become of the issue."""
        self.table.leave(self.case["id"])
        await self.until(lambda case: case["data"]["meeting"] is None, TOLD_WITHIN, "the word of the meeting")

    async def is_on_agenda(self, body: str) -> bool:
        """Say whether the issue is on the next agenda of a body, and note with which reason."""
        agenda = await self.api.get("supervisor", f"/agendas/{self.case['community_id']}/next", body=body)
        for item in agenda["items"]:
            if item["case"]["id"] == self.case["id"]:
                self.agendas.append({"body": body, "reason": item["reason"]})
                return True
        return False
