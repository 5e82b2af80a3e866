"""Commands of an emergency (应急), field by field (pure; processes P8)."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from workflows.emergency.data import Kind, Level
from workflows.kernel.fields import Community, Field, Organization, Person, Prose
from workflows.kernel.process import command

Reason = Annotated[str, Prose("理由", "Reason")]
Task = Annotated[str, Field("任务", "Task", shortest=1, longest=10)]
Graded = Annotated[Level, Field("响应级别", "Level")]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What is left to do afterwards (后续问题); it becomes an issue."""

    title: Annotated[str, Prose("标题", "Title", longest=120)]
    description: Annotated[str, Prose("内容", "Description", longest=10000)]


@command("发现险情", "Detect an emergency")
class Detect:
    """Somebody finds danger (网格发现, seed 001 §二4); 119, 110 or 120 first where lives are at risk."""

    kept_from_people: ClassVar = ("issue", "found_by")

    community_code: Annotated[str, Community("社区", "Community")]
    kind: Annotated[Kind, Field("突发事件类别", "Kind")]
    place_text: Annotated[str, Prose("地点", "Place", longest=200)]
    description: Annotated[str | None, Prose("情况", "What happened", longest=5000)] = None
    danger: Annotated[bool, Field("危及生命", "Lives at risk")] = False
    drill: Annotated[bool, Field("演练", "Drill")] = False
    recorded_late: Annotated[bool, Field("事后补录", "Recorded late")] = False
    issue: Annotated[str | None, Field("来源诉求", "Issue", longest=64)] = None
    found_by: Annotated[str | None, Field("发现人", "Found by", longest=64)] = None


@command("社区呼叫", "Call")
class Call:
    """The community's duty worker calls whom the plan names (社区呼叫, seed 001 §二4)."""


@command("分级", "Grade")
class Grade:
    """The level of the response; whoever grades commands (分级响应, seed 001 §二4).

    Whoever found it may have called it something else: what an issue brings is called an accident until somebody knows.
    """

    level: Graded
    kind: Annotated[Kind | None, Field("核定类别", "What it really is")] = None


@command("误报", "False alarm")
class FalseAlarm:
    """Checked on the spot: nothing has happened."""

    reason: Reason


@command("上报情况", "Report the situation")
class Report:
    """The first report to the street, then how things stand every hour."""

    text: Annotated[str, Prose("情况报告", "Report", longest=5000)]


@command("下达任务", "Give a task")
class GiveTask:
    """A team is asked for help (协同处置, seed 001 §二4)."""

    team: Annotated[str, Organization("队伍", "Team")]
    text: Annotated[str, Prose("任务内容", "Task")]


@command("确认任务", "Acknowledge the task")
class AckTask:
    """The team has heard and goes."""

    task: Task


@command("完成任务", "Finish the task")
class FinishTask:
    """The team has done it."""

    task: Task


@command("提升级别", "Upgrade")
class Upgrade:
    """It is worse than it was thought."""

    level: Graded
    reason: Reason


@command("降低级别", "Downgrade")
class Downgrade:
    """It is less than it was thought."""

    level: Graded
    reason: Reason


@command("移交指挥", "Hand over the command")
class HandOver:
    """From now on somebody else commands; the community executes and reports."""

    commander: Annotated[str, Person("指挥人", "Commander")]
    reason: Reason


@command("险情受控", "Contained")
class Contain:
    """It spreads no further."""


@command("险情反复", "Flare up")
class FlareUp:
    """It is not over."""

    reason: Reason


@command("解除响应", "Stand down")
class StandDown:
    """The danger is gone; residents are told."""


@command("暂停社区时限", "Pause the clocks of the community")
class PauseClocks:
    """From level III on the street may stop the clocks of the community's issues."""

    reason: Reason


@command("恢复社区时限", "Resume the clocks of the community")
class ResumeClocks:
    """They run on with the time that was left."""


@command("告知在办诉求", "Issues whose clocks stop")
class TakeIssues:
    """The open issues of the community; the answer to a question."""

    kept_from_people: ClassVar = ("issues",)

    issues: Annotated[tuple[str, ...], Field("在办诉求", "Open issues", longest=10000)]
    pause: Annotated[int, Field("第几次暂停", "Which pause", least=1)]


@command("应急复盘", "Review")
class Review:
    """What was learnt, and what is left to do; without it no emergency is closed."""

    lessons: Annotated[str, Prose("经验教训", "Lessons", longest=5000)]
    follow_ups: Annotated[tuple[FollowUp, ...], Field("后续问题", "Follow-ups", longest=50)] = ()
