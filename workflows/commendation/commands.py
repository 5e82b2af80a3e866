"""Commands of a commendation (表彰), field by field (pure; processes P9)."""

from datetime import datetime
from typing import Annotated, Literal

from workflows.commendation.data import SubjectKind, Verdict
from workflows.kernel.fields import CaseRef, Community, Field, Organization, Prose
from workflows.kernel.process import command

Reason = Annotated[str, Prose("理由", "Reason")]
Meeting = Annotated[str, CaseRef("会议", "Meeting", process="meeting")]


@command("提名表彰", "Nominate")
class NominateSubject:
    """Whoever fulfilled an agreement and did outstanding work (seed 001 §六3)."""

    community_code: Annotated[str, Community("社区", "Community")]
    subject_kind: Annotated[SubjectKind, Field("表彰对象类别", "Kind of subject")]
    subject: Annotated[str, Prose("表彰对象", "Subject", longest=200, public=True)]
    org: Annotated[str | None, Organization("单位", "Organisation")] = None
    deeds: Annotated[str, Prose("主要事迹", "Deeds", longest=5000, public=True)]
    agreement: Annotated[str, Prose("协议或服务记录", "Agreement or record of service", longest=500)]
    project_no: Annotated[str | None, Field("批准项目文号", "Approved project", shortest=1, longest=60)] = None


@command("核实事迹", "Verify")
class VerifyDeeds:
    """The agreement was fulfilled and no violation is open."""

    fulfilled: Annotated[bool, Field("协议已履行", "The agreement was fulfilled")]
    open_violation: Annotated[bool, Field("有未结违规", "A violation is open")]
    finding: Annotated[str, Prose("核实情况", "Finding")]


@command("不予提名", "Drop")
class DropNomination:
    """It goes no further."""

    reason: Reason


@command("大党委商议", "Record what the 大党委 decided")
class Deliberate:
    """会议商议: what the minutes of the 大党委 say of it (seed 001 §六3)."""

    meeting: Meeting


@command("居民代表会议讨论", "Record what the residents' representatives decided")
class Discuss:
    """讨论: what the minutes of the residents' representatives say of it (seed 001 §六3)."""

    meeting: Meeting


@command("街道党(工)委决定", "Decide")
class DecideCommendation:
    """决定: the street's party committee has decided in its meeting (seed 001 §六3)."""

    verdict: Annotated[Verdict, Field("决定", "Verdict")]
    decision_no: Annotated[str, Field("决定文号", "Number of the decision", shortest=1, longest=60)]
    text: Annotated[str, Prose("决定内容", "Decision", longest=5000, public=True)]


@command("撤销表彰", "Revoke")
class RevokeCommendation:
    """The deeds were false, or a violation followed."""

    reason: Reason


# --- told by the notice ------------------------------------------------------------------------------------


@command("公示期满", "The notice has ended", name="notice_ended")
class NoticeEnded:
    """Its whole period has passed."""

    notice: Annotated[str, Field("公示", "Notice")]
    at: Annotated[datetime | None, Field("期满时间", "Ended at")] = None


@command("收到异议", "An objection was raised", name="objection_raised")
class ObjectionRaised:
    """Through the notice."""

    notice: Annotated[str, Field("公示", "Notice")]
    objection: Annotated[str, Field("异议", "Objection")]
    about: Annotated[str | None, Field("对象", "About")] = None


@command("异议已答复", "An objection was resolved", name="objection_resolved")
class ObjectionResolved:
    """By somebody without interest, in its own case."""

    notice: Annotated[str, Field("公示", "Notice")]
    objection: Annotated[str, Field("异议", "Objection")]
    about: Annotated[str | None, Field("对象", "About")] = None
    outcome: Annotated[Literal["UPHELD", "DISMISSED"], Field("结论", "Outcome")]
