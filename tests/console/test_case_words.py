"""The page of a case says nothing in code: every process, as its scenarios leave its cases."""

import inspect
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html.parser import HTMLParser
from types import ModuleType
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic_core import to_jsonable_python

from services.api.comments import comment_router
from services.api.names import name_router
from services.api.ports import Json
from services.console.app import create_console
from services.console.session import ACCESS
from services.console.shown import Showing, Shown
from services.console.words import Words
from services.documents.sample import sample_data
from services.identity.places import Community, Org, Region
from tests.scenarios import (
    street,
    test_admission_scenarios,
    test_formation_scenarios,
    test_issue_scenarios,
    test_meeting_scenarios,
    test_membership_scenarios,
    test_months,
    test_notice_scenarios,
    test_round_scenarios,
)
from tests.scenarios.taping import Taped
from tests.web.product import TOKENS, app_over
from tests.web.twins import PEOPLE, Twin, TwinPeople
from workflows.kernel.process import Actor, Case, Process
from workflows.registry import PROCESSES

SCENARIOS: Sequence[ModuleType] = (
    test_admission_scenarios,
    test_formation_scenarios,
    test_issue_scenarios,
    test_meeting_scenarios,
    test_membership_scenarios,
    test_months,
    test_notice_scenarios,
    test_round_scenarios,
)
BY_PLURAL = {process.plural: process for process in PROCESSES.values()}
RICHEST = 3
"""So many cases of each process are looked at: those to which most has happened."""
CLEAR, NAME = "居民所写", "某人"
# Words of several letters, and names joined by underscores: what no Chinese sentence of ours has in it.
IDENTIFIER = re.compile(r"[A-Za-z]+(?:[_.][A-Za-z0-9]+)+|[A-Za-z]{3,}")
# The names of other alphabets that stand in Chinese texts, too.
KEPT = {"English", "PDF", "DOCX"}
REFERENCE = re.compile(r"(?:text|contact):\S+")


class Rehearsed(Twin):
    """The API over a street that a scenario has left behind; everybody may know of everything."""

    def _sees(self, actor: Actor, case: Case[Any]) -> bool:
        return True

    async def texts(self, case_id: str, refs: Iterable[str]) -> Json:
        return dict.fromkeys(refs, CLEAR)

    async def contact_names(self, case_id: str, refs: Sequence[str]) -> dict[str, str]:
        return dict.fromkeys(refs, NAME)

    async def clocks(self, case_id: str, actor: Actor | None = None) -> Sequence[Json]:
        return []

    async def events(self, case_id: str, actor: Actor | None = None) -> Sequence[Json]:
        return [_in_clear(one) for one in await super().events(case_id)]

    async def at(self, process: Process[Any], case_id: str, version: int) -> Case[Any]:
        return self.street.cases[case_id]


