"""What a fit says as text: purchases and dropout, renewals, how long things take."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from churnsim.fit import (
    BgNbdFit,
    DurationFit,
    DurationTable,
    LawChoice,
    Outlook,
    ParetoNbdFit,
    SbgFit,
    SurvivalTable,
    TransactionLog,
)
from churnsim.fit.durations import CurvePoint
from churnsim.fit.sbg import expected_lifetime, residual_lifetime, retention, survival
from churnsim.report.columns import aligned
from churnsim.scenario.measures import CV_MAX, CV_MIN
from churnsim.scenario.writing import toml_value
from churnsim.units import DAYS, format_duration

# Where a scenario has each duration that can be fitted.
FIELDS: Mapping[str, str] = {
    **dict.fromkeys(("patience", "message_patience", "endurance"), "[market]"),
    **dict.fromkeys(("voice_delay", "return_delay"), "[market]"),
    **dict.fromkeys(("handle", "message_handle"), "a policy's speed"),
    **dict.fromkeys(("approval", "repair"), "a policy's speed"),
}
_TIMES = frozenset({"scale", "median"})  # parameters that are durations
_PLURAL = frozenset({"day", "week", "month", "year"})
EXTRAPOLATED = 0.05  # share of a law above all that was seen, from which it is told

_PARETO = {
    "r": "shape of the purchase rate over customers",
    "alpha": "its scale [weeks]: the mean rate is r/alpha",
    "s": "shape of the dropout rate over customers",
    "beta": "its scale [weeks]: the mean rate is s/beta",
}
_SBG = {
    "alpha": "churn at a renewal: the mean over new customers is alpha/(alpha + beta)",
    "beta": "",
}


def pareto_text(
    log: TransactionLog,
    fits: tuple[ParetoNbdFit, BgNbdFit],
    expected: Outlook,
    discount: float,
    width: int,
) -> str:
    """Return a Pareto/NBD fit, and what it expects.

    Args:
        log: The log.
        fits: Pareto/NBD, and the BG/NBD of the same log that it is compared with.
        expected: What the former expects.
        discount: What a year takes off [-].
        width: Of the lines.
    """
    fit, other = fits
    read = f"{log.n_rows:,} purchases from {log.first} to {log.last}"
    n = len(log.customers)
    ahead = other.log_likelihood - fit.log_likelihood
    better = "BG/NBD" if ahead > 0 else "Pareto/NBD"
    rows = [
        ("converged", "yes" if fit.converged else "NO: do not trust these parameters"),
        (
            "against BG/NBD",
            (
                f"its log-likelihood is {other.log_likelihood:.2f}: the {better} is"
                f" likelier by {abs(ahead):.2f}, with as many parameters"
            ),
        ),
        (
            "a new customer",
            (
                f"buys again {expected.new_coming:.4g} times in a year, and"
                f" {expected.new_discounted:.4g} times in all, discounted by"
                f" {discount:.3g} a year; {expected.new_alive:.1%} are still there"
                " after a year"
            ),
        ),
        (
            "these customers",
            (
                f"{expected.alive:,.0f} of {n:,} are still there at the end, and buy"
                f" {expected.coming:,.0f} times in the year after"
            ),
        ),
    ]
    if log.n_held_out:
        bought = int(log.x_held_out.sum())
        told = (
            f"{bought:,} purchases after {log.end}, {expected.held_out:,.0f} expected"
        )
        rows.append(("held out", told))
    lines = [
        f"{log.name}: {read}, fitted up to {log.end}",
        f"  {n:,} customers, {int(log.x.sum()):,} repeat purchases",
        "",
        "How often, and for how long (Pareto/NBD)",
        *_parameter_lines(fit, _PARETO, width),
        "",
        "What it says",
        *aligned(rows, width, indent=2),
        "",
        "a scenario has customers of the BG/NBD model: leave --model out to make one",
    ]
    return "\n".join(lines)


def sbg_text(table: SurvivalTable, fit: SbgFit, discount: float, width: int) -> str:
    """Return an sBG fit beside the table that it was fitted to."""
    n = len(table.survivors)
    periods = np.arange(n)
    fitted = survival(fit.params, periods)
    left = residual_lifetime(fit.params, periods + 1, discount)
    kept = retention(fit.params, np.maximum(periods, 1))
    rows = [("period", "customers", "left", "fitted", "renew", "worth")]
    for t in periods.tolist():
        share = table.survivors[t] / table.survivors[0]
        renew = f"{kept[t]:.1%}" if t else ""
        rows.append(
            (
                str(t),
                f"{table.survivors[t]:,}",
                f"{share:.1%}",
                f"{fitted[t]:.1%}",
                renew,
                f"{left[t]:.4g}",
            )
        )
    alpha, beta = fit.params
    life = float(expected_lifetime(fit.params, discount))
    checks = [
        ("converged", "yes" if fit.converged else "NO: do not trust these parameters"),
        ("mean churn", f"{alpha / (alpha + beta):.2%} of new customers a renewal"),
        (
            "lifetime",
            (
                f"a new customer stays for {life:.4g} periods, discounted by"
                f" {discount:.3g} a period"
            ),
        ),
        (
            "worth",
            (
                "periods that one left after as many still pays for, the next renewal"
                " first, discounted"
            ),
        ),
    ]
    lines = [
        f"{table.name}: {n - 1} periods, {table.survivors[0]:,} customers at the start",
        "",
        "Who renews (sBG)",
        *_parameter_lines(fit, _SBG, width),
        "",
        *aligned(rows, width, indent=2),
        "",
        "Checks",
        *aligned(checks, width, indent=2),
        "",
        "in [market] of a subscription, whose period is that of the table:",
        sbg_line(fit),
    ]
    return "\n".join(lines)


def sbg_line(fit: SbgFit) -> str:
    """Return the line of a scenario that holds an sBG fit."""
    alpha, beta = fit.params
    errors = ", ".join(f"{error:.2g}" for error in fit.standard_errors)
    law = {"law": "beta", "a": float(f"{alpha:.6g}"), "b": float(f"{beta:.6g}")}
    return f"dropout = {toml_value(law)}  # s.e. {errors}"


def durations_text(
    table: DurationTable,
    choice: LawChoice,
    points: list[CurvePoint],
    setting: tuple[str, str | None],
    width: int,
) -> str:
    """Return both laws beside the curve that supposes none, and which fits better.

    Args:
        table: The durations, in days.
        choice: Both laws.
        points: Of the curve, with the laws in the order of the choice.
        setting: Its name, and the unit that times are told in; None: each its own.
        width: Of the lines.
    """
    field, unit = setting
    laws = (choice.best, choice.other)
    rows = [
        (
            fit.law,
            f"mean {_told(fit.mean, unit)}",
            f"s.e. {_told(fit.mean_error, unit)}",
            f"cv {fit.cv:.4g}",
            f"s.e. {fit.cv_error:.2g}",
            f"AIC {fit.aic:.1f}",
            ", ".join(
                f"{name} {_told(x, unit) if name in _TIMES else f'{x:.4g}'}"
                for name, x in fit.params.items()
            ),
        )
        for fit in laws
    ]
    curve = [("longer than", "seen", "95 % interval", *(fit.law for fit in laws))]
    curve += [
        (
            _told(point.time, unit),
            f"{point.share:.1%}",
            f"{point.low:.1%} to {point.high:.1%}",
            *(f"{share:.1%}" for share in point.by_law),
        )
        for point in points
    ]
    line = duration_line(choice.best, field, unit)
    told = f"in {FIELDS[field]} of a scenario:"
    none = f"no scenario takes this law: its cv must be from {CV_MIN:g} to {CV_MAX:g}"
    n, n_seen = choice.best.n, choice.best.n_seen
    lines = [
        f"{table.name}: {n:,} durations, {n_seen:,} of them seen to their end",
        "",
        "How long (maximum likelihood)",
        *aligned(rows, width, indent=2),
        "",
        "Share that lasts",
        *aligned(curve, width, indent=2),
        "",
        "Checks",
        *aligned(_duration_checks(choice), width, indent=2),
        "",
        *([told, line] if line else [none]),
    ]
    return "\n".join(lines)


def duration_line(fit: DurationFit, field: str, unit: str | None) -> str | None:
    """Return the line of a scenario that holds a law; None where it takes no such law.

    Args:
        fit: In days.
        field: Name of the setting.
        unit: That the mean is told in; None: the largest above 1.
    """
    if not (CV_MIN <= fit.cv <= CV_MAX and 0.0 < fit.mean < np.inf):
        return None
    mean = _told(fit.mean, unit or _unit_of(fit.mean), digits=5)
    law = {"law": fit.law, "mean": mean, "cv": float(f"{fit.cv:.5g}")}
    mean_error = _told(fit.mean_error, unit)
    return f"{field} = {toml_value(law)}  # s.e. {mean_error}, {fit.cv_error:.2g}"


def _told(days: float, unit: str | None, digits: int = 3) -> str:
    """Return a duration in a unit; without one, in its own."""
    if unit is None or not 0.0 < days < np.inf:
        return format_duration(days)
    number = np.format_float_positional(
        days / float(DAYS[unit]), precision=digits, fractional=False, trim="-"
    )
    return f"{number} {unit}{'s' if unit in _PLURAL and number != '1' else ''}"


def _unit_of(days: float) -> str:
    """Return the largest unit of which a duration has at least one."""
    return next((u for u in reversed(DAYS) if days >= float(DAYS[u])), "s")


def _duration_checks(choice: LawChoice) -> list[tuple[str, str]]:
    """Return what was checked, and what came out."""
    best, other = choice.best, choice.other
    converged = best.converged and other.converged
    sure = "surely" if choice.is_sure else "but not surely"
    rows = [
        ("converged", "yes" if converged else "NO: do not trust these parameters"),
        (
            "which law",
            (
                f"{best.law} fits better, {sure}: AIC lower by"
                f" {choice.aic_difference:.1f} (weight {choice.weight:.1%}), Vuong's z"
                f" {choice.z:.1f} (p {choice.p_value:.2g})"
            ),
        ),
    ]
    for fit in (best, other):
        if fit.law == "weibull":
            shape, error = fit.params["shape"], fit.standard_errors["shape"]
            told = f"an exponential law has shape 1; this {shape:.3g}, s.e. {error:.2g}"
            rows.append(("memory", told))
    if best.beyond > EXTRAPOLATED:
        told = (
            f"{best.beyond:.0%} of the law lies above the longest duration seen: its"
            " mean and cv rest on the law more than on the data"
        )
        rows.append(("extrapolated", told))
    return rows


def _parameter_lines(
    fit: ParetoNbdFit | SbgFit, meanings: Mapping[str, str], width: int
) -> list[str]:
    rows = [
        (name, f"{value:.5g}", f"s.e. {error:.2g}", meanings[name])
        for name, value, error in zip(
            fit.params._fields, fit.params, fit.standard_errors, strict=True
        )
    ]
    rows.append(("log-likelihood", f"{fit.log_likelihood:.2f}", "", ""))
    return aligned(rows, width, indent=2)
