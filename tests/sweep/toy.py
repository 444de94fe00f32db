"""A sweep without a file, whose points cost nothing: for what is about neither."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from churnsim.scenario import Scenario
from churnsim.sweep.rows import Failed, Row
from churnsim.sweep.work import Evaluate, Work

OUTCOMES = ("revenue", "contribution", "kept", "lost")


class ToyLevel(NamedTuple):
    """One setting of a factor."""

    setting: str
    number: float
    text: str


class ToyFactor(NamedTuple):
    """What is varied."""

    field: str
    lever: object  # None: its settings are texts


class ToyPoint(NamedTuple):
    """One point."""

    index: int
    levels: tuple[ToyLevel, ...]
    policies: tuple[str, ...]
    overrides: dict[str, str]


class ToyDesign(NamedTuple):
    """How points are laid out."""

    name: str = "list"


LISTED = ToyDesign()


@dataclass(frozen=True)
class Toy:
    """A sweep over lock-in, and a text beside it."""

    scenario: Scenario
    n_points: int = 100
    policies: tuple[str, ...] = ("empowered", "slow")
    replications: int = 2
    seed: int = 7
    draws: str = "common"
    name: str = "toy"
    title: str = ""
    source: str = "shop.toml"
    outcomes: tuple[str, ...] = OUTCOMES
    settings: Mapping[str, str] = field(default_factory=dict)
    design: ToyDesign = LISTED
    factors: tuple[ToyFactor, ...] = (
        ToyFactor("market.lock_in", "a lever"),
        ToyFactor("title", None),
    )

    @property
    def text(self) -> str:
        """Return its file."""
        return f"# {self.name}, {self.n_points} points\n"

    @property
    def digest(self) -> str:
        """Return what stands for all that it means."""
        meaning = f"{self.n_points} {self.policies} {self.replications} {self.seed}"
        return hashlib.sha256(
            f"{self.name} {meaning} {self.draws}".encode()
        ).hexdigest()

    def point(self, index: int) -> ToyPoint:
        """Return a point."""
        lock_in = index / self.n_points
        levels = (
            ToyLevel(repr(lock_in), lock_in, repr(lock_in)),
            ToyLevel(f'"=point {index}"', index, f"=point {index}"),
        )
        settings = {"market.lock_in": repr(lock_in)}
        return ToyPoint(index, levels, self.policies, settings)


def cheap(point: ToyPoint) -> list[Row] | Failed:
    """Return rows that no simulation made; each 13th point fails."""
    if point.index % 13 == 12:
        return Failed(f"point {point.index} is unlucky", "churnsim run =shop")
    return [
        Row(policy, replication, (float(point.index), 0.5, None, -1.0), 10**15, "d")
        for replication in range(2)
        for policy in point.policies
    ]


def toy_work(
    scenario: Scenario,
    n_points: int = 100,
    chunk_points: int = 7,
    evaluate: Evaluate = cheap,
) -> Work:
    """Return the work of a toy that is cut into small chunks."""
    work = Work(Toy(scenario, n_points), evaluate)
    work.chunk_points = chunk_points
    work.n_chunks = -(-n_points // chunk_points)
    return work
