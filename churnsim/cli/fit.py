"""`churnsim fit`: from a log of one's own purchases to a scenario."""

from __future__ import annotations

import datetime as dt
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.check import as_argument, write_new
from churnsim.cli.console import columns, say, tell
from churnsim.cli.options import json_option
from churnsim.cli.outputs import FitDocument, FittedModel, say_json
from churnsim.cli.shape import gathered

if TYPE_CHECKING:
    from churnsim.fit import BgNbdFit, GammaGammaFit, TransactionLog

# As in churnsim.fit, which is imported late; a test compares them.
LAYOUTS = ("auto", "csv", "parquet", "cdnow")
DATE_FORMATS = ("auto", "iso", "compact", "dmy", "mdy")


class FitOptions(NamedTuple):
    """Which log, how to read it, and what to write."""

    transactions: Path
    end: dt.datetime | None
    layout: str
    date_format: str
    drop_duplicates: bool
    currency: str
    out: Path | None
    scenario: Path | None
    force: bool
    as_json: bool


@click.command("fit", short_help="Fit a market to a log of purchases.")
@click.argument("transactions", type=click.Path(path_type=Path))
@click.option(
    "--end",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Last day to learn from, such as 2024-09-30; default: the log's last.",
)
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    default="auto",
    show_default=True,
    help="How the file is laid out.",
)
@click.option(
    "--date-format",
    type=click.Choice(DATE_FORMATS),
    default="auto",
    show_default=True,
    help="How dates are written; only needed where day and month cannot be told apart.",
)
@click.option(
    "--drop-duplicates", is_flag=True, help="Keep one of rows equal in every field."
)
@click.option(
    "--currency", default="$", show_default=True, help="Symbol of the log's amounts."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the fitted [market] table there.",
)
@click.option(
    "--scenario",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a complete scenario of the log's own customers there.",
)
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@json_option
@gathered(FitOptions)
def fit_command(options: FitOptions) -> None:
    """Fit how often, how long and for how much customers buy to a log of purchases.

    TRANSACTIONS is a CSV file with columns customer, date and amount, a Parquet file
    with the same, or a file laid out like the CDNOW sample. The parameters are printed
    with standard errors. With --scenario, a file is written that simulates exactly
    these customers, reading the log in the same way: each is drawn from what its own
    purchases say.
    """
    from churnsim.fit import fit_log, market_block, read_transactions
    from churnsim.report.fits import fit_text

    log = read_transactions(
        options.transactions,
        end=options.end.date() if options.end else None,
        layout=options.layout,
        date_format=options.date_format,
        drop_duplicates=options.drop_duplicates,
    )
    for warning in log.warnings:
        tell(f"warning: {warning}")
    fits = fit_log(log)
    block = market_block(*fits, log, options.currency)
    if not options.as_json:
        say(fit_text(log, *fits, columns()))
        say()
    written = _write(options, log, fits, block)
    if options.as_json:
        _say_json(options, log, fits, block)
    elif not written:
        say(block.rstrip("\n"))
        say()
        say("to simulate these customers, write a scenario: add --scenario FILE.toml")


def _say_json(
    options: FitOptions,
    log: TransactionLog,
    fits: tuple[BgNbdFit, GammaGammaFit],
    block: str,
) -> None:
    """Write the fits as one document."""
    bgnbd, gamma_gamma = fits
    document: FitDocument = {
        "file": str(options.transactions),
        "sha256": log.sha256,
        "end": str(log.end),
        "customers": len(log.customers),
        "repeat_purchases": int(log.x.sum()),
        "currency": options.currency,
        "bgnbd": _model(bgnbd),
        "gamma_gamma": _model(gamma_gamma),
        "correlation": _finite(gamma_gamma.correlation),
        "market": block,
        "warnings": list(log.warnings),
        "written": [str(file) for file in (options.out, options.scenario) if file],
    }
    say_json(document)


def _model(fit: BgNbdFit | GammaGammaFit) -> FittedModel:
    """Return a fitted model for JSON."""
    errors = fit.standard_errors._asdict()
    return {
        "params": {name: float(x) for name, x in fit.params._asdict().items()},
        "standard_errors": {name: _finite(x) for name, x in errors.items()},
        "log_likelihood": float(fit.log_likelihood),
        "customers": fit.n,
        "converged": bool(fit.converged),
    }


def _finite(value: float) -> float | None:
    """Return a number that JSON knows; None for any other."""
    return float(value) if math.isfinite(value) else None


def _write(
    options: FitOptions,
    log: TransactionLog,
    fits: tuple[BgNbdFit, GammaGammaFit],
    block: str,
) -> bool:
    """Write what was asked for, tell where, and return whether anything was."""
    from churnsim.report.fits import BASE, fitted_scenario
    from churnsim.scenario import load_scenario
    from churnsim.scenario.files import find
    from churnsim.scenario.transactions import Transactions

    note = tell if options.as_json else say
    if options.out:
        write_new(options.out, block, force=options.force)
        note(f"wrote the [market] table to {options.out}")
    if options.scenario:
        folder = options.scenario.absolute().parent
        path = os.path.relpath(options.transactions.absolute(), folder)
        reading = {
            "file": Path(path).as_posix(),
            "end": options.end.date() if options.end else None,
            "layout": options.layout,
            "date_format": options.date_format,
            "drop_duplicates": options.drop_duplicates,
        }
        source = Transactions.model_validate(reading)
        base = find(BASE, "scenarios", None).read_text(encoding="utf-8")
        text = fitted_scenario(log, fits, options.currency, source, base)
        write_new(options.scenario, text, force=options.force)
        load_scenario(options.scenario)
        run = f"churnsim run {as_argument(options.scenario)}"
        note(f"wrote a scenario to {options.scenario}; simulate it with: {run}")
    return bool(options.out or options.scenario)
