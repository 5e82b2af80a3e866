"""Which permits are inspected in a year (应检范围): pure, so that calendar, simulator and tests agree.

Every unit's permit, and every work item's with a term of a year or more, that was in force at least ninety days of
the year, counted to its end (processes P4); also one that has ended since, for its year must be accounted for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from workflows.kernel.calendar import CHINA, Scale, Unit, end_of
from workflows.kernel.periods import MONTHS, beginning_of

UNIT = "UNIT"
MONTHS_OF_YEAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """What the calendar knows of a permit: its case, its terms, and since when and until when it was in force."""

    id: str
    permit_no: str
    variant: str
    applicant_org: str
    communities: tuple[str, ...]
    entered_at: datetime
    ended_at: datetime | None
    valid_from: date
    valid_until: date
    policy: Any
    """The pack that the permit's case is pinned to."""

    @property
    def county(self) -> str:
        """The county that inspects it: where several are concerned, that of the first community."""
        return min(self.communities)[:6]


def openings(permits: Iterable[Permit], region: str, period: str, at: datetime) -> list[dict[str, Any]]:
    """Key and fields of each inspection that begins in a county now; the key is the permit in its year."""
    return [
        {
            "key": f"{one.id}/{period}",
            "fields": {
                "permit": one.id,
                "permit_no": one.permit_no,
                "variant": one.variant,
                "applicant_org": one.applicant_org,
                "communities": list(one.communities),
                "county": one.county,
                "year": at.astimezone(CHINA).year,
                "period": period,
            },
        }
        for one in _due(permits, period, at)
        if one.county == region
    ]


def _due(permits: Iterable[Permit], period: str, at: datetime) -> Iterator[Permit]:
    for one in permits:
        first, last = _year(period, one.policy.scale)
        begun = one.policy.scale is not None or at >= _opens(first, one.policy)
        least = one.policy.number("admission.inspection.min_active")
        if begun and _inspected(one) and active_days(one, first, last) >= least:
            yield one


def _inspected(permit: Permit) -> bool:
    if permit.policy.text("admission.inspection") == "off":
        return False
    if permit.variant == UNIT:
        return True
    months = int(permit.policy.number("admission.inspection.item_term"))
    return permit.valid_until >= _months_later(permit.valid_from, months) - timedelta(days=1)


def active_days(permit: Permit, first: datetime, last: datetime) -> float:
    """Days of a year in which a permit was, or will be, in force; both of its ends count."""
    scale: Scale | None = permit.policy.scale
    begins = max(permit.entered_at, first)
    if scale is not None:
        # A drill's days are seconds; its terms are real dates, so only what has happened ends them.
        ends = min(permit.ended_at or last, last)
        return max(0.0, (ends - begins).total_seconds() / scale.seconds(Unit.CALENDAR_DAYS))
    ends = min(permit.ended_at or end_of(permit.valid_until), end_of(permit.valid_until), last)
    # 24:00 of a day is that day.
    begins_on, ends_on = begins.astimezone(CHINA).date(), (ends - timedelta(microseconds=1)).astimezone(CHINA).date()
    return max(0, (ends_on - begins_on).days + 1)


def _year(period: str, scale: Scale | None) -> tuple[datetime, datetime]:
    """Beginning and end of a year, or of a drill's year."""
    if scale is None:
        first = datetime(int(period), 1, 1, tzinfo=CHINA)
        return first, datetime(int(period) + 1, 1, 1, tzinfo=CHINA)
    first = beginning_of(period)
    return first, first + timedelta(seconds=scale.seconds(Unit.MONTH) * MONTHS["YEAR"])


def _opens(first: datetime, policy: Any) -> datetime:
    day = date.fromisoformat(f"{first.year}-{policy.text('admission.inspection.open')}")
    return datetime(day.year, day.month, day.day, tzinfo=CHINA)


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, MONTHS_OF_YEAR)
    # The first of a month exists in every month; a term is counted from there.
    return date(day.year + year, month + 1, min(day.day, 28))


def permit_facts(
    permit: Permit, state: str, *, breached: bool, inspections: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """What rules of an inspection must know of its permit; `breached`: the time to put things right has run out."""
    failed = state in ("REVOCATION_PROPOSED", "REVOKED") or (state == "RECTIFYING" and breached)
    return {
        "id": permit.id,
        "state": state,
        "in_force": state in ("ACTIVE", "RENEWAL_REVIEW", "RECTIFYING", "REVOCATION_PROPOSED"),
        "permit_no": permit.permit_no,
        "variant": permit.variant,
        "applicant_org": permit.applicant_org,
        "communities": list(permit.communities),
        "county": permit.county,
        "rectification_failed": failed,
        "inspections": list(inspections),
    }
