"""What is told of a sweep as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from churnsim.sweep.estimate import Estimate
    from churnsim.sweep.store.reading import Status


class EstimateDocument(TypedDict):
    """What a sweep will take on this machine, told by a pilot."""

    points: int  # of the sweep, or of its shard
    runs: int  # points × policies × replications
    chunks: int
    threads: int
    piloted: int  # points that were run to learn it
    failed: int  # of those
    seconds_per_point: float  # on one thread
    seconds: float  # all of them, on the threads
    bytes: int  # of the store


class FailureDocument(TypedDict):
    """A point that failed."""

    point: int
    error: str
    command: str  # that repeats it


class StatusDocument(TypedDict):
    """What `churnsim status --json` and `churnsim merge --json` print."""

    folder: str
    name: str  # of the sweep
    sweep: str  # SHA-256 of all that it means
    shard: list[int]  # which part of how many: [1, 1] where it is all
    points: int  # there are to be: of the sweep, or of its shard
    done: int  # points that are in the store
    failed: int  # of those
    rows: int
    chunks: int  # in the store
    bytes: int  # of its chunks
    seconds: float  # of work behind what is done, on one core
    is_complete: bool
    digest: str  # SHA-256 of all rows: equal for equal tables
    failures: list[FailureDocument]  # the first few


class SweepDocument(TypedDict):
    """What `churnsim sweep --json` prints."""

    estimate: EstimateDocument | None  # with --dry-run
    status: StatusDocument | None  # else
    made: int  # points that were made now
    damaged: int  # chunks that had changed on disk, and were made again
    is_stopped: bool  # before all was done


def estimate_document(found: Estimate) -> EstimateDocument:
    """Return an estimate for JSON."""
    return {
        "points": found.n_points,
        "runs": found.n_runs,
        "chunks": found.n_chunks,
        "threads": found.n_threads,
        "piloted": found.n_piloted,
        "failed": found.n_failed,
        "seconds_per_point": found.point_seconds,
        "seconds": found.seconds,
        "bytes": found.n_bytes,
    }


def status_document(status: Status) -> StatusDocument:
    """Return how far a sweep has come for JSON."""
    return {
        "folder": str(status.folder),
        "name": status.manifest.name,
        "sweep": status.manifest.sweep,
        "shard": list(status.manifest.shard),
        "points": status.n_points,
        "done": status.n_done,
        "failed": status.n_failed,
        "rows": status.n_rows,
        "chunks": status.n_chunks,
        "bytes": status.n_bytes,
        "seconds": status.seconds,
        "is_complete": status.is_complete,
        "digest": status.digest,
        "failures": [
            {"point": point, "error": error, "command": command}
            for point, error, command in status.failures
        ],
    }
