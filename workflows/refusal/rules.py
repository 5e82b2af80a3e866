"""Rules of the right to refuse (可拒绝执行): what is neither listed nor admitted need not be done (pure; P4-R)."""

from collections.abc import Mapping
from typing import Any

from workflows.kernel.clocks import Meet, Start
from workflows.kernel.process import Case, Change, GuardFailed, Notice, Turn, ask
from workflows.kernel.roles import Role
from workflows.refusal import commands as do
from workflows.refusal.data import Accepted, Check, Nature, Refusal, Ruling, Said

RIGHT = "004 §二(三)2"
OFFICE = Role.OFFICE_REVIEWER.value
GROUP = Role.LEADING_GROUP_APPROVER.value


def log(case: Case[Refusal], cmd: do.LogIncomingTask, turn: Turn) -> Change:
    """来件登记: lists and permits are looked up at once."""
    return Change(
        to="CHECKING",
        title=cmd.text,
        level="L1",
        sets={
            "department": cmd.department,
            "text": cmd.text,
            "form": cmd.form,
            "nature": cmd.nature,
            "logged_by": turn.actor.id,
        },
        clocks=(Start(code="CHECK"),),
        effects=(ask(case, "coverage_check", "check_coverage"),),
        notices=(Notice(f"role:{Role.PARTY_SECRETARY.value}@{case.community}", "task_logged", "CHECK"),),
    )


def check(case: Case[Refusal], cmd: do.CheckCoverage, turn: Turn) -> Change:
    """On a list or admitted here: the community does it, and the clock is met."""
    answer = {name: getattr(cmd, name) for name in ("allowed", "because", "permit_no", "list_item", "near", "versions")}
    return _checked(answer, turn)


def late_check(case: Case[Refusal], cmd: do.CheckCoverage, turn: Turn) -> Change:
    """Somebody has answered meanwhile, on the same facts."""
    return Change(type="check_came_late")


def _checked(answer: Mapping[str, Any], turn: Turn) -> Change:
    found = _check_of(answer, turn)
    if not found.covered:
        return Change(type="not_covered", sets={"check": found})
    return Change(type="covered", to="CLOSED:COVERED", sets={"check": found}, clocks=(Meet(code="CHECK"),))


def _check_of(answer: Mapping[str, Any], turn: Turn) -> Check:
    return Check(
        covered=bool(answer["allowed"]),
        because=str(answer["because"]),
        at=turn.now,
        versions=answer.get("versions") or {},
        permit_no=answer.get("permit_no"),
        list_item=answer.get("list_item"),
        near=tuple(answer.get("near") or ()),
    )


def refuse(case: Case[Refusal], cmd: do.Refuse, turn: Turn) -> Change:
    """拒绝执行: a letter to the department, a copy to the office."""
    if not turn.policy.flag("admission.refusal_right"):
        raise GuardFailed("NO_REFUSAL_RIGHT", clause="admission.refusal_right")
    found = _uncovered(case, turn)
    return Change(
        type="refused",
        to="REFUSED",
        sets={"check": found, "refused": _said(cmd.reason, turn)},
        clocks=(Meet(code="CHECK"),),
        notices=(
            Notice(case.data.department, "task_refused"),
            Notice(f"role:{OFFICE}@{case.county}", "task_refused"),
        ),
    )


def accept(case: Case[Refusal], cmd: do.AcceptVoluntarily, turn: Turn) -> Change:
    """自愿承担: nobody must, so the two committees decide, and say with which people and money."""
    found = _uncovered(case, turn)
    accepted = Accepted(
        decision=cmd.decision, staff_note=cmd.staff_note, money_note=cmd.money_note, by=turn.actor.id, at=turn.now
    )
    return Change(
        type="accepted_voluntarily",
        to="ACCEPTED_VOLUNTARILY",
        sets={"check": found, "accepted": accepted},
        clocks=(Meet(code="CHECK"),),
        notices=(Notice(case.data.department, "task_accepted"),),
    )


