"""Carry one case's effect to another: start it, or tell it something, and bring its answer back."""

from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: nothing, or the refusal's code and reason."""

    refused: dict[str, Any] = field(default_factory=dict)


class Door(Protocol):
    """The way to other cases; raises `Refusal` for a lawful no."""

    async def carry_out(self, errand: Errand) -> None:
        """Start or tell the other case; the same errand again changes nothing."""


class Neighbours:
    """The activity by which cases speak to each other."""

    def __init__(self, door: Door) -> None:
        self._door = door

    @activity.defn(name="carry_out")
    async def carry_out(self, errand: Errand) -> Answer:
        """Carry an effect out; a refusal is an answer, every other trouble is tried again."""
        try:
            await self._door.carry_out(errand)
        except Refusal as no:
            return Answer({"code": no.code, "reason": no.reason})
        return Answer()
