"""Find organisations, communities and people by a part of their name, for the fields of forms (选取)."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.storage.ledger_tables import case_file
from services.storage.people_tables import account, organization, person, person_role, region
from services.storage.prose import said, texts_of
from services.storage.sight import sight
from workflows.kernel.process import Actor

MOST = 20
_CASE = (case_file.c.id, case_file.c.process, case_file.c.number, case_file.c.title)


class Naming:
    """Looks names up; a few rows at a time, the shortest name first."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def organizations(self, part: str) -> list[dict[str, str]]:
        """Organisations by a part of the name or the beginning of the code."""
        table = organization.c
        fits = or_(table.name.contains(part, autoescape=True), table.code.startswith(part, autoescape=True))
        return await self._rows(select(table.code, table.name).where(fits).order_by(func.length(table.name)))

    async def communities(self, part: str) -> list[dict[str, str]]:
        """Communities by a part of the name or the beginning of the code."""
        table = region.c
        fits = or_(table.name.contains(part, autoescape=True), table.code.startswith(part, autoescape=True))
        wanted = select(table.code, table.name).where(table.level == "COMMUNITY", fits)
        return await self._rows(wanted.order_by(func.length(table.name), table.code))

    async def people(self, part: str, places: Sequence[str]) -> list[dict[str, str]]:
        """People with an account and a role in these places, by a part of the name or the beginning of the username."""
        named = or_(
            person.c.display_name.contains(part, autoescape=True), account.c.username.startswith(part, autoescape=True)
        )
        here = or_(*(person_role.c.place.startswith(place, autoescape=True) for place in places))
        holds = select(person_role.c.person_id).where(
            here, or_(person_role.c.until.is_(None), person_role.c.until >= func.current_date())
        )
        wanted = (
            select(account.c.username.label("code"), person.c.display_name.label("name"))
            .join(person, person.c.id == account.c.person_id)
            .where(account.c.active, named, account.c.person_id.in_(holds))
        )
        return await self._rows(wanted.order_by(func.length(person.c.display_name), account.c.username))

    async def cases(self, actor: Actor, ids: Collection[str]) -> dict[str, dict[str, str]]:
        """What cases are called that this person may know of, by id."""
        wanted = case_file.c.id.in_([UUID(one) for one in ids])
        return {one.pop("id"): one for one in await self._cases(select(*_CASE).where(wanted, sight(actor)))}

    async def find_cases(self, actor: Actor, part: str, process: str) -> list[dict[str, str]]:
        """Cases by the beginning of the number or by words, of one process or of any; the newest first."""
        query = select(*_CASE).where(sight(actor, process or None))
        if part:
            spoken = select(func.cases_that_say(part, type_=Uuid).column_valued("hit"))
            query = query.where(or_(case_file.c.number.startswith(part, autoescape=True), case_file.c.id.in_(spoken)))
        found = await self._cases(query.order_by(case_file.c.opened_at.desc()).limit(MOST))
        return [{"code": one["number"], "name": one["title"] or one["number"]} for one in found]

    async def _cases(self, wanted: Select[Any]) -> list[dict[str, str]]:
        async with self._engine.connect() as connection:
            rows = (await connection.execute(wanted)).all()
            texts = await texts_of(connection, [row.id for row in rows], [row.title for row in rows])
        return [
            {"id": str(row.id), "process": row.process, "number": row.number, "title": said(row.title, texts)}
            for row in rows
        ]

    async def _rows(self, wanted: Select[Any]) -> list[dict[str, str]]:
        async with self._engine.connect() as connection:
            rows = await connection.execute(wanted.limit(MOST))
            return [{"code": row.code, "name": row.name} for row in rows]
