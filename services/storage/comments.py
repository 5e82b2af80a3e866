"""What is said beside a case, and who follows it (留言、关注): no part of its history, sealed, told to followers."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, delete, exists, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.storage.comment_tables import case_comment, case_follower
from services.storage.ledger_tables import attachment, outbox
from services.storage.recipients import COLLEAGUES, FOLLOWERS
from services.storage.sealing import CLOSED, Seal, closed_with

TEMPLATE = "commented"
BATCH = 500
CHANGED_WITHIN = timedelta(minutes=15)
"""So long somebody may set right what he has said; then others have read it, and it stays."""
_CLOCK = func.clock_timestamp().label("clock")
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:case, 8))")


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment (留言); `text` in clear, empty once it was taken back, `earlier` what it said before."""

    id: str
    n: int
    author: str
    role: str
    org: str | None
    internal: bool
    text: str
    attachments: tuple[str, ...]
    created_at: datetime
    changed_at: datetime | None = None
    taken_back_at: datetime | None = None
    earlier: tuple["Earlier", ...] = ()


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a comment said until it was changed."""

    text: str
    until: datetime


class NotChanged(Exception):
    """A comment stays as it is: `why` is UNKNOWN, OTHERS, TOO_LATE or TAKEN_BACK."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What somebody wants to say, in which of his roles; the same id twice is said once."""

    id: str
    case_id: str
    author: str
    role: str
    org: str | None
    internal: bool
    text: str
    attachments: tuple[str, ...] = ()


class Conversation:
    """Comments and followers on PostgreSQL, each call a transaction of its own."""

    def __init__(self, engine: AsyncEngine, seal: Seal) -> None:
        self._engine = engine
        self._seal = seal

    async def comments(
        self, case_id: str, *, internal: bool, before: int | None = None, limit: int = 50
    ) -> tuple[list[Comment], int | None]:
        """The last comments before a place, oldest first, and the place to go on from when there are earlier ones."""
        wanted = [case_comment.c.case_id == UUID(case_id)]
        if not internal:
            wanted.append(~case_comment.c.internal)
        if before is not None:
            wanted.append(case_comment.c.n < before)
        query = select(case_comment).where(*wanted).order_by(case_comment.c.n.desc()).limit(limit + 1)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        shown = [self._opened(row) for row in reversed(rows[:limit])]
        return shown, shown[0].n if len(rows) > limit else None

    async def say(self, saying: Saying) -> Comment:
        """Write a comment and tell the followers; its author follows from now on. The same again writes nothing."""
        case_id, author = UUID(saying.case_id), UUID(saying.author)
        async with self._engine.begin() as connection:
            await connection.execute(_ONE_AT_A_TIME, {"case": saying.case_id})
            said = await _one(connection, saying.id)
            if said is None:
                last = await connection.scalar(
                    select(func.max(case_comment.c.n)).where(case_comment.c.case_id == case_id)
                )
                number = (last or 0) + 1
                await connection.execute(
                    insert(case_comment).values(
                        id=UUID(saying.id),
                        case_id=case_id,
                        n=number,
                        author=author,
                        role=saying.role,
                        org=saying.org,
                        internal=saying.internal,
                        sealed_text=self._seal.close(saying.text, saying.id),
                        attachments=[UUID(one) for one in saying.attachments],
                    )
                )
                # From now on they belong to the case, as if a command had named them.
                loose = (attachment.c.case_id.is_(None), attachment.c.uploaded_by == saying.author)
                ids = [UUID(one) for one in saying.attachments]
                await connection.execute(
                    update(attachment).where(attachment.c.id.in_(ids), *loose).values(case_id=case_id)
                )
                to = f"{COLLEAGUES if saying.internal else FOLLOWERS}{saying.case_id}/{saying.author}"
                others = exists().where(case_follower.c.case_id == case_id, case_follower.c.person_id != author)
                if await connection.scalar(select(others)):
                    # Number 0: it belongs to no entry of the history.
                    told = {"seq": 0, "place": number, "to_code": to, "template": TEMPLATE}
                    await connection.execute(insert(outbox).values(case_id=case_id, **told))
                await connection.execute(_followed(case_id, author))
                said = await _one(connection, saying.id)
        assert said is not None
        return self._opened(said)

    async def change(self, case_id: str, comment_id: str, *, author: str, text: str | None) -> Comment:
        """Say something else in the place of one's own comment, or take it back by None; nobody is told again.

        Raises `NotChanged` for a comment of somebody else, for one that has stood too long or is there no more.
        """
        mine = case_comment.c.id == UUID(comment_id), case_comment.c.case_id == UUID(case_id)
        async with self._engine.begin() as connection:
            row = (await connection.execute(select(case_comment, _CLOCK).where(*mine).with_for_update())).first()
            if row is None:
                raise NotChanged("UNKNOWN")
            if str(row.author) != author:
                raise NotChanged("OTHERS")
            before = self._opened(row)
            if before.taken_back_at is not None or text == before.text:
                if text is None or before.taken_back_at is None:
                    return before
                raise NotChanged("TAKEN_BACK")
            if row.clock - before.created_at > CHANGED_WITHIN:
                raise NotChanged("TOO_LATE")
            kept = [*before.earlier, Earlier(before.text, row.clock)]
            values = {
                # Everything in one row is sealed with one key, so that a new key finds all of it.
                "sealed_text": self._seal.close(text or "", comment_id),
                "earlier": [self._kept(one, comment_id) for one in kept],
                "taken_back_at" if text is None else "changed_at": row.clock,
            }
            await connection.execute(update(case_comment).where(*mine).values(values))
            changed = await _one(connection, comment_id)
        assert changed is not None
        return self._opened(changed)

    def _kept(self, one: Earlier, comment_id: str) -> dict[str, str]:
        return {"sealed_text": self._seal.close(one.text, comment_id), "until": one.until.isoformat()}

    async def followers(self, case_id: str) -> list[str]:
        """Who follows a case, the first one first."""
        query = select(case_follower.c.person_id).where(case_follower.c.case_id == UUID(case_id))
        async with self._engine.connect() as connection:
            return [str(one) for one in await connection.scalars(query.order_by(case_follower.c.since))]

    async def follow(self, case_id: str, person: str) -> None:
        """Tell this person from now on."""
        async with self._engine.begin() as connection:
            await connection.execute(_followed(UUID(case_id), UUID(person)))

    async def unfollow(self, case_id: str, person: str) -> None:
        """Tell this person no longer."""
        mine = and_(case_follower.c.case_id == UUID(case_id), case_follower.c.person_id == UUID(person))
        async with self._engine.begin() as connection:
            await connection.execute(delete(case_follower).where(mine))

    def _opened(self, row: Row[Any]) -> Comment:
        return Comment(
            id=str(row.id),
            n=row.n,
            author=str(row.author),
            role=row.role,
            org=row.org,
            internal=row.internal,
            text=self._seal.open(row.sealed_text, str(row.id)),
            attachments=tuple(map(str, row.attachments)),
            created_at=row.created_at,
            changed_at=row.changed_at,
            taken_back_at=row.taken_back_at,
            earlier=tuple(
                Earlier(self._seal.open(one["sealed_text"], str(row.id)), datetime.fromisoformat(one["until"]))
                for one in row.earlier
            ),
        )


