"""The table of everything a policy pack may say (参数表): type, unit, limits and titles of every key.

The loader refuses any other key. The sections are those of policy-packs.md; keys `clock.<process>.<code>` are
the rows of its clock register (§9) that have no name of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from workflows.kernel.calendar import Unit

ELAPSED = frozenset({Unit.HOURS, Unit.CALENDAR_DAYS, Unit.WORKING_DAYS, Unit.WORKING_HOURS})
HOURS = frozenset({Unit.HOURS, Unit.WORKING_HOURS})
EXACT_HOURS = frozenset({Unit.HOURS})
DAYS = frozenset({Unit.CALENDAR_DAYS, Unit.WORKING_DAYS})
STEPS = frozenset({Unit.HOURS, Unit.CALENDAR_DAYS, Unit.WORKING_DAYS})
MONTH = frozenset({Unit.MONTH})


class Kind(StrEnum):
    """What kind of value a key takes (值的类型)."""

    DURATION = "DURATION"
    COUNT = "COUNT"
    NUMBER = "NUMBER"
    RANGE = "RANGE"
    FLAG = "FLAG"
    TEXT = "TEXT"
    WORDS = "WORDS"
    SHARE = "SHARE"
    TIME_OF_DAY = "TIME_OF_DAY"
    DAY_OF_YEAR = "DAY_OF_YEAR"


class Tighter(StrEnum):
    """Which way a HARD value may still be moved by a pack below (从严方向)."""

    LOWER = "LOWER"
    HIGHER = "HIGHER"
    SAME = "SAME"


@dataclass(frozen=True, slots=True)
class Key:
    """One row of the table: what the key means, and what value it takes.

    `units` are those a duration may be given in, `choices` the words a text may be, `least` and `most` the
    limits of a number, `measure` what a number counts. For a flag LOWER means that `false` is the stricter.
    """

    name: str
    kind: Kind
    zh: str
    en: str
    units: frozenset[Unit] = frozenset()
    choices: tuple[str, ...] = ()
    least: float = 0
    most: float = 1_000_000_000
    measure: str = ""
    tighter: Tighter = Tighter.SAME


def _limit(name: str, zh: str, en: str, units: frozenset[Unit] = ELAPSED) -> Key:
    """A time in which somebody must act: shorter is stricter."""
    return Key(name, Kind.DURATION, zh, en, units=units, tighter=Tighter.LOWER)


def _period(name: str, zh: str, en: str, units: frozenset[Unit] = ELAPSED) -> Key:
    """A time that somebody is given: longer is stricter."""
    return Key(name, Kind.DURATION, zh, en, units=units, tighter=Tighter.HIGHER)


def _at_most(name: str, zh: str, en: str, measure: str, *, least: float = 0, most: float = 1_000_000) -> Key:
    return Key(name, Kind.COUNT, zh, en, measure=measure, least=least, most=most, tighter=Tighter.LOWER)


def _at_least(name: str, zh: str, en: str, measure: str, *, least: float = 0, most: float = 1_000_000) -> Key:
    return Key(name, Kind.COUNT, zh, en, measure=measure, least=least, most=most, tighter=Tighter.HIGHER)


def _percent(name: str, zh: str, en: str) -> Key:
    return Key(name, Kind.NUMBER, zh, en, measure="%", most=100, tighter=Tighter.HIGHER)


def _span(name: str, zh: str, en: str, measure: str) -> Key:
    return Key(name, Kind.RANGE, zh, en, measure=measure)


def _flag(name: str, zh: str, en: str, tighter: Tighter = Tighter.HIGHER) -> Key:
    return Key(name, Kind.FLAG, zh, en, tighter=tighter)


def _text(name: str, zh: str, en: str, *choices: str) -> Key:
    return Key(name, Kind.TEXT, zh, en, choices=choices)


def _words(name: str, zh: str, en: str, *choices: str) -> Key:
    return Key(name, Kind.WORDS, zh, en, choices=choices)


FREQUENCIES = ("weekly", "monthly", "quarterly", "yearly", "off")

MEMBER_CATEGORIES = (
    "PARTY_ORG_MEMBER",
    "RESIDENT_COMMITTEE_MEMBER",
    "DEPUTY_OR_DELEGATE",
    "RESIDENT_UNIT",
    "PRIVATE_ENTERPRISE",
    "TRADE_ASSOCIATION",
    "SOCIAL_ORG",
    "PROPERTY_COMPANY",
    "VETERAN",
    "SOCIAL_WORKER",
    "VOLUNTEER",
    "BUILDING_HEAD",
    "JOURNALIST",
    "OWNERS_COMMITTEE",
    "RESIDENT_REPRESENTATIVE",
    "INTERESTED_PARTY",
)

COLLECTORS = (
    "community_worker",
    "grid_worker",
    "building_head",
    "veteran",
    "volunteer",
    "unit_head",
    "cluster_head",
    "resident_group_head",
    "two_committees_member",
    "cwc_member",
)

COMMITTEE = (
    _flag("committee.exists", "设立社工委", "A community work committee exists"),
    _span("committee.size", "社工委委员人数", "Members of the committee", "people"),
    Key("committee.chair_count", Kind.COUNT, "主任人数", "Chairs", measure="people", least=1, most=1),
    _text("committee.chair_rule", "主任由谁担任", "Who is chair", "PARTY_SECRETARY", "ANY"),
    _span("committee.vice_count", "副主任人数", "Vice chairs", "people"),
    _text(
        "committee.epc_overlap",
        "与大党委委员交叉任职",
        "Members who may also sit on the extended party committee",
        "CHAIR_AND_VICE",
        "ALLOWED",
        "FORBIDDEN",
    ),
    _words("committee.categories", "委员来源类别", "Categories of members", *MEMBER_CATEGORIES),
    _text("committee.interested_party_mode", "利益涉事方参与方式", "Interested parties", "AD_HOC", "SEATED"),
    _words("formation.ways", "产生方式", "Ways to be nominated", "VOLUNTEER_CALL", "SELF", "RESIDENT", "UNIT"),
    _period("formation.call", "征集期限", "Call for nominations"),
    _flag("formation.party_meeting", "须经社区党组织会议讨论决定", "A party-organisation meeting decides"),
    _text(
        "formation.street_action",
        "街道党(工)委的办理方式",
        "What the subdistrict party committee does",
        "APPROVE_AND_FILE",
        "FILE_ONLY",
        "NONE",
    ),
    _limit("formation.street_due", "街道审批备案时限", "Approval and filing by the subdistrict"),
    _period("notice.member.days", "委员人选公示期", "Public notice of members", DAYS),
    _words(
        "notice.area",
        "公示范围",
        "Where notices are posted",
        "COMMUNITY_AREA",
        "COMMUNITY_BOARD",
        "STREET_SITE",
    ),
    _text("certificate.template", "聘书样式", "Form of the certificate", "UNIFIED", "FREE"),
    _text("member.term", "委员任期", "Term of members", "NONE", "RESIDENT_COMMITTEE_TERM"),
    _text("member.exit_approver", "退出由谁审批", "Who approves an exit", "COMMUNITY_PARTY_ORG"),
    _text("member.dismiss_by", "解聘由谁决定", "Who dismisses", "COMMUNITY_PARTY_ORG"),
    _at_most("member.absence_limit", "连续缺席提示次数", "Absences in a row before a review", "times", least=1),
    _limit("vacancy.fill", "增补时限", "Filling a vacancy"),
    _flag("liaison_leader", "县处级领导联系社工委", "A county leader contacts each committee"),
)

ISSUE = (
    _words("issue.modes", "办理方式", "Handling modes", "IMMEDIATE", "TIME_LIMITED", "SCHEDULED"),
    _limit("issue.triage.due", "受理分办时限", "Triage"),
    _limit("issue.response.due", "首次联系时限", "First contact with the reporter"),
    _limit("issue.verify.due", "核实时限", "Verification on site"),
    _limit("issue.mode.immediate.urgent", "即时办结(紧急)时限", "Immediate handling, urgent", HOURS),
    _limit("issue.mode.immediate.due", "即时办结时限", "Immediate handling", HOURS),
    _limit("issue.mode.limited.simple", "限时办结(一般)时限", "Time-limited handling, simple"),
    _limit("issue.mode.limited.complex", "限时办结(复杂)时限", "Time-limited handling, complex"),
    _limit("issue.mode.limited.consult", "限时办结(咨询)时限", "Time-limited handling, consulting"),
    _limit("issue.sign.due", "签收时限", "Signing for an order"),
    _limit("issue.sign.department", "部门签收时限", "Signing for a referral, departments"),
    _limit("issue.return.window", "退单期限", "Returning an order"),
    _at_most("issue.return.max", "退单次数上限", "Returns of an order", "times", most=10),
    _at_most("issue.extension.max", "延期次数上限", "Extensions", "times", most=10),
    Key(
        "issue.extension.length",
        Kind.NUMBER,
        "每次延期占原时限的最大比例",
        "Longest extension as a share of the original time",
        measure="ratio",
        most=10,
        tighter=Tighter.LOWER,
    ),
    _limit("issue.suspend.review", "挂账复查周期", "Review of a suspension"),
    _limit("issue.suspend.max", "挂账最长期限", "Longest suspension"),
    _limit("issue.plan.due", "制定措施和计划时限", "Measures and plan"),
    _limit("issue.review.due", "办结核查时限", "Review of a completion"),
    _limit("issue.feedback.due", "结果反馈时限", "Feedback of the result"),
    _words(
        "issue.feedback.modes",
        "反馈方式",
        "Ways of feedback",
        "PUBLIC",
        "INDIVIDUAL",
        "CENTRALIZED",
        "ANYTIME",
    ),
    _period("issue.public_result.min", "结果公示最短期限", "Least time of a public result", DAYS),
    _limit("issue.return_visit.due", "回访时限", "Return visit"),
    _at_least("issue.return_visit.attempts", "回访联系次数", "Attempts to reach the reporter", "times", least=1),
    _period("issue.reopen.window", "重新打开期限", "Reopening a closed issue", DAYS),
    _at_most("issue.reopen.max_auto", "不经督查的重办次数", "Reworks without the supervisor", "times", most=10),
    Key(
        "issue.rework.share",
        Kind.NUMBER,
        "重办时限占原时限的比例",
        "Time of a rework as a share of the original time",
        measure="ratio",
        most=1,
        tighter=Tighter.LOWER,
    ),
    _period("issue.rework.min", "重办最短时限", "Least time of a rework", frozenset({Unit.WORKING_DAYS})),
    _limit("issue.info_wait.max", "等待补充信息最长期限", "Longest wait for the reporter's information"),
    _period("issue.remind_before", "到期前提醒(蓝色)", "Reminder before the end (BLUE)", STEPS),
    _limit("issue.red_after", "逾期转红色", "From the end to RED", STEPS),
    _limit("issue.red_after_hours", "小时类时限逾期转红色", "From the end to RED, hour clocks", EXACT_HOURS),
    _limit("issue.red_street_max", "红色在街道的最长期限", "Longest RED before the county is told"),
    _limit("issue.overall.max", "全程最长期限", "Longest life of an issue"),
    Key(
        "issue.moderate.amount",
        Kind.NUMBER,
        "有一定难度:金额标准",
        "Moderate difficulty: money",
        measure="CNY",
        tighter=Tighter.LOWER,
    ),
    _at_most("issue.moderate.households", "有一定难度:涉及户数", "Moderate difficulty: households", "households"),
    _at_most("issue.carry_over.max", "连续未上会提级次数", "Months not reached before raising", "times", least=1),
    _at_most("issue.topic_return.max", "议题退回次数上限", "Returns of a topic", "times", most=10),
    _at_most("issue.agenda.missed_max", "议题超期提级次数", "AGENDA breaches before raising", "times", least=1),
    _flag("issue.listing", "挂牌销号", "Public listing of what is not solved"),
    _flag("supervision.require_satisfaction", "销号须群众满意", "Delisting needs the reporter's satisfaction"),
    _text("issue.public_channel", "公众渠道", "Channel for the public", "API", "NONE"),
    _limit("clock.issue.transfer", "转社区接收时限", "Receiving community answers a transfer"),
    _limit("clock.issue.designate", "街道指定时限", "Designation by the subdistrict"),
    _limit("clock.issue.agenda", "上会时限", "Getting on an agenda", MONTH),
    _limit("clock.issue.refer_reply", "部门答复时限", "Department answers a referral"),
    _limit("clock.issue.attend.emergency", "吹哨报到(应急)时限", "Arrival when called, emergency"),
    _limit("clock.issue.attend.enforcement", "吹哨报到(联合执法)时限", "Arrival when called, joint enforcement"),
    _limit("clock.issue.attend.hard", "吹哨报到(难题)时限", "Arrival when called, hard problem"),
    _limit("clock.issue.dispute", "争议裁定时限", "Supervisor decides a disputed visit"),
    _period("clock.issue.object_decline", "不予受理异议期限", "Objection to a decline"),
    _limit("clock.supervision.list", "挂牌时限", "Listing"),
    _limit("clock.supervision.rectify", "挂牌整改最长期限", "Longest time to put right what is listed"),
    _limit("clock.supervision.verify", "销号核查时限", "Check before delisting"),
    _limit("clock.supervision.reply", "督办单回复时限", "Reply to a supervision order"),
    _limit("clock.exclusion.decide", "剔除申请裁定时限", "Decision on an exclusion"),
    _period("clock.exclusion.appeal", "剔除决定申诉期限", "Appeal against an exclusion"),
)

BODIES = (
    ("two_committees", "两委会议", "two committees"),
    ("epc", "大党委会议", "extended party committee"),
    ("pjm", "党建联席会议", "joint meeting"),
    ("cwc", "社工委会议", "community work committee"),
    ("rra", "居民代表会议", "residents' representatives"),
    ("assembly", "居民会议", "residents' assembly"),
    ("party_members", "党员大会", "party members"),
    ("spc", "街道党(工)委会议", "subdistrict party committee"),
)


CONSENSUS_BODIES = frozenset({"pjm", "cwc"})


def _body(name: str, zh: str, en: str) -> tuple[Key, ...]:
    decides = (
        Key(f"meeting.quorum.{name}", Kind.SHARE, f"{zh}法定人数", f"Quorum of the {en}"),
        _text(f"meeting.decision_mode.{name}", f"{zh}决定方式", f"How the {en} decides", "VOTE", "CONSENSUS"),
    )
    if name in CONSENSUS_BODIES:
        return decides
    return (
        *decides,
        Key(f"meeting.pass.{name}", Kind.SHARE, f"{zh}通过比例", f"Majority of the {en}"),
        _text(f"meeting.pass_base.{name}", f"{zh}计票基数", f"Majority base, {en}", "ATTENDING", "MEMBERSHIP"),
    )


MEETING = (
    _at_least("round.min_per_month", "每月排摸征集次数", "Collection rounds a month", "times", most=31),
    _words("round.collectors", "征集人员", "Who collects", *COLLECTORS),
    _at_least("round.min_household_visits", "每轮最少走访户数", "Least household visits of a round", "visits"),
    _at_least("round.min_unit_visits", "每轮最少走访单位数", "Least unit visits of a round", "visits"),
    _span("round.remind_days", "月度征集提醒日", "Days of the month with a reminder", "day"),
    _text("meeting.epc.frequency", "大党委会议频次", "Extended party committee meets", *FREQUENCIES),
    _text("meeting.pjm.frequency", "党建联席会议频次", "Joint meeting meets", *FREQUENCIES),
    _text("meeting.weekly", "每周例会", "Weekly meeting", *FREQUENCIES),
    _text("meeting.group_heads", "居民小组长例会", "Meeting of group heads", *FREQUENCIES),
    _period("meeting.notice", "会议通知提前时间", "Notice before a meeting", EXACT_HOURS),
    _period("meeting.agenda_freeze", "议程确定提前时间", "Agenda is fixed before a meeting", EXACT_HOURS),
    _period("meeting.pjm.topic_call", "联席会议征集议题提前时间", "Call for topics before a joint meeting", DAYS),
    _limit("meeting.minutes.due", "会议纪要时限", "Minutes"),
    _limit("meeting.makeup", "补会期限", "Making up a missed meeting"),
    _period("meeting.reminder", "会前提醒提前时间", "Reminder before a meeting", EXACT_HOURS),
    _period("meeting.quorum_wait", "等待到会人数时间", "Wait for the quorum after the set time", EXACT_HOURS),
    _period("meeting.reconvene_notice", "重新召集通知提前时间", "Notice before a reconvened meeting", EXACT_HOURS),
    _at_most("meeting.postpone_max", "会议改期次数上限", "Postponements of a meeting", "times", most=10),
    _at_most("meeting.slot_reminder", "当月未排会提醒日", "Reminder that no meeting is set", "day", least=1, most=28),
    _at_most(
        "meeting.slot_street", "当月未排会报街道日", "Street told that no meeting is set", "day", least=1, most=28
    ),
    *(key for body in BODIES for key in _body(*body)),
    Key(
        "meeting.quorum.epc_personnel",
        Kind.SHARE,
        "大党委会议人事事项到会比例",
        "Attendance of the extended party committee for personnel matters",
    ),
    Key(
        "meeting.quorum.spc_personnel",
        Kind.SHARE,
        "街道党(工)委会议人事事项到会比例",
        "Attendance of the subdistrict party committee for personnel matters",
    ),
    _flag("meeting.interested_party", "相关利益方须参加", "Interested parties take part"),
    _flag(
        "meeting.call_control",
        "召集社区开会须经街道同意",
        "The subdistrict agrees to meetings called by others",
    ),
    _at_most("meeting.defer_max", "缓议次数上限", "Deferrals of a topic", "times", most=10),
    _at_least("meeting.epc.default_day", "大党委会议默认日", "Default day of the month", "day", least=1, most=28),
    _at_least("meeting.min_eligible", "回避后最少表决人数", "Least voters after recusals", "people", least=1),
    Key("meeting.min_eligible_share", Kind.SHARE, "回避后最少表决比例", "Least share of voters after recusals"),
    _flag("meeting.recused_excluded", "回避人员不计入基数", "Recused members are not counted"),
    _text(
        "meeting.monthly_satisfied_by",
        "每月会议由何会满足",
        "What satisfies the month",
        "EPC_ONLY",
        "EPC_OR_PJM",
    ),
    _limit("notice.objection.due", "公示异议处理时限", "Answer to an objection"),
    _period("notice.general.days", "一般公示期", "Public notice of other matters", DAYS),
)

ADMISSION = (
    _flag("admission.enabled", "社区准入", "Admission is needed"),
    _words("admission.subject", "准入对象", "What is admitted", "UNIT", "WORK_ITEM"),
    _text("admission.reviewer", "准入审核机构", "Who reviews", "LEADING_GROUP_OFFICE", "COORDINATION_BODY"),
    _text("admission.approver", "准入审批机构", "Who approves", "BY_APPLICANT_LEVEL", "LEADING_GROUP_OFFICE"),
    _flag("admission.list_check", "对照两项清单审核", "Check against the two lists"),
    _text("admission.lists_level", "清单制定层级", "Level that makes the lists", "COUNTY", "CITY"),
    _period("admission.lead", "准入申请提前时间", "Apply before the planned start"),
    _limit("admission.completeness", "准入材料审核时限", "Check of completeness"),
    _limit("admission.review", "准入审批时限", "Decision"),
    _flag("admission.tacit_approval", "逾期视为同意", "Silence means approval", Tighter.LOWER),
    _words("admission.agreement", "须签项目协议书的对象", "Agreement needed for", "UNIT", "WORK_ITEM"),
    _text("admission.funding_gate", "费随事转到位要求", "Money before entry", "NONE", "COMMITTED", "RECEIVED"),
    _at_most("admission.term.max", "准入最长期限", "Longest permit", "months", least=1),
    _text("admission.inspection", "准入年检频次", "Inspection of permits", *FREQUENCIES),
    _at_most("admission.inspection.item_term", "须年检的事项期限", "Items inspected from this term", "months"),
    _at_most("admission.inspection.min_active", "须年检的在册天数", "Inspected when active for", "days", most=366),
    _text("admission.upward_assessment", "下评上频次", "Upward assessment", *FREQUENCIES),
    _limit("admission.rectify", "准入整改期限", "Rectification of an admission"),
    _at_most("admission.rectify_extensions", "准入整改延期次数", "Extensions of a rectification", "times", most=10),
    _text("admission.revoker", "撤销机构", "Who revokes", "LEADING_GROUP_OFFICE", "COORDINATION_BODY"),
    _at_least("admission.reapply_ban", "撤销后不得再申请", "No new application after revocation", "months"),
    Key("admission.inspection.open", Kind.DAY_OF_YEAR, "年检开始日", "Inspections open"),
    Key("admission.inspection.conclude", Kind.DAY_OF_YEAR, "年检截止日", "Inspections end"),
    _span("admission.renewal.window", "续期申请期(到期前天数)", "Renewal, days before the end", "days"),
    _at_most("admission.interim.max", "续期未决时的过渡期", "Interim while a renewal is open", "days", most=366),
    _span("admission.expiry.remind", "到期提醒(到期前天数)", "Reminders, days before the end", "days"),
    _flag("admission.refusal_right", "未经准入可拒绝执行", "The community may refuse"),
    _flag("admission.emergency_entry", "应急先进后批", "Enter first, file later in an emergency", Tighter.LOWER),
    _flag(
        "admission.other_modes_require_approval",
        "自派人员等方式也须审批",
        "Other delivery modes need approval",
    ),
    _words(
        "admission.prohibited_kinds",
        "不得下派的事项",
        "What may not be handed down",
        "INVESTMENT_ATTRACTION",
        "TAX_ASSISTANCE",
        "ECONOMIC_TARGET",
        "ENFORCEMENT",
        "DEMOLITION",
        "ENVIRONMENT_REMEDIATION",
        "CITY_MANAGEMENT",
    ),
    _text("assessment.unified_index", "统一考核指标层级", "Level of the one index", "COUNTY", "CITY"),
    _flag("assessment.veto", "一票否决", "Veto indicators", Tighter.LOWER),
    _flag("assessment.single_department", "部门单独考核", "Departments assess separately", Tighter.LOWER),
    _percent("assessment.satisfaction_weight", "群众满意度权重", "Weight of residents' satisfaction"),
    _at_least("assessment.min_valid", "有效票最低数", "Least valid ballots", "ballots"),
    _percent("assessment.min_valid_share", "有效票最低比例", "Least share of valid ballots"),
    _percent("assessment.upward.threshold", "下评上满意度下限", "Least satisfaction in upward assessment"),
    _period("assessment.extend", "评议票不足时延长", "Longer collection when ballots are too few", DAYS),
    _at_least(
        "assessment.min_cell", "评议结果最小公布单元", "Answers below which a cell is hidden", "answers", least=1
    ),
    _at_most(
        "burden.alarm.items", "社区在办准入事项预警数", "Admitted items before the burden alarm", "items", least=1
    ),
    _at_most("burden.alarm.forms", "社区台账报表预警数", "Forms and ledgers before the burden alarm", "forms", least=1),
    _at_most("burden.alarm.hours", "社区每月工时预警数", "Hours a month before the burden alarm", "hours", least=1),
    _text("certificate.lists", "证明清单制定层级", "Who makes the certificate list", "COUNTY_THEN_CITY", "CITY"),
    _flag("certificate.national_negative_list", "执行国家不应出具证明清单", "The national negative list applies"),
    _flag("seal.only_listed", "仅清单内事项可用印", "Seal only what is listed"),
    _flag("four_cancellations", "四取消", "Four cancellations"),
    _words(
        "signs.allowed",
        "可挂的牌子",
        "Signs allowed",
        "PARTY",
        "SELF_GOVERNANCE",
        "CHINA_COMMUNITY",
        "SERVICE_CENTRE",
    ),
)

OTHER = (
    _span("grid.households", "网格户数", "Households of a grid", "households"),
    _span("grid.workers", "网格员人数", "Workers of a grid", "people"),
    _flag("grid.coverage", "网格全覆盖", "Every place lies in a grid"),
    _flag("grid.publish", "网格图表公布", "Grid chart is published"),
    _at_most("group.households", "居民小组户数", "Households of a resident group", "households", least=1),
    _words("net.levels", "网格层级", "Levels of the nets", "GRID", "BASE_UNIT", "CLUSTER", "RESIDENT_GROUP"),
    _flag("ledger.books", "四本台账", "The four ledgers are kept", Tighter.LOWER),
    _flag("ledger.unit_book", "驻社区单位台账", "The ledger of units is kept", Tighter.LOWER),
    _at_most("staff.ratio", "每名专职社区工作者服务户数", "Households per community worker", "households", least=1),
    _at_least("staff.min", "专职社区工作者最少人数", "Least community workers", "people"),
    _text("staff.appraisal", "社区工作者考核频次", "Appraisal of workers", *FREQUENCIES),
    _text("funds.work", "工作经费管理", "Work funds", "RECORD_ONLY", "OFF"),
    _words("dual_registration.scope", "双报到范围", "Who registers", "UNITS", "PEOPLE"),
    _text("dual_registration.review", "双报到评议频次", "Review of registrations", *FREQUENCIES),
    _words("emergency.chain", "应急机制环节", "Links of the chain", "DETECT", "CALL", "GRADE", "RESPOND"),
    _words("emergency.levels", "应急响应级别", "Response levels", "IV", "III", "II", "I"),
    _words("commendation.order", "表彰程序顺序", "Order of the bodies", "EPC", "RRA", "SPC"),
    _period("commendation.notice", "表彰公示期", "Notice of a commendation"),
    _flag("commendation.requires_project_approval", "评比须列入批准项目", "Needs an approved appraisal project"),
    _words(
        "consultation.forms",
        "协商形式",
        "Forms of consultation",
        "SPECIAL_COUNCIL",
        "BOARD",
        "ESTATE",
        "OWNERS",
        "HEARING",
        "APPRAISAL",
    ),
    _flag("four_deliberations", "四议两公开一监督", "Four deliberations, two publications"),
    _period("four_deliberations.notice", "决议和结果公开期", "Publication of resolution and result", DAYS),
    _words("rollout.stages", "推行阶段", "Stages of the roll-out", "PILOT", "FULL", "CONSOLIDATE"),
    Key("calendar.business_open", Kind.TIME_OF_DAY, "上班时间", "Business hours begin"),
    Key("calendar.business_close", Kind.TIME_OF_DAY, "下班时间", "Business hours end"),
)

REGISTER = (
    _limit("clock.round.month", "月度征集", "The month of a round", MONTH),
    _limit("clock.round.consolidate", "汇总时限", "Consolidation"),
    _limit("clock.cadence.slot", "月度会议", "The month of a meeting", MONTH),
    _limit("clock.meeting.slot", "例会月度期限", "Month in which a body must meet", MONTH),
    _limit("clock.meeting.held", "会议召开期限", "Month in which a meeting must be held", MONTH),
    _limit("clock.meeting.reconvene", "重新召集期限", "Reconvening"),
    _limit("clock.admission.applicant", "补正期限", "Correction by the applicant"),
    _period("clock.admission.reconsider", "申请复议期限", "Asking for reconsideration"),
    _limit("clock.admission.opinion", "社区意见时限", "Opinion of the community"),
    _limit("clock.admission.agree", "签协议时限", "Agreement"),
    _limit("clock.admission.mediate", "协调时限", "Mediation of terms"),
    _limit("clock.admission.fund", "经费落实时限", "Funding"),
    _limit("clock.admission.settle", "结清时限", "Settlement"),
    _period("clock.admission.suspend_right", "可暂停履行前的等待期", "Wait before performance may stop"),
    _period("clock.admission.statement", "陈述申辩期限", "Statement before revocation"),
    _limit("clock.admission.hand_over", "移交期限", "Hand-over"),
    _limit("clock.admission.late_file", "应急补报时限", "Filing after emergency entry"),
    _limit("clock.inspection.self_report", "自查报告时限", "Self report"),
    _limit("clock.refusal.check", "来件核对时限", "Check of an incoming task"),
    _limit("clock.refusal.arbitrate", "裁定时限", "Arbitration"),
    _limit("clock.formation.shortlist", "确定人选时限", "Shortlist"),
    _limit("clock.formation.investigate", "异议调查时限", "Investigation of an objection"),
    _limit("clock.formation.appoint", "聘任时限", "Appointment"),
    _limit("clock.membership.decide", "退出审批时限", "Decision on an exit"),
    _period("clock.membership.statement", "解聘陈述期限", "Statement before dismissal"),
    _limit("clock.membership.decide_dismissal", "解聘决定时限", "Decision on a dismissal"),
    _limit("clock.membership.file", "解聘备案时限", "Filing of a dismissal"),
    _limit("clock.membership.acting_max", "代理主任最长期限", "Longest acting chair"),
    _limit("clock.membership.reappoint", "换届聘任时限", "Re-appointment"),
    _limit("clock.registration.confirm", "报到确认时限", "Confirming a registration"),
    _limit("clock.registration.reply", "匹配答复时限", "Answer to a match"),
    _limit("clock.registration.confirm_service", "服务确认时限", "Confirming a service"),
    Key("registration.review.open", Kind.DAY_OF_YEAR, "双报到评议开始日", "Yearly review opens"),
    Key("registration.review.conclude", Kind.DAY_OF_YEAR, "双报到评议截止日", "Yearly review ends"),
    _limit("clock.emergency.call", "社区呼叫时限", "Call in an emergency", EXACT_HOURS),
    _limit("clock.emergency.grade", "应急分级时限", "Grading of an emergency", EXACT_HOURS),
    _limit("clock.emergency.report", "应急首报时限", "First report to the subdistrict", EXACT_HOURS),
    _limit("clock.emergency.report_urgent", "应急首报时限(三级以上)", "First report, level III and above", EXACT_HOURS),
    _limit("clock.emergency.ack", "应急任务确认时限", "Acknowledging a task in an emergency", EXACT_HOURS),
    _limit("clock.emergency.situation", "应急续报间隔", "Reports during an emergency", EXACT_HOURS),
    _limit("clock.emergency.review", "应急复盘时限", "Review of an emergency"),
    _limit("clock.commendation.verify", "表彰核实时限", "Verification of a nomination"),
    _limit("clock.commendation.street", "街道决定时限", "Decision of the subdistrict"),
    _period("clock.assessment.collect", "评议投票期", "Collection of ballots"),
    _limit("clock.assessment.review", "评议审核时限", "Review of a tally"),
    _period("clock.assessment.object", "评议异议期限", "Objection to a report"),
    _limit("clock.assessment.recheck", "评议复核时限", "Recheck"),
    _limit("clock.consultation.screen", "协商受理时限", "Screening of a proposal"),
    _period("clock.consultation.inform", "协商材料提前告知", "Material before a session"),
    _limit("clock.consultation.publish", "协商结果公布时限", "Publication of the result"),
    _limit("clock.consultation.second_round", "第二轮协商时限", "Second round"),
    _limit("clock.consultation.question", "决议质询答复时限", "Answer to a question"),
    _limit("clock.certificate.fact", "证明核实时限", "Check of facts"),
    _limit("clock.clearing.classify", "清理分类时限", "Classification of a burden"),
    _limit("clock.clearing.verify", "清理核查时限", "Check of a cancellation"),
    _limit("clock.grid.publish", "网格图表公布时限", "Publication of the chart"),
    _limit("clock.rollout.fix", "整改时限", "Putting findings right"),
    _limit("clock.mediation.mediate", "调解期限", "Mediation"),
    _limit("clock.mediation.follow_up", "调解回访时限", "Follow-up of an agreement"),
)

# How long personal data are kept (data-model §7.4): shorter is stricter.
PRIVACY_DAYS = frozenset({Unit.CALENDAR_DAYS})
PRIVACY = (
    _limit("retention.contact", "办结后联系方式保存期", "Contact details after a case is closed", PRIVACY_DAYS),
    _limit("retention.visit_notes", "走访记录保存期", "Notes of a visit", PRIVACY_DAYS),
    _limit("retention.ballot_tokens", "评议票名单保存期", "Tokens of a ballot after its end", PRIVACY_DAYS),
    _limit("retention.emergency", "应急解除后个人信息保存期", "Personal data after an emergency", PRIVACY_DAYS),
    _limit("retention.loose_files", "未提交附件保存期", "Files that no command named", PRIVACY_DAYS),
)

KEYS: Mapping[str, Key] = MappingProxyType(
    {key.name: key for key in (*COMMITTEE, *ISSUE, *MEETING, *ADMISSION, *OTHER, *REGISTER, *PRIVACY)}
)

# Pairs that must stay in order in a finished pack: the first is never more than the second.
AT_MOST: tuple[tuple[str, str], ...] = (
    ("issue.mode.immediate.urgent", "issue.mode.immediate.due"),
    ("issue.mode.limited.consult", "issue.mode.limited.simple"),
    ("issue.mode.limited.simple", "issue.mode.limited.complex"),
    ("issue.suspend.review", "issue.suspend.max"),
    ("issue.sign.due", "issue.sign.department"),
    ("admission.inspection.open", "admission.inspection.conclude"),
    ("registration.review.open", "registration.review.conclude"),
    ("calendar.business_open", "calendar.business_close"),
)
