"""`churnsim robust`: whether a conclusion survives the ranges of its assumptions."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.analysing import Files, check_files, file_options, write_files
from churnsim.cli.assumptions import checked_grades
from churnsim.cli.console import columns, say, tell
from churnsim.cli.options import json_option, seed_option, set_option, threads_option
from churnsim.cli.outputs import say_json
from churnsim.cli.progress import progress
from churnsim.cli.run import DEFAULT
from churnsim.cli.shape import gathered
from churnsim.cli.stopping import read_first, stopping
from churnsim.errors import ExitCode

if TYPE_CHECKING:
    from churnsim.robustness.record import Robustness

MEASURES = ("revenue", "contribution")
POINTS, REPLICATIONS = 64, 4  # as usual
GRADES = "D"


class RobustOptions(NamedTuple):
    """Of which scenario, over which ranges, how closely, and where files go."""

    scenario: str
    grades: str
    parameters: tuple[str, ...]
    points: int
    replications: int
    customers: int | None
    measure: str
    seed: int | None
    overrides: tuple[str, ...]
    threads: int | None
    as_json: bool
    out: Path | None
    plot: Path | None
    force: bool


@click.command("robust", short_help="Tell whether assumptions decide the conclusion.")
@click.argument("scenario", default=DEFAULT, metavar="[SCENARIO]")
@click.option(
    "--grade",
    "grades",
    default=GRADES,
    show_default=True,
    metavar="LETTERS",
    help="Vary the figures of these grades, such as CD.",
)
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="FIELD=LOW..HIGH",
    help="Vary this one, too, or over this range instead. Can be repeated.",
)
@click.option(
    "--points",
    type=click.IntRange(1, 100_000),
    default=POINTS,
    show_default=True,
    metavar="N",
    help="Points at which all are varied at once.",
)
@click.option(
    "--replications",
    type=click.IntRange(2, 1_000_000),
    default=REPLICATIONS,
    show_default=True,
    metavar="N",
    help="How often at each point.",
)
@click.option(
    "--customers",
    type=click.IntRange(1),
    metavar="N",
    help="At the start; fewer than the scenario's are quicker, and rougher.",
)
@click.option(
    "--of",
    "measure",
    type=click.Choice(MEASURES),
    default=MEASURES[0],
    show_default=True,
    help="What is lost.",
)
@seed_option
@set_option
@threads_option
@json_option
@file_options("a row for each assumption and policy")
@gathered(RobustOptions)
def robust_command(options: RobustOptions) -> None:
    """Tell whether a scenario's conclusion survives the ranges of its assumptions.

    SCENARIO is a ready name (churnsim list) or a .toml file; telecom if not given. All
    figures of grade D are varied at once at many points, under both findings on word of
    mouth, and each by itself: how often does every policy's loss against the baseline
    keep its sign, and which assumption overturns it first? Ctrl-C finishes what is
    under way, but for what takes long, and shows it; twice leaves at once.
    """
    files = Files(options.out, options.plot, options.force)
    check_files(files)
    grades = checked_grades(options.grades)
    from churnsim.report.robustness import robustness_chart, robustness_text
    from churnsim.robustness.asking import How, robust
    from churnsim.robustness.varied import span_of

    spans = tuple(span_of(text) for text in options.parameters)
    read_first(options.scenario, options.overrides)
    with stopping() as stop, progress("points") as report:
        found = robust(
            options.scenario,
            overrides=options.overrides,
            how=How(
                points=options.points,
                replications=options.replications,
                customers=options.customers,
                seed=options.seed,
                grades=grades,
                spans=spans,
                measure=options.measure,
                threads=options.threads,
                progress=report,
                within=report.within,
                stop=stop,
            ),
        )
    again = _again(options, found)
    if options.as_json:
        say_json(found.to_json_dict(again))
    else:
        show = shlex.join(["churnsim", "assumptions", options.scenario, *_set(options)])
        say(robustness_text(found, again, show, columns()))
    if found.extent.is_stopped:
        tell("interrupted: what was finished is shown, and no file was written")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
    write_files(files, found.to_arrow, lambda: robustness_chart(found))
    if found.failed:
        tell(f"{len(found.failed):,} points failed")
        raise click.exceptions.Exit(ExitCode.PARTIAL)


def _again(options: RobustOptions, found: Robustness) -> str:
    """Return the command that makes the same numbers."""
    words = ["churnsim", "robust", options.scenario]
    if options.grades != GRADES:
        words += ["--grade", options.grades]
    for text in options.parameters:
        words += ["--parameter", text]
    words += ["--points", str(options.points)]
    words += ["--replications", str(options.replications)]
    if options.customers is not None:
        words += ["--customers", str(options.customers)]
    if options.measure != MEASURES[0]:
        words += ["--of", options.measure]
    words += ["--seed", str(found.extent.seed), *_set(options)]
    return shlex.join(words)


def _set(options: RobustOptions) -> list[str]:
    return [word for pair in options.overrides for word in ("--set", pair)]
