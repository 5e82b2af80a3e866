"""Commands of an admission (准入), field by field, as in api.md (pure)."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, ClassVar, Literal

from workflows.admission.data import DeliveryMode, FundingKind, Ledgers, ListResult, Opinion, Outcome, Variant
from workflows.kernel.fields import Attachment, Community, Field, Organization, Prose
from workflows.kernel.process import command

Reason = Annotated[str, Prose("理由", "Reason")]
OptionalReason = Annotated[str | None, Prose("理由", "Reason")]
Text = Annotated[str, Prose("说明", "Text")]
OptionalText = Annotated[str | None, Prose("说明", "Text")]
Findings = Annotated[str, Prose("存在问题", "Findings")]
Evidence = Annotated[tuple[str, ...], Attachment("证明材料", "Evidence", longest=20)]
Communities = Annotated[tuple[str, ...], Community("社区", "Communities", shortest=1, longest=200)]
OneCommunity = Annotated[str | None, Community("社区", "Community")]
Exception_ = Annotated[str | None, Prose("例外理由", "Reason for breaking a soft rule")]
Until = Annotated[date | None, Field("止期", "Until")]
From = Annotated[date | None, Field("起期", "From")]
Number = Annotated[int, Field("期次", "Number of the instalment", least=1, most=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One instalment of the money (分期), CNY."""

    amount: Annotated[float, Field("金额", "Amount, CNY", least=0, most=1e12)]
    due_on: Annotated[date, Field("拨付日期", "Due on")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """The money that comes with the work (费随事转), CNY."""

    source: Annotated[str, Prose("资金来源", "Source", longest=200)]
    amount: Annotated[float, Field("总额", "Amount, CNY", least=0, most=1e12)]
    instalments: Annotated[tuple[Payment, ...], Field("拨付计划", "Instalments", longest=100)] = ()


OptionalFunding = Annotated[Funding | None, Field("经费", "Funding")]
HoursMonth = Annotated[
    float | None, Field("每个社区每月所需工时", "Hours a month of each community", least=0, most=10_000)
]
Staffing = Annotated[str | None, Prose("人员配备", "People provided")]
LedgersRequired = Annotated[
    tuple[str, ...], Prose("要求社区填报的台账报表", "Ledgers required", shortest=0, longest=50)
]


# --- application -----------------------------------------------------------------------------------------


@command("提交准入申请", "Apply for admission")
class Submit:
    """A department or unit asks to enter communities, or to have a work item done there (准入申请表).

    With `emergency_basis` it is `emergency_entry`: enter first, file later, where the pack allows it.
    """

    variant: Annotated[Variant, Field("准入对象", "Variant")]
    applicant_org: Annotated[str, Organization("申请单位", "Applicant")]
    item_name: Annotated[str, Prose("事项名称", "Item", longest=120)]
    basis: Annotated[str, Prose("法律政策依据", "Basis")]
    need_reason: Annotated[str, Prose("须由社区办理的理由", "Why it must be done there")]
    content: Annotated[str, Prose("工作内容", "Content", longest=5000)]
    delivery_mode: Annotated[DeliveryMode, Field("办理方式", "Delivery mode")]
    communities: Communities
    planned_from: Annotated[date, Field("计划起始", "Planned from")]
    planned_until: Annotated[date, Field("计划截止", "Planned until")]
    staffing: Staffing = None
    funding: OptionalFunding = None
    training: Annotated[str | None, Prose("培训安排", "Training")] = None
    hours_month: HoursMonth = None
    ledgers_required: LedgersRequired = ()
    ledgers_derived: Annotated[bool, Field("台账由平台自动生成", "Ledgers derived from the platform")] = False
    expected_result: Annotated[str | None, Prose("预期成效", "Expected result")] = None
    exit_condition: Annotated[str | None, Prose("退出条件", "Exit condition")] = None
    evidence: Evidence = ()
    emergency_basis: Annotated[str | None, Prose("应急依据", "Basis of the emergency")] = None


@command("通知补正", "Request a correction")
class RequestCorrection:
    """Everything that is missing, told at once (补正通知)."""

    gaps: Annotated[tuple[str, ...], Prose("需补正内容", "Gaps", shortest=1, longest=50)]


@command("补正后提交", "Resubmit")
class Resubmit:
    """The corrected application; what is not given stays as it was."""

    item_name: Annotated[str | None, Prose("事项名称", "Item", longest=120)] = None
    basis: Annotated[str | None, Prose("法律政策依据", "Basis")] = None
    need_reason: Annotated[str | None, Prose("须由社区办理的理由", "Why it must be done there")] = None
    content: Annotated[str | None, Prose("工作内容", "Content", longest=5000)] = None
    delivery_mode: Annotated[DeliveryMode | None, Field("办理方式", "Delivery mode")] = None
    communities: Annotated[tuple[str, ...] | None, Community("社区", "Communities", shortest=1, longest=200)] = None
    planned_from: Annotated[date | None, Field("计划起始", "Planned from")] = None
    planned_until: Annotated[date | None, Field("计划截止", "Planned until")] = None
    staffing: Staffing = None
    funding: OptionalFunding = None
    training: Annotated[str | None, Prose("培训安排", "Training")] = None
    hours_month: HoursMonth = None
    ledgers_required: Annotated[
        tuple[str, ...] | None, Prose("要求社区填报的台账报表", "Ledgers required", shortest=0, longest=50)
    ] = None
    ledgers_derived: Annotated[bool | None, Field("台账由平台自动生成", "Ledgers derived from the platform")] = None
    expected_result: Annotated[str | None, Prose("预期成效", "Expected result")] = None
    exit_condition: Annotated[str | None, Prose("退出条件", "Exit condition")] = None
    evidence: Evidence = ()


@command("撤回申请", "Withdraw")
class Withdraw:
    """The applicant no longer asks."""


@command("确认应急进入", "Confirm the emergency entry")
class ConfirmEmergency:
    """The leading group lets the department enter before it has filed, or not (先进后批)."""

    approve: Annotated[bool, Field("同意", "Approve")]
    reason: OptionalReason = None


# --- review ----------------------------------------------------------------------------------------------


@command("对照两项清单", "Check against the lists")
class RunListCheck:
    """The lists of the county in force today are searched; their version is kept (seed 004 §二(三)2)."""


@command("确认清单对照结果", "Confirm the list check")
class ConfirmListCheck:
    """What the item is: on a list, prohibited, a matter of the department's own people, or one for review."""

    result: Annotated[ListResult, Field("结果", "Result")]
    list_item: Annotated[str | None, Field("清单事项编码", "List item", longest=64)] = None
    reason: OptionalReason = None
    exception_reason: Exception_ = None


@command("审核进社区条件", "Check the conditions")
class CheckConditions:
    """Basic conditions of a unit, and who does what: 行政、自治、企业 (seed 000 §三(三)1)."""

    met: Annotated[tuple[str, ...], Prose("符合的条件", "Conditions met", shortest=0, longest=50)]
    unmet: Annotated[tuple[str, ...], Prose("不符合的条件", "Conditions not met", shortest=0, longest=50)]
    function_split: Annotated[str, Prose("行政、自治、企业职能划分", "Separation of functions")]


@command("提出意见", "Give an opinion")
class GiveOpinion:
    """A target community, or the office for finance, says what it thinks; silence is no opinion."""

    opinion: Annotated[Opinion, Field("意见", "Opinion")]
    text: OptionalText = None
    community: OneCommunity = None


@command("审批决定", "Decide")
class Decide:
    """The approving body decides on an application or a renewal; silence never approves."""

    outcome: Annotated[Outcome, Field("决定", "Outcome")]
    reason: OptionalReason = None
    scope: Annotated[str | None, Prose("准入范围", "Scope")] = None
    communities: Annotated[tuple[str, ...] | None, Community("社区", "Communities", shortest=1, longest=200)] = None
    valid_from: From = None
    valid_until: Until = None
    staffing: Staffing = None
    funding: OptionalFunding = None
    conditions: Annotated[str | None, Prose("附加条件", "Conditions")] = None
    ledgers: Annotated[Ledgers | None, Field("台账处理", "What becomes of the ledgers")] = None
    exception_reason: Exception_ = None


@command("申请复议", "Ask for reconsideration")
class Reconsider:
    """The applicant asks once more, once."""

    reason: Reason


# --- agreement, money, entry -----------------------------------------------------------------------------


@command("签订协议", "Sign the agreement")
class SignAgreement:
    """The applicant signs for every community (or one), each community for itself (项目协议书, seed 004 §二(三)2)."""

    community: OneCommunity = None
    file: Annotated[str | None, Attachment("协议文本", "File")] = None


@command("不接受条款", "Refuse the terms")
class RefuseTerms:
    """The community cannot do it so, for want of money or capacity; the office mediates."""

    reason: Reason


@command("变更准入批准", "Amend the permit")
class AmendPermit:
    """After mediation: `communities` are those that stay; those in mediation get the new terms."""

    communities: Communities
    terms: Annotated[str | None, Prose("变更后的条款", "Terms")] = None


@command("确认经费落实", "Confirm the funding")
class ConfirmFunding:
    """Money is promised or received (费随事转)."""

    asked_of_people: ClassVar = ("evidence",)

    kind: Annotated[FundingKind, Field("落实情况", "Kind")]
    evidence: Evidence = ()


@command("登记并进驻", "Register and enter")
class RegisterAndEnter:
    """The permit is shown and filed; from now on it is in force (登记备案, seed 000 §三(三)1)."""


# --- life of a permit ------------------------------------------------------------------------------------


@command("登记拨付", "Record a payment")
class RecordPayment:
    """An instalment was paid; the receipt was seen."""

    instalment: Number
    paid_on: Annotated[date, Field("到账日期", "Paid on")]
    receipt: Annotated[str, Attachment("收据", "Receipt")]


@command("暂停履行", "Suspend performance")
class SuspendPerformance:
    """Money is overdue for long: the community stops until it comes; the department's own clocks run on (S41)."""

    reason: Reason
    community: OneCommunity = None


@command("反映违规", "Report a breach")
class ReportBreach:
    """Work outside the scope, not as approved, or a ledger that nobody approved."""

    text: Text
    evidence: Evidence = ()
    community: OneCommunity = None
    ledgers: Annotated[tuple[str, ...], Prose("要求填报的台账", "Ledgers asked for", shortest=0, longest=20)] = ()


@command("责令限期整改", "Order rectification")
class OrderRectification:
    """Not operating as approved: to be put right by a day (限期整改, seed 000 §三(三)1)."""

    findings: Findings
    due_on: Annotated[date | None, Field("整改期限", "Due on")] = None


@command("延长整改期限", "Extend the rectification")
class ExtendRectification:
    """More time, once, before the first has run out."""

    to: Annotated[date, Field("延至", "To")]
    reason: Reason


@command("报告整改完成", "Report as rectified")
class ReportRectified:
    """The applicant asks for the re-inspection before the time has run out."""

    text: Text
    evidence: Evidence = ()


@command("整改验收合格", "Accept the rectification")
class AcceptRectification:
    """Re-inspected and in order."""

    text: Text


@command("提出撤销", "Propose the revocation")
class ProposeRevocation:
    """Not put right in time: the applicant is heard before the permit is revoked."""

    findings: Findings


@command("陈述申辩", "State views")
class StateViews:
    """What the applicant says to the proposal."""

    text: Text


@command("撤销准入", "Revoke")
class Revoke:
    """The permit is revoked (撤销准入资格, seed 000 §三(三)1)."""

    reason: Reason


@command("不予撤销", "Withdraw the proposal")
class WithdrawProposal:
    """The permit stays."""

    reason: Reason


@command("确认移交", "Confirm the hand-over")
class ConfirmHandOver:
    """What was left in the community has been handed over: by each community for itself, or by the office for all."""


@command("报告完成", "Report the completion")
class ReportCompletion:
    """The work is done; communities and office confirm (工作完成后撤销, seed 004 §二(三)2)."""

    text: Text


@command("确认完成", "Confirm the completion")
class ConfirmCompletion:
    """Each community confirms the deliverables, the office then that the money is settled."""

    community: OneCommunity = None


@command("申请续期", "Apply for renewal")
class ApplyRenewal:
    """Sixty to thirty days before the end: a shortened file, changes only."""

    valid_until: Annotated[date, Field("续期至", "Valid until")]
    changes: Annotated[str | None, Prose("变更内容", "Changes")] = None


@command("准予过渡期", "Grant an interim")
class GrantInterim:
    """The term runs on for a few days because the decision on a renewal is still open."""

    until: Annotated[date, Field("过渡至", "Until")]
    reason: Reason


@command("转入清单", "Transfer to a list")
class TransferToList:
    """The county's lists now hold the item, so it needs no permit any more."""

    list_item: Annotated[str, Field("清单事项编码", "List item", longest=64)]


# --- what other cases tell -------------------------------------------------------------------------------


@command("年检开始", "Inspection opened")
class InspectionOpened:
    """The yearly inspection of this permit began; sent by that case."""

    inspection: Annotated[str, Field("年检", "Inspection")]
    year: Annotated[int, Field("年度", "Year")]


@command("年检结论", "Inspection concluded")
class InspectionConcluded:
    """The yearly inspection has its conclusion; sent by that case. The share is in percent of valid answers."""

    inspection: Annotated[str, Field("年检", "Inspection")]
    year: Annotated[int, Field("年度", "Year")]
    outcome: Annotated[Literal["PASS", "RECTIFY", "PROPOSE_REVOKE"], Field("结论", "Outcome")]
    satisfied_share: Annotated[float | None, Field("满意率", "Satisfied, percent")] = None


@command("督查立案", "Supervision opened")
class SupervisionOpened:
    """A supervisor watches the rectification; sent by that case."""

    supervision: Annotated[str, Field("督查件", "Supervision case")]


@command("督查销号", "Supervision delisted")
class SupervisionDelisted:
    """The supervision case is over; sent by that case."""

    supervision: Annotated[str, Field("督查件", "Supervision case")]
