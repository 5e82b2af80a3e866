"""The shipped packs say what the documents and the tables of policy-packs.md say, each value with its source."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from workflows.kernel.calendar import Duration, Scale, Unit
from workflows.policy.keys import BODIES, KEYS, Kind
from workflows.policy.pack import ClockClass, HandlingMode, Pack, Strength, UnknownParameter
from workflows.policy.packs import PackNotHere, available, chosen, load, load_file, pinned
from workflows.policy.reading import read

PACKS = (
    "city_admission_000",
    "county_003",
    "default_2026",
    "demo_work_item",
    "drill",
    "drill_unit",
    "drill_work_item",
    "huainan_2018_draft",
    "lanzhou_2021",
    "panzhihua_2016",
)
SHARED = Path(os.environ.get("SHANGLIANG_SHARED", Path(__file__).parents[2] / ".." / "shared"))
CLAUSE = re.compile(r"00[0-4] §[一二三四五六].*")
HOURS, CALENDAR, WORKING, MONTH = Unit.HOURS, Unit.CALENDAR_DAYS, Unit.WORKING_DAYS, Unit.MONTH

# policy-packs.md §2, §3, §9 (P1, supervision): key, value, unit, rolls.
DURATIONS = (
    ("issue.triage.due", 1, WORKING, False),
    ("issue.response.due", 24, HOURS, False),
    ("issue.verify.due", 2, WORKING, False),
    ("issue.mode.immediate.urgent", 2, HOURS, False),
    ("issue.mode.immediate.due", 24, HOURS, False),
    ("issue.mode.limited.simple", 7, WORKING, False),
    ("issue.mode.limited.complex", 15, WORKING, False),
    ("issue.mode.limited.consult", 3, WORKING, False),
    ("issue.sign.due", 1, WORKING, False),
    ("issue.sign.department", 3, WORKING, False),
    ("issue.return.window", 1, WORKING, False),
    ("issue.suspend.review", 30, CALENDAR, False),
    ("issue.suspend.max", 180, CALENDAR, False),
    ("issue.plan.due", 5, WORKING, False),
    ("issue.review.due", 2, WORKING, False),
    ("issue.feedback.due", 2, WORKING, False),
    ("issue.public_result.min", 7, CALENDAR, False),
    ("issue.return_visit.due", 3, WORKING, False),
    ("issue.reopen.window", 15, CALENDAR, True),
    ("issue.rework.min", 2, WORKING, False),
    ("issue.info_wait.max", 5, WORKING, False),
    ("issue.remind_before", 1, WORKING, False),
    ("issue.red_after", 5, WORKING, False),
    ("issue.red_after_hours", 24, HOURS, False),
    ("issue.red_street_max", 30, CALENDAR, False),
    ("issue.overall.max", 90, CALENDAR, False),
    ("clock.issue.transfer", 1, WORKING, False),
    ("clock.issue.designate", 2, WORKING, False),
    ("clock.issue.agenda", 1, MONTH, False),
    ("clock.issue.refer_reply", 5, WORKING, False),
    ("clock.issue.attend.emergency", 2, HOURS, False),
    ("clock.issue.attend.enforcement", 1, WORKING, False),
    ("clock.issue.attend.hard", 3, WORKING, False),
    ("clock.issue.dispute", 3, WORKING, False),
    ("clock.issue.object_decline", 5, WORKING, False),
    ("clock.supervision.list", 1, WORKING, False),
    ("clock.supervision.rectify", 30, CALENDAR, True),
    ("clock.supervision.verify", 3, WORKING, False),
    ("clock.round.month", 1, MONTH, False),
    ("clock.round.consolidate", 3, WORKING, False),
    ("clock.cadence.slot", 1, MONTH, False),
    ("clock.meeting.reconvene", 7, CALENDAR, False),
    ("meeting.notice", 72, HOURS, False),
    ("meeting.agenda_freeze", 72, HOURS, False),
    ("meeting.pjm.topic_call", 15, CALENDAR, False),
    ("meeting.minutes.due", 3, WORKING, False),
    ("meeting.makeup", 10, CALENDAR, False),
    ("notice.objection.due", 5, WORKING, False),
    ("formation.call", 7, CALENDAR, True),
    ("formation.street_due", 5, WORKING, False),
    ("notice.member.days", 3, CALENDAR, True),
    ("vacancy.fill", 30, CALENDAR, True),
    ("admission.rectify", 30, CALENDAR, True),
    ("clock.membership.acting_max", 60, CALENDAR, False),
    ("clock.membership.reappoint", 30, CALENDAR, True),
    ("clock.assessment.collect", 10, CALENDAR, True),
)
NUMBERS = {
    "issue.return.max": 2,
    "issue.extension.max": 2,
    "issue.extension.length": 1.0,
    "issue.return_visit.attempts": 3,
    "issue.reopen.max_auto": 1,
    "issue.moderate.amount": 5000,
    "issue.moderate.households": 20,
    "round.min_per_month": 1,
    "round.min_household_visits": 10,
    "round.min_unit_visits": 1,
    "meeting.defer_max": 2,
    "meeting.epc.default_day": 20,
    "meeting.min_eligible": 3,
    "committee.chair_count": 1,
    "member.absence_limit": 3,
    "assessment.upward.threshold": 60,
}


@pytest.fixture(params=PACKS)
def pack(request: pytest.FixtureRequest) -> Pack:
    return load(request.param)


def test_the_packs_that_ship() -> None:
    assert available() == PACKS


def test_the_base_has_every_key_of_the_table() -> None:
    assert load("default_2026").parameters.keys() == KEYS.keys()


def test_every_value_of_every_pack_has_a_clause_or_a_basis(pack: Pack) -> None:
    for parameter in pack.parameters.values():
        assert parameter.source, parameter.key
        for clause in filter(None, parameter.clause.split("; ")):
            assert CLAUSE.fullmatch(clause), parameter.key
    for category in pack.categories.values():
        assert category.clause or category.basis, category.code


def test_every_key_and_category_speaks_chinese_and_english(pack: Pack) -> None:
    for key in KEYS.values():
        assert re.search("[一-鿿]", key.zh), key.name
        assert key.en.isascii(), key.name
    for category in pack.categories.values():
        assert len(category.path) == len(category.path_en)
        assert category.title_en.isascii(), category.code


@pytest.mark.parametrize(("key", "value", "unit", "rolls"), DURATIONS, ids=[row[0] for row in DURATIONS])
def test_durations_are_those_of_the_tables(key: str, value: float, unit: Unit, rolls: bool) -> None:
    assert load("lanzhou_2021").duration(key) == Duration(value, unit, rolls)


@pytest.mark.parametrize("key", NUMBERS)
def test_numbers_are_those_of_the_tables(key: str) -> None:
    assert load("lanzhou_2021").number(key) == NUMBERS[key]


def test_every_value_can_be_read_as_what_its_key_says(pack: Pack) -> None:
    for name, key in KEYS.items():
        match key.kind:
            case Kind.DURATION:
                assert pack.duration(name).unit in key.units
            case Kind.COUNT | Kind.NUMBER:
                assert key.least <= pack.number(name) <= key.most
            case Kind.RANGE:
                least, most = pack.span(name)
                assert least <= most
            case Kind.FLAG:
                assert pack.flag(name) in (True, False)
            case Kind.WORDS:
                assert set(pack.words(name)) <= set(key.choices)
            case Kind.SHARE:
                assert 0 < pack.share(name).least <= 1
            case _:
                assert pack.text(name)


def test_lanzhou_cites_its_own_document_only() -> None:
    base, lanzhou = load("default_2026"), load("lanzhou_2021")

    own = [value for key, value in lanzhou.parameters.items() if value != base.parameters[key]]

    assert own
    assert all(value.clause.startswith("001 §") for value in own)
    assert lanzhou.seed == "001_ceda4415140c133e.txt"


@pytest.mark.parametrize(
    "key",
    [
        "committee.chair_count",
        "committee.chair_rule",
        "formation.party_meeting",
        "formation.street_action",
        "notice.member.days",
        "member.exit_approver",
        "member.dismiss_by",
        "meeting.epc.frequency",
        "meeting.interested_party",
        "commendation.order",
    ],
)
def test_what_the_tables_call_hard_for_lanzhou_is_hard(key: str) -> None:
    assert load("lanzhou_2021").parameter(key).strength is Strength.HARD


@pytest.mark.parametrize(
    "key", ["committee.size", "committee.vice_count", "committee.epc_overlap", "round.min_per_month"]
)
def test_what_the_tables_call_soft_for_lanzhou_is_soft(key: str) -> None:
    assert load("lanzhou_2021").parameter(key).strength is Strength.SOFT


def test_lanzhou_says_nothing_about_deadlines_of_issues() -> None:
    base, lanzhou = load("default_2026"), load("lanzhou_2021")

    for key in (key for key in KEYS if key.startswith("issue.") and key.endswith(".due")):
        assert lanzhou.parameter(key) == base.parameter(key)


def test_the_drill_is_lanzhou_with_a_scale_and_nothing_else() -> None:
    lanzhou, drill = load("lanzhou_2021"), load("drill")

    assert lanzhou.scale is None
    assert drill.scale == Scale(hours=0.1, working_hours=0.1, calendar_days=2, working_days=2, month=60)
    assert drill.parameters == lanzhou.parameters
    assert drill.categories == lanzhou.categories
    assert drill.sha != lanzhou.sha


def test_quorums_and_majorities_of_the_bodies() -> None:
    pack = load("lanzhou_2021")

    assert not pack.share("meeting.quorum.epc").reached(4, 8)
    assert pack.share("meeting.quorum.epc").reached(5, 9)
    assert pack.share("meeting.quorum.rra").reached(40, 60)
    assert not pack.share("meeting.quorum.rra").reached(39, 60)
    assert not pack.share("meeting.pass.two_committees").reached(4, 8)
    assert not pack.share("meeting.pass.epc").reached(0, 0)
    assert pack.text("meeting.decision_mode.pjm") == "CONSENSUS"
    assert all(pack.share(f"meeting.quorum.{name}") for name, *_ in BODIES)


# --- categories ---------------------------------------------------------------------------------------------


def test_the_categories_of_the_taxonomy() -> None:
    categories = load("lanzhou_2021").categories

    assert len(categories) == 41
    assert categories["A01"].title == "市容环境/暴露垃圾/生活垃圾堆积"
    assert categories["Z99"].mode is None
    assert categories["Z99"].clock_class is None
    assert {code for code, category in categories.items() if category.danger} == {
        "B02",
        "C03",
        "G01",
        "G02",
        "G03",
        "G04",
    }
    assert {code for code, category in categories.items() if category.personal} == {"I02", "I03"}


def test_what_needs_a_meeting_allows_nothing_else() -> None:
    for category in load("lanzhou_2021").categories.values():
        if category.mode is HandlingMode.SCHEDULED:
            assert category.modes == (HandlingMode.SCHEDULED,)
            assert category.clock_class is ClockClass.MEETING
        else:
            assert category.modes == tuple(HandlingMode)


def test_modes_and_classes_are_those_of_the_document() -> None:
    document = SHARED / "domain" / "policy-packs.md"
    if not document.is_file():
        pytest.skip("the specification is not beside the checkout")
    modes = {
        "IMMEDIATE": HandlingMode.IMMEDIATE,
        "LIMITED": HandlingMode.TIME_LIMITED,
        "MEETING": HandlingMode.SCHEDULED,
    }
    taxonomy = document.read_text(encoding="utf-8").partition("## 6.")[2].partition("## 7.")[0]
    rows = re.findall(r"^\| ([A-Z]\d\d) \| ([^|]+) \| ([^|]+) \|", taxonomy, re.MULTILINE)
    categories = load("default_2026").categories

    assert [code for code, *_ in rows] == list(categories)
    for code, path, handling in rows:
        assert categories[code].title == path.strip(), code
        first, *rest = handling.split()
        if first in modes:
            assert categories[code].mode is modes[first], code
        # "URGENT if trapped, else NOW": the calm case is the default.
        wanted = "NOW" if "else NOW" in handling else rest[0] if first in ("IMMEDIATE", "LIMITED") else None
        if wanted is not None:
            assert categories[code].clock_class == wanted, code


# --- immutable and pinned -----------------------------------------------------------------------------------

# Running cases are pinned to these. A changed pack takes a new version; the old file stays as `<pack>@<version>`.
RELEASED = {
    "default_2026@1": (1, "29feb9da045414723780c556232dd8d77068ce737bf22d177712abbf59608676"),
    "lanzhou_2021@1": (1, "f396ec90bfce7307e03fb66739f7a4abec39a8289c0270c47274e76b56419b7f"),
    "drill@1": (1, "461586c740667f815d9712856a42ba4c7794d5474df4045bd0fc1e1b7f61f803"),
}


@pytest.mark.parametrize("name", RELEASED)
def test_a_released_pack_does_not_change(name: str) -> None:
    found = load(name)

    assert (found.version, found.sha) == RELEASED[name]


def test_the_sha_is_of_the_content_not_of_the_spelling(tmp_path: Path) -> None:
    rows = (
        '"issue.triage.due" = {value = 1, unit = "working_days", strength = "SOFT", basis = "assumption"}',
        '"issue.listing" = {value = true, strength = "SOFT", clause = "000 §五三是"}',
    )
    head = 'pack = "mine"\nversion = 1\ntitle = "我"\ntitle_en = "mine"\n[parameters]\n'
    first, second = tmp_path / "a" / "mine.toml", tmp_path / "b" / "mine.toml"
    for path, lines in ((first, rows), (second, ("# a comment", *reversed(rows)))):
        path.parent.mkdir()
        path.write_text(head + "\n".join(lines), encoding="utf-8")

    assert load_file(first).sha == load_file(second).sha


@pytest.mark.parametrize(
    ("old", "new"),
    [("value = 1,", "value = 2,"), ("assumption", "practice R01"), ("SOFT", "INFO"), ("version = 1", "version = 2")],
)
def test_the_sha_changes_with_any_content(tmp_path: Path, old: str, new: str) -> None:
    text = (
        'pack = "mine"\nversion = 1\ntitle = "我"\ntitle_en = "mine"\n[parameters]\n'
        '"issue.triage.due" = {value = 1, unit = "working_days", strength = "SOFT", basis = "assumption"}\n'
    )
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    before = load_file(path).sha

    path.write_text(text.replace(old, new), encoding="utf-8")

    assert load_file(path).sha != before


def test_a_pinned_pack_is_exactly_the_one_of_the_case(pack: Pack) -> None:
    assert pinned(pack.pack, pack.version, pack.sha) is pack


@pytest.mark.parametrize(
    ("name", "version", "sha"),
    [("lanzhou_2021", 99, None), ("lanzhou_2021", 1, "0" * 64), ("nowhere_2020", 1, None), ("../packs/drill", 1, None)],
)
def test_a_case_pinned_to_other_content_is_not_run(name: str, version: int, sha: str | None) -> None:
    with pytest.raises(PackNotHere, match=re.escape(name)) as refused:
        pinned(name, version, sha or load("lanzhou_2021").sha)

    assert (refused.value.name, refused.value.version) == (name, version)


def test_an_unknown_pack_is_not_here() -> None:
    with pytest.raises(PackNotHere):
        load("nowhere_2020")


def test_a_pack_cannot_be_changed(pack: Pack) -> None:
    with pytest.raises(TypeError):
        pack.parameters["issue.triage.due"] = pack.parameter("issue.verify.due")  # type: ignore[index]  # that is the point


# --- access -------------------------------------------------------------------------------------------------


def test_an_unknown_key_is_named() -> None:
    with pytest.raises(UnknownParameter, match=r"issue\.nothing"):
        load("drill").parameter("issue.nothing")
    with pytest.raises(KeyError):
        load("drill").category("Q42")


@pytest.mark.parametrize(
    ("access", "key"),
    [
        ("duration", "issue.listing"),
        ("number", "issue.triage.due"),
        ("number", "issue.listing"),
        ("flag", "issue.return.max"),
        ("text", "issue.listing"),
        ("span", "issue.modes"),
        ("words", "committee.size"),
        ("words", "issue.listing"),
        ("share", "calendar.business_close"),
    ],
)
def test_a_value_asked_for_as_another_kind_is_refused_by_name(access: str, key: str) -> None:
    with pytest.raises(UnknownParameter, match=re.escape(key)):
        getattr(load("drill"), access)(key)


def test_packs_with_equal_content_are_equal() -> None:
    drill = load("drill")

    assert replace(drill) == drill
    assert hash(replace(drill)) == hash(drill)
    assert read({"pack": "a", "version": 1, "title": "a", "title_en": "a"}, "a.toml", None) != drill


# --- the other documents, and which case takes which pack ------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "document"),
    [("city_admission_000", "000"), ("huainan_2018_draft", "002"), ("county_003", "003"), ("panzhihua_2016", "004")],
)
def test_a_pack_cites_its_own_document_only(name: str, document: str) -> None:
    base, pack = load("default_2026"), load(name)

    own = [value for key, value in pack.parameters.items() if value != base.parameters[key]]

    assert own
    assert pack.seed.startswith(document)
    for value in own:
        assert value.basis.startswith("practice") if not value.clause else value.clause.startswith(f"{document} §")


@pytest.mark.parametrize("name", ["huainan_2018_draft", "county_003"])
def test_a_draft_and_an_advice_bind_nobody(name: str) -> None:
    base, pack = load("default_2026"), load(name)

    own = [value for key, value in pack.parameters.items() if value != base.parameters[key]]

    assert {value.strength for value in own} == {Strength.INFO}


def test_units_and_work_items_are_admitted_under_different_documents() -> None:
    unit, item = load("city_admission_000"), load("panzhihua_2016")

    assert unit.words("admission.subject") == ("UNIT",)
    assert item.words("admission.subject") == ("WORK_ITEM",)
    assert unit.text("admission.approver") == "LEADING_GROUP_OFFICE"
    assert item.text("admission.approver") == "BY_APPLICANT_LEVEL"
    assert unit.parameter("admission.inspection").strength is Strength.HARD
    assert item.parameter("admission.refusal_right").strength is Strength.HARD
    assert item.flag("admission.emergency_entry")
    assert not load("demo_work_item").flag("admission.emergency_entry")


@pytest.mark.parametrize("name", ["lanzhou_2021", "drill"])
def test_an_admission_takes_the_pack_of_its_variant(name: str) -> None:
    pack = load(name)

    unit, item = chosen(pack, "admission", "UNIT", "620199"), chosen(pack, "admission", "WORK_ITEM", "620199")

    assert unit.words("admission.subject") == ("UNIT",)
    assert item.words("admission.subject") == ("WORK_ITEM",)
    assert (unit.scale, item.scale) == (pack.scale, pack.scale)
    assert chosen(pack, "issue", place="620199001001") is pack


@pytest.mark.parametrize(
    ("drill", "real"), [("drill_unit", "city_admission_000"), ("drill_work_item", "demo_work_item")]
)
def test_the_other_drills_differ_in_their_scale_only(drill: str, real: str) -> None:
    assert load(drill).parameters == load(real).parameters
    assert load(drill).scale == load("drill").scale


@pytest.mark.parametrize("name", PACKS)
def test_every_pin_names_a_pack_that_ships(name: str) -> None:
    assert set(load(name).pins.values()) <= set(available())


def test_the_narrowest_place_wins_then_the_narrower_kind_of_case() -> None:
    pins = {
        "@620199": "county_003",
        "admission": "panzhihua_2016",
        "admission.UNIT@620199001001": "city_admission_000",
        "issue@620199001": "huainan_2018_draft",
    }
    pack = replace(load("default_2026"), pins=pins)

    assert chosen(pack, "admission", "UNIT", "620199001001").pack == "city_admission_000"
    assert chosen(pack, "admission", "WORK_ITEM", "620199001001").pack == "county_003"
    assert chosen(pack, "admission", "UNIT", "620102").pack == "panzhihua_2016"
    assert chosen(pack, "issue", place="620199001002").pack == "huainan_2018_draft"
    assert chosen(pack, "issue", place="620102001001") is pack


def test_pins_are_no_rule_of_a_case() -> None:
    raw = {"pack": "a", "version": 1, "title": "a", "title_en": "a"}

    assert read({**raw, "pins": {"admission": "drill"}}, "a.toml", None).sha == read(raw, "a.toml", None).sha
