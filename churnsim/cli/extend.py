"""`churnsim extend`: more replications for kept results."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.console import WIDTH, columns, say, tell
from churnsim.cli.options import (
    json_option,
    shown_settings,
    threads_option,
    typed_again,
    with_horizon,
)
from churnsim.cli.outputs import say_json
from churnsim.cli.progress import progress
from churnsim.cli.run import RunOptions, end, run_options
from churnsim.cli.shape import gathered
from churnsim.errors import ChurnsimError

if TYPE_CHECKING:
    from churnsim.experiment.comparison import Comparison
    from churnsim.experiment.store import Extension
    from churnsim.report.framing import Commands


class ExtendOptions(NamedTuple):
    """Which results, how many replications there are to be, and how."""

    folder: Path
    replications: int
    threads: int | None
    as_json: bool


@click.command("extend", short_help="Add replications to kept results.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--replications",
    type=click.IntRange(1, 1_000_000),
    required=True,
    metavar="N",
    help="How many there are to be, with those that are there.",
)
@threads_option
@json_option
@gathered(ExtendOptions)
def extend_command(options: ExtendOptions) -> None:
    """Add replications to the results kept in DIR until there are N.

    DIR is a folder that churnsim run --out has written. Only the missing replications
    are run, failed and interrupted ones among them; DIR then holds what it would if N
    had been run at once, to the last bit. Ctrl-C keeps what is finished.
    """
    from churnsim.experiment.replications import Execution
    from churnsim.experiment.store import extend_results
    from churnsim.report.markdown import results_markdown
    from churnsim.report.results import results_text  # now, so that Ctrl-C is quick

    folder = options.folder

    def table(comparison: Comparison, command: str) -> dict[str, str]:
        commands = _commands(folder, comparison, command)
        return {
            "table.txt": results_text(comparison, commands, WIDTH) + "\n",
            "table.md": results_markdown(comparison, commands),
        }

    # Ctrl-C is left as it is: while replications run it keeps what is finished, and
    # before and after, while tables are read and made, it ends with the folder whole.
    with progress() as report:
        found = extend_results(
            folder,
            options.replications,
            execution=report.watching(Execution(threads=options.threads)),
            extras=table,
        )
    comparison = found.comparison
    if options.as_json:
        say_json(comparison.to_json_dict(found.command))
    else:
        commands = _commands(folder, comparison, found.command)
        say(results_text(comparison, commands, columns()))
    _tell_kept(folder, found)
    end(comparison, found.refusal)


def _commands(folder: Path, comparison: Comparison, command: str) -> Commands:
    """Return what a reader of the results may type next."""
    from churnsim.experiment.store.writing import SCENARIO
    from churnsim.report.framing import Commands

    if command:
        given = run_options(command)
        return Commands(command, shown_settings(given.scenario, given.overrides))
    # Kept from Python, so that only the folder knows the scenario.
    scenario = str(folder / SCENARIO)
    words = ["churnsim", "run", scenario]
    names = comparison.replications.policies
    if names != comparison.scenario.policy_names:
        words += [word for name in names for word in ("--policy", name)]
    if comparison.attribution is not None:
        words.append("--explain")
    again = typed_again(words, comparison.n_asked, comparison.seed, None, ())
    return Commands(again, shown_settings(scenario, ()))


def _tell_kept(folder: Path, found: Extension) -> None:
    """Say what the folder came to hold, and whether its command still makes it."""
    from churnsim.experiment.sentences import replications_text
    from churnsim.experiment.store.writing import POSTERIOR, SCENARIO

    place = shlex.quote(str(folder))
    n = replications_text(found.comparison.n_finished)
    if not found.is_written:
        tell(f"{place} holds {n} already: nothing to do")
    else:
        added = f"{found.n_added:,} added" if found.n_added else "none added"
        tell(f"{n} kept in {place}, {added}; made again by: churnsim verify {place}")
    given = run_options(found.command) if found.command else None
    if given and not _is_still(found.comparison, given):
        scenario = shlex.quote(given.scenario)
        tell(
            f"note: {scenario} is not what it was, or not here: these results are of"
            f" {shlex.quote(str(folder / SCENARIO))}"
        )
    if given and not _is_still_drawn(found.comparison, given):
        tell(
            f"note: {shlex.quote(str(given.posterior))} is not what it was, or not"
            f" here: these results are of {shlex.quote(str(folder / POSTERIOR))}"
        )


def _is_still(comparison: Comparison, given: RunOptions) -> bool:
    """Return whether the scenario that was typed still is the one that was run."""
    from churnsim.experiment.preparing import prepared

    # Where the file names no seed, each reading draws one; the command has its own.
    seed = f"seed={comparison.scenario.seed}"
    settings = [*with_horizon(given.overrides, given.horizon), seed]
    try:
        now = prepared(given.scenario, given.policies or None, settings)
    except ChurnsimError:
        return False
    return now.digest == comparison.scenario.digest


def _is_still_drawn(comparison: Comparison, given: RunOptions) -> bool:
    """Return whether the posterior that was typed still is the one of the draws."""
    from churnsim.experiment.posterior import read_posterior

    if given.posterior is None or comparison.uncertain is None:
        return True
    try:
        return read_posterior(given.posterior) == comparison.uncertain.posterior
    except ChurnsimError:
        return False
