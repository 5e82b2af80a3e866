"""A person at a browser: what he opens, fills in and sees; and what a browser complains about meanwhile."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, Response, expect

PATIENCE = 15_000
"""Milliseconds to wait for what must come; a machine that is busy is not broken."""
FAILED_LOAD = "Failed to load resource"
SUBMITTED = re.compile(r"^(?!.*/(new|commands)\b).*$")


@dataclass
class Visitor:
    """Somebody with one open page of the console at `address`."""

    page: Page
    address: str
    name: str = ""
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)

    def _heard(self, message: ConsoleMessage) -> None:
        # What could not be loaded is judged by its status, in `_answered`.
        if message.type == "error" and not message.text.startswith((FAILED_LOAD, "Response Status Error Code")):
            self.complaints.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and f"{parts.scheme}://{parts.netloc}" != self.address:
            self.complaints.append(f"asked somebody else: {request.url}")

    def _answered(self, response: Response) -> None:
        is_asset = "/static/" in response.url
        if response.status >= 500 or (is_asset and response.status >= 400):
            self.complaints.append(f"{response.status}: {response.url}")

    # --- going about ------------------------------------------------------------------------------------------

    def goes(self, path: str) -> None:
        """Open a page of ours."""
        self.page.goto(f"{self.address}{path}")

    def signs_in(self, name: str, password: str) -> None:
        """Sign in by the form, wherever it stands."""
        self.name = name
        self.page.locator("[name=username]").fill(name)
        self.page.locator("[name=password]").fill(password)
        self.page.locator("form[action='/sign-in'] button[type=submit]").click()
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def sees(self, *texts: str) -> None:
        """Each text is shown in the page's contents."""
        for text in texts:
            expect(self.page.locator("main, body > .page, body").first).to_contain_text(text, timeout=PATIENCE)

    # --- commands ---------------------------------------------------------------------------------------------

    def gives(self, case: str, command: str, /, **fields: Any) -> None:
        """Give a command by its form in the page of the case (`/issues/NUMBER`), until the case is shown again."""
        form = self.asks_for(case, command)
        fill(form, fields)
        form.locator("button[type=submit]").last.click()
        expect(form).to_have_count(0, timeout=PATIENCE)
        self.page.wait_for_url(lambda url: urlsplit(url).path == case)

    def asks_for(self, case: str, command: str) -> Locator:
        """Open the form of a command from the page of the case, as a tap on its button does."""
        if urlsplit(self.page.url).path != case:
            self.goes(case)
        else:
            self.page.reload()
        button = self.page.locator(f"main a[href^='{case}/commands/{command}']").first
        button.click()
        form = self.page.locator(f"form[action^='{case}/commands/{command}']")
        expect(form).to_be_visible(timeout=PATIENCE)
        return form


def fill(form: Locator, fields: Mapping[str, Any]) -> None:
    """Fill in a form by the names of its fields; a `__` in a name stands for a dot, a list of mappings for rows."""
    for name, value in fields.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            for number, row in enumerate(value):
                form.locator(f".rows[data-name='{name}'] > .rows-add").click()
                fill(form, {f"{name}.{number}.{part}": one for part, one in row.items()})
        else:
            _fill_one(form, name.replace("__", "."), value)


def _pick(place: Locator, values: list[str]) -> None:
    """Look for each value by what it is called or by its code, and take what is found."""
    field, offered = place.get_by_role("combobox"), place.get_by_role("listbox")
    for value in values:
        field.fill(value)
        expect(offered).to_be_visible(timeout=PATIENCE)
        by_code = offered.get_by_role("option").filter(has=place.page.locator(f"small:text-is('{value}')"))
        by_name = offered.get_by_role("option").filter(has_text=value)
        found = by_code.or_(by_name)
        expect(found.or_(offered.locator(".disabled")).first).to_be_visible(timeout=PATIENCE)
        if found.count():
            found.first.click()
        else:
            field.press("Tab")


def _fill_one(form: Locator, name: str, value: Any) -> None:
    picked = form.locator(f".pick[data-name='{name}']")
    if picked.count():
        _pick(picked, _as_list(value))
        return
    found = form.locator(f"[name='{name}']")
    expect(found.first).to_be_attached(timeout=PATIENCE)
    for fold in form.locator(f"details:not([open]):has([name='{name}']) > summary").all():
        fold.click()
    kind = found.first.evaluate("one => one.type || one.tagName.toLowerCase()")
    if kind == "select-one":
        found.first.select_option(value if isinstance(value, str) else str(value).lower())
    elif kind in ("checkbox", "radio"):
        wanted = [str(one).lower() if isinstance(one, bool) else one for one in _as_list(value)]
        for one in wanted:
            box = form.locator(f"[name='{name}'][value='{one}']")
            # As the space bar does: what is drawn is its label.
            if not box.is_checked():
                box.evaluate("one => one.click()")
    elif kind == "file":
        found.first.set_input_files(value)
    else:
        found.first.fill(", ".join(map(str, _as_list(value))))


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
