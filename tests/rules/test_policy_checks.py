"""The loader refuses a broken pack and names file, key and rule of every fault at once."""

from pathlib import Path

import pytest

from workflows.policy.packs import load_file
from workflows.policy.reading import TITLES, PackErrors, Rule

HEAD = 'pack = "mine"\nversion = 1\ntitle = "我的包"\ntitle_en = "mine"\n'
EXTENDS = HEAD + 'extends = "{parent}"\n'
TRIAGE = '"issue.triage.due"'
GOOD = 'strength = "SOFT", basis = "assumption"'


def faults(folder: Path, text: str, name: str = "mine") -> list[tuple[str, str, Rule]]:
    """File, key and rule of every fault of a pack with this text."""
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    try:
        load_file(path)
    except PackErrors as errors:
        return [(problem.file, problem.key, problem.rule) for problem in errors.problems]
    return []


def of_parameter(folder: Path, row: str) -> list[tuple[str, Rule]]:
    return [(key, rule) for _, key, rule in faults(folder, f"{HEAD}[parameters]\n{row}\n")]


def test_a_sound_pack_has_no_fault(tmp_path: Path) -> None:
    assert of_parameter(tmp_path, f'{TRIAGE} = {{value = 1, unit = "working_days", {GOOD}}}') == []


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (f'"issue.triage.dew" = {{value = 1, unit = "working_days", {GOOD}}}', Rule.UNKNOWN_KEY),
        (f'{TRIAGE} = {{value = 1, unit = "working_days", days = 2, {GOOD}}}', Rule.UNKNOWN_FIELD),
        (f"{TRIAGE} = 3", Rule.WRONG_TYPE),
        (f'{TRIAGE} = {{value = "one", unit = "working_days", {GOOD}}}', Rule.WRONG_TYPE),
        (f'{TRIAGE} = {{value = true, unit = "working_days", {GOOD}}}', Rule.WRONG_TYPE),
        (f'{TRIAGE} = {{value = nan, unit = "working_days", {GOOD}}}', Rule.WRONG_TYPE),
        (f'{TRIAGE} = {{unit = "working_days", {GOOD}}}', Rule.WRONG_TYPE),
        (f'{TRIAGE} = {{value = 1, unit = "working_days", roll_to_working_day = 1, {GOOD}}}', Rule.WRONG_TYPE),
        (f'{TRIAGE} = {{value = 1, unit = "working_days", strength = "SOFT", basis = 1}}', Rule.WRONG_TYPE),
        (f'"issue.listing" = {{value = 1, {GOOD}}}', Rule.WRONG_TYPE),
        (f'"issue.return.max" = {{value = 1.5, {GOOD}}}', Rule.WRONG_TYPE),
        (f'"issue.modes" = {{value = "IMMEDIATE", {GOOD}}}', Rule.WRONG_TYPE),
        (f'"committee.size" = {{value = [9, 10, 15], {GOOD}}}', Rule.WRONG_TYPE),
        (f'"committee.size" = {{value = ["9", "15"], {GOOD}}}', Rule.WRONG_TYPE),
        (f'"member.term" = {{value = 3, {GOOD}}}', Rule.WRONG_TYPE),
        (f'"meeting.quorum.epc" = {{value = "half", {GOOD}}}', Rule.WRONG_TYPE),
        (f'"meeting.quorum.epc" = {{value = ">3/2", {GOOD}}}', Rule.WRONG_TYPE),
        (f'"calendar.business_close" = {{value = "24:00", {GOOD}}}', Rule.WRONG_TYPE),
        (f'"admission.inspection.open" = {{value = "02-30", {GOOD}}}', Rule.WRONG_TYPE),
        (f"{TRIAGE} = {{value = 1, {GOOD}}}", Rule.WRONG_UNIT),
        (f'{TRIAGE} = {{value = 1, unit = "weeks", {GOOD}}}', Rule.WRONG_UNIT),
        (f'{TRIAGE} = {{value = 1, unit = "month", {GOOD}}}', Rule.WRONG_UNIT),
        (f'{TRIAGE} = {{value = 1, unit = ["month"], {GOOD}}}', Rule.WRONG_UNIT),
        (f'{TRIAGE} = {{value = 1, unit = "working_days", roll_to_working_day = true, {GOOD}}}', Rule.WRONG_UNIT),
        (f'"issue.red_after_hours" = {{value = 1, unit = "working_days", {GOOD}}}', Rule.WRONG_UNIT),
        (f'"issue.return.max" = {{value = 1, unit = "hours", {GOOD}}}', Rule.WRONG_UNIT),
        (f'"clock.issue.agenda" = {{value = 30, unit = "calendar_days", {GOOD}}}', Rule.MONTH_UNIT),
        (f'"clock.round.month" = {{value = 1, {GOOD}}}', Rule.MONTH_UNIT),
        (f'{TRIAGE} = {{value = 0, unit = "working_days", {GOOD}}}', Rule.OUT_OF_RANGE),
        (f'{TRIAGE} = {{value = -1, unit = "hours", {GOOD}}}', Rule.OUT_OF_RANGE),
        (f'{TRIAGE} = {{value = 1.5, unit = "working_days", {GOOD}}}', Rule.OUT_OF_RANGE),
        (f'"issue.return.max" = {{value = 11, {GOOD}}}', Rule.OUT_OF_RANGE),
        (f'"assessment.min_valid_share" = {{value = 101, {GOOD}}}', Rule.OUT_OF_RANGE),
        (f'"member.term" = {{value = "FOREVER", {GOOD}}}', Rule.OUT_OF_RANGE),
        (f'"issue.modes" = {{value = ["SOMETIMES"], {GOOD}}}', Rule.OUT_OF_RANGE),
        (f'"issue.modes" = {{value = ["IMMEDIATE", "IMMEDIATE"], {GOOD}}}', Rule.OUT_OF_RANGE),
        (f'"committee.size" = {{value = [-1, 15], {GOOD}}}', Rule.OUT_OF_RANGE),
        (f'"committee.size" = {{value = [15, 9], {GOOD}}}', Rule.MIN_ABOVE_MAX),
        (f'{TRIAGE} = {{value = 1, unit = "working_days", basis = "assumption"}}', Rule.STRENGTH),
        (f'{TRIAGE} = {{value = 1, unit = "working_days", strength = "hard", basis = "assumption"}}', Rule.STRENGTH),
        (f'{TRIAGE} = {{value = 1, unit = "working_days", strength = ["SOFT"], basis = "assumption"}}', Rule.STRENGTH),
        (f'"issue.modes" = {{value = [["IMMEDIATE"]], {GOOD}}}', Rule.WRONG_TYPE),
        (f'"member.term" = {{value = ["NONE"], {GOOD}}}', Rule.WRONG_TYPE),
        (f'{TRIAGE} = {{value = 1, unit = "working_days", strength = "SOFT"}}', Rule.NO_SOURCE),
        (f'{TRIAGE} = {{value = 1, unit = "working_days", strength = "SOFT", clause = "  "}}', Rule.NO_SOURCE),
        (f'{TRIAGE} = {{value = 1, unit = "working_days", strength = "SOFT", basis = "because"}}', Rule.NO_SOURCE),
    ],
)  # fmt: skip
def test_a_broken_value_is_refused_under_its_rule(tmp_path: Path, row: str, rule: Rule) -> None:
    assert of_parameter(tmp_path, row) == [(row.split('"')[1], rule)]


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ('"issue.suspend.review" = {value = 200, unit = "calendar_days", %s}', "issue.suspend.max"),
        ('"issue.mode.limited.simple" = {value = 20, unit = "working_days", %s}', "issue.mode.limited.complex"),
        ('"issue.mode.immediate.urgent" = {value = 48, unit = "hours", %s}', "issue.mode.immediate.due"),
        ('"calendar.business_open" = {value = "19:00", %s}', "calendar.business_close"),
        ('"admission.inspection.open" = {value = "12-31", %s}', None),
    ],
)
def test_a_pair_in_the_wrong_order_is_refused_also_against_the_parent(
    tmp_path: Path, low: str, high: str | None
) -> None:
    text = EXTENDS.format(parent="default_2026") + "[parameters]\n" + low % GOOD

    found = faults(tmp_path, text)

    expected = [("mine.toml", low.split('"')[1], Rule.MIN_ABOVE_MAX)] if high else []
    assert found == expected


