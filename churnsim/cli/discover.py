"""`churnsim discover`: in which boxes of assumptions something happens."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import click

from churnsim.cli.analysing import (
    Files,
    answer,
    check_files,
    file_options,
    opened,
    question_of,
    question_typed,
    response_options,
    typed,
    write_files,
)
from churnsim.cli.console import columns
from churnsim.cli.options import json_option
from churnsim.cli.shape import gathered
from churnsim.errors import InputError, Problem

USUAL = "contribution"
BOXES = 3


class DiscoverOptions(NamedTuple):
    """Of which sweep and response, what is looked for, and where files go."""

    folder: Path
    below: str | None
    above: str | None
    boxes: int
    density: float | None
    outcome: str
    policy: str | None
    against: str | None
    alone: bool
    as_json: bool
    out: Path | None
    plot: Path | None
    force: bool


@click.command("discover", short_help="Find the assumptions under which a loss turns.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--below",
    metavar="AMOUNT",
    help="Look for points whose loss is below this, such as $0, which is the default:"
    " there the other policy no longer pays.",
)
@click.option("--above", metavar="AMOUNT", help="Look for those above this instead.")
@click.option(
    "--boxes",
    type=click.IntRange(1, 20),
    default=BOXES,
    show_default=True,
    metavar="N",
    help="At most.",
)
@click.option(
    "--density",
    type=click.FloatRange(0.0, 1.0, min_open=True),
    metavar="SHARE",
    help="Take the largest boxes of which at least this share is such, as 0.8; by"
    " default coverage and density are balanced.",
)
@response_options(USUAL)
@json_option
@file_options("a row for each side of each box")
@gathered(DiscoverOptions)
def discover_command(options: DiscoverOptions) -> None:
    """Find the boxes of assumptions in which a loss is beyond a threshold.

    Nothing is simulated anew. Each point of the sweep kept in DIR either is such, or is
    not; thin slices are peeled off the space of all factors until what is left is
    dense with such points (PRIM). Amounts are a year per 1,000 customers, as shown.
    Points whose side is not sure are counted apart.
    """
    files = Files(options.out, options.plot, options.force)
    if options.below is not None and options.above is not None:
        rule = "must not both be given: choose one"
        raise InputError(Problem(rule, field="below and above"))
    check_files(files)
    from churnsim.analysis.discovery import discover
    from churnsim.analysis.thresholds import target_of
    from churnsim.report.discoveries import discovery_chart, discovery_text

    finished = opened(options.folder)
    question = question_of(finished.sweep, options)
    target = target_of(finished.sweep, question, options.below, options.above)
    found = discover(finished, question, target, options.boxes, options.density)
    again = typed(
        "discover",
        options.folder,
        [
            ("--below", options.below),
            ("--above", options.above),
            ("--boxes", options.boxes if options.boxes != BOXES else None),
            ("--density", options.density),
            *question_typed(question, USUAL, options),
        ],
    )
    answer(
        found.to_json_dict(),
        lambda: discovery_text(found, again, columns()),
        as_json=options.as_json,
    )
    write_files(files, found.to_arrow, lambda: discovery_chart(found))
