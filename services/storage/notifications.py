"""What somebody was told in the product (站内通知), by which channels he wants to be told, and his calendar's link."""

import hashlib
import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.notices import Told
from services.storage.cursors import cursor, order_of
from services.storage.ids import uuid7
from services.storage.ledger_tables import case_file, clock
from services.storage.message_tables import channel, delivery, feed, notification
from services.storage.people_tables import body
from services.storage.prose import said, texts_of
from services.storage.sealing import CLOSED, Seal, closed_with
from services.storage.sight import sight
from workflows.kernel.calendar import CHINA
from workflows.kernel.masking import mask
from workflows.kernel.process import Actor

KIND = "notifications"
TOKEN_BYTES = 24
BATCH = 500


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one person (站内通知); `told.title` is masked unless he may see the case."""

    id: UUID
    case_id: UUID
    told: Told
    state: str
    urgent: bool
    path: tuple[str, ...]
    created_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Channel:
    """A way by which somebody is told besides (通知渠道); the address itself stays sealed."""

    id: UUID
    person_id: UUID | None
    body_id: UUID | None
    scheme: str
    templates: tuple[str, ...]
    quiet_from: time | None
    quiet_until: time | None
    digest_at: time | None
    language: str
    active: bool
    waiting: int
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a channel shall be."""

    url: str
    scheme: str
    templates: tuple[str, ...] = ()
    quiet_from: time | None = None
    quiet_until: time | None = None
    digest_at: time | None = None
    language: str = "zh"


