"""Play many issues at once, each on its own path, and count what came of it."""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.driving.api import Api, ApiAway, Json, SignInFailed
from services.driving.paths import PATHS, Origin, Path
from services.driving.player import Astray, Player
from services.driving.samples import sample
from services.driving.sessions import Hall, NoMeeting
from workflows.kernel.calendar import CHINA

PACK = "drill"
STREET = "620199001"
DIGITS = "123"
PAGE = 200
BODIES = ("TWO_COMMITTEES", "EXTENDED_PARTY_COMMITTEE", "SUBDISTRICT", "COUNTY")
MARKS = {
    "clock_reminded": "BLUE",
    "clock_breached": "YELLOW",
    "clock_red": "RED",
    "clock_red_plus_plus": "RED++",
}


class NotDrilled(Exception):
    """Cases cannot be put under the pack `drill`; says what the API answered."""


@dataclass(frozen=True, slots=True)
class Played:
    """One issue and how it went: where it stands, and what was wrong, if anything."""

    path: Path
    case: str
    number: str
    position: str
    seconds: float
    wrong: str = ""


@dataclass(slots=True)
class Report:
    """What came of a drive."""

    played: list[Played] = field(default_factory=list)
    on_purpose: Counter[str] = field(default_factory=Counter)
    agendas: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Topics seen on agendas, by body and reason."""
    marks: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rungs that clocks climbed, by clock and rung."""
    supervisions: int = 0
    meetings: int = 0
    events: int = 0
    measures: list[Json] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def errors(self) -> list[Played]:
        """Issues that did not get where their path leads."""
        return [one for one in self.played if one.wrong]

    def written(self) -> Json:
        """The report as JSON."""
        return {
            "cases": len(self.played),
            "seconds": round(self.seconds, 1),
            "paths": dict(Counter(one.path.name for one in self.played)),
            "states": dict(Counter(one.position for one in self.played)),
            "breaches": {f"{code} {rung}": count for (code, rung), count in sorted(self.marks.items())},
            "red": sum(count for (_, rung), count in self.marks.items() if rung == "RED"),
            "supervisions": self.supervisions,
            "meetings": self.meetings,
            "agendas": {f"{body} {reason}": count for (body, reason), count in sorted(self.agendas.items())},
            "measures": self.measures,
            "refusals_on_purpose": dict(sorted(self.on_purpose.items())),
            "events": self.events,
            "requests": dict(self.requests),
            "errors": [
                {"path": one.path.name, "case": one.case, "number": one.number, "at": one.position, "wrong": one.wrong}
                for one in self.errors
            ],
        }


def dealt(count: int, paths: Sequence[Path] = PATHS) -> list[Path]:
    """Give so many paths: first each once, then those with a larger share more often, around in a circle."""
    rounds = max(path.share for path in paths)
    deck = [path for turn in range(rounds) for path in paths if path.share > turn]
    return [deck[place % len(deck)] for place in range(count)]


def ordered(ids: Iterable[str], seed: int) -> list[str]:
    """Give ids in an order that only they and the seed decide."""
    return sorted(ids, key=lambda one: hashlib.sha256(f"{seed}|{one}".encode()).digest())


