"""`churnsim run`: simulate a scenario's policies and compare them."""

from __future__ import annotations

import contextlib
import functools
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.check import check_ending
from churnsim.cli.console import WIDTH, columns, say, tell
from churnsim.cli.options import (
    budget_option,
    check_cluster,
    cluster_option,
    half_width_option,
    horizon_option,
    insecure_option,
    json_option,
    replications_of,
    replications_option,
    seed_option,
    set_option,
    shown_settings,
    threads_option,
    typed_again,
    until_of,
    with_horizon,
)
from churnsim.cli.outputs import say_json
from churnsim.cli.progress import progress
from churnsim.cli.report import PAGES
from churnsim.cli.shape import gathered
from churnsim.cli.stopping import read_first, stopping
from churnsim.errors import ChurnsimError, ExitCode, InterruptedRun

if TYPE_CHECKING:
    from churnsim.experiment.comparison import Comparison
    from churnsim.experiment.posterior import Uncertain
    from churnsim.experiment.replications import Execution
    from churnsim.experiment.schedule import Cluster
    from churnsim.report.framing import Commands

DEFAULT = "telecom"
ENGINES = ("kernel", "reference", "interpreted")


class RunOptions(NamedTuple):
    """What to simulate, how, and where the results go."""

    scenario: str
    policies: tuple[str, ...]
    replications: int | None
    half_width: str | None
    budget: str | None
    seed: int | None
    horizon: str | None
    overrides: tuple[str, ...]
    engine: str
    threads: int | None
    cluster: str | None
    insecure: bool
    as_json: bool
    out: Path | None
    report: Path | None
    explain: bool | None
    force: bool
    posterior: Path | None


@click.command("run", short_help="Simulate a scenario and compare its policies.")
@click.argument("scenario", default=DEFAULT, metavar="[SCENARIO]")
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="NAME",
    help="Only this policy, the baseline and flawless. Can be repeated.",
)
@replications_option
@half_width_option
@budget_option
@seed_option
@horizon_option
@set_option
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default=ENGINES[0],
    show_default=True,
    help="Compiled; or the slow ones that check it, which give the same numbers.",
)
@threads_option
@cluster_option
@insecure_option
@json_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also keep the results in this folder, for churnsim verify.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write a page of HTML with charts, to hand on; FILE ends in .html.",
)
@click.option(
    "--explain/--no-explain",
    default=None,
    help="Also tell, lever by lever, why the dearest policy loses, as churnsim explain"
    " does; takes about as long again. With --report by default.",
)
@click.option("--force", is_flag=True, help="Replace results and a page kept there.")
@click.option(
    "--posterior",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw what is not known of the firm from what churnsim calibrate wrote: a draw"
    " for every two replications. Intervals then hold ignorance, too, and the results"
    " say how much of it there is.",
)
@gathered(RunOptions)
def run_command(options: RunOptions) -> None:
    """Simulate a scenario under each of its policies and compare what they cost.

    SCENARIO is a ready name (churnsim list) or a .toml file; telecom if not given.
    Every policy meets the same customers and the same mistakes, replication by
    replication. Ctrl-C shows what is finished.
    """
    from churnsim.experiment.comparing import compare
    from churnsim.experiment.replications import Execution
    from churnsim.report.framing import Commands
    from churnsim.report.results import results_text  # now, so that Ctrl-C is quick

    _check_drawn(options)
    check_cluster(options.cluster, options.threads, insecure=options.insecure)
    if options.out:
        from churnsim.experiment.store.writing import check_place

        check_place(options.out, force=options.force)
    if options.report:
        from churnsim.report.page.writing import check_file, require_libraries

        require_libraries()
        check_ending("--report", options.report, PAGES)
        check_file(options.report, force=options.force)
    until = until_of(
        options.half_width, options.budget, options.replications, _currency(options)
    )
    overrides = with_horizon(options.overrides, options.horizon)
    read_first(options.scenario, overrides)
    uncertain = _uncertain(options, overrides)
    with _cluster(options) as cluster, stopping() as stop:
        with progress() as report:
            how = Execution(
                options.engine,
                options.threads,
                stop=stop,
                cluster=cluster,
            )
            comparison = compare(
                uncertain or options.scenario,
                policies=options.policies or None,
                replications=until or options.replications,
                seed=options.seed,
                overrides=() if uncertain else overrides,
                execution=report.watching(how),
            )
        comparison, refusal = _explained(comparison, options, how)
    commands = Commands(
        _again(options, comparison),
        shown_settings(options.scenario, options.overrides),
    )
    table = functools.partial(results_text, comparison, commands)
    _show(comparison, options, table, commands)
    end(comparison, refusal)


def _check_drawn(options: RunOptions) -> None:
    """Refuse what cannot be asked of settings that are drawn.

    Raises:
        UsageError: To be told by lever, or to stop at a precision or a time.
    """
    if options.posterior is None:
        return
    if options.explain:
        raise click.UsageError(
            "--explain and --posterior exclude each other: a loss is told by lever of"
            " one firm, and each draw is another"
        )
    if options.half_width or options.budget:
        raise click.UsageError(
            "--half-width and --budget exclude --posterior: no replication narrows what"
            " is not known of the firm; say --replications"
        )


