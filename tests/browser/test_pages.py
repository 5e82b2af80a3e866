"""Every page, as everybody sees it: nothing serious for a screen reader, nothing wider than a telephone, a picture."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from services.console.pages.all import ROUTES
from tests.browser.conftest import SHOTS, House
from tests.browser.visitor import Visitor
from tests.journey.product import Product

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
# At a desk, in English and in the dark: one page of each make.
AT_A_DESK = {
    "worker1": ("/", "/issues", "/issues/new", "/notifications", "/account"),
    "supervisor": ("/boards", "/boards/supervision", "/boards/measures", "/boards/committee"),
    "admin": ("/admin", "/admin/templates", "/admin/packs/default_2026", "/admin/calendar", "/admin/tree"),
    "": ("/sign-in", "/p", f"/p/communities/{C1}", "/p/verify"),
}


def pages() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Everybody with his pages, and how he looks at them."""
    for name, paths in PLACES.items():
        yield name, "phone-zh", paths
        yield name, "desktop-en", AT_A_DESK[name]


def faults(visitor: Visitor) -> list[tuple[str, list[Any]]]:
    """What a screen reader or weak eyes would stumble over."""
    found = Axe().run(visitor.page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    return [(one["id"], [node["html"][:160] for node in one["nodes"]][:3]) for one in serious]


def photograph(visitor: Visitor, name: str) -> None:
    """Keep a picture of the whole page."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    visitor.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def looked_at(visitor: Visitor, path: str, name: str) -> dict[str, Any]:
    """What is wrong with a page as this visitor sees it; its picture is kept under a name."""
    wrong: dict[str, Any] = {}
    visitor.goes(path)
    visitor.page.wait_for_load_state("load")
    # What comes once the page is there.
    expect(visitor.page.locator("[hx-trigger=load]")).to_have_count(0)
    photograph(visitor, name)
    too_wide = visitor.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if found := faults(visitor):
        wrong[path] = found
    if too_wide > 0:
        wrong[f"{path} is too wide"] = too_wide
    return wrong


@pytest.mark.parametrize(("name", "look", "paths"), list(pages()))
def test_every_page_can_be_read_by_everybody(house: House, name: str, look: str, paths: tuple[str, ...]) -> None:
    visitor = house.person(name, **LOOKS[look]) if name else house.anybody(**LOOKS[look])
    wrong: dict[str, Any] = {}
    for path in paths:
        wrong |= looked_at(visitor, path, f"{path.strip('/').replace('/', '-') or 'work'}-{look}")
    assert wrong == {}


@pytest.fixture(scope="module")
def pages_of_cases(product: Product) -> dict[str, tuple[str, str]]:
    """Pages of an issue and of a meeting, by name, each with who looks at it."""
    issue = {"community_code": C1, "title": "三号楼楼道灯不亮", "description": "一层到三层", "source": "VISIT"}
    at = (datetime.now(UTC) + timedelta(days=10)).isoformat()
    meeting = {"community_code": C1, "type": "TWO_COMMITTEES", "place": "会议室", "scheduled_at": at}
    (_, made), (_, called) = (
        product.ask(who, "POST", path, body)
        for who, path, body in (("worker1", "/issues", issue), ("clerk1", "/meetings", meeting))
    )
    case, session = f"/issues/{made['number']}", f"/meetings/{called['number']}"
    product.ask("clerk1", "POST", f"{session}/commands/propose_item", {"title": "健身器材", "document": "附说明"})
    product.ask("worker1", "POST", f"{case}/comments", {"text": "已与住户联系", "internal": True})
    return {
        "case": ("worker1", case),
        "receipt": ("worker1", f"{case}/receipt"),
        "command": ("worker1", f"{case}/commands/accept_to_problem_list"),
        "meeting": ("clerk1", session),
        "desk": ("clerk1", f"{session}/desk"),
        "minutes": ("clerk1", f"{session}/minutes"),
        "template": ("admin", "/admin/templates/lanzhou_2021/INTAKE_RECEIPT"),
    }


@pytest.mark.parametrize("look", LOOKS)
def test_the_pages_of_cases_can_be_read_by_everybody(
    house: House, pages_of_cases: dict[str, tuple[str, str]], look: str
) -> None:
    visitors: dict[str, Visitor] = {}
    wrong: dict[str, Any] = {}
    for name, (who, path) in pages_of_cases.items():
        if who not in visitors:
            visitors[who] = house.person(who, **LOOKS[look])
        visitor = visitors[who]
        wrong |= looked_at(visitor, path, f"{name}-{look}")
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
