"""`churnsim run`: simulate a scenario's policies and compare them."""

from __future__ import annotations

import functools
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.console import WIDTH, columns, say, tell
from churnsim.cli.progress import progress, tell_compiling
from churnsim.cli.shape import gathered
from churnsim.cli.stopping import stopping
from churnsim.errors import ExitCode

if TYPE_CHECKING:
    from churnsim.experiment.comparison import Comparison

DEFAULT = "telecom"
ENGINES = ("kernel", "reference", "interpreted")
SEED_MAX = 2**64 - 1


class RunOptions(NamedTuple):
    """What to simulate, how, and where the results go."""

    scenario: str
    policies: tuple[str, ...]
    replications: int | None
    seed: int | None
    horizon: str | None
    overrides: tuple[str, ...]
    engine: str
    threads: int | None
    as_json: bool
    out: Path | None
    force: bool


@click.command("run", short_help="Simulate a scenario and compare its policies.")
@click.argument("scenario", default=DEFAULT, metavar="[SCENARIO]")
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="NAME",
    help="Only this policy, the baseline and flawless. Can be repeated.",
)
@click.option(
    "--replications",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="How often; the scenario says how often by default.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, SEED_MAX),
    metavar="N",
    help="Of all randomness; the scenario's by default.",
)
@click.option(
    "--horizon", metavar="TIME", help='How long is simulated, such as "2 years".'
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a setting, such as market.lock_in=1.5. Can be repeated.",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default=ENGINES[0],
    show_default=True,
    help="Compiled; or the slow ones that check it, which give the same numbers.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Replications at once; one a core by default, as memory allows.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also keep the results in this folder, for churnsim verify.",
)
@click.option("--force", is_flag=True, help="Replace results kept in that folder.")
@gathered(RunOptions)
def run_command(options: RunOptions) -> None:
    """Simulate a scenario under each of its policies and compare what they cost.

    SCENARIO is a ready name (churnsim list) or a .toml file; telecom if not given.
    Every policy meets the same customers and the same mistakes, replication by
    replication. Ctrl-C shows what is finished.
    """
    from churnsim.experiment.comparison import compare
    from churnsim.experiment.replications import Execution
    from churnsim.report.results import (  # now, so that Ctrl-C is quick
        Commands,
        results_text,
    )

    if options.out:
        from churnsim.experiment.store.writing import check_place

        check_place(options.out, force=options.force)
    overrides = list(options.overrides)
    if options.horizon:
        overrides.append(f"horizon={options.horizon}")
    tell_compiling(options.engine)
    with stopping() as stop, progress() as report:
        comparison = compare(
            options.scenario,
            policies=options.policies or None,
            replications=options.replications,
            seed=options.seed,
            overrides=overrides,
            execution=Execution(
                options.engine, options.threads, progress=report, stop=stop
            ),
        )
    commands = Commands(_again(options, comparison.seed), _settings(options))
    _show(comparison, options, functools.partial(results_text, comparison, commands))
    if comparison.is_stopped:
        tell(_partial(comparison))
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
    error = comparison.error()
    if error is not None:
        raise error


def _show(
    comparison: Comparison, options: RunOptions, table: Callable[[int], str]
) -> None:
    """Write the results to standard output, and to a folder if asked to."""
    if options.as_json:
        say(json.dumps(comparison.to_json_dict(), indent=2, allow_nan=False))
    else:
        say(table(columns()))
    if options.out:
        from churnsim.experiment.store import write_results

        extras = {"table.txt": table(WIDTH) + "\n"}
        write_results(comparison, options.out, force=options.force, extras=extras)
        folder = shlex.quote(str(options.out))
        tell(f"results kept in {folder}; made again by: churnsim verify {folder}")


def _again(options: RunOptions, seed: int) -> str:
    """Return the command that makes the same numbers."""
    words = ["churnsim", "run", options.scenario]
    for name in options.policies:
        words += ["--policy", name]
    if options.replications:
        words += ["--replications", str(options.replications)]
    words += ["--seed", str(seed)]
    if options.horizon:
        words += ["--horizon", options.horizon]
    return shlex.join([*words, *_changes(options)])


def _settings(options: RunOptions) -> str:
    """Return the command that shows the settings and what they rest on."""
    return shlex.join(["churnsim", "show", options.scenario, *_changes(options)])


def _changes(options: RunOptions) -> list[str]:
    return [word for pair in options.overrides for word in ("--set", pair)]


def _partial(comparison: Comparison) -> str:
    done, asked = comparison.n_finished, comparison.n_asked
    return f"interrupted: {done} of {asked} replications were finished"