# --- a HARD rule may be tightened below, never relaxed ------------------------------------------------------

PARENT = """pack = "upper"
version = 1
title = "上级"
title_en = "upper"
[parameters]
"issue.triage.due" = {value = 2, unit = "working_days", strength = "HARD", basis = "assumption"}
"issue.return.max" = {value = 2, strength = "HARD", basis = "assumption"}
"round.min_per_month" = {value = 1, strength = "HARD", clause = "001 §四1"}
"committee.size" = {value = [9, 15], strength = "HARD", clause = "001 §三1"}
"meeting.epc.frequency" = {value = "monthly", strength = "HARD", clause = "001 §四2"}
"seal.only_listed" = {value = true, strength = "HARD", clause = "004 §二(二)3"}
"admission.tacit_approval" = {value = false, strength = "HARD", basis = "assumption"}
"issue.listing" = {value = true, strength = "SOFT", clause = "000 §五三是"}
[parameters."notice.member.days"]
value = 3
unit = "calendar_days"
roll_to_working_day = true
strength = "HARD"
clause = "001 §三3"
"""
HARD = 'strength = "HARD", clause = "009 §1"'


def below(folder: Path, row: str) -> list[tuple[str, Rule]]:
    (folder / "upper.toml").write_text(PARENT, encoding="utf-8")
    return [(key, rule) for _, key, rule in faults(folder, EXTENDS.format(parent="upper") + "[parameters]\n" + row)]


