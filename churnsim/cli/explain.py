"""`churnsim explain`: why one policy loses money against another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.console import columns, say, tell
from churnsim.cli.options import (
    from_option,
    horizon_option,
    json_option,
    replications_of,
    replications_option,
    seed_option,
    set_option,
    shown_settings,
    threads_option,
    to_option,
    typed_again,
    with_horizon,
)
from churnsim.cli.outputs import say_json
from churnsim.cli.progress import progress
from churnsim.cli.run import DEFAULT
from churnsim.cli.shape import gathered
from churnsim.cli.stopping import read_first, stopping
from churnsim.cli.tables import check_table, write_table
from churnsim.errors import ExitCode

if TYPE_CHECKING:
    from churnsim.experiment.attribution import Attribution

MEASURES = (
    "revenue",
    "contribution",
    "revenue_discounted",
    "contribution_discounted",
)
CHOSEN = 0  # the replication whose customers are written


class ExplainOptions(NamedTuple):
    """What to explain, how, and where customers go."""

    scenario: str
    source: str | None
    target: str | None
    measure: str
    replications: int | None
    seed: int | None
    horizon: str | None
    overrides: tuple[str, ...]
    threads: int | None
    as_json: bool
    customers: Path | None
    force: bool


@click.command("explain", short_help="Tell why one policy loses against another.")
@click.argument("scenario", default=DEFAULT, metavar="[SCENARIO]")
@from_option
@to_option
@click.option(
    "--of",
    "measure",
    type=click.Choice(MEASURES),
    default=MEASURES[0],
    show_default=True,
    help="What is lost.",
)
@replications_option
@seed_option
@horizon_option
@set_option
@threads_option
@json_option
@click.option(
    "--customers",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write the first replication, customer by customer; FILE ends in .csv,"
    " .parquet or .md.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@gathered(ExplainOptions)
def explain_command(options: ExplainOptions) -> None:
    """Tell why one policy loses against another: how much is each lever's doing.

    SCENARIO is a ready name (churnsim list) or a .toml file; telecom if not given. All
    mixtures of the two policies are simulated on the same customers. A lever's part is
    what changing it brings, on average over the orders in which one could change them
    (its Shapley value). The parts add up to the loss. Ctrl-C shows what is finished.
    """
    from churnsim.experiment.attribution import Method, explain
    from churnsim.experiment.replications import Execution
    from churnsim.report.attributions import attribution_text  # so Ctrl-C is quick
    from churnsim.report.framing import Commands

    if options.customers:
        check_table("--customers", options.customers, force=options.force)
    read_first(options.scenario, with_horizon(options.overrides, options.horizon))
    with stopping() as stop, progress() as report:
        attribution = explain(
            options.scenario,
            options.source,
            options.target,
            replications=options.replications,
            overrides=with_horizon(options.overrides, options.horizon),
            method=Method(
                options.measure,
                options.seed,
                report.watching(Execution(threads=options.threads, stop=stop)),
                CHOSEN if options.customers else None,
            ),
        )
    if options.as_json:
        say_json(attribution.to_json_dict())
    else:
        show = shown_settings(options.scenario, options.overrides)
        commands = Commands(_again(options, attribution), show)
        say(attribution_text(attribution, commands, columns()))
    _write(options, attribution)
    if attribution.is_stopped:
        done, asked = attribution.n_finished, attribution.n_asked
        tell(f"interrupted: {done} of {asked} replications were finished")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
    error = attribution.error()
    if error is not None:
        raise error


def _write(options: ExplainOptions, attribution: Attribution) -> None:
    """Write the customers of the first replication, if they were asked for."""
    if options.customers is None:
        return
    if attribution.chosen is None:
        tell(f"{options.customers} was not written: there are no customers to explain")
        return
    write_table(options.customers, attribution.customers(), force=options.force)
    tell(f"wrote the customers of replication {CHOSEN} to {options.customers}")


def _again(options: ExplainOptions, attribution: Attribution) -> str:
    """Return the command that makes the same numbers."""
    words = ["churnsim", "explain", options.scenario]
    words += ["--from", attribution.source, "--to", attribution.target]
    if options.measure != MEASURES[0]:
        words += ["--of", options.measure]
    return typed_again(
        words,
        replications_of(attribution, options.replications),
        attribution.seed,
        options.horizon,
        options.overrides,
    )
