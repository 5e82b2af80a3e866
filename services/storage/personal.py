"""What is known of one person, to be given to him; and to be forgotten, so that events stay whole (个人信息查询与删除).

A person has an account, or is a reporter without one, who is found by his phone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, and_, delete, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.storage.ledger_tables import attachment, case_file, contact, event, prose
from services.storage.people import erase_person, log_access
from services.storage.prose import references, resolve, said, texts_of
from services.storage.sealing import Seal
from workflows.kernel.process import Actor
from workflows.kernel.roles import Role

_PERSON = text(
    """
    SELECT id, display_name, phone, birth_year, gender, home_community_code, id_last4, consent_at, source, created_at
      FROM person WHERE id = :id
    """
)
# One statement for each kind of thing; secrets of a sign-in are nobody's to read, not even his own.
_BESIDES = {
    "former_names": "SELECT name, until FROM former_name WHERE entity = 'person' AND code = :name ORDER BY until",
    "accounts": "SELECT username, active, created_at FROM account WHERE person_id = :id ORDER BY id",
    "roles": "SELECT role, place, org_code, since, until FROM person_role WHERE person_id = :id ORDER BY since, id",
    "seats": """
        SELECT b.type, b.name, b.region_code, m.post, m.category, m.since, m.until, m.status
          FROM body_member AS m JOIN body AS b ON b.id = m.body_id WHERE m.person_id = :id ORDER BY m.since, m.id
        """,
    "substitutions": """
        SELECT absent_person_id = :id AS was_absent, roles, since, until FROM substitution
         WHERE :id IN (absent_person_id, substitute_person_id) ORDER BY since, id
        """,
    "uploads": """
        SELECT id, kind, media_type, size, uploaded_at FROM attachment WHERE uploaded_by = :name ORDER BY uploaded_at
        """,
    "messages": """
        SELECT template, created_at, read_at FROM notification WHERE person_id = :id ORDER BY created_at
        """,
    "views": "SELECT list, name, query FROM saved_view WHERE person_id = :id ORDER BY place",
    "follows": """
        SELECT c.number, f.since FROM case_follower AS f JOIN case_file AS c ON c.id = f.case_id
         WHERE f.person_id = :id ORDER BY f.since
        """,
    "readings_by_him": """
        SELECT at, entity, row_id, purpose FROM access_log WHERE actor_id = :name ORDER BY seq
        """,
}
_COMMENTS = text(
    """
    SELECT o.id, c.number, o.role, o.created_at, o.sealed_text, o.earlier
      FROM case_comment AS o JOIN case_file AS c ON c.id = o.case_id WHERE o.author = :id ORDER BY o.created_at
    """
)
_READINGS = text("SELECT at, actor_id, purpose FROM access_log WHERE row_id = ANY(:rows) ORDER BY seq")
_SIGN_IN = (
    "UPDATE account SET password_hash = '' WHERE person_id = :id",
    "DELETE FROM second_factor WHERE account_id IN (SELECT id FROM account WHERE person_id = :id)",
    "DELETE FROM session WHERE account_id IN (SELECT id FROM account WHERE person_id = :id)",
    "DELETE FROM identity_link WHERE account_id IN (SELECT id FROM account WHERE person_id = :id)",
    "DELETE FROM delivery WHERE channel_id IN (SELECT id FROM channel WHERE person_id = :id)",
    "DELETE FROM channel WHERE person_id = :id",
    "DELETE FROM feed WHERE person_id = :id",
    "DELETE FROM saved_view WHERE person_id = :id",
)
CONTACTS_A_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was forgotten, and the keys of files whose bytes can go."""

    contacts: int
    texts: int
    files: tuple[str, ...]


class Personal:
    """What people ask of their own data through the API."""

    def __init__(self, engine: AsyncEngine, seal: Seal) -> None:
        self._engine = engine
        self._seal = seal

    async def of(self, actor: Actor) -> dict[str, Any] | None:
        """Everything that is kept of this person; None when there is no such person any more."""
        async with self._engine.connect() as connection:
            return await personal_data(connection, UUID(actor.id), self._seal)

    async def log(self, actor: Actor, *, entity: str, purpose: str) -> None:
        """Write down that somebody has read what is kept from most."""
        async with self._engine.begin() as connection:
            await log_access(
                connection, actor_id=actor.id, entity=entity, row_id="", fields_class="ENGINE", purpose=purpose
            )


