"""A message always lands: with who answers, one level higher where nobody is, at last with the one who is named."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest

from activities.notices import MOST_TRIES, Dispatcher
from services.channels.sending import Sender
from services.storage.notifications import Wanted, addresses_in_use, rotate_addresses
from services.storage.outbox import Outbox
from services.storage.people import erase_person
from services.storage.sealing import Seal
from tests.channels.conftest import SEAL, Gateway, Office, Post
from tests.storage.town import COMMUNITY, SUBDISTRICT, WORKER, Town, Wish, at, submit
from workflows.issue.data import Issue
from workflows.issue.process import ISSUE
from workflows.kernel.process import Case

SECRETARY = "party_secretary"


async def wish(town: Town, office: Office, title: str = "3号楼下水道堵塞,电话13900001111") -> Case[Issue]:
    """A wish of community 1 whose own messages are out of the way."""
    case = await submit(town, Wish(title, "污水外溢"), at("2026-03-02 09:00"))
    await office.ask("UPDATE outbox SET sent_at = now()")
    return case


async def told(town: Town, office: Office, to: str, template: str = "clock_blue") -> tuple[set[str], list[str]]:
    """Who is told when a message goes to an address, and by which path."""
    number = await office.say(await wish(town, office), to, template)
    await office.work()
    return await office.told(number)


@pytest.mark.parametrize(
    ("to", "template", "people"),
    [
        (COMMUNITY, "clock_blue", {"worker1", "worker1b"}),
        (COMMUNITY, "clock_yellow", {"worker1", "worker1b", "secretary1"}),
        (SUBDISTRICT, "clock_yellow", {"officer", "supervisor"}),
        ("property-1", "clock_yellow", {"property1"}),
        ("urban-management", "clock_yellow", {"department"}),
        ("role:party_secretary@620199001002", "clock_blue", {"secretary2"}),
        ("role:supervisor@6201990010010010", "clock_blue", {"supervisor"}),
    ],
)
async def test_an_address_means_those_who_answer_there(
    town: Town, office: Office, to: str, template: str, people: set[str]
) -> None:
    found, path = await told(town, office, to, template)

    # People with seats in bodies have an account for each seat.
    assert {name for name in found if not name.startswith(("tc", "epc"))} == people
    assert len(path) == 1


async def test_a_person_is_told_himself(town: Town, office: Office) -> None:
    assert (await told(town, office, f"person:{await office.person('vice1')}"))[0] == {"vice1"}


async def test_a_body_means_everybody_who_sits_in_it(town: Town, office: Office) -> None:
    number = await office.say(await wish(town, office), f"body:TWO_COMMITTEES@{COMMUNITY}")
    await office.work()

    [row] = await office.ask("SELECT count(*) AS many FROM notification WHERE outbox_id = :id", id=number)
    assert row.many == 8


async def test_nobody_in_the_role_means_the_level_above(town: Town, office: Office) -> None:
    found, path = await told(town, office, f"role:seal_keeper@{COMMUNITY}")

    assert found == {"worker1", "worker1b"}
    assert path == [f"seal_keeper@{COMMUNITY}", f"community_worker@{COMMUNITY}"]


async def test_an_organisation_without_people_is_answered_for_by_its_place(town: Town, office: Office) -> None:
    found, path = await told(town, office, "nobody-knows-it")

    assert found == {"worker1", "worker1b"}
    assert path[0] == "nobody-knows-it"


async def test_somebody_who_left_is_not_told_but_his_place_is(town: Town, office: Office) -> None:
    gone = await office.person("member1b")
    await office.ask("UPDATE account SET active = false WHERE username = 'member1b'")
    try:
        found, _ = await told(town, office, f"person:{gone}")
    finally:
        await office.ask("UPDATE account SET active = true WHERE username = 'member1b'")

    assert found == {"worker1", "worker1b"}


async def test_at_last_somebody_is_named(town: Town, office: Office) -> None:
    """No role anywhere up the tree: the last resort, and the whole path is kept."""
    case = await wish(town, office)
    await office.ask("UPDATE person_role SET until = since WHERE role NOT IN ('resident', 'tenant_admin')")
    try:
        number = await office.say(case, COMMUNITY)
        await office.work()
        found, path = await office.told(number)
    finally:
        await office.ask("UPDATE person_role SET until = NULL WHERE role NOT IN ('resident', 'tenant_admin')")

    assert found == {"admin"}
    assert path == [
        f"community_worker@{COMMUNITY}",
        f"subdistrict_officer+supervisor@{SUBDISTRICT}",
        "office_reviewer+supervisor@620199",
        "supervisor@6201",
        "last_resort:admin",
    ]


async def test_with_nobody_at_all_the_message_waits_as_an_incident(town: Town, office: Office) -> None:
    case = await wish(town, office)
    await office.ask("UPDATE account SET active = false")
    try:
        number = await office.say(case, COMMUNITY)
        await office.work()
        [incident] = await office.ask("SELECT kind, detail FROM incident WHERE closed_at IS NULL")
        assert incident.kind == "NOBODY_TO_TELL"
        assert (await office.outbox.waiting())[0].id == number
    finally:
        await office.ask("UPDATE account SET active = true")

    await office.outbox.again()
    await office.work()

    assert (await office.told(number))[0] == {"worker1", "worker1b"}
    [closed] = await office.ask("SELECT count(*) AS many FROM incident WHERE closed_at IS NULL")
    assert closed.many == 0


async def test_the_ladder_of_a_clock_reaches_people(town: Town, office: Office) -> None:
    """What `record` wrote with the case itself: triage was due and nobody did it."""
    case = await submit(town, Wish("没有人管", "没有人管"), at("2026-03-02 09:00"), by=WORKER)
    await town.wait(ISSUE, case, at("2026-03-04 09:00"))

    await office.work()

    rows = await office.ask(
        "SELECT DISTINCT a.username FROM notification n JOIN account a ON a.person_id = n.person_id"
        " WHERE n.case_id = CAST(:id AS uuid) AND n.template = 'clock_yellow' AND n.clock = 'TRIAGE'",
        id=case.id,
    )
    assert {"worker1", "worker1b", "secretary1", "officer", "supervisor"} <= {row.username for row in rows}


async def test_several_workers_tell_each_person_once(town: Town, office: Office) -> None:
    case = await wish(town, office)
    numbers = [await office.say(case, COMMUNITY) for _ in range(30)]

    await asyncio.gather(*(office.work() for _ in range(4)))

    rows = await office.ask(
        "SELECT outbox_id, count(*) AS many FROM notification WHERE outbox_id = ANY(:ids) GROUP BY 1", ids=numbers
    )
    assert {row.outbox_id for row in rows} == set(numbers)
    assert {row.many for row in rows} == {2}


async def test_two_addresses_of_one_event_tell_a_person_once(town: Town, office: Office) -> None:
    case = await wish(town, office)
    await office.say(case, "property-1", event=7)
    await office.say(case, f"person:{await office.person('property1')}", event=7)

    await office.work()

    [row] = await office.ask(
        "SELECT count(*) AS many FROM notification WHERE person_id = CAST(:id AS uuid)",
        id=await office.person("property1"),
    )
    assert row.many == 1


# --- channels -------------------------------------------------------------------------------------------------


async def channel(office: Office, username: str, url: str, **wanted: object) -> None:
    """Somebody wants to be told besides."""
    asked = Wanted(url=url, scheme=url.partition(":")[0], **wanted)  # type: ignore[arg-type]  # fields of it
    await office.inbox.add_channel(asked, person=await office.person(username))


async def test_mail_and_webhook_get_it_with_a_key_and_without_personal_data(
    town: Town, office: Office, post: Post, gateway: Gateway
) -> None:
    await channel(office, "property1", post.url("property@example.org"))
    await channel(office, "property1", gateway.url, language="en")
    case = await wish(town, office)

    await office.say(case, "property-1", "clock_yellow")
    await office.work()

    [letter] = post.letters
    [(headers, body)] = gateway.calls
    assert letter["To"] == "property@example.org"
    content = letter.get_payload()[0].get_payload(decode=True).decode()  # type: ignore[union-attr, index]
    assert case.number in content
    assert "受理" in content
    assert "13900001111" not in content
    assert letter["Idempotency-Key"]
    assert headers["Idempotency-Key"] != letter["Idempotency-Key"]
    assert body["message"].startswith(f"Issue {case.number} (")
    assert "13900001111" not in body["message"]


async def test_it_is_sent_once_although_two_workers_send(town: Town, office: Office, gateway: Gateway) -> None:
    await channel(office, "property1", gateway.url)
    case = await wish(town, office)
    for _ in range(10):
        await office.say(case, "property-1")

    await asyncio.gather(office.work(), office.work())

    keys = [headers["Idempotency-Key"] for headers, _ in gateway.calls]
    assert len(keys) == len(set(keys)) == 10


async def test_a_gateway_that_is_down_gets_the_same_key_again(town: Town, office: Office, gateway: Gateway) -> None:
    await channel(office, "property1", gateway.url)
    gateway.answers = [503, 500]
    await office.say(await wish(town, office), "property-1")
    await office.work()
    [row] = await office.ask("SELECT state, tries, next_at, last_error FROM delivery")
    assert (row.state, row.tries, row.last_error) == ("WAITING", 1, "REFUSED")
    assert row.next_at > datetime.now(UTC) + timedelta(seconds=10)

    for _ in range(2):
        await office.ask("UPDATE delivery SET next_at = now()")
        await office.work()

    assert len(gateway.calls) == 3
    assert len({headers["Idempotency-Key"] for headers, _ in gateway.calls}) == 1
    [row] = await office.ask("SELECT state, last_error FROM delivery")
    assert (row.state, row.last_error) == ("SENT", "")


async def test_what_is_given_up_becomes_an_incident_until_it_is_sent_after_all(
    town: Town, office: Office, post: Post
) -> None:
    await channel(office, "property1", post.url("property@example.org"))
    post.refuses = True
    await office.say(await wish(town, office), "property-1")
    await office.work()
    await office.ask("UPDATE delivery SET next_at = now(), tries = :most", most=MOST_TRIES - 1)

    await office.work()

    [row] = await office.ask("SELECT state FROM delivery")
    assert row.state == "DEAD"
    assert [one.state for one in await office.outbox.waiting()] == ["DEAD"]
    assert (await office.outbox.age())[1] == {"WAITING": 0, "DEAD": 1}
    [incident] = await office.ask("SELECT kind, detail FROM incident WHERE closed_at IS NULL")
    assert incident.kind == "NOTICE_DEAD"
    assert "property@example.org" not in str(incident.detail)

    post.refuses = False
    assert await office.outbox.again() == 1
    await office.work()
    await office.ask("UPDATE delivery SET state = 'WAITING', next_at = now()")
    await office.work()

    assert len(post.letters) == 2
    assert await office.ask("SELECT 1 FROM incident WHERE closed_at IS NULL") == []


async def test_quiet_hours_hold_back_all_but_the_urgent(town: Town, office: Office, gateway: Gateway) -> None:
    await channel(office, "property1", gateway.url, quiet_from=time(0, 0), quiet_until=time(23, 59, 59))
    case = await wish(town, office)

    await office.say(case, "property-1", "clock_yellow")
    await office.say(case, "property-1", "clock_red")
    await office.work()

    assert ["红色督办" in body["message"] for _, body in gateway.calls] == [True]
    rows = await office.ask("SELECT state, next_at FROM delivery ORDER BY id")
    assert [row.state for row in rows] == ["WAITING", "SENT"]


async def test_a_digest_is_one_message_a_day(town: Town, office: Office, gateway: Gateway) -> None:
    await channel(office, "property1", gateway.url, digest_at=time(8, 0))
    case = await wish(town, office)
    for template in ("clock_blue", "clock_yellow", "task_given"):
        await office.say(case, "property-1", template)
    await office.work()
    assert gateway.calls == []

    await office.ask("UPDATE delivery SET next_at = now()")
    await office.work()

    [(_, body)] = gateway.calls
    assert body["title"] == "【商量】今日通知 3 条"
    assert len(body["message"].splitlines()) == 3


async def test_a_channel_takes_only_the_kinds_that_were_wished(town: Town, office: Office, gateway: Gateway) -> None:
    await channel(office, "property1", gateway.url, templates=("clock_yellow",))
    case = await wish(town, office)

    await office.say(case, "property-1", "clock_blue")
    await office.say(case, "property-1", "clock_yellow")
    await office.work()

    assert len(gateway.calls) == 1


async def test_the_group_of_a_body_hears_what_its_place_is_told(town: Town, office: Office, gateway: Gateway) -> None:
    [body] = await office.ask("SELECT id FROM body WHERE type = 'CWC' AND region_code = :place", place=COMMUNITY)
    await office.inbox.add_channel(Wanted(url=gateway.url, scheme="json"), body_id=body.id)
    case = await wish(town, office)

    await office.say(case, COMMUNITY)
    await office.say(case, "620199001002")
    await office.say(case, "property-1")
    await office.work()

    assert len(gateway.calls) == 1


async def test_an_address_is_kept_sealed_and_forgotten_when_it_is_closed(
    town: Town, office: Office, gateway: Gateway
) -> None:
    await channel(office, "property1", gateway.url)
    [row] = await office.ask("SELECT id, sealed_url FROM channel")
    assert "127.0.0.1" not in row.sealed_url

    await office.inbox.close_channel(row.id)
    await office.say(await wish(town, office), "property-1")
    await office.work()

    assert gateway.calls == []
    [row] = await office.ask("SELECT sealed_url, active FROM channel")
    assert (row.sealed_url, row.active) == ("", False)


async def test_plain_mail_goes_through_the_gateway_of_the_deployment(town: Town, office: Office, post: Post) -> None:
    office.sender = Sender(mail_url=f"mailto://127.0.0.1:{post.port}?from=office@example.org&mode=insecure")
    await channel(office, "property1", "mailto:property@example.org")

    await office.say(await wish(town, office), "property-1")
    await office.work()

    assert [letter["To"] for letter in post.letters] == ["property@example.org"]


async def test_the_oldest_message_has_an_age(town: Town, office: Office) -> None:
    assert (await office.outbox.age())[0] == 0

    number = await office.say(await wish(town, office), COMMUNITY)
    await office.ask("UPDATE outbox SET created_at = now() - interval '90 seconds' WHERE id = :id", id=number)

    assert 90 <= (await Outbox(office.engine, SEAL).age())[0] < 150


async def test_whoever_is_erased_is_told_nothing_more_anywhere(town: Town, office: Office, gateway: Gateway) -> None:
    person = UUID(await office.person("resident3b"))
    await channel(office, "resident3b", gateway.url, digest_at=time(8, 0))
    await office.say(await wish(town, office), f"person:{person}")
    await office.work()

    async with office.engine.begin() as connection:
        await erase_person(connection, person)

    assert await office.ask("SELECT 1 FROM delivery") == []
    [row] = await office.ask("SELECT sealed_url, active FROM channel")
    assert (row.sealed_url, row.active) == ("", False)


async def test_addresses_follow_when_the_keys_change(town: Town, office: Office, gateway: Gateway) -> None:
    await channel(office, "property1", gateway.url)
    newer = Seal({"k2": b"n" * 32, "k1": b"k" * 32}, "k2")

    async with office.engine.begin() as connection:
        assert await addresses_in_use(connection) == {"k1": 1}
        assert (await rotate_addresses(connection, newer), await rotate_addresses(connection, newer)) == (1, 0)
        assert await addresses_in_use(connection) == {"k2": 1}
    await office.say(await wish(town, office), "property-1")
    await Dispatcher(Outbox(office.engine, Seal({"k2": b"n" * 32}, "k2")), Sender()).once()

    assert len(gateway.calls) == 1
