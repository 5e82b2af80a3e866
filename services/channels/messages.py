"""What people read of a message (通知): sentences of the catalogue, with number and masked title of the case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from activities.notices import Told
from services.texts.catalogue import catalogue
from workflows.kernel.calendar import CHINA
from workflows.registry import PROCESSES

TABLE = "notice"
OTHER = "other"
"""The sentence of a template that has none of its own."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message ready to be sent: one line, and the text below it."""

    title: str
    text: str


def sentence(told: Told, language: str) -> str:
    """Give the sentence of one message, in Chinese or English."""
    words = catalogue()
    template = told.template if words.has(TABLE, told.template, language) else OTHER
    process = PROCESSES.get(told.process)
    rule = process.clock_rules.get(told.clock) if process is not None else None
    return words.say(
        TABLE,
        template,
        language,
        process=(process.en if language == "en" else process.zh) if process else told.process,
        number=told.number,
        title=told.title,
        clock=(rule.en if language == "en" else rule.zh) if rule else told.clock,
        due=_moment(told.due_at),
        template=told.template,
    )


def message(told: Sequence[Told], language: str, public_url: str = "") -> Message:
    """Give one message, or the digest of several."""
    words = catalogue()
    where = f"\n{public_url}" if public_url else ""
    lines = [sentence(one, language) for one in told]
    if len(lines) == 1:
        return Message(words.say("word", "notice_title", language, number=told[0].number), lines[0] + where)
    title = words.say("word", "digest_title", language, count=len(lines))
    return Message(title, "\n".join(f"{place}. {line}" for place, line in enumerate(lines, 1)) + where)


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}" if at is not None else "–"
