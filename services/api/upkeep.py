"""For administrators: work off troubles, check the history, and see what would be forgotten."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Path
from fastapi.routing import APIRoute
from pydantic import Field

from services.api.deps import ActorDep, LanguageDep
from services.api.errors import NotFound, TooMany
from services.api.limits import PatientRoute
from services.api.master import Body, kept_places, require_keeper
from services.api.postgres import Database
from services.api.views import local
from services.storage.audit import Finding, Signer, sealed_days, verify
from services.storage.people_records import root_code
from services.storage.retention import RULES, due, kept_days
from services.texts.catalogue import catalogue
from workflows.kernel.process import GuardFailed
from workflows.policy.pack import Pack

AGAIN = timedelta(seconds=30)
MOST_FINDINGS = 500
SEALS_SHOWN = 60
VERIFY_WITHIN = 600.0


class Outcome(Protocol):
    """What trying again came to."""

    @property
    def goes_on(self) -> bool: ...
    @property
    def why(self) -> str: ...


class Hands(Protocol):
    """What operators do about troubles (services/mending.py)."""

    async def again(self, incident_id: UUID, by: str) -> Outcome | None: ...
    async def close(self, incident_id: UUID, *, by: str, reason: str) -> bool: ...


class Closing(Body):
    """Why a trouble is closed by hand."""

    reason: Annotated[str, Field(min_length=2, max_length=200)]


def upkeep_router(
    database: Database,
    hands: Hands,
    signer: Signer,
    pack: Pack,
) -> APIRouter:
    """Give `/incidents/{id}/…`, `/audit/…` and `/retention`."""
    router = APIRouter(tags=["operation"], route_class=PatientRoute)
    _add_incidents(router, hands)
    _add_audit(router, database, signer)
    _add_retention(router, database, pack)
    return router


def _add_incidents(router: APIRouter, hands: Hands) -> None:
    @router.post("/incidents/{incident_id}/retry", operation_id="retry_incident", summary="再试一次 / try it again")
    async def again(incident_id: Annotated[UUID, Path()], actor: ActorDep) -> dict[str, Any]:
        kept_places(actor)
        tried = await hands.again(incident_id, actor.id)
        if tried is None:
            raise NotFound
        if not tried.goes_on:
            raise GuardFailed("RETRY_FAILED", why=tried.why)
        return {"goes_on": True}

    @router.post(
        "/incidents/{incident_id}/close",
        operation_id="close_incident",
        summary="人工关闭，写明原因 / close it by hand",
        status_code=204,
    )
    async def close(incident_id: Annotated[UUID, Path()], body: Closing, actor: ActorDep) -> None:
        kept_places(actor)
        if not await hands.close(incident_id, by=actor.id, reason=body.reason.strip()):
            raise NotFound


def _add_audit(router: APIRouter, database: Database, signer: Signer) -> None:
    one_at_a_time = asyncio.Lock()

    @router.get("/audit/seals", operation_id="audit_seals", summary="每日封存与公钥 / sealed days and public keys")
    async def seals(actor: ActorDep) -> dict[str, Any]:
        kept_places(actor)
        async with database.connect() as connection:
            days = await sealed_days(connection, SEALS_SHOWN)
        return {"public_keys": signer.public_keys(), "items": [local(dict(day)) for day in days]}

    async def verification(actor: ActorDep, language: LanguageDep) -> dict[str, Any]:
        if one_at_a_time.locked():
            raise TooMany("VERIFYING_ALREADY", AGAIN)
        async with one_at_a_time, asyncio.timeout(VERIFY_WITHIN), database.connect() as connection:
            require_keeper(actor, await root_code(connection))
            began = datetime.now(UTC)
            found = [one async for one in _first(verify(connection, signer, began), MOST_FINDINGS)]
        shown = [_finding(one, language) for one in found]
        whole = not shown
        return {"whole": whole, "more": len(shown) == MOST_FINDINGS, "items": shown, "checked_at": local(began)}

    # It reads the whole history, and so takes longer than an answer may.
    router.add_api_route(
        "/audit/verification",
        verification,
        methods=["POST"],
        operation_id="verify_audit",
        summary="核对全部历史 / check the whole history",
        route_class_override=APIRoute,
    )


def _add_retention(router: APIRouter, database: Database, pack: Pack) -> None:
    @router.get("/retention", operation_id="retention", summary="到期应删除的个人信息 / what would be forgotten now")
    async def retention(actor: ActorDep, language: LanguageDep) -> dict[str, Any]:
        now = datetime.now(UTC)
        async with database.connect() as connection:
            require_keeper(actor, await root_code(connection))
            counts = [await due(connection, rule, pack, now) for rule in RULES]
        return {
            "items": [
                {
                    "code": rule.code,
                    "title": rule.en if language == "en" else rule.zh,
                    "days": kept_days(rule, pack),
                    "clause": pack.parameter(rule.parameter).source,
                    "due": count,
                }
                for rule, count in zip(RULES, counts, strict=True)
            ]
        }


async def _first(found: AsyncIterator[Finding], most: int) -> AsyncIterator[Finding]:
    count = 0
    async for one in found:
        yield one
        count += 1
        if count == most:
            return


def _finding(one: Finding, language: str) -> dict[str, Any]:
    return {
        "why": one.why,
        "message": catalogue().say("audit", one.why, language),
        "case_id": str(one.case_id) if one.case_id else None,
        "number": one.number,
        "seq": one.seq,
        "day": one.day.isoformat() if one.day else None,
    }
