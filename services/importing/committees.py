"""Take in committees that a city has already from a spreadsheet (名册导入), and give them out in the same form.

Every fault is named by its cell. A community is written whole or not at all, so that a city with 427 of them can mend
a few and send the same file again; what is there already stays as it is.
"""

import asyncio
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

from openpyxl import Workbook

from services.importing.reasons import Reject
from services.importing.sheets import Row, Unreadable, opened
from services.storage.committee_books import Entry, Ground, ground, held, write
from services.storage.committees import Sitting, rules
from services.storage.people_tables import MEMBER_CATEGORIES
from services.storage.seating import CHAIR, MEMBER, VICE_CHAIR
from workflows.kernel.calendar import CHINA
from workflows.policy.pack import Pack


class Database(Protocol):
    """What this room needs of a database engine; the library itself stays in storage."""

    def connect(self) -> AbstractAsyncContextManager[Any]:
        """A connection from the pool."""

    def begin(self) -> AbstractAsyncContextManager[Any]:
        """A connection in a transaction."""


HEADERS: Mapping[str, tuple[str, ...]] = {
    "community_code": ("community_code", "社区代码", "社区编码"),
    "community": ("community", "社区名称", "社区"),
    "name": ("name", "姓名", "委员姓名"),
    "phone": ("phone", "电话", "联系电话", "手机"),
    "username": ("username", "用户名", "账号"),
    "post": ("post", "职务", "社工委职务"),
    "category": ("category", "来源类别", "人员类别", "类别"),
    "since": ("since", "任职日期", "聘任日期", "聘期起"),
    "cert_no": ("cert_no", "聘书编号", "证书编号"),
}
NEEDED = ("community_code", "name", "post", "category", "since")
LONGEST = {"name": 50, "phone": 30, "cert_no": 64}
MOST = 20_000
POSTS = {"主任": CHAIR, "副主任": VICE_CHAIR, "委员": MEMBER}
CATEGORIES = {
    "社区党组织成员": "PARTY_ORG_MEMBER",
    "居委会成员": "RESIDENT_COMMITTEE_MEMBER",
    "两代表一委员": "DEPUTY_OR_DELEGATE",
    "驻区单位负责人": "RESIDENT_UNIT",
    "非公经济组织负责人": "PRIVATE_ENTERPRISE",
    "行业协会负责人": "TRADE_ASSOCIATION",
    "社会组织负责人": "SOCIAL_ORG",
    "物业公司负责人": "PROPERTY_COMPANY",
    "退役军人": "VETERAN",
    "社会工作者": "SOCIAL_WORKER",
    "志愿者": "VOLUNTEER",
    "楼院长": "BUILDING_HEAD",
    "媒体记者": "JOURNALIST",
    "业委会成员": "OWNERS_COMMITTEE",
    "居民代表": "RESIDENT_REPRESENTATIVE",
    "利益涉事方": "INTERESTED_PARTY",
}
WORDS = {
    "NO_COLUMN": ("缺少列：{detail}", "no such column: {detail}"),
    "UNREADABLE": ("{detail}", "{detail}"),
    "TOO_MANY": ("超过 {detail} 行", "more than {detail} rows"),
    "EMPTY": ("没有任何委员", "nobody is in it"),
    "BLANK": ("不能为空", "must not be empty"),
    "TOO_LONG": ("超过 {detail} 字", "more than {detail} characters"),
    "POST": ("职务应为主任、副主任或委员", "the post is chair, vice chair or member"),
    "CATEGORY": ("不是十六类来源之一", "not one of the sixteen categories"),
    "DATE": ("日期应写作 2026-03-02", "write the day as 2026-03-02"),
    "FUTURE": ("任职日期不能晚于今天", "the day must not lie ahead"),
    "COMMUNITY": ("没有这个社区，或不在您的管辖范围", "there is no such community, or not in your place"),
    "USERNAME": ("没有这个用户名", "there is no such username"),
    "TWICE": ("与第 {detail} 行是同一人", "the same person as in row {detail}"),
    "AMBIGUOUS": (
        "本社区有多人同名，请填写用户名或电话",
        "several people have this name here: give a username or phone",
    ),
    "CERTIFICATE_TAKEN": ("聘书编号已用于他人", "this certificate is somebody else's"),
    "CHAIRS": ("主任应有且只有一名（001 §三2）", "there is exactly one chair (001 §三2)"),
    "NOT_SECRETARY": ("主任应为现任社区党组织书记（001 §三2）", "the chair is the present party secretary (001 §三2)"),
    "SEATED": ("本社区已有名册且与文件不同，请用组建或委员变动办理", "this community has another roster already"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a cell; `row` counts as a spreadsheet does, the header being 1."""

    row: int
    column: str
    code: str
    detail: str = ""

    def shown(self) -> dict[str, Any]:
        """The fault with its words."""
        zh, en = (words.format(detail=self.detail) for words in WORDS[self.code])
        return {"row": self.row, "column": self.column, "code": self.code, "message": zh, "message_en": en}


@dataclass(frozen=True, slots=True)
class Line:
    """A row that could be read: where it stands, in which community, who it is."""

    row: int
    community: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Read:
    """What a file says, before anything is looked up; a fault of row 1 is one of the whole file."""

    lines: tuple[Line, ...]
    faults: tuple[tuple[str, Fault], ...]
    """With the community of the row, as far as it has one."""


class Books:
    """Committees as a spreadsheet, in and out."""

    def __init__(self, engine: Database) -> None:
        self._engine = engine

    async def take_in(
        self, file: Path, *, places: Collection[str], pack: Pack, actor: str, dry_run: bool
    ) -> dict[str, Any]:
        """Check a file and write each community that has no fault.

        `places` are those that the caller may write; the answer names every community with its faults and the rules
        that its committee would keep.
        """
        today = datetime.now(UTC).astimezone(CHINA).date()
        try:
            read = await asyncio.to_thread(read_committees, file, today)
        except Unreadable as no:
            read = Read((), (("", Fault(1, "", "UNREADABLE", no.zh)),))
        whole = [fault for code, fault in read.faults if not code]
        by_code: dict[str, list[Line]] = {}
        for line in read.lines:
            by_code.setdefault(line.community, []).append(line)
        codes = {code for code, _ in read.faults if code} | by_code.keys()
        async with self._engine.connect() as connection:
            known = await ground(
                connection,
                codes,
                {one.entry.username for one in read.lines if one.entry.username},
                {one.entry.cert_no for one in read.lines if one.entry.cert_no},
                today,
            )
        shown = []
        for code in sorted(codes):
            lines, found = _placed(by_code.get(code, []), known)
            faults = [fault for of, fault in read.faults if of == code]
            faults += [*found, *_checked(code, lines, known, places)]
            state = "ERRORS" if faults else "UNCHANGED" if _unchanged(code, lines, known) else "READY"
            if state == "READY" and not dry_run and not whole:
                async with self._engine.begin() as connection:
                    await write(
                        connection,
                        code,
                        [one.entry for one in lines],
                        actor=actor,
                        has_secretary=code in known.secretaries,
                    )
                state = "WRITTEN"
            shown.append(
                {
                    "community_id": code,
                    "name": known.names.get(code),
                    "members": len(lines),
                    "state": state,
                    "errors": [fault.shown() for fault in sorted(faults, key=lambda one: (one.row, one.column))],
                    "rules": _rules(code, lines, known, pack),
                }
            )
        states = [one["state"] for one in shown]
        return {
            "dry_run": dry_run,
            "errors": [fault.shown() for fault in whole],
            "totals": {state: states.count(state) for state in ("READY", "WRITTEN", "UNCHANGED", "ERRORS")},
            "communities": shown,
        }

    async def give_out(self, place: str) -> bytes:
        """The committees of a place as a workbook that can be taken in again."""
        today = datetime.now(UTC).astimezone(CHINA).date()
        async with self._engine.connect() as connection:
            rows = await held(connection, place, today)
        return await asyncio.to_thread(_workbook, rows)


# --- reading ----------------------------------------------------------------------------------------------------


def read_committees(path: Path, today: date) -> Read:
    """Read a CSV or XLSX file; raises `Unreadable` when it is no table at all."""
    with opened(path) as sheet:
        plain = [cell.strip().lower() for cell in sheet.header]
        found = {name: [plain.index(one) for one in titles if one in plain] for name, titles in HEADERS.items()}
        columns = {name: places[0] for name, places in found.items() if places}
        missing = [name for name in NEEDED if name not in columns]
        if missing:
            return Read((), tuple(("", Fault(1, name, "NO_COLUMN", " / ".join(HEADERS[name]))) for name in missing))
        return _read(sheet.rows, columns, today)


def _read(rows: Iterator[Row | Reject], columns: Mapping[str, int], today: date) -> Read:
    lines: list[Line] = []
    faults: list[tuple[str, Fault]] = []
    for row in rows:
        if isinstance(row, Reject):
            faults.append(("", Fault(row.row, "", "UNREADABLE", row.zh)))
            continue
        cells = {name: _text(row.cells[place]) for name, place in columns.items()}
        if not any(cells.values()):
            continue
        code = cells["community_code"]
        wrong = list(_cell_faults(row.row, cells, today))
        faults += [(code, fault) for fault in wrong]
        if not wrong:
            lines.append(Line(row.row, code, _entry(cells)))
        if len(lines) > MOST:
            faults.append(("", Fault(row.row, "", "TOO_MANY", str(MOST))))
            break
    if not lines and not faults:
        faults.append(("", Fault(2, "", "EMPTY")))
    return Read(tuple(lines), tuple(faults))


def _text(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell or "").strip()


def _cell_faults(row: int, cells: Mapping[str, str], today: date) -> Iterator[Fault]:
    yield from (Fault(row, name, "BLANK") for name in NEEDED if not cells[name])
    yield from (
        Fault(row, name, "TOO_LONG", str(most)) for name, most in LONGEST.items() if len(cells.get(name, "")) > most
    )
    if cells["post"] and cells["post"] not in POSTS and cells["post"] not in POSTS.values():
        yield Fault(row, "post", "POST")
    if cells["category"] and cells["category"] not in CATEGORIES and cells["category"] not in MEMBER_CATEGORIES:
        yield Fault(row, "category", "CATEGORY")
    if cells["since"]:
        day = _day(cells["since"])
        if day is None:
            yield Fault(row, "since", "DATE")
        elif day > today:
            yield Fault(row, "since", "FUTURE")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.replace("/", "-").replace(".", "-"))
    except ValueError:
        return None


def _entry(cells: Mapping[str, str]) -> Entry:
    since = _day(cells["since"])
    assert since is not None
    return Entry(
        name=cells["name"],
        post=POSTS.get(cells["post"], cells["post"]),
        category=CATEGORIES.get(cells["category"], cells["category"]),
        since=since,
        phone=cells.get("phone") or None,
        username=cells.get("username") or None,
        cert_no=cells.get("cert_no") or None,
    )


# --- checking ---------------------------------------------------------------------------------------------------


def _placed(lines: Sequence[Line], known: Ground) -> tuple[list[Line], list[Fault]]:
    """The lines with the people that they mean: by username, else by name and phone among those known here."""
    placed: list[Line] = []
    faults: list[Fault] = []
    for line in lines:
        one = line.entry
        same = known.people.get((line.community, one.name), ())
        if one.phone is not None:
            same = tuple(pair for pair in same if pair[1] in (None, one.phone))
        person = ""
        if one.username is not None:
            person = known.accounts.get(one.username, "")
            if not person:
                faults.append(Fault(line.row, "username", "USERNAME"))
        elif len({key for key, _ in same}) > 1:
            faults.append(Fault(line.row, "name", "AMBIGUOUS"))
        elif same:
            person = same[0][0]
        placed.append(replace(line, entry=replace(one, person=person)))
    return placed, faults


def _checked(code: str, lines: Sequence[Line], known: Ground, places: Collection[str]) -> Iterator[Fault]:
    first = lines[0].row if lines else 1
    if code not in known.names or not any(code.startswith(place) for place in places):
        yield Fault(first, "community_code", "COMMUNITY")
        return
    seen: dict[tuple[str, ...], int] = {}
    for line in lines:
        one = line.entry
        key = (one.person,) if one.person else (one.name, one.phone or "")
        if key in seen:
            yield Fault(line.row, "name", "TWICE", str(seen[key]))
        seen.setdefault(key, line.row)
        if one.cert_no and known.certificates.get(one.cert_no, one.person) != one.person:
            yield Fault(line.row, "cert_no", "CERTIFICATE_TAKEN")
    chairs = [line for line in lines if line.entry.post == CHAIR]
    if len(chairs) != 1:
        yield Fault(chairs[1].row if chairs else first, "post", "CHAIRS")
    elif code in known.secretaries and chairs[0].entry.person != known.secretaries[code]:
        yield Fault(chairs[0].row, "name", "NOT_SECRETARY")
    if known.seats.get(code) and not _unchanged(code, lines, known):
        yield Fault(first, "community_code", "SEATED")


def _unchanged(code: str, lines: Sequence[Line], known: Ground) -> bool:
    named: set[tuple[str, str, str | None]] = {(one.entry.person, one.entry.post, one.entry.category) for one in lines}
    return bool(lines) and named == set(known.seats.get(code, ()))


def _rules(code: str, lines: Sequence[Line], known: Ground, pack: Pack) -> list[dict[str, Any]]:
    """What the committee would keep; whoever is new is told apart by his row."""
    members = [
        Sitting(
            person=one.entry.person or f"row-{one.row}",
            name=one.entry.name,
            post=one.entry.post,
            category=one.entry.category,
            status="ACTIVE",
            since=one.entry.since,
            until=None,
            org=None,
            cert_no=one.entry.cert_no,
        )
        for one in lines
    ]
    chair = next((one.person for one in members if one.post == CHAIR), None)
    return rules(
        members,
        secretary=known.secretaries.get(code, chair),
        epc=set(known.bodies.get(("EPC", code), ())),
        two=set(known.bodies.get(("TWO_COMMITTEES", code), ())),
        reasons={},
        pack=pack,
    )


# --- writing ----------------------------------------------------------------------------------------------------


def _workbook(rows: Sequence[tuple[str, str, Entry]]) -> bytes:
    posts = {code: title for title, code in POSTS.items()}
    categories = {code: title for title, code in CATEGORIES.items()}
    book = Workbook(write_only=True)
    sheet = book.create_sheet("社工委名册")
    sheet.append([titles[1] for titles in HEADERS.values()])
    for code, name, one in rows:
        sheet.append(
            [
                code,
                name,
                _plain(one.name),
                None,
                one.username,
                posts[one.post],
                categories.get(one.category, ""),
                one.since,
                one.cert_no,
            ]
        )
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _plain(text: str) -> str:
    """A name that a spreadsheet program would run as a formula is written as text."""
    return f"'{text}" if text[:1] in "=+-@" else text
