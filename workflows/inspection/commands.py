"""Commands of an inspection (年度检查评估), field by field, as in api.md (pure)."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from workflows.inspection.data import Outcome
from workflows.inspection.indicators import Planned
from workflows.kernel.fields import CaseRef, Field, Prose
from workflows.kernel.process import command

LARGEST_PANEL = 5000


@command("启动年检", "Open an inspection")
class OpenInspection:
    """The yearly inspection of a permit begins (seed 000 §三(三)1), by the calendar or by the office."""

    kept_from_people: ClassVar = ("permit_no", "variant", "applicant_org", "communities", "county", "year", "period")

    permit: Annotated[str, CaseRef("准入事项", "Permit", process="admission")]
    permit_no: Annotated[str, Field("批准文号", "Permit number", longest=60)] = ""
    variant: Annotated[str, Field("准入类型", "Variant", longest=20)] = ""
    applicant_org: Annotated[str, Field("申请单位", "Applicant", longest=64)] = ""
    communities: Annotated[tuple[str, ...], Field("社区", "Communities", longest=500)] = ()
    county: Annotated[str, Field("区县", "County", longest=12)] = ""
    year: Annotated[int, Field("年度", "Year", least=2000, most=2200)] = 0
    period: Annotated[str, Field("周期", "Period", longest=20)] = ""


@command("提交自查报告", "Submit the self report")
class SubmitSelfReport:
    """The admitted body reports on people, money and results of its year."""

    staff: Annotated[str, Prose("人员落实情况", "Staff", longest=5000)]
    funds: Annotated[str, Prose("经费落实情况", "Funds", longest=5000)]
    results: Annotated[str, Prose("工作成效", "Results", longest=5000)]


@command("组织下评上", "Open the ballot")
class OpenBallot:
    """A panel of the communities answers anonymously (seed 000 §三(三)2); one token for each assessor."""

    panel: Annotated[int, Field("评议人数", "Panel", least=1, most=LARGEST_PANEL)]
    indicators: Annotated[tuple[Planned, ...], Field("评议指标", "Indicators", longest=30)] = ()


@command("评议计票", "Tally the ballot")
class TallyBallot:
    """The time to answer is over; the counts come from where the answers are, without persons."""

    valid: Annotated[int, Field("有效票", "Valid", least=0)]
    satisfied: Annotated[int, Field("满意票", "Satisfied", least=0)]
    cells: Annotated[Mapping[str, int], Field("分档票数", "Answers by rating")]


@command("登记评议结果", "Record the result of a ballot")
class RecordBallotResult:
    """An assessment that was held elsewhere: its counts."""

    panel: Annotated[int, Field("评议人数", "Panel", least=1, most=LARGEST_PANEL)]
    valid: Annotated[int, Field("有效票", "Valid", least=0, most=LARGEST_PANEL)]
    satisfied: Annotated[int, Field("满意票", "Satisfied", least=0, most=LARGEST_PANEL)]


@command("登记实地检查", "Record the check on the spot")
class RecordSiteCheck:
    """What the office saw in the communities."""

    notes: Annotated[str, Prose("检查情况", "Notes", longest=10000)]


@command("作出年检结论", "Conclude the inspection")
class Conclude:
    """Result and opinion, reported upwards (seed 000 §三(三)2 评议结果和考核意见)."""

    outcome: Annotated[Outcome, Field("结论", "Outcome")]
    opinion: Annotated[str, Prose("考核意见", "Opinion", longest=5000)]
