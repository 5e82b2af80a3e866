"""Start, kill, start: an open case and its clock go on as if nothing had happened."""

import time
from typing import Any

from tests.journey.product import STOPPED_WITHIN, Product

ISSUE = {
    "community_code": "620199001001",
    "title": "路灯不亮",
    "description": "东侧一排路灯不亮",
    "source": "VISIT",
    "category_code": "A02",
}


def test_a_killed_product_goes_on_where_it_was(own_product: Product) -> None:
    own_product.start()
    status, case = own_product.ask("grid1", "POST", "/issues", ISSUE)
    assert status == 201, case
    path = f"/issues/{case['id']}"
    accept = {
        "mode": "TIME_LIMITED",
        "category_code": "B01",
        "difficulty": "EASY",
        "lead_org": "property-1",
        "clock_class": "SIMPLE",
    }
    status, case = own_product.ask("worker1", "POST", f"{path}/commands/accept_to_problem_list", accept)
    assert (status, case["state"]) == (200, "ASSIGNED"), case
    clocks = own_product.ask("worker1", "GET", f"{path}/clocks")[1]
    [handle] = [clock for clock in clocks if clock["code"] == "HANDLE"]
    assert handle["state"] == "RUNNING"

    own_product.kill()
    own_product.start()

    def is_breached(found: Any) -> bool:
        return any(_is_breach(one) for one in found["items"])

    events = own_product.until("worker1", f"{path}/events", is_breached)
    [breach] = [one for one in events["items"] if _is_breach(one)]
    assert breach["occurred_at"] == handle["due_at"], "a late firing carries the moment itself"
    status, case = own_product.ask("property1", "POST", f"{path}/commands/sign", {})
    assert (status, case["state"]) == (200, "IN_PROGRESS"), case
    begun = time.monotonic()
    assert own_product.stop() == 0
    assert time.monotonic() - begun < STOPPED_WITHIN


def _is_breach(event: Any) -> bool:
    return (event["type"], event["payload"].get("notes", {}).get("clock")) == ("clock_breached", "HANDLE")
