"""`churnsim counterfactuals`: whose fate turns on the policy."""

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
from churnsim.errors import ExitCode, InputError, Problem

if TYPE_CHECKING:
    from churnsim.experiment import Counterfactuals


class CounterfactualsOptions(NamedTuple):
    """Which two worlds, how often, and where the customers go."""

    scenario: str
    source: str | None
    target: str | None
    replications: int | None
    seed: int | None
    horizon: str | None
    overrides: tuple[str, ...]
    threads: int | None
    as_json: bool
    out: Path | None
    parting: bool
    force: bool


@click.command("counterfactuals", short_help="Count who is lost under one policy only.")
@click.argument("scenario", default=DEFAULT, metavar="[SCENARIO]")
@from_option
@to_option
@replications_option
@seed_option
@horizon_option
@set_option
@threads_option
@json_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write these customers; FILE ends in .csv, .parquet or .md.",
)
@click.option(
    "--parting",
    is_flag=True,
    help="Write, too, when their two lives part; needs --out.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@gathered(CounterfactualsOptions)
def counterfactuals_command(options: CounterfactualsOptions) -> None:
    """Count the customers who are lost under one policy and kept under another.

    SCENARIO is a ready name (churnsim list) or a .toml file; telecom if not given. The
    same customers live in both worlds with the same luck, so it is known of each who
    was lost whether the other policy would have kept them: that is the probability that
    the policy was necessary for the loss. Ctrl-C shows what is finished.
    """
    from churnsim.experiment import Asked, Execution, counterfactuals
    from churnsim.report.counterfactuals import counterfactuals_text
    from churnsim.report.framing import Commands

    _check(options)
    read_first(options.scenario, with_horizon(options.overrides, options.horizon))
    with stopping() as stop, progress() as report:
        found = counterfactuals(
            options.scenario,
            options.source,
            options.target,
            replications=options.replications,
            overrides=with_horizon(options.overrides, options.horizon),
            asked=Asked(
                options.seed,
                report.watching(Execution(threads=options.threads, stop=stop)),
                options.parting,
            ),
        )
    if options.as_json:
        say_json(found.to_json_dict())
    else:
        show = shown_settings(options.scenario, options.overrides)
        commands = Commands(_again(options, found), show)
        say(counterfactuals_text(found, commands, columns()))
    _write(options, found)
    if found.is_stopped:
        done, asked = found.n_finished, found.n_asked
        tell(f"interrupted: {done} of {asked} replications were finished")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
    error = found.error()
    if error is not None:
        raise error


def _check(options: CounterfactualsOptions) -> None:
    """Refuse before the work what could not be written after it.

    Raises:
        InputError: No kind of file that can be written, or not there.
    """
    file = options.out
    if file is None:
        if options.parting:
            rule = "must come with --out, the file that it is written to"
            raise InputError(Problem(rule, field="--parting"))
        return
    check_table("--out", file, force=options.force)


def _write(options: CounterfactualsOptions, found: Counterfactuals) -> None:
    """Write the customers whose fate turns, if they were asked for."""
    file = options.out
    if file is None:
        return
    if found.is_stopped:
        tell(f"{file} was not written: not all replications were finished")
        return
    table = found.to_arrow()
    write_table(file, table, force=options.force)
    tell(f"wrote {table.num_rows:,} customers to {file}")


def _again(options: CounterfactualsOptions, found: Counterfactuals) -> str:
    """Return the command that makes the same numbers."""
    words = ["churnsim", "counterfactuals", options.scenario]
    words += ["--from", found.source, "--to", found.target]
    return typed_again(
        words,
        replications_of(found, options.replications),
        found.seed,
        options.horizon,
        options.overrides,
    )
