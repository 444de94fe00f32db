"""`churnsim breakeven`: at which value of a setting a policy starts or stops losing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.console import columns, say, tell
from churnsim.cli.explain import MEASURES
from churnsim.cli.options import (
    horizon_option,
    json_option,
    replications_option,
    seed_option,
    set_option,
    shown_settings,
    threads_option,
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
    from churnsim.experiment.inverse import Breakeven


class BreakevenOptions(NamedTuple):
    """What to search, where, and how."""

    scenario: str
    lever: str
    policy: str
    against: str | None
    low: str | None
    high: str | None
    measure: str
    replications: int | None
    seed: int | None
    horizon: str | None
    overrides: tuple[str, ...]
    threads: int | None
    as_json: bool
    out: Path | None
    force: bool


@click.command("breakeven", short_help="Find the value at which a policy loses.")
@click.argument("scenario", default=DEFAULT, metavar="[SCENARIO]")
@click.option(
    "--lever",
    required=True,
    metavar="FIELD",
    help="Such as market.discovery; or the policy's own, such as authority.limit.",
)
@click.option("--policy", required=True, metavar="POLICY", help="That may lose.")
@click.option(
    "--against",
    metavar="POLICY",
    help="That it is compared with; the scenario's baseline by default.",
)
@click.option(
    "--low",
    metavar="VALUE",
    help="Lowest value, with its unit as in a file; a share's is 0 by default, or as"
    " near to it as can be.",
)
@click.option("--high", metavar="VALUE", help="Highest value; a share's is 1 so.")
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
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write the values that were tried; FILE ends in .csv, .parquet or .md.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@gathered(BreakevenOptions)
def breakeven_command(options: BreakevenOptions) -> None:
    """Find the value of one setting at which a policy starts or stops losing.

    SCENARIO is a ready name (churnsim list) or a .toml file; telecom if not given. Both
    policies meet the same customers at every value that is tried. The answer has an
    interval: the values at which the loss cannot be told from zero. Ctrl-C shows the
    values that are finished.
    """
    from churnsim.experiment.inverse import Search, breakeven
    from churnsim.experiment.replications import Execution
    from churnsim.report.breakevens import breakeven_text  # so that Ctrl-C is quick
    from churnsim.report.framing import Commands

    if options.out:
        check_table("--out", options.out, force=options.force)
    read_first(options.scenario, with_horizon(options.overrides, options.horizon))
    with stopping() as stop, progress() as report:
        found = breakeven(
            options.scenario,
            options.lever,
            options.policy,
            options.against,
            overrides=with_horizon(options.overrides, options.horizon),
            search=Search(
                options.measure,
                options.replications,
                options.seed,
                report.watching(Execution(threads=options.threads, stop=stop)),
                low=options.low,
                high=options.high,
            ),
        )
    if options.as_json:
        say_json(found.to_json_dict())
    else:
        show = shown_settings(options.scenario, options.overrides)
        say(breakeven_text(found, Commands(_again(options, found), show), columns()))
    _write(options, found)
    if found.is_stopped:
        n = len(found.points)
        tell(f"interrupted: {n} value{' was' if n == 1 else 's were'} finished")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
    error = found.error()
    if error is not None:
        raise error


def _write(options: BreakevenOptions, found: Breakeven) -> None:
    """Write the values that were tried, if they were asked for."""
    file = options.out
    if file is None:
        return
    if found.is_stopped:
        tell(f"{file} was not written: the search was not finished")
        return
    write_table(file, found.to_arrow(), force=options.force)
    tell(f"wrote {len(found.points):,} values to {file}")


def _again(options: BreakevenOptions, found: Breakeven) -> str:
    """Return the command that makes the same numbers."""
    words = ["churnsim", "breakeven", options.scenario, "--lever", options.lever]
    words += ["--policy", found.policy, "--against", found.against]
    for name, value in (("--low", options.low), ("--high", options.high)):
        words += [name, value] if value is not None else []
    if options.measure != MEASURES[0]:
        words += ["--of", options.measure]
    return typed_again(
        words, options.replications, found.seed, options.horizon, options.overrides
    )
