"""The cast of the access matrix: everybody who could call, one case of every process, a recipe for each operation."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.storage.ids import uuid7
from services.storage.ledger_tables import case_file
from services.storage.people_tables import account, person, person_role, tenant
from workflows.kernel.process import Actor, Address, Case, Grant, Pin, Process
from workflows.kernel.roles import Role
from workflows.kernel.wire import case_row
from workflows.notice.data import Kind
from workflows.policy.pack import Pack

NOW = datetime.now(UTC)
INSIDE, OUTSIDE = "620199001001", "630102003004"
ORG = "property-1"
# What no case of theirs is without, so that lists of them may count on it.
ALWAYS_THERE: Mapping[str, Mapping[str, Any]] = {"notice": {"kind": Kind.RESULT, "posted_at": NOW}}
COUNTY = (Role.OFFICE_REVIEWER, Role.LEADING_GROUP_APPROVER)
WITH_ORG = (Role.UNIT_LIAISON, Role.DEPARTMENT_OFFICER)
COLUMNS = ("orgs", "persons", "places", "lead_org", "category_code", "red", "submitted_by", "reporter_id")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody in one role, inside the place of the cases or far outside."""

    role: Role
    inside: bool
    actor: Actor

    def __str__(self) -> str:
        return f"{self.role} {'inside' if self.inside else 'outside'}"


def _place(role: Role, inside: bool) -> str:
    """Where a role is held: the leading group and its office sit in the county (glossary §1)."""
    place = INSIDE if inside else OUTSIDE
    return place[:6] if role in COUNTY else place


async def everybody(storage: AsyncEngine) -> list[Caller]:
    """Write a person with an account for every role, inside and outside."""
    callers = [
        Caller(
            role,
            inside,
            Actor(
                str(uuid7()),
                f"{role.replace('_', '-')}-{'in' if inside else 'out'}",
                (Grant(role, _place(role, inside), ORG if inside and role in WITH_ORG else None),),
            ),
        )
        for role in Role
        if role is not Role.SYSTEM
        for inside in (True, False)
    ]
    async with storage.begin() as connection:
        of = {"tenant_id": (await connection.scalars(select(tenant.c.id))).one()}
        people = [(UUID(one.actor.id), one.actor) for one in callers]
        await connection.execute(
            insert(person), [{**of, "id": key, "display_name": actor.username} for key, actor in people]
        )
        accounts = [
            {"id": uuid7(), "person_id": key, "username": a.username, "password_hash": "!"} for key, a in people
        ]
        await connection.execute(insert(account), [{**of, **row} for row in accounts])
        await connection.execute(
            insert(person_role),
            [
                {
                    **of,
                    "id": uuid7(),
                    "person_id": key,
                    "role": actor.grants[0].role,
                    "place": actor.grants[0].place,
                    "org_code": actor.grants[0].org,
                    "since": datetime(2025, 1, 1, tzinfo=UTC).date(),
                }
                for key, actor in people
            ],
        )
    return callers


async def cases(storage: AsyncEngine, processes: Iterator[Process[Any]], pack: Pack) -> dict[str, Case[Any]]:
    """Write one case of every process, in its first state, with nothing in it but where it lies."""
    found = {process.name: _case(process, pack, number) for number, process in enumerate(processes)}
    named = dict(found)
    async with storage.begin() as connection:
        for process, case in named.items():
            row = case_row(_BY_NAME[process], case)
            facets = {name: value for name, value in row.pop("facets").items() if name in COLUMNS and value is not None}
            moments = {"opened_at": case.opened_at, "updated_at": case.updated_at, "closed_at": None}
            row = {name: value for name, value in row.items() if name in case_file.c}
            await connection.execute(
                insert(case_file).values({**row, **moments, **facets, "hash": b"\0" * 32, "origin": INSIDE})
            )
    return found


_BY_NAME: dict[str, Process[Any]] = {}


def _case(process: Process[Any], pack: Pack, number: int) -> Case[Any]:
    _BY_NAME[process.name] = process
    state, _, phase = process.states[0].name.partition(":")
    now = datetime.now(UTC)
    return Case(
        id=str(uuid7()),
        process=process.name,
        community=INSIDE,
        pin=Pin(pack.pack, pack.version, pack.sha),
        data=replace(process.data(), **ALWAYS_THERE.get(process.name, {})),
        version=1,
        number=f"{INSIDE}202601{number:04d}",
        state=state,
        phase=phase,
        opened_at=now,
        updated_at=now,
    )


def may(process: Process[Any], case: Case[Any], command: str, caller: Caller) -> bool:
    """What the arrow table says: is this caller addressed by the row that the command has here, or else by any row?"""
    kind = process.commands[command]
    rows = [arrow for arrow in process.arrows if arrow.on is kind]
    here = [arrow for arrow in rows if arrow.source == case.position] or rows
    grant = caller.actor.grants[0]
    return any(_is_meant(one, caller, grant) for row in here for who in row.by for one in who.addresses(case))


def _is_meant(address: Address, caller: Caller, grant: Grant) -> bool:
    return (
        address.role in (None, grant.role)
        and (address.place is None or address.place.startswith(grant.place))
        and address.org in (None, grant.org)
        and address.person in (None, caller.actor.id)
    )


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an operation is asked so that nothing but the right decides: path, query, body."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    body: Any = None


def filled(path: str, values: Mapping[str, str]) -> str:
    """An address with its parameters."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], "none"), path).removeprefix("/api/v1")
