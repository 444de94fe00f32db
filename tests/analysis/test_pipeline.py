"""Published and closed-form answers through a sweep file, its design and its store."""

import math
import threading
from pathlib import Path

import pytest

from churnsim.analysis.discovery import Target, discover
from churnsim.analysis.finished import Finished
from churnsim.analysis.responses import asked
from churnsim.analysis.sensitivity import sensitivity
from churnsim.sweep.plan import Point, load_sweep
from churnsim.sweep.rows import Row
from churnsim.sweep.running import How, Threads, run_sweep
from churnsim.sweep.store.reading import read_store
from churnsim.sweep.work import Evaluate, Work
from tests.experiment.conftest import SHOP

ISHIGAMI = ((0.3139, 0.5576), (0.4424, 0.4424), (0.0, 0.2437))  # first, total
MICRO = 1_000_000
FACTORS = ("market.discovery", "market.lock_in", "market.trust_sd")

FILE = """\
scenario = "shop.toml"
policies = ["empowered", "slow"]
replications = 2
seed = 11

[design]
{design}
"""
FACTOR = """
[[factor]]
field = "{field}"
low = 0.0
high = 1.0
"""


def stored(folder: Path, design: str, evaluate: Evaluate) -> Finished:
    """Return a store whose rows a function made, read back."""
    (folder / "shop.toml").write_text(SHOP, encoding="utf-8")
    text = FILE.format(design=design) + "".join(
        FACTOR.format(field=field) for field in FACTORS
    )
    (folder / "file.toml").write_text(text, encoding="utf-8")
    work = Work(load_sweep(folder / "file.toml"), evaluate)
    run_sweep(work, folder / "store", Threads(1))
    return read_store(folder / "store")


def losing(point: Point, amount: float) -> list[Row]:
    """Return rows in which `slow` loses an amount, whatever the luck of both."""
    rows = []
    for replication in range(2):
        for policy in point.policies:
            lost = amount if policy == "slow" else 0.0
            revenue = 5000.0 + 400.0 * math.sin(97.0 * point.number + replication)
            money = revenue - lost
            outcomes = (money, money, 1.0, 0.0)
            rows.append(Row(policy, replication, outcomes, round(money * MICRO)))
    return rows


def ishigami(point: Point) -> list[Row]:
    """Return rows of Ishigami's function of angles from −π to π."""
    a, b, c = (math.pi * (2.0 * level.number - 1.0) for level in point.levels)
    loss = math.sin(a) + 7.0 * math.sin(b) ** 2 + 0.1 * c**4 * math.sin(a)
    return losing(point, loss)


def test_pipeline__finds_ishigamis_published_indices(tmp_path: Path) -> None:
    """From file, layout, rows and store come first-order and total indices."""
    finished = stored(tmp_path, 'kind = "saltelli"\npoints = 2048', ishigami)
    assert finished.sweep.design.n_points == 2048 * 5
    found = sensitivity(finished, asked(finished.sweep, "revenue", None, None))
    assert found.n_units == 2048
    for factor in found.factors:
        first, total = ISHIGAMI[FACTORS.index(factor.factor.field)]
        assert factor.first is not None
        assert factor.total is not None
        assert factor.first.value == pytest.approx(first, abs=0.03)
        assert factor.total.value == pytest.approx(total, abs=0.03)


def test_pipeline__finds_morriss_effects_of_a_line(tmp_path: Path) -> None:
    """Effects of a line are its slopes, each with no spread."""

    def line(point: Point) -> list[Row]:
        a, b, c = (level.number for level in point.levels)
        return losing(point, 30.0 * a - 20.0 * b + 0.0 * c)

    finished = stored(tmp_path, 'kind = "morris"\ntrajectories = 8', line)
    found = sensitivity(finished, asked(finished.sweep, "revenue", None, None))
    unit = 1000.0 / 150.0  # a year of the shop's customers
    slopes = {f.factor.field: f for f in found.factors}
    for field, slope in zip(FACTORS, (30.0, -20.0, 0.0), strict=True):
        effects = slopes[field]
        assert effects.mu is not None
        assert effects.sigma is not None
        assert effects.mu.value == pytest.approx(slope * unit, abs=1e-3)
        assert effects.sigma.value == pytest.approx(0.0, abs=1e-3)


def test_pipeline__finds_the_known_box(tmp_path: Path) -> None:
    """From a Latin hypercube in a store come the sides of the box."""

    def boxed(point: Point) -> list[Row]:
        a, b, _ = (level.number for level in point.levels)
        return losing(point, -50.0 if a > 0.6 and b < 0.5 else 50.0)

    design = 'kind = "latin_hypercube"\npoints = 600'
    finished = stored(tmp_path, design, boxed)
    question = asked(finished.sweep, "contribution", None, None)
    found = discover(finished, question, Target(0.0, is_below=True))
    ends = {r.factor.field: (r.low, r.high) for r in found.boxes[0].restrictions}
    assert ends.keys() == set(FACTORS[:2])
    assert ends[FACTORS[0]][0] == pytest.approx(0.6, abs=0.02)
    assert ends[FACTORS[1]][1] == pytest.approx(0.5, abs=0.02)
    assert found.n_unsure == 0


def test_pipeline__of_an_unfinished_store_says_so(tmp_path: Path) -> None:
    """A sweep that was stopped is analysed as far as it has come."""
    finished = stored(tmp_path, 'kind = "saltelli"\npoints = 64', ishigami)
    work = Work(finished.sweep, ishigami)  # type: ignore[arg-type] # what was read
    work.chunk_points = 50
    work.n_chunks = 7
    stop = threading.Event()

    def stopping(point: Point) -> list[Row]:
        if point.number == 120:
            stop.set()
        return ishigami(point)

    work.evaluate = stopping
    run_sweep(work, tmp_path / "part", Threads(1), How(stop=stop))
    part = read_store(tmp_path / "part")
    found = sensitivity(part, asked(part.sweep, "revenue", None, None))
    assert found.responses.n_unfinished == 320 - 150
    assert found.n_units == 30
    assert any("still to be run" in text for text in found.warnings)
