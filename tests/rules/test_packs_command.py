"""`shangliang packs` checks packs, says where each value comes from, and what two of them decide differently."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli import build
from workflows.policy.packs import available

HEAD = 'pack = "mine"\nversion = 1\ntitle = "我的包"\ntitle_en = "mine"\n'


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(build(), ["packs", *arguments])


def test_every_pack_that_ships_is_sound() -> None:
    result = run("check")

    assert result.exit_code == 0, result.output
    assert all(name in result.output for name in available())


def test_a_broken_pack_is_named_with_every_fault(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    rows = (
        '"admission.nothing" = {value = 1, strength = "SOFT", basis = "assumption"}',
        '"admission.tacit_approval" = {value = true, strength = "SOFT", basis = "assumption"}',
    )
    file.write_text(HEAD + 'extends = "default_2026"\n[parameters]\n' + "\n".join(rows), encoding="utf-8")

    result = run("check", str(file))

    assert result.exit_code == 1
    assert "admission.nothing" in result.output
    assert "hard_relaxed" in result.output


def test_a_pin_that_names_no_pack_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(HEAD + '[pins]\n"admission.UNIT" = "nowhere_2020"\n', encoding="utf-8")

    result = run("check", str(file))

    assert result.exit_code == 1
    assert "nowhere_2020" in result.output


@pytest.mark.parametrize(
    "pin", ['"Admission" = "drill"', '"admission@12" = "drill"', '"@620199" = "No Name"', '"" = "drill"']
)
def test_a_pin_that_means_nothing_is_a_fault(tmp_path: Path, pin: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f"{HEAD}[pins]\n{pin}\n", encoding="utf-8")

    result = run("check", str(file))

    assert result.exit_code == 1
    assert "pins" in result.output


@pytest.mark.parametrize(
    ("pin", "sound"),
    [
        ('"admission.WORK_ITEM@620199001" = "demo_work_item"', True),
        ('"admission.WORK_ITEM@620199001" = "city_admission_000"', False),
        ('"@620199001001" = "lanzhou_2021"', False),
        ('"@620199001001" = "panzhihua_2016"', True),
    ],
)
def test_a_pack_for_a_place_builds_on_what_holds_there(tmp_path: Path, pin: str, sound: bool) -> None:
    head = HEAD.replace("mine", "panzhihua_2016").replace("我的包", "仿")
    file = tmp_path / "panzhihua_2016.toml"
    file.write_text(f'{head}extends = "default_2026"\n[pins]\n{pin}\n', encoding="utf-8")

    result = run("check", str(file))

    assert (result.exit_code == 0) is sound, result.output


def test_what_two_packs_decide_differently() -> None:
    result = run("diff", "city_admission_000", "panzhihua_2016", "--json")

    found = {row["key"]: row for row in json.loads(result.output)["parameters"]}
    assert found["admission.subject"]["before"]["value"] == ["UNIT"]
    assert found["admission.subject"]["after"]["value"] == ["WORK_ITEM"]
    assert found["admission.subject"]["after"]["source"] == "004 §二(三)2"
    assert found["admission.emergency_entry"]["after"]["source"] == "practice R11"
    assert "issue.triage.due" not in found


def test_equal_packs_differ_in_nothing() -> None:
    assert "decide everything alike" in run("diff", "lanzhou_2021", "lanzhou_2021").output


def test_a_drill_differs_by_its_scale() -> None:
    found = json.loads(run("diff", "demo_work_item", "drill_work_item", "--json").output)

    assert (found["parameters"], found["scale"]) == ([], True)


def test_where_a_value_comes_from() -> None:
    found = json.loads(run("show", "drill_work_item", "--json").output)["parameters"]

    assert found["admission.emergency_entry"]["from"] == "demo_work_item"
    assert found["admission.refusal_right"]["from"] == "panzhihua_2016"
    assert found["issue.triage.due"]["from"] == "default_2026"
    assert found["admission.review"] == {
        "value": 15,
        "unit": "working_days",
        "rolls": False,
        "strength": "SOFT",
        "source": "practice R10",
        "from": "default_2026",
    }


@pytest.mark.parametrize(
    "arguments", [["diff", "drill"], ["show"], ["show", "nowhere_2020"], ["check", "nowhere_2020"]]
)
def test_what_cannot_be_shown_is_said(arguments: list[str]) -> None:
    assert run(*arguments).exit_code != 0
