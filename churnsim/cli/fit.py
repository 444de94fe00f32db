"""`churnsim fit`: from one's own data to the laws of a scenario."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from churnsim.cli.check import as_argument, write_new
from churnsim.cli.console import columns, say, tell
from churnsim.cli.fitting import (
    MODELS,
    FitOptions,
    check_options,
    document_of,
    finite,
    fit_cohort,
    fit_durations,
    fit_pareto,
    model_document,
    read_log,
)
from churnsim.cli.options import json_option
from churnsim.cli.outputs import say_json
from churnsim.cli.shape import gathered

if TYPE_CHECKING:
    from churnsim.fit import BgNbdFit, GammaGammaFit, TransactionLog

# As in churnsim.fit, which is imported late; a test compares them.
LAYOUTS = ("auto", "csv", "parquet", "cdnow")
DATE_FORMATS = ("auto", "iso", "compact", "dmy", "mdy")
# As in churnsim.report.fitted and churnsim.units; a test compares them as well.
FIELDS = (
    *("patience", "message_patience", "endurance", "voice_delay", "return_delay"),
    *("handle", "message_handle", "approval", "repair"),
)
UNITS = ("s", "min", "h", "day", "week", "month", "year")


@click.command("fit", short_help="Fit a market, or a law, to your own data.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--model",
    type=click.Choice(MODELS),
    default=MODELS[0],
    show_default=True,
    help="What is fitted: bg-nbd and pareto-nbd to a log of purchases, sbg to a table"
    " of survivors, durations to a column of times.",
)
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
@click.option(
    "--discount",
    metavar="SHARE",
    default="10%",
    show_default=True,
    help="What later purchases (a year) or renewals (a period) are worth less, with"
    " pareto-nbd and sbg.",
)
@click.option("--column", metavar="NAME", help="Column of times, with durations.")
@click.option(
    "--censored",
    metavar="NAME[=VALUE]",
    help="Column that says by 1, true or yes, or by this value, that a time's end was"
    " not seen, such as outcome=answered where the times are waits until giving up.",
)
@click.option(
    "--unit", type=click.Choice(UNITS), help="Of times that are written without one."
)
@click.option(
    "--field",
    type=click.Choice(FIELDS),
    default=FIELDS[0],
    show_default=True,
    help="Setting of a scenario that the times are, with durations.",
)
@json_option
@gathered(FitOptions)
def fit_command(options: FitOptions) -> None:
    """Fit how often, how long and for how much customers buy to a log of purchases.

    FILE is a CSV file with columns customer, date and amount, a Parquet file
    with the same, or a file laid out like the CDNOW sample. The parameters are printed
    with standard errors. With --scenario, a file is written that simulates exactly
    these customers, reading the log in the same way: each is drawn from what its own
    purchases say.

    With --model sbg, FILE has columns period (from 0) and survivors: how many of those
    at the start were left. With --model durations, it has one row for each time that
    something took, or was seen to take at least.
    """
    check_options(click.get_current_context())
    if options.model == "pareto-nbd":
        fit_pareto(options)
    elif options.model == "sbg":
        fit_cohort(options)
    elif options.model == "durations":
        fit_durations(options)
    else:
        _fit_market(options)


def _fit_market(options: FitOptions) -> None:
    """Fit the BG/NBD and gamma-gamma models, which make a market."""
    from churnsim.fit import fit_log, market_block
    from churnsim.report.fits import fit_text

    log = read_log(options)
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
    document = document_of(options, log.sha256)
    document["end"] = str(log.end)
    document["customers"] = len(log.customers)
    document["repeat_purchases"] = int(log.x.sum())
    document["currency"] = options.currency
    document["bgnbd"] = model_document(bgnbd)
    document["gamma_gamma"] = model_document(gamma_gamma)
    document["correlation"] = finite(gamma_gamma.correlation)
    document["market"] = block
    document["warnings"] = list(log.warnings)
    document["written"] = [str(f) for f in (options.out, options.scenario) if f]
    say_json(document)


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
        path = os.path.relpath(options.file.absolute(), folder)
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
