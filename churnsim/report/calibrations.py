"""A calibration as text and as charts: parameters, targets, what is not determined."""

from __future__ import annotations

import functools
from typing import Any

from churnsim.calibration.record import Calibration, Fitted, Met
from churnsim.experiment.intervals import CONFIDENCE
from churnsim.report.analyses import broken_field, sentence_of_chart
from churnsim.report.columns import paragraph
from churnsim.report.grid import Row, grid
from churnsim.report.page.blocks import Chart, LegendItem, Table
from churnsim.report.page.charts import Drawing
from churnsim.units import format_duration

CLOSE = 0.8  # of a posterior's correlations: less is not worth a word
DIGEST_DIGITS = 12
PERCENT = f"{100 * CONFIDENCE:.0f} %"


def calibration_text(found: Calibration, again: str, width: int) -> str:
    """Return everything that the command shows of a calibration.

    Args:
        found: What came out.
        again: The command that makes the same numbers.
        width: Columns to fit into.
    """
    scenario = found.scenario
    extent = (
        f"{scenario.title}: {found.policy}, {format_duration(scenario.horizon)},"
        f" {found.n_values:,} values of the parameters, {found.replications}"
        f" replications of each"
    )
    lines = [paragraph(extent, width)]
    if found.is_stopped:
        lines.append(f"PARTIAL: stopped after {found.n_runs:,} runs")
    names, rows = parameter_rows(found)
    lines += ["", *grid(names, [Row(row[0], row[1:]) for row in rows], width)]
    names, rows = target_rows(found)
    lines += ["", *grid(names, [Row(row[0], row[1:]) for row in rows], width)]
    lines += ["", paragraph(found.sentence(), width)]
    lines += ["", *(paragraph(text, width) for text in identifiability_texts(found))]
    if found.warnings:
        lines.append("")
    lines += [paragraph(text, width, "warning: ", "  ") for text in found.warnings]
    lines += ["", paragraph(_how(found), width)]
    digest = scenario.digest[:DIGEST_DIGITS]
    origin = f"seed {found.seed}, scenario {digest}; the same again:"
    return "\n".join([*lines, "", paragraph(origin, width), f"  {again}"])


def parameter_rows(found: Calibration) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return the columns' names, and a row for each parameter."""
    names = ["best fit", f"{PERCENT} from", f"{PERCENT} to", "range from", "range to"]
    names.append("spread left")
    rows = [
        (
            fitted.factor.field,
            *(
                fitted.text(number)
                for number in (fitted.value, *_interval(fitted), *_range(fitted))
            ),
            f"{100.0 * found.identifiability.left[i]:.0f} %",
        )
        for i, fitted in enumerate(found.parameters)
    ]
    return names, rows


def target_rows(found: Calibration) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return the columns' names, and a row for each target."""
    names = ["observed", "error", "simulated", "luck", "errors apart"]
    rows: list[tuple[str, ...]] = [
        (
            met.target.title,
            met.target.text(met.target.value),
            met.target.text(met.target.error),
            met.target.text(met.simulated),
            met.target.text(met.error),
            f"{met.z:+.1f}",
        )
        for met in found.targets
    ]
    return names, rows


def identifiability_texts(found: Calibration) -> list[str]:
    """Return what the targets do not determine, and what hangs together."""
    known = found.identifiability
    texts = list(known.sentences)
    fields = [factor.field for factor in found.factors]
    close = [
        f"{fields[i]} and {fields[j]} ({known.correlation[i, j]:+.2f})"
        for i in range(len(fields))
        for j in range(i + 1, len(fields))
        if abs(known.correlation[i, j]) >= CLOSE
    ]
    if close:
        texts.append(
            f"In the posterior these go together (correlation): {', '.join(close)}."
        )
    return texts


def fitted_scenario(found: Calibration, base: str, settings: dict[str, str]) -> str:
    """Return a scenario file that extends another one, with the values that fit best.

    Args:
        found: The calibration.
        base: A ready scenario's name, or a path as seen from the file.
        settings: That lay over the base, by dotted key, as TOML.
    """
    from churnsim.scenario import load_scenario
    from churnsim.scenario.writing import toml_value

    origin = (
        f"# Fitted under {found.policy} from {found.n_runs} runs, seed {found.seed};"
        f" {PERCENT} intervals beside the values."
    )
    lines = [
        f"# {found.sentence()}",
        origin,
        f"extends = {toml_value(base)}",
    ]
    kinds = "mistakes."
    lines += [f"{k} = {v}" for k, v in settings.items() if not k.startswith(kinds)]
    for fitted in found.parameters:
        factor = fitted.factor
        low, high = map(fitted.text, _interval(fitted))
        setting = factor.at(fitted.value).setting
        told = f"{factor.field} = {setting} # fitted: {low} to {high}"
        lines.append(f"# {told}" if factor.field.startswith(kinds) else told)
    fields = [*settings, *(factor.field for factor in found.factors)]
    if any(field.startswith(kinds) for field in fields):
        # Of an array of tables a file says all or nothing.
        whole = load_scenario(found.scenario, overrides=found.settings())
        lines += ["", *_mistake_lines(whole.to_toml())]
    return "\n".join(lines) + "\n"


