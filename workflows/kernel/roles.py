"""The roles of the field (角色): who people are, before any case asks what they may do (pure)."""

from enum import StrEnum


class Role(StrEnum):
    """A role that a person holds somewhere in the tree of regions (glossary §2)."""

    RESIDENT = "resident"
    GRID_WORKER = "grid_worker"
    COMMUNITY_WORKER = "community_worker"
    BUILDING_HEAD = "building_head"
    UNIT_HEAD = "unit_head"
    CLUSTER_HEAD = "cluster_head"
    RESIDENT_GROUP_HEAD = "resident_group_head"
    VOLUNTEER = "volunteer"
    VETERAN = "veteran"
    SOCIAL_WORKER = "social_worker"
    CWC_CHAIR = "cwc_chair"
    CWC_VICE_CHAIR = "cwc_vice_chair"
    CWC_MEMBER = "cwc_member"
    PARTY_SECRETARY = "party_secretary"
    TWO_COMMITTEES_MEMBER = "two_committees_member"
    EPC_MEMBER = "epc_member"
    JOINT_MEETING_DELEGATE = "joint_meeting_delegate"
    INTERESTED_PARTY = "interested_party"
    DEPUTY_OR_DELEGATE = "deputy_or_delegate"
    RESIDENT_REPRESENTATIVE = "resident_representative"
    MEETING_SECRETARY = "meeting_secretary"
    SUBDISTRICT_OFFICER = "subdistrict_officer"
    SUPERVISOR = "supervisor"
    DEPARTMENT_OFFICER = "department_officer"
    OFFICE_REVIEWER = "office_reviewer"
    LEADING_GROUP_APPROVER = "leading_group_approver"
    SEAL_KEEPER = "seal_keeper"
    LIAISON_LEADER = "liaison_leader"
    UNIT_LIAISON = "unit_liaison"
    STREET_PARTY_OFFICER = "street_party_officer"
    INTEGRATION = "integration"
    TENANT_ADMIN = "tenant_admin"
    SYSTEM = "system"


STAFF = frozenset(
    {
        Role.GRID_WORKER,
        Role.COMMUNITY_WORKER,
        Role.CWC_CHAIR,
        Role.CWC_VICE_CHAIR,
        Role.CWC_MEMBER,
        Role.PARTY_SECRETARY,
        Role.MEETING_SECRETARY,
        Role.SUBDISTRICT_OFFICER,
        Role.STREET_PARTY_OFFICER,
        Role.SUPERVISOR,
        Role.OFFICE_REVIEWER,
        Role.LEADING_GROUP_APPROVER,
    }
)
"""Who works for a place."""
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
"""Who sits in the meetings that the lists and agendas of a community are for."""

TITLES: dict[Role, tuple[str, str]] = {
    Role.RESIDENT: ("居民", "Resident"),
    Role.GRID_WORKER: ("网格员", "Grid worker"),
    Role.COMMUNITY_WORKER: ("社区工作者", "Community worker"),
    Role.BUILDING_HEAD: ("楼院长", "Building head"),
    Role.UNIT_HEAD: ("单元长", "Unit head"),
    Role.CLUSTER_HEAD: ("楼群长", "Cluster head"),
    Role.RESIDENT_GROUP_HEAD: ("居民小组长", "Resident group head"),
    Role.VOLUNTEER: ("志愿者", "Volunteer"),
    Role.VETERAN: ("退役军人", "Veteran"),
    Role.SOCIAL_WORKER: ("社会工作者", "Social worker"),
    Role.CWC_CHAIR: ("社工委主任", "Chair of the community work committee"),
    Role.CWC_VICE_CHAIR: ("社工委副主任", "Vice chair of the community work committee"),
    Role.CWC_MEMBER: ("社工委委员", "Member of the community work committee"),
    Role.PARTY_SECRETARY: ("社区党组织书记", "Party secretary"),
    Role.TWO_COMMITTEES_MEMBER: ("两委成员", "Member of the two committees"),
    Role.EPC_MEMBER: ("大党委委员", "Member of the extended party committee"),
    Role.JOINT_MEETING_DELEGATE: ("联席会议代表", "Joint meeting delegate"),
    Role.INTERESTED_PARTY: ("利益涉事方", "Interested party"),
    Role.DEPUTY_OR_DELEGATE: ("两代表一委员", "Deputy or delegate"),
    Role.RESIDENT_REPRESENTATIVE: ("居民代表", "Resident representative"),
    Role.MEETING_SECRETARY: ("会议秘书", "Meeting secretary"),
    Role.SUBDISTRICT_OFFICER: ("街道经办", "Subdistrict officer"),
    Role.SUPERVISOR: ("督查员", "Supervisor"),
    Role.DEPARTMENT_OFFICER: ("部门经办", "Department officer"),
    Role.OFFICE_REVIEWER: ("领导小组办公室经办", "Reviewer of the leading group's office"),
    Role.LEADING_GROUP_APPROVER: ("领导小组成员", "Approver of the leading group"),
    Role.SEAL_KEEPER: ("印章管理员", "Seal keeper"),
    Role.LIAISON_LEADER: ("县处级联系领导", "Liaison leader"),
    Role.UNIT_LIAISON: ("联络员", "Liaison of a resident unit"),
    Role.STREET_PARTY_OFFICER: ("街道党(工)委经办", "Officer of the subdistrict party committee"),
    Role.INTEGRATION: ("接口账号", "Integration account"),
    Role.TENANT_ADMIN: ("租户管理员", "Tenant administrator"),
    Role.SYSTEM: ("系统定时", "System timer"),
}
