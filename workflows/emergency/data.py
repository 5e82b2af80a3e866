"""What is known of an emergency (应急): its level, who commands, who was tasked, what was learnt (pure; P8).

Its time line is its history: every call, level and task is an event with moment and person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """The four classes of emergencies (突发事件类别)."""

    NATURAL_DISASTER = "NATURAL_DISASTER"
    ACCIDENT = "ACCIDENT"
    PUBLIC_HEALTH = "PUBLIC_HEALTH"
    SOCIAL_SAFETY = "SOCIAL_SAFETY"


class Level(StrEnum):
    """Level of the response (响应级别): IV the community, III the street, II and I the county and above."""

    IV = "IV"
    III = "III"
    II = "II"
    I = "I"  # noqa: E741  # the name of the level


ORDER = tuple(Level)
URGENT = ORDER[1:]
"""Levels from III upwards: the street may pause clocks, and is told sooner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a team was asked to do (应急任务)."""

    team: str
    text: str
    at: datetime
    acked_at: datetime | None = None
    done_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Emergency:
    """Data of an emergency (应急事件)."""

    kind: Kind | None = None
    place_text: str | None = None
    description: str | None = None
    danger: bool = False
    """Lives are at risk; 119, 110 and 120 are called first."""
    drill: bool = False
    """An exercise: nobody outside of the community is told."""
    recorded_late: bool = False
    """Entered from paper, after the network was down."""
    detected_by: str = ""
    issue: str | None = None
    """The issue that reported the danger (processes P1)."""
    level: Level | None = None
    commander: str | None = None
    """Exactly one at any time (统一指挥, seed 001 §二4)."""
    tasks: Mapping[str, Task] = field(default_factory=dict)
    situation: str | None = None
    """The last report."""
    contained_at: datetime | None = None
    stood_down_at: datetime | None = None
    pause_count: int = 0
    paused: bool = False
    """The street has stopped the clocks of the community's issues."""
    paused_issues: tuple[str, ...] = ()
    lessons: str | None = None
    follow_ups: tuple[str, ...] = ()
    """Ids of the issues that came of it."""
