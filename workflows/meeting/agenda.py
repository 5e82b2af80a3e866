"""The agenda: its items, what waits for the body when it freezes, the notice (pure; processes P3).

The agenda pulls what waits for the body when it freezes; before that, items come in by hand. Topics are issues: what
the agenda does with them, it tells them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from workflows.kernel.clocks import Cancel, Clock, Meet
from workflows.kernel.process import Case, Change, Effect, GuardFailed, Notice, Turn, ask
from workflows.kernel.roles import Role
from workflows.meeting import commands as do
from workflows.meeting.bodies import body
from workflows.meeting.data import Item, ItemKind, ItemState, Meeting, MeetingType, NotHeld

CLAUSE = "processes P3"
LIVE = (ItemState.PROPOSED, ItemState.ADMITTED, ItemState.OPENED)
COMING = (ItemState.PROPOSED, ItemState.ADMITTED)
FIRST, RED, OTHER = 1000, 2000, 3000
"""Places on the agenda: carried-over items first, then RED ones, then the others (processes P3)."""


# --- items and issues ------------------------------------------------------------------------------------


def carried_over(
    case: Case[Meeting], why: NotHeld, turn: Turn, *, states: tuple[ItemState, ...] = (ItemState.ADMITTED,)
) -> tuple[dict[str, Item], tuple[Effect, ...]]:
    """What is on the agenda and was not decided comes first the next time; the issues are told."""
    left = {key: item for key, item in case.data.items.items() if item.state in states}
    puts = {key: replace(item, state=ItemState.CARRIED_OVER) for key, item in left.items()}
    effects = tuple(
        effect for key, item in ordered(left) for effect in tell(case, item, "carry_over", turn, reason=why.value)
    )
    return puts, effects


def tell(case: Case[Meeting], topic: Item, command: str, turn: Turn, /, **fields: Any) -> tuple[Effect, ...]:
    """Tell the issue of a topic what the meeting does with it; other items have nobody to tell."""
    if topic.kind is not ItemKind.TOPIC:
        return ()
    said = {"meeting": case.id, **{name: value for name, value in fields.items() if value is not None}}
    return (Effect("TELL", "issue", topic.subject_id, command, said, turn.now),)


def ordered(items: Mapping[str, Item]) -> list[tuple[str, Item]]:
    """Items in the order of the agenda."""
    return sorted(items.items(), key=lambda pair: (pair[1].order, pair[0]))


# --- items ---------------------------------------------------------------------------------------------


def propose_item(case: Case[Meeting], cmd: do.ProposeItem, turn: Turn) -> Change:
    """A topic with its file, another case, or a matter with its document."""
    if [cmd.topic, cmd.subject_id or cmd.title].count(None) != 1:
        raise GuardFailed("TOPIC_OR_MATTER", field="topic", clause=CLAUSE)
    key = next_key(case)
    effects: tuple[Effect, ...] = ()
    if cmd.topic is not None:
        topic = _waiting(case, turn)
        item = replace(topic_item(case, topic, turn), state=ItemState.PROPOSED, proposed_by=turn.actor.id)
        effects = (ask(case, "titles", "learn_titles", topics=[topic["id"]]),)
    else:
        item = _matter(case, cmd, turn)
    return Change(sets={"item_count": case.data.item_count + 1}, puts={"items": {key: item}}, effects=effects)


def _matter(case: Case[Meeting], cmd: do.ProposeItem, turn: Turn) -> Item:
    subject = turn.facts.get("subject_id", {})
    if cmd.subject_id is None and not (cmd.document or cmd.evidence):
        raise GuardFailed("NO_DOCUMENT", field="document", clause=CLAUSE)
    return Item(
        order=OTHER + case.data.item_count + 1,
        kind=ItemKind.MATTER,
        state=ItemState.PROPOSED,
        title=cmd.title or "",
        reason="PROPOSED",
        subject_type=cmd.subject_type or str(subject.get("process", "")),
        subject_id=cmd.subject_id or "",
        number=str(subject.get("number", "")),
        proposed_by=turn.actor.id,
        document=cmd.document,
        personnel=cmd.personnel,
        lead=subject.get("lead_org"),
        parties=cmd.parties,
    )


def next_key(case: Case[Meeting], ahead: int = 1) -> str:
    """How the next item is called: `i1`, `i2` …"""
    return f"i{case.data.item_count + ahead}"


def topic_item(case: Case[Meeting], topic: Mapping[str, Any], turn: Turn, *, ahead: int = 1) -> Item:
    """An item for an issue, from what is known of it."""
    rank = FIRST if topic["first"] else RED if topic["red"] else OTHER
    people = [f"person:{topic['reporter']}"] if topic.get("reporter") else []
    return Item(
        order=rank + case.data.item_count + ahead,
        kind=ItemKind.INFORMATION if topic.get("information") else ItemKind.TOPIC,
        state=ItemState.ADMITTED,
        title=topic.get("title", ""),
        reason=topic["reason"],
        subject_type="issue",
        subject_id=topic["id"],
        number=topic["number"],
        first=topic["first"],
        escalated=topic["escalated"],
        red=topic["red"],
        level=topic["level"],
        lead=topic.get("lead_org"),
        parties=tuple(dict.fromkeys((*topic.get("orgs", ()), *people))),
        invitations=1 if case.data.noticed else 0,
    )


def _waiting(case: Case[Meeting], turn: Turn) -> Mapping[str, Any]:
    """What is known of the issue that a command names; refused where this body cannot take it now."""
    topic: Mapping[str, Any] = turn.facts["issue_topic"]
    if topic["community"] != case.community:
        raise GuardFailed("TOPIC_ELSEWHERE", field="topic", clause=CLAUSE)
    if topic["body"] not in {one for kind in case.data.bodies for one in body(kind).topics}:
        raise GuardFailed("TOPIC_OF_OTHER_BODY", field="topic", clause="processes P1")
    if not topic["waiting"]:
        raise GuardFailed("TOPIC_NOT_WAITING", field="topic", clause="processes P1")
    if item_of(case, topic["id"]) is not None:
        raise GuardFailed("ITEM_ALREADY_THERE", field="topic", clause=CLAUSE)
    return topic


def item_of(case: Case[Meeting], issue: str) -> str | None:
    """The live item of an issue."""
    for key, item in case.data.items.items():
        if item.subject_id == issue and item.kind is ItemKind.TOPIC and item.state in LIVE:
            return key
    return None


def item_at(case: Case[Meeting], key: str, *states: ItemState, otherwise: str) -> Item:
    """The item with this key, standing where it must; else refused."""
    item = case.data.items.get(key)
    if item is None:
        raise GuardFailed("NO_SUCH_ITEM", field="item", clause=CLAUSE)
    if item.state not in states:
        raise GuardFailed(otherwise, field="item", clause=CLAUSE)
    return item


def admit(case: Case[Meeting], cmd: do.Admit, turn: Turn) -> Change:
    """On the agenda; a topic that has gone elsewhere meanwhile is not."""
    item = item_at(case, cmd.item, ItemState.PROPOSED, otherwise="ITEM_NOT_PROPOSED")
    if item.kind is ItemKind.TOPIC and not turn.facts["issue_topic"]["waiting"]:
        raise GuardFailed("TOPIC_NOT_WAITING", field="item", clause="processes P1")
    put = replace(item, state=ItemState.ADMITTED)
    return Change(puts={"items": {cmd.item: put}}, effects=told_admitted(case, put, turn))


def told_admitted(case: Case[Meeting], item: Item, turn: Turn) -> tuple[Effect, ...]:
    at = case.data.scheduled_at
    assert at is not None
    return tell(
        case,
        item,
        "admit_to_agenda",
        turn,
        bodies=[kind.value for kind in case.data.bodies],
        meets_at=at.isoformat(),
        urgent=item.urgent or None,
    )


def return_item(case: Case[Meeting], cmd: do.ReturnItem, turn: Turn) -> Change:
    """Back to its proposer; a topic goes back to the problem list (processes P1)."""
    item = item_at(case, cmd.item, ItemState.PROPOSED, otherwise="ITEM_NOT_PROPOSED")
    if item.escalated:
        raise GuardFailed("ESCALATED_NOT_RETURNED", field="item", clause="processes P1")
    told: tuple[Effect, ...] = ()
    if item.kind is ItemKind.TOPIC:
        told = (Effect("TELL", "issue", item.subject_id, "return_topic", {"reason": cmd.reason}, turn.now),)
    put = replace(item, state=ItemState.RETURNED, reasoning=cmd.reason)
    return Change(puts={"items": {cmd.item: put}}, effects=told, notes={"reason": cmd.reason})


def arrange_items(case: Case[Meeting], cmd: do.ArrangeItems, turn: Turn) -> Change:
    """Another order for what is still to come; carried-over items stay first, RED ones before the others."""
    coming = {key: item for key, item in case.data.items.items() if item.state in COMING}
    if sorted(cmd.items) != sorted(coming):
        raise GuardFailed("ITEMS_DIFFER", field="items", clause=CLAUSE)
    ranks = [coming[key].order // FIRST for key in cmd.items]
    if ranks != sorted(ranks):
        raise GuardFailed("CARRIED_OVER_FIRST", field="items", clause=CLAUSE)
    places = sorted(item.order for item in coming.values())
    return Change(
        puts={
            "items": {
                key: replace(coming[key], order=place)
                for key, place in zip(cmd.items, places, strict=True)
                if coming[key].order != place
            }
        }
    )


def add_urgent_item(case: Case[Meeting], cmd: do.AddUrgentItem, turn: Turn) -> Change:
    """The chair adds what cannot wait: danger or RED (S03); who is concerned is invited at once."""
    topic = _waiting(case, turn)
    if not (topic["danger"] or topic["red"]):
        raise GuardFailed("NOT_URGENT", field="topic", clause=CLAUSE)
    key = next_key(case)
    item = replace(topic_item(case, topic, turn), urgent=True, proposed_by=turn.actor.id)
    return Change(
        sets={"item_count": case.data.item_count + 1},
        puts={"items": {key: item}},
        effects=(
            *told_admitted(case, item, turn),
            ask(case, "titles", "learn_titles", topics=[topic["id"]]),
        ),
        notices=tuple(Notice(to, "item_added") for to in item.parties) if case.data.noticed else (),
    )


def learn_titles(case: Case[Meeting], cmd: do.LearnTitles, turn: Turn) -> Change:
    """What the topics are called; a title may name a person, so only its reference is known here."""
    return Change(
        puts={
            "items": {
                key: replace(item, title=cmd.titles[item.subject_id])
                for key, item in case.data.items.items()
                if item.subject_id in cmd.titles
            }
        }
    )


def withdraw_topic(case: Case[Meeting], cmd: do.WithdrawTopic, turn: Turn) -> Change:
    """The issue no longer needs the meeting: its item is shown as solved."""
    key = item_of(case, cmd.topic)
    if key is None:
        return Change(notes={"topic": cmd.topic})
    return Change(puts={"items": {key: replace(case.data.items[key], state=ItemState.SOLVED)}})


# --- freeze and notice -----------------------------------------------------------------------------------


def freeze(case: Case[Meeting], clock: Clock, turn: Turn) -> Change:
    """Three days before: no more items by hand, and what waits for the body is taken."""
    return Change(
        type="agenda_frozen",
        to="AGENDA_FROZEN",
        sets={"taken": False},
        puts={"items": _matters_admitted(case)},
        effects=(ask(case, "topics", "take_topics"),),
    )


def _matters_admitted(case: Case[Meeting]) -> dict[str, Item]:
    """What was proposed and not returned is on the agenda; topics are admitted as they are taken."""
    return {
        key: replace(item, state=ItemState.ADMITTED)
        for key, item in case.data.items.items()
        if item.state is ItemState.PROPOSED and item.kind is not ItemKind.TOPIC
    }


def take_topics(case: Case[Meeting], cmd: do.TakeTopics, turn: Turn) -> Change:
    """The topics that waited, in their order, behind the tasks of the last meeting."""
    puts, effects = taken(case, cmd.topics, cmd.tasks, turn)
    return Change(
        sets={"taken": True, "item_count": case.data.item_count + len(puts.keys() - case.data.items.keys())},
        puts={"items": puts},
        effects=effects,
    )


def taken(
    case: Case[Meeting], topics: Iterable[Mapping[str, Any]], tasks: Iterable[Mapping[str, Any]], turn: Turn
) -> tuple[dict[str, Item], tuple[Effect, ...]]:
    """Items for what is not on the agenda yet, and what the issues are told."""
    puts: dict[str, Item] = {}
    effects: tuple[Effect, ...] = ()
    there = {item.subject_id: key for key, item in case.data.items.items() if item.state is not ItemState.CARRIED_OVER}
    ahead = 0
    for last in tasks:
        if last["id"] not in there:
            ahead += 1
            puts[next_key(case, ahead)] = Item(
                order=ahead,
                kind=ItemKind.INFORMATION,
                state=ItemState.ADMITTED,
                reason="TASKS",
                subject_type="meeting",
                subject_id=last["id"],
                number=last["number"],
                first=True,
            )
    for topic in topics:
        key = there.get(topic["id"])
        if key is None:
            ahead += 1
            key = next_key(case, ahead)
            puts[key] = topic_item(case, topic, turn, ahead=ahead)
        elif case.data.items[key].state is ItemState.PROPOSED:
            puts[key] = replace(topic_item(case, topic, turn), order=case.data.items[key].order)
        else:
            continue
        effects += told_admitted(case, puts[key], turn)
    return puts, effects


def send_notice(case: Case[Meeting], cmd: do.SendNotice, turn: Turn) -> Change:
    """Members, interested parties and departments are invited; an open agenda freezes with it."""
    # A frozen agenda has taken its topics; what came up since then only the chair adds, as urgent (S03).
    found = {"topics": (), "tasks": ()} if case.data.taken else turn.facts["topics"]
    puts, effects = taken(case, found["topics"], found["tasks"], turn)
    items = {**case.data.items, **_matters_admitted(case), **puts}
    briefing = case.data.briefing or cmd.briefing
    on = {key: replace(item, invitations=item.invitations + 1) for key, item in items.items() if _is_on(item)}
    if not on and not briefing:
        raise GuardFailed("EMPTY_AGENDA", clause=CLAUSE)
    return Change(
        type="notice_sent",
        to="NOTICED",
        sets={
            "noticed": case.data.noticed + 1,
            "taken": True,
            "briefing": briefing,
            "item_count": case.data.item_count + len(puts.keys() - case.data.items.keys()),
        },
        puts={"items": on},
        clocks=(Cancel(code="FREEZE", reason="NOTICED"), Meet(code="NOTICE_SENT")),
        effects=(*effects, *_titles(case, puts)),
        notices=invited(case, "meeting_notice", items),
    )


def _titles(case: Case[Meeting], puts: Mapping[str, Item]) -> tuple[Effect, ...]:
    """What the new topics are called is asked for: what people bring along of other cases is not read."""
    topics = [item.subject_id for item in puts.values() if item.subject_type == "issue"]
    return (ask(case, "titles", "learn_titles", topics=topics),) if topics else ()


def _is_on(item: Item) -> bool:
    return item.state is ItemState.ADMITTED


def remind(case: Case[Meeting], clock: Clock, turn: Turn) -> Change:
    """A day before."""
    return Change(type="reminded", notices=invited(case, "meeting_reminder"))


def members(community: str, kinds: tuple[MeetingType, ...], template: str) -> tuple[Notice, ...]:
    """Everybody who sits in the bodies."""
    roles = dict.fromkeys(role for kind in kinds for role in (*body(kind).members, *body(kind).convenors))
    return tuple(Notice(f"role:{role.value}@{community}", template) for role in roles)


def parties(items: Iterable[Item]) -> tuple[str, ...]:
    """Who is interested in items of the agenda."""
    return tuple(dict.fromkeys(to for item in items if _is_on(item) for to in item.parties))


def invited(case: Case[Meeting], template: str, items: Mapping[str, Item] | None = None) -> tuple[Notice, ...]:
    """The members, the committee, which may speak (seed 001 §四3), and whoever an item concerns."""
    listed = case.data.items if items is None else items
    committee = tuple(
        Notice(f"role:{role.value}@{case.community}", template) for role in (Role.CWC_VICE_CHAIR, Role.CWC_MEMBER)
    )
    found = (
        *members(case.community, case.data.bodies, template),
        *committee,
        *(Notice(to, template) for to in parties(listed.values())),
    )
    return tuple(dict.fromkeys(found))
