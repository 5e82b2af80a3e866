"""The committees of a simulated street (推演): who sits where, as the register of the real one would say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from services.storage import seating
from services.storage.questions.committees import absent_in_row, meeting_view
from services.storage.seating import Seat
from workflows.kernel.calendar import local
from workflows.kernel.process import Asked, Case
from workflows.kernel.simulator import Deed, Question, Street
from workflows.kernel.wire import case_row
from workflows.registry import PROCESSES

REGISTER = "committees"
YEAR = timedelta(days=365)


@dataclass(slots=True)
class Register:
    """Master data of the committees: seats by body and community, secretaries, certificates."""

    seats: dict[tuple[str, str], list[Seat]] = field(default_factory=dict)
    secretaries: dict[str, str | None] = field(default_factory=dict)
    certificates: dict[str, tuple[str, date | None]] = field(default_factory=dict)
    """By number: whose, and the day on which it ended."""
    minors: set[str] = field(default_factory=set)
    files: dict[str, str] = field(default_factory=dict)
    """Contents of attachments by id, where two ids are the same file."""
    rollout: dict[str, str] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    def sitting(self, kind: str, place: str, day: date) -> list[Seat]:
        """Who sits in a body on a day."""
        return [one for one in self.seats.get((kind, place), ()) if one.on(day)]


def register(street: Street) -> Register:
    """The register of this street; empty until somebody is written into it."""
    found: Register = street.register.setdefault(REGISTER, Register())
    return found


# --- questions ------------------------------------------------------------------------------------------------


def committee(street: Street, asked: Asked) -> Mapping[str, Any]:
    """The answer of the same name in services/storage/questions/committees.py."""
    place, day, books = _place(asked), local(asked.now).date(), register(street)
    members = books.sitting("CWC", place, day)
    cases = [one for one in street.cases.values() if one.community == place]
    live = _newest(one for one in cases if one.process == "formation" and one.closed_at is None)
    mine = [one for one in cases if one.process == "membership" and one.closed_at is None]
    acting = _newest(one for one in mine if one.state == "ACTING")
    vacant = _newest(one for one in mine if one.position == "EX_OFFICIO_ENDED")
    return {
        "members": [_seen(one) for one in members],
        "chair": next((one.person for one in members if one.post == seating.CHAIR), None),
        "acting": next((one.person for one in members if one.status == seating.ACTING), None),
        "secretary": books.secretaries.get(place),
        "epc": [one.person for one in books.sitting("EPC", place, day)],
        "two_committees": [one.person for one in books.sitting("TWO_COMMITTEES", place, day)],
        "live_formation": live
        and {"id": live.id, "kind": live.data.kind.value, "state": live.state, "number": live.number},
        "ended_terms": [
            {"membership": one.id, "person": one.data.member, "category": one.data.category}
            for one in mine
            if one.position == "TERM_ENDED"
        ],
        "acting_case": acting and acting.id,
        "chair_vacant_case": vacant and vacant.id,
    }


def membership(street: Street, asked: Asked) -> Mapping[str, Any]:
    """The answer of the same name in services/storage/questions/committees.py."""
    member, books = str(asked.about["member"]), register(street)
    seats = books.sitting("CWC", _place(asked), local(asked.now).date())
    about = [one for one in street.cases.values() if one.process == "membership" and one.data.member == member]
    return {
        "seat": next((_seen(one) for one in seats if one.person == member), None),
        "live": [one.id for one in about if one.state in ("EXIT_REQUESTED", "DISMISSAL_REVIEW")],
        "earlier": [
            {"id": one.id, "evidence": list(one.data.evidence_sha)}
            for one in about
            if one.position in ("ACTIVE:RETAINED", "ACTIVE:WARNED")
        ],
        "evidence": [books.files.get(one, one) for one in asked.about.get("evidence", ())],
    }


def eligibility(street: Street, asked: Asked) -> Mapping[str, Any]:
    """The answer of the same name in services/storage/questions/committees.py."""
    key = str(asked.about["candidate"])
    dismissed = [
        one
        for one in street.cases.values()
        if one.process == "membership" and one.state == "DISMISSED" and one.data.member == key
    ]
    recent = any(one.data.decided_at >= asked.now - YEAR for one in dismissed)
    return {"minor": key in register(street).minors, "dismissed_within_year": recent}


def party_meeting(street: Street, asked: Asked) -> Mapping[str, Any]:
    """The answer of the same name in services/storage/questions/committees.py."""
    assert asked.case is not None
    opened_at = asked.case.opened_at
    assert opened_at is not None
    held = [one for one in street.cases.values() if one.process == "meeting"]
    if named := asked.about.get("meeting"):
        held = [one for one in held if one.id == named]
    else:
        held = [
            one
            for one in held
            if one.community == asked.case.community
            and {"TWO_COMMITTEES", "PARTY_MEMBERS"} & set(one.data.bodies)
            and one.data.opened_at is not None
            and one.opened_at is not None
            and one.opened_at >= opened_at
        ]
    found = _newest(held)
    return {} if found is None else meeting_view(case_row(PROCESSES["meeting"], found), asked.case.community)


def absences_to_review(street: Street, asked: Asked) -> Mapping[str, Any]:
    """The answer of the same name in services/storage/questions/committees.py."""
    limit = int(street.world.policy.number("member.absence_limit"))
    openings = []
    for (kind, place), seats in sorted(register(street).seats.items()):
        if kind != "CWC" or not place.startswith(asked.about["region"]):
            continue
        held = [
            one
            for one in street.cases.values()
            if one.process == "meeting"
            and one.community == place
            and one.data.held
            and "CWC_SESSION" in one.data.bodies
        ]
        newest = sorted(held, key=lambda one: one.data.opened_at, reverse=True)
        sessions = [(one.id, case_row(PROCESSES["meeting"], one)["data"]) for one in newest]
        for seat in (one for one in seats if one.open):
            found = absent_in_row(seat.person, sessions)
            if found["count"] >= limit:
                fields = {"community_code": place, "kind": "REVIEW", "member": seat.person, "absences": found["count"]}
                openings.append({"key": f"absent|{seat.person}|{found['since']}", "fields": fields})
    return {"openings": openings}


def terms_ended(street: Street, asked: Asked) -> Mapping[str, Any]:
    """Nobody is seated for a term here."""
    return {"openings": []}


# --- deeds ----------------------------------------------------------------------------------------------------


def seat_member(street: Street, errand_id: str, fields: Mapping[str, Any]) -> None:
    """Seat somebody with his certificate."""
    place, day, member = fields["community"], date.fromisoformat(fields["on"]), fields["person"]
    books = register(street)
    _put(books, place, seating.seated(_cwc(books, place), member, fields["post"], fields["category"], day))
    _certify(books, member, fields["cert_no"], day)


def complete_committee(street: Street, errand_id: str, fields: Mapping[str, Any]) -> None:
    """The committee is formed."""
    place, day, books = fields["community"], date.fromisoformat(fields["on"]), register(street)
    if fields["keep"] is not None:
        gone = {one.person for one in _cwc(books, place) if one.open} - set(fields["keep"])
        _put(books, place, seating.unseated(_cwc(books, place), gone, day))
        _revoke(books, gone, day)
    if books.rollout.get(place, "NOT_STARTED") in ("NOT_STARTED", "PREPARING", "LATE"):
        books.rollout[place] = "FORMED"


def begin_committee(street: Street, errand_id: str, fields: Mapping[str, Any]) -> None:
    """A first committee is being prepared."""
    register(street).rollout.setdefault(fields["community"], "PREPARING")


def unseat_member(street: Street, errand_id: str, fields: Mapping[str, Any]) -> None:
    """Seat and certificate end."""
    place, day, books = fields["community"], date.fromisoformat(fields["on"]), register(street)
    _put(books, place, seating.unseated(_cwc(books, place), [fields["person"]], day))
    _revoke(books, {fields["person"]}, day)


def act_as_chair(street: Street, errand_id: str, fields: Mapping[str, Any]) -> None:
    """A vice chair stands in."""
    place, day, books = fields["community"], date.fromisoformat(fields["on"]), register(street)
    _put(books, place, seating.acting(_cwc(books, place), fields["person"], day))


def change_secretary(street: Street, errand_id: str, fields: Mapping[str, Any]) -> None:
    """The office goes from one to the other, and with it the chair."""
    place, day, new, books = fields["community"], date.fromisoformat(fields["on"]), fields["new"], register(street)
    books.secretaries[place] = new
    for kind in ("CWC", "EPC", "TWO_COMMITTEES", "PJM"):
        seats = books.seats.get((kind, place))
        if seats is None:
            continue
        category = "PARTY_ORG_MEMBER" if kind == "CWC" else None
        after = seating.seated(seats, new, seating.CHAIR, category, day) if new else seating.without_chair(seats, day)
        books.seats[kind, place] = after
    if fields["old"] is not None:
        _revoke(books, {fields["old"]}, day)
    if new is not None:
        _certify(books, new, f"{street.cases[fields['of']].number}-01", day)


def _stand(before: str, status: str) -> Deed:
    def stand(street: Street, errand_id: str, fields: Mapping[str, Any]) -> None:
        place, day, books = fields["community"], date.fromisoformat(fields["on"]), register(street)
        _put(books, place, seating.standing(_cwc(books, place), fields["person"], before, status, day))

    return stand


def _once(deed: Deed) -> Deed:
    """Carried out once, however often the errand comes."""

    def carry_out(street: Street, errand_id: str, fields: Mapping[str, Any]) -> None:
        if errand_id not in register(street).done:
            register(street).done.add(errand_id)
            deed(street, errand_id, fields)

    return carry_out


def _cwc(books: Register, place: str) -> list[Seat]:
    return books.seats.get(("CWC", place), [])


def _put(books: Register, place: str, seats: Sequence[Seat]) -> None:
    # As in the table: a row that ended is kept, one that is new has a key from now on.
    books.seats["CWC", place] = list(seats)


def _certify(books: Register, member: str, number: str, day: date) -> None:
    _revoke(books, {member}, day)
    books.certificates[number] = (member, None)


def _revoke(books: Register, people: set[str], day: date) -> None:
    for number, (member, ended) in books.certificates.items():
        if member in people and ended is None:
            books.certificates[number] = (member, day)


def _seen(one: Seat) -> dict[str, Any]:
    return {
        "person": one.person,
        "post": one.post,
        "category": one.category,
        "status": one.status,
        "since": one.since.isoformat(),
        "org": one.org,
    }


def _place(asked: Asked) -> str:
    return asked.case.community if asked.case is not None else str(asked.about["community_code"])


def _newest(cases: Any) -> Case[Any] | None:
    found: Case[Any] | None = max(cases, key=lambda one: one.opened_at, default=None)
    return found


QUESTIONS: dict[str, Question] = {
    "committee": committee,
    "membership": membership,
    "eligibility": eligibility,
    "party_meeting": party_meeting,
    "absences_to_review": absences_to_review,
    "terms_ended": terms_ended,
}
DEEDS: dict[str, Deed] = {
    name: _once(deed)
    for name, deed in {
        "seat_member": seat_member,
        "complete_committee": complete_committee,
        "begin_committee": begin_committee,
        "unseat_member": unseat_member,
        "suspend_member": _stand(seating.ACTIVE, seating.SUSPENDED),
        "resume_member": _stand(seating.SUSPENDED, seating.ACTIVE),
        "end_acting": _stand(seating.ACTING, seating.ACTIVE),
        "act_as_chair": act_as_chair,
        "change_secretary": change_secretary,
    }.items()
}
