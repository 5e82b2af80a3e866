"""Say who may ask questions about a place, across its cases."""

from services.api.deps import Desk
from services.api.errors import NotFound
from services.api.views import STAFF
from workflows.kernel.process import Actor, Forbidden
from workflows.kernel.roles import Role

# They sit in the meetings that the lists and agendas are for.
MEMBERS = frozenset(
    {
        Role.EPC_MEMBER,
        Role.TWO_COMMITTEES_MEMBER,
        Role.JOINT_MEETING_DELEGATE,
        Role.DEPUTY_OR_DELEGATE,
        Role.RESIDENT_REPRESENTATIVE,
        Role.LIAISON_LEADER,
    }
)


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
