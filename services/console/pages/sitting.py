"""What the meeting desk shows of a meeting: its agenda, who is here, the item in focus, what may be done (会议台)."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from secrets import token_hex
from typing import Any

from services.console.visit import Visit

ITEM_STATES = {
    "PROPOSED": ("待列入", "blue"),
    "ADMITTED": ("待议", "secondary"),
    "OPENED": ("审议中", "blue"),
    "DECIDED": ("已决定", "green"),
    "NOTED": ("已通报", "teal"),
    "CARRIED_OVER": ("结转下次", "orange"),
    "RETURNED": ("已退回", "secondary"),
    "SOLVED": ("已解决", "secondary"),
}
CHOICES = {"FOR": "green", "AGAINST": "red", "ABSTAIN": "secondary"}
BINDING = ("ADOPT", "ASSIGN", "REFER_DEPARTMENT", "KEEP")
"""Decisions that somebody must carry out: the minutes name him before they are signed."""
COMING = ("PROPOSED", "ADMITTED")
OPEN = ("ADMITTED", "OPENED")
FIRST_FIELDS: Mapping[str, tuple[str, ...]] = {
    "record_decision": ("item", "outcome", "text", "lead_org", "due_on"),
    "record_statement": ("item", "party", "position", "need"),
    "propose_item": ("topic", "title", "document"),
}
"""What a form shows at once; the rest is folded away."""
MOST_NAMES = 200

Json = Mapping[str, Any]


async def sitting(visit: Visit, key: str, *, focus: str = "") -> dict[str, Any]:
    """Everything that the desk's templates need of the meeting with this number."""
    base = f"/meetings/{key}"
    case, standing, actions, papers = await asyncio.gather(
        visit.api.get(base),
        visit.api.get(f"{base}/standing"),
        visit.api.get(f"{base}/actions"),
        visit.api.get(f"{base}/documents"),
    )
    items = agenda(case["data"])
    chosen = chosen_item(items, focus)
    people = {person: one["name"] for person, one in standing["people"].items()}
    visit.words = replace(visit.words, names={**await _names(visit, case, items, people), **people})
    return {
        "process": visit.house.processes["meetings"],
        "case": case,
        "data": case["data"],
        "standing": standing,
        "actions": actions,
        "may": {one["command"]: one for one in actions if "why_not" not in one},
        "papers": papers,
        "items": items,
        "focus": chosen,
        "asked": focus,
        "votes": votes_on(case["data"], chosen["key"]) if chosen else {},
        "interests": interests_in(case["data"], chosen["key"]) if chosen else [],
        "said": [one for one in case["data"]["statements"].values() if chosen and one["item"] == chosen["key"]],
        "item_states": ITEM_STATES,
        "choices": CHOICES,
        "binding": BINDING,
        "key": token_hex(16),
        "projector": visit.query("projector") == "1",
        "problem": "",
        "done": "",
        "form": None,
    }


def agenda(data: Json) -> list[dict[str, Any]]:
    """The items in the order of the agenda."""
    ordered = sorted(data["items"].items(), key=lambda pair: (pair[1]["order"], pair[0]))
    return [{**item, "key": key, "place": place} for place, (key, item) in enumerate(ordered, start=1)]


def chosen_item(items: Sequence[dict[str, Any]], asked: str) -> dict[str, Any] | None:
    """The item that is looked at: what was asked for, else what is being discussed, else what comes next."""
    asked_for = [one for one in items if one["key"] == asked]
    opened = [one for one in items if one["state"] == "OPENED"]
    coming = [one for one in items if one["state"] in COMING]
    return next(iter((*asked_for, *opened, *coming, *items)), None)


def votes_on(data: Json, item: str) -> dict[str, str]:
    """Who voted how on an item; of a secret ballot only who handed one in."""
    cast = {place.partition("/")[2]: choice for place, choice in data["votes"].items() if _is_of(place, item)}
    return cast | {place.partition("/")[2]: "" for place in data["ballots"] if _is_of(place, item)}


def interests_in(data: Json, item: str) -> list[dict[str, Any]]:
    """Who declared an interest in an item, or is said to have one."""
    return [
        {"person": place.partition("/")[2], **one} for place, one in data["interests"].items() if _is_of(place, item)
    ]


def _is_of(place: str, item: str) -> bool:
    return place.partition("/")[0] == item


def seats(standing: Json) -> list[dict[str, Any]]:
    """Everybody who may sign in: the people of the seats, and who acts for an organisation."""
    found: dict[str, dict[str, Any]] = {}
    for body in standing["bodies"]:
        for seat in body["seats"]:
            for person in (seat["person"], *seat["deputies"]):
                if person and person not in found:
                    known = standing["people"].get(person) or {"name": person, "username": None}
                    is_here = person in standing["present"]
                    found[person] = {"person": person, "post": seat["post"], "here": is_here, **known}
    return list(found.values())


def named(standing: Json, people: Sequence[str]) -> list[dict[str, Any]]:
    """Names and usernames of some of the people."""
    return [{"person": one, **standing["people"][one]} for one in people if one in standing["people"]]


def batch(items: Sequence[Json], standing: Json, rows: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, Json]]:
    """The commands of a sheet of decisions, item by item in the order of the agenda.

    A row opens its item, puts down the statement and everybody's vote where they were filled in, and the decision.
    """
    for item in items:
        row = rows.get(item["key"])
        if row is None or not row.get("outcome"):
            continue
        about = {"item": item["key"]}
        if item["state"] == "ADMITTED":
            yield item["key"], {"command": "open_item", **about}
        if row.get("position"):
            said = {name: row.get(name) or row["position"] for name in ("party", "position", "need")}
            yield item["key"], {"command": "record_statement", **about, **said}
        if row.get("votes") in CHOICES:
            awaited = standing["items"].get(item["key"], {}).get("awaited", ())
            members = [one["username"] for one in named(standing, awaited)]
            votes = [{"member": member, "choice": row["votes"]} for member in members if member]
            if votes:
                yield item["key"], {"command": "record_vote", **about, "votes": votes}
        wanted = ("outcome", "text", "lead_org", "due_on", "waiver_reason", "explanation")
        decided = {name: row[name] for name in wanted if row.get(name)}
        if row.get("consensus"):
            decided["consensus"] = row["consensus"] == "true"  # type: ignore[assignment]
        yield item["key"], {"command": "record_decision", **about, **decided}


async def _names(visit: Visit, case: Json, items: Sequence[Json], known: Json) -> dict[str, str]:
    """What organisations, and people beyond those who sit here, are called."""
    data = case["data"]
    wanted = {case["community_id"], data["chair"], data["chaired_by"], data["signed_by"], data["scheduled_by"]}
    for item in items:
        wanted |= {item["lead"], item["lead_org"], item["proposed_by"]}
        wanted |= {party.removeprefix("person:") for party in item["parties"]}
    wanted |= {one["by"] for one in data["statements"].values()} | {one["by"] for one in data["interests"].values()}
    wanted |= {place.partition("/")[2] for place in data["interests"]}
    wanted |= {task["lead_org"] for task in data["tasks"].values()}
    wanted |= {seat["org"] for seats in data["rosters"].values() for seat in seats}
    codes = sorted(one for one in wanted if one and one not in known)[:MOST_NAMES]
    found: dict[str, str] = (await visit.api.get("/names", of=codes))["names"] if codes else {}
    return found
