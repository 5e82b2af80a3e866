"""Turn the description of the demonstration street (demo_street.toml) into rows of tables."""

import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from services.storage import people_tables as tables
from services.storage.ids import uuid7

SOURCE = "DEMO"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SECRETARY_ROLES = ("party_secretary", "cwc_chair", "two_committees_member", "epc_member")
# The north-west corner of the street, a block's size in degrees, and how many lie side by side in a community.
CORNER, BLOCK, ACROSS = (103.83, 36.062), (0.0022, 0.0017), 3
WRITING_ORDER = (
    tables.tenant,
    tables.region,
    tables.community,
    tables.organization,
    tables.person,
    tables.spatial_unit,
    tables.account,
    tables.person_role,
    tables.body,
    tables.body_member,
)

Plan = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody's place in a body."""

    person: UUID
    post: str
    category: str | None = None
    org: str | None = None


class Street:
    """The street, its communities and everybody in them; all accounts share one password."""

    def __init__(self, password_hash: str) -> None:
        self._plan = _description()
        self._password_hash = password_hash
        self._tenant_id = uuid7()
        self._rows: dict[Table, list[dict[str, Any]]] = defaultdict(list)
        self._people: dict[str, UUID] = {}

    def rows(self) -> dict[Table, list[dict[str, Any]]]:
        """Give all rows by table, in the order in which they can be written."""
        self._tenant()
        self._regions()
        self._organizations()
        for community in self._plan["communities"]:
            self._community(community)
            self._offices(community)
        self._people_above()
        self._bodies_above()
        return {table: self._rows[table] for table in WRITING_ORDER}

    def _tenant(self) -> None:
        name = self._plan["regions"][0]["name"]
        row = {"id": self._tenant_id, "name": name, "policy_pack_id": self._plan["policy_pack"]}
        self._rows[tables.tenant].append(row)

    def _regions(self) -> None:
        above = self._plan["regions"]
        for region, parent in zip(above, [None, *above], strict=False):
            self._add(tables.region, **region, parent_code=parent and parent["code"])
        for each in self._plan["communities"]:
            self._add(
                tables.region,
                code=each["code"],
                name=each["name"],
                level="COMMUNITY",
                parent_code=above[-1]["code"],
            )

    def _organizations(self) -> None:
        for each in self._plan["communities"]:
            place = {"level": "COMMUNITY", "region": each["code"]}
            committee = {"code": f"community-{each['number']}", "name": f"{each['name']}居民委员会"}
            company = {"code": f"property-{each['number']}", "name": each["property"]["name"]}
            self._organization({**committee, **place, "org_type": "RESIDENT_COMMITTEE"})
            self._organization({**company, **place, "org_type": "PROPERTY_COMPANY"})
        for organization in self._plan["organizations"]:
            self._organization(organization)

    def _organization(self, plan: Plan) -> None:
        self._add(
            tables.organization,
            id=uuid7(),
            code=plan["code"],
            name=plan["name"],
            org_type=plan["org_type"],
            level=plan["level"],
            region_code=plan["region"],
            is_resident_unit=plan.get("is_resident_unit", False),
        )

    def _community(self, plan: Plan) -> None:
        self._add(
            tables.community,
            region_code=plan["code"],
            households=plan["households"],
            population=plan["population"],
            estate_kind=plan["estate_kind"],
            self_governance_mode=plan["self_governance_mode"],
            rollout_state="OPERATING",
        )
        self._grids(plan, self._staff(plan, plan["grid_workers"], "grid", "grid_worker"))
        self._staff(plan, plan["community_workers"], "worker", "community_worker")
        self._staff(plan, [plan["clerk"]], "clerk", "meeting_secretary")
        for username, name in zip(_usernames("resident", plan["number"]), plan["residents"], strict=False):
            self._role(self._person(name, plan["code"], username), "resident", plan["code"], None)

    def _offices(self, plan: Plan) -> None:
        """Seat the committees; the secretary chairs them all, with an account per seat (seed 001 §三2)."""
        number, place, name = plan["number"], plan["code"], plan["name"]
        secretary = self._person(plan["secretary"], place, f"secretary{number}", f"epc{number}a", f"tc{number}a")
        for role in SECRETARY_ROLES:
            self._role(secretary, role, place, f"community-{number}")
        liaison = self._person(plan["property"]["liaison"], None, f"property{number}")
        self._role(liaison, "unit_liaison", place, f"property-{number}")
        vices = self._staff(plan, plan["vice_chairs"], "vice", "cwc_vice_chair")
        members = self._staff(plan, plan["members"], "member", "cwc_member", lettered=True)
        epc = self._staff(plan, plan["extended_party_committee"], "epc", "epc_member", lettered=True, skip=1)
        two = self._staff(plan, plan["two_committees"], "tc", "two_committees_member", lettered=True, skip=1)

        categories = self._plan["categories"]
        committee = [
            Seat(secretary, "CHAIR", "PARTY_ORG_MEMBER"),
            *(Seat(v, "VICE_CHAIR", c) for v, c in zip(vices, categories["vice_chairs"], strict=False)),
            *(Seat(m, "MEMBER", c) for m, c in zip(members, categories["members"], strict=False)),
        ]
        chair = Seat(secretary, "CHAIR")
        self._body("CWC", place, f"{name}社区建设工作委员会", committee)
        self._body("EPC", place, f"{name}大党委", [chair, *(Seat(each, "MEMBER") for each in epc)])
        self._body("TWO_COMMITTEES", place, f"{name}两委", [chair, *(Seat(each, "MEMBER") for each in two)])
        delegates = [
            Seat(secretary, "CHAIR", org=f"community-{number}"),
            Seat(liaison, "DELEGATE", org=f"property-{number}"),
        ]
        self._body("PJM", place, f"{name}党建联席会议", delegates)

    def _staff(
        self,
        plan: Plan,
        names: Sequence[str],
        prefix: str,
        role: str,
        *,
        lettered: bool = False,
        skip: int = 0,
    ) -> list[UUID]:
        """Give these people accounts and a role in the community; `skip` leaves the first letters."""
        usernames = _usernames(prefix, plan["number"], lettered=lettered, skip=skip)
        people = [self._person(name, plan["code"], username) for username, name in zip(usernames, names, strict=False)]
        for person in people:
            self._role(person, role, plan["code"], f"community-{plan['number']}")
        return people

    def _grids(self, plan: Plan, workers: Sequence[UUID]) -> None:
        # The households that do not divide evenly live in the first grids.
        share, rest = divmod(plan["households"], plan["grids"])
        for index in range(plan["grids"]):
            self._add(
                tables.spatial_unit,
                id=uuid7(),
                community_code=plan["code"],
                kind="GRID",
                code=f"{plan['code']}{index + 1:03}",
                name=f"第{index + 1}网格",
                households=share + (index < rest),
                geometry=_outline(plan["number"], index, plan["grids"]),
                responsible_person_ids=[workers[index]],
            )

    def _people_above(self) -> None:
        for someone in self._plan["people"]:
            person = self._person(someone["name"], None, someone["username"])
            self._role(person, someone["role"], someone["place"], someone.get("org"))

    def _bodies_above(self) -> None:
        for plan in self._plan["bodies"]:
            seats = [Seat(self._people[username], "MEMBER") for username in plan["members"]]
            self._body(plan["type"], plan["region"], plan["name"], seats)

    def _person(self, name: str, home: str | None, *usernames: str) -> UUID:
        person = uuid7()
        self._add(tables.person, id=person, display_name=name, home_community_code=home, source=SOURCE)
        for username in usernames:
            self._people[username] = person
            self._add(
                tables.account,
                id=uuid7(),
                username=username,
                person_id=person,
                password_hash=self._password_hash,
            )
        return person

    def _role(self, person: UUID, role: str, place: str, org: str | None) -> None:
        self._add(
            tables.person_role,
            id=uuid7(),
            person_id=person,
            role=role,
            place=place,
            org_code=org,
            since=self._plan["since"],
        )

    def _body(self, kind: str, region: str, name: str, seats: Sequence[Seat]) -> None:
        body = uuid7()
        self._add(tables.body, id=body, type=kind, region_code=region, name=name)
        for seat in seats:
            self._add(
                tables.body_member,
                id=uuid7(),
                body_id=body,
                person_id=seat.person,
                org_code=seat.org,
                post=seat.post,
                category=seat.category,
                since=self._plan["since"],
            )

    def _add(self, table: Table, **values: Any) -> None:
        self._rows[table].append({"tenant_id": self._tenant_id, **values})


