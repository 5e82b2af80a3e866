"""Commands of an issue (诉求): what people may say, field by field, as in api.md (pure)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal

from workflows.issue.data import (
    Audience,
    Channel,
    ClockClass,
    Difficulty,
    DifficultyReason,
    HandlingMode,
    HelpKind,
    NotHeld,
    Outcome,
    Result,
    Solved,
    Source,
    StreetOutcome,
    SuspensionClass,
    Timing,
)
from workflows.kernel.fields import (
    Attachment,
    CaseRef,
    Category,
    Community,
    Contact,
    Field,
    Organization,
    Prose,
)
from workflows.kernel.process import command

Reason = Annotated[str, Prose("理由", "Reason")]
Text = Annotated[str, Prose("说明", "Text")]
OptionalText = Annotated[str | None, Prose("说明", "Text")]
Evidence = Annotated[tuple[str, ...], Attachment("证据", "Evidence", longest=20)]
Exception_ = Annotated[str | None, Prose("例外理由", "Reason for breaking a soft rule")]
LeadOrg = Annotated[str | None, Organization("牵头单位", "Responsible organisation")]
HelperOrgs = Annotated[tuple[str, ...], Organization("协办单位", "Helping organisations", longest=20)]
DueOn = Annotated[date | None, Field("完成期限", "Due on")]
Meeting = Annotated[str, Field("会议", "Meeting", longest=64)]
Item = Annotated[str, Field("议项", "Agenda item", longest=20)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A point on the map (位置), WGS84 degrees."""

    lat: Annotated[float, Field("纬度", "Latitude", least=-90, most=90)]
    lon: Annotated[float, Field("经度", "Longitude", least=-180, most=180)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Who asked, if he wants an answer (反映人)."""

    name: Annotated[str, Field("姓名", "Name", shortest=1, longest=50)]
    phone: Annotated[str | None, Field("电话", "Phone", longest=30)] = None
    wants_reply: Annotated[bool, Field("需要答复", "Wants a reply")] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One part of an issue that is split (拆分项)."""

    title: Annotated[str, Prose("标题", "Title", longest=120)]
    description: Annotated[str, Prose("内容", "Description", longest=5000)]
    lead_org: LeadOrg = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """A step of a project with its day (节点)."""

    title: Annotated[str, Prose("节点", "Milestone", longest=200)]
    due_on: Annotated[date, Field("期限", "Due on")]


# --- collect ------------------------------------------------------------------------------------------


@command("登记诉求", "Submit an issue")
class SubmitIssue:
    """A wish or problem of residents comes in (seed 001 §四1)."""

    kept_from_people: ClassVar = ("round", "collector")

    community_code: Annotated[str, Community("社区", "Community")]
    title: Annotated[str, Prose("标题", "Title", longest=120)]
    description: Annotated[str, Prose("内容", "Description", shortest=0, longest=10000)]
    source: Annotated[Source, Field("来源", "Source")]
    category_code: Annotated[str | None, Category("类别", "Category")] = None
    place_text: Annotated[str | None, Prose("地点", "Place", longest=200)] = None
    location: Annotated[Location | None, Prose("位置", "Location")] = None
    danger: Annotated[bool, Field("涉及危险", "Danger")] = False
    general_concern: Annotated[bool, Field("普遍关注", "General concern")] = False
    anonymous: Annotated[bool, Field("匿名", "Anonymous")] = False
    reporter: Annotated[Reporter | None, Contact("反映人", "Reporter")] = None
    hidden_from_lead: Annotated[bool, Field("对承办单位保密", "Hidden from the lead")] = False
    evidence: Evidence = ()
    external_id: Annotated[str | None, Field("外部编号", "External id", longest=200)] = None
    reported_at: Annotated[datetime | None, Field("反映时间", "Reported at")] = None
    round: Annotated[str | None, Field("征集轮次", "Round", longest=64)] = None
    collector: Annotated[str | None, Field("征集人", "Collector", longest=64)] = None


@command("拆分登记", "Open a part of a split issue")
class OpenSplitChild:
    """A part of a split issue begins on the problem list; sent by the parent case, never by people."""

    community_code: Annotated[str, Community("社区", "Community")]
    title: Annotated[str, Field("标题", "Title")]
    description: Annotated[str, Field("内容", "Description")]
    parent: Annotated[str, Field("原诉求", "Parent")]
    inherited: Annotated[dict[str, object], Field("沿用", "Inherited")]


@command("要求核实", "Request verification")
class RequestVerification:
    """A grid worker shall look at the facts on the spot."""


@command("反馈核实情况", "Report facts")
class ReportFacts:
    """What the grid worker found (核实情况)."""

    asked_of_people: ClassVar = ("evidence",)

    evidence: Evidence = ()
    text: OptionalText = None


@command("联系反映人", "Contact the reporter")
class ContactReporter:
    """First contact with the reporter; base of the 响应率."""

    note: Annotated[str, Prose("联系记录", "Note")]


@command("请反映人补充", "Ask the reporter")
class AskReporter:
    """The facts do not suffice; the reporter is asked."""

    info: Annotated[str, Prose("需补充的信息", "Information asked for")]


@command("收到补充信息", "Receive information")
class ReceiveInfo:
    """The reporter's answer."""

    text: Text


@command("合并", "Merge into another issue")
class MergeInto:
    """This issue is the same matter as another open one (合并)."""

    target: Annotated[str, CaseRef("目标诉求", "Target issue", process="issue")]


@command("吸收合并", "Absorb a duplicate")
class AbsorbDuplicate:
    """Another issue was merged into this one; sent by that case."""

    duplicate: Annotated[str, Field("并入诉求", "Duplicate")]
    counted_from: Annotated[str, Field("登记时间", "Registered at")]
    followers: Annotated[tuple[str, ...], Field("关注人", "Followers")] = ()
    reporter_known: Annotated[bool, Field("反映人已知", "Reporter is known")] = False


@command("撤销合并", "Undo the merge")
class UndoMerge:
    """The issue that this one was merged into had ended already; sent by that case."""

    target: Annotated[str, Field("目标诉求", "Target issue")]


@command("提出不予受理", "Propose to decline")
class Decline:
    """The matter is not one for the community (不予受理); somebody else must confirm."""

    reason: Reason


@command("确认不予受理", "Confirm the decline")
class ConfirmDecline:
    """The decline stands; the reporter may object."""


@command("不同意不予受理", "Refuse the decline")
class RefuseDecline:
    """The issue is to be handled after all."""

    reason: Reason


@command("对不予受理提出异议", "Object to the decline")
class ObjectToDecline:
    """The resident's objection, once, within its window."""

    reason: Reason


@command("转出", "Transfer out")
class TransferOut:
    """Another channel is competent: 110, court, 信访, 12345, another street."""

    channel: Annotated[str, Field("渠道", "Channel", shortest=1, longest=40)]
    reason: Reason
    receipt: Annotated[str | None, Field("对方受理编号", "Receiver's number", longest=60)] = None


@command("转社区", "Transfer to another community")
class TransferCommunity:
    """The place lies in another community."""

    to_community: Annotated[str, Community("接收社区", "Receiving community")]
    reason: Reason


@command("接收转来诉求", "Accept the transfer")
class AcceptTransfer:
    """The receiving community takes the issue."""


@command("退回转来诉求", "Refuse the transfer")
class RefuseTransfer:
    """The receiving community says it is not its own."""

    reason: Reason


@command("裁定归属社区", "Decide the transfer")
class DecideTransfer:
    """The street names the community when the receiver was silent."""

    community: Annotated[str, Community("社区", "Community")]


@command("列入问题清单", "Accept to the problem list")
class AcceptToProblemList:
    """受理: mode, difficulty and lead are set; the entry goes to the month's 问题清单 (seed 001 §四1)."""

    mode: Annotated[HandlingMode, Field("办理方式", "Handling mode")]
    category_code: Annotated[str, Category("类别", "Category")]
    difficulty: Annotated[Difficulty, Field("难易程度", "Difficulty")]
    difficulty_reasons: Annotated[tuple[DifficultyReason, ...], Field("难点", "Reasons", longest=6)] = ()
    level: Annotated[Literal["L0", "L1", "L2", "L3", "L4"] | None, Field("处理层级", "Level")] = None
    lead_org: LeadOrg = None
    helper_orgs: HelperOrgs = ()
    clock_class: Annotated[ClockClass | None, Field("时限类别", "Clock class")] = None
    urgent: Annotated[bool, Field("紧急", "Urgent")] = False
    exception_reason: Exception_ = None


@command("派单", "Dispatch")
class Dispatch:
    """A new order or topic after a return, or for a split part (派单)."""

    mode: Annotated[HandlingMode, Field("办理方式", "Handling mode")]
    lead_org: LeadOrg = None
    helper_orgs: HelperOrgs = ()
    clock_class: Annotated[ClockClass | None, Field("时限类别", "Clock class")] = None
    exception_reason: Exception_ = None


@command("拆分", "Split")
class Split:
    """Several matters in one report become issues of their own (拆分)."""

    children: Annotated[tuple[Child, ...], Field("拆分项", "Parts", shortest=2, longest=20)]


# --- raise --------------------------------------------------------------------------------------------


@command("列入议程", "Admit to the agenda")
class AdmitToAgenda:
    """The topic is on the agenda of a meeting (上会); sent by that meeting."""

    meeting: Meeting
    bodies: Annotated[tuple[str, ...], Field("会议主体", "Bodies", longest=2)]
    meets_at: Annotated[datetime, Field("会议时间", "Time of the meeting")]
    urgent: Annotated[bool, Field("临时议题", "Urgent item")] = False


@command("退回议题", "Return the topic")
class ReturnTopic:
    """The convenor gives the topic back to its proposer."""

    reason: Reason


@command("会议未议", "Carry the topic over")
class CarryOver:
    """The meeting was missed, inquorate, cancelled, or ended without the item (顺延); sent by that meeting."""

    meeting: Meeting
    reason: Annotated[NotHeld, Field("原因", "Reason")]


@command("提级", "Raise the level")
class RaiseLevel:
    """The issue goes one level up (提级)."""

    reason: Reason


@command("登记街道决定", "Record the street's decision")
class RecordStreetDecision:
    """Decision of a body outside the system (街道, 县区) with its document."""

    outcome: Annotated[StreetOutcome, Field("决定", "Outcome")]
    text: Text
    document_no: Annotated[str, Field("文号", "Document number", shortest=1, longest=60)]
    lead_org: LeadOrg = None
    due_on: DueOn = None
    until: Annotated[date | None, Field("暂缓至", "Deferred until")] = None
    explanation: Annotated[str | None, Prose("解释", "Explanation")] = None


# --- discuss ------------------------------------------------------------------------------------------


@command("开始审议", "Open the item")
class OpenItem:
    """The chair has opened the item; sent by the meeting."""

    meeting: Meeting
    item: Item


@command("记录陈述", "Record a statement")
class RecordStatement:
    """A party has stated its position and need (阐述立场、需求, seed 001 §四3); sent by the meeting."""

    meeting: Meeting
    item: Item
    party: Text
    position: Text
    need: Text
    text: OptionalText = None
    written: Annotated[bool, Field("书面", "In writing")] = False


@command("记录表决", "Record the tally")
class RecordTally:
    """What a vote came to; a tie and too few eligible members decide by themselves (§0.5); sent by the meeting."""

    meeting: Meeting
    item: Item
    result: Annotated[Result, Field("结果", "Result")]
    members: Annotated[int, Field("应到人数", "Members of the body")]
    present: Annotated[int, Field("实到人数", "Present")]
    in_favour: Annotated[int, Field("赞成", "For")]
    against: Annotated[int, Field("反对", "Against")]
    abstain: Annotated[int, Field("弃权", "Abstentions")] = 0
    recused: Annotated[int, Field("回避", "Recused")] = 0


@command("作出决定", "Record the decision")
class RecordDecision:
    """What the meeting decided on the topic (会议决定, seed 001 §四3); sent by the meeting, which has checked it."""

    meeting: Meeting
    item: Item
    outcome: Annotated[Outcome, Field("决定", "Outcome")]
    text: Text
    lead_org: LeadOrg = None
    department: Annotated[bool, Field("牵头单位为部门", "The lead is a department")] = False
    due_on: DueOn = None
    until: Annotated[date | None, Field("暂缓至", "Deferred until")] = None
    reason: Annotated[str | None, Prose("理由", "Reason")] = None
    explanation: Annotated[str | None, Prose("解释", "Explanation")] = None
    waiver_reason: Annotated[str | None, Prose("未听取陈述的理由", "Why nobody was heard")] = None
    consensus: Annotated[bool | None, Field("协商一致", "By consensus")] = None


@command("登记协商结果", "Record the consultation")
class RecordConsultation:
    """Result of a consultation of residents (协商)."""

    conclusion: Annotated[Literal["CONSENSUS", "PARTIAL", "NONE"], Field("结论", "Conclusion")]
    text: Text
    evidence: Evidence = ()


# --- implement ----------------------------------------------------------------------------------------


@command("列入项目清单", "Add to the project list")
class AddToProjectList:
    """措施和计划 after 实地调研 (seed 001 §四4)."""

    measures: Annotated[str, Prose("工作措施", "Measures")]
    survey_note: Annotated[str, Prose("实地调研", "Survey")]
    feasibility: Annotated[str, Prose("可行性", "Feasibility")]
    lead_org: Annotated[str, Organization("牵头单位", "Responsible organisation")]
    helper_orgs: HelperOrgs = ()
    budget: Annotated[float | None, Field("预算(元)", "Budget in CNY", least=0, most=1e10)] = None
    funding_source: Annotated[str | None, Field("资金来源", "Source of funds", longest=200)] = None
    milestones: Annotated[tuple[Milestone, ...], Field("节点", "Milestones", longest=30)] = ()
    due_on: Annotated[date, Field("完成期限", "Due on")]
    exception_reason: Exception_ = None


@command("报告不可行", "Report as not feasible")
class ReportInfeasible:
    """Planning shows that the decision cannot be carried out."""

    asked_of_people: ClassVar = ("evidence",)

    evidence: Evidence = ()
    reason: Reason


@command("签收", "Sign for the order")
class Sign:
    """The lead takes the order (签收)."""


@command("退单", "Return the order")
class ReturnOrder:
    """The lead says why the order is not its duty (退单)."""

    asked_of_people: ClassVar = ("suggested_owner",)

    reason: Reason
    suggested_owner: Annotated[str | None, Organization("建议承办单位", "Suggested owner")] = None


@command("指定承办单位", "Designate")
class Designate:
    """The street names the lead after three returns (指定办理)."""

    lead_org: Annotated[str, Organization("承办单位", "Responsible organisation")]


@command("回复反馈单", "Reply to the referral")
class ReplyReferral:
    """A department answers a 问题反馈单."""

    text: Text
    due_on: DueOn = None


@command("登记进展", "Log progress")
class LogProgress:
    """What was done so far."""

    text: Text
    evidence: Evidence = ()


@command("完成节点", "Milestone done")
class MilestoneDone:
    """A step of the project is done."""

    milestone: Annotated[str, Field("节点", "Milestone", shortest=1, longest=20)]


@command("申请延期", "Request an extension")
class RequestExtension:
    """More time, asked before it is over (延期)."""

    to: Annotated[date, Field("延期至", "New due day")]
    reason: Reason


@command("审批延期", "Decide on the extension")
class DecideExtension:
    """First by the secretary, second by the street, never a third."""

    approve: Annotated[bool, Field("同意", "Approve")]
    reason: Annotated[str | None, Prose("理由", "Reason")] = None


@command("申请挂账", "Request a suspension")
class RequestSuspension:
    """The work must wait for season, money, engineering, law (挂账)."""

    class_: Annotated[SuspensionClass, Field("类别", "Class")]
    reason: Reason


@command("审批挂账", "Decide on the suspension")
class DecideSuspension:
    """The street allows the suspension, or not."""

    approve: Annotated[bool, Field("同意", "Approve")]
    reason: Annotated[str | None, Prose("理由", "Reason")] = None


@command("复核挂账", "Review the suspension")
class ReviewSuspension:
    """Every 30 days: do the conditions for the work exist now?"""

    conditions_exist: Annotated[bool, Field("条件具备", "Conditions exist")]


@command("恢复办理", "Resume")
class Resume:
    """The work goes on."""

    reason: Reason


@command("吹哨", "Call for help")
class CallForHelp:
    """Departments are called to the spot (吹哨报到)."""

    departments: Annotated[tuple[str, ...], Organization("部门", "Departments", shortest=1, longest=10)]
    kind: Annotated[HelpKind, Field("类别", "Kind")]


@command("报到", "Report arrival")
class ReportArrival:
    """A called department has come; the caller confirms."""

    department: Annotated[str, Organization("部门", "Department")]


@command("申报办结", "Claim completion")
class ClaimCompletion:
    """The lead says that the work is done, with evidence."""

    text: Text
    evidence: Evidence = ()


@command("核查通过", "Approve the completion")
class ApproveCompletion:
    """Somebody other than the lead found it done (核查)."""


@command("核查不通过", "Reject the completion")
class RejectCompletion:
    """The work is not done; the time runs on."""

    reason: Reason


@command("立案告知", "Supervision opened")
class SupervisionOpened:
    """A supervisor opened a supervision case on this issue by hand; sent by that case (挂牌督办)."""

    supervision: Annotated[str, Field("督查件", "Supervision case")]


@command("销号告知", "Supervision delisted")
class SupervisionDelisted:
    """The supervision case of this issue was delisted; sent by that case (销号)."""

    supervision: Annotated[str, Field("督查件", "Supervision case")]


@command("应急暂停时限", "Paused for an emergency")
class PauseForEmergency:
    """The street stops the clocks of a community in an emergency of level III or higher; sent by that case (P8)."""

    emergency: Annotated[str, Field("应急事件", "Emergency")]


@command("应急恢复时限", "Resumed after the emergency")
class ResumeAfterEmergency:
    """The clocks that were stopped run on; sent by the emergency."""

    emergency: Annotated[str, Field("应急事件", "Emergency")]


# --- feed back ----------------------------------------------------------------------------------------


@command("反馈结果", "Give feedback")
class GiveFeedback:
    """Tell the result, publicly or to the reporter, together or at any time (seed 001 §四5)."""

    audience: Annotated[Audience, Field("对象", "Audience")]
    timing: Annotated[Timing, Field("时机", "Timing")]
    channel: Annotated[Channel, Field("方式", "Channel")]
    text: Text

    @property
    def public_fields(self) -> tuple[str, ...]:
        """Fields that everybody will read, so that they must be masked (S23)."""
        return ("text",) if self.audience is Audience.PUBLIC else ()


@command("回访", "Record a return visit")
class RecordVisit:
    """The reporter is asked whether it is solved (回访)."""

    contacted: Annotated[bool, Field("已联系上", "Contacted")]
    solved: Annotated[Solved | None, Field("是否解决", "Solved")] = None
    satisfaction: Annotated[int | None, Field("满意度", "Satisfaction", least=1, most=5)] = None
    demand_reasonable: Annotated[bool | None, Field("诉求合理", "Demand is reasonable")] = None
    remark: Annotated[str | None, Prose("备注", "Remark")] = None


@command("裁定争议", "Decide the dispute")
class DecideDispute:
    """The supervisor ends a dispute about the result."""

    outcome: Annotated[Literal["CLOSE", "SUPERVISE"], Field("决定", "Outcome")]
    explanation: Annotated[str, Prose("书面说明", "Written explanation")]


@command("重新打开", "Reopen")
class Reopen:
    """The matter came back, or a spot check found it undone."""

    reason: Reason


@command("撤回", "Withdraw")
class Withdraw:
    """The reporter no longer wants it handled."""

    reason: Reason


@command("取消关注", "Unsubscribe")
class Unsubscribe:
    """The reporter or a follower wants no more answers; the issue goes on."""
