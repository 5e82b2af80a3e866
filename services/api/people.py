"""People and their accounts over HTTP, for administrators within their place; a look at a telephone is written down."""

import asyncio
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from services.api.accounts import Password
from services.api.deps import ActorDep
from services.api.errors import NotFound
from services.api.limits import TimedRoute
from services.api.master import (
    Body,
    CommunityCode,
    Cursor,
    Limit,
    Match,
    Name,
    Username,
    answer,
    foreign_cursor,
    kept_places,
    listed,
    require_keeper,
    version_of,
)
from services.identity.accounts import Accounts
from services.storage import people_records as records
from services.storage.cursors import CursorInvalid
from services.storage.people import erase_person, set_account_active
from services.storage.tree import Tree
from workflows.kernel.calendar import CHINA
from workflows.kernel.process import Actor, Forbidden, GuardFailed

Phone = Annotated[str, Field(pattern=r"^[0-9+() -]{5,32}$")]
PersonKey = Annotated[str, Path(max_length=64, description="用户名或人员 id / username or id")]


class NewPerson(Body):
    """A person; with a username he can sign in, by the password given, or else by another provider only."""

    display_name: Name
    phone: Phone | None = None
    home_community_code: CommunityCode | None = None
    username: Username | None = None
    password: Password | None = None


class PersonChange(Body):
    """What may change of a person."""

    display_name: Name | None = None
    phone: Phone | None = None
    home_community_code: CommunityCode | None = None


class NewAccount(Body):
    """A sign-in for somebody."""

    username: Username
    password: Password | None = None


class AccountChange(Body):
    """Open or close a sign-in, give it another password, or ask for no more one-time codes (a lost telephone)."""

    active: bool | None = None
    password: Password | None = None
    second_factor: Annotated[bool, Field(description="false: 解除 / remove")] | None = None


def people_router(tree: Tree, accounts: Accounts) -> APIRouter:
    """Give `/people` and `/people/{person}/accounts`."""
    router = APIRouter(route_class=TimedRoute, tags=["tree"])
    _add_people(router, tree, accounts)
    _add_accounts(router, tree, accounts)
    return router