@pytest.mark.parametrize(
    "row",
    [
        f'"notice.member.days" = {{value = 2, unit = "calendar_days", roll_to_working_day = true, {HARD}}}',
        f'"notice.member.days" = {{value = 3, unit = "calendar_days", {HARD}}}',
        f'"notice.member.days" = {{value = 3, unit = "working_days", {HARD}}}',
        f'"issue.triage.due" = {{value = 3, unit = "working_days", {HARD}}}',
        f'"issue.triage.due" = {{value = 1, unit = "calendar_days", {HARD}}}',
        f'"issue.return.max" = {{value = 3, {HARD}}}',
        f'"round.min_per_month" = {{value = 0, {HARD}}}',
        f'"committee.size" = {{value = [8, 15], {HARD}}}',
        f'"committee.size" = {{value = [9, 16], {HARD}}}',
        f'"meeting.epc.frequency" = {{value = "quarterly", {HARD}}}',
        f'"seal.only_listed" = {{value = false, {HARD}}}',
        f'"admission.tacit_approval" = {{value = true, {HARD}}}',
        '"issue.return.max" = {value = 2, strength = "SOFT", clause = "009 §1"}',
        '"issue.return.max" = {value = 1, strength = "INFO", clause = "009 §1"}',
    ],
)
def test_a_relaxed_hard_rule_is_refused(tmp_path: Path, row: str) -> None:
    assert below(tmp_path, row) == [(row.split('"')[1], Rule.HARD_RELAXED)]


