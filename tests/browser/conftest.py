"""One running product and one browser for all journeys; each person has a browser context of his own."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, StorageState, sync_playwright

from tests.browser.visitor import Visitor
from tests.journey.product import PASSWORD, Product

CHROMIUM = Path(os.environ.get("SHANGLIANG_CHROMIUM", "/usr/bin/chromium"))
MISSING = (
    f"没有浏览器 {CHROMIUM}：以 root 运行 make test 会自动安装；否则请先运行 apt-get install chromium fonts-noto-cjk，"
    f"或用 SHANGLIANG_CHROMIUM 指出它的位置。\nThere is no browser at {CHROMIUM}: `make test` installs it when run by "
    "root; otherwise run `apt-get install chromium fonts-noto-cjk`, or name another one in SHANGLIANG_CHROMIUM."
)
SHOTS = Path(__file__).parents[2] / "build" / "shots"
"""Pictures of every page, to be looked at; never committed."""
SIZES: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 375, "height": 812}, "is_mobile": True, "has_touch": True},
    "desktop": {"viewport": {"width": 1280, "height": 800}},
}
LOCALES = {"zh": "zh-CN", "en": "en-US"}


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """The whole product, running for all journeys."""
    one = Product()
    # Under the pack of every day, so that no deadline passes while a browser draws; where one must, `hurries` says so.
    one.environment["SHANGLIANG_POLICY"] = "lanzhou_2021"
    try:
        one.start()
        yield one
        assert one.stop() == 0
    finally:
        one.remove()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    if not CHROMIUM.exists():
        raise pytest.UsageError(MISSING)
    with sync_playwright() as playwright:
        # Without a sandbox of its own it also runs for root, as in a container.
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield one
        one.close()


class House:
    """The street's people, each at a browser of his own; whoever has signed in once need not do it again."""

    def __init__(self, product: Product, browser: Browser, known: dict[str, StorageState]) -> None:
        self.product = product
        self.address = f"http://127.0.0.1:{product.port}"
        self._browser = browser
        self._known = known
        self._visitors: list[Visitor] = []

    def anybody(self, size: str = "desktop", language: str = "zh", **more: Any) -> Visitor:
        """Somebody who has not signed in."""
        given = {"locale": LOCALES[language], "service_workers": "block", **SIZES[size], **more}
        visitor = Visitor(self._browser.new_context(**given).new_page(), self.address)
        self._visitors.append(visitor)
        return visitor

    def person(self, name: str, size: str = "desktop", language: str = "zh", **more: Any) -> Visitor:
        """Somebody who has signed in, before his first page."""
        if name not in self._known:
            first = self.anybody()
            first.goes("/sign-in")
            first.signs_in(name, PASSWORD)
            self._known[name] = first.page.context.storage_state()
            first.page.context.close()
        visitor = self.anybody(size, language, storage_state=self._known[name], **more)
        visitor.name = name
        return visitor

    def hurries(self, path: str) -> None:
        """Put a case under the pack in which a day lasts two seconds, before its next deadline begins."""
        reason = {"pack": "drill", "reason": "演练"}
        status, case = self.product.ask("admin", "POST", f"{path}/commands/rebase_policy", reason)
        assert status == 200, case

    def photograph(self, name: str) -> None:
        """Keep what everybody sees now, in `build/shots`."""
        for number, visitor in enumerate(self._visitors):
            if not visitor.page.is_closed():
                visitor.page.screenshot(path=SHOTS / f"failed-{name}-{number}.png", full_page=True)

    def leave(self) -> list[str]:
        """Close every browser; gives what they have complained about."""
        for visitor in self._visitors:
            visitor.page.context.close()
        return [complaint for visitor in self._visitors for complaint in visitor.complaints]


@pytest.fixture(scope="session")
def known() -> dict[str, StorageState]:
    """Cookies of those who have signed in."""
    return {}


_OUTCOME = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember which test failed: its pages are kept to be looked at."""
    report = yield
    if report.when == "call":
        item.stash[_OUTCOME] = report.failed
    return report


@pytest.fixture
def house(
    request: pytest.FixtureRequest, product: Product, browser: Browser, known: dict[str, StorageState]
) -> Iterator[House]:
    """The street's people; afterwards no browser may have complained about a page."""
    one = House(product, browser, known)
    yield one
    if request.node.stash.get(_OUTCOME, False):
        one.photograph(request.node.name)
    assert one.leave() == []
