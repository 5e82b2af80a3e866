"""The ways an issue can take through the five steps, each played out command by command (路径).

A path begins with a registered issue and says where it must end. What it expects to be refused, it tries too.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from services.driving.player import LATE, Astray, Player, day

RESOLVED = "CLOSED:RESOLVED"
EXPLAINED = "CLOSED:EXPLAINED"

ADOPTED = "经讨论同意办理。"
DONE = "已处理完毕，现场已复查。"
PUBLIC = "此事已经办结，感谢居民监督。"


class Origin(StrEnum):
    """Which issues can take a path."""

    ANY = "ANY"
    REPORTER = "REPORTER"
    """Only with a reporter who is known: somebody must be asked."""
    FRESH = "FRESH"
    """Only one that was registered just now: an older one is RED as soon as it is split or put on a list again."""
    RESIDENT = "RESIDENT"
    """Only what a resident brought in under an account: he himself goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A way through the five steps: how it is called, who can take it, where it ends."""

    name: str
    zh: str
    en: str
    play: Callable[[Player], Awaitable[None]]
    ends: str = RESOLVED
    origin: Origin = Origin.ANY
    share: int = 1
    """How often it comes compared to others."""


# --- pieces that many paths share -----------------------------------------------------------------------------


async def accept_now(p: Player) -> None:
    """即时办结: accepted and begun at once by the community itself."""
    await p.give(
        p.account("worker"), "accept_to_problem_list", mode="IMMEDIATE", category_code="A02", difficulty="EASY"
    )


async def accept_limited(p: Player, lead: str = "", clock_class: str = "SIMPLE") -> None:
    """限时办结: an order with a time."""
    await p.give(
        p.account("worker"),
        "accept_to_problem_list",
        mode="TIME_LIMITED",
        category_code="B01",
        difficulty="EASY",
        lead_org=lead or p.company,
        clock_class=clock_class,
    )


async def to_meeting(p: Player) -> None:
    """定期会办: the issue becomes a topic of the 大党委 and is opened in its meeting."""
    p.table.expected.add(p.case["id"])
    await p.give(
        p.account("worker"),
        "accept_to_problem_list",
        mode="SCHEDULED",
        category_code="B01",
        difficulty="MODERATE",
        difficulty_reasons=["MONEY", "MANY_HOUSEHOLDS"],
    )
    if not await p.is_on_agenda("EXTENDED_PARTY_COMMITTEE"):
        raise Astray("a moderate topic is not on the agenda of the extended party committee")
    await on_the_table(p)


async def on_the_table(p: Player) -> None:
    """The 大党委 meets, and the chair opens the item."""
    await p.sit_down()
    await p.tell(p.account("secretary"), "open_item")


async def heard(p: Player, in_favour: int = 6, against: int = 2) -> None:
    """One party is heard and everybody votes."""
    await p.tell(
        p.account("clerk"),
        "record_statement",
        party="居民代表",
        position="支持尽快办理",
        need="希望有人定期看一看",
    )
    await voted(p, in_favour, against)


async def voted(p: Player, in_favour: int = 6, against: int = 2) -> None:
    """The clerk writes down the votes of all nine; whoever is neither for nor against abstains."""
    members = p.table.members
    choices = ["FOR"] * in_favour + ["AGAINST"] * against
    choices += ["ABSTAIN"] * (len(members) - len(choices))
    votes = [{"member": member, "choice": choice} for member, choice in zip(members, choices, strict=True)]
    await p.tell(p.account("clerk"), "record_vote", votes=votes)


async def decide(p: Player, outcome: str, **fields: object) -> None:
    """The chair records what was decided, and the issue hears of it."""
    await p.tell(p.account("secretary"), "record_decision", outcome=outcome, text=ADOPTED, **fields)
    await p.stand_up()


async def claim(p: Player, who: str) -> None:
    """The lead says that it is done."""
    await p.give(who, "claim_completion", text=DONE)


async def reviewed(p: Player) -> None:
    """Somebody else looks: a second community worker, or the supervisor once the time is RED."""
    if p.case["state"] != "COMPLETION_REVIEW":
        return
    if p.case["color"] == "RED":
        await p.give("supervisor", "approve_completion")
        return
    # The time may turn RED between two looks; then the supervisor is the one to ask.
    worker = p.account("worker+b")
    if not await p.may_be_late(worker, "approve_completion", "forbidden:NOT_IN_ROLE"):
        await p.give("supervisor", "approve_completion")


async def told(p: Player) -> None:
    """The result is told: in public, and to the reporter if one is known."""
    if p.case["state"] == "FEEDBACK_DUE" and p.case["data"]["general_concern"]:
        await _post(p)
    if p.case["state"] == "FEEDBACK_DUE":
        await (_call(p) if is_identified(p) else _post(p))


async def _post(p: Player) -> None:
    await p.give(
        p.account("worker"),
        "give_feedback",
        audience="PUBLIC",
        timing="CENTRALIZED",
        channel="NOTICE_BOARD",
        text=PUBLIC,
    )


async def _call(p: Player) -> None:
    await p.give(
        p.account("worker"), "give_feedback", audience="INDIVIDUAL", timing="ANYTIME", channel="PHONE", text=DONE
    )


def is_identified(p: Player) -> bool:
    """Say whether somebody can be asked."""
    data = p.case["data"]
    return not data["anonymous"] and bool(data.get("has_contact") or data.get("reporter_id"))


async def visited(p: Player, **answer: object) -> None:
    """The reporter is asked, by somebody who had no part in the work."""
    await p.give("supervisor", "record_visit", contacted=True, **(answer or {"solved": "YES", "satisfaction": 5}))


async def finished(p: Player, lead: str) -> None:
    """From the work to the end: claim, review, feedback, visit, and what supervision is still open."""
    if p.case["state"] == "IN_PROGRESS":
        await claim(p, lead)
    await reviewed(p)
    await told(p)
    if p.case["state"] == "RETURN_VISIT":
        await visited(p)
    await delisted(p)


async def delisted(p: Player) -> None:
    """A supervision case that a late clock opened is closed by the supervisor."""
    if p.case["data"]["supervision_id"] is None:
        return
    await p.supervision("supervisor", "list", responsible_org="subdistrict-office", due_on=day(10), public=False)
    await p.supervision("officer", "report_rectified", evidence=[], text=DONE)
    await p.supervision("supervisor", "delist", evidence=[], text=DONE)
    await p.until(lambda case: case["data"]["supervision_id"] is None, 20, "the end of the supervision")


# --- the paths ------------------------------------------------------------------------------------------------


async def on_the_spot(p: Player) -> None:
    """即时办结 by the grid worker."""
    await accept_now(p)
    await finished(p, p.account("grid"))


async def verified(p: Player) -> None:
    """核实 on the spot first."""
    await p.give(p.account("worker"), "request_verification")
    await p.give(p.account("grid"), "report_facts", evidence=[], text="到现场看过，情况属实。")
    await on_the_spot(p)


async def limited(p: Player) -> None:
    """限时办结 by the community itself; the one who did the work may not approve it."""
    community = f"community-{p.number}"
    await accept_limited(p, community)
    await p.give(p.account("worker"), "sign")
    await p.give(p.account("worker"), "log_progress", text="已联系施工人员。")
    await p.give(p.account("worker"), "claim_completion", text=DONE)
    if p.case["color"] != "RED":
        await p.refused(p.account("worker"), "approve_completion", "guard_failed:SEGREGATION")
    await finished(p, p.account("worker"))


async def by_company(p: Player) -> None:
    """限时办结 by the property company."""
    await accept_limited(p)
    await p.refused(p.account("worker"), "sign", "forbidden:NOT_IN_ROLE")
    await p.give(p.account("property"), "sign")
    await p.give(p.account("property"), "log_progress", text="材料已备齐。")
    await finished(p, p.account("property"))


async def returned(p: Player) -> None:
    """退单 once, then another lead."""
    await accept_limited(p)
    back = await _sent_back(p)
    lead = "drainage" if back else p.account("property")
    if back:
        await p.give(p.account("worker"), "dispatch", mode="TIME_LIMITED", lead_org="drainage", clock_class="SIMPLE")
    await p.give(lead, "sign")
    await finished(p, lead)


async def _sent_back(p: Player) -> bool:
    return await p.may_be_late(
        p.account("property"), "return_order", LATE, reason="不属于物业职责", suggested_owner="drainage"
    )


async def designated(p: Player) -> None:
    """退单 three times, then the street designates, and nobody can return it any more."""
    await accept_limited(p)
    for _ in range(2):
        if not await _sent_back(p):
            await p.give(p.account("property"), "sign")
            return await finished(p, p.account("property"))
        await p.give(p.account("worker"), "dispatch", mode="TIME_LIMITED", lead_org=p.company, clock_class="SIMPLE")
    if await _sent_back(p):
        await p.give("officer", "designate", lead_org="drainage")
        await p.refused(
            "drainage", "return_order", "guard_failed:DESIGNATED", reason="也不属于本单位", suggested_owner=p.company
        )
        lead = "drainage"
    else:
        lead = p.account("property")
    await p.give(lead, "sign")
    return await finished(p, lead)


async def adopted(p: Player) -> None:
    """会办: heard, voted, adopted, planned, done."""
    await to_meeting(p)
    refused = "guard_failed:NOT_HEARD"
    await p.not_told(p.account("secretary"), "record_decision", refused, outcome="ADOPT", text=ADOPTED)
    await heard(p)
    await decide(p, "ADOPT", lead_org=p.company, due_on=day(20))
    await p.give(
        p.account("worker"),
        "add_to_project_list",
        measures="更换管道并加盖",
        survey_note="已到现场勘查",
        feasibility="可行，工期一周",
        lead_org=p.company,
        budget=4000,
        funding_source="社区工作经费",
        milestones=[{"title": "施工", "due_on": day(10)}],
        due_on=day(20),
    )
    await p.give(p.account("property"), "milestone_done", milestone="m1")
    await finished(p, p.account("property"))


async def assigned(p: Player) -> None:
    """会办: the meeting names who does it."""
    await to_meeting(p)
    await heard(p)
    await decide(p, "ASSIGN", lead_org=p.company)
    await p.give(p.account("property"), "sign")
    await finished(p, p.account("property"))


async def deferred(p: Player) -> None:
    """会办: put off once, decided the next time."""
    await to_meeting(p)
    await decide(p, "DEFER", reason="等待勘查结果")
    await on_the_table(p)
    await heard(p)
    await decide(p, "ASSIGN", lead_org=p.company)
    await p.give(p.account("property"), "sign")
    await finished(p, p.account("property"))


async def by_the_street(p: Player) -> None:
    """What the 大党委 left undecided the street decides."""
    await p.look()
    if (p.case["data"]["escalated"] or {}).get("level") != "L3":
        raise Astray("neither on an agenda nor before the street")
    await p.give(
        "officer",
        "record_street_decision",
        outcome="ASSIGN",
        text=ADOPTED,
        document_no="安街办纪要2号",
        lead_org="drainage",
        due_on=day(15),
    )


async def tied(p: Player) -> None:
    """会办: two ties, so that the street decides."""
    await to_meeting(p)
    await heard(p, in_favour=4, against=4)
    await p.stand_up()
    if p.case["state"] != "DEFERRED":
        raise Astray("a tie does not defer the topic")
    await on_the_table(p)
    await heard(p, in_favour=4, against=4)
    await p.stand_up()
    if p.case["level"] != "L3":
        raise Astray("a second tie does not raise the level")
    await p.give(
        "officer",
        "record_street_decision",
        outcome="ASSIGN",
        text=ADOPTED,
        document_no="安街办纪要1号",
        lead_org="drainage",
    )
    await p.give("drainage", "sign")
    await finished(p, "drainage")


async def voted_down(p: Player) -> None:
    """会办: a vote that was lost binds nobody, and what is not feasible is explained."""
    await to_meeting(p)
    await heard(p, in_favour=2, against=6)
    await p.not_told(
        p.account("secretary"),
        "record_decision",
        "guard_failed:VOTE_NOT_PASSED",
        outcome="ASSIGN",
        text=ADOPTED,
        lead_org=p.company,
    )
    await decide(p, "NOT_FEASIBLE", explanation="场地条件不允许，已向居民说明。")
    await finished(p, p.account("worker"))


async def consulted(p: Player) -> None:
    """会办: the residents talk it over first."""
    await to_meeting(p)
    await decide(p, "CONSULT")
    await p.give(p.account("worker"), "record_consultation", conclusion="CONSENSUS", text="多数居民同意轮流看护。")
    await on_the_table(p)
    await heard(p)
    await decide(p, "ASSIGN", lead_org=f"community-{p.number}")
    await p.give(p.account("worker"), "sign")
    await finished(p, p.account("worker"))


async def referred(p: Player) -> None:
    """会办: fed back to a department of the county (反馈部门)."""
    await to_meeting(p)
    await heard(p)
    await decide(p, "REFER_DEPARTMENT", lead_org="urban-management")
    await p.give("department", "sign")
    await p.give("department", "reply_referral", text="已安排处理。", due_on=day(15))
    await finished(p, "department")


async def carried_over(p: Player) -> None:
    """会办: the meeting ended without it; it comes first the next time."""
    p.table.expected.add(p.case["id"])
    await p.give(
        p.account("worker"),
        "accept_to_problem_list",
        mode="SCHEDULED",
        category_code="B01",
        difficulty="MODERATE",
        difficulty_reasons=["MONEY"],
    )
    await p.sit_down()
    await p.stand_up()
    if not p.case["data"]["topic_first"]:
        raise Astray("a topic that was carried over does not come first")
    await on_the_table(p)
    await heard(p)
    await decide(p, "ASSIGN", lead_org=p.company)
    await p.give(p.account("property"), "sign")
    await finished(p, p.account("property"))


async def reworked(p: Player) -> None:
    """核查不通过: the work is done again."""
    await accept_limited(p)
    await p.give(p.account("property"), "sign")
    await claim(p, p.account("property"))
    reviewer = "supervisor" if p.case["color"] == "RED" else p.account("worker+b")
    await p.give(reviewer, "reject_completion", reason="现场仍有积水")
    await finished(p, p.account("property"))


async def extended(p: Player) -> None:
    """延期, allowed by the secretary."""
    await accept_limited(p, clock_class="COMPLEX")
    await p.give(p.account("property"), "sign")
    await p.give(p.account("property"), "request_extension", to=day(20), reason="等待材料")
    await p.give(p.account("secretary"), "decide_extension", approve=True)
    await finished(p, p.account("property"))


async def suspended(p: Player) -> None:
    """挂账 for want of money, and resumed."""
    await accept_limited(p, clock_class="COMPLEX")
    await p.give(p.account("property"), "sign")
    await p.give(p.account("property"), "request_suspension", reason="资金未到位", **{"class": "FUNDING"})
    await p.give("officer", "decide_suspension", approve=True)
    await p.give("officer", "resume", reason="资金已到位")
    await finished(p, p.account("property"))


async def helped(p: Player) -> None:
    """吹哨报到: a department is called to the spot."""
    await accept_now(p)
    await p.give(p.account("secretary"), "call_for_help", departments=["urban-management"], kind="HARD")
    await p.refused("statistics", "report_arrival", "not_found", department="urban-management")
    await p.give("department", "report_arrival", department="urban-management")
    await finished(p, p.account("grid"))


async def dissatisfied(p: Player) -> None:
    """回访不满意: done again once, then the reporter is satisfied."""
    await accept_now(p)
    await claim(p, p.account("grid"))
    await reviewed(p)
    await told(p)
    await visited(p, solved="NO", satisfaction=1)
    if p.case["state"] != "IN_PROGRESS" or not p.case["data"]["redone"]:
        raise Astray("dissatisfied, but not done again")
    await finished(p, p.account("grid"))


async def disputed(p: Player) -> None:
    """回访两次不满意: the supervisor explains and closes."""
    await accept_now(p)
    for _ in range(2):
        await claim(p, p.account("grid"))
        await reviewed(p)
        await told(p)
        await visited(p, solved="NO", satisfaction=2)
    await p.give("supervisor", "decide_dispute", outcome="CLOSE", explanation="现场核查属实，已当面说明。")
    await delisted(p)


async def unreachable(p: Player) -> None:
    """回访三次联系不上."""
    await accept_now(p)
    await claim(p, p.account("grid"))
    await reviewed(p)
    await told(p)
    for _ in range(3):
        await p.give(p.account("worker+b"), "record_visit", contacted=False)
    await delisted(p)


async def asked(p: Player) -> None:
    """请反映人补充, and the first contact."""
    await p.give(p.account("worker"), "contact_reporter", note="已电话联系。")
    await p.give(p.account("worker"), "ask_reporter", info="请说明具体位置。")
    await p.give(p.account("worker"), "receive_info", text="在东侧第二个单元。")
    await on_the_spot(p)


async def declined(p: Player) -> None:
    """不予受理, confirmed by a second person."""
    await p.give(p.account("worker"), "decline", reason="属于业主自行约定的事项")
    await p.refused(p.account("worker"), "confirm_decline", "forbidden:NOT_IN_ROLE")
    await p.give(p.account("vice"), "confirm_decline")


async def objected(p: Player) -> None:
    """不予受理, and the resident objects in time."""
    await declined(p)
    over = "guard_failed:WINDOW_OVER"
    if not await p.may_be_late(p.account("resident"), "object_to_decline", over, reason="问题影响整栋楼"):
        await p.give("supervisor", "reopen", reason="抽查认为应当受理")
    await on_the_spot(p)


async def refused_decline(p: Player) -> None:
    """不予受理 is not agreed to."""
    await p.give(p.account("worker"), "decline", reason="属于业主自行约定的事项")
    await p.give(p.account("secretary"), "refuse_decline", reason="应当受理")
    await on_the_spot(p)


async def transferred(p: Player) -> None:
    """转社区: the neighbours take it."""
    neighbour = "620199001002" if p.number != "2" else "620199001003"
    await p.give(p.account("worker"), "transfer_community", to_community=neighbour, reason="地点在相邻社区")
    await p.give(f"worker{neighbour[-1]}", "accept_transfer")
    if p.case["community_id"] != neighbour:
        raise Astray("accepted, but not there")
    await on_the_spot(p)


async def sent_back(p: Player) -> None:
    """转社区, refused: back where it began."""
    neighbour = "620199001002" if p.number != "2" else "620199001003"
    await p.give(p.account("worker"), "transfer_community", to_community=neighbour, reason="地点在相邻社区")
    await p.give(f"worker{neighbour[-1]}", "refuse_transfer", reason="核对后不在本社区")
    await on_the_spot(p)


async def transferred_out(p: Player) -> None:
    """转出: another channel is competent."""
    await p.give(p.account("worker"), "transfer_out", channel="12345", reason="属于市级热线受理范围")


async def merged(p: Player) -> None:
    """合并 into an issue about the same matter, which is then handled."""
    twin = await p.open(
        {"title": "同一处污水外溢", "description": "与另一位居民反映的是同一处。", "category_code": "B01"}
    )
    await p.give(p.account("worker"), "merge_into", target=twin["id"])
    await on_the_spot(Player(p.api, twin, p.on_purpose, p.agendas, p.others))


async def split(p: Player) -> None:
    """拆分 into two issues, each handled."""
    await p.give(
        p.account("worker"),
        "accept_to_problem_list",
        mode="SCHEDULED",
        category_code="B01",
        difficulty="EASY",
    )
    parts = [{"title": f"第{part}部分", "description": "从原诉求拆出。"} for part in ("一", "二")]
    await p.give(p.account("worker"), "split", children=parts)
    history = await p.api.get("supervisor", f"/issues/{p.case['id']}/events")
    effects = [effect for event in history["items"] for effect in event["payload"].get("effects", ())]
    for child in [effect["case"] for effect in effects if effect["process"] == "issue"]:
        p.others.append(child)
        part = Player(p.api, {**p.case, "id": child}, p.on_purpose, p.agendas, p.others)
        await part.appeared(20)
        await part.give(part.account("worker"), "dispatch", mode="TIME_LIMITED", lead_org=part.company)
        await part.give(part.account("property"), "sign")
        await finished(part, part.account("property"))


async def withdrawn(p: Player) -> None:
    """撤回 by the resident."""
    who = p.account("resident")
    await p.give(who, "withdraw", reason="问题已经自行解决")


async def reopened(p: Player) -> None:
    """结案后反弹: reopened by the supervisor's spot check."""
    await on_the_spot(p)
    await p.give("supervisor", "reopen", reason="抽查发现反弹")
    await finished(p, p.account("grid"))


