"""What the API asks of the rest of the product, so that tests can put a twin in its place."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.identity.keys import Key
from services.identity.places import Community, Org, Region
from services.identity.sign_in import SignedIn
from services.identity.tokens import Claims
from services.storage.cases import Filters, Known, Page
from services.storage.overdue import Narrowed as OverdueFilters
from workflows.kernel.calendar import Calendar
from workflows.kernel.process import Actor, Asked, Case, Process
from workflows.kernel.wire import Envelope, Receipt

Json = Mapping[str, Any]


class Engine(Protocol):
    """The one door to the engine (services/engine.py)."""

    async def open(self, process: Process[Any], case_id: str, envelope: Envelope) -> Receipt:
        """Start a case, or give the receipt of its start."""

    async def command(self, process: Process[Any], case_id: str, envelope: Envelope) -> Receipt:
        """Carry out one command on a case."""


class Sealing(Protocol):
    """Seals clear values for the way through the engine."""

    def seal(self, values: Mapping[str, Any], case_id: str) -> str:
        """Seal values for one case."""


class People(Protocol):
    """Who and what the commands name (services/identity)."""

    async def sign_in(self, username: str, password: str, code: str | None = None) -> SignedIn:
        """Give the person behind name, password and one-time code."""

    async def caller(self, claims: Claims) -> Actor:
        """Give the person who shows a token."""

    async def machine(self, shown: str) -> tuple[Actor, Key]:
        """Give the account that a machine's key acts as, and the key."""

    async def actor(self, actor_id: str, username: str | None = None) -> Actor | None:
        """Give a person with today's roles."""

    async def by_username(self, names: Iterable[str]) -> dict[str, Actor]:
        """Give the people behind usernames."""

    async def display_names(self, actor_ids: Iterable[str]) -> dict[str, str]:
        """Give names for a screen."""

    async def former_names(self, codes: Iterable[str], at: datetime) -> dict[str, str]:
        """Give the names at a moment of whoever and whatever is called otherwise by now."""

    async def me(self, actor: Actor, language: str = "zh-CN") -> dict[str, Any]:
        """Give what `GET /me` answers."""

    async def organizations(self, codes: Iterable[str]) -> dict[str, Org]:
        """Give the organisations that exist."""

    async def communities(self, codes: Iterable[str]) -> dict[str, Community]:
        """Give the communities that exist."""

    async def regions(self, codes: Iterable[str]) -> dict[str, Region]:
        """Give the regions that exist."""

    async def is_demonstration(self) -> bool:
        """Say whether everybody here is invented."""