def _uncovered(case: Case[Refusal], turn: Turn) -> Check:
    """The check as of now; what must be done anyway is neither refused nor accepted."""
    if case.data.nature is not Nature.ORDINARY:
        raise GuardFailed("NOT_REFUSABLE", clause="processes P4-R", nature=case.data.nature.value)
    found = _check_of(turn.facts["coverage_check"], turn)
    if found.covered:
        raise GuardFailed("TASK_COVERED", clause=RIGHT, because=found.because)
    return found


# --- what the department does --------------------------------------------------------------------------------


def applies(case: Case[Refusal], cmd: do.DepartmentApplies, turn: Turn) -> Change:
    """转入准入: the matter goes on as an admission of this department."""
    known = turn.facts.get("admission") or {}
    if cmd.admission is not None and known.get("lead_org") not in (None, case.data.department):
        raise GuardFailed("ADMISSION_OF_ANOTHER", field="admission", clause=RIGHT)
    return Change(
        type="linked",
        to="LINKED",
        sets={"admission": cmd.admission},
        notices=(Notice(case.community, "task_linked"),),
    )


def withdraws(case: Case[Refusal], cmd: do.DepartmentWithdraws, turn: Turn) -> Change:
    """部门撤回."""
    return Change(type="withdrawn", to="CLOSED:WITHDRAWN", notices=(Notice(case.community, "task_withdrawn"),))


def dispute(case: Case[Refusal], cmd: do.Dispute, turn: Turn) -> Change:
    """争议: the office arbitrates."""
    number = str(len(case.data.disputes) + 1)
    return Change(
        type="disputed",
        to="ARBITRATION",
        puts={"disputes": {number: _said(cmd.reason, turn)}},
        clocks=(Start(code="ARBITRATE"),),
        notices=(Notice(f"role:{OFFICE}@{case.county}", "task_disputed", "ARBITRATE"),),
    )


# --- who decides ---------------------------------------------------------------------------------------------


POSITIONS = {Ruling.UPHELD: "REFUSED", Ruling.COVERED: "CLOSED:COVERED", Ruling.MUST_APPLY: "REFUSED:MUST_APPLY"}


def arbitrate(case: Case[Refusal], cmd: do.Arbitrate, turn: Turn) -> Change:
    """裁定: the refusal stands, or the task is covered, or the department must apply."""
    number = str(len(case.data.disputes))
    return Change(
        type="arbitrated",
        to=POSITIONS[cmd.outcome],
        sets={"ruling": cmd.outcome},
        puts={"rulings": {number: _said(cmd.reason, turn)}},
        clocks=(Meet(code="ARBITRATE"),),
        notices=(Notice(case.community, "task_arbitrated"), Notice(case.data.department, "task_arbitrated")),
        notes={"outcome": cmd.outcome.value},
    )


def escalate(case: Case[Refusal], cmd: do.Escalate, turn: Turn) -> Change:
    """上报领导小组; the refusal lowers no assessment (inspection/indicators.py)."""
    return Change(
        type="escalated",
        to="ESCALATED",
        level="L4",
        sets={"escalation": _said(cmd.reason, turn)},
        notices=(
            Notice(f"role:{GROUP}@{case.county}", "task_escalated"),
            Notice(f"role:{OFFICE}@{case.county}", "task_escalated"),
        ),
    )


def settle(case: Case[Refusal], cmd: do.Settle, turn: Turn) -> Change:
    """领导小组处理."""
    return Change(
        type="settled",
        to="CLOSED:SETTLED",
        sets={"settlement": _said(cmd.text, turn)},
        notices=(Notice(case.community, "task_settled"), Notice(case.data.department, "task_settled")),
    )


def _said(text: str, turn: Turn) -> Said:
    return Said(text=text, by=turn.actor.id, at=turn.now)
