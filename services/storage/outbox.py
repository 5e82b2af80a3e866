"""Take messages out of the outbox: to people in the product, and into the channels that they chose (通知).

Finding out who is told and writing it down is one transaction, so that each person is told once in the product. What
goes through a channel is sent at least once; each delivery has an id by which a receiver can tell a repeat.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, Text, and_, cast, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.notices import MOST_TRIES, URGENT, Parcel, Told, opens_at, wait_after
from services.storage.ids import uuid7
from services.storage.incidents import note
from services.storage.ledger_tables import case_file, clock, incident, outbox
from services.storage.message_tables import channel, delivery, notification
from services.storage.people_tables import body
from services.storage.prose import said, texts_of
from services.storage.recipients import COLLEAGUES, FOLLOWERS, Addresses, Found
from services.storage.sealing import Seal, SealBroken
from workflows.kernel.calendar import CHINA
from workflows.kernel.masking import mask

AT_ONCE = 100
LEASE = timedelta(minutes=2)
"""How long somebody who took a delivery has for it before another takes it."""
LATER = timedelta(minutes=1)
NOBODY, DEAD, UNREADABLE = "NOBODY_TO_TELL", "NOTICE_DEAD", "NOTICE_UNREADABLE"
BELL = "notification"
"""The channel of LISTEN on which a person's id says that he has something new."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What has not arrived yet (未送达): a message without a reader (`channel` None), or one at a channel."""

    id: int
    number: str
    template: str
    to: str
    channel: str | None
    state: str
    tries: int
    next_at: datetime
    error: str
    since: datetime


