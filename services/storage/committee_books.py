"""Write committees that exist already into the register, a community at a time (名册导入), and give them back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage.committee_tables import certificate
from services.storage.deeds.committees import NAMES, POST_ROLES
from services.storage.ids import uuid7
from services.storage.people import act_as
from services.storage.people_tables import account, body, body_member, community, person, person_role, region
from services.storage.seating import CHAIR, ENDED
from workflows.kernel.roles import Role

SOURCE = "IMPORT"
BEFORE_FORMED = ("NOT_STARTED", "PREPARING", "LATE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One member of a committee as a register has him (名册一行); `person` is empty for somebody new."""

    name: str
    post: str
    category: str
    since: date
    phone: str | None = None
    username: str | None = None
    cert_no: str | None = None
    person: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known of the communities that a file names."""

    names: Mapping[str, str]
    accounts: Mapping[str, str]
    """Person by username."""
    people: Mapping[tuple[str, str], tuple[tuple[str, str | None], ...]]
    """People with their phones by community and name."""
    seats: Mapping[str, frozenset[tuple[str, str, str | None]]]
    """Person, post and category of whoever sits today, by community."""
    secretaries: Mapping[str, str]
    bodies: Mapping[tuple[str, str], frozenset[str]]
    """Who sits in the 大党委 and the 两委, by kind and community."""
    certificates: Mapping[str, str]
    """Person by certificate, of those that a file names."""


async def ground(
    connection: AsyncConnection,
    codes: Collection[str],
    usernames: Collection[str],
    numbers: Collection[str],
    today: date,
) -> Ground:
    """Look up everything that a file is checked against, in a handful of statements however long it is."""
    names = await connection.execute(
        select(region.c.code, region.c.name)
        .join(community, community.c.region_code == region.c.code)
        .where(region.c.code.in_(codes))
    )
    accounts = await connection.execute(
        select(account.c.username, account.c.person_id).where(account.c.username.in_(usernames), account.c.active)
    )
    at_home = select(person.c.id, person.c.display_name, person.c.phone, person.c.home_community_code.label("place"))
    in_office = select(person.c.id, person.c.display_name, person.c.phone, person_role.c.place.label("place")).join(
        person_role, person_role.c.person_id == person.c.id
    )
    known = at_home.where(person.c.home_community_code.in_(codes)).union(
        in_office.where(person_role.c.place.in_(codes))
    )
    people: dict[tuple[str, str], list[tuple[str, str | None]]] = {}
    for one in await connection.execute(known):
        people.setdefault((one.place, one.display_name), []).append((str(one.id), one.phone))
    seated = await connection.execute(
        select(body.c.type, body.c.region_code, body_member.c.person_id, body_member.c.post, body_member.c.category)
        .join(body_member, body_member.c.body_id == body.c.id)
        .where(body.c.region_code.in_(codes), body.c.active, body_member.c.person_id.is_not(None))
        .where(body_member.c.status != ENDED, body_member.c.since <= today)
        .where(or_(body_member.c.until.is_(None), body_member.c.until >= today))
    )
    seats: dict[str, set[tuple[str, str, str | None]]] = {}
    bodies: dict[tuple[str, str], set[str]] = {}
    for row in seated:
        bodies.setdefault((row.type, row.region_code), set()).add(str(row.person_id))
        if row.type == "CWC":
            seats.setdefault(row.region_code, set()).add((str(row.person_id), row.post, row.category))
    heads = await connection.execute(
        select(person_role.c.place, person_role.c.person_id)
        .where(person_role.c.role == Role.PARTY_SECRETARY.value, person_role.c.place.in_(codes))
        .where(person_role.c.since <= today, or_(person_role.c.until.is_(None), person_role.c.until >= today))
        .order_by(person_role.c.since)
    )
    issued = await connection.execute(
        select(certificate.c.cert_no, certificate.c.person_id).where(certificate.c.cert_no.in_(numbers))
    )
    return Ground(
        names={row.code: row.name for row in names},
        accounts={row.username: str(row.person_id) for row in accounts},
        people={key: tuple(found) for key, found in people.items()},
        seats={code: frozenset(found) for code, found in seats.items()},
        secretaries={row.place: str(row.person_id) for row in heads},
        bodies={key: frozenset(found) for key, found in bodies.items()},
        certificates={row.cert_no: str(row.person_id) for row in issued},
    )


async def write(
    connection: AsyncConnection, place: str, entries: Sequence[Entry], *, actor: str, has_secretary: bool
) -> None:
    """Seat a committee that there was none of in the register; in the caller's transaction."""
    await act_as(connection, actor)
    tenant = await connection.scalar(select(region.c.tenant_id).where(region.c.code == place))
    name = await connection.scalar(select(region.c.name).where(region.c.code == place))
    body_id = await connection.scalar(
        select(body.c.id).where(body.c.type == "CWC", body.c.region_code == place, body.c.active).with_for_update()
    )
    if body_id is None:
        body_id = uuid7()
        await connection.execute(
            insert(body).values(
                id=body_id, tenant_id=tenant, type="CWC", region_code=place, name=f"{name}{NAMES['CWC']}"
            )
        )
    ids = [UUID(one.person) if one.person else uuid7() for one in entries]
    new = [
        {
            "id": key,
            "tenant_id": tenant,
            "display_name": one.name,
            "phone": one.phone,
            "home_community_code": place,
            "source": SOURCE,
        }
        for key, one in zip(ids, entries, strict=True)
        if not one.person
    ]
    if new:
        await connection.execute(insert(person), new)
    await connection.execute(
        insert(body_member),
        [
            {
                "id": uuid7(),
                "tenant_id": tenant,
                "body_id": body_id,
                "person_id": key,
                "post": one.post,
                "category": one.category,
                "since": one.since,
            }
            for key, one in zip(ids, entries, strict=True)
        ],
    )
    await _give_roles(connection, place, tenant, list(zip(ids, entries, strict=True)), has_secretary=has_secretary)
    held = [
        {
            "id": uuid7(),
            "tenant_id": tenant,
            "cert_no": one.cert_no,
            "person_id": key,
            "community_code": place,
            "post": one.post,
            "category": one.category,
            "issued_on": one.since,
        }
        for key, one in zip(ids, entries, strict=True)
        if one.cert_no
    ]
    if held:
        await connection.execute(insert(certificate), held)
    await connection.execute(
        update(community)
        .where(
            community.c.region_code == place,
            or_(community.c.rollout_state.is_(None), community.c.rollout_state.in_(BEFORE_FORMED)),
        )
        .values(rollout_state="FORMED")
    )


