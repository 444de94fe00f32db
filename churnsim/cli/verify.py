"""`churnsim verify`: are kept results whole, and do they come out again?"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import NamedTuple

import click

from churnsim.cli.console import say, tell
from churnsim.cli.options import json_option
from churnsim.cli.outputs import VerifyDocument, say_json
from churnsim.cli.progress import progress
from churnsim.cli.shape import gathered
from churnsim.errors import ExitCode, Problem, StorageError


class VerifyOptions(NamedTuple):
    """Which results, and how."""

    folder: Path
    threads: int | None
    as_json: bool


@click.command("verify", short_help="Make kept results again and compare them.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Replications at once; one a core by default, as memory allows.",
)
@json_option
@gathered(VerifyOptions)
def verify_command(options: VerifyOptions) -> None:
    """Make the results kept in DIR again and compare them, to the last bit.

    DIR is a folder that churnsim run --out has written. The scenario in it is simulated
    anew; files that were changed since are named.
    """
    from churnsim.experiment.store import RESTORE, verify_results

    folder = options.folder
    stop = threading.Event()  # set by Ctrl-C while runs are made again
    with progress() as report:
        found = verify_results(
            folder,
            threads=options.threads,
            progress=report,
            within=report.within,
            stop=stop,
        )
    if options.as_json:
        document: VerifyDocument = {
            "folder": str(folder),
            "is_same": found.is_same,
            "is_stopped": stop.is_set(),
            "runs": found.n_runs,
            "runs_checked": found.n_checked,
            "differences": list(found.differences),
            "notes": list(found.notes),
        }
        say_json(document)
    for note in found.notes:
        tell(f"note: {note}")
    if found.differences:
        # Before anything is made again, what is wrong are files: those can be put back.
        hint = "" if found.n_checked else RESTORE
        problems = [Problem(t, str(folder), hint=hint) for t in found.differences]
        raise StorageError(*problems)
    done = f"{found.n_checked:,} of {found.n_runs:,} runs"
    if stop.is_set():
        tell(f"interrupted: {done} were made again, and are the same")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
    if not options.as_json:
        say(f"{folder}: {done} made again; all files and numbers are the same")
