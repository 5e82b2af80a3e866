"""Take the pictures of the README: the product itself, a street with something going on, and a browser.

python -m tests.browser.shots
"""

import io
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

import services.console
from tests.browser.conftest import CHROMIUM, MISSING, House
from tests.browser.visitor import Visitor
from tests.journey.product import Product

PICTURES = Path(next(iter(services.console.__path__))) / "shots"
C1, C2 = "620199001001", "620199001002"
LARGEST = 150_000
"""Bytes of one picture; the repository is no album."""
WIDE: dict[str, Any] = {"size": "desktop", "device_scale_factor": 1.5}
NARROW: dict[str, Any] = {"size": "phone", "device_scale_factor": 2}
DRILL = {"pack": "drill", "reason": "演练"}
# What residents of a street ask for, how urgent it is, and who does it.
WISHES = (
    ("3号楼下水道堵塞，污水外溢", "B01", "620199001001", "property-1", True),
    ("5号楼楼道堆放杂物", "A02", "620199001001", "property-1", True),
    ("小区东门路灯不亮", "B01", "620199001001", "property-1", False),
    ("儿童游乐设施松动", "B01", "620199001001", None, False),
    ("二次供水水压不足", "B01", "620199001002", "property-2", True),
    ("电动车飞线充电", "A02", "620199001002", "property-2", False),
    ("广场夜间噪声", "A02", "620199001001", None, False),
)


def main() -> None:
    """Start the product, let something happen, take the pictures, leave nothing behind."""
    if not CHROMIUM.exists():
        sys.exit(MISSING)
    product = Product()
    product.environment["SHANGLIANG_POLICY"] = "lanzhou_2021"
    try:
        product.start()
        cases = [_happens(product, *wish) for wish in WISHES]
        meeting = _meets(product)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            house = House(product, browser, {})
            _pictures(house, cases, meeting)
            complaints = house.leave()
            browser.close()
        if complaints:
            sys.exit("\n".join(complaints))
    finally:
        product.remove()


def _does(product: Product, who: str, path: str, **body: Any) -> dict[str, Any]:
    status, answer = product.ask(who, "POST", path, body)
    if status not in (200, 201):
        raise SystemExit(f"{path}: {answer}")
    found: dict[str, Any] = answer
    return found


def _happens(product: Product, title: str, kind: str, community: str, lead: str | None, late: bool) -> dict[str, Any]:
    """Somebody reports; a lead is found, and, where it is late, the time runs out."""
    number = community[-1]
    reporter = {"name": "王某", "phone": "13800000000"}
    body = {"community_code": community, "title": title, "description": "请尽快处理。", "source": "VISIT"}
    case = _does(product, f"grid{number}", "/issues", **body, category_code=kind, reporter=reporter)
    path = f"/issues/{case['id']}"
    if late:
        _does(product, "admin", f"{path}/commands/rebase_policy", **DRILL)
    if lead:
        accept = {"mode": "TIME_LIMITED", "category_code": kind, "difficulty": "EASY", "clock_class": "CONSULT"}
        _does(product, f"worker{number}", f"{path}/commands/accept_to_problem_list", **accept, lead_org=lead)
    return case


def _meets(product: Product) -> str:
    """A meeting in the middle of its agenda."""
    at = (datetime.now(UTC) + timedelta(days=10)).isoformat()
    body = {"community_code": C1, "type": "TWO_COMMITTEES", "place": "社区会议室", "scheduled_at": at}
    path = f"/meetings/{_does(product, 'clerk1', '/meetings', **body)['number']}"
    titles = ("老旧电梯更新方案", "增设电动车充电棚", "楼道堆物专项整治", "小区停车位调整", "重阳节慰问安排")
    proposed = [{"command": "propose_item", "title": title, "document": "附说明"} for title in titles]
    _does(product, "clerk1", f"{path}/commands", items=proposed)
    items = list(product.ask("clerk1", "GET", path)[1]["data"]["items"])
    _does(product, "secretary1", f"{path}/commands", items=[{"command": "admit", "item": item} for item in items])
    _does(product, "clerk1", f"{path}/commands/send_notice")
    present = [f"tc1{letter}" for letter in "abcdefg"]
    _does(product, "secretary1", f"{path}/commands/open_session", present=present)
    _does(product, "secretary1", f"{path}/commands/open_item", item=items[0])
    said = {"party": "3号楼住户", "position": "同意更新", "need": "尽早开工"}
    _does(product, "clerk1", f"{path}/commands/record_statement", item=items[0], **said)
    votes = [{"member": who, "choice": "FOR" if who != "tc1g" else "ABSTAIN"} for who in present[:6]]
    _does(product, "clerk1", f"{path}/commands/record_vote", item=items[0], votes=votes)
    return path


def _pictures(house: House, cases: list[dict[str, Any]], meeting: str) -> None:
    house.product.until("supervisor", "/overdue?color=RED", lambda found: len(found["items"]) >= 1)
    # A red one is on everybody's pages a moment later.
    time.sleep(2)
    worker = house.person("worker1", **WIDE)
    worker.goes("/")
    _take(worker, "work")
    worker.goes(f"/issues/{cases[0]['number']}")
    worker.page.locator(".diagram").scroll_into_view_if_needed()
    worker.page.locator(".djs-shape").first.wait_for()
    worker.page.evaluate("scrollTo(0, 0)")
    _take(worker, "case")
    grid = house.person("grid1", **NARROW)
    grid.goes("/issues/new")
    grid.page.locator("[name=title]").fill("楼道路灯不亮")
    _take(grid, "new-issue")
    clerk = house.person("clerk1", **WIDE)
    clerk.goes(f"{meeting}/desk")
    _take(clerk, "meeting")
    supervisor = house.person("supervisor", **WIDE)
    supervisor.page.emulate_media(reduced_motion="reduce")  # bars at their length, not on their way to it
    supervisor.goes("/boards/supervision")
    supervisor.page.wait_for_load_state("networkidle")
    _take(supervisor, "supervision")
    anybody = house.anybody(**NARROW)
    code = house.product.ask("grid1", "GET", f"/issues/{cases[0]['id']}")[1]["data"]["check_code"]
    anybody.goes(f"/p/issues/{cases[0]['number']}?check_code={code}")
    _take(anybody, "public")


def _take(visitor: Visitor, name: str) -> None:
    """Take what is on the screen, as small as it may be."""
    shot = Image.open(io.BytesIO(visitor.page.screenshot(animations="disabled"))).convert("RGB")
    shot.thumbnail((1600, 1600))
    file = io.BytesIO()
    for quality in (85, 75, 60, 45):
        file = io.BytesIO()
        shot.save(file, "WEBP", quality=quality, method=6)
        if len(file.getvalue()) < LARGEST:
            break
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / f"{name}.webp").write_bytes(file.getvalue())


if __name__ == "__main__":
    main()
