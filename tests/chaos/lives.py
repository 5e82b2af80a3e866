"""Lives of issues for campaigns: who does what, one after the other, to which end."""

import random
import time
from dataclasses import dataclass
from typing import Any

from tests.chaos.http import Ask, Callers

C1 = "620199001001"
PEOPLE = ("grid1", "worker1", "worker1b", "property1", "secretary1", "supervisor", "admin")

Step = tuple[str, str, dict[str, Any]]


def opening(rng: random.Random) -> dict[str, Any]:
    """A resident's wish, as a grid worker writes it down."""
    return {
        "community_code": C1,
        "title": f"{rng.randint(1, 40)} 号楼前的路灯不亮",
        "description": "路灯三天没有亮,老人晚上出门不便。",
        "source": "VISIT",
        "category_code": "B03",
        "reporter": {"name": "王某", "phone": "13900000000", "wants_reply": True},
    }


ORDER: Step = (
    "worker1",
    "accept_to_problem_list",
    {
        "mode": "TIME_LIMITED",
        "category_code": "B03",
        "difficulty": "EASY",
        "lead_org": "property-1",
        "clock_class": "SIMPLE",
    },
)
AT_ONCE: Step = (
    "worker1",
    "accept_to_problem_list",
    {"mode": "IMMEDIATE", "category_code": "B03", "difficulty": "EASY"},
)
SIGN: Step = ("property1", "sign", {})
CLAIM: Step = ("property1", "claim_completion", {"text": "已更换灯泡,测试正常。"})
APPROVE: Step = ("worker1b", "approve_completion", {})
REJECT: Step = ("worker1b", "reject_completion", {"reason": "仍有一盏不亮。"})
PROGRESS: Step = ("property1", "log_progress", {"text": "已联系厂家。"})
TOLD: Step = (
    "worker1",
    "give_feedback",
    {"audience": "INDIVIDUAL", "timing": "ANYTIME", "channel": "PHONE", "text": "路灯已修复。"},
)
VISITED: Step = ("worker1b", "record_visit", {"contacted": True, "solved": "YES", "satisfaction": 5})

LIVES: tuple[tuple[Step, ...], ...] = (
    (ORDER, SIGN, CLAIM, APPROVE, TOLD, VISITED),
    (ORDER, SIGN, CLAIM, REJECT, PROGRESS, CLAIM, APPROVE, TOLD),
    (AT_ONCE, ("grid1", *CLAIM[1:]), TOLD, VISITED),
    (ORDER, SIGN, PROGRESS),
)


@dataclass(slots=True)
class Lived:
    """How far the lives of a campaign came: whole ones, and answers that their writer did not expect."""

    whole: int
    surprises: list[str]


def open_ask(rng: random.Random) -> Ask:
    """The request that opens an issue."""
    return Ask("grid1", "/issues", opening(rng), "submit_issue")


def step_ask(case: str, step: Step) -> Ask:
    """The request of one step of a life."""
    actor, command, body = step
    return Ask(actor, f"/issues/{case}/commands/{command}", body, command, case)


async def live(callers: Callers, rng: random.Random, lived: Lived, *, until: float = float("inf")) -> str | None:
    """Live one life, insisting on each request; the case, or None when it was never opened.

    A quarter of the lives ends by being merged into a case of its own, so that cases speak to each other.
    """
    first = await callers.insist(open_ask(rng), until=until)
    if first is None or first.status >= 300:
        if first is not None:
            lived.surprises.append(f"submit_issue: {first.status} {first.body}")
        return None
    case = str(first.body["id"])
    steps = list(rng.choice(LIVES))
    if rng.random() < 0.25:
        other = await callers.insist(open_ask(rng), until=until)
        if other is None:
            return case
        steps = [("worker1", "merge_into", {"target": str(other.body["id"])})]
    for step in steps:
        if time.monotonic() > until:
            return case
        answer = await callers.insist(step_ask(case, step), until=until)
        if answer is None:
            return case
        if answer.status >= 300:
            lived.surprises.append(f"{step[1]}: {answer.status} {answer.body}")
            return case
    lived.whole += 1
    return case
