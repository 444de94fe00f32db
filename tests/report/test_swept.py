"""The page about a sweep, and the charts of its analyses."""

import math
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pytest

from churnsim.analysis.discovery import Target, discover
from churnsim.analysis.responses import asked
from churnsim.analysis.sensitivity import sensitivity
from churnsim.analysis.surface import surface
from churnsim.errors import InputError
from churnsim.records import Floats
from churnsim.report.analyses import broken_field
from churnsim.report.discoveries import discovery_chart, discovery_text
from churnsim.report.page.blocks import Chart
from churnsim.report.page.theme import PAGE, PAPER
from churnsim.report.page.writing import write_chart
from churnsim.report.plots import plot
from churnsim.report.sensitivities import sensitivity_chart, sensitivity_text
from churnsim.report.surfaces import surface_chart, surface_text
from churnsim.report.swept import sweep_page
from churnsim.scenario import Scenario
from tests.analysis.made import (
    Factor,
    Finished,
    Sweep,
    grid,
    hypercube,
    ishigami,
    run,
    saltelli,
    shop,
    trajectories,
)

EVIL = "market.<script>alert(1)</script>"
FACTORS = (
    Factor("market.a", -math.pi, math.pi),
    Factor("market.b", -math.pi, math.pi),
    Factor(EVIL, -math.pi, math.pi),
)
DESIGNS = {
    "saltelli": saltelli(64, 3),
    "morris": trajectories(12, 3),
    "latin_hypercube": hypercube(200, 3),
    "grid": grid(5, 5, 4),
}


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Return the small shop, which nobody simulates here."""
    return shop(tmp_path_factory.mktemp("shop"))


def loss(x: Floats) -> Floats:
    """Return a loss that is a gain here and there."""
    return 40.0 * ishigami(x) - 60.0


def swept(scenario: Scenario, design: str, replications: int = 3) -> Finished:
    """Return rows of a known function, some failed, some still to be run."""
    sweep = Sweep(
        scenario, FACTORS, DESIGNS[design], replications, "independent",
        title="=cmd|x <script>",
    )  # fmt: skip
    return run(sweep, loss, noise=30.0, failed=(1, 2), absent=(7,))


def charts_of(finished: Finished) -> list[Chart]:
    """Return the charts of all three analyses."""
    revenue = asked(finished.sweep, "revenue", None, None)
    money = asked(finished.sweep, "contribution", None, None)
    found = [
        sensitivity_chart(sensitivity(finished, revenue)),
        discovery_chart(discover(finished, money, Target(0.0, is_below=True))),
        surface_chart(surface(finished, revenue, "market.a", "market.b")),
    ]
    return [chart for chart in found if chart is not None]


@pytest.mark.parametrize("design", DESIGNS)
def test_charts__are_valid_and_told(design: str, scenario: Scenario) -> None:
    """Vega-Lite's schema accepts each; words and a table stand beside each."""
    charts = charts_of(swept(scenario, design))
    names = ["sensitivity", "discovery", "surface"]
    if design == "morris":  # too few points of interest for a box
        names.remove("discovery")
    assert [chart.name for chart in charts] == names
    for chart in charts:
        for palette in (PAPER, PAGE):
            spec = chart.build(palette)
            alt.LayerChart.validate(spec)
            assert len(spec["datasets"]["rows"]) > 2
        assert chart.alt.split(".")[0] in {"Chart of dots", "Line chart", "Heat map"}
        assert len(chart.alt) > 60
        assert chart.table is not None
        assert chart.table.rows


def test_surface__is_hatched_where_the_sign_is_not_certain(scenario: Scenario) -> None:
    """Lines go through just those cells, and stay inside."""
    finished = swept(scenario, "grid")
    revenue = asked(finished.sweep, "revenue", None, None)
    found = surface(finished, revenue, "market.a", "market.b")
    rows: list[dict[str, Any]] = surface_chart(found).build(PAPER)["datasets"]["rows"]
    hatched = {
        (math.floor(row["x"] + 1e-9), math.floor(row["y"] + 1e-9))
        for row in rows
        if row["part"] == "hatch" and row["y"] < math.ceil(row["y2"])
    }
    unsure = {(cell.x, cell.y) for cell in found.cells if not cell.is_sure}
    assert hatched == unsure
    assert unsure
    assert len(unsure) < len(found.cells)
    for row in rows:
        assert 0.0 <= row["x"] <= row["x2"] <= 5.0
        assert 0.0 <= row["y"] <= row["y2"] <= 5.0
    drawn = {(r["x"], r["y"]): r["key"] for r in rows if r["part"] == "cell"}
    for cell in found.cells:
        key = "below" if (cell.value.mean or 0.0) < 0.0 else "above"
        assert drawn[cell.x, cell.y] == key


