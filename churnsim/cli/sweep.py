"""`churnsim sweep`: run a scenario at many points, and keep what comes of each."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from churnsim.cli.console import say, tell
from churnsim.cli.options import (
    check_cluster,
    cluster_option,
    insecure_option,
    json_option,
    threads_option,
)
from churnsim.cli.outputs import say_json
from churnsim.cli.progress import progress
from churnsim.cli.shape import gathered
from churnsim.cli.stopping import stopping
from churnsim.errors import ExitCode

if TYPE_CHECKING:
    from churnsim.experiment.replications import Within
    from churnsim.sweep.plan import Sweep
    from churnsim.sweep.running import Executor
    from churnsim.sweep.work import Work

WHOLE = (1, 1)  # shard
FINISHING = "finishing the points under way; Ctrl-C again leaves at once"
A_WHILE = 600.0  # of work that nobody need be asked about [s]


def _shard(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    """Return the part and the number of parts of a text such as 3/8."""
    if value is None:
        return None
    part, _, parts = value.partition("/")
    is_pair = part.isdecimal() and parts.isdecimal() and len(value) < 20
    if not is_pair or not 1 <= int(part) <= int(parts):
        rule = "must be I/N with I from 1 to N, such as 3/8"
        raise click.BadParameter(f"{value!r} {rule}")
    return int(part), int(parts)


class SweepOptions(NamedTuple):
    """What to sweep, where to, and how."""

    file: Path
    out: Path | None
    dry_run: bool
    shard: tuple[int, int] | None
    threads: int | None
    cluster: str | None
    insecure: bool
    retry_failed: bool
    fail_fast: bool
    yes: bool
    as_json: bool


@click.command("sweep", short_help="Run a scenario at many points.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep the rows in DIR; if it holds a part of this sweep, go on with it.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Run a few points only, and say what all will take.",
)
@click.option(
    "--shard",
    callback=_shard,
    metavar="I/N",
    help="Run part I of N, each into a DIR of its own; churnsim merge joins them.",
)
@threads_option
@cluster_option
@insecure_option
@click.option("--retry-failed", is_flag=True, help="Make points that failed again.")
@click.option("--fail-fast", is_flag=True, help="Stop where a point fails.")
@click.option("--yes", is_flag=True, help="Run it however long it takes.")
@json_option
@gathered(SweepOptions)
def sweep_command(options: SweepOptions) -> None:
    """Run the points that FILE describes, and keep a row for each run.

    Typed again, the command goes on where it was stopped, whatever stopped it, and the
    table is the same to the last bit. Ctrl-C finishes what is under way first, but for
    what takes long; twice leaves at once. A point that fails is a row, with its error.
    """
    from churnsim.errors import InputError, Problem
    from churnsim.sweep.estimate import check_size, estimate
    from churnsim.sweep.plan import load_sweep
    from churnsim.sweep.simulated import simulated
    from churnsim.sweep.work import Work

    if options.out is None and not options.dry_run:
        rule = "is required, unless --dry-run says only what it will take"
        raise InputError(Problem(rule, field="--out", hint="name a folder"))
    check_cluster(options.cluster, options.threads, insecure=options.insecure)
    sweep = load_sweep(options.file)
    with _hands(options, sweep) as hands:
        work = Work(sweep, simulated(sweep))
        if options.out is None or options.dry_run:
            _tell_estimate(options, work, hands.n_threads)
            return
        if not (options.yes or _is_small(work)):
            with progress("points"):
                check_size(estimate(work, options.shard or WHOLE, hands.n_threads))
        _run(options, work, options.out, hands)


class Hands(NamedTuple):
    """Who makes the chunks."""

    executor: Callable[[Within], Executor]  # that tells of the first point under way
    n_threads: int  # chunks at once


@contextlib.contextmanager
def _hands(options: SweepOptions, sweep: Sweep) -> Iterator[Hands]:
    """Yield who makes the chunks: a cluster, or threads of this process.

    Raises:
        InputError: The cluster is not there, or a worker differs.
        ResourceError: More memory would be needed than there is.
    """
    from churnsim.sweep.running import Threads, threads_for

    if options.cluster is None:
        n_threads = threads_for(sweep, options.threads)
        yield Hands(lambda within: Threads(n_threads, within), n_threads)
        return
    from churnsim.sweep.cluster import joined

    with joined(options.cluster, is_insecure=options.insecure) as cluster:
        yield Hands(lambda _: cluster, cluster.n_threads())


def _tell_estimate(options: SweepOptions, work: Work, n_threads: int) -> None:
    """Run a few points, and say what all will take."""
    from churnsim.report.sweeps import estimate_text
    from churnsim.sweep.documents import estimate_document
    from churnsim.sweep.estimate import estimate

    with progress("points"):
        found = estimate(work, options.shard or WHOLE, n_threads)
    if options.as_json:
        say_json(
            {
                "estimate": estimate_document(found),
                "status": None,
                "made": 0,
                "damaged": 0,
                "is_stopped": False,
            }
        )
    else:
        say(estimate_text(work.sweep, found))


def _is_small(work: Work) -> bool:
    """Return whether no pilot is needed to see that a sweep is done in a while."""
    from churnsim.sweep.work import point_seconds

    return work.sweep.n_points * point_seconds(work.sweep) <= A_WHILE


def _run(options: SweepOptions, work: Work, folder: Path, hands: Hands) -> None:
    """Run it, and say what came of it."""
    from churnsim.report.sweeps import status_text
    from churnsim.sweep.documents import status_document
    from churnsim.sweep.running import How, run_sweep

    with stopping(FINISHING) as stop, progress("points") as report:
        swept = run_sweep(
            work,
            folder,
            hands.executor(report.within),
            How(
                shard=options.shard or WHOLE,
                retry_failed=options.retry_failed,
                fail_fast=options.fail_fast,
                report=report,
                stop=stop,
            ),
        )
    status = swept.status
    if options.as_json:
        say_json(
            {
                "estimate": None,
                "status": status_document(status),
                "made": swept.n_made,
                "damaged": swept.n_damaged,
                "is_stopped": not status.is_complete,
            }
        )
    else:
        say(status_text(status))
    if swept.n_damaged:
        n = swept.n_damaged
        tell(f"note: chunks that had changed on disk and were made again: {n}")
    if status.n_failed and (status.is_complete or options.fail_fast):
        raise click.exceptions.Exit(ExitCode.PARTIAL)
    if not status.is_complete:
        tell(f"interrupted; go on with: {shlex.join(['churnsim', *sys.argv[1:]])}")
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)
