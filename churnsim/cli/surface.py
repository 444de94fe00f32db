"""`churnsim surface`: a loss over two factors of a sweep, as a field of cells."""

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

USUAL = "revenue"
BINS_MAX = 50  # as in churnsim.analysis.surface, which is not loaded for --help


class SurfaceOptions(NamedTuple):
    """Of which sweep, factors and response, and where files go."""

    folder: Path
    x: str
    y: str
    bins: int | None
    outcome: str
    policy: str | None
    against: str | None
    alone: bool
    as_json: bool
    out: Path | None
    plot: Path | None
    force: bool


@click.command("surface", short_help="Show a loss over two factors of a sweep.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--x", required=True, metavar="FIELD", help="Factor from left to right.")
@click.option("--y", required=True, metavar="FIELD", help="The other factor.")
@click.option(
    "--bins",
    type=click.IntRange(2, BINS_MAX),
    metavar="N",
    help="That a range with more than 20 different values is cut into; 2 to 8 by"
    " default, so that a cell holds about ten points.",
)
@response_options(USUAL)
@json_option
@file_options("a row for each cell")
@gathered(SurfaceOptions)
def surface_command(options: SurfaceOptions) -> None:
    """Show what one policy loses over two factors of the sweep kept in DIR.

    Nothing is simulated anew. Each cell is the mean over all other factors, with an
    interval in --out, --json and the chart; cells whose sign is not certain are marked,
    in the chart hatched.
    """
    files = Files(options.out, options.plot, options.force)
    check_files(files)
    from churnsim.analysis.surface import surface
    from churnsim.report.surfaces import surface_chart, surface_text

    finished = opened(options.folder)
    question = question_of(finished.sweep, options)
    found = surface(finished, question, options.x, options.y, options.bins)
    again = typed(
        "surface",
        options.folder,
        [
            ("--x", options.x),
            ("--y", options.y),
            ("--bins", options.bins),
            *question_typed(question, USUAL, options),
        ],
    )
    answer(
        found.to_json_dict(),
        lambda: surface_text(found, again, columns()),
        as_json=options.as_json,
    )
    write_files(files, found.to_arrow, lambda: surface_chart(found))
