"""The bodies of the demonstration street while issues are driven: one meeting after another, for whoever waits (会议).

A meeting takes every topic that waits for its body, so that issues that are driven side by side share one. It is
adjourned when nobody who is on its agenda has anything left to do.
"""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.driving.api import Api, Json
from workflows.kernel.calendar import CHINA

SECRETARY_SEATS = {"EXTENDED_PARTY_COMMITTEE": "epc", "TWO_COMMITTEES": "tc"}
LETTERS = {"EXTENDED_PARTY_COMMITTEE": "abcdefghi", "TWO_COMMITTEES": "abcdefgh"}
GATHER = 1.0
"""Seconds in which further topics may come before a meeting is called."""
LONGEST = 60.0
POLL = 0.3
AHEAD = timedelta(seconds=30)
"""So far ahead that the month of a drill, a minute, does not end before the session is opened."""


class NoMeeting(Exception):
    """The body could not be brought together; says what the API answered."""


@dataclass(slots=True)
class Session:
    """One meeting in session, as its clerk sees it."""

    id: str
    items: dict[str, str]
    """Items by the issue that they are about."""
    busy: set[str] = field(default_factory=set)
    """Issues whose people still have to do with it."""


@dataclass(slots=True)
class Table:
    """The table of one body of one community."""

    api: Api
    community: str
    body: str
    expected: set[str] = field(default_factory=set)
    """Issues whose people may come to this table."""
    session: Session | None = None
    meetings: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _closing: asyncio.Task[None] | None = None

    @property
    def number(self) -> str:
        """The digit that the accounts of the community carry."""
        return self.community[-1]

    @property
    def members(self) -> list[str]:
        """An account for each seat."""
        return [f"{SECRETARY_SEATS[self.body]}{self.number}{letter}" for letter in LETTERS[self.body]]

    async def seat(self, issue: str) -> tuple[str, str]:
        """Wait until a meeting has this issue on its agenda; gives the meeting and the item."""
        deadline = time.monotonic() + LONGEST
        failed = "the topic was on no agenda in time"
        while time.monotonic() < deadline:
            self.expected.add(issue)
            async with self._lock:
                try:
                    if self.session is None:
                        await self._convene()
                except NoMeeting as nothing:
                    failed = str(nothing)
                session = self.session
            if session is not None and issue in session.busy:
                return session.id, session.items[issue]
            await asyncio.sleep(POLL)
        raise NoMeeting(failed)

    def leave(self, issue: str) -> None:
        """The people of an issue have done what they came for; the last one closes the session."""
        session = self.session
        if session is None or issue not in session.busy:
            return
        session.busy.discard(issue)
        if not session.busy:
            self._closing = asyncio.create_task(self._adjourn(session))

    def forget(self, issue: str) -> None:
        """Nobody comes any more for this issue."""
        self.expected.discard(issue)
        self.leave(issue)

    async def _convene(self) -> None:
        """Set a meeting; with the notice it takes what waits for the body, and then it is opened."""
        await asyncio.sleep(GATHER)
        opened = await self._done(
            f"clerk{self.number}",
            "/meetings",
            community_code=self.community,
            type=self.body,
            scheduled_at=(datetime.now(UTC).astimezone(CHINA) + AHEAD).isoformat(),
            place="社区会议室",
        )
        path = f"/meetings/{opened['id']}/commands"
        await self._done(f"clerk{self.number}", f"{path}/send_notice", briefing=True)
        case = await self._done(f"secretary{self.number}", f"{path}/open_session", present=self.members)
        items = {
            item["subject_id"]: key
            for key, item in case["data"]["items"].items()
            if item["kind"] == "TOPIC" and item["state"] == "ADMITTED"
        }
        self.meetings += 1
        session = Session(opened["id"], items, set(items.keys() & self.expected))
        if session.busy:
            self.session = session
        else:
            await self._adjourn(session)

    async def _adjourn(self, session: Session) -> None:
        path = f"/meetings/{session.id}/commands"
        await self._done(f"secretary{self.number}", f"{path}/adjourn")
        await self._done(f"secretary{self.number}", f"{path}/sign_minutes")
        self.session = None

    async def _done(self, who: str, path: str, **fields: Any) -> Json:
        answer = await self.api.post(who, path, fields)
        if not answer.is_yes:
            raise NoMeeting(f"{path} as {who}: {answer.code}")
        body: Json = answer.body
        return body


@dataclass(slots=True)
class Hall:
    """The tables of all bodies."""

    api: Api
    tables: dict[tuple[str, str], Table] = field(default_factory=dict)

    def table(self, community: str, body: str) -> Table:
        """The table of a body; it is there as soon as somebody asks for it."""
        return self.tables.setdefault((community, body), Table(self.api, community, body))

    def forget(self, issue: str) -> None:
        """An issue is through, or astray."""
        for table in self.tables.values():
            table.forget(issue)

    @property
    def meetings(self) -> int:
        """How many meetings were held."""
        return sum(table.meetings for table in self.tables.values())
