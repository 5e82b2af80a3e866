"""P9, a commendation 表彰 (CommendationWorkflow): states, clocks, table of arrows (pure; seed 001 §六3)."""

from collections.abc import Mapping
from typing import Any

from workflows.commendation import commands as do
from workflows.commendation import rules
from workflows.commendation.data import Commendation
from workflows.kernel.clocks import ClockRule
from workflows.kernel.process import Address, Case, Process, State, Who, arrows
from workflows.kernel.roles import TITLES, Role
from workflows.kernel.upkeep import upkeep

STATES = (
    State("NOMINATED", "已提名", "Nominated", work=("verify_deeds", "drop_nomination")),
    State("VERIFIED", "已核实", "Verified", work=("deliberate",)),
    State("EPC_SUPPORTED", "大党委已同意", "Supported by the 大党委", work=("discuss",)),
    State("RRA_SUPPORTED", "居民代表会议已同意", "Supported by the representatives", work=("decide_commendation",)),
    State("DECIDED", "公示中", "On notice"),
    State("COMMENDED", "已表彰", "Commended", ends=True),
    State("REVOKED", "已撤销", "Revoked", ends=True),
    State("CLOSED:DROPPED", "不予提名", "Dropped", ends=True),
    State("CLOSED:NOT_SUPPORTED", "未获同意", "Not supported", ends=True),
    State("CLOSED:REJECTED", "未予表彰", "Rejected", ends=True),
)
ELSEWHERE = tuple(state.name for state in STATES if state.name != "DECIDED")


def _role(role: Role) -> Who:
    return Who(role, TITLES[role][0], lambda case: (Address(role=role, place=case.community),))


SYSTEM = Who(Role.SYSTEM, TITLES[Role.SYSTEM][0], lambda case: (Address(role=Role.SYSTEM),))
WORKER, SECRETARY = _role(Role.COMMUNITY_WORKER), _role(Role.PARTY_SECRETARY)
NOMINATORS = (WORKER, SECRETARY, _role(Role.CWC_CHAIR), _role(Role.UNIT_LIAISON))
CLERKS = (SECRETARY, WORKER, _role(Role.MEETING_SECRETARY))
"""Who enters what the minutes say."""
STREET = _role(Role.STREET_PARTY_OFFICER)


def _community(case: Case[Any], ref: str) -> str:
    return case.community


def _subdistrict(case: Case[Any], ref: str) -> str:
    return case.subdistrict


def _county(case: Case[Any], ref: str) -> str:
    return case.county


# fmt: off
CLOCKS = (
    ClockRule("VERIFY", "clock.commendation.verify", "事迹核实", "Verification", _community, _subdistrict),
    ClockRule("STREET", "clock.commendation.street", "街道决定", "Decision of the street", _subdistrict, _county),
)

ARROWS = (
    arrows("", do.NominateSubject, "NOMINATED", by=NOMINATORS, rule=rules.nominate, starts=("VERIFY",), event="subject_nominated", clause="001 §六3"),
    arrows("NOMINATED", do.VerifyDeeds, "VERIFIED", by=WORKER, rule=rules.verify, meets=("VERIFY",), event="deeds_verified"),
    arrows("NOMINATED", do.DropNomination, "CLOSED:DROPPED", by=WORKER, rule=rules.drop, meets=("VERIFY",), event="nomination_dropped"),
    arrows("VERIFIED", do.Deliberate, ("EPC_SUPPORTED", "CLOSED:NOT_SUPPORTED"), by=CLERKS, rule=rules.deliberate, event="deliberated", clause="001 §六3"),
    arrows("EPC_SUPPORTED", do.Discuss, ("RRA_SUPPORTED", "CLOSED:NOT_SUPPORTED"), by=CLERKS, rule=rules.discuss, event="discussed", clause="001 §六3"),
    arrows("RRA_SUPPORTED", do.DecideCommendation, ("DECIDED", "CLOSED:REJECTED"), by=STREET, rule=rules.decide, meets=("STREET",), event="commendation_decided", clause="001 §六3"),
    arrows("DECIDED", do.NoticeEnded, "COMMENDED", by=SYSTEM, rule=rules.notice_ended),
    arrows("DECIDED", do.ObjectionRaised, by=SYSTEM, rule=rules.objection_raised),
    arrows("DECIDED", do.ObjectionResolved, ("CLOSED:REJECTED", "COMMENDED"), by=SYSTEM, rule=rules.objection_resolved),
    arrows(ELSEWHERE, do.NoticeEnded, by=SYSTEM, rule=rules.too_late),
    arrows(ELSEWHERE, do.ObjectionRaised, by=SYSTEM, rule=rules.too_late),
    arrows(ELSEWHERE, do.ObjectionResolved, by=SYSTEM, rule=rules.too_late),
    arrows("COMMENDED", do.RevokeCommendation, "REVOKED", by=STREET, rule=rules.revoke, event="commendation_revoked"),
)
# fmt: on


def facets(case: Case[Commendation]) -> Mapping[str, Any]:
    """The columns that lists filter by; the organisation that is to be commended may know of it."""
    data = case.data
    return {
        "category_code": data.subject_kind.value if data.subject_kind else None,
        "closure_code": case.phase or None,
        "submitted_by": data.nominated_by or None,
        "reporter_id": data.nominated_by or Role.SYSTEM.value,
        "orgs": [data.org] if data.org else [],
    }


COMMENDATION: Process[Commendation] = Process(
    name="commendation",
    plural="commendations",
    zh="表彰",
    en="Commendation",
    states=STATES,
    arrows=(*(arrow for row in ARROWS for arrow in row), *upkeep(STATES)),
    clocks=CLOCKS,
    data=Commendation,
    place=lambda command, facts: str(command.community_code),
    facets=facets,
    needs={do.Deliberate: ("meeting_record",), do.Discuss: ("meeting_record",)},
)
