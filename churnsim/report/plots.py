"""Results as charts, with one call: `plot`.

The charts of a comparison are those of its page; the other records have their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from churnsim.analysis.discovery import Discovery
from churnsim.analysis.sensitivity import Sensitivity
from churnsim.analysis.subject import extent_text
from churnsim.analysis.surface import Surface
from churnsim.errors import InputError, Problem
from churnsim.experiment import (
    Attribution,
    Breakeven,
    Comparison,
    Counterfactuals,
    Staffing,
    Story,
)
from churnsim.experiment.intervals import ROUGH_BELOW
from churnsim.report.page.writing import require_libraries
from churnsim.scenario.files import close_to

if TYPE_CHECKING:
    import altair as alt

    from churnsim.report.page.blocks import Chart

OfSweep = Sensitivity | Discovery | Surface
OfRuns = Comparison | Attribution | Counterfactuals | Story | Breakeven | Staffing
Record = OfRuns | OfSweep


def plot(result: Record, chart: str | None = None) -> alt.Chart:
    """Return a chart of a result, which a notebook shows and `save` writes to a file.

    Args:
        result: What `compare`, `explain`, `counterfactuals`, `story`, `breakeven`
            or `staff` returned, or an analysis of a sweep.
        chart: Which of its charts, by name, such as "survival" of a comparison; the
            first where absent. An unknown name is answered with all there are.

    Raises:
        InputError: Altair is not installed, there is nothing to draw, or no such chart.
    """
    require_libraries()
    import altair as alt

    from churnsim.report.page.theme import PAPER

    charts = _charts(result)
    if not charts:
        rule = f"must have something to draw. {result.sentence()}"
        raise InputError(Problem(rule, field="result"))
    known = [found.name for found in charts]
    name = known[0] if chart is None else chart
    if name not in known:
        rule = f"must be one of {', '.join(known)}"
        raise InputError(
            Problem(rule, field="chart", value=name, hint=close_to(name, known))
        )
    found = charts[known.index(name)]
    heading = {"text": found.title, "subtitle": _extent(result)}
    spec = {**found.build(PAPER), "title": heading, "description": found.alt}
    drawn: alt.Chart = alt.LayerChart.from_dict(spec, validate=False)
    return drawn


def _extent(result: Record) -> str:
    """Return how sure what is drawn is, for under a title."""
    if isinstance(result, Story):
        person = result.person
        return f"replication {person.replication:,}, seed {person.seed}"
    if isinstance(result, OfSweep):
        return extent_text(result.sweep, result.responses)
    n = result.n_finished
    if n < 2:
        return "one replication, no interval"
    rough = f", rough: fewer than {ROUGH_BELOW}" if n < ROUGH_BELOW else ""
    missing = result.n_asked - n
    partial = f" of {result.n_asked:,} asked for" if missing else ""
    return f"mean and 95 % interval of {n:,} replications{partial}{rough}"


def _charts(result: Record) -> Sequence[Chart]:
    """Return the charts of a result, the one that says most first."""
    # Each imports Altair, which need not be installed.
    if isinstance(result, OfSweep):
        return _of_sweep(result)
    if isinstance(result, Comparison):
        from churnsim.report.page.rendering import charts_of

        return charts_of(result.to_json_dict())
    from churnsim.report import drawn

    if isinstance(result, Attribution):
        return drawn.of_attribution(result)
    if isinstance(result, Counterfactuals):
        return drawn.of_counterfactuals(result)
    if isinstance(result, Breakeven):
        return drawn.of_breakeven(result)
    if isinstance(result, Staffing):
        return drawn.of_staffing(result)
    return drawn.of_story(result)


def _of_sweep(result: OfSweep) -> Sequence[Chart]:
    """Return the chart of an analysis of a sweep; none where it has nothing to draw."""
    from churnsim.report.discoveries import discovery_chart
    from churnsim.report.sensitivities import sensitivity_chart
    from churnsim.report.surfaces import surface_chart

    if isinstance(result, Sensitivity):
        found = sensitivity_chart(result)
    elif isinstance(result, Discovery):
        found = discovery_chart(result)
    else:
        found = surface_chart(result)
    return [] if found is None else [found]
