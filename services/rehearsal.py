"""What a simulated street answers to rules of rounds, notices and supervision: from its own cases alone (推演)."""

from collections.abc import Mapping
from typing import Any

from workflows.emergency.data import URGENT
from workflows.kernel.process import Asked, Case
from workflows.kernel.simulator import Question, Street

COVERS = ("CONSOLIDATING", "CLOSED")
RESPONDING = ("RESPONDING", "CONTAINED")
UNTRIAGED = ("REGISTERED", "VERIFYING")


def answers(grids: Mapping[str, int]) -> dict[str, Question]:
    """Answers for communities with so many grids each; every one of them has a committee that sits."""

    def rounds_to_open(street: Street, asked: Asked) -> Mapping[str, Any]:
        region, period = asked.about["region"], asked.about["period"]
        openings = []
        for code in sorted(code for code in grids if code.startswith(region)):
            held = _siblings(street, code, period)
            last = max((one.data.month for one in _rounds(street, code) if one.data.month < period), default=None)
            before = [one for one in _rounds(street, code) if one.data.month == last]
            missed = bool(before) and not any(one.data.valid or one.state in (*COVERS, "WAIVED") for one in before)
            fields = {"community_code": code, "month": period, "priority": missed}
            fields |= {"siblings": held["rounds"], "covered": held["valid"]}
            openings.append({"key": f"{code}|{period}", "fields": fields})
        return {"openings": openings}

    def rounds_of_month(street: Street, asked: Asked) -> Mapping[str, Any]:
        return _siblings(street, asked.about["community_code"], asked.about["month"])

    def collection_ground(street: Street, asked: Asked) -> Mapping[str, Any]:
        code = _asking(asked).community
        every = [f"{code}{number:03}" for number in range(1, grids.get(code, 0) + 1)]
        wanted = asked.about.get("sample") or 0
        return {
            "grids": [{"code": grid, "responsible": []} for grid in every],
            "reach": [code],
            "drawn": [{"place": grid, "ordinal": 1} for grid in every[:wanted]],
        }

    def visited_place(street: Street, asked: Asked) -> Mapping[str, Any]:
        code, named = _asking(asked).community, asked.about.get("place")
        every = {f"{code}{number:03}" for number in range(1, grids.get(code, 0) + 1)}
        return {"code": named if named in every else None}

    return {
        "rounds_to_open": rounds_to_open,
        "rounds_of_month": rounds_of_month,
        "collection_ground": collection_ground,
        "visited_place": visited_place,
        "problem_list_of_month": problem_list_of_month,
        "emergency": emergency,
        "open_issues": open_issues,
        "objected_notice": objected_notice,
        "supervised_subject": supervised_subject,
    }


def problem_list_of_month(street: Street, asked: Asked) -> Mapping[str, Any]:
    """The list as it stands, its next version, and the wishes nobody has triaged."""
    case = _asking(asked)
    entries = [
        {
            "issue": one.id,
            "number": one.number,
            "category_code": one.data.category_code,
            "mode": one.data.mode,
            "difficulty": one.data.difficulty,
            "level": one.level,
            "lead_org": one.data.lead_org,
            "state": one.position,
        }
        for one in sorted(street.cases.values(), key=lambda one: one.number)
        if one.process == "issue" and one.community == case.community and one.data.problem_month == case.data.month
    ]
    known = {wish: street.cases.get(wish) for wish in case.data.wishes}
    untriaged = [wish for wish, one in known.items() if one is None or one.state in UNTRIAGED]
    rounds = [one for one in _rounds(street, case.community) if one.data.month == case.data.month]
    version = 1 + sum(one.data.list_version is not None for one in rounds)
    return {"version": version, "entries": entries, "untriaged": untriaged}


def emergency(street: Street, asked: Asked) -> Mapping[str, Any]:
    """Whether an emergency of level III or higher goes on in the community."""
    place = _asking(asked).community
    return {
        "active": any(
            one.process == "emergency"
            and one.community == place
            and one.state in RESPONDING
            and one.data.level in URGENT
            and not one.data.drill
            for one in street.cases.values()
        )
    }


def open_issues(street: Street, asked: Asked) -> Mapping[str, Any]:
    """The issues of the community that are not closed."""
    place = _asking(asked).community
    found = (one for one in street.cases.values() if one.process == "issue" and one.community == place)
    return {"issues": sorted(one.id for one in found if one.closed_at is None), "pause": asked.about["pause"]}


def objected_notice(street: Street, asked: Asked) -> Mapping[str, Any]:
    """Where the notice stands and what it is about."""
    case = street.cases[asked.about["notice"]]
    return {
        "id": case.id,
        "number": case.number,
        "community": case.community,
        "state": case.state,
        "about": list(case.data.about),
        "interested": list(case.data.interested),
        "posted_by": case.data.posted_by,
    }


def supervised_subject(street: Street, asked: Asked) -> Mapping[str, Any]:
    """Of the case under supervision: is its reporter known, was he contacted, how satisfied was he."""
    subject = _asking(asked).data.subject_id
    data = street.cases[subject].data
    reached = any(
        clock.code == "RESPONSE" and clock.state in ("MET", "MET_LATE")
        for (case, _), clock in street.clocks.items()
        if case == subject
    )
    return {
        "reporter_known": bool(getattr(data, "identified", False)),
        "contacted": reached or bool(getattr(data, "visits", 0)),
        "satisfaction": getattr(data, "satisfaction", None),
    }


def _asking(asked: Asked) -> Case[Any]:
    assert asked.case is not None
    return asked.case


def _rounds(street: Street, code: str) -> list[Case[Any]]:
    return [one for one in street.cases.values() if one.process == "round" and one.community == code]


def _siblings(street: Street, code: str, month: str) -> dict[str, Any]:
    held = [one for one in _rounds(street, code) if one.data.month == month]
    valid = any(one.data.valid or one.state in COVERS for one in held)
    return {"rounds": [one.id for one in held], "valid": valid}