def _followed(case_id: UUID, person: UUID) -> Any:
    return upsert(case_follower).values(case_id=case_id, person_id=person).on_conflict_do_nothing()


async def _one(connection: AsyncConnection, comment_id: str) -> Row[Any] | None:
    found = await connection.execute(select(case_comment).where(case_comment.c.id == UUID(comment_id)))
    return found.first()


async def comments_in_use(connection: AsyncConnection) -> dict[str, int]:
    """How many comments each key protects."""
    kept = await connection.scalars(select(case_comment.c.sealed_text))
    return dict(Counter(closed_with(one) or "" for one in kept))


async def rotate_comments(connection: AsyncConnection, seal: Seal) -> int:
    """Seal one batch of comments anew with the key in use; how many, 0 when none is left."""
    stale = case_comment.c.sealed_text.not_like(f"{CLOSED}{seal.current}.%")
    columns = (case_comment.c.id, case_comment.c.sealed_text, case_comment.c.earlier)
    query = select(*columns).where(stale).limit(BATCH)
    rows = (await connection.execute(query.with_for_update(skip_locked=True))).all()
    for row in rows:
        one = str(row.id)
        anew = {
            "sealed_text": seal.close(seal.open(row.sealed_text, one), one),
            "earlier": [
                {**kept, "sealed_text": seal.close(seal.open(kept["sealed_text"], one), one)} for kept in row.earlier
            ],
        }
        await connection.execute(update(case_comment).where(case_comment.c.id == row.id).values(anew))
    return len(rows)
