"""Who may do what in a meeting: the convenor, the chair, the secretary, members and everybody who speaks (pure)."""

from collections.abc import Iterable
from typing import Any

from workflows.kernel.process import Actor, Address, Case, Who
from workflows.kernel.roles import TITLES, Role
from workflows.meeting.bodies import COMMITTEE, body
from workflows.meeting.data import Meeting

SPEAKERS = (
    Role.PARTY_SECRETARY,
    *COMMITTEE,
    Role.EPC_MEMBER,
    Role.TWO_COMMITTEES_MEMBER,
    Role.JOINT_MEETING_DELEGATE,
    Role.RESIDENT_REPRESENTATIVE,
    Role.INTERESTED_PARTY,
    Role.DEPUTY_OR_DELEGATE,
    Role.STREET_PARTY_OFFICER,
    Role.UNIT_LIAISON,
    Role.COMMUNITY_WORKER,
)
"""Whoever may ask for the floor and is told why he may not vote (S32)."""


def role(one: Role) -> Who:
    """Everybody with this role whose place reaches the meeting's community."""
    return Who(one, TITLES[one][0], lambda case: (Address(role=one, place=case.community),))


def _roles(case: Case[Meeting], roles: Iterable[Role]) -> tuple[Address, ...]:
    return tuple(Address(role=one, place=case.community) for one in dict.fromkeys(roles))


def _convenor(case: Case[Meeting]) -> tuple[Address, ...]:
    return _roles(case, (one for kind in case.data.bodies for one in body(kind).convenors))


def _chair(case: Case[Meeting]) -> tuple[Address, ...]:
    """The convenor, or whom he has named (processes P3)."""
    if case.data.chair is not None:
        return (Address(person=case.data.chair),)
    return _convenor(case)


def _clerk(case: Case[Meeting]) -> tuple[Address, ...]:
    """The meeting secretary; bodies that the community does not convene keep their minutes themselves."""
    if any(body(kind).external for kind in case.data.bodies):
        return _convenor(case)
    return _roles(case, (Role.MEETING_SECRETARY,))


def _member(case: Case[Meeting]) -> tuple[Address, ...]:
    seated = (
        person for seats in case.data.rosters.values() for seat in seats for person in (seat.person, *seat.deputies)
    )
    return tuple(Address(person=person) for person in dict.fromkeys(seated) if person)


def _responsible(case: Case[Meeting]) -> tuple[Address, ...]:
    leads = dict.fromkeys(task.lead_org for task in case.data.tasks.values() if task.lead_org and not task.done)
    return tuple(Address(org=lead) for lead in leads)


def _schedules(case: Case[Any]) -> tuple[Address, ...]:
    """Whoever may call any body; the rule asks whether it is his."""
    return _roles(case, (Role.MEETING_SECRETARY, *CALLERS))


CALLERS = (
    Role.PARTY_SECRETARY,
    Role.CWC_CHAIR,
    Role.JOINT_MEETING_DELEGATE,
    Role.COMMUNITY_WORKER,
    Role.STREET_PARTY_OFFICER,
)

SYSTEM = Who(Role.SYSTEM, "系统定时", lambda case: (Address(role=Role.SYSTEM),))
CALLER = Who("caller", "会议召集方", _schedules)
CONVENOR = Who("convenor", "召集人", _convenor)
CHAIR = Who("chair", "主持人", _chair)
CLERK = Who("clerk", "会议秘书", _clerk)
MEMBER = Who("member", "成员", _member)
RESPONSIBLE = Who("responsible", "责任单位", _responsible)
FLOOR = tuple(role(one) for one in dict.fromkeys(SPEAKERS))
COMMUNITY_WORKER = role(Role.COMMUNITY_WORKER)
RESIDENT = role(Role.RESIDENT)


def acts_as(who: Who, case: Case[Any], actor: Actor) -> bool:
    """Say whether somebody is addressed in any of his roles, not only in the one in which he acts now."""
    return any(address.fits(actor, grant) for address in who.addresses(case) for grant in actor.grants)