@pytest.mark.parametrize(
    "row",
    [
        f'"notice.member.days" = {{value = 5, unit = "calendar_days", roll_to_working_day = true, {HARD}}}',
        f'"issue.triage.due" = {{value = 1, unit = "working_days", {HARD}}}',
        f'"issue.return.max" = {{value = 0, {HARD}}}',
        f'"round.min_per_month" = {{value = 2, {HARD}}}',
        f'"committee.size" = {{value = [10, 13], {HARD}}}',
        f'"meeting.epc.frequency" = {{value = "monthly", {HARD}}}',
        '"issue.listing" = {value = false, strength = "INFO", clause = "009 §1"}',
    ],
)
def test_a_tightened_hard_rule_and_any_change_of_a_soft_one_are_taken(tmp_path: Path, row: str) -> None:
    assert below(tmp_path, row) == []


def test_a_hard_rule_holds_through_several_levels(tmp_path: Path) -> None:
    (tmp_path / "upper.toml").write_text(PARENT, encoding="utf-8")
    middle = 'pack = "middle"\nversion = 1\ntitle = "中"\ntitle_en = "middle"\nextends = "upper"\n'
    (tmp_path / "middle.toml").write_text(middle, encoding="utf-8")

    text = EXTENDS.format(parent="middle") + f'[parameters]\n"issue.return.max" = {{value = 5, {HARD}}}'

    assert faults(tmp_path, text) == [("mine.toml", "issue.return.max", Rule.HARD_RELAXED)]


# --- header, parents, syntax --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "key", "rule"),
    [
        ("pack = ", "-", Rule.SYNTAX),
        (HEAD.replace('"mine"\nversion', '"other"\nversion'), "pack", Rule.HEADER),
        (HEAD.replace("version = 1", "version = 0"), "version", Rule.HEADER),
        (HEAD.replace("version = 1", "version = true"), "version", Rule.HEADER),
        (HEAD.replace("version = 1", "version = -1"), "version", Rule.HEADER),
        (HEAD.replace('title_en = "mine"\n', ""), "title_en", Rule.HEADER),
        (HEAD + "colour = 1\n", "colour", Rule.UNKNOWN_FIELD),
        (HEAD + "parameters = 1\n", "parameters", Rule.WRONG_TYPE),
        (HEAD + "source = 1\n", "source", Rule.WRONG_TYPE),
        (HEAD + "extends = 1\n", "extends", Rule.NO_PARENT),
        (HEAD + 'extends = "nothing"\n', "extends", Rule.NO_PARENT),
        (HEAD + 'extends = "../upper"\n', "extends", Rule.NO_PARENT),
        (HEAD + 'extends = "mine"\n', "extends", Rule.NO_PARENT),
        (HEAD + "[scale]\nhours = 1\n", "scale", Rule.SCALE),
        (
            HEAD + "[scale]\nhours = 0\nworking_hours = 1\ncalendar_days = 1\nworking_days = 1\nmonth = 1\n",
            "scale",
            Rule.SCALE,
        ),
    ],
)
def test_a_broken_header_is_refused(tmp_path: Path, text: str, key: str, rule: Rule) -> None:
    assert faults(tmp_path, text) == [("mine.toml", key, rule)]


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(PackErrors, match="syntax"):
        load_file(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackErrors, match="no such file"):
        load_file(tmp_path / "mine.toml")


def test_faults_of_parent_and_child_are_told_together(tmp_path: Path) -> None:
    broken = PARENT.replace("value = 1,", "value = 99,").replace('"monthly"', '"daily"')
    (tmp_path / "upper.toml").write_text(broken, encoding="utf-8")
    text = EXTENDS.format(parent="upper") + f'[parameters]\n"issue.nothing" = {{value = 1, {GOOD}}}\n"what" = 3\n'

    assert sorted(faults(tmp_path, text)) == [
        ("mine.toml", "issue.nothing", Rule.UNKNOWN_KEY),
        ("mine.toml", "what", Rule.UNKNOWN_KEY),
        ("upper.toml", "meeting.epc.frequency", Rule.OUT_OF_RANGE),
        ("upper.toml", "round.min_per_month", Rule.OUT_OF_RANGE),
    ]