def _mistake_lines(text: str) -> list[str]:
    """Return the lines of a resolved scenario that tell of mistakes."""
    kept, is_inside = [], False
    for line in text.splitlines():
        if line.startswith("["):
            is_inside = line == "[[mistakes]]" or line.startswith("[mistakes.")
        if is_inside:
            kept.append(line)
    return kept


def fit_chart(found: Calibration) -> Chart:
    """Return the chart of the fit: how far each target is from what is simulated."""
    legend = (
        LegendItem("observed", "observed", 0, mark="square"),
        LegendItem("simulated", "posterior", 1, mark="dot"),
    )
    labels = {met.target.title: broken_field(met.target.title) for met in found.targets}
    rows = [row for met in found.targets for row in _fit_rows(met, labels)]
    drawing = Drawing(
        x_title="errors of the observation, from what was observed",
        form=".1f",
        of="target",
        order=tuple(dict.fromkeys(labels.values())),
        legend=legend,
    )
    names, cells = target_rows(found)
    table = Table("Simulated and observed", ("target", *names), tuple(cells))
    said = "; ".join(f"{row['name']}, {row['what']}: {row['shown']}" for row in rows)
    alt = sentence_of_chart("Chart of dots", [found.sentence(), f"{said}."])
    return _chart("fit", "How the targets are met", alt, (rows, drawing, table))


def identifiability_chart(found: Calibration) -> Chart:
    """Return the chart of what is known: the interval within each range."""
    legend = (
        LegendItem("range", "range given", 0, mark="square"),
        LegendItem("posterior", f"{PERCENT} of the posterior", 1, mark="dot"),
    )
    labels = {f.factor.field: broken_field(f.factor.field) for f in found.parameters}
    rows = [
        row
        for fitted in found.parameters
        for row in _known_rows(fitted, labels[fitted.factor.field])
    ]
    drawing = Drawing(
        x_title="place in the range",
        form="~%",
        of="parameter",
        order=tuple(labels.values()),
        legend=legend,
    )
    names, cells = parameter_rows(found)
    table = Table("Parameters", ("parameter", *names), tuple(cells))
    alt = sentence_of_chart("Chart of intervals", identifiability_texts(found))
    title = "What the targets tell of each parameter"
    return _chart("identifiability", title, alt, (rows, drawing, table))


def _chart(
    name: str, title: str, alt: str, drawn: tuple[list[dict[str, Any]], Drawing, Table]
) -> Chart:
    from churnsim.report.page import sweep_charts

    rows, drawing, table = drawn
    build = functools.partial(sweep_charts.marks, rows, drawing)
    return Chart(name, title, alt, build, table, drawing.legend)


def _fit_rows(met: Met, labels: dict[str, str]) -> list[dict[str, Any]]:
    """Return the observation and what the posterior comes to, in errors."""
    target = met.target
    reach = 1.96 * target.error
    told = (
        ("observed", target.value, target.value - reach, target.value + reach),
        ("simulated", met.simulated, met.low, met.high),
    )
    return [
        {
            "label": labels[target.title],
            "key": key,
            "name": target.title,
            "what": key,
            "value": (value - target.value) / target.error,
            "low": (low - target.value) / target.error,
            "high": (high - target.value) / target.error,
            "shown": f"{target.text(value)} ({target.text(low)} to"
            f" {target.text(high)})",
        }
        for key, value, low, high in told
    ]


def _known_rows(fitted: Fitted, label: str) -> list[dict[str, Any]]:
    """Return a parameter's range, and its interval within."""
    factor = fitted.factor
    rows = []
    for key, value, (low, high) in (
        ("range", None, _range(fitted)),
        ("posterior", fitted.value, _interval(fitted)),
    ):
        middle = 0.5 * (low + high) if value is None else value
        rows.append(
            {
                "label": label,
                "key": key,
                "name": factor.field,
                "what": key,
                "value": 0.5 if value is None else _place(fitted, middle),
                "low": _place(fitted, low),
                "high": _place(fitted, high),
                "shown": f"{fitted.text(low)} to {fitted.text(high)}",
            }
        )
    return rows


def _place(fitted: Fitted, number: float) -> float:
    """Return where in its range a number lies, from 0 to 1."""
    import math

    factor = fitted.factor
    ends = (factor.low, number, factor.high)
    low, here, high = map(math.log, ends) if factor.is_log else ends
    return (here - low) / (high - low)


def _interval(fitted: Fitted) -> tuple[float, float]:
    return fitted.low, fitted.high


def _range(fitted: Fitted) -> tuple[float, float]:
    return fitted.factor.low, fitted.factor.high


def _how(found: Calibration) -> str:
    """Return what the numbers mean."""
    logs = [factor.field for factor in found.factors if factor.is_log]
    even = "the range"
    if logs:
        even += f" (over the logarithm of {', '.join(logs)})"
    return (
        f"Before the targets every value was held to be as likely as any other over"
        f" {even}. Spread left is what remains of that spread. Intervals allow for the"
        " errors of the targets and for the luck of the runs."
    )
