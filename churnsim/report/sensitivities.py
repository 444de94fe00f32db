"""A sensitivity as text and as a chart: which factors a response hangs on."""

from __future__ import annotations

import functools
from typing import Any

from churnsim.analysis.resampling import Index
from churnsim.analysis.sensitivity import FactorSensitivity, Sensitivity
from churnsim.analysis.subject import amount_text, per_text
from churnsim.report.analyses import (
    broken_field,
    closing_lines,
    heading_lines,
    sentence_of_chart,
)
from churnsim.report.columns import paragraph
from churnsim.report.grid import Row, grid
from churnsim.report.page.blocks import Chart, LegendItem, Table
from churnsim.report.page.charts import Drawing

UNKNOWN = "–"
SOBOL = ("first", "total")
MORRIS = ("mu_star", "mu", "sigma")
NAMES = {
    "first": "alone",
    "total": "with others",
    "mu_star": "mean size",
    "mu": "mean effect",
    "sigma": "spread",
}
HOW = {
    "saltelli": "Share of the variance that each factor is behind, alone (first-order"
    " Sobol index) and with all interactions (total)",
    "morris": "What moving each factor through its whole range does (elementary effects"
    " after Morris): mean size μ*, mean effect μ, and how much it depends on where, σ",
    "grid": "Share of the variance that each factor is behind over the grid's levels,"
    " alone and with all interactions",
    "given_data": "Share of the variance that each factor is behind alone (first-order"
    " Sobol index, estimated from the points as they lie)",
}
ESTIMATORS = {
    "saltelli": "Saltelli's layout",
    "grid": "all combinations",
    "levels": "means of its levels",
    "ranks": "neighbours by rank",
}


def sensitivity_text(found: Sensitivity, again: str, width: int) -> str:
    """Return everything that the command shows of a sensitivity.

    Args:
        found: What came out.
        again: The command that makes the same numbers.
        width: Columns to fit into.
    """
    lines = heading_lines(found.sweep, found.responses, width)
    if found.factors:
        lines += ["", paragraph(f"{_how(found)}: {_response(found)}", width), ""]
        names, rows = sensitivity_rows(found)
        lines += grid(names, [Row(row[0], row[1:]) for row in rows], width)
    lines += ["", paragraph(found.sentence(), width)]
    lines += closing_lines(found.sweep, found.warnings, again, width)
    return "\n".join(lines)


def sensitivity_rows(
    found: Sensitivity,
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return the columns' names, and a row for each factor: its name, and cells."""
    is_morris = found.method == "morris"
    measures = [
        name
        for name in (MORRIS if is_morris else SOBOL)
        if any(getattr(factor, name) for factor in found.factors)
    ]
    names = []
    for name in measures:
        names += [NAMES[name], "95 % interval"]
    names.append("luck's part" if is_morris else "estimated by")
    rows = []
    for factor in found.factors:
        cells: list[str] = []
        for name in measures:
            index: Index | None = getattr(factor, name)
            value, low, high = (None,) * 3 if index is None else index
            cells.append(_shown(found, value))
            reach = f"{_shown(found, low)} to {_shown(found, high)}"
            cells.append("none" if low is None else reach)
        last = (
            _shown(found, factor.mu_star_noise)
            if is_morris
            else ESTIMATORS.get(factor.estimator or "", UNKNOWN)
        )
        rows.append((factor.factor.field, *cells, last))
    return names, rows


def sensitivity_table(found: Sensitivity) -> Table:
    """Return the table of a page."""
    names, rows = sensitivity_rows(found)
    return Table(_how(found), ("factor", *names), tuple(rows))


def sensitivity_chart(found: Sensitivity) -> Chart | None:
    """Return the chart: a mark for each measure of each factor; None without any."""
    if not found.factors:
        return None
    is_morris = found.method == "morris"
    measures = [
        name
        for name in (("mu_star", "sigma") if is_morris else SOBOL)
        if any(getattr(factor, name) for factor in found.factors)
    ]
    legend = tuple(
        LegendItem(name, NAMES[name], i, mark="dot" if i == 0 else "square")
        for i, name in enumerate(measures)
    )
    labels = {f.factor.field: broken_field(f.factor.field) for f in found.factors}
    rows = [
        row
        for factor in found.factors
        for name in measures
        if (row := _row(found, factor, name, labels)) is not None
    ]
    unit = found.responses.unit
    currency = f"{unit.currency} {unit.per}" if unit.kind == "money" else unit.kind
    what = f"effect of the whole range ({currency})" if is_morris else "of the variance"
    drawing = Drawing(
        x_title=what,
        form="~s" if is_morris else "~%",
        of="factor",
        order=tuple(labels.values()),
        legend=legend,
    )
    from churnsim.report.page import sweep_charts

    said = "; ".join(f"{r['name']}, {r['what']}: {r['shown']}" for r in rows)
    alt = sentence_of_chart("Chart of dots", [f"{found.sentence()}", f"{said}."])
    title = f"What the {found.responses.question.text} hangs on"
    build = functools.partial(sweep_charts.marks, rows, drawing)
    return Chart("sensitivity", title, alt, build, sensitivity_table(found), legend)


def _row(
    found: Sensitivity, factor: FactorSensitivity, name: str, labels: dict[str, str]
) -> dict[str, Any] | None:
    index: Index | None = getattr(factor, name)
    if index is None:
        return None
    value, low, high = (_shown(found, x) for x in index)
    return {
        "label": labels[factor.factor.field],
        "key": name,
        "name": factor.factor.field,
        "what": NAMES[name],
        "value": index.value,
        "low": index.low,
        "high": index.high,
        "shown": value if index.low is None else f"{value} ({low} to {high})",
    }


def _shown(found: Sensitivity, value: float | None) -> str:
    """Return a measure for people: shares of variance, or the response's unit."""
    if value is None:
        return UNKNOWN
    if found.method == "morris":
        return amount_text(value, found.responses.unit)
    return f"{value:.3f}"


def _response(found: Sensitivity) -> str:
    return f"{found.responses.question.text}{per_text(found.responses.unit)}"


def _how(found: Sensitivity) -> str:
    is_grid = any(factor.estimator == "grid" for factor in found.factors)
    return HOW["grid" if is_grid else found.method]
