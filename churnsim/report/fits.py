"""What a log of purchases says about a market, as text and as a scenario file."""

from __future__ import annotations

import re

from churnsim.errors import shown
from churnsim.fit import BgNbdFit, GammaGammaFit, TransactionLog, market_block
from churnsim.report.columns import aligned
from churnsim.scenario.lines import Path, lines_of
from churnsim.scenario.transactions import Transactions
from churnsim.scenario.writing import toml_value

BASE = "ecommerce"  # the ready scenario that lends what a log does not tell
FITTED = ("rate", "dropout", "value")
NOT_TAKEN = ("customers", "prospects", "starting_tenure", "history")

_MEANINGS = {
    "r": "shape of the purchase rate over customers",
    "alpha": "its scale [weeks]: the mean rate is r/alpha",
    "a": "dropout after a purchase: the mean is a/(a + b)",
    "b": "",
    "p": "shape of a customer's amounts",
    "q": "shape of the mean amounts over customers",
    "v": "their scale [currency]: the mean amount is p v/(q - 1)",
}


def fit_text(
    log: TransactionLog, bgnbd: BgNbdFit, gamma_gamma: GammaGammaFit, width: int
) -> str:
    """Return the fits with standard errors and what speaks for or against them."""
    read = f"{log.n_rows:,} purchases from {log.first} to {log.last}"
    lines = [
        f"{log.name}: {read}, fitted up to {log.end}",
        f"  {len(log.customers):,} customers, {int(log.x.sum()):,} repeat purchases",
        "",
        "How often, and for how long (BG/NBD)",
        *_parameter_lines(bgnbd, width),
        "",
        "How much (gamma-gamma)",
        *_parameter_lines(gamma_gamma, width),
        "",
        "Checks",
        *aligned(_checks(log, bgnbd, gamma_gamma), width, indent=2),
    ]
    return "\n".join(lines)


def fitted_scenario(
    log: TransactionLog,
    fits: tuple[BgNbdFit, GammaGammaFit],
    currency: str,
    source: Transactions,
    base: str,
) -> str:
    """Return a scenario file of the log's own customers.

    Args:
        log: The log.
        fits: BG/NBD and gamma-gamma.
        currency: Symbol of the log's amounts.
        source: Where the log is, as seen from the scenario's folder, and how it is
            read.
        base: Text of a scenario of purchases that lends what a log does not tell.
    """
    table = source.model_dump(mode="json", exclude_defaults=True)
    comments, _, block = market_block(*fits, log, currency).partition("[market]\n")
    laws = [line for line in block.splitlines() if line.split(" ")[0] in FITTED]
    places = lines_of(base)
    taken: list[Path] = [("title",), ("currency",)]
    taken += [("population", name) for name in NOT_TAKEN]
    taken += [("market", name) for name in FITTED]
    dropped = {places[key] for key in taken if key in places}
    added = {
        places[("population",)]: [f"transactions = {toml_value(table)}"],
        places[("market",)]: laws,
    }
    lines = [
        f"# The customers of {shown(log.name)}, each as its own purchases tell.",
        f"# All else is taken from the ready scenario {BASE!r}, amounts unchanged:",
        "# put your own mistakes, behaviour and costs in its place.",
        f"title = {toml_value(f'Customers of {log.name}')}",
        f"currency = {toml_value(currency)}",
        *comments.splitlines(),
    ]
    for number, line in enumerate(base.splitlines(), start=1):
        if number not in dropped:
            # "¤" stands for whatever currency the scenario has.
            lines.append(re.sub(r'"[^\d\s.,+/%"-](?=[\d.])', '"¤', line))
        lines += added.get(number, [])
    return "\n".join(lines) + "\n"


def _parameter_lines(fit: BgNbdFit | GammaGammaFit, width: int) -> list[str]:
    rows = [
        (name, f"{value:.5g}", f"s.e. {error:.2g}", _MEANINGS[name])
        for name, value, error in zip(
            fit.params._fields, fit.params, fit.standard_errors, strict=True
        )
    ]
    rows.append(("log-likelihood", f"{fit.log_likelihood:.2f}", "", ""))
    return aligned(rows, width, indent=2)


def _checks(
    log: TransactionLog, bgnbd: BgNbdFit, gamma_gamma: GammaGammaFit
) -> list[tuple[str, str]]:
    """Return what was checked, and what came out."""
    converged = bgnbd.converged and gamma_gamma.converged
    r, alpha, a, b = bgnbd.params
    p, q, v = gamma_gamma.params
    related = f"{gamma_gamma.correlation:+.2f}"
    rows = [
        ("converged", "yes" if converged else "NO: do not trust these parameters"),
        (
            "mean rate",
            f"{r / alpha * 365.25 / 7.0:.3g} purchases a year while a customer",
        ),
        ("mean dropout", f"{a / (a + b):.1%} after a purchase"),
        (
            "mean amount",
            f"{p * v / (q - 1.0):.2f} a purchase" if q > 1 else "none: q is at most 1",
        ),
        (
            "independence",
            f"correlation of purchases and amounts {related}; the law takes it for 0",
        ),
    ]
    if log.n_held_out:
        rows.append(("held out", f"{log.n_held_out:,} purchases after {log.end}"))
    return rows
