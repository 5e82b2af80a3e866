"""How a change of membership begins (登记委员变动): one opening for every kind, each with its own rights (pure)."""

from collections.abc import Callable, Mapping
from typing import Any

from workflows.kernel.clocks import Start
from workflows.kernel.process import Case, Change, Effect, Forbidden, GuardFailed, Notice, Turn
from workflows.kernel.process import do as deed
from workflows.kernel.roles import Role
from workflows.membership import commands as do
from workflows.membership import office, vacancy
from workflows.membership.data import Kind, Membership, Post
from workflows.membership.people import MEMBERS, holds

UNIT_CATEGORIES = (
    "RESIDENT_UNIT",
    "PRIVATE_ENTERPRISE",
    "TRADE_ASSOCIATION",
    "SOCIAL_ORG",
    "PROPERTY_COMPANY",
    "OWNERS_COMMITTEE",
)
"""Members who sit for a unit, so that the unit may call them back."""


def open_case(case: Case[Membership], cmd: do.OpenMembership, turn: Turn) -> Change:
    """Exit, dismissal, end of term, change of secretary, acting chair, or a hint at absences."""
    return _OPENINGS[cmd.kind](case, cmd, turn)


def _exit(case: Case[Membership], cmd: do.OpenMembership, turn: Turn) -> Change:
    """`request_exit` by the member or his unit; `loses_category` by a worker."""
    himself = cmd.member == turn.actor.id and holds(case, turn, *MEMBERS, Role.UNIT_LIAISON)
    by_worker = holds(case, turn, Role.COMMUNITY_WORKER)
    if not (himself or by_worker or holds(case, turn, Role.UNIT_LIAISON)):
        raise Forbidden("NOT_IN_ROLE", command="open_membership")
    seat = _seat(cmd, turn)
    if not (himself or by_worker) and not _of_unit(seat, case, turn):
        raise Forbidden("NOT_IN_ROLE", command="open_membership")
    _check_leaving(cmd, turn, seat)
    if cmd.reason is None:
        raise GuardFailed("REASON_REQUIRED", field="reason", clause="001 §三4")
    lost = by_worker and not himself
    return Change(
        type="category_lost" if lost else "exit_requested",
        to="EXIT_REQUESTED",
        title="委员退出",
        sets=_about(cmd, turn, seat, reason=cmd.reason, category_lost=lost),
        clocks=(Start(code="DECIDE"),),
        notices=(Notice(f"role:{Role.PARTY_SECRETARY}@{case.community}", "exit_requested", "DECIDE"),),
    )


def _dismissal(case: Case[Membership], cmd: do.OpenMembership, turn: Turn) -> Change:
    """Ground, evidence and adverse effect; what was decided already is not decided again."""
    if not holds(case, turn, Role.PARTY_SECRETARY, *MEMBERS, Role.RESIDENT):
        raise Forbidden("NOT_IN_ROLE", command="open_membership")
    seat = _seat(cmd, turn)
    _check_leaving(cmd, turn, seat)
    if cmd.ground is None:
        raise GuardFailed("GROUND_REQUIRED", field="ground", clause="001 §三4")
    if cmd.adverse_effect is None:
        raise GuardFailed("ADVERSE_EFFECT_REQUIRED", field="adverse_effect", clause="001 §三4")
    found = turn.facts["membership"]
    new = set(found["evidence"])
    if any(new <= set(earlier["evidence"]) for earlier in found["earlier"]):
        raise GuardFailed("SAME_FACTS", field="evidence", clause="processes P6")
    facts = {
        "ground": cmd.ground,
        "evidence": cmd.evidence,
        "evidence_sha": tuple(sorted(new)),
        "adverse_effect": cmd.adverse_effect,
        "reason": cmd.reason,
    }
    return Change(
        type="dismissal_proposed",
        to="DISMISSAL_REVIEW",
        title="委员解聘",
        sets=_about(cmd, turn, seat, **facts),
        clocks=(Start(code="STATEMENT"), Start(code="DECIDE_DISMISSAL")),
        notices=(
            *((Notice(f"person:{cmd.member}", "dismissal_proposed", "STATEMENT"),) if _has_account(cmd.member) else ()),
            Notice(f"role:{Role.PARTY_SECRETARY}@{case.community}", "dismissal_proposed", "DECIDE_DISMISSAL"),
        ),
    )


def _term_end(case: Case[Membership], cmd: do.OpenMembership, turn: Turn) -> Change:
    """The term that the pack sets is over; P5 decides who is appointed again."""
    _only_system(turn)
    return Change(
        type="term_ended",
        to="TERM_ENDED",
        title="委员任期届满",
        sets={"kind": cmd.kind, "member": cmd.member, "post": cmd.post, "category": cmd.category},
        clocks=(Start(code="REAPPOINT"),),
        effects=(vacancy.unseat(case, cmd.member, "TERM_ENDED", turn),),
        notices=(Notice(case.community, "term_ended", "REAPPOINT"),),
    )