class Reads(Protocol):
    """The reads behind the cases themselves; every one that takes an actor gives only what he may see."""

    async def known(self, actor: Actor, process: Process[Any], key: str) -> Known | None:
        """Give a case by id or number; None when there is none or the actor may not know of it."""

    async def found(self, process: Process[Any], key: str) -> Known | None:
        """Give a case by id or number whoever asks: for the answer to a command that was carried out."""

    async def answer(self, asked: Asked) -> Json:
        """Answer a question of the rules, whoever's command needs it."""

    async def at(self, process: Process[Any], case_id: str, version: int) -> Case[Any]:
        """Give a case as it stood at a version."""

    async def done(self, case_id: str, key: str) -> tuple[str, int] | None:
        """Give body hash and version of the command that had this key, if any."""

    async def texts(self, case_id: str, refs: Iterable[str]) -> Json:
        """Give the clear values of these references of a case."""

    async def page(
        self, actor: Actor, process: Process[Any], filters: Filters, *, cursor: str | None, limit: int
    ) -> Page:
        """Give part of the list, newest first; raises `ValueError` for a cursor of another list."""

    async def similar(
        self, actor: Actor, process: Process[Any], community: str, words: str
    ) -> tuple[Sequence[tuple[Known, float]], Json]:
        """Give running cases of a community that say much the same, with their likeness, and all their texts."""

    async def events(self, case_id: str, actor: Actor | None = None) -> Sequence[Json]:
        """Give the history, oldest first, with texts in clear."""

    async def clocks(self, case_id: str, actor: Actor | None = None) -> Sequence[Json]:
        """Give every clock of the case with the rule behind it."""

    async def attachments(self, ids: Iterable[str], actor: Actor) -> set[str]:
        """Give which of these attachments exist for this person to use."""

    async def worklist(self, actor: Actor, *, cursor: str | None, limit: int) -> tuple[Sequence[Json], str | None]:
        """Give the open tasks of this person, most urgent first; raises `ValueError` for a foreign cursor."""

    async def overdue(
        self, actor: Actor, filters: OverdueFilters, *, cursor: str | None, limit: int
    ) -> tuple[Sequence[Json], str | None]:
        """Give clocks that are breached and not yet met, worst first; raises `ValueError` for a foreign cursor."""

    async def problem_list(self, actor: Actor, community: str, month: str) -> Sequence[Json]:
        """Give the problem list of a community and month (问题清单)."""

    async def list_versions(self, actor: Actor, community: str, month: str) -> Sequence[Json]:
        """Give the problem lists that were published for a community and month."""

    async def published_list(self, actor: Actor, community: str, month: str, version: int) -> Sequence[Json] | None:
        """Give a published problem list as it stood then; None when there is no such version."""

    async def coverage(self, actor: Actor, community: str, month: str) -> Sequence[Json]:
        """Give grids and buildings with what was asked there in a month."""

    async def project_list(self, actor: Actor, community: str) -> Sequence[Json]:
        """Give the project list of a community (项目清单)."""

    async def agenda(self, actor: Actor, community: str, body: str) -> Sequence[Json]:
        """Give what the next meeting of a body finds on its table, and why."""

    async def next_meeting(self, actor: Actor, community: str, body: str) -> Json | None:
        """Give the next meeting of a body with what is on its agenda besides topics; None where none is set."""

    async def measures(self, actor: Actor, place: str, month: str) -> Sequence[Json]:
        """Give the figures of glossary §7, each with its formula and counts."""

    async def behind(
        self, actor: Actor, place: str, month: str, name: str, *, after: str, limit: int
    ) -> tuple[Json, Sequence[Json], str | None] | None:
        """Give a figure, the cases behind it from a number on, and the last of them when there are more."""

    async def running_notices(self, actor: Actor, place: str) -> Sequence[Json]:
        """Give the notices of a place that run, with their end and how many objections are open."""

    async def board(self, community: str, months: tuple[str, ...]) -> Json:
        """Give results, notices, what is listed, problems of these months, rosters; for everybody once masked."""

    async def reporter(self, case_id: str, *, actor: Actor, purpose: str) -> Json | None:
        """Give the contact details of a reporter and write down, in one transaction, that they were read."""

    async def contact_names(self, case_id: str, refs: Sequence[str]) -> dict[str, str]:
        """Give what people are called whom a case knows by a contact alone: for documents that must name them."""

    async def accesses(self, case_id: str) -> Sequence[Json]:
        """Give who has read the contact details of a case, oldest first."""

    async def incidents(self, actor: Actor, limit: int) -> Sequence[Json]:
        """Give what needs a hand: refused effects, conflicts, failing activities; newest first."""

    async def calendar(self) -> Calendar:
        """Give the calendar of working days as it stands."""

    async def attach(
        self,
        *,
        attachment_id: UUID,
        kind: str,
        media_type: str,
        size: int,
        sha256: str,
        object_key: str,
        uploaded_by: str,
    ) -> None:
        """Write down an attachment whose bytes are kept."""

    async def attached(self, case_id: str) -> Sequence[Json]:
        """Give the files of a case, in the order in which they came."""

    async def attachment(self, attachment_id: str, actor: Actor) -> Json | None:
        """Give an attachment that this person uploaded or may see on a case; None otherwise."""


__all__ = ["Engine", "Filters", "Json", "Known", "OverdueFilters", "Page", "People", "Reads", "Sealing"]
