"""Say what somebody may do with a case now, and why not what he otherwise might."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from services.api.forms import Form, form
from services.api.views import moment
from services.texts.catalogue import catalogue
from workflows.kernel.process import Actor, Arrow, Case, Grant, Process, Refusal, Turn
from workflows.kernel.roles import Role
from workflows.kernel.step import answering


def forms(process: Process[Any]) -> Mapping[str, Form]:
    """The forms of every command that people may give to a case of this process, by wire name."""
    return {
        name: form(kind, process.needs.get(kind, ()))
        for name, kind in process.commands.items()
        if any(arrow.on is kind and arrow.source != "" and _is_for_people(arrow) for arrow in process.arrows)
    }


def opening(process: Process[Any]) -> Form:
    """The form of the command that `POST /{plural}` takes: the first opening in the table."""
    kind = next(iter(process.openings.values()))
    return form(kind, process.needs.get(kind, ()))


def grant_for(arrow: Arrow, case: Case[Any], actor: Actor) -> Grant | None:
    """The role in which this person may give the command of an arrow, if any; his own before a lent one."""
    fitting = (
        grant
        for who in arrow.by
        for address in who.addresses(case)
        for grant in actor.grants
        if address.fits(actor, grant)
    )
    return min(fitting, key=lambda grant: grant.substitute_for is not None, default=None)


def may_give(process: Process[Any], kind: type, case: Case[Any], actor: Actor) -> bool:
    """Say whether this person may give this command here, or anywhere when the case does not take it here."""
    here = process.table.get((case.position, kind))
    arrows = [here] if here else [arrow for arrow in process.arrows if arrow.on is kind]
    return any(grant_for(arrow, case, actor) is not None for arrow in arrows)


def actions(
    process: Process[Any], case: Case[Any], actor: Actor, policy: Any, now: datetime, language: str
) -> list[dict[str, Any]]:
    """Give the commands that this person may give now, what is owed first."""
    found: list[dict[str, Any]] = []
    state = process.positions.get(case.position)
    owed = (state.work if state else ()) + process.work(case)
    for name, one in forms(process).items():
        arrow = process.table.get((case.position, one.command))
        grant = grant_for(arrow, case, actor) if arrow else None
        if arrow is None or grant is None:
            continue
        action = {
            "command": name,
            "title": one.en if language == "en" else one.zh,
            "fields": one.schema(language),
            "due_at": moment(_due_at(arrow, case)),
            "owed": name in owed,
        }
        if arrow.may is not None:
            try:
                for turn in answering(Turn(actor, grant, now, policy)):
                    arrow.may(case, turn)
            except Refusal as refusal:
                action["why_not"] = _why_not(refusal, language)
        found.append(action)
    # What is owed stands in the order that the process names it in: the usual way first.
    places = {name: place for place, name in enumerate(owed)}
    return sorted(found, key=lambda one: ("why_not" in one, places.get(one["command"], len(places))))


def _is_for_people(arrow: Arrow) -> bool:
    return any(who.name != Role.SYSTEM for who in arrow.by)


def _due_at(arrow: Arrow, case: Case[Any]) -> datetime | None:
    return min(_dues(arrow.meets, case), default=None)


def _dues(codes: Iterable[str], case: Case[Any]) -> Iterable[datetime]:
    for code in codes:
        clock = case.clock(code)
        if clock is not None and clock.due_at is not None:
            yield clock.due_at


def _why_not(refusal: Refusal, language: str) -> dict[str, str]:
    words = catalogue()
    why = {
        "code": refusal.code,
        "reason": refusal.reason,
        "message": words.say("reason", refusal.reason, language, **refusal.details),
    }
    return {**why, "clause": refusal.clause} if refusal.clause else why
