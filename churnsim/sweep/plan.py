"""A sweep: which scenario, what is varied, where the points lie, what is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from churnsim.scenario import Scenario
from churnsim.sweep.designs import Design, Listed
from churnsim.sweep.factors import POLICIES, AnyLevel, Factor

ALWAYS_KEPT = ("revenue", "contribution", "kept", "lost")  # outcomes in every store


class Point(NamedTuple):
    """One combination of settings."""

    number: int  # from 0
    levels: tuple[AnyLevel, ...]  # one for each factor
    policies: tuple[str, ...]  # compared there
    varied: dict[str, AnyLevel]  # by the setting that it is of

    @property
    def overrides(self) -> dict[str, str]:
        """Return the settings as `load_scenario` takes them."""
        return {key: level.setting for key, level in self.varied.items()}


@dataclass(frozen=True)
class Sweep:
    """A scenario and the points at which it is run; never changes."""

    name: str
    title: str
    text: str  # of its file
    scenario: Scenario  # with the settings that all points share
    source: str  # how the scenario was named, for commands
    settings: Mapping[str, str]  # that all points share
    factors: tuple[Factor, ...]
    design: Design
    meaning: str  # of the design and its filters, in canonical words
    policies: tuple[str, ...]  # compared at each point, unless they are varied
    replications: int
    seed: int
    draws: str  # "common" or "independent"
    outcomes: tuple[str, ...]  # names of FIGURES, ALWAYS_KEPT first
    warnings: tuple[str, ...] = ()

    @property
    def n_points(self) -> int:
        """Return how many points there are."""
        return self.design.n_points

    @cached_property
    def policies_by_level(self) -> tuple[tuple[str, ...], ...]:
        """Return which policies each level of the factor `policies` names."""
        varied = [factor for factor in self.factors if factor.field == POLICIES]
        values = varied[0].values if varied else ()
        return tuple(tuple(json.loads(value)) for value in values)

    def point(self, index: int) -> Point:
        """Return a point by its number, from 0."""
        levels = self.design.levels(index)
        policies = self.policies
        varied = {}
        for factor, level in zip(self.factors, levels, strict=True):
            if factor.field == POLICIES:
                policies = self.policies_by_level[int(level.number)]
            else:
                varied[factor.field] = level
        return Point(index, levels, policies, varied)

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of all that it means, as 64 hex digits.

        Spelling of units, comments, titles and where files lie do not count.
        """
        meaning = {
            "scenario": self.scenario.digest,
            "factors": [_meaning(factor) for factor in self.factors],
            "design": self.meaning,
            "policies": self.policies,
            "replications": self.replications,
            "seed": self.seed,
            "draws": self.draws,
            "outcomes": self.outcomes,
        }
        if self.design.name == Listed.name:
            # The factors alone say which settings there are, not which go together.
            points = range(self.n_points)
            meaning["points"] = [self.design.numbers(index) for index in points]
        text = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _meaning(factor: Factor) -> list[object]:
    """Return what a factor varies, whatever its spelling."""
    grows = factor.lever is not None and factor.lever.is_per_thousand
    # A law that is told by its mean alone has a number, but so have others.
    told = [
        repr(level.number)
        if factor.lever and not level.setting.startswith("{")
        else level.setting
        for level in factor.levels
    ]
    ends = [repr(factor.low), repr(factor.high), factor.is_log]
    return [factor.field, grows, told or ends]


def load_sweep(path: str | Path, scenario: str | Path | None = None) -> Sweep:
    """Return a sweep, validated whole.

    Args:
        path: Its file, or a ready sweep's name.
        scenario: Its scenario with the settings that all points share, as a store keeps
            it, in place of the one that the file names.

    Raises:
        InputError: All problems found, each with file, line, field, rule and value.
        ResourceError: Valid, but more than any machine could do.
    """
    from churnsim.sweep.file import read_sweep

    return read_sweep(path, scenario)