async def person_of(connection: AsyncConnection, named: str) -> UUID | None:
    """The id of a person by id or username; None when there is none."""
    found = await connection.execute(
        text(
            "SELECT id FROM person WHERE id::text = :named "
            "UNION SELECT person_id FROM account WHERE username = :named LIMIT 1"
        ),
        {"named": named.lower()},
    )
    return found.scalar_one_or_none()


async def personal_data(connection: AsyncConnection, person: UUID, seal: Seal) -> dict[str, Any] | None:
    """Everything that is kept of a person, in clear; None when there is none."""
    row = (await connection.execute(_PERSON, {"id": person})).mappings().first()
    if row is None:
        return None
    asked = {"id": person, "name": str(person)}
    found: dict[str, Any] = {"person": dict(row)}
    for kind, statement in _BESIDES.items():
        wanted = {name: value for name, value in asked.items() if f":{name}" in statement}
        found[kind] = [dict(one) for one in (await connection.execute(text(statement), wanted)).mappings()]
    comments = await connection.execute(_COMMENTS, {"id": person})
    found["comments"] = [
        {
            "number": one.number,
            "at": one.created_at,
            # What was written in an office is the office's.
            **({"wrote": _wrote(one, seal)} if one.role == Role.RESIDENT else {}),
        }
        for one in comments
    ]
    cases = await _cases(connection, case_file.c.persons.contains([str(person)]))
    found["cases"] = await _told(connection, cases, str(person), seal)
    return found


def _wrote(one: Any, seal: Seal) -> list[str]:
    """What a comment says, and what it said before it was changed."""
    sealed = [*(before["sealed_text"] for before in one.earlier), one.sealed_text]
    return [said for said in (seal.open(each, str(one.id)) for each in sealed) if said]


async def reported_data(connection: AsyncConnection, phone: str, seal: Seal) -> dict[str, Any]:
    """Everything that is kept of a reporter without an account, found by the phone that he gave.

    Reads and opens every contact, since what is encrypted cannot be searched.
    """
    theirs = await _contacts_with(connection, phone, seal)
    cases = await _cases(connection, case_file.c.id.in_([case for case, _ in theirs]))
    return {"phone": phone, "cases": await _told(connection, cases, "", seal)}


async def forget_person(connection: AsyncConnection, person: UUID) -> Forgotten:
    """Replace a person by a tombstone (data-model §7.5): his name, how to reach him, what he wrote as a resident.

    What he did in an office stays: it belongs to the office, and names him by id alone.
    """
    name = str(person)
    cases = await _cases(connection, case_file.c.persons.contains([name]))
    own = [one for one in cases if _reports(one, name)]
    said_by_him = [
        one["payload"]
        for case in cases
        for one in await _acts(connection, case["id"], name)
        if one["role"] == Role.RESIDENT
    ]
    contacts = [one["data"]["reporter"] for one in own if one["data"].get("reporter")]
    theirs = and_(
        attachment.c.uploaded_by == name,
        or_(attachment.c.case_id.is_(None), attachment.c.case_id.in_([one["id"] for one in own])),
    )
    files = await connection.execute(delete(attachment).where(theirs).returning(attachment.c.object_key))
    forgotten = await _forget(connection, [*map(_wish, own), *said_by_him], contacts, tuple(files.scalars()))
    await erase_person(connection, person)
    for statement in _SIGN_IN:
        await connection.execute(text(statement), {"id": person})
    return forgotten


async def forget_reporter(connection: AsyncConnection, phone: str, seal: Seal) -> Forgotten:
    """The same for somebody without an account, found by his phone: every contact of his, and what he reported."""
    theirs = await _contacts_with(connection, phone, seal)
    refs = [ref for _, ref in theirs]
    cases = await _cases(connection, case_file.c.id.in_([case for case, _ in theirs]))
    return await _forget(connection, [_wish(one) for one in cases if one["data"].get("reporter") in refs], refs)


async def open_cases(connection: AsyncConnection, person: UUID) -> list[str]:
    """Numbers of cases that he reported and that still go on."""
    own = and_(case_file.c.closed_at.is_(None), case_file.c.reporter_id == str(person))
    return list(await connection.scalars(select(case_file.c.number).where(own).order_by(case_file.c.number)))


