"""`churnsim staff`: how many agents the front desk needs for a service level."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.console import columns, say, tell
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
from churnsim.cli.stopping import stopping
from churnsim.cli.tables import check_table, write_table
from churnsim.errors import ExitCode

if TYPE_CHECKING:
    from churnsim.experiment.staffing import Staffing


class StaffOptions(NamedTuple):
    """What to staff for, and how."""

    scenario: str
    target: str
    policy: str | None
    replications: int | None
    seed: int | None
    horizon: str | None
    overrides: tuple[str, ...]
    threads: int | None
    as_json: bool
    out: Path | None
    force: bool


@click.command("staff", short_help="Find the fewest agents for a service level.")
@click.argument("scenario", default=DEFAULT, metavar="[SCENARIO]")
@click.option(
    "--target",
    required=True,
    metavar="LEVEL",
    help='Share of contacts and time, such as "80% in 20s".',
)
@click.option(
    "--policy",
    metavar="POLICY",
    help="Whose front desk is staffed; the scenario's baseline by default.",
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
    help="Also write a row for each shift; FILE ends in .csv, .parquet or .md.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@gathered(StaffOptions)
def staff_command(options: StaffOptions) -> None:
    """Find the fewest agents of the front desk that answer enough contacts in time.

    SCENARIO is a ready name (churnsim list) or a .toml file; telecom if not given. With
    shifts, each of them gets a number of its own. Every staffing that is tried meets
    the same customers; one agent fewer in any shift misses the target. Ctrl-C shows the
    staffings that are finished.
    """
    from churnsim.experiment.replications import Execution
    from churnsim.experiment.staffing import Effort, staff
    from churnsim.report.framing import Commands  # so that Ctrl-C is quick
    from churnsim.report.staffings import staffing_text

    if options.out:
        check_table("--out", options.out, force=options.force)
    with stopping() as stop, progress() as report:
        found = staff(
            options.scenario,
            options.target,
            options.policy,
            overrides=with_horizon(options.overrides, options.horizon),
            effort=Effort(
                options.replications,
                options.seed,
                report.watching(Execution(threads=options.threads, stop=stop)),
            ),
        )
    if options.as_json:
        say_json(found.to_json_dict())
    else:
        show = shown_settings(options.scenario, options.overrides)
        say(staffing_text(found, Commands(_again(options, found), show), columns()))
    _write(options, found)
    if found.is_stopped:
        n = len(found.trials)
        plural = " was" if n == 1 else "s were"
        tell(f"interrupted: {n} staffing{plural} finished")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
    error = found.error()
    if error is not None:
        raise error


def _write(options: StaffOptions, found: Staffing) -> None:
    """Write the shifts, if they were asked for."""
    file = options.out
    if file is None:
        return
    if found.is_stopped:
        tell(f"{file} was not written: the search was not finished")
        return
    write_table(file, found.to_arrow(), force=options.force)
    n = len(found.shifts)
    tell(f"wrote {n:,} shift{'' if n == 1 else 's'} to {file}")


def _again(options: StaffOptions, found: Staffing) -> str:
    """Return the command that makes the same numbers."""
    words = ["churnsim", "staff", options.scenario]
    words += ["--target", options.target, "--policy", found.policy]
    return typed_again(
        words, options.replications, found.seed, options.horizon, options.overrides
    )
