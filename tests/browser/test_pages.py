"""Every page, as everybody sees it: nothing serious for a screen reader, nothing wider than a telephone, a picture."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from services.console.pages.all import ROUTES
from tests.browser.conftest import SHOTS, House
from tests.browser.visitor import Visitor

C1, STREET, COUNTY = "620199001001", "620199001", "620199"
LIGHT = 150_000
"""Bytes that a page for everybody may weigh before its pictures."""
# Who looks at what: the pages that have nothing in their address but what everybody can know.
PLACES = {
    "worker1": (
        "/",
        "/issues",
        "/issues/new",
        "/meetings",
        "/meetings/new",
        "/notifications",
        "/account",
        "/admissions",
        "/formations",
        "/offline",
    ),
    "supervisor": (
        "/boards",
        "/boards/supervision",
        "/boards/measures",
        "/boards/projects",
        "/boards/coverage",
        "/boards/agenda",
        "/boards/committee",
        "/boards/rollout",
        "/boards/permits",
        "/boards/burden",
    ),
    "admin": (
        "/admin",
        "/admin/incidents",
        "/admin/audit",
        "/admin/audit/accesses",
        "/admin/retention",
        "/admin/templates",
        "/admin/keys",
        "/admin/packs",
        "/admin/packs/default_2026",
        "/admin/calendar",
        "/admin/lists",
        "/admin/tree",
        "/admin/tree/import",
    ),
    "": (
        "/sign-in",
        "/p",
        f"/p/communities/{C1}",
        "/p/privacy",
        "/p/issues",
        "/p/verify",
        "/p/permits",
        "/p/objections",
    ),
}
LOOKS: dict[str, dict[str, Any]] = {
    "phone-zh": {"size": "phone", "language": "zh"},
    "desktop-en": {"size": "desktop", "language": "en", "color_scheme": "dark"},
}


def pages() -> Iterator[tuple[str, str]]:
    """Everybody with his pages."""
    for name in PLACES:
        yield name, "phone-zh"
        yield name, "desktop-en"


def faults(visitor: Visitor) -> list[tuple[str, list[Any]]]:
    """What a screen reader or weak eyes would stumble over."""
    found = Axe().run(visitor.page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    return [(one["id"], [node["html"][:160] for node in one["nodes"]][:3]) for one in serious]


def photograph(visitor: Visitor, name: str) -> None:
    """Keep a picture of the whole page."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    visitor.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


@pytest.mark.parametrize(("name", "look"), list(pages()))
def test_every_page_can_be_read_by_everybody(house: House, name: str, look: str) -> None:
    visitor = house.person(name, **LOOKS[look]) if name else house.anybody(**LOOKS[look])
    wrong: dict[str, Any] = {}
    for path in PLACES[name]:
        visitor.goes(path)
        visitor.page.wait_for_load_state("load")
        photograph(visitor, f"{path.strip('/').replace('/', '-') or 'work'}-{look}")
        too_wide = visitor.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if found := faults(visitor):
            wrong[path] = found
        if too_wide > 0:
            wrong[f"{path} is too wide"] = too_wide
    assert wrong == {}


@pytest.mark.parametrize("path", PLACES[""][1:])
def test_what_everybody_reads_is_light(house: House, path: str) -> None:
    visitor, weight = house.anybody("phone"), []
    visitor.page.on("response", lambda answer: weight.append(answer.request.sizes()["responseBodySize"]))
    visitor.goes(path)
    visitor.page.wait_for_load_state("networkidle")
    assert 0 < sum(weight) < LIGHT


def test_no_page_has_been_forgotten() -> None:
    known = {path for paths in PLACES.values() for path in paths}
    plain = {one.path for one in ROUTES if "GET" in one.methods and "{" not in one.path}
    parts = ("/stream", "/count", "/ticket", "/place", "/similar", ".json", ".xlsx", "/sign-in/provider", "/form-token")
    # Redirects and parts of pages are no pages.
    pages_only = {one for one in plain if not re.search("|".join(map(re.escape, parts)), one)}
    assert pages_only - known - {"/p/communities", "/sign-in/provider/back"} == set()