def _description() -> Plan:
    return tomllib.loads(files("services.storage").joinpath("demo_street.toml").read_text("utf-8"))


def _usernames(prefix: str, number: int, *, lettered: bool = False, skip: int = 0) -> Iterator[str]:
    """Give `grid1, grid1b, grid1c …`, or, lettered, `member1a, member1b …`."""
    for letter in LETTERS[skip:]:
        yield f"{prefix}{number}{letter if lettered or letter != 'a' else ''}"


def _outline(number: int, index: int, grids: int) -> dict[str, Any]:
    """An invented block of a few hundred metres: communities lie beside one another, their grids in rows of three."""
    row, column = divmod(index, ACROSS)
    in_row = min(ACROSS, grids - row * ACROSS)

    def corner(down: int, right: float) -> list[float]:
        # Streets are not drawn with a ruler; neighbours share their corners.
        bend = (down * 7 + round(right * 6) * 5 + number * 3) % 5 - 2
        east = CORNER[0] + (number - 1) * ACROSS * BLOCK[0] + right * BLOCK[0] + bend * 0.00006 * (0 < right < ACROSS)
        return [round(east, 6), round(CORNER[1] - down * BLOCK[1] + bend * 0.00005, 6)]

    left, right = (ACROSS * part / in_row for part in (column, column + 1))
    ring = [corner(row, left), corner(row, right), corner(row + 1, right), corner(row + 1, left)]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
