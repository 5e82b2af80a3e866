"""Who sits in a body, and what appointing, leaving and standing in change about it (席位), as plain values.

The tables and the simulated street both change seats by these functions alone, so that in neither can a body have
two chairs. A seat's `until` is its last day; who leaves on a day no longer sits on that day, and a seat that never
saw a whole day is `ENDED`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

ACTIVE, ACTING, SUSPENDED, ENDED = "ACTIVE", "ACTING", "SUSPENDED_DUTY", "ENDED"
CHAIR, VICE_CHAIR, MEMBER = "CHAIR", "VICE_CHAIR", "MEMBER"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Somebody's place in a body (席位); `key` is the row's id, empty for one that is new."""

    person: str
    post: str
    category: str | None
    since: date
    until: date | None = None
    status: str = ACTIVE
    org: str | None = None
    key: str = ""

    @property
    def open(self) -> bool:
        """Say whether somebody sits here until further notice."""
        return self.until is None and self.status != ENDED

    def on(self, day: date) -> bool:
        """Say whether somebody sat here on a day."""
        return self.status != ENDED and self.since <= day and (self.until is None or day <= self.until)


def seated(
    seats: Sequence[Seat], person: str, post: str, category: str | None, day: date, org: str | None = None
) -> list[Seat]:
    """The seats once this person has this post: a chair takes the place of the old one and of whoever stood in."""
    after = seats
    if post == CHAIR:
        after = _each(after, lambda one: one.status == ACTING, lambda one: _standing(one, ACTIVE, day))
        after = _each(after, lambda one: one.post == CHAIR and one.person != person, lambda one: _ended(one, day))
    here = [one for one in after if one.open and one.person == person]
    if here and (here[0].post, here[0].category, here[0].status) == (post, category, ACTIVE):
        return list(after)
    after = _each(after, lambda one: one.person == person, lambda one: _ended(one, day))
    return [*after, Seat(person=person, post=post, category=category, since=day, org=org)]


def unseated(seats: Sequence[Seat], people: Iterable[str], day: date) -> list[Seat]:
    """The seats without these people from this day on."""
    gone = set(people)
    return _each(seats, lambda one: one.person in gone, lambda one: _ended(one, day))


def acting(seats: Sequence[Seat], person: str, day: date) -> list[Seat]:
    """This vice chair stands in for the chair, and nobody else does; nothing where there is a chair."""
    if any(one.open and one.post == CHAIR for one in seats):
        return list(seats)
    after = _each(seats, lambda one: one.status == ACTING, lambda one: _standing(one, ACTIVE, day))
    chosen = (person, VICE_CHAIR)
    return _each(after, lambda one: (one.person, one.post) == chosen, lambda one: _standing(one, ACTING, day))


def standing(seats: Sequence[Seat], person: str, before: str, status: str, day: date) -> list[Seat]:
    """The seats once this person, who stood so before, has another status."""
    return _each(
        seats, lambda one: (one.person, one.status) == (person, before), lambda one: _standing(one, status, day)
    )


def without_chair(seats: Sequence[Seat], day: date) -> list[Seat]:
    """The seats once the chair has left with his office."""
    return _each(seats, lambda one: one.post == CHAIR, lambda one: _ended(one, day))


def _each(
    seats: Sequence[Seat], which: Callable[[Seat], bool], change: Callable[[Seat], tuple[Seat, ...]]
) -> list[Seat]:
    found: list[Seat] = []
    for one in seats:
        found.extend(change(one) if one.open and which(one) else (one,))
    return found


def _ended(one: Seat, day: date) -> tuple[Seat, ...]:
    if one.since >= day:
        return (replace(one, until=one.since, status=ENDED),)
    return (replace(one, until=day - DAY),)


def _standing(one: Seat, status: str, day: date) -> tuple[Seat, ...]:
    """A seat of its own for the time in which the status holds, so that every past day still tells."""
    if one.since >= day:
        return (replace(one, status=status),)
    return (replace(one, until=day - DAY), replace(one, status=status, since=day, key=""))
