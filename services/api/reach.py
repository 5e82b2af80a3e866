"""Say who may ask questions about a place, across its cases."""

from services.api.deps import Desk
from services.api.errors import NotFound
from workflows.kernel.process import Actor, Forbidden
from workflows.kernel.roles import MEMBERS, STAFF, Role


def reaches(actor: Actor, place: str, roles: frozenset[Role]) -> bool:
    """Say whether somebody holds one of the roles over a place."""
    return any(grant.role in roles and place.startswith(grant.place) for grant in actor.grants)


async def require_community(desk: Desk, actor: Actor, community: str) -> None:
    """Let in whoever works or decides for a community; raises `NotFound` for no community, else `Forbidden`."""
    if not await desk.people.communities([community]):
        raise NotFound
    if not reaches(actor, community, STAFF | MEMBERS):
        raise Forbidden("NOT_IN_ROLE", field="community_id")


def require_staff(actor: Actor, place: str) -> None:
    """Let in whoever works for a place."""
    if not reaches(actor, place, STAFF):
        raise Forbidden("NOT_IN_ROLE")