def _add_people(router: APIRouter, tree: Tree, accounts: Accounts) -> None:
    @router.get("/people", operation_id="people.list", summary="人员 / people")
    async def people(
        actor: ActorDep,
        within: Annotated[str | None, Query(pattern=r"^[0-9]{1,15}$")] = None,
        q: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
        role: Annotated[str | None, Query(max_length=64)] = None,
        on: date | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> dict[str, Any]:
        places = (within,) if within else kept_places(actor)
        for place in places:
            require_keeper(actor, place)
        try:
            async with tree.looking() as connection:
                page = await records.people_page(
                    connection, places, on=on or _today(), q=q, role=role, after=cursor, limit=limit
                )
        except CursorInvalid:
            raise foreign_cursor() from None
        return listed(page)

    @router.post("/people", operation_id="people.add", summary="新增人员 / add a person", status_code=201)
    async def add(request: Request, body: NewPerson, actor: ActorDep) -> JSONResponse:
        await _may_add(tree, actor, body.home_community_code)
        hashed = await _hashed(accounts, body.password)
        values = body.model_dump(exclude={"username", "password"})
        async with tree.changing(actor.id) as connection:
            made = await records.add_person_row(connection, values)
            if body.username is not None:
                await records.add_account_row(connection, made, body.username, hashed)
            row = await records.person_row(connection, made)
        return answer(row, 201, location=f"{request.url.path}/{made}")

    @router.get("/people/{person}", operation_id="people.one", summary="一名人员 / one person")
    async def one(person: PersonKey, actor: ActorDep) -> JSONResponse:
        found = await _kept(tree, actor, person)
        async with tree.looking() as connection:
            return answer(await records.person_row(connection, found))

    @router.patch("/people/{person}", operation_id="people.change", summary="修改人员 / change a person")
    async def change(person: PersonKey, body: PersonChange, actor: ActorDep, if_match: Match = None) -> JSONResponse:
        found = await _kept(tree, actor, person)
        if body.home_community_code is not None:
            await _may_add(tree, actor, body.home_community_code)
        async with tree.changing(actor.id) as connection:
            await records.change_person(connection, found, body.given(), version_of(if_match))
            row = await records.person_row(connection, found)
        return answer(row)

    @router.get("/people/{person}/phone", operation_id="people.phone", summary="查阅电话（留痕）/ look at a telephone")
    async def phone(
        person: PersonKey, actor: ActorDep, purpose: Annotated[str, Query(min_length=2, max_length=200)]
    ) -> dict[str, str | None]:
        found = await _kept(tree, actor, person)
        async with tree.changing(actor.id) as connection:
            return {"phone": await records.phone_of(connection, found, actor=actor.id, purpose=purpose)}

    @router.delete(
        "/people/{person}", operation_id="people.erase", summary="抹除人员 / erase somebody", status_code=204
    )
    async def erase(person: PersonKey, actor: ActorDep) -> None:
        found = await _kept(tree, actor, person)
        if str(found) == actor.id:
            raise GuardFailed("OWN_ACCOUNT", clause="processes §0.1")
        async with tree.changing(actor.id) as connection:
            await erase_person(connection, found)
        accounts.forget()


def _add_accounts(router: APIRouter, tree: Tree, accounts: Accounts) -> None:
    @router.post(
        "/people/{person}/accounts", operation_id="accounts.add", summary="新增账号 / give a sign-in", status_code=201
    )
    async def add(person: PersonKey, body: NewAccount, actor: ActorDep) -> JSONResponse:
        found = await _kept(tree, actor, person)
        hashed = await _hashed(accounts, body.password)
        async with tree.changing(actor.id) as connection:
            await records.add_account_row(connection, found, body.username, hashed)
            row = await records.person_row(connection, found)
        return answer(row, 201)

    @router.patch(
        "/people/{person}/accounts/{username}",
        operation_id="accounts.change",
        summary="停用账号、重置密码 / close a sign-in, give it another password",
    )
    async def change(
        person: PersonKey, username: Annotated[str, Path(max_length=64)], body: AccountChange, actor: ActorDep
    ) -> JSONResponse:
        found = await _kept(tree, actor, person)
        async with tree.looking() as connection:
            account = await records.account_row(connection, username)
        if account is None or account["person_id"] != found:
            raise NotFound
        if str(found) == actor.id:
            # His own password he changes by showing the old one; nobody closes himself out.
            raise GuardFailed("OWN_ACCOUNT", clause="processes §0.1")
        if body.active is not None:
            async with tree.changing(actor.id) as connection:
                await set_account_active(connection, username, body.active)
            accounts.forget()
        if body.password is not None:
            await accounts.set_password(account["id"], body.password, by=actor.id)
        if body.second_factor is False:
            await accounts.lose_second_factor(account["id"], by=actor.id)
        async with tree.looking() as connection:
            return answer(await records.person_row(connection, found))


async def _may_add(tree: Tree, actor: Actor, home: str | None) -> None:
    """Somebody with a home is added by who keeps it; somebody without one by who keeps the whole."""
    async with tree.looking() as connection:
        place = home or await records.root_code(connection)
    if not place.startswith(kept_places(actor)) and home is None:
        raise Forbidden("HOME_NEEDED", field="home_community_code")
    require_keeper(actor, place)


async def _kept(tree: Tree, actor: Actor, name: str) -> UUID:
    """The id of somebody whom this administrator keeps; raises `Forbidden` or `NotFound`."""
    places = kept_places(actor)
    found = await tree.person_id(name)
    if found is None or not await tree.keeps(places, str(found)):
        raise NotFound
    return found


async def _hashed(accounts: Accounts, password: str | None) -> str:
    return records.NO_PASSWORD if password is None else await asyncio.to_thread(accounts.hashed, password)


def _today() -> date:
    return datetime.now(UTC).astimezone(CHINA).date()