def test_plot__draws_analyses_of_a_sweep(scenario: Scenario) -> None:
    """In a notebook each is one call; what was run stands under the title."""
    finished = swept(scenario, "latin_hypercube")
    revenue = asked(finished.sweep, "revenue", None, None)
    target = Target(0.0, is_below=True)
    for found in (
        sensitivity(finished, revenue),
        discover(finished, revenue, target),
        surface(finished, revenue, "market.a", "market.b"),
    ):
        title = plot(found).to_dict()["title"]
        assert "197 of 200 points" in title["subtitle"]
    nowhere = discover(finished, revenue, Target(-1e9, is_below=True))
    with pytest.raises(InputError, match="Nowhere"):
        plot(nowhere)


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_charts__are_files(ending: str, scenario: Scenario, tmp_path: Path) -> None:
    """Each is written as a picture in which a name stays text."""
    for chart in charts_of(swept(scenario, "latin_hypercube")):
        path = tmp_path / f"{chart.name}.{ending}"
        write_chart(chart, path)
        data = path.read_bytes()
        if ending == "png":
            assert data.startswith(b"\x89PNG\r\n")
        else:
            assert b"<script>" not in data
            assert data.startswith(b"<svg")


@pytest.mark.parametrize("width", [60, 100])
def test_texts__fit_their_width_and_say_what_is_missing(
    width: int, scenario: Scenario
) -> None:
    """No line is longer, but the command; what is partial is said at the top."""
    finished = swept(scenario, "latin_hypercube")
    revenue = asked(finished.sweep, "revenue", None, None)
    money = asked(finished.sweep, "contribution", None, None)
    target = Target(0.0, is_below=True)
    texts = (
        sensitivity_text(sensitivity(finished, revenue), "again", width),
        discovery_text(discover(finished, money, target), "again", width),
        surface_text(
            surface(finished, revenue, "market.a", "market.b"), "again", width
        ),
    )
    for text in texts:
        assert "PARTIAL: 197 of 200 points" in text
        assert "2 of 200 points, which failed" in " ".join(text.split())
        assert text.endswith("  again")
        assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("design", DESIGNS)
def test_page__has_every_section_and_stays_text(
    design: str, scenario: Scenario
) -> None:
    """What was varied, what failed, all analyses, warnings and commands: as text."""
    page = sweep_page(swept(scenario, design))
    for anchor in (
        *("varied", "failures", "sensitivity", "discovery", "surface"),
        *("warnings", "origin"),
    ):
        assert f'<section id="{anchor}"' in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "=cmd|x" in page
    assert "2 points failed" in page
    assert "still to be run" in page
    assert "churnsim discover made --policy slow" in page


def test_page__where_all_failed_says_so(scenario: Scenario) -> None:
    """Without any response the page tells what was varied and what failed."""
    sweep = Sweep(scenario, FACTORS, grid(2, 2, 2), 2)
    page = sweep_page(run(sweep, loss, failed=range(8)))
    assert "8 of 8 points, which failed" in page
    assert '<section id="failures"' in page
    assert '<section id="surface"' not in page


def test_page__of_one_factor_and_one_policy(scenario: Scenario) -> None:
    """One factor has no surface; one policy has no boxes, and it is said."""
    design = grid(12)
    sweep = Sweep(scenario, FACTORS[:1], design, 2, policies=("slow",))
    finished = run(sweep, lambda x: np.asarray(100.0 * x[:, 0]))
    page = sweep_page(finished)
    assert "Boxes need two policies" in page
    assert '<section id="surface"' not in page
    assert "--policy slow --alone" in page


def test_labels__break_after_dots() -> None:
    """A long dotted name stands in lines that fit beside a chart."""
    broken = broken_field("policy.slow_and_dishonest.authority.limit")
    assert broken.split("\n") == ["policy.", "slow_and_dishonest.", "authority.limit"]
