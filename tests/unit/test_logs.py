"""Lines that machines read and that betray nobody."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from services.logs import configure_logs, hide_private


@pytest.fixture
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.usefixtures("_restored")
def test_our_lines_and_those_of_libraries_look_alike(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(level="INFO", as_json=True, process="worker")
    structlog.contextvars.bind_contextvars(request_id="r-1")

    structlog.get_logger("ours").info("case.opened", case="i-1")
    logging.getLogger("theirs").warning("slow %s", "disk")
    logging.getLogger("theirs").debug("not said")

    ours, theirs = lines(capsys)
    assert (ours["event"], ours["case"], ours["level"]) == ("case.opened", "i-1", "info")
    assert (theirs["event"], theirs["logger"], theirs["level"]) == ("slow disk", "theirs", "warning")
    assert {line["process"] for line in (ours, theirs)} == {"worker"}
    assert {line["request_id"] for line in (ours, theirs)} == {"r-1"}


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_shows_no_local_variable(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    configure_logs(level="INFO", as_json=as_json, process="web")

    def stumble(phone: str) -> None:
        raise ValueError("stumbled")

    try:
        stumble("139" + "00001234")
    except ValueError:
        structlog.get_logger("ours").exception("request.failed")

    said = capsys.readouterr().out
    assert "stumbled" in said
    assert "13900001234" not in said


def test_private_fields_are_hidden_however_deep() -> None:
    event = {"event": "x", "phone": "1", "reporter": {"name": "n"}, "case": {"text": "t", "id": 7}, "token": None}

    assert hide_private(None, "info", event) == {
        "event": "x",
        "phone": "…",
        "reporter": "…",
        "case": {"text": "…", "id": 7},
        "token": None,
    }
