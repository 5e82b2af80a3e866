"""What the door needs to know of organisations and places."""

from dataclasses import dataclass

LONGEST_KEY = 64


def is_key(text: str) -> bool:
    """Say whether a text can be a name or code of ours; what the database cannot hold never reaches it."""
    return 0 < len(text) <= LONGEST_KEY and text.isprintable()


@dataclass(frozen=True, slots=True)
class Org:
    """An organisation (组织): a department, committee, company or other body that acts and owes."""

    code: str
    name: str
    org_type: str
    level: str
    region_code: str
    is_resident_unit: bool


@dataclass(frozen=True, slots=True)
class Region:
    """A place in the tree (区划): city, county, subdistrict, community or grid.

    Its code is a prefix of the codes of everything below it; `level` of a cell below a community is its kind.
    """

    code: str
    name: str
    level: str
    parent_code: str | None


@dataclass(frozen=True, slots=True)
class Community:
    """A community (社区) by its 12-digit code."""

    code: str
    name: str
    subdistrict_code: str
    households: int | None
