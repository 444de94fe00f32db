"""`churnsim status`, `merge` and `export`: the store of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import click

from churnsim.cli.check import check_ending, check_new
from churnsim.cli.console import say, tell
from churnsim.cli.options import json_option
from churnsim.cli.outputs import say_json
from churnsim.cli.shape import gathered

CSV, PARQUET = ".csv", ".parquet"


class StatusOptions(NamedTuple):
    """Which store."""

    folder: Path
    as_json: bool


class MergeOptions(NamedTuple):
    """Which shards, and where the whole goes."""

    folder: Path
    parts: tuple[Path, ...]
    as_json: bool


class ExportOptions(NamedTuple):
    """Which store, and where its rows go."""

    folder: Path
    out: Path
    force: bool
    as_json: bool


@click.command("status", short_help="Say how far a sweep has come.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@json_option
@gathered(StatusOptions)
def status_command(options: StatusOptions) -> None:
    """Say how far the sweep in DIR has come, and which points failed.

    DIR is a folder that churnsim sweep --out writes, or has written; it may be asked
    while that goes on.
    """
    from churnsim.report.sweeps import status_text
    from churnsim.sweep.documents import status_document
    from churnsim.sweep.store.reading import read_status

    status = read_status(options.folder)
    if options.as_json:
        say_json(status_document(status))
    else:
        say(status_text(status))


@click.command("merge", short_help="Join the shards of a sweep.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument(
    "parts",
    metavar="PART...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
)
@json_option
@gathered(MergeOptions)
def merge_command(options: MergeOptions) -> None:
    """Put the shards in each PART into DIR, which is made if it is not there.

    Whatever is still missing afterwards, churnsim sweep --out DIR makes.
    """
    from churnsim.report.sweeps import status_text
    from churnsim.sweep.documents import status_document
    from churnsim.sweep.store.merging import merge_stores

    status = merge_stores(options.folder, options.parts)
    if options.as_json:
        say_json(status_document(status))
    else:
        say(status_text(status))


@click.command("export", short_help="Write the rows of a sweep as one file.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="Ends in .csv, for spreadsheets, or .parquet.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@json_option
@gathered(ExportOptions)
def export_command(options: ExportOptions) -> None:
    """Write all rows of the sweep in DIR as one file, in the order of the points."""
    from churnsim.sweep.exporting import export_rows
    from churnsim.sweep.store.reading import read_store

    check_ending("--out", options.out, (CSV, PARQUET))
    check_new(options.out, force=options.force)
    finished = read_store(options.folder)
    n_rows = export_rows(finished, options.out)
    if options.as_json:
        say_json({"written": [str(options.out)]})
    else:
        tell(f"wrote {n_rows:,} rows to {options.out}")
    if finished.n_done < finished.n_points:
        tell(
            f"note: the sweep is not finished: {finished.n_done:,} of"
            f" {finished.n_points:,} points"
        )