class Notifications:
    """Messages and channels of people on PostgreSQL, each call a transaction of its own."""

    def __init__(self, engine: AsyncEngine, seal: Seal) -> None:
        self._engine = engine
        self._seal = seal

    async def page(
        self, actor: Actor, *, unread: bool = False, after: str | None = None, limit: int = 50
    ) -> tuple[tuple[Notification, ...], str | None, int]:
        """What this person was told, unread ones first, newest first; with the cursor and how many are unread.

        Raises `CursorInvalid`.
        """
        fresh = notification.c.read_at.is_(None)
        conditions = [notification.c.person_id == UUID(actor.id)]
        if unread:
            conditions.append(fresh)
        rest = []
        if after is not None:
            was_fresh, last = order_of(KIND, after, (int, UUID))
            same = and_(fresh if was_fresh else ~fresh, notification.c.id < last)
            rest = [or_(same, ~fresh) if was_fresh else same]
        async with self._engine.connect() as connection:
            rows = (
                await connection.execute(
                    _shown(actor)
                    .where(*conditions, *rest)
                    .order_by(fresh.desc(), notification.c.id.desc())
                    .limit(limit + 1)
                )
            ).all()
            texts = await texts_of(connection, [row.case_id for row in rows], [row.title for row in rows])
            count = await connection.scalar(
                select(func.count()).where(notification.c.person_id == UUID(actor.id), fresh)
            )
        shown = tuple(_notification(row, texts) for row in rows[:limit])
        last_one = shown[-1] if len(rows) > limit else None
        following = cursor(KIND, (int(last_one.read_at is None), last_one.id)) if last_one else None
        return shown, following, count or 0

    async def read(self, actor: Actor, notification_id: UUID) -> Notification | None:
        """Mark one as read, at the first time only; None when it is not his."""
        mine = and_(notification.c.id == notification_id, notification.c.person_id == UUID(actor.id))
        async with self._engine.begin() as connection:
            await connection.execute(
                update(notification)
                .where(mine, notification.c.read_at.is_(None))
                .values(read_at=func.clock_timestamp())
            )
            row = (await connection.execute(_shown(actor).where(mine))).first()
            texts = await texts_of(connection, [row.case_id], [row.title]) if row is not None else {}
        return _notification(row, texts) if row is not None else None

    async def read_all(self, actor: Actor) -> int:
        """Mark all of his as read; how many they were."""
        async with self._engine.begin() as connection:
            done = await connection.execute(
                update(notification)
                .where(notification.c.person_id == UUID(actor.id), notification.c.read_at.is_(None))
                .values(read_at=func.clock_timestamp())
            )
            return done.rowcount

    # --- channels -------------------------------------------------------------------------------------------

    async def channels(self, *, person: str | None = None, body_id: UUID | None = None) -> tuple[Channel, ...]:
        """The channels of a person or of a body."""
        whose = channel.c.person_id == UUID(person) if person is not None else channel.c.body_id == body_id
        counts = {
            state: select(func.count())
            .where(delivery.c.channel_id == channel.c.id, delivery.c.state == state)
            .correlate(channel)
            .scalar_subquery()
            for state in ("WAITING", "DEAD")
        }
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                select(channel, counts["WAITING"].label("waiting"), counts["DEAD"].label("dead"))
                .where(whose, channel.c.active)
                .order_by(channel.c.id)
            )
            return tuple(_channel(row) for row in rows)

    async def add_channel(self, wanted: Wanted, *, person: str | None = None, body_id: UUID | None = None) -> UUID:
        """Write a channel of a person or of a body."""
        written = uuid7()
        async with self._engine.begin() as connection:
            await connection.execute(
                insert(channel).values(
                    id=written,
                    person_id=UUID(person) if person is not None else None,
                    body_id=body_id,
                    scheme=wanted.scheme,
                    sealed_url=self._seal.close(wanted.url, str(written)),
                    templates=list(wanted.templates),
                    quiet_from=wanted.quiet_from,
                    quiet_until=wanted.quiet_until,
                    digest_at=wanted.digest_at,
                    language=wanted.language,
                )
            )
        return written

    async def owner(self, channel_id: UUID) -> tuple[str | None, UUID | None] | None:
        """The person or the body whose channel it is; None when there is none."""
        async with self._engine.connect() as connection:
            row = (
                await connection.execute(
                    select(channel.c.person_id, channel.c.body_id).where(channel.c.id == channel_id, channel.c.active)
                )
            ).first()
        return (str(row.person_id) if row.person_id else None, row.body_id) if row is not None else None

    async def close_channel(self, channel_id: UUID) -> None:
        """Send nothing more through it and forget its address; what waited there is dropped."""
        async with self._engine.begin() as connection:
            await connection.execute(
                update(channel).where(channel.c.id == channel_id).values(active=False, sealed_url="")
            )
            await connection.execute(
                delete(delivery).where(delivery.c.channel_id == channel_id, delivery.c.state != "SENT")
            )

    async def body_place(self, body_id: UUID) -> str | None:
        """Where a body sits; None when there is none."""
        async with self._engine.connect() as connection:
            place: str | None = await connection.scalar(
                select(body.c.region_code).where(body.c.id == body_id, body.c.active)
            )
        return place

    # --- the link of a calendar -----------------------------------------------------------------------------

    async def new_link(self, actor: Actor) -> str:
        """Give a new secret for this person's calendars; the one before opens nothing any more."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        async with self._engine.begin() as connection:
            await connection.execute(
                upsert(feed)
                .values(person_id=UUID(actor.id), token_hash=_hashed(token))
                .on_conflict_do_update(
                    index_elements=[feed.c.person_id],
                    set_={"token_hash": _hashed(token), "created_at": func.clock_timestamp()},
                )
            )
        return token

    async def revoke_link(self, actor: Actor) -> bool:
        """Take the secret away; False when there was none."""
        async with self._engine.begin() as connection:
            done = await connection.execute(delete(feed).where(feed.c.person_id == UUID(actor.id)))
            return done.rowcount > 0

    async def holder(self, token: str) -> str | None:
        """The person whose calendars a secret opens."""
        async with self._engine.connect() as connection:
            found = await connection.scalar(select(feed.c.person_id).where(feed.c.token_hash == _hashed(token)))
        return str(found) if found is not None else None


async def addresses_in_use(connection: AsyncConnection) -> dict[str, int]:
    """How many addresses of channels each key protects."""
    kept = await connection.scalars(select(channel.c.sealed_url).where(channel.c.sealed_url != ""))
    return dict(Counter(closed_with(one) or "" for one in kept))


async def rotate_addresses(connection: AsyncConnection, seal: Seal) -> int:
    """Seal one batch of addresses anew with the key in use; how many, 0 when none is left."""
    stale = and_(channel.c.sealed_url != "", channel.c.sealed_url.not_like(f"{CLOSED}{seal.current}.%"))
    query = select(channel.c.id, channel.c.sealed_url).where(stale).limit(BATCH).with_for_update(skip_locked=True)
    rows = (await connection.execute(query)).all()
    for row in rows:
        anew = seal.close(seal.open(row.sealed_url, str(row.id)), str(row.id))
        await connection.execute(update(channel).where(channel.c.id == row.id).values(sealed_url=anew))
    return len(rows)


def _shown(actor: Actor) -> Any:
    due = (
        select(clock.c.due_at)
        .where(clock.c.case_id == notification.c.case_id, clock.c.code == notification.c.clock)
        .order_by(clock.c.number.desc())
        .limit(1)
        .correlate(notification)
        .scalar_subquery()
    )
    return select(
        notification,
        case_file.c.process,
        case_file.c.number,
        case_file.c.title,
        case_file.c.state,
        due.label("due_at"),
        sight(actor).label("seen"),
    ).join(case_file, case_file.c.id == notification.c.case_id)


def _notification(row: Row[Any], texts: dict[str, Any]) -> Notification:
    title = said(row.title, texts)
    told = Told(
        template=row.template,
        process=row.process,
        number=row.number,
        title=title if row.seen else mask(title),
        clock=row.clock,
        due_at=row.due_at.astimezone(CHINA) if row.due_at is not None else None,
    )
    return Notification(row.id, row.case_id, told, row.state, row.urgent, tuple(row.path), row.created_at, row.read_at)


def _channel(row: Row[Any]) -> Channel:
    return Channel(
        id=row.id,
        person_id=row.person_id,
        body_id=row.body_id,
        scheme=row.scheme,
        templates=tuple(row.templates),
        quiet_from=row.quiet_from,
        quiet_until=row.quiet_until,
        digest_at=row.digest_at,
        language=row.language,
        active=row.active,
        waiting=row.waiting,
        dead=row.dead,
    )


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
