"""Commands about an incoming task (来件、拒绝执行), field by field, as in api.md (pure)."""

from collections.abc import Mapping
from typing import Annotated, Any

from workflows.kernel.fields import CaseRef, Community, Field, Organization, Prose
from workflows.kernel.process import command
from workflows.refusal.data import Nature, Ruling

Reason = Annotated[str, Prose("理由", "Reason", longest=5000)]


@command("登记来件", "Log an incoming task")
class LogIncomingTask:
    """A department asks something of the community, by whatever way (seed 004 §二(三)2)."""

    community_code: Annotated[str, Community("社区", "Community")]
    department: Annotated[str, Organization("来件单位", "Department")]
    text: Annotated[str, Prose("来件内容", "Text", longest=5000)]
    form: Annotated[str | None, Prose("来件方式", "Form", longest=200)] = None
    nature: Annotated[Nature, Field("来件性质", "Nature")] = Nature.ORDINARY


@command("自动核对", "Check coverage")
class CheckCoverage:
    """What lists and permits say today; sent by the system with the answer of the question."""

    allowed: Annotated[bool, Field("在清单或已准入", "Covered")]
    because: Annotated[str, Field("依据", "Because", longest=40)]
    permit_no: Annotated[str | None, Field("批准文号", "Permit number")] = None
    admission: Annotated[str | None, Field("准入事项", "Admission")] = None
    list_item: Annotated[Mapping[str, Any] | None, Field("清单事项", "Entry of a list")] = None
    near: Annotated[tuple[Mapping[str, Any], ...], Field("近似事项", "Near entries")] = ()
    versions: Annotated[Mapping[str, int] | None, Field("清单版本", "Versions of the lists")] = None


@command("拒绝执行", "Refuse")
class Refuse:
    """Neither on a list nor admitted: the two committees need not do it (seed 004 §二(三)2 可拒绝执行)."""

    reason: Reason


@command("自愿承担", "Accept voluntarily")
class AcceptVoluntarily:
    """The two committees decide to do it all the same, and note people and money."""

    decision: Annotated[str, Prose("两委决定", "Decision", longest=5000)]
    staff_note: Annotated[str, Prose("人员情况", "Note on staff", longest=1000)]
    money_note: Annotated[str, Prose("经费情况", "Note on money", longest=1000)]


@command("部门转办准入", "The department applies")
class DepartmentApplies:
    """The department asks by the proper way now (P4)."""

    admission: Annotated[str | None, CaseRef("准入事项", "Admission", process="admission")] = None


@command("部门撤回", "The department withdraws")
class DepartmentWithdraws:
    """The department asks no longer."""


@command("部门提出争议", "Dispute")
class Dispute:
    """The department thinks that the task is covered."""

    reason: Reason


@command("办公室裁定", "Arbitrate")
class Arbitrate:
    """The office answers both in writing."""

    outcome: Annotated[Ruling, Field("裁定", "Outcome")]
    reason: Reason


@command("上报", "Escalate")
class Escalate:
    """The department insists, or makes the community suffer for it."""

    reason: Reason


@command("领导小组处理", "Settle")
class Settle:
    """The leading group has dealt with it."""

    text: Annotated[str, Prose("处理意见", "Text", longest=5000)]
