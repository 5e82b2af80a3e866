"""An issue through the five steps, each by the page of whoever acts; on a phone and at a desk."""

from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import House
from tests.browser.visitor import Visitor, fill

C1 = "620199001001"


def reports(grid: Visitor, title: str) -> str:
    """A grid worker reports; gives the path of the case."""
    grid.goes("/issues/new")
    form = grid.page.locator("form[action='/issues/new']")
    fill(form, {"title": title, "description": "污水外溢，老人出行不便", "category_code": "B01", "source": "VISIT"})
    form.locator("button[type=submit]").last.click()
    grid.page.wait_for_url(lambda url: "/new" not in url)
    return urlsplit(grid.page.url).path


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_from_the_rain_to_the_answer(house: House, size: str) -> None:
    grid = house.person("grid1", size)
    case = reports(grid, "3号楼下水道堵塞")
    grid.sees("3号楼下水道堵塞")

    worker = house.person("worker1", size)
    worker.goes("/")
    worker.sees("3号楼下水道堵塞")
    worker.gives(
        case,
        "accept_to_problem_list",
        mode="TIME_LIMITED",
        category_code="B01",
        difficulty="EASY",
        lead_org="property-1",
        clock_class="CONSULT",
    )
    worker.sees("已派单")
