"""What rules ask of other cases and of master data, and who answers (查询): a module for each topic.

A rule cannot look anything up. Its process names the questions that a command needs, the door has them answered
before, and the answers come along in the command, so that a replay decides on the same facts.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.storage.history import case_now
from services.storage.ledger_tables import case_file
from services.storage.questions import (
    admissions,
    committees,
    emergencies,
    inspections,
    lists,
    meetings,
    notices,
    rounds,
    supervision,
)
from workflows.kernel.process import SYSTEM, Asked, Process, derived_id

Question = Callable[[AsyncConnection, Asked], Awaitable[dict[str, Any]]]
TOPICS: tuple[ModuleType, ...] = (
    admissions,
    committees,
    emergencies,
    inspections,
    lists,
    meetings,
    notices,
    rounds,
    supervision,
)
"""Modules with a mapping `QUESTIONS` from the name of a question to its answer."""


def questions() -> dict[str, Question]:
    """Every question by name; raises `ValueError` when two modules answer the same one."""
    found: dict[str, Question] = {}
    for topic in TOPICS:
        for name, question in topic.QUESTIONS.items():
            if name in found:
                raise ValueError(f"two answers to {name}")
            found[name] = question
    return found


class Answers:
    """Answers on PostgreSQL to what cases ask by their effects."""

    def __init__(self, engine: AsyncEngine, processes: Mapping[str, Process[Any]]) -> None:
        self._engine = engine
        self._processes = processes
        self._questions = questions()

    async def answer(self, process: str, case_id: str, question: str, about: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a question of a case as the world stands now."""
        async with self._engine.connect() as connection:
            case = await case_now(connection, self._processes[process], case_id)
            asked = Asked(name=question, about=about, now=datetime.now(UTC), actor=SYSTEM, case=case)
            return await self._questions[question](connection, asked)

    async def openings(self, process: str, question: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Say what a rhythm of a process opens now, without what is there already."""
        async with self._engine.connect() as connection:
            asked = Asked(name=question, about=about, now=datetime.now(UTC), actor=SYSTEM)
            found = await self._questions[question](connection, asked)
            by_id = {UUID(derived_id(process, one["key"])): one for one in found["openings"]}
            there = await connection.scalars(select(case_file.c.id).where(case_file.c.id.in_(by_id)))
            for one in there:
                del by_id[one]
        return list(by_id.values())