async def escalated(p: Player) -> None:
    """Silence: BLUE, YELLOW, RED; supervision; on the 大党委's table by itself; decided, done, delisted."""
    p.table.expected.add(p.case["id"])
    await accept_limited(p, clock_class="CONSULT")
    await p.until(lambda case: case["data"]["escalated"] is not None, 90, "RED")
    if p.case["color"] != "RED" or p.case["data"]["supervision_id"] is None:
        raise Astray("escalated, but not RED or not under supervision")
    if not await p.is_on_agenda("EXTENDED_PARTY_COMMITTEE"):
        raise Astray("RED, but not on the agenda of the extended party committee")
    await p.supervision("supervisor", "list", responsible_org="drainage", due_on=day(15), public=False)
    try:
        await on_the_table(p)
    except Astray:
        # On a busy machine the month of the drill may end first: then it has climbed to the street (RED+).
        await by_the_street(p)
    else:
        await heard(p)
        await decide(p, "ASSIGN", lead_org="drainage", due_on=day(15))
    await p.give("drainage", "sign")
    await p.supervision("drainage", "report_rectified", evidence=[], text=DONE)
    await p.supervision("supervisor", "delist", evidence=[], text=DONE)
    await p.until(lambda case: case["state"] == "FEEDBACK_DUE", 20, "the end of the supervision")
    await finished(p, "drainage")


