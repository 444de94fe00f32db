"""A scenario of which some settings are known by a posterior only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from churnsim.errors import ChurnsimError, Problem
from churnsim.experiment.posterior.record import Lots, Posterior, lots_of
from churnsim.scenario import Scenario, load_scenario
from churnsim.scenario.assumptions import Foundation

# What is the same in all replications, whatever is drawn.
COMMON = (
    *("baseline", "currency", "extends", "horizon", "policies", "policy_defaults"),
    *("replications", "seed", "sites", "start", "title", "strain"),
    *("population.customers", "population.prospects", "population.transactions"),
)
GRADE = "A"  # fitted to behaviour
_OF_KEYS = ("unknown key", "must name an item", "must be a dotted key")

Vary = Callable[[Mapping[str, str]], Scenario]


@dataclass(frozen=True, eq=False)
class Uncertain:
    """A scenario, and draws of some of its settings, one for each replication.

    What the scenario itself says of these settings is in no replication.
    """

    posterior: Posterior
    scenario: Scenario  # over which a draw lies
    file: Path | None = None  # where the scenario was read; None: it was loaded before
    changed: tuple[str, ...] = ()  # settings that are not those of the fit
    source: str = "posterior"  # the posterior's file, for what is wrong with a draw
    vary: Vary | None = None  # the scenario with some settings; None: loads it anew

    @cached_property
    def lots(self) -> Lots:
        """Return which draw each replication is run under."""
        return lots_of(self.posterior)

    def at(self, draw: int) -> Scenario:
        """Return the scenario with a draw's settings.

        Raises:
            InputError: There is no such setting, or it refuses the value.
            ResourceError: Valid, but more than any machine could do.
        """
        if draw not in self._known:
            self._known[draw] = self.drawn(draw)
        return self._known[draw]

    def drawn(self, draw: int) -> Scenario:
        """Return what `at` does, made anew and kept by nobody.

        Raises:
            InputError: As `at`.
        """
        settings = self.posterior.settings(draw)
        try:
            return self._varied(settings)
        except ChurnsimError as error:
            told = [_placed(self, draw, problem) for problem in error.problems]
            raise type(error)(*dict.fromkeys(told)) from None

    def scenarios(self, replications: Iterable[int]) -> dict[int, Scenario]:
        """Return the scenario that each replication is run in, by its number.

        Raises:
            InputError: As `at`.
        """
        return {n: self.at(self.lots.draw(n)) for n in replications}

    def foundations(self, found: Sequence[Foundation]) -> tuple[Foundation, ...]:
        """Return what results rest on: what is drawn is no assumption any more."""
        columns = zip(*self.posterior.draws, strict=True)
        keys = (_key_of(self.scenario, field) for field in self.posterior.fields)
        drawn = dict(zip(keys, columns, strict=True))
        n = len(self.posterior.draws)
        return tuple(
            item._replace(
                value=_extent(drawn[item.key]),
                grade=GRADE,
                source=f"fitted to what the firm saw: {n:,} draws",
            )
            if item.key in drawn
            else item
            for item in found
        )

    @cached_property
    def _known(self) -> dict[int, Scenario]:
        return {}

    def _varied(self, settings: Mapping[str, str]) -> Scenario:
        if self.vary is None:
            return load_scenario(self.scenario, overrides=settings)
        return self.vary(settings)


def common_fields(posterior: Posterior, source: str) -> list[Problem]:
    """Return what is wrong where a draw would change what all replications share."""
    rule = "must not be drawn: all replications have the same"
    return [
        Problem(f"{rule} {name}", source, field=f"parameter {i}, field", value=field)
        for i, field in enumerate(posterior.fields, 1)
        for name in COMMON
        if field == name or field.startswith(f"{name}.")
    ]


def _placed(uncertain: Uncertain, draw: int, problem: Problem) -> Problem:
    """Return what is wrong with a draw, at its place in the posterior's file."""
    fields = uncertain.posterior.fields
    field = problem.field
    pair = problem.file.removeprefix("--set ")
    of = next((name for name in fields if pair.startswith(f"{name}=")), "")
    if of and problem.rule.startswith(_OF_KEYS):
        place = f"parameter {fields.index(of) + 1}, field"
        return Problem(problem.rule, uncertain.source, None, place, of, problem.hint)
    value = problem.value
    if of:
        value, field = uncertain.posterior.settings(draw)[of], of
    place = f"draw {draw + 1}, {field}" if field else f"draw {draw + 1}"
    return Problem(problem.rule, uncertain.source, None, place, value, problem.hint)


def _key_of(scenario: Scenario, field: str) -> str:
    """Return a setting as what results rest on calls it: mistakes by their name."""
    head, _, rest = field.partition(".")
    number, _, key = rest.partition(".")
    mistakes = scenario.spec.mistakes
    if head == "mistakes" and number.isdecimal() and 1 <= int(number) <= len(mistakes):
        return f"{head}.{mistakes[int(number) - 1].name}.{key}"
    return field


def _extent(column: Sequence[str]) -> str:
    """Return between which values a setting is drawn, where they are numbers."""
    try:
        numbers = [float(text) for text in column]
    except ValueError:
        return "drawn"
    return f"drawn, {min(numbers):.3g} to {max(numbers):.3g}"
