"""How long the server takes for each page of the console, in a street of a hundred thousand issues."""

import re
import time
from collections.abc import Mapping

import asyncpg
import httpx

from services.embedded.home import Home
from services.embedded.servers import Servers
from tests.bench.measuring import C1, PASSWORD, Figure, quantile
from tests.bench.people import street
from tests.bench.scale import CLOCKS_A_CASE, COMMUNITIES, FILL, LARGE_TABLES

ISSUES = 100_000
TIMES = 40
PREPARING = 5
"""Visits that do not count: they compile the templates and read the database's pages."""
BUDGET = "≤ 150 ms"
CLEANED = "SELECT bool_and(relallvisible >= relpages * 0.9) FROM pg_class WHERE relname = ANY($1)"
# Every filled case belongs to one of the street's three communities, so that people see as much as there is.
PLACE = re.compile(r"'6201' \|\| lpad.*?AS com", re.DOTALL)
OURS = "'62019900100' || (1 + i % 3)::text AS com"
PAGES: Mapping[str, tuple[str, ...]] = {
    "worker1": ("/", "/issues", "/issues?color=RED", "/issues?q=漏水", "/issues/new", "{case}", "/notifications"),
    "supervisor": (
        *("/", "/issues", "/issues?state=IN_PROGRESS"),
        *("/boards/supervision", "/boards/supervision/counts?place=620199001", "/boards/measures"),
    ),
    "admin": ("/admin", "/admin/incidents", "/admin/tree"),
    "": ("/sign-in", "/p", f"/p/communities/{C1}", "/p/permits"),
}


async def pages() -> list[Figure]:
    """The 95th hundredth of each page's time, asked one after another over loopback."""
    figures: list[Figure] = []
    async with street(_fill) as bench:
        address = f"http://127.0.0.1:{bench.port}"
        case = ""
        for name, paths in PAGES.items():
            async with httpx.AsyncClient(base_url=address, timeout=60) as browser:
                if name:
                    await _signs_in(browser, name)
                if "{case}" in paths:
                    case = await _opened(browser)
                for path in paths:
                    figures.append(await _timed(browser, name, path.format(case=case)))
    return figures


async def _fill(servers: Servers, home: Home) -> None:
    connection = await asyncpg.connect(servers.database_url)
    await connection.execute("SET synchronous_commit = off")
    for statement in FILL:
        ours = PLACE.sub(lambda found: OURS, statement)
        await connection.execute(ours.format(communities=COMMUNITIES, cases=ISSUES, clocks=CLOCKS_A_CASE))
    # As the database's own cleaning leaves them after a while; whoever looks at them meanwhile keeps it from its work.
    cleaned = False
    while not cleaned:
        await connection.execute("VACUUM (ANALYZE) " + ", ".join(sorted(LARGE_TABLES)))
        cleaned = await connection.fetchval(CLEANED, list(LARGE_TABLES))
    await connection.close()


async def _signs_in(browser: httpx.AsyncClient, name: str) -> None:
    given = {"username": name, "password": PASSWORD, "form_token": await _token(browser)}
    answer = await browser.post("/sign-in", data=given)
    if answer.status_code != 303:
        raise SystemExit(f"{name} cannot sign in: {answer.status_code}")


async def _token(browser: httpx.AsyncClient) -> str:
    await browser.get("/sign-in")
    token: str = (await browser.get("/form-token")).json()["form_token"]
    return token


async def _opened(browser: httpx.AsyncClient) -> str:
    """A case with a history of its own; gives the path of its page."""
    given = {
        "form_token": await _token(browser),
        "key": "bench-pages",
        "community_code": C1,
        "title": "楼道灯不亮",
        "description": "三单元",
        "source": "VISIT",
        "category_code": "B01",
    }
    answer = await browser.post("/issues/new", data=given, headers={"Accept": "application/json"})
    if answer.status_code != 201:
        raise SystemExit(f"no issue: {answer.text}")
    return f"/issues/{answer.json()['number']}"


async def _timed(browser: httpx.AsyncClient, name: str, path: str) -> Figure:
    taken: list[float] = []
    size = 0
    for turn in range(TIMES + PREPARING):
        begun = time.perf_counter()
        answer = await browser.get(path)
        seconds = time.perf_counter() - begun
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code}")
        size = len(answer.content)
        if turn >= PREPARING:
            taken.append(seconds)
    shown = re.sub(r"/issues/\d+", "/issues/{number}", path)
    half = f"p50 {quantile(taken, 0.5):.0f} ms, {size // 1000} KB"
    return Figure(f"{name or 'anybody'} {shown}", f"p95 {quantile(taken, 0.95):.0f} ms", half, goal=BUDGET)
