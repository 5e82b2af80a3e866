"""Commands of a round of collection (排摸征集), field by field, as in api.md (pure)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from workflows.kernel.fields import Attachment, Category, Community, Contact, Field, Person, Prose
from workflows.kernel.process import command
from workflows.round.data import VisitKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Wisher:
    """Who wishes it, if he wants an answer (反映人)."""

    name: Annotated[str, Field("姓名", "Name", shortest=1, longest=50)]
    phone: Annotated[str | None, Field("电话", "Phone", longest=30)] = None
    wants_reply: Annotated[bool, Field("需要答复", "Wants a reply")] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A wish or problem told at a visit (意愿诉求); it becomes an issue."""

    title: Annotated[str, Prose("标题", "Title", longest=120)]
    description: Annotated[str, Prose("内容", "Description", longest=10000)]
    category_code: Annotated[str | None, Category("类别", "Category")] = None
    place_text: Annotated[str | None, Prose("地点", "Place", longest=200)] = None
    danger: Annotated[bool, Field("涉及危险", "Danger")] = False
    general_concern: Annotated[bool, Field("普遍关注", "General concern")] = False
    anonymous: Annotated[bool, Field("匿名", "Anonymous")] = False
    reporter: Annotated[Wisher | str | None, Contact("反映人", "Reporter")] = None
    hidden_from_lead: Annotated[bool, Field("对承办单位保密", "Hidden from the lead")] = False
    evidence: Annotated[tuple[str, ...], Attachment("证据", "Evidence", longest=20)] = ()


@command("安排征集", "Plan a round")
class PlanRound:
    """A round of the month begins (seed 001 §四1); the first by itself, extra ones by the committee."""

    kept_from_people: ClassVar = ("siblings", "covered", "priority")

    community_code: Annotated[str, Community("社区", "Community")]
    month: Annotated[str, Field("月份", "Month", shortest=7, longest=20)]
    siblings: Annotated[tuple[str, ...], Field("同月轮次", "Rounds of the same month", longest=100)] = ()
    covered: Annotated[bool, Field("同月已达标", "The month is covered")] = False
    priority: Annotated[bool, Field("优先", "Priority")] = False


@command("启动征集", "Open the round")
class OpenRound:
    """Who collects, by which plan, with how many households drawn by lot (随机走访)."""

    plan: Annotated[str, Prose("征集计划", "Plan")]
    collectors: Annotated[tuple[str, ...], Person("征集人员", "Collectors", shortest=1, longest=200)]
    sample: Annotated[int | None, Field("抽样户数", "Households to be drawn", least=0, most=2000)] = None
    exception_reason: Annotated[str | None, Prose("例外理由", "Reason for breaking a soft rule")] = None


@command("登记走访", "Record a visit")
class RecordVisit:
    """A household or unit was visited; each wish becomes an issue."""

    kind: Annotated[VisitKind, Field("走访类别", "Kind")]
    target: Annotated[str, Prose("走访对象", "Whom", longest=200)]
    at: Annotated[datetime, Field("走访时间", "When")]
    place: Annotated[str | None, Field("网格或楼栋", "Grid or building", longest=64)] = None
    refused: Annotated[bool, Field("拒访", "Refused")] = False
    notes: Annotated[str | None, Prose("走访记录", "Notes")] = None
    wishes: Annotated[tuple[Wish, ...], Field("意愿诉求", "Wishes", longest=50)] = ()


@command("结束征集", "Close the collection")
class CloseCollection:
    """Enough was visited; what was wished is put together (汇总)."""

    exception_reason: Annotated[str | None, Prose("例外理由", "Reason for breaking a soft rule")] = None


@command("发布问题清单", "Publish the problem list")
class PublishProblemList:
    """The month's problem list as it stands now, as a version that never changes (seed 001 §四1)."""


@command("免除征集", "Waive the round")
class Waive:
    """In an emergency of level III or higher, or by the street's order of that kind (S27)."""

    reason: Annotated[str, Prose("理由", "Reason")]
    order_no: Annotated[str | None, Field("指令文号", "Number of the order", shortest=1, longest=60)] = None


@command("同月轮次告知", "Another round was planned")
class SiblingPlanned:
    """Another round of this month begins; sent by that round."""

    round: Annotated[str, Field("轮次", "Round")]


@command("同月达标告知", "Another round is valid")
class SiblingValid:
    """Another round of this month has become valid; sent by that round."""

    round: Annotated[str, Field("轮次", "Round")]