def _ex_officio(case: Case[Membership], cmd: do.OpenMembership, turn: Turn) -> Change:
    """The secretary leaves, so the chair does; the new one is chair from the day he is known (001 §三2)."""
    if not holds(case, turn, Role.STREET_PARTY_OFFICER, Role.INTEGRATION):
        raise Forbidden("NOT_IN_ROLE", command="open_membership")
    committee = turn.facts["committee"]
    seat = turn.facts["membership"]["seat"]
    leaves = seat is not None and seat["post"] == Post.CHAIR
    if not leaves and (committee["chair"] is not None or cmd.new is None):
        raise GuardFailed("NOT_THE_CHAIR", field="member", clause="001 §三2")
    if cmd.new == cmd.member and leaves:
        raise GuardFailed("SAME_PERSON", field="new", clause="001 §三2")
    sets = _about(cmd, turn, seat or {"post": Post.CHAIR, "category": None}, reason=cmd.reason, new=cmd.new)
    left: tuple[Effect, ...] = ()
    if leaves and cmd.new is None:
        left = (deed(case, "change_secretary", **office.change(case, turn, old=cmd.member, new=None)),)
    if cmd.new is None:
        return Change(
            type="secretary_left",
            to="EX_OFFICIO_ENDED",
            title="书记调整",
            sets=sets,
            effects=left,
            notices=(Notice(case.subdistrict, "chair_vacant"), Notice(case.community, "chair_vacant")),
        )
    return Change(
        type="secretary_changed",
        to="EX_OFFICIO_ENDED:SUCCEEDED",
        title="书记调整",
        sets=sets,
        effects=office.succession(case, turn, old=cmd.member if leaves else None, new=cmd.new),
        notices=(Notice(case.community, "chair_seated"),),
    )


def _acting(case: Case[Membership], cmd: do.OpenMembership, turn: Turn) -> Change:
    """A vice chair stands in while there is no secretary, for sixty days and no longer without the street."""
    if not holds(case, turn, Role.STREET_PARTY_OFFICER, Role.TWO_COMMITTEES_MEMBER):
        raise Forbidden("NOT_IN_ROLE", command="open_membership")
    committee = turn.facts["committee"]
    seat = _seat(cmd, turn)
    if committee["chair"] is not None:
        raise GuardFailed("CHAIR_NOT_VACANT", field="kind", clause="001 §三2")
    if seat["post"] != Post.VICE_CHAIR:
        raise GuardFailed("NOT_A_VICE_CHAIR", field="member", clause="processes P6")
    if committee["acting"] == cmd.member:
        raise GuardFailed("ACTING_ALREADY", field="member", clause="processes P6")
    before = committee["acting_case"]
    return Change(
        type="acting_named",
        to="ACTING",
        title="代理主任",
        sets=_about(cmd, turn, seat, reason=cmd.reason),
        clocks=(Start(code="ACTING_MAX"),),
        effects=(
            deed(case, "act_as_chair", community=case.community, person=cmd.member, on=office.today(turn)),
            *((office.relieve(before, cmd.member, turn),) if before else ()),
        ),
        notices=(Notice(case.community, "acting_named", "ACTING_MAX"), Notice(case.subdistrict, "acting_named")),
    )


def _review(case: Case[Membership], cmd: do.OpenMembership, turn: Turn) -> Change:
    """Three absences in a row suggest that somebody looks at it; nothing follows by itself (S50)."""
    _only_system(turn)
    return Change(
        type="review_suggested",
        to="ACTIVE:REVIEW_SUGGESTED",
        title="委员缺席提示",
        sets={"kind": cmd.kind, "member": cmd.member, "absences": cmd.absences},
        notices=(Notice(f"role:{Role.PARTY_SECRETARY}@{case.community}", "absences_review"),),
    )


_OPENINGS: Mapping[Kind, Callable[[Case[Membership], do.OpenMembership, Turn], Change]] = {
    Kind.EXIT: _exit,
    Kind.DISMISSAL: _dismissal,
    Kind.TERM_END: _term_end,
    Kind.EX_OFFICIO: _ex_officio,
    Kind.ACTING: _acting,
    Kind.REVIEW: _review,
}


def _about(cmd: do.OpenMembership, turn: Turn, seat: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "kind": cmd.kind,
        "member": cmd.member,
        "requested_by": turn.actor.id,
        "post": Post(seat["post"]),
        "category": seat["category"],
        **more,
    }


def _seat(cmd: do.OpenMembership, turn: Turn) -> Mapping[str, Any]:
    seat: Mapping[str, Any] | None = turn.facts["membership"]["seat"]
    if seat is None:
        raise GuardFailed("NOT_A_MEMBER", field="member", clause="processes P6")
    return seat


def _check_leaving(cmd: do.OpenMembership, turn: Turn, seat: Mapping[str, Any]) -> None:
    if seat["post"] == Post.CHAIR:
        raise GuardFailed("CHAIR_BY_OFFICE", field="member", clause="001 §三2")
    if turn.facts["membership"]["live"]:
        raise GuardFailed("CHANGE_UNDER_WAY", field="member", clause="processes P6")


def _of_unit(seat: Mapping[str, Any], case: Case[Membership], turn: Turn) -> bool:
    """Whether the caller speaks for the unit that the member sits for."""
    units = {one.org for one in turn.actor.grants if one.role == Role.UNIT_LIAISON}
    if seat.get("org") is not None:
        return seat["org"] in units
    return seat["category"] in UNIT_CATEGORIES and holds(case, turn, Role.UNIT_LIAISON)


def _only_system(turn: Turn) -> None:
    if turn.grant.role != Role.SYSTEM:
        raise Forbidden("NOT_IN_ROLE", command="open_membership")


def _has_account(person: str) -> bool:
    return not person.startswith("contact:")