@dataclass(slots=True)
class Drive:
    """A drive over the API: how many issues, from which seed, how many at a time."""

    api: Api
    seed: int = 1
    parallel: int = 16
    done: Callable[[Played], None] = lambda played: None
    report: Report = field(default_factory=Report)
    hall: Hall = field(init=False)

    def __post_init__(self) -> None:
        self.hall = Hall(self.api)

    async def run(self, count: int, paths: Sequence[Path] = PATHS, *, imported: bool = True) -> Report:
        """Play so many issues; those that were imported and nobody has touched come first.

        Raises `ApiAway`, `SignInFailed` or `NotDrilled`, which concern all of them.
        """
        begun = time.monotonic()
        waiting = await self._waiting(count) if imported else []
        found = {case["id"]: case for case in waiting}
        ids = iter(ordered(found, self.seed))
        room = asyncio.Semaphore(self.parallel)

        async def one(place: int, path: Path, given: str | None) -> None:
            async with room:
                await self._play(place, path, found[given] if given else None)

        stopped: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                for place, path in enumerate(dealt(count, paths)):
                    given = next(ids, None) if path.origin is Origin.ANY else None
                    group.create_task(one(place, path, given))
        except* (ApiAway, NotDrilled, SignInFailed) as trouble:
            stopped = trouble.exceptions[0]
        if stopped is not None:
            raise stopped
        self.report.measures = await self._measures()
        self.report.meetings = self.hall.meetings
        self.report.requests = self.api.requests
        self.report.seconds = time.monotonic() - begun
        return self.report

    async def _waiting(self, most: int) -> list[Json]:
        """Issues of the demonstration street that were registered and not touched since."""
        found: list[Json] = []
        cursor: str | None = None
        while len(found) < most:
            more = {"cursor": cursor} if cursor else {}
            page = await self.api.get("supervisor", "/issues", state="REGISTERED", limit=PAGE, **more)
            found += [case for case in page["items"] if is_untouched(case)]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        return found[:most]

    async def _play(self, place: int, path: Path, case: Json | None) -> None:
        begun = time.monotonic()
        player = Player(self.api, case or {}, hall=self.hall)
        wrong = ""
        try:
            if case is None:
                player.case = await self._opened(place, path)
            await self._drilled(player)
            await path.play(player)
            if player.position != path.ends:
                wrong = f"ended at {player.position}, not {path.ends}"
        except (Astray, LookupError, NoMeeting) as astray:
            wrong = str(astray)
        self.hall.forget(player.case.get("id", ""))
        number = player.case.get("number", "")
        position = player.position if player.case else ""
        played = Played(path, player.case.get("id", ""), number, position, time.monotonic() - begun, wrong)
        self.report.played.append(played)
        self.report.on_purpose.update(player.on_purpose)
        self.report.agendas.update((item["body"], item["reason"]) for item in player.agendas)
        for case_id in filter(None, [played.case, *player.others]):
            await self._counted(case_id)
        self.done(played)

    async def _opened(self, place: int, path: Path) -> Json:
        """Register an issue of our own invention."""
        number = DIGITS[place % len(DIGITS)]
        one = sample(place)
        body: dict[str, Any] = {
            "community_code": f"{STREET}00{number}",
            "title": one.title,
            "description": one.description,
            "category_code": one.category_code,
            "source": "VISIT",
        }
        if path.origin is Origin.REPORTER:
            body["reporter"] = {"name": "居民甲", "wants_reply": True}
        who = f"resident{number}" if path.origin is Origin.RESIDENT else f"grid{number}"
        if path.origin is Origin.RESIDENT:
            body["source"] = "RESIDENT"
        answer = await self.api.post(who, "/issues", body)
        if not answer.is_yes:
            raise Astray(f"submit_issue: {answer.code}")
        opened: Json = answer.body
        return opened

    async def _drilled(self, player: Player) -> None:
        """Put the issue under the fast clock, unless it was opened under it."""
        if player.case["policy"]["pack"] == PACK:
            return
        path = f"/issues/{player.case['id']}/commands/rebase_policy"
        answer = await self.api.post("admin", path, {"pack": PACK, "reason": "演练"})
        if not answer.is_yes:
            raise NotDrilled(answer.code)
        await player.look()

    async def _counted(self, case_id: str) -> None:
        """Count what the history of an issue tells."""
        history = await self.api.get("supervisor", f"/issues/{case_id}/events")
        self.report.events += len(history["items"])
        for event in history["items"]:
            if rung := MARKS.get(event["type"]):
                self.report.marks[event["payload"].get("notes", {}).get("clock", ""), rung] += 1
            effects = event["payload"].get("effects", ())
            self.report.supervisions += sum(effect["command"] == "open_supervision" for effect in effects)

    async def _measures(self) -> list[Json]:
        month = datetime.now(UTC).astimezone(CHINA).strftime("%Y-%m")
        answer = await self.api.get("supervisor", "/measures", month=month)
        return [
            {name: item.get(name) for name in ("name", "value", "part", "whole")} | _formula(item)
            for item in answer["items"]
        ]


def is_untouched(case: Json) -> bool:
    """Say whether an issue of the demonstration street waits for its first command."""
    return bool(
        case["community_id"].startswith(STREET)
        and case["community_id"][-1] in DIGITS
        and case["version"] == 1
        and not case["data"].get("phase")
        and not case["data"].get("danger")
        and not case["data"].get("general_concern")
    )


def _formula(item: Json) -> Json:
    formula = item.get("formula")
    return {key: formula[key] for key in ("name", "zh", "en") if key in formula} if isinstance(formula, dict) else {}
