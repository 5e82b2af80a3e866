"""The bodies that meet (议事主体): who convenes them, who sits in them, how they decide, what they may take (pure).

The rows are those of the table in processes P3; shares and modes come from the policy pack.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from workflows.kernel.roles import Role
from workflows.meeting.data import MeetingType


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A row of the table: its name, `key` of its parameters, `register` of its seats, whose `topics` it may take."""

    zh: str
    key: str = ""
    register: str = ""
    convenors: tuple[Role, ...]
    members: tuple[Role, ...] = ()
    topics: tuple[str, ...] = ()
    frequency: str = ""
    proposes_only: bool = False
    external: bool = False
    """Its sessions are called by itself, not by the community."""


SECRETARY = (Role.PARTY_SECRETARY, Role.CWC_CHAIR)
"""The party secretary, or who acts for him: the chair of the committee is the secretary by office (001 §三2)."""
COMMITTEE = (Role.CWC_CHAIR, Role.CWC_VICE_CHAIR, Role.CWC_MEMBER)
COMMUNITY = (Role.PARTY_SECRETARY, Role.CWC_CHAIR, Role.COMMUNITY_WORKER)
EPC_TOPICS = ("EXTENDED_PARTY_COMMITTEE",)

BODIES: Mapping[MeetingType, Body] = {
    MeetingType.TWO_COMMITTEES: Body(
        zh="两委会议",
        key="two_committees",
        register="TWO_COMMITTEES",
        convenors=SECRETARY,
        members=(Role.TWO_COMMITTEES_MEMBER,),
        topics=("TWO_COMMITTEES",),
    ),
    MeetingType.EXTENDED_PARTY_COMMITTEE: Body(
        zh="大党委会议",
        key="epc",
        register="EPC",
        convenors=SECRETARY,
        members=(Role.EPC_MEMBER,),
        topics=EPC_TOPICS,
        frequency="meeting.epc.frequency",
    ),
    MeetingType.PARTY_BUILDING_JOINT: Body(
        zh="党建联席会议",
        key="pjm",
        register="PJM",
        convenors=(*SECRETARY, Role.JOINT_MEETING_DELEGATE),
        members=(Role.JOINT_MEETING_DELEGATE, Role.UNIT_LIAISON),
        topics=EPC_TOPICS,
    ),
    MeetingType.CWC_SESSION: Body(
        zh="社工委会议", key="cwc", register="CWC", convenors=(Role.CWC_CHAIR,), members=COMMITTEE, proposes_only=True
    ),
    MeetingType.RESIDENT_REPRESENTATIVES: Body(
        zh="居民代表会议", key="rra", register="RRA", convenors=COMMUNITY, members=(Role.RESIDENT_REPRESENTATIVE,)
    ),
    MeetingType.RESIDENT_ASSEMBLY: Body(zh="居民会议", key="assembly", convenors=COMMUNITY, members=(Role.RESIDENT,)),
    MeetingType.PARTY_MEMBERS: Body(zh="党员大会", key="party_members", register="PARTY_MEMBERS", convenors=SECRETARY),
    MeetingType.SUBDISTRICT_PARTY: Body(
        zh="街道党(工)委会议",
        key="spc",
        register="SPC",
        convenors=(Role.STREET_PARTY_OFFICER,),
        members=(Role.STREET_PARTY_OFFICER,),
        external=True,
    ),
    MeetingType.DELIBERATION: Body(zh="协商议事会", convenors=COMMUNITY),
    MeetingType.SYMPOSIUM: Body(zh="座谈会", convenors=COMMUNITY),
    MeetingType.GROUP_HEADS: Body(zh="居民小组长会议", convenors=COMMUNITY, members=(Role.RESIDENT_GROUP_HEAD,)),
    MeetingType.WEEKLY: Body(zh="每周例会", convenors=COMMUNITY),
}


def body(kind: MeetingType) -> Body:
    """The row of a body."""
    return BODIES[kind]
