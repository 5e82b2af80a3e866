"""The reads behind the API on PostgreSQL: one short look for each question, each in a connection of its own."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from activities.calendar import Calendars
from services.api.ports import Filters, Json, Known, OverdueFilters, Page
from services.storage import agendas, clocks, collection, contacts, events, history, incidents, problem_lists, prose
from services.storage import attachments as files
from services.storage import board as boards
from services.storage import cases as case_reads
from services.storage import measures as figures
from services.storage import overdue as late
from services.storage import worklist as work
from services.storage.answers import questions
from services.storage.people import accesses, log_access
from services.storage.sealing import Seal
from services.storage.wall import Wall
from workflows.kernel.calendar import CHINA, Calendar
from workflows.kernel.process import Actor, Asked, Case, Process


class Database(Protocol):
    """What this room needs of a database engine; the library itself stays in storage."""

    def connect(self) -> AbstractAsyncContextManager[Any]:
        """A connection from the pool."""

    def begin(self) -> AbstractAsyncContextManager[Any]:
        """A connection in a transaction."""

    def execution_options(self, **options: Any) -> Any:
        """The same engine with other options."""


class PostgresReads:
    """`Reads` on PostgreSQL; `calendars` keeps the calendar of working days at hand, `seal` opens contact details.

    What a person asks for himself is asked behind the `wall`, where there is one; what the product must know to serve
    him, whoever he is, is not.
    """

    def __init__(self, database: Database, calendars: Calendars, seal: Seal, wall: Wall | None = None) -> None:
        self._database = database
        self._seal = seal
        self._wall = wall
        # Each read is a statement or two, none of which needs a transaction around it.
        self._reading: Database = database.execution_options(isolation_level="AUTOCOMMIT")
        self._calendars = calendars
        self._questions = questions()

    async def known(self, actor: Actor, process: Process[Any], key: str) -> Known | None:
        """A case by id or number that this person may know of."""
        async with self._look(actor) as connection:
            return await case_reads.known(connection, actor, process, key)

    async def found(self, process: Process[Any], key: str) -> Known | None:
        """A case by id or number, whoever asks."""
        async with self._look() as connection:
            return await case_reads.found(connection, process, key)

    async def answer(self, asked: Asked) -> Json:
        """An answer to a question of the rules."""
        async with self._look() as connection:
            return await self._questions[asked.name](connection, asked)

    async def at(self, process: Process[Any], case_id: str, version: int) -> Case[Any]:
        """A case as it stood at a version."""
        async with self._look() as connection:
            return await history.case_at(connection, process, case_id, version)

    async def done(self, case_id: str, key: str) -> tuple[str, int] | None:
        """Body hash and version of the command with this key."""
        async with self._look() as connection:
            return await history.command_done(connection, case_id, key)

    async def texts(self, case_id: str, refs: Iterable[str]) -> Json:
        """Clear values of references."""
        wanted = list(refs)
        if not wanted:
            return {}
        async with self._look() as connection:
            return await prose.texts_of(connection, [case_id], wanted)

    async def page(
        self, actor: Actor, process: Process[Any], filters: Filters, *, cursor: str | None, limit: int
    ) -> Page:
        """Part of a list."""
        async with self._look(actor) as connection:
            return await case_reads.cases(connection, actor, process, filters, after=cursor, limit=limit)

    async def similar(
        self, actor: Actor, process: Process[Any], community: str, words: str
    ) -> tuple[Sequence[tuple[Known, float]], Json]:
        """Cases that say much the same."""
        async with self._look(actor) as connection:
            return await case_reads.similar(connection, actor, process, community, words)

    async def events(self, case_id: str, actor: Actor | None = None) -> Sequence[Json]:
        """The history, in clear words."""
        async with self._look(actor) as connection:
            # What stands in an entry is plain already; to copy all of it costs as much as to read it.
            return [
                {one.name: getattr(row, one.name) for one in fields(row)}
                for row in await events.events_of(connection, case_id)
            ]

    async def clocks(self, case_id: str, actor: Actor | None = None) -> Sequence[Json]:
        """Every deadline and why it is due then."""
        async with self._look(actor) as connection:
            return [_flat(row) for row in await clocks.clocks_of(connection, case_id)]

    async def overdue(
        self, actor: Actor, filters: OverdueFilters, *, cursor: str | None, limit: int
    ) -> tuple[Sequence[Json], str | None]:
        """What is breached and not yet met, worst first."""
        async with self._look(actor) as connection:
            page = await late.overdue(connection, actor, filters, now=datetime.now(UTC), after=cursor, limit=limit)
        return [_with_case(row) for row in page.items], page.next_cursor

    async def worklist(self, actor: Actor, *, cursor: str | None, limit: int) -> tuple[Sequence[Json], str | None]:
        """Open tasks, most urgent first."""
        async with self._look(actor) as connection:
            page = await work.worklist(connection, actor, after=cursor, limit=limit)
        return [_with_case(row) for row in page.items], page.next_cursor

    async def problem_list(self, actor: Actor, community: str, month: str) -> Sequence[Json]:
        """问题清单."""
        async with self._look(actor) as connection:
            return [_flat(row) for row in await problem_lists.problem_list(connection, community, month, actor=actor)]

    async def list_versions(self, actor: Actor, community: str, month: str) -> Sequence[Json]:
        """Published problem lists."""
        async with self._look(actor) as connection:
            return [_flat(row) for row in await collection.versions(connection, community, month, actor=actor)]

    async def published_list(self, actor: Actor, community: str, month: str, version: int) -> Sequence[Json] | None:
        """One of them, as it stood then."""
        async with self._look(actor) as connection:
            found = await collection.published(connection, community, month, version, actor=actor)
        return None if found is None else [_flat(row) for row in found]

    async def coverage(self, actor: Actor, community: str, month: str) -> Sequence[Json]:
        """征集覆盖."""
        async with self._look(actor) as connection:
            return [_flat(row) for row in await collection.coverage(connection, community, month, actor=actor)]

    async def project_list(self, actor: Actor, community: str) -> Sequence[Json]:
        """项目清单."""
        async with self._look(actor) as connection:
            return [_flat(row) for row in await problem_lists.project_list(connection, community, actor=actor)]

    async def agenda(self, actor: Actor, community: str, body: str) -> Sequence[Json]:
        """What a meeting finds on its table."""
        async with self._look(actor) as connection:
            return [_with_case(row) for row in await agendas.agenda(connection, community, body, actor=actor)]

    async def next_meeting(self, actor: Actor, community: str, body: str) -> Json | None:
        """The next meeting of a body."""
        async with self._look(actor) as connection:
            found = await agendas.next_meeting(connection, community, body, actor=actor)
            return _flat(found) if found is not None else None

    async def behind(
        self, actor: Actor, place: str, month: str, name: str, *, after: str, limit: int
    ) -> tuple[Json, Sequence[Json], str | None] | None:
        """A figure and the cases behind it."""
        async with self._look(actor) as connection:
            every = await figures.measures(connection, place, month, actor=actor)
            found = next((one for one in every if one.formula.name == name), None)
            if found is None:
                return None
            rows, last = await figures.behind(connection, found, place, actor=actor, after=after, limit=limit)
        return _flat(found), [_flat(row) for row in rows], last

    async def running_notices(self, actor: Actor, place: str) -> Sequence[Json]:
        """在办公示."""
        async with self._look(actor) as connection:
            return [_flat(row) for row in await boards.running(connection, place, actor=actor)]

    async def board(self, community: str, months: tuple[str, ...]) -> Json:
        """公示栏, not masked yet."""
        async with self._look() as connection:
            shown = {
                "results": await boards.results(connection, community),
                "notices": await boards.notices(connection, community),
                "listed": await boards.listed(connection, community),
                "problems": await boards.problems(connection, community, months),
                "rosters": await boards.rosters(connection, community, datetime.now(UTC).astimezone(CHINA).date()),
            }
        return {name: [_flat(row) for row in rows] for name, rows in shown.items()}

    async def attachments(self, ids: Iterable[str], actor: Actor) -> set[str]:
        """Which of these attachments this person may use."""
        async with self._look(actor) as connection:
            return {str(row.id) for row in await files.attachments_for(connection, actor, ids)}

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
        """Write an attachment down."""
        async with self._database.begin() as connection:
            await files.add_attachment(
                connection,
                id=attachment_id,
                kind=kind,
                media_type=media_type,
                size=size,
                sha256=sha256,
                object_key=object_key,
                uploaded_by=uploaded_by,
            )

    async def attached(self, case_id: str) -> Sequence[Json]:
        """The files of a case."""
        async with self._look() as connection:
            return [_flat(row) for row in await files.attachments_of(connection, case_id)]

    async def attachment(self, attachment_id: str, actor: Actor) -> Json | None:
        """One attachment that this person may use."""
        async with self._look(actor) as connection:
            found = await files.attachment_for(connection, actor, attachment_id)
        return _flat(found) if found else None

    async def reporter(self, case_id: str, *, actor: Actor, purpose: str) -> Json | None:
        """The reporter's contact, and the line that says it was read, in one transaction."""
        async with self._database.begin() as connection:
            async with self._look(actor, purpose) as looking:
                found = await contacts.reporter(looking, case_id, self._seal)
            if found is None or found.anonymous or (found.name is None and found.account_id is None):
                return None
            await log_access(
                connection,
                actor_id=actor.id,
                entity="reporter",
                row_id=case_id,
                fields_class="CONTACT",
                purpose=purpose,
            )
        return {
            "name": found.name,
            "phone": found.phone,
            "wants_reply": found.wants_reply,
            "account_id": found.account_id,
        }

    async def contact_names(self, case_id: str, refs: Sequence[str]) -> dict[str, str]:
        """What people are called whom a case knows by a contact alone."""
        async with self._look() as connection:
            return await contacts.names(connection, case_id, refs, self._seal)

    async def accesses(self, case_id: str) -> Sequence[Json]:
        """Who has read the contact details of a case."""
        async with self._look() as connection:
            return [asdict(row) for row in await accesses(connection, case_id)]

    async def incidents(self, actor: Actor, limit: int) -> Sequence[Json]:
        """What needs a hand; ids and codes only, so that whoever runs the product may see all of it."""
        async with self._look() as connection:
            return [_flat(row) for row in await incidents.open_incidents(connection, limit=limit)]

    async def measures(self, actor: Actor, place: str, month: str) -> Sequence[Json]:
        """The figures of a month, each with the first of the cases behind it."""
        async with self._look(actor) as connection:
            found = await figures.measures(connection, place, month, actor=actor)
        return [_flat(figures.shortened(one)) for one in found]

    async def calendar(self) -> Calendar:
        """The calendar of working days."""
        return await self._calendars.current()

    @asynccontextmanager
    async def _look(self, actor: Actor | None = None, purpose: str = "") -> AsyncIterator[Any]:
        """A connection to read by; behind the wall when it is somebody who asks."""
        looking = self._reading.connect() if self._wall is None or actor is None else self._wall.looks(actor, purpose)
        async with looking as connection:
            yield connection


def _with_case(row: Any) -> Json:
    """A row about a case, with what it says of the case itself under `case`."""
    flat = dict(_flat(row))
    case = {shown: flat.pop(name) for name, shown in _CASE.items() if name in flat}
    return {"case": case, **flat}


_CASE = {
    "case_id": "id",
    "process": "process",
    "number": "number",
    "title": "title",
    "state": "state",
    "phase": "phase",
    "level": "level",
    "community": "community_id",
}


def _flat(row: Any) -> Mapping[str, Any]:
    return {name: str(value) if isinstance(value, UUID) else value for name, value in asdict(row).items()}


__all__ = ["Database", "OverdueFilters", "PostgresReads"]
