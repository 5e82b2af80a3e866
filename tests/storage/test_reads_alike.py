"""Cases that say much the same as somebody is typing, lists turned round, and lists that are kept."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.storage import cases
from services.storage.cases import Filters
from services.storage.ids import uuid7
from services.storage.people import add_person, erase_person
from services.storage.prose import said
from services.storage.saved_views import SavedView, SavedViews
from tests.storage.town import COMMUNITY, OTHER_COMMUNITY, PROPERTY, WORKER, Town, Wish, at, submit
from workflows.issue.process import ISSUE
from workflows.kernel.process import Actor


async def alike(connection: AsyncConnection, actor: Actor, words: str, place: str = COMMUNITY) -> list[str]:
    found, texts = await cases.similar(connection, actor, ISSUE, place, words)
    return [said(one.case.title, texts) for one, _ in found]


async def test_what_says_the_most_of_the_same_comes_first(town: Town, connection: AsyncConnection) -> None:
    await submit(town, Wish("路灯不亮", "东门路灯三天不亮"), at("2026-03-02 09:00"))
    await submit(town, Wish("楼道灯坏", "三号楼楼道堆放纸箱"), at("2026-03-02 09:01"))
    await submit(town, Wish("纸箱挡道", "有人把纸箱放在楼道里"), at("2026-03-02 09:02"))

    assert await alike(connection, WORKER, "楼道堆放纸箱") == ["楼道灯坏", "纸箱挡道"]
    assert await alike(connection, WORKER, "路灯不亮") == ["路灯不亮"]
    assert await alike(connection, WORKER, "噪声扰民") == []
    assert await alike(connection, WORKER, "灯") == []


async def test_nobody_learns_of_what_he_may_not_know(town: Town, connection: AsyncConnection) -> None:
    await submit(town, Wish("路灯不亮", "东门"), at("2026-03-02 09:00"))

    assert await alike(connection, PROPERTY, "路灯不亮") == []
    assert await alike(connection, WORKER, "路灯不亮", OTHER_COMMUNITY) == []


async def test_a_list_can_be_read_from_its_beginning(town: Town, connection: AsyncConnection) -> None:
    for minute in range(3):
        await submit(town, Wish(f"第{minute}件", "说明"), at(f"2026-03-02 09:0{minute}"))
    wanted = Filters(oldest=True, open=True)

    first = await cases.cases(connection, WORKER, ISSUE, wanted, limit=2)
    rest = await cases.cases(connection, WORKER, ISSUE, wanted, after=first.next_cursor, limit=2)
    closed = await cases.cases(connection, WORKER, ISSUE, Filters(open=False))

    assert [said(one.case.title, first.texts) for one in first.items] == ["第0件", "第1件"]
    assert [said(one.case.title, rest.texts) for one in rest.items] == ["第2件"]
    assert closed.items == []


async def test_views_are_kept_in_their_order_and_forgotten_with_the_person(town: Town) -> None:
    kept = SavedViews(town.engine)
    async with town.engine.begin() as writing:
        tenant = {"id": uuid7()}
        await writing.execute(text("INSERT INTO tenant (id, name) VALUES (:id, '示范市')"), tenant)
        await writing.execute(
            text("INSERT INTO region (tenant_id, code, name, level) VALUES (:id, '6201', '示范市', 'CITY')"),
            tenant,
        )
        person = await add_person(writing, region_code="6201", display_name="小周")
    somebody = Actor(str(person), "somebody", ())
    views = [SavedView("issues", "红色", "color=RED"), SavedView("meetings", "本月", "month=2026-03")]

    await kept.replace(somebody, views)
    assert await kept.of(somebody) == views
    await kept.replace(somebody, views[::-1])
    assert await kept.of(somebody) == views[::-1]
    assert await kept.of(Actor(str(uuid7()), "another", ())) == []

    async with town.engine.begin() as writing:
        assert await erase_person(writing, UUID(somebody.id))
    assert await kept.of(somebody) == []
