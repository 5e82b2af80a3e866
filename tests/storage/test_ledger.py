"""One turn, one transaction: what is written, what a repeat gives, what a conflict leaves behind."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError

from activities.calendar import Calendars
from activities.conflicts import Conflict
from activities.records import Records
from services.storage.calendar import CalendarStore, set_local_day
from services.storage.clocks import clocks_of
from services.storage.database import database
from services.storage.history import Past, broken_at, case_at, case_now, command_done
from services.storage.ids import uuid7
from services.storage.incidents import close_incident, open_incidents
from services.storage.ledger import Ledger, LedgerFailed
from services.storage.ledger_tables import (
    attachment,
    case_file,
    clock,
    contact,
    event,
    outbox,
    prose,
    task,
)
from services.storage.sealing import Seal, SealBroken
from tests.storage.town import (
    COMMUNITY,
    FACTS,
    OTHER_COMMUNITY,
    OTHER_WORKER,
    PROPERTY,
    SECOND_WORKER,
    WORKER,
    Town,
    Wish,
    assign,
    at,
    finish,
    propose,
    submit,
)
from workflows.issue import commands as do
from workflows.issue.commands import Child
from workflows.issue.data import ClockClass, HandlingMode
from workflows.issue.process import ISSUE
from workflows.kernel.process import SYSTEM
from workflows.kernel.wire import Recorded, Transaction, command_of
from workflows.policy.packs import PackNotHere, pinned

LEAK = Wish("三单元漏水", "三单元四楼水管漏水,已经两周")


async def rows(engine: AsyncEngine, statement: object) -> list[dict[str, object]]:
    async with engine.connect() as connection:
        found = await connection.execute(statement)  # type: ignore[call-overload]  # any select
        return [dict(row) for row in found.mappings()]


async def test_a_registered_wish_has_its_number_its_clocks_and_its_tasks(town: Town) -> None:
    case = await submit(town, LEAK, at("2026-03-02 09:00"))

    assert case.number == f"{COMMUNITY}2026030001"
    assert case.version == 1
    due = {one.code: one.due_at for one in case.clocks}
    assert (due["TRIAGE"], due["RESPONSE"]) == (at("2026-03-03 18:00"), at("2026-03-03 09:00"))
    (row,) = await rows(town.engine, select(case_file).where(case_file.c.id == case.id))
    assert (row["color"], row["next_due_at"]) == ("NONE", at("2026-03-03 09:00"))
    assert row["persons"] == ["worker1"]
    tasks = await rows(town.engine, select(task).where(task.c.case_id == case.id).order_by(task.c.n))
    owed = {name for row in tasks if row["role"] == "community_worker" for name in row["commands"]}  # type: ignore[attr-defined]
    assert {"accept_to_problem_list", "decline", "contact_reporter"} <= owed
    assert {row["due_at"] for row in tasks if row["role"] == "community_worker"} == {at("2026-03-03 09:00")}


async def test_numbers_count_per_community_and_month_of_beijing(town: Town) -> None:
    last_of_may = await submit(town, LEAK, at("2026-05-31 23:59"), place=OTHER_COMMUNITY, by=OTHER_WORKER)
    june = [
        await submit(town, LEAK, at(f"2026-06-01 00:0{minute}"), place=OTHER_COMMUNITY, by=OTHER_WORKER)
        for minute in range(2)
    ]

    assert last_of_may.number == f"{OTHER_COMMUNITY}2026050001"
    assert [one.number for one in june] == [f"{OTHER_COMMUNITY}2026060001", f"{OTHER_COMMUNITY}2026060002"]


async def test_wishes_that_come_at_once_get_numbers_without_gap_or_double(town: Town) -> None:
    cases = await asyncio.gather(*(submit(town, LEAK, at("2026-07-01 09:00")) for _ in range(8)))

    assert sorted(one.number[-4:] for one in cases) == [f"{count:04d}" for count in range(1, 9)]


async def test_what_a_resident_said_stands_only_in_the_table_of_texts(town: Town) -> None:
    case = await submit(town, LEAK, at("2026-03-02 09:00"))

    said = await rows(town.engine, select(prose.c.value, prose.c.searched).where(prose.c.case_id == case.id))
    assert sorted((str(row["value"]), row["searched"]) for row in said) == [
        (LEAK.description, True),
        (LEAK.title, True),
    ]
    (reached,) = await rows(town.engine, select(contact).where(contact.c.case_id == case.id))
    ref = str(reached["ref"])
    kept = (str(reached["name"]), str(reached["phone"]))
    assert not any(word in str(kept) for word in (LEAK.name, LEAK.phone))
    assert [town.seal.open(one, ref) for one in kept] == [LEAK.name, LEAK.phone]
    assert reached["wants_reply"]
    for table in ("case_file", "event", "clock", "task", "outbox", "command"):
        column = "id" if table == "case_file" else "case_id"
        dump = await rows(town.engine, text(f"SELECT t::text AS t FROM {table} AS t WHERE {column} = '{case.id}'"))
        clear = "".join(str(row["t"]) for row in dump)
        assert not any(word in clear for word in ("漏水", LEAK.name, LEAK.phone)), table


async def test_a_letter_that_cannot_be_stored_is_left_out(town: Town) -> None:
    case = await submit(town, Wish("路\0灯", "back\\u0000slash \0 nul"), at("2026-03-02 09:00"))

    said = await rows(town.engine, select(prose.c.value).where(prose.c.case_id == case.id))
    assert {row["value"] for row in said} == {"路灯", "back\\u0000slash  nul"}


async def test_the_same_turn_again_gives_the_stored_stamps_and_writes_nothing(town: Town) -> None:
    case = await submit(town, LEAK, at("2026-03-02 09:00"))
    turn = town.written[-1]

    again = await town.write(turn)

    assert (again.number, again.repeat) == (case.number, 0)
    assert {one.number: one.due_at for one in again.stamps} == {one.number: one.due_at for one in case.clocks}
    assert len(await rows(town.engine, select(event).where(event.c.case_id == case.id))) == 1


async def test_the_stored_stamps_are_given_even_if_the_calendar_has_changed_since(town: Town) -> None:
    await submit(town, LEAK, at("2026-11-16 09:00"))
    turn = town.written[-1]
    first = await town.write(turn)
    async with town.engine.begin() as connection:
        await set_local_day(connection, date(2026, 11, 17), False, "停水停电", "tester")

    assert await town.write(turn) == first


async def test_a_later_turn_does_not_make_the_earlier_one_forgotten(town: Town) -> None:
    case = await submit(town, LEAK, at("2026-03-02 09:00"))
    opening = town.written[-1]
    await assign(town, case, at("2026-03-02 10:00"))

    again = await town.write(opening)

    assert {one.number: one.due_at for one in again.stamps} == {one.number: one.due_at for one in case.clocks}


async def test_two_tries_of_one_opening_at_once_make_one_case(town: Town) -> None:
    case = await submit(town, LEAK, at("2026-03-02 09:00"))
    opening = town.written[-1]
    other = str(uuid7())
    twin = replace(opening, case={**opening.case, "id": other}, sealed=town.seal.seal({"texts": {}}, other))

    answers = await asyncio.gather(*(town.write(twin) for _ in range(6)))

    assert len({answer.number for answer in answers}) == 1
    assert answers[0].number != case.number
    assert len(await rows(town.engine, select(event).where(event.c.case_id == other))) == 1


async def test_another_turn_under_the_same_number_is_a_conflict_and_an_incident(town: Town) -> None:
    case = await submit(town, LEAK, at("2026-03-02 09:00"))
    await assign(town, case, at("2026-03-02 10:00"))
    turn = town.written[-1]
    events = [{**turn.events[0], "at": at("2026-03-02 10:01").isoformat()}, *turn.events[1:]]
    other = replace(turn, events=events, command={**turn.command, "key": "another run's"})

    for _ in range(2):
        with pytest.raises(Conflict):
            await town.write(other)

    async with town.engine.connect() as connection:
        mine = [one for one in await open_incidents(connection) if str(one.case_id) == case.id]
    assert [(one.kind, one.key, one.number) for one in mine] == [("CONFLICT", "2", case.number)]
    async with town.engine.begin() as connection:
        assert await close_incident(connection, mine[0].id, by="admin", reason="looked at")
        assert not await close_incident(connection, mine[0].id, by="admin", reason="again")
    async with town.engine.connect() as connection:
        assert [one for one in await open_incidents(connection) if str(one.case_id) == case.id] == []


async def test_a_turn_that_skips_one_is_not_written(town: Town) -> None:
    case = await submit(town, LEAK, at("2026-03-02 09:00"))
    await assign(town, case, at("2026-03-02 10:00"))
    turn = town.written[-1]
    shifted = [{**one, "seq": one["seq"] + 5} for one in turn.events]
    early = replace(turn, first=turn.first + 5, events=shifted, command={**turn.command, "key": "early"})

    with pytest.raises(LedgerFailed, match="SL002"):
        await town.write(early)


async def test_a_command_carried_out_by_an_earlier_run_gets_its_first_answer(town: Town) -> None:
    case = await submit(town, LEAK, at("2026-03-02 09:00"), key="the reporter's key")
    opening = town.written[-1]
    case = await assign(town, case, at("2026-03-02 10:00"))
    # A run that begins anew because the engine has forgotten the first one decides at another moment.
    events = [{**opening.events[0], "at": at("2027-03-02 09:00").isoformat()}]

    answer = await town.write(replace(opening, events=events))

    assert (answer.repeat, answer.repeat_hash, answer.number) == (1, "body-1", case.number)
    async with town.engine.connect() as connection:
        assert await command_done(connection, case.id, "the reporter's key") == ("body-1", 1)
        assert await command_done(connection, case.id, "no such key") is None
        assert (await case_now(connection, ISSUE, case.id)) == case


async def test_a_calendar_that_changed_meanwhile_is_read_again(town: Town) -> None:
    await submit(town, LEAK, at("2026-12-07 09:00"))
    async with town.engine.begin() as connection:
        await set_local_day(connection, date(2026, 12, 8), False, "停水停电", "tester")

    case = await submit(town, LEAK, at("2026-12-07 09:00"))

    triage = case.clock("TRIAGE")
    assert triage is not None
    assert triage.due_at == at("2026-12-09 18:00")
    async with town.engine.connect() as connection:
        (deadline,) = [one for one in await clocks_of(connection, case.id) if one.code == "TRIAGE"]
    assert deadline.rule.days_skipped == ({"date": "2026-12-08", "why": "停水停电"},)
    assert deadline.rule.edition.startswith("chinese-calendar")


async def test_what_is_sealed_for_another_case_or_with_another_key_is_not_written(town: Town) -> None:
    await submit(town, LEAK, at("2026-03-02 09:00"))
    opening = town.written[-1]
    stolen = replace(opening, case={**opening.case, "id": str(uuid7())})
    foreign = replace(opening, sealed=Seal({"k2": b"x" * 32}, "k2").seal({"texts": {"a": 1}}, opening.case["id"]))

    for turn in (stolen, foreign):
        with pytest.raises(SealBroken):
            await town.write(turn)

    assert await rows(town.engine, select(case_file).where(case_file.c.id == stolen.case["id"])) == []


async def test_a_case_pinned_to_a_pack_that_is_not_here_is_refused(new_town: Callable[..., Town]) -> None:
    town = new_town(policy=pinned)
    await submit(town, LEAK, at("2026-03-02 09:00"))
    opening = town.written[-1]

    with pytest.raises(PackNotHere):
        await town.write(replace(opening, case={**opening.case, "id": str(uuid7()), "pack_sha": "0" * 64}, sealed=""))


async def test_the_events_alone_give_the_case_at_every_version(town: Town) -> None:
    case = await submit(town, LEAK, at("2026-03-02 09:00"))
    case = await assign(town, case, at("2026-03-02 10:00"))
    case = await finish(town, case, at("2026-03-03 09:00"))
    no, yes = town.ref(), town.ref()
    visit = do.RecordVisit(contacted=True, satisfaction=1, remark=no)
    case = await town.give(ISSUE, case, visit, SECOND_WORKER, at("2026-03-04 10:00"), texts={no: "还在漏"})
    assert case.state == "IN_PROGRESS"
    claim = do.ClaimCompletion(text=yes)
    case = await town.give(ISSUE, case, claim, PROPERTY, at("2026-03-05 09:00"), texts={yes: "又修了"})
    case = await town.give(
        ISSUE,
        case,
        do.RejectCompletion(reason=no),
        SECOND_WORKER,
        at("2026-03-09 09:00"),
        acting_role="community_worker",
    )
    # Nobody does anything: reminder, breach, red, and at last the county hears of it.
    case = await town.wait(ISSUE, case, at("2026-06-01 09:00"))
    assert case.data.escalated is not None

    async with town.engine.connect() as connection:
        assert await case_now(connection, ISSUE, case.id) == case
        seen = [version for (of, version) in town.states if of == case.id]
        for version in seen:
            assert await case_at(connection, ISSUE, case.id, version) == town.states[case.id, version], version
        for version in range(1, case.version + 1):
            assert (await case_at(connection, ISSUE, case.id, version)).version == version
        with pytest.raises(LookupError):
            await case_at(connection, ISSUE, case.id, case.version + 1)
        with pytest.raises(LookupError):
            await case_at(connection, ISSUE, uuid7(), 1)
        assert await case_now(connection, ISSUE, uuid7()) is None
        assert await broken_at(connection, case.id) is None


async def test_a_breached_order_turns_the_case_yellow_and_then_red(town: Town) -> None:
    case = await submit(town, LEAK, at("2026-03-02 09:00"))
    case = await assign(town, case, at("2026-03-02 10:00"))
    case = await town.give(ISSUE, case, do.Sign(), PROPERTY, at("2026-03-02 11:00"))
    note = town.ref()
    case = await town.give(
        ISSUE, case, do.ContactReporter(note=note), WORKER, at("2026-03-02 12:00"), texts={note: "已联系"}
    )
    handle = case.clock("HANDLE")
    assert handle is not None
    assert handle.due_at == at("2026-03-11 18:00")
    colors = []
    for moment in ("2026-03-10 17:59", "2026-03-10 18:00", "2026-03-11 18:00", "2026-03-18 18:00"):
        case = await town.wait(ISSUE, case, at(moment))
        (row,) = await rows(
            town.engine, select(case_file.c.color, case_file.c.next_due_at).where(case_file.c.id == case.id)
        )
        colors.append(row["color"])

    assert colors == ["NONE", "BLUE", "YELLOW", "RED"]
    notices = await rows(town.engine, select(outbox).where(outbox.c.case_id == case.id).order_by(outbox.c.id))
    assert [(row["to_code"], row["template"]) for row in notices if row["clock"] == "HANDLE"][:3] == [
        ("property-1", "clock_blue"),
        ("property-1", "clock_yellow"),
        (COMMUNITY, "clock_yellow"),
    ]


async def test_a_pause_is_kept_with_its_reason_and_its_length(town: Town) -> None:
    case = await submit(town, LEAK, at("2026-03-02 09:00"))
    case = await assign(town, case, at("2026-03-02 10:00"))
    case = await town.give(ISSUE, case, do.Sign(), PROPERTY, at("2026-03-02 11:00"))
    claim, no = town.ref(), town.ref()
    case = await town.give(
        ISSUE, case, do.ClaimCompletion(text=claim), PROPERTY, at("2026-03-03 09:00"), texts={claim: "修好了"}
    )
    async with town.engine.connect() as connection:
        (paused,) = [one for one in await clocks_of(connection, case.id) if one.code == "HANDLE"]
    case = await town.give(
        ISSUE, case, do.RejectCompletion(reason=no), SECOND_WORKER, at("2026-03-05 09:00"), texts={no: "仍在漏"}
    )

    async with town.engine.connect() as connection:
        (resumed,) = [one for one in await clocks_of(connection, case.id) if one.code == "HANDLE"]
    assert paused.state == "PAUSED"
    assert [(one["from"], one["to"]) for one in paused.rule.pauses] == [(at("2026-03-03 09:00"), None)]
    assert resumed.state == "RUNNING"
    assert [(one["from"], one["to"]) for one in resumed.rule.pauses] == [
        (at("2026-03-03 09:00"), at("2026-03-05 09:00"))
    ]
    assert (resumed.original_due_at, resumed.due_at) == (at("2026-03-11 18:00"), at("2026-03-13 18:00"))
    (row,) = await rows(
        town.engine, select(clock.c.paused_total).where(clock.c.case_id == case.id, clock.c.code == "HANDLE")
    )
    assert row["paused_total"].days == 2  # type: ignore[attr-defined]


async def test_a_transfer_moves_the_case_its_clocks_and_its_tasks(town: Town) -> None:
    case = await submit(town, LEAK, at("2026-03-02 09:00"))
    why = town.ref()
    transfer = do.TransferCommunity(to_community=OTHER_COMMUNITY, reason=why)
    case = await town.give(
        ISSUE, case, transfer, WORKER, at("2026-03-02 10:00"), texts={why: "属河湾"}, facts={"to_community": {}}
    )
    case = await town.give(ISSUE, case, do.AcceptTransfer(), OTHER_WORKER, at("2026-03-02 11:00"))

    assert case.community == OTHER_COMMUNITY
    found = await rows(
        town.engine,
        select(clock.c.community).where(clock.c.case_id == case.id, clock.c.state == "RUNNING"),
    )
    assert {row["community"] for row in found} == {OTHER_COMMUNITY}
    tasks = await rows(town.engine, select(task.c.community, task.c.place).where(task.c.case_id == case.id))
    assert {row["community"] for row in tasks} == {OTHER_COMMUNITY}
    async with town.engine.connect() as connection:
        assert await case_at(connection, ISSUE, case.id, case.version) == case


async def test_a_case_started_by_another_one_takes_its_texts_along(town: Town) -> None:
    case = await propose(town, await submit(town, LEAK, at("2026-03-02 09:00")), at("2026-03-02 10:00"))
    refs = [town.ref() for _ in range(4)]
    parts = tuple(
        Child(title=one, description=other, lead_org="property-1")
        for one, other in zip(refs[::2], refs[1::2], strict=True)
    )
    words = dict(zip(refs, ("水管", "换水管", "墙面", "补墙面"), strict=True))
    case = await town.give(
        ISSUE, case, do.Split(children=parts), WORKER, at("2026-03-02 11:00"), texts=words, facts=FACTS
    )
    first = next(one.effect for one in case.pending if one.effect.kind == "START")

    opened = await town.open(
        ISSUE, first.case, command_of(ISSUE, first.command, first.fields), SYSTEM, at("2026-03-02 11:00")
    )

    said = await rows(town.engine, select(prose.c.value, prose.c.searched).where(prose.c.case_id == opened.id))
    assert {(row["value"], row["searched"]) for row in said} >= {("水管", True), ("换水管", True)}
    reached = await rows(town.engine, select(contact.c.ref, contact.c.phone).where(contact.c.case_id == opened.id))
    assert [town.seal.open(str(row["phone"]), str(row["ref"])) for row in reached] == [LEAK.phone]


async def test_a_file_belongs_to_the_case_that_names_it(town: Town) -> None:
    file = uuid7()
    async with town.engine.begin() as connection:
        await connection.execute(
            attachment.insert().values(
                id=file,
                kind="PHOTO",
                media_type="image/jpeg",
                size=1,
                sha256="0" * 64,
                object_key="k",
                uploaded_by="worker1",
            )
        )

    case = await submit(town, LEAK, at("2026-03-02 09:00"), evidence=(str(file),))

    (row,) = await rows(town.engine, select(attachment.c.case_id).where(attachment.c.id == file))
    assert str(row["case_id"]) == case.id


async def test_organisations_that_once_had_the_order_stay_known(town: Town) -> None:
    case = await submit(town, LEAK, at("2026-03-02 09:00"))
    case = await assign(town, case, at("2026-03-02 10:00"))
    why = town.ref()
    back = do.ReturnOrder(reason=why, suggested_owner="power")
    case = await town.give(ISSUE, case, back, PROPERTY, at("2026-03-02 11:00"), texts={why: "属供电"})
    dispatch = do.Dispatch(mode=HandlingMode.TIME_LIMITED, lead_org="power", clock_class=ClockClass.SIMPLE)
    case = await town.give(ISSUE, case, dispatch, WORKER, at("2026-03-02 12:00"), facts=FACTS)

    (row,) = await rows(town.engine, select(case_file.c.orgs, case_file.c.lead_org).where(case_file.c.id == case.id))
    assert row == {"orgs": ["power", "property-1"], "lead_org": "power"}


async def test_history_cannot_be_changed_by_a_plain_statement(town: Town) -> None:
    case = await submit(town, LEAK, at("2026-03-02 09:00"))

    for statement in (
        f"UPDATE event SET actor = 'x' WHERE case_id = '{case.id}'",
        f"DELETE FROM event WHERE case_id = '{case.id}'",
        "TRUNCATE event",
    ):
        with pytest.raises(Exception, match="permission denied"):
            async with town.engine.begin() as connection:
                await connection.execute(text(statement))


@pytest.mark.parametrize(
    ("tampering", "why"),
    [
        ("UPDATE event SET actor = 'somebody' WHERE case_id = '{id}' AND seq = 2", (2, "CHANGED")),
        ("UPDATE event SET at = at + interval '1 second' WHERE case_id = '{id}' AND seq = 1", (1, "CHANGED")),
        ("UPDATE event SET org = 'another' WHERE case_id = '{id}' AND seq = 4", (4, "CHANGED")),
        ("UPDATE event SET payload = payload - 'to' WHERE case_id = '{id}' AND seq = 2", (2, "CHANGED")),
        ("UPDATE event SET stamps = NULL WHERE case_id = '{id}' AND seq = 1", (1, "CHANGED")),
        ("DELETE FROM event WHERE case_id = '{id}' AND seq = 2", (2, "MISSING")),
        (
            "DELETE FROM event WHERE case_id = '{id}' AND seq = (SELECT max(seq) FROM event WHERE case_id = '{id}')",
            None,
        ),
        (
            "UPDATE event SET seq = 99 WHERE case_id = '{id}' AND seq = 4;"
            "UPDATE event SET seq = 4 WHERE case_id = '{id}' AND seq = 5;"
            "UPDATE event SET seq = 5 WHERE case_id = '{id}' AND seq = 99",
            (4, "CHANGED"),
        ),
        ("DELETE FROM case_file WHERE id = '{id}'", (1, "ORPHANED")),
    ],
)
async def test_whoever_changes_history_all_the_same_is_found(
    town: Town, tampering: str, why: tuple[int, str] | None
) -> None:
    case = await submit(town, LEAK, at("2026-03-02 09:00"))
    case = await assign(town, case, at("2026-03-02 10:00"))
    case = await finish(town, case, at("2026-03-03 09:00"))
    async with town.engine.begin() as connection:
        assert await broken_at(connection, case.id) is None
        await connection.execute(text("GRANT UPDATE, DELETE ON event TO CURRENT_USER"))
        await connection.execute(text("ALTER TABLE event DISABLE TRIGGER refuse_change"))
        for statement in tampering.format(id=case.id).split(";"):
            await connection.execute(text(statement))

        found = await broken_at(connection, case.id)

        await connection.rollback()
    assert found == (why or (case.version, "MISSING"))


async def test_an_error_of_the_database_tells_its_code_and_nothing_else(town: Town) -> None:
    await submit(town, LEAK, at("2026-03-02 09:00"))
    opening = town.written[-1]
    bad = replace(opening, case={**opening.case, "id": str(uuid7()), "level": None}, sealed="")

    with pytest.raises(LedgerFailed) as refused:
        await town.write(bad)

    assert str(refused.value) == "23502 NotNullViolationError"


async def test_a_topic_stands_in_the_columns_that_agendas_read(town: Town) -> None:
    case = await submit(town, LEAK, at("2026-03-02 09:00"))
    case = await propose(town, case, at("2026-03-02 10:00"))

    (row,) = await rows(
        town.engine,
        select(case_file.c.agenda_body, case_file.c.agenda_first, case_file.c.problem_month).where(
            case_file.c.id == case.id
        ),
    )
    assert row == {"agenda_body": "TWO_COMMITTEES", "agenda_first": False, "problem_month": "2026-03"}


async def test_a_lost_connection_is_reported_once_and_then_replaced(town: Town, database_url: str) -> None:
    await submit(town, LEAK, at("2026-03-02 09:00"))
    opening = town.written[-1]
    engine = database(database_url, pool_size=1, max_overflow=0)
    ledger = Ledger(engine, calendars=Calendars(CalendarStore(engine)), seal=town.seal)
    first = await ledger.record(opening)
    async with engine.connect() as connection:
        pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    async with town.engine.connect() as other:
        await other.execute(text(f"SELECT pg_terminate_backend({pid}, 5000)"))

    answers: list[Recorded | None] = []
    for _ in range(2):
        try:
            answers.append(await ledger.record(opening))
        except LedgerFailed:
            answers.append(None)
    await engine.dispose()

    assert answers[-1] == first


async def test_a_database_that_is_not_there_is_a_failure_that_may_be_tried_again(town: Town) -> None:
    await submit(town, LEAK, at("2026-03-02 09:00"))
    nowhere = database("postgresql://nobody:hidden@127.0.0.1:1/nothing")
    ledger = Ledger(nowhere, calendars=Calendars(CalendarStore(town.engine)), seal=town.seal)

    with pytest.raises(LedgerFailed) as refused:
        await ledger.record(town.written[-1])
    await nowhere.dispose()

    assert "hidden" not in str(refused.value)


async def test_the_activity_ends_a_conflict_and_lets_everything_else_be_tried_again(town: Town) -> None:
    class Ledgers:
        def __init__(self, error: Exception) -> None:
            self.error = error

        async def record(self, t: Transaction) -> Recorded:
            raise self.error

    await submit(town, LEAK, at("2026-03-02 09:00"))
    turn, past = town.written[-1], Past(town.engine)

    with pytest.raises(ApplicationError) as refused:
        await Records(Ledgers(Conflict("a case", 3)), past).record(turn)
    with pytest.raises(LedgerFailed):
        await Records(Ledgers(LedgerFailed("57P01 AdminShutdownError")), past).record(turn)

    assert (refused.value.non_retryable, refused.value.type) == (True, "Conflict")
    assert (await Records(town.ledger, past).record(turn)).number