def _in_clear(value: Any) -> Any:
    """With a text in the place of each reference to one."""
    if isinstance(value, Mapping):
        return {name: _in_clear(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_in_clear(one) for one in value]
    return CLEAR if isinstance(value, str) and value.startswith("text:") else value


class Everybody(TwinPeople):
    """A directory that knows who and what there is in a street."""

    def __init__(self) -> None:
        self.known: frozenset[str] = frozenset()

    async def display_names(self, actor_ids: Iterable[str]) -> dict[str, str]:
        return {one: NAME for one in actor_ids if one in self.known}

    async def organizations(self, codes: Iterable[str]) -> dict[str, Org]:
        return {}

    async def regions(self, codes: Iterable[str]) -> dict[str, Region]:
        return {code: Region(code, "某地", "COMMUNITY", code[:9]) for code in codes}

    async def communities(self, codes: Iterable[str]) -> dict[str, Community]:
        return {code: Community(code, "某社区", code[:9], 2000) for code in codes}


class Silent:
    """Nobody has said anything beside a case."""

    async def comments(self, case_id: str, **more: Any) -> tuple[Sequence[Any], int | None]:
        return [], None

    async def followers(self, case_id: str) -> Sequence[str]:
        return []


class Naming:
    """The ids of cases stand for no others."""

    async def cases(self, actor: Actor, ids: Iterable[str]) -> dict[str, dict[str, str]]:
        return {}


class Page(HTMLParser):
    """What somebody reads or hears of a page, without its heads and feet."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self._open.append(tag)
        self.texts += [text or "" for name, text in attrs if name in ("aria-label", "title", "placeholder", "alt")]

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "main" in self._open or "header" in self._open:
            self.texts.append(data.strip())


VOID = {"meta", "link", "input", "img", "br", "hr", "use", "path", "source", "wbr"}


@pytest.fixture(scope="module")
def rehearsed() -> dict[str, list[tuple[Taped, Case[Any]]]]:
    """What the scenarios leave behind: the cases of each process to which most has happened."""
    streets: list[Taped] = []

    class Kept(Taped):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            streets.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(street, "Taped", Kept)
        for module in SCENARIOS:
            for name, scenario in vars(module).items():
                if name.startswith("test_") and not inspect.signature(scenario).parameters:
                    scenario()
    found: dict[str, list[tuple[Taped, Case[Any]]]] = defaultdict(list)
    for one in streets:
        for case in one.cases.values():
            found[case.process].append((one, case))
    return {name: sorted(cases, key=_richness)[:RICHEST] for name, cases in found.items()}


def _richness(one: tuple[Taped, Case[Any]]) -> int:
    return -len(one[0].histories[one[1].id])


@pytest.fixture(scope="module")
def console() -> tuple[FastAPI, Rehearsed, Everybody]:
    """The product with its pages, and what stands behind it; made once, because it takes its time."""
    twin, people = Rehearsed(), Everybody()
    talk: Any = Silent()
    naming: Any = Naming()
    processes = tuple({one.name: one for one in PROCESSES.values()}.values())
    routers = (comment_router(processes, talk), name_router(naming))
    app = app_over(twin, processes=processes, people=people, routers=routers)
    app.router.routes.append(create_console(app, processes, secret=b"forms"))
    return app, twin, people


# What is left out of the figures is no part of any scenario; its fields are looked at below.
@pytest.mark.parametrize("name", sorted({one.name for one in BY_PLURAL.values()} - {"exclusion"}))
async def test_the_page_of_a_case_is_in_words(
    name: str,
    rehearsed: dict[str, list[tuple[Taped, Case[Any]]]],
    console: tuple[FastAPI, Rehearsed, Everybody],
) -> None:
    app, twin, people = console
    found: dict[str, set[str]] = {}
    for left, case in rehearsed[name]:
        twin.street = left
        somebody = (actor.id for actor in street.PEOPLE.values())
        people.known = frozenset({*street.PEOPLE, *street.ORGANIZATIONS, *left.cases, *somebody})
        for text in await read(app, f"/{PROCESSES[name].plural}/{case.number}?history=all"):
            codes = set(IDENTIFIER.findall(REFERENCE.sub("", text))) - KEPT
            if codes:
                found.setdefault(text[:80], set()).update(codes)
    assert found == {}


async def read(app: FastAPI, address: str) -> list[str]:
    """What a page says to a party secretary."""
    cookies = {ACCESS: TOKENS.issue(PEOPLE["secretary1"])}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", cookies=cookies) as client:
        answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    page = Page()
    page.feed(answer.text)
    assert page.texts
    return page.texts


@pytest.mark.parametrize("process", BY_PLURAL.values(), ids=lambda one: one.name)
def test_every_field_of_a_case_has_a_title_in_its_process(process: Process[Any]) -> None:
    data = to_jsonable_python(sample_data(process))
    entered, kept = Showing(Words("zh", BY_PLURAL), process).fields(data)

    said = {text for one in (*entered, *kept) for text in _said(one)}

    assert {text for text in said if set(IDENTIFIER.findall(text)) - KEPT} == set()


def _said(one: Shown) -> Iterator[str]:
    yield from (one.title, one.text, *one.head)
    for part in (*one.parts, *(cell for row in one.rows for cell in row)):
        yield from _said(part)
