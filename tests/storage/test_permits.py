"""The register of permits and what an application must know of those that were revoked, on PostgreSQL."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.calendar import Calendars
from services.storage.answers import questions
from services.storage.calendar import CalendarStore
from services.storage.cases import Filters, cases
from services.storage.cursors import CursorInvalid
from services.storage.history import case_at, case_now
from services.storage.ids import uuid7
from services.storage.ledger import Ledger
from services.storage.permits import PermitFilters, permits, unpaid
from services.storage.sealing import Seal
from tests.scenarios.county import ORGANIZATIONS
from tests.storage.town import COMMUNITY, OTHER_COMMUNITY, SECRETARY, Town, at, person
from workflows.admission import commands as do
from workflows.admission.data import DeliveryMode, FundingKind, ListResult, Outcome, Variant
from workflows.admission.process import ADMISSION
from workflows.kernel.process import Actor, Asked, Case, Pin
from workflows.kernel.roles import Role
from workflows.policy.packs import load

OFFICER = person("department", Role.DEPARTMENT_OFFICER, place="620199", org="urban-management")
STATISTICS = person("statistics", Role.DEPARTMENT_OFFICER, place="620199", org="statistics")
REVIEWER = person("reviewer", Role.OFFICE_REVIEWER, place="620199")
APPROVER = person("approver", Role.LEADING_GROUP_APPROVER, place="620199")
SECOND_SECRETARY = person("secretary2", Role.PARTY_SECRETARY, place=OTHER_COMMUNITY)
ELSEWHERE = person("elsewhere", Role.PARTY_SECRETARY, place="620299001001")
BEGIN = at("2026-02-02 09:00")
NO_LISTS: dict[str, Any] = {"version": 1, "hits": []}


@dataclass(slots=True)
class Register:
    """A few permits of one county."""

    town: Town
    cases: dict[str, Case[Any]]

    async def give(self, key: str, command: Any, actor: Actor, when: datetime, **facts: Any) -> Case[Any]:
        """Give one of them a command."""
        self.cases[key] = await self.town.give(ADMISSION, self.cases[key], command, actor, when, facts=facts)
        return self.cases[key]

    async def admit(self, key: str, item: str, *, by: Actor, until: str, places: tuple[str, ...], money: int) -> None:
        """From application to entry."""
        refs = {self.town.ref(): said for said in (item, "依据", "理由", "内容", "每社区两人", "市财政")}
        item_ref, basis, need, content, staff, source = refs
        half = do.Payment(amount=money / 2, due_on=date(2026, 3, 31))
        rest = do.Payment(amount=money / 2, due_on=date(2026, 9, 30))
        command = do.Submit(
            variant=Variant.WORK_ITEM,
            applicant_org=by.grants[0].org or "",
            item_name=item_ref,
            basis=basis,
            need_reason=need,
            content=content,
            delivery_mode=DeliveryMode.TWO_COMMITTEES,
            communities=places,
            planned_from=date(2026, 2, 2),
            planned_until=date.fromisoformat(until),
            staffing=staff,
            funding=do.Funding(source=source, amount=money, instalments=(half, rest)),
        )
        facts = {"organizations": ORGANIZATIONS, "bans": {"bans": []}}
        self.cases[key] = await self.town.open(ADMISSION, str(uuid7()), command, by, BEGIN, facts=facts, texts=refs)
        await self.give(key, do.RunListCheck(), REVIEWER, BEGIN, lists_in_force=NO_LISTS)
        await self.give(key, do.ConfirmListCheck(result=ListResult.OTHER), REVIEWER, BEGIN, bans={"bans": []})
        await self.give(key, do.Decide(outcome=Outcome.APPROVE), APPROVER, BEGIN)
        await self.give(key, do.SignAgreement(), by, BEGIN)
        for place in places:
            who = SECRETARY if place == COMMUNITY else SECOND_SECRETARY
            await self.give(key, do.SignAgreement(), who, BEGIN)
        funded = do.ConfirmFunding(kind=FundingKind.COMMITTED, evidence=("0" * 8,))
        await self.give(key, funded, REVIEWER, BEGIN)
        await self.give(key, do.RegisterAndEnter(), REVIEWER, BEGIN)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def register(ledger_engine: AsyncEngine) -> AsyncIterator[Register]:
    """Three permits, of which one is paid and one was revoked; nobody changes them."""
    pack, seal = load("demo_work_item"), Seal({"k1": b"k" * 32}, "k1")
    calendars = Calendars(CalendarStore(ledger_engine))
    ledger = Ledger(ledger_engine, calendars=calendars, seal=seal, policy=lambda name, version, sha: pack)
    found = Register(Town(ledger_engine, ledger, seal, Pin(pack.pack, pack.version, pack.sha), pack), {})
    both = (COMMUNITY, OTHER_COMMUNITY)
    await found.admit("survey", "入户 调查", by=STATISTICS, until="2026-12-31", places=(COMMUNITY,), money=100)
    await found.admit("watch", "市容巡查", by=OFFICER, until="2026-06-30", places=both, money=200)
    await found.admit("gone", "沿街商户登记", by=OFFICER, until="2026-10-31", places=both, money=50)
    paid = do.RecordPayment(instalment=1, paid_on=date(2026, 2, 2), receipt="receipt")
    await found.give("survey", paid, STATISTICS, BEGIN)
    ordered = BEGIN + timedelta(days=1)
    await found.give("gone", do.OrderRectification(findings=found.town.ref()), APPROVER, ordered)
    late = BEGIN + timedelta(days=60)
    await found.give("gone", do.ProposeRevocation(findings=found.town.ref()), REVIEWER, late)
    await found.give("gone", do.StateViews(text=found.town.ref()), OFFICER, late)
    await found.give("gone", do.Revoke(reason=found.town.ref()), REVIEWER, late)
    yield found


async def listed(engine: AsyncEngine, actor: Actor | None = None, **filters: Any) -> list[str]:
    """Items in the register, in order."""
    async with engine.connect() as connection:
        found, _ = await permits(connection, PermitFilters(**filters), actor=actor)
    return [one.item for one in found]


async def test_what_ends_first_stands_in_front(register: Register, ledger_engine: AsyncEngine) -> None:
    assert await listed(ledger_engine) == ["市容巡查", "入户 调查"]


@pytest.mark.parametrize(
    ("filters", "items"),
    [
        ({"state": "REVOKED"}, ["沿街商户登记"]),
        ({"community": OTHER_COMMUNITY}, ["市容巡查"]),
        ({"community": "620199"}, ["市容巡查", "入户 调查"]),
        ({"community": "620299"}, []),
        ({"org": "statistics"}, ["入户 调查"]),
        ({"expiring_by": date(2026, 6, 29)}, []),
        ({"expiring_by": date(2026, 6, 30)}, ["市容巡查"]),
    ],
)
async def test_it_is_narrowed(
    register: Register, ledger_engine: AsyncEngine, filters: dict[str, Any], items: list[str]
) -> None:
    assert await listed(ledger_engine, **filters) == items


async def test_a_line_says_what_was_promised_and_paid(register: Register, ledger_engine: AsyncEngine) -> None:
    number = register.cases["survey"].data.permit_no
    async with ledger_engine.connect() as connection:
        (line,), _ = await permits(connection, PermitFilters(permit_no=number))

    assert (line.promised, line.paid, line.permit_no) == (100, 50, number)
    assert (line.state, line.valid_until, line.communities) == ("ACTIVE", "2026-12-31", (COMMUNITY,))


async def test_everybody_sees_what_concerns_him(register: Register, ledger_engine: AsyncEngine) -> None:
    seen = {
        one.username: await listed(ledger_engine, one)
        for one in (REVIEWER, OFFICER, STATISTICS, SECRETARY, SECOND_SECRETARY, ELSEWHERE)
    }

    assert seen == {
        "reviewer": ["市容巡查", "入户 调查"],
        "department": ["市容巡查"],
        "statistics": ["入户 调查"],
        "secretary1": ["市容巡查", "入户 调查"],
        "secretary2": ["市容巡查"],
        "elsewhere": [],
    }


async def test_it_is_read_in_parts(register: Register, ledger_engine: AsyncEngine) -> None:
    async with ledger_engine.connect() as connection:
        first, cursor = await permits(connection, PermitFilters(), limit=1)
        second, end = await permits(connection, PermitFilters(), limit=1, after=cursor)
        with pytest.raises(CursorInvalid):
            await permits(connection, PermitFilters(), after="bm90aGluZw")

    assert [one.item for one in (*first, *second)] == ["市容巡查", "入户 调查"]
    assert (cursor is not None, end) == (True, None)


async def test_what_is_owed_longest_stands_in_front(register: Register, ledger_engine: AsyncEngine) -> None:
    async with ledger_engine.connect() as connection:
        every = await unpaid(connection, date(2026, 4, 1))
        soon = await unpaid(connection, date(2026, 4, 1), actor=SECRETARY, due_by=date(2026, 3, 31))

    assert [(one.item, one.instalment, one.overdue) for one in every] == [
        ("市容巡查", 1, True),
        *sorted([("市容巡查", 2, False), ("入户 调查", 2, False)], key=lambda one: _id(register, one[0])),
    ]
    assert [(one.item, one.due_on, one.amount) for one in soon] == [("市容巡查", "2026-03-31", 100)]


def _id(register: Register, item: str) -> str:
    return register.cases["watch" if item == "市容巡查" else "survey"].id


async def barred(
    engine: AsyncEngine, when: datetime, case: Case[Any] | None = None, **about: Any
) -> list[dict[str, Any]]:
    """What the register of revocations answers."""
    async with engine.connect() as connection:
        asked = Asked(name="bans", about=about, now=when, actor=REVIEWER, case=case)
        found: list[dict[str, Any]] = (await questions()["bans"](connection, asked))["bans"]
    return found


async def test_a_revoked_item_is_barred_by_its_words(register: Register, ledger_engine: AsyncEngine) -> None:
    revoked = register.cases["gone"]
    until = revoked.data.ban_until
    assert until is not None
    now = at("2026-05-04 09:00")

    (ban,) = await barred(ledger_engine, now, revoked)
    assert ban == {"permit_no": revoked.data.permit_no, "variant": "WORK_ITEM", "until": until.isoformat()}
    # Another item of the same department, the same item of another department, and a unit are not.
    assert await barred(ledger_engine, now, register.cases["watch"]) == []
    assert await barred(ledger_engine, now, register.cases["survey"]) == []
    assert await barred(ledger_engine, now, applicant_org="urban-management", variant="UNIT") == []
    # Before its words are known nothing is barred, and after its time neither.
    assert await barred(ledger_engine, now, applicant_org="urban-management", variant="WORK_ITEM") == []
    day_of_release = datetime.combine(until, datetime.min.time(), UTC)
    assert await barred(ledger_engine, day_of_release, revoked) == []


async def test_a_permit_is_the_same_case_at_every_version(register: Register, ledger_engine: AsyncEngine) -> None:
    """Rebuilt from its history, as documents and repeated commands want it, and as it stands now."""
    async with ledger_engine.connect() as connection:
        for case in register.cases.values():
            for version in range(1, case.version + 1):
                wanted = register.town.states.get((case.id, version))
                if wanted is not None:
                    assert await case_at(connection, ADMISSION, case.id, version) == wanted
            assert await case_now(connection, ADMISSION, case.id) == case


@pytest.mark.parametrize(
    ("place", "items"),
    [(COMMUNITY, 3), (OTHER_COMMUNITY, 2), ("620199001", 3), ("620199", 3), ("620199001003", 0)],
)
async def test_a_list_of_a_community_has_what_concerns_it(
    register: Register, ledger_engine: AsyncEngine, place: str, items: int
) -> None:
    """The cases lie in the county; a community asks for its own all the same."""
    async with ledger_engine.connect() as connection:
        page = await cases(connection, REVIEWER, ADMISSION, Filters(community_id=place))

    assert len(page.items) == items
