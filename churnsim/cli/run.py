"""`churnsim run`: simulate a scenario's policies and compare them."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.console import columns, say, tell
from churnsim.cli.progress import progress
from churnsim.cli.shape import gathered
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
    help="Also keep the results in this folder.",
)
@gathered(RunOptions)
def run_command(options: RunOptions) -> None:
    """Simulate a scenario under each of its policies and compare what they cost.

    SCENARIO is a ready name (churnsim list) or a .toml file; telecom if not given.
    Every policy meets the same customers and the same mistakes, replication by
    replication. Ctrl-C shows what is finished.
    """
    from churnsim.experiment.comparison import compare
    from churnsim.experiment.replications import Execution

    overrides = list(options.overrides)
    if options.horizon:
        overrides.append(f"horizon={options.horizon}")
    _tell_compiling(options.engine)
    with _stopping() as stop, progress() as report:
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
    _show(comparison, options)
    if comparison.is_stopped:
        tell(_partial(comparison))
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
    error = comparison.error()
    if error is not None:
        raise error


def _show(comparison: Comparison, options: RunOptions) -> None:
    """Write the results to standard output, and to a folder if asked to."""
    if options.as_json:
        say(json.dumps(comparison.to_json_dict(), indent=2, allow_nan=False))
    else:
        from churnsim.report.results import results_text

        say(results_text(comparison, columns()))
    if options.out:
        from churnsim.experiment.store import write_results

        write_results(comparison, options.out)
        tell(f"results kept in {options.out}; check them with: churnsim verify")


def _partial(comparison: Comparison) -> str:
    done, asked = comparison.n_finished, comparison.n_asked
    return f"interrupted: {done} of {asked} replications were finished"


def _tell_compiling(engine: str) -> None:
    """Say that the first run takes longer, where it does."""
    if engine != "kernel":
        return
    from churnsim.engines.kernel.run import run_world
    from churnsim.jit import is_cached

    if not is_cached(run_world):
        tell("compiling the simulation, once on this machine; about a minute")


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C into an event; a second one ends the program as usual."""
    stop = threading.Event()

    def on_interrupt(_signal: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