PATHS: tuple[Path, ...] = (
    Path(name="on_the_spot", zh="即时办结", en="On the spot", play=on_the_spot, share=4),
    Path(name="by_company", zh="限时办结", en="Time-limited", play=by_company, share=4),
    Path(name="escalated", zh="无人办理→红色→大党委", en="Silence → RED → agenda", play=escalated, share=3),
    Path(name="adopted", zh="会办·列入项目", en="Meeting, project", play=adopted, share=3),
    Path(name="limited", zh="限时办结·职责分离", en="Time-limited, segregation", play=limited, share=2),
    Path(name="returned", zh="退单再派", en="Returned once", play=returned, share=2),
    Path(
        name="dissatisfied", zh="回访不满意·重办", en="Dissatisfied, redone", play=dissatisfied, origin=Origin.REPORTER
    ),
    Path(name="reworked", zh="核查不通过", en="Rejected, done again", play=reworked),
    Path(name="assigned", zh="会办·交办", en="Meeting, assigned", play=assigned),
    Path(name="declined", zh="不予受理", en="Declined", play=declined, ends="CLOSED:NOT_ACCEPTED"),
    Path(name="transferred", zh="转社区", en="Transferred", play=transferred),
    Path(name="merged", zh="合并", en="Merged", play=merged, ends="CLOSED:MERGED"),
    Path(name="withdrawn", zh="撤回", en="Withdrawn", play=withdrawn, ends="CLOSED:WITHDRAWN", origin=Origin.RESIDENT),
    Path(name="deferred", zh="会办·暂缓", en="Meeting, deferred", play=deferred),
    Path(name="tied", zh="会办·两次平票→街道", en="Two ties, the street decides", play=tied),
    Path(name="voted_down", zh="会办·不可行", en="Voted down, not feasible", play=voted_down, ends=EXPLAINED),
    Path(name="objected", zh="不予受理·异议", en="Declined, objected", play=objected, origin=Origin.RESIDENT),
    Path(name="designated", zh="三次退单·指定", en="Returned three times, designated", play=designated),
    Path(name="disputed", zh="争议裁定", en="Disputed", play=disputed, ends=EXPLAINED, origin=Origin.REPORTER),
    Path(name="referred", zh="会办·反馈部门", en="Referred to a department", play=referred),
    Path(name="suspended", zh="挂账", en="Suspended", play=suspended),
    Path(name="extended", zh="延期", en="Extended", play=extended),
    Path(name="consulted", zh="会办·协商", en="Consulted", play=consulted),
    Path(name="carried_over", zh="会办·顺延", en="Carried over", play=carried_over),
    Path(name="split", zh="拆分", en="Split", play=split, ends="CLOSED:SPLIT", origin=Origin.FRESH),
    Path(name="verified", zh="先核实", en="Verified first", play=verified),
    Path(name="helped", zh="吹哨报到", en="Departments called", play=helped),
    Path(name="asked", zh="请反映人补充", en="Reporter asked", play=asked, origin=Origin.REPORTER),
    Path(name="unreachable", zh="联系不上", en="Reporter unreachable", play=unreachable, origin=Origin.REPORTER),
    Path(name="refused_decline", zh="不同意不予受理", en="Decline refused", play=refused_decline),
    Path(name="sent_back", zh="转社区被退回", en="Transfer refused", play=sent_back),
    Path(name="reopened", zh="结案后重开", en="Reopened", play=reopened),
    Path(name="transferred_out", zh="转出", en="Transferred out", play=transferred_out, ends="CLOSED:TRANSFERRED_OUT"),
)
