"""The committees of scenarios.md §0 on the simulated street, and shorthand for their formation and changes."""

from datetime import date
from typing import Any

from services.rehearsal_committees import Register, register
from services.storage.seating import Seat
from tests.scenarios.street import C1, C2, C3, PEOPLE, STREET, Town
from workflows.formation import commands as do
from workflows.formation.data import Candidate, Category, Formation, Kind, Post, Standing, Way
from workflows.kernel.process import Actor, Case, Grant
from workflows.membership import commands as change
from workflows.membership.data import Kind as MemberChange
from workflows.membership.data import Membership

SINCE = date(2025, 1, 1)
STRENGTH = {C1: (13, 4), C2: (11, 3), C3: (9, 3)}
"""Members and vice chairs of each committee."""
CATEGORIES = (
    Category.VETERAN,
    Category.RESIDENT_UNIT,
    Category.RESIDENT_REPRESENTATIVE,
    Category.SOCIAL_ORG,
    Category.BUILDING_HEAD,
    Category.PROPERTY_COMPANY,
    Category.VOLUNTEER,
    Category.DEPUTY_OR_DELEGATE,
    Category.SOCIAL_WORKER,
    Category.PRIVATE_ENTERPRISE,
    Category.JOURNALIST,
    Category.OWNERS_COMMITTEE,
)
MET = {"id": "m", "number": "H1", "of_party_organisation": True, "quorate": True, "present": [], "tallies": {}}
"""A quorate meeting of the party organisation, as the question answers."""


def number(community: str) -> int:
    """The digit of a community's accounts."""
    return int(community[-1])


def vice(community: str, nth: int) -> str:
    """A vice chair of the committee that sits, from 1."""
    return f"vice{number(community)}" + ("" if nth == 1 else "bcdef"[nth - 2])


def member(community: str, nth: int) -> str:
    """A member of the committee that sits, from 1."""
    return f"member{number(community)}{'abcdefghijkl'[nth - 1]}"


def with_committees(town: Town) -> Town:
    """Seat the committees, their 大党委 and 两委, as the scenarios begin."""
    books = register(town.street)
    for place, (members, vices) in STRENGTH.items():
        secretary = f"secretary{number(place)}"
        books.secretaries[place] = secretary
        posts = [(secretary, "CHAIR", Category.PARTY_ORG_MEMBER)]
        posts += [(vice(place, nth), "VICE_CHAIR", CATEGORIES[nth - 1]) for nth in range(1, vices + 1)]
        posts += [(member(place, nth), "MEMBER", CATEGORIES[3 + nth % 9]) for nth in range(1, members - vices)]
        books.seats["CWC", place] = [_seat(*one) for one in posts]
        for kind, prefix, size in (("EPC", "epc", 9), ("TWO_COMMITTEES", "tc", 8)):
            others = [f"{prefix}{number(place)}{'abcdefghi'[nth]}" for nth in range(1, size)]
            books.seats[kind, place] = [
                _seat(secretary, "CHAIR", None),
                *(_seat(one, "MEMBER", None) for one in others),
            ]
        for nth, (who, _, _) in enumerate(posts, start=1):
            books.certificates[f"old-{place}-{nth}"] = (who, None)
    return town


def without_committee(town: Town, place: str) -> Town:
    """A community that has a secretary, a 大党委 and 两委, and no committee yet."""
    with_committees(town)
    del register(town.street).seats["CWC", place]
    return town


def _seat(person: str, post: str, category: Category | None) -> Seat:
    return Seat(person=person, post=post, category=category.value if category else None, since=SINCE)


def resident(name: str) -> Actor:
    """Somebody who lives in C1 and has an account."""
    return Actor(name, name, (Grant("resident", C1),))


