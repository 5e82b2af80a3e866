"""`shangliang due` answers without any server."""

import json

import pytest
from typer.testing import CliRunner, Result

from services.cli import build
from services.storage.national_calendar import national_edition


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build(), ["due", *arguments])


def test_the_answer_has_the_fields_of_the_api() -> None:
    result = run("--start", "2026-09-16 10:00", "--value", "15", "--unit", "working_days", "--json")

    answer = json.loads(result.stdout)
    assert result.exit_code == 0
    assert answer["due_at"] == "2026-10-13T18:00:00+08:00"
    assert answer["provisional"] is False
    assert answer["calendar_edition"] == national_edition()
    assert {"date": "2026-10-01", "why": "国庆节"} in answer["days_skipped"]


def test_people_read_24_00_and_the_days_that_were_skipped() -> None:
    result = run("--start", "2026-05-28", "--value", "3", "--unit", "calendar_days", "--roll")

    assert result.exit_code == 0
    assert "2026-06-01 24:00" in result.stdout
    assert "2026-05-31 周日" in result.stdout


def test_a_year_that_is_not_published_is_said_to_be_provisional() -> None:
    result = run("--start", "2026-12-21", "--value", "10", "--unit", "working_days")

    assert "2027-01-04 18:00" in result.stdout
    assert "暂定 provisional" in result.stdout
    assert "是" in result.stdout


def test_a_moment_of_another_zone_is_taken_in_beijing_time() -> None:
    result = run("--start", "2026-03-08T20:00:00Z", "--value", "1", "--unit", "working_days", "--json")

    assert json.loads(result.stdout)["due_at"] == "2026-03-10T18:00:00+08:00"


def test_a_deadline_may_start_with_the_end_of_another() -> None:
    result = run("--start", "2026-05-19", "--value", "5", "--unit", "working_days", "--after-end", "--json")

    assert json.loads(result.stdout)["due_at"] == "2026-05-25T18:00:00+08:00"


def test_a_date_ends_at_closing_time() -> None:
    result = run("--unit", "date", "--on", "2026-04-03", "--json")

    assert json.loads(result.stdout)["due_at"] == "2026-04-03T18:00:00+08:00"


def test_without_a_start_it_is_now() -> None:
    assert run("--value", "1", "--unit", "hours", "--json").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--unit", "hours"),
        ("--unit", "weeks", "--value", "1"),
        ("--unit", "hours", "--value", "much"),
        ("--unit", "hours", "--value", "0"),
        ("--unit", "hours", "--value", "nan"),
        ("--unit", "working_days", "--value", "1.5"),
        ("--unit", "working_days", "--value", "3", "--roll"),
        ("--unit", "working_days", "--value", "99999999"),
        ("--unit", "working_days", "--value", "3", "--start", "yesterday"),
        ("--unit", "working_days", "--value", "3", "--start", "2026-02-30"),
        ("--unit", "working_days", "--value", "3", "--start", "9999-12-30"),
        ("--unit", "date"),
        ("--unit", "date", "--on", "soon"),
        ("--unit", "date", "--on", "2026-04-03", "--value", "1"),
        ("--unit", "hours", "--value", "1", "--on", "2026-04-03"),
        ("--value", "1"),
    ],
)
def test_what_cannot_be_counted_is_misuse_with_a_reason(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.strip()
    assert "Traceback" not in result.stderr


def test_the_policy_pack_gives_the_business_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHANGLIANG_POLICY", "nowhere_2020")

    result = run("--value", "1", "--unit", "hours")

    assert result.exit_code == 2
    assert "nowhere_2020" in result.stderr


def test_the_help_has_examples() -> None:
    result = run("--help")

    assert result.exit_code == 0
    assert "shangliang due --start" in " ".join(result.stdout.split())
