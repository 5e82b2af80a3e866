"""When a channel takes a message, and whose addresses are allowed."""

import ast
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from activities.notices import LONGEST_WAIT, MOST_TRIES, URGENT, Told, opens_at, wait_after
from services.channels.addresses import AddressRefused, scheme_of, with_gateway
from services.channels.messages import message, sentence
from services.texts.catalogue import catalogue
from tests.storage.town import at
from workflows.kernel.step import MARKS

NIGHT = (time(21, 0), time(7, 30))
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-03-02 20:59", "2026-03-02 20:59"),
        ("2026-03-02 21:00", "2026-03-03 07:30"),
        ("2026-03-03 03:00", "2026-03-03 07:30"),
        ("2026-03-03 07:30", "2026-03-03 07:30"),
    ],
)
def test_quiet_hours_go_over_midnight(now: str, opens: str) -> None:
    assert opens_at(at(now), urgent=False, quiet=NIGHT) == at(opens)


def test_what_is_urgent_waits_for_nothing() -> None:
    night = at("2026-03-03 03:00")

    assert opens_at(night, urgent=True, quiet=NIGHT, digest=time(8, 0)) == night


def test_a_digest_goes_out_once_a_day_at_its_time() -> None:
    assert opens_at(at("2026-03-02 07:59"), urgent=False, digest=time(8, 0)) == at("2026-03-02 08:00")
    assert opens_at(at("2026-03-02 08:00"), urgent=False, digest=time(8, 0)) == at("2026-03-03 08:00")


def test_a_target_that_is_down_for_hours_loses_nothing() -> None:
    waits = [wait_after(tries) for tries in range(1, MOST_TRIES)]

    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT
    assert sum(waits, timedelta(0)) > timedelta(hours=5)


@pytest.mark.parametrize(
    ("url", "administrator"),
    [
        ("mailto:name@example.org", False),
        ("wecombot://00000000-0000-0000-0000-000000000000", False),
        ("dingtalk://abcdefghij", False),
        ("feishu://abcdefghij", False),
        ("mailtos://user:secret@smtp.example.org?to=x@example.org", True),
        ("json://10.0.0.1/sms", True),
    ],
)
def test_people_name_mail_and_robots_and_administrators_every_gateway(url: str, administrator: bool) -> None:
    assert scheme_of(url, administrator=administrator) == url.partition(":")[0]


@pytest.mark.parametrize(
    "url",
    [
        "json://127.0.0.1:5432/",
        "mailto://127.0.0.1:25?to=x@example.org",
        "mailto:a@b?smtp=127.0.0.1",
        "mailto:a@b@c",
        "file:///etc/passwd",
        "syslog://",
        "http://example.org",
        "nothing",
    ],
)
def test_nobody_else_points_the_program_at_a_machine_of_his_choice(url: str) -> None:
    with pytest.raises(AddressRefused, match="channel_not_allowed"):
        scheme_of(url, administrator=False)


def test_an_address_that_cannot_be_used_is_refused_when_it_is_named() -> None:
    with pytest.raises(AddressRefused, match="channel_address"):
        scheme_of("wecombot://", administrator=False)


def test_a_plain_mail_address_goes_through_the_gateway_of_the_deployment() -> None:
    gateway = "mailtos://user:secret@smtp.example.org?from=office@example.org&to=nobody@example.org"

    url = with_gateway("mailto:name+tag@example.org", gateway)

    assert url == "mailtos://user:secret@smtp.example.org?from=office%40example.org&to=name%2Btag%40example.org"
    assert with_gateway("json://10.0.0.1/", gateway) == "json://10.0.0.1/"


def test_a_digest_counts_its_messages() -> None:
    told = [Told("clock_blue", "issue", f"62{number}", "下水道", "TRIAGE", at("2026-03-02 09:00")) for number in (1, 2)]

    said = message(told, "zh", "https://example.org")

    assert said.title == "【商量】今日通知 2 条"
    assert said.text.splitlines() == [
        "1. 居民诉求 621《下水道》：“受理”将于 2026-03-02 09:00 到期，请抓紧办理（蓝色催办）。",
        "2. 居民诉求 622《下水道》：“受理”将于 2026-03-02 09:00 到期，请抓紧办理（蓝色催办）。",
        "https://example.org",
    ]


def test_a_template_without_a_sentence_still_says_that_there_is_news() -> None:
    told = Told("never_heard_of", "issue", "62", "下水道")

    assert sentence(told, "zh") == "居民诉求 62《下水道》：有新的进展，请查看。"
    assert sentence(told, "en") == "Issue 62 (下水道): there is news."


def templates() -> set[str]:
    """Every template that the processes name in so many words."""
    found = {f"clock_{rung.lower()}" for rung in MARKS if rung != "END"}
    for path in (ROOT / "workflows").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Notice" and len(node.args) > 1:
                named = ast.walk(node.args[1])
                found |= {one.value for one in named if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return {name for name in found if not name.endswith("_")}


def test_every_template_of_the_processes_has_its_sentence() -> None:
    words = catalogue()

    for language in ("zh", "en"):
        assert templates() - words.keys("notice", language) == set(), language
    assert words.keys("notice") >= URGENT


def test_no_sentence_has_a_blank_that_nobody_fills() -> None:
    words = catalogue()
    told = Told("", "issue", "62", "题", "TRIAGE", datetime.fromisoformat("2026-03-02T09:00:00+08:00"))

    for language in ("zh", "en"):
        for template in words.keys("notice", language):
            said = sentence(replace(told, template=template), language)
            assert "{" not in said, template
            assert "62" in said, template