class Forming:
    """One formation: who says what."""

    def __init__(self, town: Town, key: str = "f", place: str = C1) -> None:
        self.town, self.key, self.place = town, key, place

    @property
    def case(self) -> Case[Formation]:
        """The formation as it now is."""
        return self.town.street.cases[self.key]

    @property
    def books(self) -> Register:
        """The register of the street."""
        return register(self.town.street)

    def start(self, size: int = 13, kind: Kind = Kind.INITIAL, **more: Any) -> "Forming":
        """The secretary starts it."""
        seats = {"RESIDENT_REPRESENTATIVE": 1}
        command = do.StartFormation(community_code=self.place, kind=kind, target_size=size, seats=seats, **more)
        self.town.street.open("formation", self.key, command, PEOPLE[self._who("secretary")])
        return self

    def call(self) -> "Forming":
        """The call is published."""
        return self.say("secretary", do.PublishCall(text="text:call", conditions="text:cond", contact="text:contact"))

    def nominate(self, *names: str, way: Way = Way.VOLUNTEER_CALL, consent: bool = True) -> "Forming":
        """A worker enters these nominations."""
        for nth, name in enumerate(names):
            category = CATEGORIES[nth % len(CATEGORIES)]
            self.say("worker", do.Nominate(way=way, person=name, category=category, consent=consent))
        return self

    def verify(self, *names: str) -> "Forming":
        """A worker finds these eligible."""
        for name in names:
            self.say("worker", do.VerifyCandidate(candidate=name, eligible=True))
        return self

    def shortlist(self, *names: str, vices: int = 4) -> "Forming":
        """These go to the meeting, the first ones as vice chairs."""
        posts = (
            do.Choice(candidate=name, post=Post.VICE_CHAIR if nth < vices else Post.MEMBER)
            for nth, name in enumerate(names)
        )
        return self.say("worker", do.ProposeShortlist(candidates=tuple(posts)))

    def decide(self, *names: str, reason: str | None = None, meeting: Any = MET) -> "Forming":
        """The party organisation decides in a meeting."""
        command = do.PartyMeetingDecide(candidates=names, text="text:decision", exception_reason=reason)
        return self.say("secretary", command, party_meeting=meeting)

    def approve(self, *names: str) -> "Forming":
        """The street approves, everybody or these."""
        return self.say("streetparty", do.ApproveAndFile(filing_no="安和〔2026〕7号", candidates=names or None))

    def appoint(self) -> "Forming":
        """Everybody who is cleared gets his certificate, the chair first."""
        cleared = {key: one for key, one in self.case.data.candidates.items() if one.standing is Standing.CLEARED}
        for key, one in sorted(cleared.items(), key=lambda pair: (pair[1].post is not Post.CHAIR, pair[0])):
            assert one.post is not None
            self.say("secretary", do.IssueCertificate(member=key, post=one.post))
        return self

    def say(self, who: str, command: Any, **facts: Any) -> "Forming":
        """Somebody gives a command; `secretary`, `worker` mean those of the community."""
        self.town.street.command(self.key, command, PEOPLE[self._who(who)], facts=facts)
        return self

    def candidate(self, key: str) -> Candidate:
        """A candidate as he now stands."""
        return self.case.data.candidates[key]

    def standings(self) -> dict[str, Standing]:
        """Where everybody stands."""
        return {key: one.standing for key, one in self.case.data.candidates.items()}

    def seated(self, place: str | None = None) -> dict[str, str]:
        """Who sits in the committee today, with his post."""
        today = self.town.street.now.date()
        return {one.person: one.post for one in self.books.sitting("CWC", place or self.place, today)}

    def notice(self, nth: int = 1) -> str:
        """The id of one of its notices."""
        return list(self.case.data.notices)[nth - 1]

    def _who(self, who: str) -> str:
        return f"{who}{number(self.place)}" if who in ("secretary", "worker", "resident") else who


NAMES = tuple(f"p{nth}" for nth in range(1, 18))
"""Seventeen people who are nominated; with the secretary they are eighteen."""


def on_list(town: Town | None = None, place: str = C1) -> Forming:
    """A formation with seventeen verified candidates after its call, on 05-19."""
    forming = Forming(town or without_committee(Town("05-11 09:00"), place), place=place)
    forming.start().call().nominate(*NAMES)
    forming.town.at("05-19 09:00")
    return forming.verify(*NAMES)


def in_notice(town: Town | None = None) -> Forming:
    """A list of thirteen on notice since Thursday 05-28 10:00."""
    forming = on_list(town)
    forming.town.at("05-22 15:00")
    forming.shortlist(*NAMES[:12]).decide(*NAMES[:12])
    forming.town.at("05-28 10:00")
    return forming.approve()


# --- changes of membership ----------------------------------------------------------------------------------------


def opened(town: Town, key: str, who: Actor | str, kind: str, **fields: Any) -> Case[Membership]:
    """Somebody opens a change of membership of a community."""
    actor = PEOPLE[who] if isinstance(who, str) else who
    place = fields.pop("place", C1)
    command = change.OpenMembership(community_code=place, kind=MemberChange(kind), **fields)
    found: Case[Membership] = town.street.open("membership", key, command, actor)
    return found


def sitting(name: str, place: str = C1, role: str = "cwc_member") -> Actor:
    """A member of a committee, with the account that he has."""
    return Actor(name, name, (Grant(role, place),))


__all__ = ["C1", "C2", "C3", "MET", "NAMES", "STREET", "Forming", "in_notice", "on_list", "opened", "sitting"]