def test_every_fault_of_one_value_is_told(tmp_path: Path) -> None:
    found = of_parameter(tmp_path, f'{TRIAGE} = {{value = "x", unit = "weeks", strength = "MAYBE", size = 1}}')

    assert {rule for _, rule in found} == {
        Rule.UNKNOWN_FIELD,
        Rule.WRONG_TYPE,
        Rule.WRONG_UNIT,
        Rule.STRENGTH,
        Rule.NO_SOURCE,
    }


def test_a_fault_says_file_key_and_rule_in_both_languages(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'{HEAD}[parameters]\n"issue.nothing" = {{value = 1, {GOOD}}}\n', encoding="utf-8")

    with pytest.raises(PackErrors) as refused:
        load_file(path)

    assert str(refused.value).startswith("mine.toml: issue.nothing: 未知参数 / unknown key [unknown_key]")
    assert TITLES.keys() == set(Rule)


# --- categories ---------------------------------------------------------------------------------------------

CATEGORY = """[categories.A01]
path = ["市容环境", "垃圾"]
path_en = ["City", "Rubbish"]
mode = "IMMEDIATE"
clock_class = "NOW"
modes = ["IMMEDIATE", "SCHEDULED"]
leads = ["物业"]
leads_en = ["property company"]
basis = "practice R07"
"""


def test_a_sound_category_has_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, HEAD + CATEGORY) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("[categories.A01]", "[categories.A1]", Rule.CATEGORY),
        ('path_en = ["City", "Rubbish"]', 'path_en = ["City"]', Rule.CATEGORY),
        ('path_en = ["City", "Rubbish"]\n', "", Rule.CATEGORY),
        ('["市容环境", "垃圾"]', '["市容环境", " "]', Rule.CATEGORY),
        ('leads = ["物业"]', 'leads = "物业"', Rule.CATEGORY),
        ('modes = ["IMMEDIATE", "SCHEDULED"]', "modes = []", Rule.CATEGORY),
        ('modes = ["IMMEDIATE", "SCHEDULED"]', 'modes = ["LATER"]', Rule.CATEGORY),
        ('modes = ["IMMEDIATE", "SCHEDULED"]', 'modes = ["SCHEDULED"]', Rule.CATEGORY),
        ('mode = "IMMEDIATE"\n', "", Rule.CATEGORY),
        ('clock_class = "NOW"', 'clock_class = "SIMPLE"', Rule.CATEGORY),
        ('clock_class = "NOW"\n', "", Rule.CATEGORY),
        ('clock_class = "NOW"', 'clock_class = ["NOW"]', Rule.CATEGORY),
        ('mode = "IMMEDIATE"', 'mode = ["IMMEDIATE"]', Rule.CATEGORY),
        ('basis = "practice R07"', 'note = "注意"\nbasis = "practice R07"', Rule.CATEGORY),
        ('basis = "practice R07"', 'danger = 1\nbasis = "practice R07"', Rule.WRONG_TYPE),
        ('basis = "practice R07"', 'colour = 1\nbasis = "practice R07"', Rule.UNKNOWN_FIELD),
        ('basis = "practice R07"\n', "", Rule.NO_SOURCE),
    ],
)
def test_a_broken_category_is_refused(tmp_path: Path, old: str, new: str, rule: Rule) -> None:
    assert old in CATEGORY

    found = faults(tmp_path, HEAD + CATEGORY.replace(old, new, 1))

    assert [(key.split(".")[0], one) for _, key, one in found] == [("categories", rule)]


def test_a_category_of_a_child_replaces_that_of_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(EXTENDS.format(parent="default_2026") + CATEGORY, encoding="utf-8")

    pack = load_file(path)

    assert pack.category("A01").title == "市容环境/垃圾"
    assert pack.category("A02").title == "市容环境/乱堆乱放/楼道堆物"
