"""Checks that every state table must stand: rows are taken, all else is refused, every refusal is provoked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.rules.rows import UPKEEP, keeps_its_word, outcome, raise_sites, rows, site_of
from tests.scenarios.street import C1, PEOPLE, STREET, Town
from workflows.kernel.process import SYSTEM, Actor, Arrow, Case, Grant, Moment, Process, Refusal, named
from workflows.kernel.roles import Role

ROLES = tuple(role for role in Role if role is not Role.SYSTEM)
OUTSIDER = Actor("outsider", "outsider", tuple(Grant(role, "620199002001", "elsewhere") for role in ROLES))
"""Somebody with every role there is, in another street."""
NO_ROLE = Actor("keeper", "keeper", (Grant(Role.SEAL_KEEPER, C1, "community-1"), Grant(Role.LIAISON_LEADER, STREET)))
ACTORS: tuple[Actor, ...] = (*PEOPLE.values(), SYSTEM)


@dataclass(frozen=True, kw_only=True)
class Table:
    """How the cases of a process come to each position, and a lawful sample of every command there."""

    process: Process[Any]
    at_position: Callable[[str], Town]
    """A town in which the case `key` stands there."""
    sample: Callable[[Town, type], Any]
    key: str
    anybody: frozenset[type] = frozenset()
    """Commands that do not ask where somebody holds his role."""

    @property
    def commands(self) -> list[Arrow]:
        """Rows in which people or other cases give a command to a case."""
        return [arrow for arrow in rows(self.process) if isinstance(arrow.on, type) and arrow.source]

    @property
    def timed(self) -> list[Arrow]:
        """Rows of the clocks."""
        return [arrow for arrow in rows(self.process) if isinstance(arrow.on, Moment)]

    @property
    def positions(self) -> list[str]:
        """Every position of the table."""
        return [state.name for state in self.process.states]

    def facts(self, town: Town, command: Any, actor: Actor) -> Mapping[str, Any]:
        """What the door would know."""
        case = town.street.cases[self.key]
        return town.street.facts(self.process, case, command, actor)

    def tried(self, town: Town, on: type, actor: Actor) -> str | tuple[Any, ...]:
        """What comes of the sample when this person gives it."""
        command = self.sample(town, on)
        case = town.street.cases[self.key]
        return outcome(self.process, case, command, actor, town.street.world.policy, self.facts(town, command, actor))

    def takes(self, arrow: Arrow) -> Case[Any]:
        """Take a row as somebody who may; it must keep its word."""
        assert isinstance(arrow.on, type)
        town = self.at_position(arrow.source)
        before = town.street.cases[self.key]
        assert before.position == arrow.source
        people = [actor for actor in ACTORS if isinstance(self.tried(town, arrow.on, actor), tuple)]
        assert people, f"nobody may: {named(arrow.on).name}"
        after = town.street.command(self.key, self.sample(town, arrow.on), people[0])
        clocks = [clock for (case, _), clock in town.street.clocks.items() if case == self.key]
        keeps_its_word(arrow, before, after, clocks)
        return after

    def refuses_strangers(self, arrow: Arrow) -> None:
        """Whoever has no such role, or has it elsewhere, learns nothing but that."""
        assert isinstance(arrow.on, type)
        town = self.at_position(arrow.source)
        strangers = (NO_ROLE, Actor("nobody", "nobody", ())) if arrow.on in self.anybody else ()
        for stranger in strangers or (OUTSIDER, NO_ROLE, Actor("nobody", "nobody", ())):
            assert self.tried(town, arrow.on, stranger) == "forbidden"

    def refuses_everything_else(self, position: str) -> None:
        """A command without a row here changes nothing, whoever gives it."""
        town = self.at_position(position)
        for on in self.process.commands.values():
            if (position, on) in self.process.table or on in UPKEEP:
                continue
            codes = {self.tried(town, on, actor) for actor in ACTORS}
            assert codes <= {"wrong_state", "forbidden"}, named(on).name

    def is_owed(self, position: str) -> None:
        """Where a case is not over, its clocks run or somebody has work to do."""
        case = self.at_position(position).street.cases[self.key]
        if self.process.ended(case):
            return
        assert self.process.positions[position].work or [clock for clock in case.clocks if clock.live]


Provoked = Mapping[str, Callable[[], Any]]
"""By `module.function REASON`: something that makes the rules refuse there."""


def every_refusal_is_provoked(folder: str, provoked: Provoked) -> None:
    """Every place that refuses is reached, and no other is named."""
    assert raise_sites(folder) == set(provoked)
    for site, provoke in provoked.items():
        with pytest.raises(Refusal) as refused:
            provoke()
        assert site_of(refused.value) == site
