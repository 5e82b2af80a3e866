"""What the leading group's office knows on the simulated street: permits, ballots, what is covered."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.scenarios import county
from workflows.inspection.selection import Permit, openings, permit_facts
from workflows.kernel.clocks import ClockState
from workflows.kernel.process import Asked, Case
from workflows.kernel.simulator import Question, Street

IN_FORCE = ("ACTIVE", "RENEWAL_REVIEW", "RECTIFYING", "REVOCATION_PROPOSED")


def permits_to_inspect(street: Street, asked: Asked) -> dict[str, Any]:
    """Inspections that begin in a county now."""
    period = asked.about["period"]
    inspected = {
        one.data.permit for one in street.cases.values() if one.process == "inspection" and one.data.period == period
    }
    left = [permit for permit in _permits(street) if permit.id not in inspected]
    at = datetime.fromisoformat(asked.about["at"])
    return {"openings": openings(left, asked.about["region"], period, at)}


def permit_of(street: Street, asked: Asked) -> dict[str, Any]:
    """How the inspected permit stands."""
    wanted = asked.about.get("permit") or (asked.case.data.permit if asked.case else "")
    admission = street.cases[wanted]
    clock = admission.clock("RECTIFY")
    breached = clock is not None and clock.state is ClockState.BREACHED
    inspections = [
        {"id": one.id, "period": one.data.period, "outcome": one.data.outcome}
        for one in street.cases.values()
        if one.process == "inspection" and one.data.permit == wanted
    ]
    return permit_facts(_permit(street, admission), admission.state, breached=breached, inspections=inspections)


def _permits(street: Street) -> Iterator[Permit]:
    for case in street.cases.values():
        if case.process == "admission" and case.data.permit_no and case.data.entered_at:
            yield _permit(street, case)


def _permit(street: Street, case: Case[Any]) -> Permit:
    data = case.data
    first = min((one.valid_from for one in data.terms.values()), default=data.valid_from)
    return Permit(
        id=case.id,
        permit_no=data.permit_no,
        variant=str(data.variant),
        applicant_org=data.applicant_org,
        communities=data.communities,
        entered_at=data.entered_at,
        ended_at=data.revoked_at or case.closed_at,
        valid_from=first,
        valid_until=data.valid_until,
        policy=street.world.under(case.pin).policy,
    )


def coverage_check(street: Street, asked: Asked) -> dict[str, Any]:
    """Whether a task is on a list of the day, or has a permit here; items are known by their references."""
    assert asked.case is not None
    text = asked.case.data.text
    today = asked.now.date()
    _, version, entries = [one for one in county.LISTS if one[0] <= today][-1]
    versions = {"LIST_B": version}
    listed = entries.get(text)
    if listed is not None:
        allowed = listed["list_type"] != "NEGATIVE"
        because = listed["list_type"] if allowed else "NEGATIVE_LIST"
        return {"allowed": allowed, "because": because, "list_item": listed, "versions": versions}
    for one in street.cases.values():
        named = one.process == "admission" and one.state in IN_FORCE and one.data.item_name == text
        if named and asked.case.community in one.data.communities:
            return {"allowed": True, "because": "PERMIT", "permit_no": one.data.permit_no, "versions": versions}
    return {"allowed": False, "because": "NOT_ADMITTED", "versions": versions}


class Box:
    """Answers of ballots by inspection: as many of each rating, 1 to 5, as a scenario says."""

    def __init__(self) -> None:
        self.ratings: dict[str, dict[int, int]] = {}

    def tally(self, street: Street, asked: Asked) -> dict[str, Any]:
        """Counts, as PostgreSQL gives them."""
        assert asked.case is not None
        counts = self.ratings.get(asked.case.id, {})
        return {
            "valid": sum(counts.values()),
            "satisfied": sum(count for rating, count in counts.items() if rating >= 4),
            "cells": {str(rating): count for rating, count in sorted(counts.items())},
        }


BOX = Box()
"""The one box of all simulated streets; cases of different tests have ids of their own."""

QUESTIONS: dict[str, Question] = {
    "permits_to_inspect": permits_to_inspect,
    "permit_of": permit_of,
    "coverage_check": coverage_check,
    "ballot_tally": BOX.tally,
}