async def held(connection: AsyncConnection, place: str, today: date) -> Sequence[tuple[str, str, Entry]]:
    """Every member of every committee of a place today: community, its name, the entry."""
    number = (
        select(certificate.c.cert_no)
        .where(
            certificate.c.person_id == body_member.c.person_id,
            certificate.c.community_code == body.c.region_code,
            certificate.c.revoked_on.is_(None),
        )
        .order_by(certificate.c.issued_on.desc())
        .limit(1)
        .scalar_subquery()
    )
    sign_in = (
        select(account.c.username)
        .where(account.c.person_id == body_member.c.person_id, account.c.active)
        .order_by(account.c.id)
        .limit(1)
        .scalar_subquery()
    )
    rows = await connection.execute(
        select(
            body.c.region_code,
            region.c.name.label("community"),
            person.c.display_name,
            body_member.c.post,
            body_member.c.category,
            body_member.c.since,
            body_member.c.person_id,
            number.label("cert_no"),
            sign_in.label("username"),
        )
        .join(body_member, body_member.c.body_id == body.c.id)
        .join(person, person.c.id == body_member.c.person_id)
        .join(region, region.c.code == body.c.region_code)
        .where(body.c.type == "CWC", body.c.active, body.c.region_code.startswith(place, autoescape=True))
        .where(body_member.c.status != ENDED, body_member.c.since <= today)
        .where(or_(body_member.c.until.is_(None), body_member.c.until >= today))
        .order_by(body.c.region_code, body_member.c.post != CHAIR, body_member.c.post.desc(), body_member.c.id)
    )
    return [
        (
            row.region_code,
            row.community,
            Entry(
                name=row.display_name,
                post=row.post,
                category=row.category or "",
                since=row.since,
                username=row.username,
                cert_no=row.cert_no,
                person=str(row.person_id),
            ),
        )
        for row in rows
    ]


async def _give_roles(
    connection: AsyncConnection,
    place: str,
    tenant: Any,
    entries: Sequence[tuple[UUID, Entry]],
    *,
    has_secretary: bool,
) -> None:
    wanted = [(key, POST_ROLES[one.post], one.since) for key, one in entries]
    if not has_secretary:
        # The chair of a committee is the secretary (001 §三2): the register learns of him from this file.
        wanted += [(key, Role.PARTY_SECRETARY, one.since) for key, one in entries if one.post == CHAIR]
    open_ = await connection.execute(
        select(person_role.c.person_id, person_role.c.role).where(
            and_(person_role.c.place == place, person_role.c.until.is_(None))
        )
    )
    there = {(row.person_id, row.role) for row in open_}
    rows = [
        {"id": uuid7(), "tenant_id": tenant, "person_id": key, "role": role.value, "place": place, "since": since}
        for key, role, since in wanted
        if (key, role.value) not in there
    ]
    if rows:
        await connection.execute(insert(person_role), rows)
