"""Commands of the formation of a committee (组建与聘任), field by field, as in api.md (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal

from workflows.formation.data import Category, Kind, Post, Vacancy, Way
from workflows.kernel.fields import Attachment, CaseRef, Community, Field, Introduced, Prose, Somebody
from workflows.kernel.process import command

Exception_ = Annotated[str | None, Prose("例外理由", "Reason for an exception")]
Reason = Annotated[str, Prose("理由", "Reason")]
CANDIDATE = Somebody("人选", "Candidate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Somebody without an account (无账号人员)."""

    name: Annotated[str, Field("姓名", "Name", shortest=1, longest=50)]
    phone: Annotated[str | None, Field("电话", "Phone", longest=30)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A candidate for a post (人选及职务)."""

    candidate: Annotated[str, CANDIDATE]
    post: Annotated[Post | None, Field("职务", "Post")] = None


Choices = tuple[str | Choice, ...]


@command("启动组建", "Start the formation")
class StartFormation:
    """How many members from where; nothing is announced yet (001 §三1)."""

    asked_of_people: ClassVar = ("seats",)
    kept_from_people: ClassVar = ("vacancies",)

    community_code: Annotated[str, Community("社区", "Community")]
    kind: Annotated[Kind, Field("组建类别", "Kind")]
    target_size: Annotated[int, Field("委员人数", "Members", least=1, most=99)]
    seats: Annotated[
        Mapping[str, int] | tuple[Mapping[str, str | int], ...],
        Field(
            "名额分配",
            "Seats by category: {category: people}, or a list of {category, count}",
            longest=16,
            keys=tuple(Category),
        ),
    ] = ()
    plan: Annotated[str | None, Prose("组建方案", "Plan", longest=5000)] = None
    term_until: Annotated[date | None, Field("任期届满日", "Last day of the term")] = None
    exception_reason: Exception_ = None
    vacancies: Annotated[Mapping[str, Vacancy] | None, Field("空缺", "Vacancies")] = None


@command("发布征集公告", "Publish the call")
class PublishCall:
    """Who may stand, under which conditions, and where to apply (001 §三3)."""

    text: Annotated[str, Prose("公告内容", "Text", longest=5000, public=True)]
    conditions: Annotated[str, Prose("任职条件", "Conditions", longest=2000, public=True)]
    contact: Annotated[str, Prose("报名联系方式", "Where to apply", longest=300)]


@command("提名", "Nominate")
class Nominate:
    """By one of four ways; the same person by several ways is one candidate (001 §三3)."""

    way: Annotated[Way, Field("产生方式", "Way")]
    person: Annotated[str | Named, Introduced("人选", "Person")]
    category: Annotated[Category, Field("来源类别", "Category")]
    consent: Annotated[bool | str | None, Attachment("本人同意", "Consent: true, or the id of its paper")] = None


@command("同意提名", "Consent to the nomination")
class GiveConsent:
    """The candidate agrees, or his written consent is put on file (I13)."""

    candidate: Annotated[str | None, CANDIDATE] = None
    consent: Annotated[str | None, Attachment("同意书", "Paper")] = None


@command("延长征集", "Extend the call")
class ExtendCall:
    """Too few came; once."""

    reason: Reason


@command("资格审核", "Verify a candidate")
class VerifyCandidate:
    """Of age, of the area, and not dismissed within a year."""

    candidate: Annotated[str, CANDIDATE]
    eligible: Annotated[bool, Field("符合条件", "Eligible")]
    reason: Annotated[str | None, Prose("理由", "Reason")] = None


@command("提出初步人选", "Propose the shortlist")
class ProposeShortlist:
    """Who goes to the party organisation's meeting, and for which post (初步人选, 001 §三3)."""

    candidates: Annotated[tuple[Choice, ...], Field("初步人选", "Candidates", shortest=1, longest=60)]


@command("党组织会议决定", "Record the party organisation's decision")
class PartyMeetingDecide:
    """The community party organisation decided on the list in a meeting (001 §三3). `text` is put on notice."""

    candidates: Annotated[Choices, Somebody("人选", "Candidates", shortest=1, longest=60)]
    meeting: Annotated[str | None, CaseRef("会议", "Meeting", process="meeting")] = None
    text: Annotated[str, Prose("决定内容", "Decision", longest=5000, public=True)]
    exception_reason: Exception_ = None


@command("审批备案", "Approve and file")
class ApproveAndFile:
    """The street's party committee approves the whole list, or these of it (001 §三3)."""

    filing_no: Annotated[str, Field("备案文号", "Filing number", shortest=1, longest=60)]
    candidates: Annotated[Choices | None, Somebody("批准人选", "Approved candidates", shortest=1, longest=60)] = None


@command("退回名单", "Return the list")
class ReturnList:
    """The street does not approve the list as it is (S48)."""

    reason: Reason


@command("提出异议", "Object to a candidate", name="object")
class ObjectTo:
    """Inside the period of the notice, with something that can be checked."""

    candidate: Annotated[str, CANDIDATE]
    ground: Annotated[str, Prose("异议理由", "Ground")]
    evidence: Annotated[tuple[str, ...], Attachment("证据", "Evidence", longest=20)] = ()


@command("答复异议", "Resolve an objection")
class ResolveObjection:
    """What was found, and the answer to whoever objected."""

    objection: Annotated[str, Field("异议", "Objection", shortest=1, longest=64)]
    outcome: Annotated[Literal["UPHELD", "DISMISSED"], Field("结论", "Outcome")]
    answer: Annotated[str, Prose("答复", "Answer")]


@command("补充人选", "Look for further candidates")
class Supplement:
    """Fewer are left than were planned; new names need their own notice."""


@command("不再补充", "Go on without them")
class ContinueWithout:
    """Fewer than planned will do."""

    reason: Reason


@command("颁发聘书", "Issue the certificate")
class IssueCertificate:
    """The person accepts: appointed (正式聘任, 001 §三3)."""

    member: Annotated[str, Somebody("委员", "Member")]
    post: Annotated[Post, Field("职务", "Post")]


@command("登记不接受聘任", "Record that somebody declined")
class RecordDeclined:
    """The person does not want to be appointed after all."""

    member: Annotated[str, Somebody("委员", "Member")]


@command("终止组建", "Abort the formation")
class Abort:
    """The street stops it."""

    reason: Reason


# --- told by other cases -----------------------------------------------------------------------------------


@command("公示期满", "The notice has ended")
class NoticeEnded:
    """Its whole period has passed; `at` is its end, which may lie before this was heard."""

    notice: Annotated[str, Field("公示", "Notice")]
    at: Annotated[datetime | None, Field("期满时间", "Ended at")] = None


@command("公示中断", "The notice was interrupted")
class NoticeInterrupted:
    """Its period will begin again."""

    notice: Annotated[str, Field("公示", "Notice")]


@command("公示重新开始", "The notice was posted again")
class NoticeReposted:
    """Its whole period counts from now (S47)."""

    notice: Annotated[str, Field("公示", "Notice")]


@command("收到异议", "An objection was raised")
class ObjectionRaised:
    """Through the notice itself; its case keeps in confidence who it was."""

    notice: Annotated[str, Field("公示", "Notice")]
    objection: Annotated[str, Field("异议", "Objection")]
    about: Annotated[str | None, Field("对象", "About")] = None


@command("异议已答复", "An objection was resolved")
class ObjectionResolved:
    """By somebody without interest, in its own case."""

    notice: Annotated[str, Field("公示", "Notice")]
    objection: Annotated[str, Field("异议", "Objection")]
    about: Annotated[str | None, Field("对象", "About")] = None
    outcome: Annotated[Literal["UPHELD", "DISMISSED"], Field("结论", "Outcome")]


@command("书记已调整", "The secretary has changed")
class SecretaryKnown:
    """The chair's seat follows the office (001 §三2); the change itself has seated him."""

    person: Annotated[str, Field("书记", "Secretary")]


@command("并入空缺", "Fill another vacancy too")
class ShareVacancy:
    """Another exit came before the list was decided: one procedure fills both."""

    membership: Annotated[str, Field("空缺事项", "Membership case")]
    post: Annotated[Post, Field("职务", "Post")]
    category: Annotated[Category | None, Field("来源类别", "Category")] = None
