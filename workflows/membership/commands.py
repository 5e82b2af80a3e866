"""Commands of a change of membership (退出、解聘、增补), field by field, as in api.md (pure)."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from workflows.kernel.fields import Attachment, CaseRef, Community, Field, Person, Prose, Somebody
from workflows.kernel.process import command
from workflows.membership.data import Ground, Kind, Outcome, Post

Reason = Annotated[str, Prose("理由", "Reason")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """How somebody voted in the party organisation's meeting (表决)."""

    member: Annotated[str, Person("表决人", "Member")]
    choice: Annotated[Literal["FOR", "AGAINST", "ABSTAIN"], Field("表决", "Choice")]


@command("登记委员变动", "Open a change of membership")
class OpenMembership:
    """Exit, dismissal, end of term, change of secretary, acting chair: who may ask for which the rule says."""

    kept_from_people: ClassVar = ("absences", "post", "category")

    community_code: Annotated[str, Community("社区", "Community")]
    kind: Annotated[Kind, Field("变动类别", "Kind")]
    member: Annotated[str, Somebody("委员", "Member")]
    reason: Annotated[str | None, Prose("理由", "Reason")] = None
    ground: Annotated[Ground | None, Field("解聘事由", "Ground")] = None
    evidence: Annotated[tuple[str, ...], Attachment("证据", "Evidence", longest=20)] = ()
    adverse_effect: Annotated[str | None, Prose("不良影响", "Adverse effect")] = None
    new: Annotated[str | None, Person("新任书记", "New secretary")] = None
    absences: Annotated[int, Field("连续缺席次数", "Absences in a row")] = 0
    post: Annotated[Post | None, Field("职务", "Post")] = None
    category: Annotated[str | None, Field("来源类别", "Category")] = None


@command("同意退出", "Approve the exit")
class ApproveExit:
    """The community's party organisation agrees (001 §三4)."""


@command("不同意退出", "Decline the exit")
class DeclineExit:
    """The member stays."""

    reason: Reason


@command("撤回申请", "Withdraw the request")
class WithdrawRequest:
    """Whoever asked for it no longer wants it."""


@command("暂停履职", "Suspend the member's duty")
class SuspendDuty:
    """Until it is decided, where this is better for the committee."""

    reason: Reason


@command("陈述申辩", "State one's views")
class StateViews:
    """The member is heard before the meeting."""

    text: Annotated[str, Prose("陈述", "Statement", longest=5000)]


@command("作出解聘决定", "Decide on the dismissal", name="decide")
class DecideDismissal:
    """What the party organisation decided in its meeting; without a majority the member stays (S50)."""

    outcome: Annotated[Outcome, Field("处理结果", "Outcome")]
    meeting: Annotated[str | None, CaseRef("会议", "Meeting", process="meeting")] = None
    votes: Annotated[tuple[Vote, ...], Field("表决", "Votes", longest=60)] = ()


@command("报街道备案", "File with the street")
class FileWithStreet:
    """The dismissal is filed."""

    filing_no: Annotated[str, Field("备案文号", "Filing number", shortest=1, longest=60)]


@command("启动增补", "Start the replacement")
class StartReplacement:
    """By the procedure of formation, from its call (001 §三4)."""

    category: Annotated[str | None, Field("来源类别", "Category", longest=40)] = None
    post: Annotated[Post, Field("职务", "Post")]


@command("书记已调整", "The secretary has changed")
class SecretaryChanged:
    """Who the new secretary is; he is chair from this day."""

    new: Annotated[str, Person("新任书记", "New secretary")]


# --- told by other cases -----------------------------------------------------------------------------------


@command("组建完成", "The formation has appointed")
class FormationAppointed:
    """`filled`: the seat has somebody; `appointed`: everybody who now sits after the end of a term."""

    formation: Annotated[str, Field("组建事项", "Formation")]
    filled: Annotated[bool, Field("已补足", "Filled")] = True
    appointed: Annotated[tuple[str, ...], Field("聘任人员", "Appointed")] = ()


@command("组建终止", "The formation was aborted")
class FormationAborted:
    """The seat is vacant again."""

    formation: Annotated[str, Field("组建事项", "Formation")]


@command("主任已到任", "There is a chair")
class ChairSeated:
    """The acting chair is a vice chair again."""

    chair: Annotated[str, Field("主任", "Chair")]
