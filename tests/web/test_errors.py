"""Every no is problem+json with a stable code, in the caller's language; nothing hangs, nothing leaks."""

import ast
import asyncio
import tomllib
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

from services.api.errors import STATUS
from services.texts.catalogue import LANGUAGES, catalogue, choose
from tests.web.conftest import ISSUE_BODY, Call
from tests.web.product import TOKENS
from tests.web.twins import PEOPLE, Twin

ROOT = Path(__file__).parents[2]
REFUSALS = {
    "Refusal", "Forbidden", "WrongState", "VersionConflict", "GuardFailed", "NotFound", "IdempotencyConflict",
    "TokenRefused", "Unauthenticated", "TooMany", "ProviderRefused", "OutOfScope", "Unfit",
}  # fmt: skip


def reasons() -> set[str]:
    """Every reason that our code refuses with."""
    return {
        call.args[0].value
        for package in ("workflows", "services")
        for path in (ROOT / package).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", getattr(call.func, "attr", "")) in REFUSALS
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
        and call.args[0].value.isupper()
    }


def test_every_reason_has_words_in_both_languages() -> None:
    for language in LANGUAGES:
        assert reasons() - catalogue().keys("reason", language) == set()


def test_every_code_has_words_in_both_languages() -> None:
    for language in LANGUAGES:
        for table in ("code", "detail"):
            assert set(STATUS) - catalogue().keys(table, language) == set()


def test_both_languages_have_the_same_sentences_with_the_same_blanks() -> None:
    folder = files("services.texts")
    zh, en = (tomllib.loads(folder.joinpath(f"{language}.toml").read_text("utf-8")) for language in LANGUAGES)

    def blanks(text: str) -> set[str]:
        return {part.partition("}")[0] for part in text.split("{")[1:]}

    assert {table: set(words) for table, words in zh.items()} == {table: set(words) for table, words in en.items()}
    for table, words in zh.items():
        for key, sentence in words.items():
            assert blanks(sentence) == blanks(en[table][key]), key


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "zh"), ("", "zh"), ("en", "en"), ("en-GB,en;q=0.9", "en"), ("zh-CN,en;q=0.8", "zh"),
        ("en;q=0.5,zh;q=0.9", "zh"), ("fr", "zh"), ("fr,en;q=0.1", "en"), (";;q=x,,", "zh"), ("*", "zh"),
    ],
)  # fmt: skip
def test_the_language_is_chosen_by_the_header(header: str | None, language: str) -> None:
    assert choose(header) == language


async def test_an_unknown_page_is_a_problem_in_two_languages(client: httpx.AsyncClient) -> None:
    chinese = await client.get("/nothing")
    english = await client.get("/nothing", headers={"Accept-Language": "en"})

    assert chinese.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code", "errors"} <= set(chinese.json())
    assert (chinese.json()["title"], english.json()["title"]) == ("未找到", "Not found")
    assert english.headers["content-language"] == "en"


async def test_a_wrong_method_is_405_and_says_which_are_right(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/auth/token")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


async def test_without_a_token_nothing_is_known(client: httpx.AsyncClient) -> None:
    answer = await client.get("/issues")

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("token", ["x", "a.b.c", "", TOKENS.issue(PEOPLE["grid1"])[:-2] + "xx"])
async def test_a_bad_token_is_not_trusted(client: httpx.AsyncClient, token: str) -> None:
    answer = await client.get("/issues", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 401


async def test_a_silent_engine_is_503_and_the_same_key_works_later(call: Call, twin: Twin) -> None:
    twin.away = True
    answer = await call("grid1", "POST", "/issues", ISSUE_BODY, key="k")
    twin.away = False
    again = await call("grid1", "POST", "/issues", ISSUE_BODY, key="k")

    assert (answer.status_code, answer.json()["code"]) == (503, "engine_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert again.status_code == 201


async def test_no_request_hangs(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    async def forever(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Twin, "page", forever)

    answer = await call("grid1", "GET", "/issues")

    assert (answer.status_code, answer.json()["code"]) == (503, "engine_unavailable")


async def test_a_database_that_is_away_is_503(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(Twin, "page", refused)

    answer = await call("grid1", "GET", "/issues")

    assert (answer.status_code, answer.json()["code"]) == (503, "engine_unavailable")
    assert answer.headers["retry-after"]


async def test_a_defect_is_500_and_tells_nothing_but_its_id(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("王某 13800000000")

    monkeypatch.setattr(Twin, "page", broken)

    answer = await call("grid1", "GET", "/issues", X_Request_ID="abc-1")

    assert (answer.status_code, answer.json()["code"]) == (500, "defect")
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "abc-1"
    assert "13800000000" not in answer.text


@pytest.mark.parametrize("given", ["a b", "x" * 65, "a\u00e9"])
async def test_a_request_id_that_is_none_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/health/live", headers={b"X-Request-ID": given.encode()})

    assert len(answer.headers["x-request-id"]) == 32