def _uncertain(options: RunOptions, overrides: Sequence[str]) -> Uncertain | None:
    """Return the scenario with the posterior laid over it; None: there is none.

    Raises:
        InputError: It is none, or not of this scenario, or a draw is refused.
    """
    if options.posterior is None:
        return None
    from churnsim.calibration.drawn_runs import under

    return under(
        options.posterior,
        options.scenario,
        policies=options.policies or None,
        overrides=overrides,
    )


@contextlib.contextmanager
def _cluster(options: RunOptions) -> Iterator[Cluster | None]:
    """Yield the cluster that was asked for.

    Raises:
        InputError: It is not there, or a worker differs.
    """
    if options.cluster is None:
        yield None
        return
    from churnsim.sweep.cluster import joined

    with joined(options.cluster, is_insecure=options.insecure) as cluster:
        yield cluster


def _explained(
    comparison: Comparison, options: RunOptions, how: Execution
) -> tuple[Comparison, ChurnsimError | None]:
    """Return the comparison with its loss told by lever where that is asked for.

    What keeps it from being told comes second: the comparison is worth showing all the
    same.
    """
    is_asked = bool(options.report) if options.explain is None else options.explain
    is_asked = is_asked and comparison.uncertain is None
    if not is_asked or comparison.is_stopped:
        return comparison, None
    if options.budget:
        tell("the budget is for replications; telling the loss by lever comes on top")
    try:
        with progress("replications explained") as report:
            how = report.watching(how._replace(engine=ENGINES[0]))
            return comparison.explained(how), None
    except ChurnsimError as refusal:
        return comparison, refusal


def end(comparison: Comparison, refusal: ChurnsimError | None) -> None:
    """Leave with another exit code than 0 where something is missing.

    Raises:
        Exit: It was interrupted.
        ChurnsimError: Some replications failed, or the loss could not be explained.
    """
    attribution = comparison.attribution
    told = _partial(comparison) if comparison.is_stopped else ""
    if isinstance(refusal, InterruptedRun):
        told = "interrupted: the loss is not told by lever"
    elif attribution is not None and attribution.is_stopped:
        done, asked = attribution.n_finished, attribution.n_asked
        told = f"interrupted: {done} of {asked} replications were told by lever"
    if told:
        tell(told)
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
    error = comparison.error() or refusal or (attribution and attribution.error())
    if error:
        raise error


def _show(
    comparison: Comparison,
    options: RunOptions,
    table: Callable[[int], str],
    commands: Commands,
) -> None:
    """Write the results to standard output, and to a folder or a page if asked to."""
    again = commands.again
    if options.as_json:
        say_json(comparison.to_json_dict(again))
    else:
        say(table(columns()))
    if options.out:
        from churnsim.experiment.store import write_results
        from churnsim.report.markdown import results_markdown

        extras = {
            "table.txt": table(WIDTH) + "\n",
            "table.md": results_markdown(comparison, commands),
        }
        write_results(
            comparison,
            options.out,
            force=options.force,
            extras=extras,
            command=again,
        )
        folder = shlex.quote(str(options.out))
        tell(f"results kept in {folder}; made again by: churnsim verify {folder}")
    if options.report:
        from churnsim.report.page.writing import write_page

        document = comparison.to_json_dict(again)
        write_page(document, options.report, force=options.force)
        tell(f"report written to {shlex.quote(str(options.report))}")


def _currency(options: RunOptions) -> str:
    """Return what an amount is typed in, where one may have been."""
    if options.half_width is None:
        return ""
    from churnsim.scenario import load_scenario

    return load_scenario(options.scenario, overrides=options.overrides).currency


def _again(options: RunOptions, comparison: Comparison) -> str:
    """Return the command that makes the same numbers."""
    replications = replications_of(comparison, options.replications)
    if options.half_width or options.budget:
        replications = comparison.n_finished
    words = ["churnsim", "run", options.scenario]
    for name in options.policies:
        words += ["--policy", name]
    if options.posterior is not None:
        words += ["--posterior", str(options.posterior)]
    if comparison.attribution is not None:
        words.append("--explain")
    return typed_again(
        words, replications, comparison.seed, options.horizon, options.overrides
    )


def run_options(command: str) -> RunOptions:
    """Return what was typed for a command that begins with `churnsim run`.

    Raises:
        UsageError: It cannot be typed.
    """
    _, name, *words = shlex.split(command)
    return RunOptions(**run_command.make_context(name, words).params)


def _partial(comparison: Comparison) -> str:
    """Return how much was finished of what an interrupted run was asked for."""
    done, asked = comparison.n_finished, comparison.n_asked
    return f"interrupted: {done} of {asked} replications were finished"
