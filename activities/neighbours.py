"""Carry one case's effect to another: start it, or tell it something, and bring its answer back."""

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from temporalio import activity

from workflows.kernel.process import Pin, Refusal


@dataclass(frozen=True, slots=True)
class Errand:
    """An effect on its way (联动): `id` is `case#seq.place` and makes every try the same command."""

    id: str
    kind: str
    process: str
    case: str
    command: str
    fields: dict[str, Any]
    pin: Pin
    answer: dict[str, Any] | None = None
    """The fields to be sent where they were first asked for; the errand stays the same whatever they are."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: nothing, or the refusal's code and reason."""

    refused: dict[str, Any] = field(default_factory=dict)


class Door(Protocol):
    """The way to other cases; raises `Refusal` for a lawful no."""

    async def carry_out(self, errand: Errand) -> None:
        """Start or tell the other case; the same errand again changes nothing."""


class Answers(Protocol):
    """Who answers what rules ask of other cases and of master data."""

    async def answer(self, process: str, case_id: str, question: str, about: dict[str, Any]) -> dict[str, Any]:
        """Answer a question of a case as the world stands now."""


class Deeds(Protocol):
    """Who carries out deeds on master data."""

    async def carry_out(self, deed: str, errand_id: str, fields: dict[str, Any]) -> None:
        """Carry out a deed; the same errand again changes nothing more."""


class Neighbours:
    """The activity by which cases reach what is outside of them: each other, and master data."""

    def __init__(self, door: Door, answers: Answers, deeds: Deeds) -> None:
        self._door = door
        self._answers = answers
        self._deeds = deeds

    @activity.defn(name="carry_out")
    async def carry_out(self, errand: Errand) -> Answer:
        """Carry an effect out; a refusal is an answer, every other trouble is tried again."""
        try:
            if errand.kind == "DO":
                await self._deeds.carry_out(errand.command, errand.id, errand.fields)
                return Answer()
            if errand.kind == "ASK":
                question, about = errand.fields["question"], errand.fields["about"]
                found = await self._answers.answer(errand.process, errand.case, question, about)
                errand = replace(errand, kind="TELL", answer=found)
            await self._door.carry_out(errand)
        except Refusal as no:
            return Answer({"code": no.code, "reason": no.reason})
        return Answer()