class Outbox:
    """The outbox on PostgreSQL; `last_resort` is the username of who is told when nobody else is there."""

    def __init__(self, engine: AsyncEngine, seal: Seal, last_resort: str | None = None) -> None:
        self._engine = engine
        self._seal = seal
        self._last_resort = last_resort

    async def dispatch(self) -> int:
        """Find out whom waiting messages go to and write it down; how many of them there were."""
        now = datetime.now(UTC)
        async with self._engine.begin() as connection:
            rows = (
                await connection.execute(
                    select(outbox, case_file.c.community)
                    .join(case_file, case_file.c.id == outbox.c.case_id)
                    .where(outbox.c.sent_at.is_(None), or_(outbox.c.next_at.is_(None), outbox.c.next_at <= now))
                    .order_by(outbox.c.id)
                    .limit(AT_ONCE)
                    .with_for_update(of=outbox, skip_locked=True)
                )
            ).all()
            if rows:
                await self._tell(connection, rows, now)
        return len(rows)

    async def _tell(self, connection: AsyncConnection, rows: Sequence[Row[Any]], now: datetime) -> None:
        """Write down who is told of these messages; whom two addresses of one event mean is told once."""
        addresses = Addresses(connection, now.astimezone(CHINA).date(), self._last_resort)
        told: set[tuple[Any, ...]] = set()
        messages: list[_Message] = []
        for row in rows:
            found = await addresses.find(row.to_code, case_place=row.community, template=row.template)
            if not found.people and not row.to_code.startswith((FOLLOWERS, COLLEAGUES)):
                await _nobody(connection, row, found, now)
                continue
            event = (row.case_id, row.seq, row.template, row.clock)
            messages.append(_Message(row, [one for one in found.people if (*event, one) not in told], found))
            told.update((*event, person) for person in found.people)
        # What is written for all of them is written at once: each message alone would take six statements.
        if entries := [entry for one in messages for entry in one.entries()]:
            await connection.execute(insert(notification).on_conflict_do_nothing(), entries)
            people = sorted({str(entry["person_id"]) for entry in entries})
            await connection.execute(
                select(func.pg_notify(literal(BELL), func.unnest(cast(literal(people, ARRAY(Text)), ARRAY(Text)))))
            )
        if parcels := list(await _parcels_of(connection, messages, now)):
            await connection.execute(insert(delivery).on_conflict_do_nothing(), parcels)
        sent = [one.row.id for one in messages]
        await connection.execute(update(outbox).where(outbox.c.id.in_(sent)).values(sent_at=now))
        for one in messages:
            if one.row.next_at is not None:
                await _mended(connection, str(one.row.id))

    async def due(self) -> Sequence[Parcel]:
        """Take what is to be sent now; nobody else gets it before its lease has ended."""
        now = datetime.now(UTC)
        async with self._engine.begin() as connection:
            mine = (
                select(delivery.c.id)
                .join(channel, channel.c.id == delivery.c.channel_id)
                .where(delivery.c.state == "WAITING", delivery.c.next_at <= now, channel.c.active)
                .order_by(delivery.c.next_at)
                .limit(AT_ONCE)
                .with_for_update(of=delivery, skip_locked=True)
            )
            taken = await connection.execute(
                update(delivery)
                .where(delivery.c.id.in_(mine))
                .values(next_at=now + LEASE, tries=delivery.c.tries + 1)
                .returning(delivery.c.id, delivery.c.tries)
            )
            tries = {row.id: row.tries for row in taken}
            if not tries:
                return ()
            rows = (await connection.execute(_letters(tries))).all()
            texts = await texts_of(connection, [row.case_id for row in rows], [row.title for row in rows])
            return [parcel async for parcel in self._parcels(connection, rows, texts, tries)]

    async def _parcels(
        self, connection: AsyncConnection, rows: Sequence[Row[Any]], texts: Mapping[str, Any], tries: Mapping[int, int]
    ) -> Any:
        for group in _grouped(rows):
            first = group[0]
            try:
                url = self._seal.open(first.sealed_url, str(first.channel_id))
            except SealBroken:
                # The key may come back; until then nothing of it can be sent.
                detail = {"channel": str(first.channel_id)}
                await note(connection, UNREADABLE, key=str(first.channel_id), detail=detail)
                continue
            yield Parcel(
                deliveries=tuple(row.id for row in group),
                channel_id=first.channel_id,
                url=url,
                language=first.language,
                told=tuple(_told(row, texts) for row in group),
                tries=max(tries[row.id] for row in group),
            )

    async def sent(self, parcel: Parcel) -> None:
        """A channel has taken it; what was on the list of incidents about it mended itself."""
        async with self._engine.begin() as connection:
            await connection.execute(
                update(delivery)
                .where(delivery.c.id.in_(parcel.deliveries))
                .values(state="SENT", sent_at=func.clock_timestamp(), last_error="")
            )
            if parcel.tries > 1:
                await _mended(connection, str(parcel.channel_id))

    async def failed(self, parcel: Parcel, reason: str) -> None:
        """Later again, or given up with an incident."""
        dead = parcel.tries >= MOST_TRIES
        async with self._engine.begin() as connection:
            await connection.execute(
                update(delivery)
                .where(delivery.c.id.in_(parcel.deliveries))
                .values(
                    state="DEAD" if dead else "WAITING",
                    last_error=reason,
                    next_at=datetime.now(UTC) + wait_after(parcel.tries),
                )
            )
            if dead:
                detail = {"channel": str(parcel.channel_id), "error": reason, "tries": parcel.tries}
                await note(connection, DEAD, key=str(parcel.channel_id), detail=detail)

    async def waiting(self, *, limit: int = 200) -> tuple[Waiting, ...]:
        """What has not arrived, oldest first: messages without a reader, then deliveries that wait or were given up."""
        async with self._engine.connect() as connection:
            unread = await connection.execute(
                select(outbox, case_file.c.number)
                .join(case_file, case_file.c.id == outbox.c.case_id)
                .where(outbox.c.sent_at.is_(None))
                .order_by(outbox.c.id)
                .limit(limit)
            )
            found = [
                Waiting(
                    row.id, row.number, row.template, row.to_code, None, "UNSENT", 0, row.next_at or row.created_at, "",
                    row.created_at,
                )
                for row in unread
            ]  # fmt: skip
            held = await connection.execute(
                select(delivery, outbox.c.template, outbox.c.to_code, channel.c.scheme, case_file.c.number)
                .join(outbox, outbox.c.id == delivery.c.outbox_id)
                .join(case_file, case_file.c.id == outbox.c.case_id)
                .join(channel, channel.c.id == delivery.c.channel_id)
                .where(delivery.c.state != "SENT")
                .order_by(delivery.c.id)
                .limit(limit)
            )
            found += [
                Waiting(
                    row.id, row.number, row.template, row.to_code, row.scheme, row.state, row.tries, row.next_at,
                    row.last_error, row.created_at,
                )
                for row in held
            ]  # fmt: skip
        return tuple(found)

    async def again(self) -> int:
        """Try everything now that has not arrived, what was given up too; how many deliveries."""
        async with self._engine.begin() as connection:
            await connection.execute(
                update(outbox).where(outbox.c.sent_at.is_(None)).values(next_at=func.clock_timestamp())
            )
            done = await connection.execute(
                update(delivery)
                .where(delivery.c.state != "SENT")
                .values(state="WAITING", tries=0, next_at=func.clock_timestamp())
            )
            return done.rowcount

    async def age(self) -> tuple[float, dict[str, int]]:
        """Seconds that the oldest message without a reader waits, and how many deliveries wait or were given up."""
        async with self._engine.connect() as connection:
            oldest: datetime | None = await connection.scalar(
                select(func.min(outbox.c.created_at)).where(outbox.c.sent_at.is_(None))
            )
            counted = await connection.execute(
                select(delivery.c.state, func.count()).where(delivery.c.state != "SENT").group_by(delivery.c.state)
            )
            counts = {row[0]: row[1] for row in counted}
        age = (datetime.now(UTC) - oldest).total_seconds() if oldest is not None else 0.0
        return age, {state: counts.get(state, 0) for state in ("WAITING", "DEAD")}


