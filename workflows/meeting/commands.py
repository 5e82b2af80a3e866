"""Commands of a meeting (会议): what people may say, field by field, as in api.md (pure)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from workflows.kernel.fields import Attachment, CaseRef, Community, Field, Organization, Person, Prose
from workflows.kernel.process import command
from workflows.meeting.data import Choice, MeetingType, Outcome

Reason = Annotated[str, Prose("理由", "Reason")]
Item = Annotated[str, Field("议项", "Agenda item", shortest=1, longest=20)]
When = Annotated[datetime, Field("会议时间", "Time of the meeting")]
People = Annotated[tuple[str, ...], Person("人员", "People", longest=2000)]
OptionalText = Annotated[str | None, Prose("说明", "Text", longest=10000)]
LeadOrg = Annotated[str | None, Organization("牵头单位", "Responsible organisation")]
DueOn = Annotated[date | None, Field("完成期限", "Due on")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """One member's vote, as the secretary writes it down (表决)."""

    member: Annotated[str, Person("成员", "Member")]
    choice: Annotated[Choice, Field("表决", "Choice")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A count of ballots (计票)."""

    in_favour: Annotated[int, Field("赞成", "For", least=0, most=1_000_000)]
    against: Annotated[int, Field("反对", "Against", least=0, most=1_000_000)] = 0
    abstain: Annotated[int, Field("弃权", "Abstentions", least=0, most=1_000_000)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Headcount:
    """How many there are, where nobody keeps a list of seats (到会人数)."""

    members: Annotated[int, Field("应到人数", "Members", least=1, most=1_000_000)]
    present: Annotated[int, Field("实到人数", "Present", least=0, most=1_000_000)]


# --- before the session --------------------------------------------------------------------------------


@command("安排会议", "Schedule a meeting")
class ScheduleMeeting:
    """Somebody with the convenor's authority sets time and place (processes P3)."""

    community_code: Annotated[str, Community("社区", "Community")]
    type: Annotated[MeetingType, Field("会议类别", "Body")]
    scheduled_at: When
    place: Annotated[str, Prose("地点", "Place", longest=200)]
    make_up_for: Annotated[str | None, Field("补开月份", "Makes up for the month", longest=20)] = None
    joint_with: Annotated[MeetingType | None, Field("联合召开", "Joint session with")] = None
    chair: Annotated[str | None, Person("主持人", "Chair")] = None
    briefing: Annotated[bool, Field("学习通报", "Study or briefing")] = False


@command("指定主持人", "Name the chair")
class NameChair:
    """The convenor lets somebody else chair (主持人)."""

    chair: Annotated[str, Person("主持人", "Chair")]


@command("提出议项", "Propose an item")
class ProposeItem:
    """A topic that waits for the body, another case, or a matter of its own with its document."""

    topic: Annotated[str | None, CaseRef("议题", "Topic", process="issue")] = None
    subject_type: Annotated[str | None, Field("对象类别", "Kind of subject", longest=40)] = None
    subject_id: Annotated[str | None, CaseRef("对象", "Subject")] = None
    title: Annotated[str | None, Prose("标题", "Title", longest=200)] = None
    document: OptionalText = None
    evidence: Annotated[tuple[str, ...], Attachment("附件", "Documents", longest=20)] = ()
    personnel: Annotated[bool, Field("人事事项", "Personnel matter")] = False
    parties: Annotated[tuple[str, ...], Organization("相关利益方", "Interested parties", longest=20)] = ()


@command("列入议程", "Admit an item")
class Admit:
    """The item is on the agenda."""

    item: Item


@command("退回议项", "Return an item")
class ReturnItem:
    """The convenor gives the item back to its proposer."""

    item: Item
    reason: Reason


@command("排定议程", "Arrange the agenda")
class ArrangeItems:
    """The items that are still to come, in the order in which they are to be taken."""

    items: Annotated[tuple[str, ...], Field("议项次序", "Items in order", shortest=1, longest=200)]


@command("临时动议", "Add an urgent item")
class AddUrgentItem:
    """After the freeze, for danger or RED only (临时议题)."""

    topic: Annotated[str, CaseRef("议题", "Topic", process="issue")]


@command("收取议题", "Take the topics that wait")
class TakeTopics:
    """What waits for the body when the agenda freezes; the answer to the question `topics`, in its order."""

    topics: Annotated[tuple[dict[str, Any], ...], Field("议题", "Topics")] = ()
    tasks: Annotated[tuple[dict[str, Any], ...], Field("后续任务", "Tasks of the last meeting")] = ()


@command("补全议题信息", "Learn what topics are about")
class LearnTitles:
    """Titles of topics that were put on the agenda by hand; the answer to the question `titles`."""

    titles: Annotated[dict[str, str], Field("标题", "Titles")]


@command("发出通知", "Send the notice")
class SendNotice:
    """Members, interested parties and departments are invited; an open agenda freezes with it."""

    briefing: Annotated[bool, Field("学习通报", "Study or briefing")] = False


@command("申报利益", "Declare an interest")
class DeclareInterest:
    """A member is interested in an item; anybody may report it of somebody else, and the chair rules."""

    item: Item
    member: Annotated[str | None, Person("成员", "Member")] = None


@command("裁定回避", "Rule on a reported interest")
class RuleOnInterest:
    """The chair says whether a reported member is recused (回避)."""

    item: Item
    member: Annotated[str, Person("成员", "Member")]
    accepted: Annotated[bool, Field("应回避", "Recused")]


@command("改期", "Postpone")
class Postpone:
    """Another time, once, inside the month; outside of it the month stays without its meeting."""

    scheduled_at: When
    reason: Reason


@command("取消会议", "Cancel the meeting")
class Cancel:
    """The meeting does not take place."""

    reason: Reason


@command("重新召集", "Reconvene")
class Reconvene:
    """Another time after a session without quorum, with at least a day's notice."""

    scheduled_at: When


@command("所属月度", "Take the slot")
class TakeSlot:
    """The month that this meeting fills; sent by that slot."""

    slot: Annotated[str, Field("当月例会", "Slot", longest=64)]


@command("议题撤出", "Withdraw a topic")
class WithdrawTopic:
    """The issue was solved, withdrawn or taken elsewhere; sent by that issue."""

    topic: Annotated[str, Field("议题", "Topic", longest=64)]


# --- in the session ------------------------------------------------------------------------------------


@command("宣布开会", "Open the session")
class OpenSession:
    """Sign-in and quorum; guests may be among those present."""

    present: People = ()
    headcount: Annotated[Headcount | None, Field("到会人数", "Head count")] = None


@command("登记到会", "Record attendance")
class RecordAttendance:
    """Who came late and who left, at this moment."""

    joined: People = ()
    left: People = ()
    headcount: Annotated[int | None, Field("实到人数", "Present", least=0, most=1_000_000)] = None


@command("开始审议", "Open the item")
class OpenItem:
    """The chair opens an item of the agenda."""

    item: Item
    secret: Annotated[bool, Field("无记名表决", "Secret ballot")] = False


@command("记录陈述", "Record a statement")
class RecordStatement:
    """An interested party states its position and need (阐述立场、需求, seed 001 §四3)."""

    item: Item
    party: Annotated[str, Prose("陈述方", "Party", longest=100)]
    position: Annotated[str, Prose("立场", "Position", longest=500)]
    need: Annotated[str, Prose("需求", "Need", longest=500)]
    text: OptionalText = None
    written: Annotated[bool, Field("书面", "In writing")] = False


@command("讨论", "Deliberate")
class Deliberate:
    """What was said in the discussion."""

    item: Item
    text: OptionalText = None


@command("表决", "Record a vote")
class RecordVote:
    """One's own vote, or, by the secretary, everybody's; of a secret ballot only the count and who handed one in."""

    item: Item
    choice: Annotated[Choice | None, Field("表决", "Choice")] = None
    votes: Annotated[tuple[Cast, ...], Field("逐人表决", "Votes", longest=2000)] = ()
    count: Annotated[Count | None, Field("计票", "Count")] = None
    voters: People = ()


@command("表决结束", "Close the vote")
class CloseVote:
    """Nobody else votes on the item; those who are present and have not voted are counted as present."""

    item: Item


@command("作出决定", "Record the decision")
class RecordDecision:
    """What the body decided on an item (会议决定)."""

    item: Item
    outcome: Annotated[Outcome, Field("决定", "Outcome")]
    text: Annotated[str, Prose("说明", "Text")]
    lead_org: LeadOrg = None
    due_on: DueOn = None
    until: Annotated[date | None, Field("暂缓至", "Deferred until")] = None
    reason: Annotated[str | None, Prose("理由", "Reason")] = None
    explanation: Annotated[str | None, Prose("解释", "Explanation")] = None
    waiver_reason: Annotated[str | None, Prose("未听取陈述的理由", "Why nobody was heard")] = None
    consensus: Annotated[bool | None, Field("协商一致", "By consensus")] = None


@command("散会", "Adjourn")
class Adjourn:
    """The session ends; what was not opened is carried over."""


# --- after the session ---------------------------------------------------------------------------------


@command("补记决定", "Complete a decision")
class CompleteDecision:
    """Who is responsible until when, where the decision had left it open; only before the minutes are signed."""

    item: Item
    lead_org: LeadOrg = None
    due_on: DueOn = None


@command("签署纪要", "Sign the minutes")
class SignMinutes:
    """The chair signs; nobody can change them from then on (会议纪要)."""


@command("更正纪要", "Correct the minutes")
class Correction:
    """A correction is added, and the original stays."""

    reason: Reason
    text: Annotated[str, Prose("更正内容", "Text", longest=10000)]


@command("完成任务", "Task done")
class TaskDone:
    """A task of the minutes is done."""

    task: Annotated[str, Field("任务", "Task", shortest=1, longest=20)]
    text: OptionalText = None
