"""Contact details of a reporter, by their own right; each reading is written down (S18, processes §0.7)."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, StringConstraints

from services.api.deps import ActorDep, DeskDep
from services.api.errors import NotFound
from services.api.limits import TimedRoute
from services.api.reach import reaches
from services.api.views import Viewer, local
from workflows.kernel.process import Actor, Case, Forbidden, Process
from workflows.kernel.roles import STAFF, Role

AUDITORS = frozenset({Role.SUPERVISOR, Role.TENANT_ADMIN})
Purpose = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=2, max_length=200),
    AfterValidator(lambda text: text if text.isprintable() else "".join(filter(str.isprintable, text))),
]


def contact_router(process: Process[Any]) -> APIRouter:
    """Give `/issues/{id}/reporter` and `/access-log`."""
    router = APIRouter(route_class=TimedRoute, tags=["privacy"])

    @router.get(
        f"/{process.plural}/{{key}}/reporter",
        operation_id="reporter",
        summary="查看反映人联系方式（留痕） / contact details of the reporter (logged)",
    )
    async def reporter(
        key: Annotated[str, Path(max_length=64)],
        desk: DeskDep,
        actor: ActorDep,
        purpose: Annotated[Purpose, Query(description="查阅目的 / what it is read for")],
    ) -> dict[str, Any]:
        known = await desk.reads.known(actor, process, key)
        if known is None:
            raise NotFound
        _require_right(known.case, actor)
        found = await desk.reads.reporter(known.case.id, actor=actor, purpose=purpose)
        if found is None:
            raise NotFound("NO_CONTACT")
        return dict(found)

    @router.get("/access-log", operation_id="access_log", summary="查阅记录 / who has read contact details")
    async def access_log(
        desk: DeskDep, actor: ActorDep, case: Annotated[str, Query(min_length=1, max_length=64)]
    ) -> dict[str, Any]:
        roles = {grant.role for grant in actor.grants}
        if not roles & AUDITORS:
            raise Forbidden("NOT_IN_ROLE")
        known = await desk.reads.known(actor, process, case)
        if known is None:
            # An administrator sees no content of a case, but who looked at its contact details is his business.
            known = await desk.reads.found(process, case)
            if known is None or not reaches(actor, known.case.community, AUDITORS):
                raise NotFound
        return {"items": [local(dict(row)) for row in await desk.reads.accesses(known.case.id)]}

    return router


def _require_right(case: Case[Any], actor: Actor) -> None:
    """Staff of the place may read it; whoever acts only for the lead may not when it is hidden from the lead."""
    if Viewer(actor).is_veiled(case):
        raise Forbidden("HIDDEN_FROM_LEAD", clause="processes §0.7")
    if reaches(actor, case.community, STAFF):
        return
    if actor.id in (case.data.reporter_id, case.data.submitted_by):
        return
    lead = case.data.lead_org
    if lead is not None and any(grant.org == lead for grant in actor.grants):
        return
    raise Forbidden("NOT_IN_ROLE")
