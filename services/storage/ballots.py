"""Anonymous ballots (评议票): who holds a token may answer once; nothing joins an answer to a token or a person.

Only the hash of a token is kept. An answer is a row of its own with an id of chance, without the moment at which it
came, so that no order of answers tells an order of tokens.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.ledger_tables import case_file, clock
from services.storage.list_tables import ballot_answer, ballot_token
from services.storage.people_tables import organization, region

TOKEN_BYTES = 16


class TokensIssued(Exception):
    """The tokens of this round were handed out already; nobody gets them twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What an assessor is asked (评议票): about whom, where, for which year, until when."""

    unit: str
    permit_no: str
    communities: tuple[str, ...]
    year: int
    closes_at: datetime | None
    used: bool

    @property
    def is_open(self) -> bool:
        """Say whether it may still be answered."""
        return self.closes_at is not None and not self.used


async def issue(connection: AsyncConnection, case_id: str, number: int, panel: int) -> list[str]:
    """Make a token for each assessor of a round; raises `TokensIssued` the second time."""
    lock = select(func.pg_advisory_xact_lock(func.hashtextextended(f"ballot/{case_id}", 0)))
    await connection.execute(lock)
    case = UUID(case_id)
    issued = select(func.count()).where(ballot_token.c.case_id == case, ballot_token.c.round == number)
    if await connection.scalar(issued):
        raise TokensIssued
    tokens = [secrets.token_urlsafe(TOKEN_BYTES) for _ in range(panel)]
    # By hash, so that the order of the rows is not that in which they were handed out.
    rows = sorted(_hash(token) for token in tokens)
    values = [{"hash": one, "case_id": case, "round": number} for one in rows]
    await connection.execute(insert(ballot_token), values)
    return tokens


async def paper(connection: AsyncConnection, token: str, now: datetime) -> Paper | None:
    """What the holder of a token is asked; None when there is no such token."""
    data = case_file.c.data
    ends = (
        select(clock.c.due_at)
        .where(
            clock.c.case_id == case_file.c.id,
            clock.c.code == "COLLECT",
            clock.c.state == "RUNNING",
            clock.c.due_at > now,
            data["ballot"]["round"].as_integer() == ballot_token.c.round,
        )
        .limit(1)
        .scalar_subquery()
    )
    row = (
        await connection.execute(
            select(ballot_token.c.used, data, organization.c.name, ends.label("closes_at"))
            .join(case_file, case_file.c.id == ballot_token.c.case_id)
            .outerjoin(organization, organization.c.code == data["applicant_org"].astext)
            .where(ballot_token.c.hash == _hash(token))
        )
    ).one_or_none()
    if row is None:
        return None
    names = select(region.c.name).where(region.c.code.in_(row.data.get("communities", []))).order_by(region.c.code)
    return Paper(
        unit=row.name or row.data["applicant_org"],
        permit_no=row.data["permit_no"],
        communities=tuple(await connection.scalars(names)),
        year=row.data["year"],
        closes_at=row.closes_at,
        used=row.used,
    )


async def answer(connection: AsyncConnection, token: str, rating: int | None, opinion: str | None) -> bool:
    """Use a token up and put an answer into the box; False when somebody was faster with the same token."""
    used = await connection.execute(
        update(ballot_token)
        .where(ballot_token.c.hash == _hash(token), ballot_token.c.used.is_(False))
        .values(used=True)
        .returning(ballot_token.c.case_id, ballot_token.c.round)
    )
    row = used.one_or_none()
    if row is None:
        return False
    await connection.execute(
        insert(ballot_answer).values(id=uuid4(), case_id=row.case_id, round=row.round, rating=rating, opinion=opinion)
    )
    return True


async def progress(connection: AsyncConnection, case_id: str, number: int) -> dict[str, int]:
    """How many tokens a round has and how many are used; nothing about the answers."""
    counts = await connection.execute(
        select(func.count(), func.count().filter(ballot_token.c.used)).where(
            ballot_token.c.case_id == UUID(case_id), ballot_token.c.round == number
        )
    )
    issued, answered = counts.one()
    return {"issued": issued, "answered": answered}


async def opinions(connection: AsyncConnection, case_id: str, number: int) -> list[str]:
    """What assessors wrote in a round, in an order of chance."""
    found = await connection.scalars(
        select(ballot_answer.c.opinion)
        .where(
            ballot_answer.c.case_id == UUID(case_id),
            ballot_answer.c.round == number,
            ballot_answer.c.opinion.is_not(None),
        )
        .order_by(ballot_answer.c.id)
    )
    return [str(one) for one in found]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
