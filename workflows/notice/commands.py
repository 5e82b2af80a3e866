"""Commands of a public notice (公示), field by field, as in api.md (pure).

A case posts a notice by the effect `START notice post_notice` with the fields of `PostNotice`; `text` is a reference
to a text of that case. It takes it back by `TELL notice cancel {reason?}`. What it hears of the notice it names in
`tells`; each of these commands carries `notice`, those about objections `objection` and `about` besides, and
`objection_resolved` its `outcome` (`UPHELD`, `DISMISSED`).
"""

from typing import Annotated, ClassVar, Literal

from workflows.kernel.fields import Community, Field, Prose
from workflows.kernel.process import command
from workflows.notice.data import Kind


@command("发布公示", "Post a notice")
class PostNotice:
    """Something is put on notice for its period (公示, processes §0.6)."""

    kept_from_people: ClassVar = ("subject_type", "subject_id", "about", "days_parameter", "tells", "interested")

    kind: Annotated[Kind, Field("公示类别", "Kind")]
    subject_type: Annotated[str | None, Field("发布流程", "Process that posts it", longest=40)] = None
    subject_id: Annotated[str | None, Field("发布事项", "Case that posts it", longest=64)] = None
    community_code: Annotated[str, Community("社区", "Community")]
    title: Annotated[str | None, Prose("标题", "Title", longest=120, public=True)] = None
    text: Annotated[str, Prose("公示内容", "Text", longest=5000, public=True)]
    about: Annotated[tuple[str, ...], Field("公示对象", "What it is about", longest=200)] = ()
    days_parameter: Annotated[str | None, Field("公示期参数", "Parameter of the period", longest=60)] = None
    tells: Annotated[tuple[str, ...] | None, Field("告知事项", "What the posting case hears of", longest=5)] = None
    interested: Annotated[tuple[str, ...], Field("利害关系人", "People with an interest", longest=200)] = ()


@command("撤下公示", "Take down the notice")
class TakeDown:
    """The notice comes down, not before its period has ended (S14)."""


@command("登记公示中断", "Record an interruption")
class Interrupt:
    """The notice did not hang all the time, e.g. the wind took it: its period must begin again (S47)."""

    reason: Annotated[str, Prose("中断原因", "Reason")]


@command("重新公示", "Post again")
class Repost:
    """It hangs again; the whole period counts from now (S47)."""


@command("变更公示内容", "Change the text")
class Revise:
    """Another text: the whole period counts from now."""

    text: Annotated[str, Prose("公示内容", "Text", longest=5000, public=True)]
    reason: Annotated[str, Prose("变更原因", "Reason")]


@command("取消公示", "Cancel the notice")
class Cancel:
    """The case that posted it takes it back; a notice posted by people, the secretary."""

    reason: Annotated[str | None, Prose("取消原因", "Reason")] = None


@command("收到异议", "An objection was raised")
class ObjectionRaised:
    """Somebody objects to the notice or to one of its subjects; sent by the objection's own case."""

    objection: Annotated[str, Field("异议件", "Objection")]
    about: Annotated[str | None, Field("异议对象", "About")] = None


@command("异议已答复", "An objection was resolved")
class ObjectionResolved:
    """The objection was looked into; sent by its own case."""

    objection: Annotated[str, Field("异议件", "Objection")]
    about: Annotated[str | None, Field("异议对象", "About")] = None
    outcome: Annotated[Literal["UPHELD", "DISMISSED"], Field("结论", "Outcome")]
