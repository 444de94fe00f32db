"""What `churnsim fit` does with each model but the one that makes a market."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import click
from click.core import ParameterSource

from churnsim.cli.console import columns, say, tell
from churnsim.cli.outputs import (
    FitDocument,
    FittedDurations,
    FittedLaw,
    FittedModel,
    say_json,
)
from churnsim.errors import InputError, Problem, UnitError

if TYPE_CHECKING:
    from churnsim.fit import DurationFit, LawChoice, TransactionLog
    from churnsim.fit.durations import CurvePoint

Model = Literal["bg-nbd", "pareto-nbd", "sbg", "durations"]
MODELS: tuple[Model, ...] = get_args(Model)
_LOG = ("end", "layout", "date_format", "drop_duplicates")
# Options that say something to a model; all others are refused with it.
_TAKEN = {
    "bg-nbd": (*_LOG, "currency", "out", "scenario", "force"),
    "pareto-nbd": (*_LOG, "discount"),
    "sbg": ("discount",),
    "durations": ("column", "censored", "unit", "field"),
}
_COMMON = ("file", "model", "as_json")


class FitOptions(NamedTuple):
    """Which file, how to read it, and what to write."""

    file: Path
    model: Model
    end: dt.datetime | None
    layout: str
    date_format: str
    drop_duplicates: bool
    currency: str
    out: Path | None
    scenario: Path | None
    force: bool
    discount: str
    column: str | None
    censored: str | None
    unit: str | None
    field: str
    as_json: bool


def check_options(context: click.Context) -> None:
    """Refuse options that were typed and mean nothing to the model.

    Raises:
        InputError: With each of them.
    """
    model = context.params["model"]
    problems = []
    for option in context.command.params:
        name = option.name or ""
        typed = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not typed or name in {*_COMMON, *_TAKEN[model]}:
            continue
        meant = [other for other, taken in _TAKEN.items() if name in taken]
        rule = f"means nothing with --model {model}"
        hint = f"leave it out, or choose --model {' or '.join(meant)}"
        problems.append(Problem(rule, field=option.opts[0], hint=hint))
    if problems:
        raise InputError(*problems)


def read_log(options: FitOptions) -> TransactionLog:
    """Return the log of purchases, and tell what is unusual about it."""
    from churnsim.fit import read_transactions

    log = read_transactions(
        options.file,
        end=options.end.date() if options.end else None,
        layout=options.layout,
        date_format=options.date_format,
        drop_duplicates=options.drop_duplicates,
    )
    for warning in log.warnings:
        tell(f"warning: {warning}")
    return log


def fit_pareto(options: FitOptions) -> None:
    """Fit the Pareto/NBD model, with the BG/NBD beside it."""
    from churnsim.fit import fit_bgnbd, fit_pareto_nbd, outlook
    from churnsim.report.fitted import pareto_text

    discount = _discount(options)
    log = read_log(options)
    history = (log.x, log.t_x_weeks, log.age_weeks)
    fit, other = fit_pareto_nbd(*history), fit_bgnbd(*history)
    expected = outlook(fit.params, log, discount)
    if not options.as_json:
        say(pareto_text(log, (fit, other), expected, discount, columns()))
        return
    document = document_of(options, log.sha256)
    document["end"] = str(log.end)
    document["customers"] = len(log.customers)
    document["repeat_purchases"] = int(log.x.sum())
    document["bgnbd"] = model_document(other)
    document["pareto_nbd"] = model_document(fit)
    document["expected"] = {
        "alive": expected.alive,
        "coming": expected.coming,
        "held_out": expected.held_out,
        "new_alive": expected.new_alive,
        "new_coming": expected.new_coming,
        "new_discounted": expected.new_discounted,
        "discount": discount,
    }
    document["warnings"] = list(log.warnings)
    say_json(document)


def fit_cohort(options: FitOptions) -> None:
    """Fit the sBG model to a table of survivors."""
    from churnsim.fit import fit_sbg, read_survival
    from churnsim.fit.sbg import expected_lifetime, residual_lifetime, survival
    from churnsim.report.fitted import sbg_line, sbg_text

    discount = _discount(options)
    table = read_survival(options.file)
    fit = fit_sbg(table.survivors)
    if not options.as_json:
        say(sbg_text(table, fit, discount, columns()))
        return
    document = document_of(options, table.sha256)
    document["customers"] = int(table.survivors[0])
    document["sbg"] = {
        "model": model_document(fit),
        "periods": [
            {
                "period": t,
                "survivors": left,
                "fitted": float(survival(fit.params, t)),
                "residual_lifetime": float(
                    residual_lifetime(fit.params, t + 1, discount)
                ),
            }
            for t, left in enumerate(table.survivors.tolist())
        ],
        "lifetime": float(expected_lifetime(fit.params, discount)),
        "discount": discount,
    }
    document["setting"] = sbg_line(fit)
    say_json(document)


def fit_durations(options: FitOptions) -> None:
    """Fit both laws of durations to a column of times."""
    from churnsim.fit import choose_law, kaplan_meier, read_durations
    from churnsim.fit.durations import curve_points
    from churnsim.report.fitted import duration_line, durations_text
    from churnsim.units import parse_duration

    if options.column is None:
        hint = "say which column holds the times, such as --column wait"
        raise InputError(Problem("must be given", field="--column", hint=hint))
    column, unit = options.column, options.unit

    def days(text: str) -> float:
        with contextlib.suppress(UnitError):
            return parse_duration(text)
        if unit is None and text[-1:].isdigit():
            rule = f'must say in what {column} is, or each time, as in "90 s"'
            raise InputError(Problem(rule, field="--unit", value=text))
        return parse_duration(f"{text} {unit}" if text[-1:].isdigit() else text)

    table = read_durations(options.file, column, options.censored, days)
    for warning in table.warnings:
        tell(f"warning: {warning}")
    choice = choose_law(table.time, table.is_seen)
    curve = kaplan_meier(table.time, table.is_seen)
    points = curve_points(curve, (choice.best, choice.other))
    if not options.as_json:
        setting = (options.field, unit)
        say(durations_text(table, choice, points, setting, columns()))
        return
    document = document_of(options, table.sha256)
    document["durations"] = _durations_document(choice, points)
    document["setting"] = duration_line(choice.best, options.field, unit)
    document["warnings"] = list(table.warnings)
    say_json(document)


def document_of(options: FitOptions, sha256: str) -> FitDocument:
    """Return the document of a fit, in which nothing was found yet."""
    return {
        "file": str(options.file),
        "sha256": sha256,
        "model": options.model,
        "end": None,
        "customers": None,
        "repeat_purchases": None,
        "currency": None,
        "bgnbd": None,
        "gamma_gamma": None,
        "correlation": None,
        "pareto_nbd": None,
        "expected": None,
        "sbg": None,
        "durations": None,
        "market": None,
        "setting": None,
        "warnings": [],
        "written": [],
    }


def model_document(fit: Any) -> FittedModel:
    """Return a fitted model for JSON.

    Args:
        fit: Of any model, with params, standard_errors, log_likelihood, n, converged.
    """
    errors = fit.standard_errors._asdict()
    return {
        "params": {name: float(x) for name, x in fit.params._asdict().items()},
        "standard_errors": {name: finite(x) for name, x in errors.items()},
        "log_likelihood": float(fit.log_likelihood),
        "customers": fit.n,
        "converged": bool(fit.converged),
    }


def finite(value: float) -> float | None:
    """Return a number that JSON knows; None for any other."""
    return float(value) if math.isfinite(value) else None


def _durations_document(choice: LawChoice, points: list[CurvePoint]) -> FittedDurations:
    """Return both laws for JSON."""
    return {
        "durations": choice.best.n,
        "seen": choice.best.n_seen,
        "laws": [_law(choice.best), _law(choice.other)],
        "is_sure": choice.is_sure,
        "aic_difference": choice.aic_difference,
        "weight": choice.weight,
        "z": choice.z,
        "p_value": choice.p_value,
        "curve": [
            {
                "days": point.time,
                "share": point.share,
                "low": point.low,
                "high": point.high,
                "by_law": list(point.by_law),
            }
            for point in points
        ],
    }


def _law(fit: DurationFit) -> FittedLaw:
    """Return a law for JSON."""
    return {
        "law": fit.law,
        "mean": finite(fit.mean),
        "cv": finite(fit.cv),
        "mean_error": finite(fit.mean_error),
        "cv_error": finite(fit.cv_error),
        "params": fit.params,
        "standard_errors": {k: finite(x) for k, x in fit.standard_errors.items()},
        "log_likelihood": fit.log_likelihood,
        "aic": fit.aic,
        "beyond": fit.beyond,
        "converged": fit.converged,
    }


def _discount(options: FitOptions) -> float:
    """Return what a year or period takes off.

    Raises:
        InputError: It is no share above 0.
    """
    from churnsim.units import parse_share

    rule = 'must be a share above 0, such as "10%"'
    try:
        share = parse_share(options.discount)
    except UnitError:
        share = 0.0
    if not share > 0.0:
        raise InputError(Problem(rule, field="--discount", value=options.discount))
    return share
