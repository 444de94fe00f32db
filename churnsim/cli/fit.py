"""`churnsim fit`: from a log of one's own purchases to a scenario."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.check import as_argument, write_new
from churnsim.cli.console import columns, say, tell
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
@gathered(FitOptions)
def fit_command(options: FitOptions) -> None:
    """Fit how often, how long and for how much customers buy to a log of purchases.

    TRANSACTIONS is a CSV file with columns customer, date and amount, a Parquet file
    with the same, or a file laid out like the CDNOW sample. The parameters are printed
    with standard errors. With --scenario, a file is written that simulates exactly
    these customers, reading the log in the same way: each is drawn from what its own
    purchases say.
    """
    from churnsim.fit import fit_log, read_transactions
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
    say(fit_text(log, *fits, columns()))
    _write(options, log, fits)


def _write(
    options: FitOptions, log: TransactionLog, fits: tuple[BgNbdFit, GammaGammaFit]
) -> None:
    """Write what was asked for, or print the table where nothing was."""
    from churnsim.fit import market_block
    from churnsim.report.fits import BASE, fitted_scenario
    from churnsim.scenario import load_scenario
    from churnsim.scenario.files import find
    from churnsim.scenario.transactions import Transactions

    block = market_block(*fits, log, options.currency)
    say()
    if options.out:
        write_new(options.out, block, force=options.force)
        say(f"wrote the [market] table to {options.out}")
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
        say(f"wrote a scenario to {options.scenario}; simulate it with: {run}")
    if not (options.out or options.scenario):
        say(block.rstrip("\n"))
        say()
        say("to simulate these customers, write a scenario: add --scenario FILE.toml")