def _reports(case: RowMapping, person: str) -> bool:
    """Whether the case is his own wish, rather than one that he took down for somebody in his office."""
    return bool(case["reporter_id"] == person)


async def _cases(connection: AsyncConnection, which: Any) -> Sequence[RowMapping]:
    rows = await connection.execute(select(case_file).where(which).order_by(case_file.c.opened_at, case_file.c.id))
    return rows.mappings().all()


async def _told(
    connection: AsyncConnection, cases: Sequence[RowMapping], person: str, seal: Seal
) -> list[dict[str, Any]]:
    """Cases with what this person wrote and did in them, and who has read how to reach him."""
    told = []
    for case in cases:
        mine = not person or _reports(case, person)
        texts = await texts_of(connection, [case["id"]], [case["title"], case["data"]]) if mine else {}
        shown: dict[str, Any] = {
            "number": case["number"],
            "process": case["process"],
            "opened_at": case["opened_at"],
            "closed_at": case["closed_at"],
            "state": case["state"],
        }
        if mine:
            shown["title"] = said(case["title"], texts)
            shown["description"] = said(case["data"].get("description", ""), texts)
            shown["contact"] = await _contact(connection, case, seal)
            readings = await connection.execute(_READINGS, {"rows": [str(case["id"])]})
            shown["contact_was_read"] = [dict(one) for one in readings.mappings()]
        if person:
            entries = await _acts(connection, case["id"], person)
            clear = await texts_of(connection, [case["id"]], [one["payload"] for one in entries])
            shown["acts"] = [
                {
                    "seq": one["seq"],
                    "type": one["type"],
                    "at": one["at"],
                    "role": one["role"],
                    # What was written in an office is the office's.
                    **({"wrote": resolve(one["payload"], clear)} if one["role"] == Role.RESIDENT else {}),
                }
                for one in entries
            ]
        told.append(shown)
    return told


async def _acts(connection: AsyncConnection, case: UUID, person: str) -> Sequence[RowMapping]:
    theirs = or_(event.c.actor == person, event.c.on_behalf_of == person)
    rows = await connection.execute(select(event).where(event.c.case_id == case, theirs).order_by(event.c.seq))
    return rows.mappings().all()


async def _contact(connection: AsyncConnection, case: RowMapping, seal: Seal) -> dict[str, Any] | None:
    row = (
        await connection.execute(
            select(contact).where(contact.c.case_id == case["id"], contact.c.ref == case["data"].get("reporter"))
        )
    ).first()
    if row is None:
        return None
    return {
        name: seal.open(kept, row.ref) if kept else None for name, kept in (("name", row.name), ("phone", row.phone))
    }


async def _contacts_with(connection: AsyncConnection, phone: str, seal: Seal) -> list[tuple[UUID, str]]:
    wanted, after = _digits(phone), (UUID(int=0), "")
    found: list[tuple[UUID, str]] = []
    while True:
        rows = (
            await connection.execute(
                text(
                    "SELECT case_id, ref, phone FROM contact WHERE (case_id, ref) > (:case, :ref) "
                    "ORDER BY case_id, ref LIMIT :most"
                ),
                {"case": after[0], "ref": after[1], "most": CONTACTS_A_PAGE},
            )
        ).all()
        if not rows:
            return found
        found += [(row[0], row[1]) for row in rows if row[2] and _digits(seal.open(row[2], row[1])) == wanted]
        after = (rows[-1][0], rows[-1][1])


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))[-11:]


async def _forget(
    connection: AsyncConnection, wrote: Sequence[Any], contacts: Sequence[str], files: tuple[str, ...] = ()
) -> Forgotten:
    # By reference alone: copies in cases that were made from his go with them.
    refs = sorted({ref for one in wrote for ref in references(one)})
    texts = await connection.execute(delete(prose).where(prose.c.ref.in_(refs)))
    gone = await connection.execute(delete(contact).where(contact.c.ref.in_(contacts)))
    return Forgotten(gone.rowcount, texts.rowcount, files)


def _wish(case: RowMapping) -> list[Any]:
    """What a reporter says when he brings in a case."""
    return [case["title"], *(case["data"].get(name) for name in ("description", "place_text", "location"))]
