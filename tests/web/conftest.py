"""The app over ASGI with twins behind it: no server, no database, milliseconds."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import structlog
from fastapi import FastAPI

from tests.web.product import TOKENS, app_over
from tests.web.twins import C1, PEOPLE, Twin

Call = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture(scope="session", autouse=True)
def _plain_logs() -> Iterator[None]:
    """Lines as in production: a traceback without its local variables, which also take seconds to draw."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def product() -> tuple[FastAPI, Twin]:
    """The app and what stands behind it; making it takes most of a second, so it is made once."""
    twin = Twin()
    return app_over(twin, request_timeout=0.5), twin


@pytest.fixture
def twin(product: tuple[FastAPI, Twin]) -> Twin:
    """What stands behind the app, empty again for each test."""
    product[1].__init__()  # type: ignore[misc]  # a dataclass begins anew so
    return product[1]


@pytest.fixture
def app(product: tuple[FastAPI, Twin], twin: Twin) -> FastAPI:
    """The app itself."""
    return product[0]


@pytest_asyncio.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as one:
        yield one


@pytest.fixture
def call(client: httpx.AsyncClient) -> Call:
    """Call the API as somebody: `await call("worker1", "GET", "/me")`."""

    async def as_somebody(
        who: str, method: str, path: str, body: Any = None, *, key: str = "", **headers: str
    ) -> httpx.Response:
        sent = {"Authorization": f"Bearer {TOKENS.issue(PEOPLE[who])}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            sent["Idempotency-Key"] = key
        return await client.request(method, path, json=body, headers=sent)

    return as_somebody


ISSUE_BODY = {
    "community_code": C1,
    "title": "楼道堆放纸箱",
    "description": "二楼到三楼的楼道堆放纸箱,影响通行",
    "source": "RESIDENT",
    "category_code": "A02",
    "location": {"lat": 36.06, "lon": 103.83},
    "reporter": {"name": "王某", "phone": "13800000000"},
}