@dataclass(frozen=True, slots=True)
class _Message:
    """A message and the people who hear of it now; those whom the same event has told already are left out."""

    row: Row[Any]
    people: Sequence[UUID]
    found: Found

    def entries(self) -> Iterator[dict[str, Any]]:
        """What stands in the product for each of them."""
        for person in self.people:
            yield {
                "id": uuid7(),
                "person_id": person,
                "outbox_id": self.row.id,
                "case_id": self.row.case_id,
                "template": self.row.template,
                "clock": self.row.clock,
                "urgent": self.row.template in URGENT,
                "path": list(self.found.path),
            }

    def takes(self, one: Row[Any]) -> bool:
        """Whether a channel takes it: one of these people, or of a body that it is for, all of its place or the one."""
        if one.templates and self.row.template not in one.templates:
            return False
        if one.person_id is not None:
            return one.person_id in self.people
        code = self.row.to_code
        return code in (one.region_code, f"body:{one.type}@{one.region_code}")


async def _parcels_of(
    connection: AsyncConnection, messages: Sequence[_Message], now: datetime
) -> Iterator[dict[str, Any]]:
    """What goes through which channel, and when."""
    people = {person for one in messages for person in one.people}
    places = {one.row.to_code.rpartition("@")[2] for one in messages}
    of_bodies = and_(body.c.active, body.c.region_code.in_(places))
    channels = await connection.execute(
        select(channel, body.c.type, body.c.region_code)
        .outerjoin(body, body.c.id == channel.c.body_id)
        .where(channel.c.active, or_(channel.c.person_id.in_(people), of_bodies))
    )
    taking = list(channels)
    return (
        {
            "outbox_id": message.row.id,
            "channel_id": one.id,
            "next_at": opens_at(
                now,
                urgent=message.row.template in URGENT,
                quiet=(one.quiet_from, one.quiet_until) if one.quiet_from is not None else None,
                digest=one.digest_at,
            ),
        }
        for message in messages
        for one in taking
        if message.takes(one)
    )


def _letters(ids: Mapping[int, int]) -> Any:
    due = (
        select(clock.c.due_at)
        .where(clock.c.case_id == outbox.c.case_id, clock.c.code == outbox.c.clock)
        .order_by(clock.c.number.desc())
        .limit(1)
        .correlate(outbox)
        .scalar_subquery()
    )
    return (
        select(
            delivery.c.id,
            delivery.c.channel_id,
            channel.c.sealed_url,
            channel.c.language,
            channel.c.digest_at,
            outbox.c.template,
            outbox.c.clock,
            outbox.c.case_id,
            case_file.c.process,
            case_file.c.number,
            case_file.c.title,
            due.label("due_at"),
        )
        .join(channel, channel.c.id == delivery.c.channel_id)
        .join(outbox, outbox.c.id == delivery.c.outbox_id)
        .join(case_file, case_file.c.id == outbox.c.case_id)
        .where(delivery.c.id.in_(ids))
        .order_by(delivery.c.id)
    )


def _grouped(rows: Sequence[Row[Any]]) -> Iterator[list[Row[Any]]]:
    """What goes in one piece: everything of a channel that sends once a day, each message by itself of others."""
    digests: dict[UUID, list[Row[Any]]] = {}
    for row in rows:
        if row.digest_at is None or row.template in URGENT:
            yield [row]
        else:
            digests.setdefault(row.channel_id, []).append(row)
    yield from digests.values()


def _told(row: Row[Any], texts: Mapping[str, Any]) -> Told:
    return Told(
        template=row.template,
        process=row.process,
        number=row.number,
        title=mask(said(row.title, texts)),
        clock=row.clock,
        due_at=row.due_at,
    )


async def _nobody(connection: AsyncConnection, row: Row[Any], found: Found, now: datetime) -> None:
    detail = {"to": row.to_code, "template": row.template, "path": list(found.path)}
    await note(connection, NOBODY, case_id=str(row.case_id), key=str(row.id), detail=detail)
    await connection.execute(update(outbox).where(outbox.c.id == row.id).values(next_at=now + LATER))


async def _mended(connection: AsyncConnection, key: str) -> None:
    await connection.execute(
        update(incident)
        .where(incident.c.kind.in_((NOBODY, DEAD, UNREADABLE)), incident.c.key == key, incident.c.closed_at.is_(None))
        .values(closed_at=func.clock_timestamp(), closed_by="system", reason="WENT_ON")
    )
