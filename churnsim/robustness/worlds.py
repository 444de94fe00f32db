"""The settings for word of mouth under which a conclusion is always told.

Two findings contradict each other: bad news travels twice as far, and good news is
three times as common. Neither is hidden: whatever a scenario says, both are run.
"""

from __future__ import annotations

from typing import NamedTuple

from churnsim.scenario import Scenario
from churnsim.scenario.recorded import recorded
from churnsim.sweep.factors import AnyLevel, Level

OWN = "as_given"  # name of a scenario's own setting that is neither finding


class World(NamedTuple):
    """How many hear of what went wrong, and of what went well."""

    name: str
    title: str
    told_bad: float
    told_good: float
    is_own: bool  # the scenario says so itself

    @property
    def settings(self) -> dict[str, AnyLevel]:
        """Return what sets it; nothing where the scenario is so anyway."""
        if self.is_own:
            return {}
        return {
            f"market.word_of_mouth.{name}": Level(repr(number), number, repr(number))
            for name, number in (
                ("told_bad", self.told_bad),
                ("told_good", self.told_good),
            )
        }


def worlds_of(scenario: Scenario) -> tuple[World, ...]:
    """Return the scenario's own setting, then each finding that it does not follow."""
    word = scenario.spec.market.word_of_mouth
    own = (word.told_bad, word.told_good)
    found = [
        World(told.name, told.title, told.bad, told.good, (told.bad, told.good) == own)
        for told in recorded().told
    ]
    if not any(world.is_own for world in found):
        title = "word of mouth is as given"
        found.insert(0, World(OWN, title, *own, is_own=True))
    return tuple(sorted(found, key=lambda world: not world.is_own))
