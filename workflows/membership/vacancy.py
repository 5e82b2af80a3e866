"""A seat that somebody has left, and who fills it (空缺、增补): by the procedure of formation (pure; 001 §三4)."""

from collections.abc import Mapping
from typing import Any

from workflows.kernel.clocks import Meet, Start
from workflows.kernel.process import Case, Change, Effect, GuardFailed, Notice, Turn, derived_id
from workflows.kernel.process import do as deed
from workflows.membership import commands as do
from workflows.membership import office
from workflows.membership.data import Membership, Post

SHARED_IN = ("PREPARING", "ANNOUNCED", "SHORTLISTING")
"""Where a replacement stands while it may still fill another seat too: before its list is with the street."""


def unseat(case: Case[Membership], member: str, why: str, turn: Turn) -> Effect:
    """Seat, roles and certificate end; tasks are addressed to roles, so that none of them is orphaned."""
    return deed(
        case, "unseat_member", community=case.community, person=member, why=why, on=office.today(turn), of=case.id
    )


def opened(
    case: Case[Membership],
    state: str,
    turn: Turn,
    *,
    type: str,
    also: tuple[str, ...] = (),
    sets: Mapping[str, Any] | None = None,
    notes: Mapping[str, Any] | None = None,
) -> Change:
    """The seat is vacant: time to fill it runs, and the street hears when too few are left.

    `type` names the event and what is told of it; `also` are clocks that start besides.
    """
    left = _strength(case, turn)
    alert = (Notice(case.subdistrict, "under_strength"), Notice(case.community, "under_strength"))
    mine = () if case.data.member.startswith("contact:") else (Notice(f"person:{case.data.member}", type),)
    return Change(
        type=type,
        to=f"{state}:VACANCY",
        sets={**(sets or {}), **left},
        clocks=tuple(Start(code=code) for code in ("FILL", *also)),
        effects=(unseat(case, case.data.member, state, turn),),
        notices=(*mine, Notice(case.subdistrict, type), *(alert if left["under_strength"] else ())),
        notes={**(notes or {}), **left},
    )


def start_replacement(case: Case[Membership], cmd: do.StartReplacement, turn: Turn) -> Change:
    """P5 from its call; exits that come together share one procedure."""
    if cmd.post is Post.CHAIR:
        raise GuardFailed("CHAIR_BY_OFFICE", field="post", clause="001 §三2")
    live = turn.facts["committee"]["live_formation"]
    place = case.state
    if live is not None and (live["kind"] != "REPLACEMENT" or live["state"] not in SHARED_IN):
        raise GuardFailed("FORMATION_UNDER_WAY", clause="processes P6")
    seat = {"post": cmd.post.value, "category": cmd.category}
    if live is not None:
        formation = str(live["id"])
        effect = Effect("TELL", "formation", formation, "share_vacancy", {"membership": case.id, **seat}, turn.now)
    else:
        formation = derived_id("formation", case.id, str(case.data.replacements + 1))
        fields = {
            "community_code": case.community,
            "kind": "REPLACEMENT",
            "target_size": 1,
            "seats": {cmd.category: 1} if cmd.category else {},
            "vacancies": {case.id: seat},
        }
        effect = Effect("START", "formation", formation, "start_formation", fields, turn.now)
    return Change(
        to=f"{place}:FILLING",
        sets={"replacement": formation, "replacements": case.data.replacements + 1},
        effects=(effect,),
        notes={"formation": formation},
    )


def formation_appointed(case: Case[Membership], cmd: do.FormationAppointed, turn: Turn) -> Change:
    """Somebody sits there again; or the procedure ended without anybody for this seat."""
    if not cmd.filled:
        return Change(to=f"{case.state}:VACANCY")
    return Change(to=f"{case.state}:FILLED", clocks=(Meet(code="FILL"),), notes={"formation": cmd.formation})


def formation_aborted(case: Case[Membership], cmd: do.FormationAborted, turn: Turn) -> Change:
    """Vacant again; the time to fill it runs on."""
    return Change(to=f"{case.state}:VACANCY", notes={"formation": cmd.formation})


def term_decided(case: Case[Membership], cmd: do.FormationAppointed, turn: Turn) -> Change:
    """Appointed again, or the seat is vacant."""
    if case.data.member in cmd.appointed:
        return Change(to="ACTIVE:REAPPOINTED", clocks=(Meet(code="REAPPOINT"),))
    return Change(to="TERM_ENDED:VACANCY", clocks=(Meet(code="REAPPOINT"), Start(code="FILL")))


def _strength(case: Case[Membership], turn: Turn) -> dict[str, Any]:
    """Who is left when the member has gone: fewer than nine, or fewer than three vice chairs, is too few."""
    left = [one for one in turn.facts["committee"]["members"] if one["person"] != case.data.member]
    vices = sum(one["post"] == Post.VICE_CHAIR for one in left)
    under = len(left) < turn.policy.span("committee.size")[0] or vices < turn.policy.span("committee.vice_count")[0]
    return {"members": len(left), "vice_chairs": vices, "under_strength": under}
