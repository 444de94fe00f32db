"""A sweep without a file, whose points cost nothing: for what is about neither."""

from __future__ import annotations

from churnsim.scenario import Scenario
from churnsim.sweep.designs import Listed
from churnsim.sweep.factors import Factor, Level
from churnsim.sweep.plan import ALWAYS_KEPT, Point, Sweep
from churnsim.sweep.rows import Failed, Row
from churnsim.sweep.work import Evaluate, Work


def toy(scenario: Scenario, n_points: int = 100, draws: str = "common") -> Sweep:
    """Return a sweep over lock-in, and a text beside it that looks like a formula."""
    shares = [point / n_points for point in range(n_points)]
    levels = [
        (
            Level(repr(share), share, repr(share)),
            Level(f'"=point {point}"', float(point), f"=point {point}"),
        )
        for point, share in enumerate(shares)
    ]
    columns = list(zip(*levels, strict=True))
    factors = tuple(
        Factor(field, tuple(level.setting for level in column), levels=column)
        for field, column in zip(("market.lock_in", "title"), columns, strict=True)
    )
    return Sweep(
        name="toy",
        title="",
        text=f"# {n_points} points\n",
        scenario=scenario,
        source="shop.toml",
        settings={},
        factors=factors,
        design=Listed(levels),
        meaning="list",
        policies=("empowered", "slow"),
        replications=2,
        seed=7,
        draws=draws,
        outcomes=ALWAYS_KEPT,
    )


def cheap(point: Point) -> list[Row] | Failed:
    """Return rows that no simulation made; each 13th point fails."""
    if point.number % 13 == 12:
        return Failed(f"point {point.number} is unlucky", "churnsim run =shop")
    outcomes = (float(point.number), 0.5, None, -1.0)
    return [
        Row(policy, replication, outcomes, 10**15)
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
    work = Work(toy(scenario, n_points), evaluate)
    work.chunk_points = chunk_points
    work.n_chunks = -(-n_points // chunk_points)
    return work
