"""Columns of the tables that are given as files, with their headings (表头)."""

from services.api.tables import Column, Says

PROBLEMS = (
    Column("number", "编号", "Number"),
    Column("title", "诉求", "Issue"),
    Column("category_code", "类别", "Category", Says.NAME),
    Column("mode", "办理方式", "Handling mode", Says.CODE, "HandlingMode"),
    Column("difficulty", "难易程度", "Difficulty", Says.CODE, "Difficulty"),
    Column("level", "处理层级", "Level", Says.CODE),
    Column("lead_org_name", "牵头单位", "Responsible organisation"),
    Column("state", "状态", "State", Says.STATE, "issue"),
    Column("opened_at", "登记时间", "Registered at", Says.MOMENT),
    Column("next_due_at", "下一时限", "Next due", Says.MOMENT),
    Column("closed_at", "办结时间", "Closed at", Says.MOMENT),
    Column("color", "督办", "Colour", Says.CODE),
)
COVERAGE = (
    Column("kind", "类别", "Kind", Says.CODE, "Covered"),
    Column("code", "编号", "Code"),
    Column("name", "名称", "Name"),
    Column("grid", "所属网格", "Grid"),
    Column("households", "户数", "Households"),
    Column("household_visits", "走访户次", "Household visits"),
    Column("unit_visits", "走访单位", "Unit visits"),
    Column("other_visits", "其他走访", "Other visits"),
    Column("refused", "拒访", "Refused"),
    Column("wishes", "诉求", "Wishes"),
    Column("standing", "情况", "Standing", Says.CODE, "Covered"),
)
MEASURES = (
    Column("name", "指标", "Figure"),
    Column("value", "数值", "Value"),
    Column("part", "分子", "Part"),
    Column("whole", "分母", "Whole"),
    Column("formula", "算法", "Formula"),
    Column("raw_value", "剔除前", "Before exclusions"),
)
AGENDA = (
    Column("number", "编号", "Number"),
    Column("title", "议题", "Topic"),
    Column("level", "层级", "Level", Says.CODE),
    Column("why", "上会理由", "Why it is there"),
    Column("lead_org_name", "牵头单位", "Responsible organisation"),
    Column("next_due_at", "下一时限", "Next due", Says.MOMENT),
    Column("color", "督办", "Colour", Says.CODE),
)
PROJECTS = (
    Column("number", "编号", "Number"),
    Column("title", "项目", "Project"),
    Column("measures", "工作措施", "Measures"),
    Column("lead_org_name", "牵头单位", "Responsible organisation"),
    Column("helper_orgs", "协办单位", "Helping organisations", Says.NAME),
    Column("budget", "预算(元)", "Budget in CNY"),
    Column("funding_source", "资金来源", "Source of funds"),
    Column("due_on", "完成期限", "Due on"),
    Column("milestones", "节点", "Milestones"),
    Column("state", "状态", "State", Says.STATE, "issue"),
    Column("color", "督办", "Colour", Says.CODE),
)
OVERDUE = (
    Column("number", "编号", "Number"),
    Column("title", "事项", "Case"),
    Column("community", "社区", "Community", Says.NAME),
    Column("clock", "时限", "Deadline", Says.CLOCK),
    Column("owner_name", "责任单位", "Owed by"),
    Column("supervisor_name", "督办单位", "Supervised by"),
    Column("due_at", "到期", "Due", Says.MOMENT),
    Column("since", "超期起", "Overdue since", Says.MOMENT),
    Column("color", "督办", "Colour", Says.CODE),
)
ROSTER = (
    Column("name", "姓名", "Name"),
    Column("post", "职务", "Post", Says.CODE, "Post"),
    Column("category", "类别", "Category", Says.CODE, "Category"),
    Column("org", "单位", "Organisation"),
    Column("status", "状态", "Status", Says.CODE),
    Column("since", "起", "Since"),
    Column("until", "止", "Until"),
    Column("cert_no", "聘书号", "Certificate"),
)
ROLLOUT = (
    Column("community_id", "社区代码", "Code"),
    Column("name", "社区", "Community"),
    Column("state", "状态", "State", Says.CODE, "Rollout"),
    Column("members", "委员人数", "Members"),
    Column("missing", "缺项", "Missing", Says.CODE, "Lacking"),
)
CARRIED = (
    Column("permit_no", "批准文书号", "Permit"),
    Column("item_name", "事项", "Item"),
    Column("applicant_name", "单位", "Organisation"),
    Column("since", "起", "Since"),
    Column("until", "止", "Until"),
    Column("hours_month", "每月工时", "Hours a month"),
    Column("forms", "报表台账", "Forms and ledgers"),
    Column("promised", "落实经费(元)", "Promised, CNY"),
    Column("paid", "已拨付(元)", "Paid, CNY"),
)
