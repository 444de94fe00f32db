"""Sweeps whose rows are a known function of the point: no simulation behind them."""

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from SALib.sample import morris, sobol
from scipy.stats import qmc

from churnsim import load_scenario
from churnsim.experiment.inverse.lever import Lever
from churnsim.records import Floats
from churnsim.scenario import Scenario
from tests.experiment.conftest import SHOP

GAIN = 10_000.0  # what the other policy earns at any point
LUCK = 300.0  # spread of what both policies share


class Level(NamedTuple):
    """One setting."""

    setting: str
    number: float
    text: str


class Factor(NamedTuple):
    """A setting that is varied from low to high, or through values."""

    field: str
    low: float = 0.0
    high: float = 1.0
    values: tuple[str, ...] = ()
    lever: Lever | None = None
    is_log: bool = False

    @property
    def is_range(self) -> bool:
        """Return whether it has two ends."""
        return not self.values

    @property
    def levels(self) -> tuple[Level, ...]:
        """Return the values with their places."""
        return tuple(Level(v, float(i), v) for i, v in enumerate(self.values))

    def number(self, unit: float) -> float:
        """Return the level at a place in the unit cube."""
        if self.values:
            return float(min(int(unit * len(self.values)), len(self.values) - 1))
        return self.low + unit * (self.high - self.low)


class Design(NamedTuple):
    """Points in the unit cube."""

    name: str
    units: Floats  # (n, k)
    factors: tuple[Factor, ...] = ()

    @property
    def n_points(self) -> int:
        """Return how many there are."""
        return len(self.units)

    def numbers(self, index: int) -> tuple[float, ...]:
        """Return the levels of one."""
        pairs = zip(self.factors, self.units[index].tolist(), strict=True)
        return tuple(factor.number(u) for factor, u in pairs)

    def unit(self, index: int) -> tuple[float, ...]:
        """Return one."""
        return tuple(self.units[index].tolist())


class Sweep(NamedTuple):
    """What was to be run."""

    scenario: Scenario
    factors: tuple[Factor, ...]
    places: Design
    replications: int
    draws: str = "common"
    policies: tuple[str, ...] = ("empowered", "slow")
    name: str = "made"
    title: str = "Made up"
    source: str = "made.toml"
    seed: int = 7
    outcomes: tuple[str, ...] = ()
    digest: str = "0" * 64

    @property
    def design(self) -> Design:
        """Return where the points lie, among these factors."""
        return self.places._replace(factors=self.factors)

    def numbers(self, unit: Floats) -> list[float]:
        """Return the levels at a place in the unit cube."""
        return [f.number(float(u)) for f, u in zip(self.factors, unit, strict=True)]


class Finished(NamedTuple):
    """A folder of rows."""

    sweep: Sweep
    rows: tuple[pa.RecordBatch, ...]
    n_done: int
    n_failed: int
    folder: Path = Path("made")

    @property
    def n_points(self) -> int:
        """Return how many points there are to be."""
        return self.sweep.design.n_points

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows, in two batches."""
        for batch in self.rows:
            yield batch if columns is None else batch.select(list(columns))


def shop(folder: Path) -> Scenario:
    """Return the small shop."""
    path = folder / "shop.toml"
    path.write_text(SHOP, encoding="utf-8")
    return load_scenario(path)


def saltelli(n: int, k: int) -> Design:
    """Return base blocks in SALib's layout."""
    problem = {"num_vars": k, "names": list("abcdefgh"[:k]), "bounds": [[0, 1]] * k}
    return Design("saltelli", sobol.sample(problem, n, calc_second_order=False, seed=1))


def trajectories(n: int, k: int, seed: int = 1) -> Design:
    """Return trajectories in SALib's layout."""
    problem = {"num_vars": k, "names": list("abcdefgh"[:k]), "bounds": [[0, 1]] * k}
    return Design("morris", morris.sample(problem, n, seed=seed))


def hypercube(n: int, k: int, seed: int = 1) -> Design:
    """Return a Latin hypercube."""
    return Design("latin_hypercube", qmc.LatinHypercube(k, rng=seed).random(n))


def grid(*sizes: int) -> Design:
    """Return all combinations of so many levels each."""
    sides = [(np.arange(n) + 0.5) / n for n in sizes]
    return Design("grid", np.array(list(itertools.product(*sides))))


def run(
    sweep: Sweep,
    loss: Callable[[Floats], Floats],
    *,
    noise: float = 0.0,
    failed: Collection[int] = (),
    absent: Collection[int] = (),
    seed: int = 3,
) -> Finished:
    """Return rows in which `slow` loses what a function says, with luck.

    Both policies share luck, which the pair is free of. With `noise` the loss has luck
    of its own, the same at all points where draws are common.

    Args:
        sweep: What was to be run.
        loss: From levels (n, k) to what is lost a run (n,).
        noise: Standard deviation of the loss's own luck.
        failed: Points that failed.
        absent: Points that are not finished.
        seed: Of luck.
    """
    n, r = sweep.design.n_points, sweep.replications
    random = np.random.default_rng(seed)
    x = np.array([sweep.numbers(unit) for unit in sweep.design.units])
    lost = loss(x)[:, None] + np.zeros((n, r))
    if sweep.draws == "common":
        lost = lost + noise * random.standard_normal(r)
    else:
        lost = lost + noise * random.standard_normal((n, r))
    shared = LUCK * random.standard_normal((n, r))
    rows = []
    for point in range(n):
        if point in absent:
            continue
        if point in failed:
            rows.append((point, "", -1, None))
            continue
        for i in range(r):
            earned = GAIN + shared[point, i]
            rows.append((point, "empowered", i, earned))
            rows.append((point, "slow", i, earned - lost[point, i]))
    table = pa.table(
        {
            "point": pa.array([row[0] for row in rows], pa.int64()),
            "policy": pa.array([row[1] for row in rows], pa.string()),
            "replication": pa.array([row[2] for row in rows], pa.int64()),
            **{
                name: pa.array([row[3] for row in rows], pa.float64())
                for name in ("revenue", "contribution", "kept", "lost", *sweep.outcomes)
            },
            "error": pa.array([None if row[1] else "it broke" for row in rows]),
            "command": pa.array([None if row[1] else "churnsim run" for row in rows]),
        }
    )
    half = max(1, table.num_rows // 2)
    batches = table.combine_chunks().to_batches(max_chunksize=half)
    n_done = n - len(absent)
    return Finished(sweep, tuple(batches), n_done, len(failed))


def ishigami(x: Floats) -> Floats:
    """Return Ishigami's function, a = 7, b = 0.1, of factors in [−π, π]."""
    found: Floats = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2
    return found + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
