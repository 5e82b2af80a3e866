"""The documents of a real case: which there are, who gets them, that they never change, and that a code proves them."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import datetime

import httpx
import pypdf
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.calendar import Calendars
from services.api.app import create_app
from services.api.postgres import PostgresReads
from services.documents.filling import Templates
from services.documents.reading import blocks_of
from services.identity.tokens import Tokens
from services.storage.calendar import CalendarStore, load_national
from services.storage.database import database
from services.storage.ledger import Ledger
from services.storage.sealing import Seal
from tests.documents.test_filling import printed, words
from tests.storage.town import PROPERTY, SUPERVISOR, WORKER, Town, Wish, assign, at, finish, submit
from tests.web.twins import PEOPLE, Twin, TwinPeople
from workflows.issue import commands as do
from workflows.issue.data import Audience, Channel, Issue, Timing
from workflows.issue.process import ISSUE
from workflows.kernel.process import Case, Pin
from workflows.policy.packs import load
from workflows.registry import PROCESSES

TOKENS = Tokens("k" * 32)
PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PACK = load("lanzhou_2021")
SEAL = Seal({"k1": b"k" * 32}, "k1")
RENAMED = at("2026-03-15 00:00")
"""When the property company took another name."""
Call = Callable[..., Awaitable[httpx.Response]]


class People(TwinPeople):
    """The directory of a few people by hand, with names."""

    async def display_names(self, actor_ids: Iterable[str]) -> dict[str, str]:
        return {one: "王小明" for one in actor_ids if one in {"worker1", "worker1b", "property1"}}

    async def former_names(self, codes: Iterable[str], at: datetime) -> dict[str, str]:
        return {one: "旧名物业公司" for one in codes if one == "property-1" and at < RENAMED}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    one = database(database_url, pool_size=4)
    async with one.begin() as connection:
        await load_national(connection)
    yield one
    await one.dispose()


@pytest.fixture
def town(engine: AsyncEngine) -> Town:
    """Cases on a real ledger."""
    calendars = Calendars(CalendarStore(engine))
    ledger = Ledger(engine, calendars=calendars, seal=SEAL, policy=lambda name, version, sha: PACK)
    return Town(engine, ledger, SEAL, Pin(PACK.pack, PACK.version, PACK.sha), PACK)


@pytest_asyncio.fixture(loop_scope="session")
async def call(engine: AsyncEngine) -> AsyncIterator[Call]:
    """Call the API as somebody, or as nobody."""
    twin = Twin()
    app = create_app(
        processes=list({process.name: process for process in PROCESSES.values()}.values()),
        engine=twin,
        reads=PostgresReads(engine, Calendars(CalendarStore(engine)), SEAL),
        people=People(),
        tokens=TOKENS,
        sealing=SEAL,
        secrets=[b"s" * 32],
        store=twin,
        pack=PACK,
        probes={},
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:

        async def as_somebody(who: str, path: str, accept: str = "*/*") -> httpx.Response:
            headers = {"Accept": accept}
            if who:
                headers["Authorization"] = f"Bearer {TOKENS.issue(PEOPLE[who])}"
            return await client.get(path if path.startswith("/api") else f"/api/v1{path}", headers=headers)

        yield as_somebody


async def ordered(town: Town) -> Case[Issue]:
    """A wish of 2026-03-02 that became an order of seven working days."""
    case = await submit(town, Wish("3号楼下水道堵塞", "污水外溢,找张先生13900001111"), at("2026-03-02 09:00"))
    return await assign(town, case, at("2026-03-02 10:00"))


async def told(town: Town, case: Case[Issue], audience: Audience, text: str) -> Case[Issue]:
    """The result is told."""
    ref = town.ref()
    channel = Channel.NOTICE_BOARD if audience is Audience.PUBLIC else Channel.PHONE
    command = do.GiveFeedback(audience=audience, timing=Timing.ANYTIME, channel=channel, text=ref)
    return await town.give(ISSUE, case, command, WORKER, at("2026-03-06 09:00"), texts={ref: text})


def text_of(answer: httpx.Response) -> str:
    """What a document says, without any space."""
    assert answer.status_code == 200, answer.text
    if answer.headers["content-type"] == PDF:
        return printed(answer.content).removesuffix("1/1")
    blocks, foot = blocks_of(answer.content)
    return words(blocks) + words(foot)


async def test_each_event_that_makes_one_has_its_document(town: Town, call: Call) -> None:
    case = await ordered(town)
    case = await town.wait(ISSUE, case, at("2026-03-25 09:00"))

    listed = (await call("worker1", f"/issues/{case.id}/documents")).json()

    assert [one["kind"] for one in listed] == [
        "INTAKE_RECEIPT",
        "WORK_ORDER",
        "SUPERVISION_ORDER",
        "SUPERVISION_ORDER",
        "SUPERVISION_ORDER",
        "TOPIC_FORM",
    ]
    assert listed[0]["number"] == f"{case.number}-INTAKE_RECEIPT-1"
    assert listed[0]["issued_at"] == "2026-03-02T09:00:00+08:00"


async def test_the_receipt_names_the_clocks_and_never_the_reporter(town: Town, call: Call) -> None:
    case = await submit(town, Wish("下水道堵塞", "污水外溢", name="赵大海"), at("2026-03-02 09:00"))

    text = text_of(await call("worker1", f"/issues/{case.number}/documents/INTAKE_RECEIPT?format=docx"))

    assert "居民诉求受理回执" in text
    assert f"诉求编号{case.number}反映事项下水道堵塞" in text
    assert "首次联系时限2026年3月3日09:00受理时限2026年3月3日18:00" in text
    assert "赵大海" not in text
    assert "13900001111" not in text


async def test_orders_come_in_three_colours(town: Town, call: Call) -> None:
    case = await town.wait(ISSUE, await ordered(town), at("2026-03-25 09:00"))
    orders = [
        one["seq"]
        for one in (await call("worker1", f"/issues/{case.id}/documents")).json()
        if one["kind"] == "SUPERVISION_ORDER"
    ]

    texts = [
        text_of(await call("worker1", f"/issues/{case.id}/documents/supervision_order?seq={one}")) for one in orders
    ]

    assert [("蓝色" in text, "黄色" in text, "红色" in text) for text in texts] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]
    # A document that was issued never changes: it names the company as it was called that day.
    assert ["旧名物业公司：" in text for text in texts] == [True, True, False]
    assert "property-1：" in texts[-1]
    assert all("办理环节办理" in text for text in texts)
    assert all("时限依据" in text for text in texts)


async def test_docx_and_pdf_say_the_same(town: Town, call: Call) -> None:
    case = await ordered(town)
    path = f"/issues/{case.id}/documents/WORK_ORDER"

    docx, pdf = await call("worker1", path, DOCX), await call("worker1", path, PDF)

    assert docx.headers["content-type"] == DOCX
    assert text_of(docx) == text_of(pdf)
    assert "办结时限2026年3月11日18:00" in text_of(pdf)
    assert pdf.headers["content-disposition"].endswith('-WORK_ORDER-3.pdf"')


async def test_a_document_never_changes(town: Town, call: Call) -> None:
    case = await ordered(town)
    before = await call("worker1", f"/issues/{case.id}/documents/WORK_ORDER?format=pdf")

    case = await finish(town, case, at("2026-03-03 09:00"))
    after = await call("worker1", f"/issues/{case.id}/documents/WORK_ORDER?format=pdf")

    assert after.content == before.content
    assert after.headers["etag"] == before.headers["etag"]
    assert pypdf.PdfReader(io.BytesIO(after.content)).metadata.title == "工单"  # type: ignore[union-attr]


async def test_whoever_may_not_know_of_the_case_gets_no_document(town: Town, call: Call) -> None:
    case = await ordered(town)

    for path in (f"/issues/{case.id}/documents", f"/issues/{case.id}/documents/WORK_ORDER"):
        assert (await call("heating", path)).status_code == 404
        assert (await call("", path)).status_code == 401
        assert (await call("property1", path)).status_code == 200


async def test_there_is_no_document_that_no_event_made(town: Town, call: Call) -> None:
    case = await ordered(town)

    for path in ("REFERRAL_ORDER", "WORK_ORDER?seq=1", "NOTHING"):
        assert (await call("worker1", f"/issues/{case.id}/documents/{path}")).status_code == 404
    assert (await call("worker1", f"/issues/{case.id}/documents/WORK_ORDER", "image/png")).status_code == 406


async def test_public_feedback_is_published_masked_and_individual_is_not(town: Town, call: Call) -> None:
    case = await submit(town, Wish("下水道", "堵了"), at("2026-03-02 09:00"), reporter=False)
    case = await assign(town, case, at("2026-03-02 10:00"))
    case = await town.give(ISSUE, case, do.Sign(), PROPERTY, at("2026-03-03 09:00"))
    note = town.ref()
    claim = do.ClaimCompletion(text=note)
    case = await town.give(ISSUE, case, claim, PROPERTY, at("2026-03-03 10:00"), texts={note: "好了"})
    checker = SUPERVISOR if case.data.red else WORKER
    case = await town.give(ISSUE, case, do.ApproveCompletion(), checker, at("2026-03-04 10:00"))
    case = await told(town, case, Audience.PUBLIC, "管道已疏通,联系电话13900001111")

    listed = (await call("worker1", f"/issues/{case.id}/documents")).json()
    [published] = [one for one in listed if one["public"]]
    inside = text_of(await call("worker1", published["files"]["pdf"]))
    outside = await call(
        "", f"/public/documents/{published['number']}?check_code={published['check_code']}&format=docx"
    )

    assert published["kind"] == "RESULT_PUBLICATION"
    assert "管道已疏通" in inside
    assert "13900001111" not in inside
    assert text_of(outside) == inside


async def test_everybody_can_check_a_document_that_he_holds(town: Town, call: Call) -> None:
    case = await submit(town, Wish("电话13900001111,下水道", "堵了"), at("2026-03-02 09:00"))
    [one] = (await call("worker1", f"/issues/{case.id}/documents")).json()
    path = f"/public/documents/{one['number']}?check_code="

    checked = (await call("", path + one["check_code"].lower())).json()

    assert (checked["genuine"], checked["title"], checked["issued_at"]) == (True, "受理回执", one["issued_at"])
    assert checked["place"] == "620199001001"
    assert "13900001111" not in checked["summary"]
    assert (await call("", f"{path}{one['check_code']}&format=pdf")).status_code == 404
    assert (await call("", path + "AAAAAAAA")).status_code == 404


async def test_a_code_of_one_document_opens_no_other(town: Town, call: Call) -> None:
    case = await ordered(town)
    receipt, order = (await call("worker1", f"/issues/{case.id}/documents")).json()

    mixed = await call("", f"/public/documents/{order['number']}?check_code={receipt['check_code']}")
    invented = await call("", f"/public/documents/{case.number}-WORK_ORDER-99?check_code={order['check_code']}")

    assert (mixed.status_code, invented.status_code) == (404, 404)


async def test_guessing_codes_gets_slow(town: Town, call: Call) -> None:
    case = await submit(town, Wish("下水道", "堵了"), at("2026-03-02 09:00"))

    answers = [
        (await call("", f"/public/documents/{case.number}-INTAKE_RECEIPT-1?check_code=AAAAAAA{place}")).status_code
        for place in range(8)
    ]

    assert answers[0] == 404
    assert answers[-1] == 429


@pytest.mark.parametrize("process", sorted({process.name for process in PROCESSES.values()}))
def test_every_paper_of_a_process_has_a_template_of_its_own(process: str) -> None:
    templates = Templates()
    general = templates.find("default_2026", "GENERAL")

    missing = [
        paper.kind
        for paper in next(one for one in PROCESSES.values() if one.name == process).papers
        if templates.find("default_2026", paper.kind) == general
    ]

    assert missing == []
