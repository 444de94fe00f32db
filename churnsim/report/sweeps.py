"""How far a sweep has come, and what it will take, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churnsim.sweep.store.chunks import FOLDER
from churnsim.units import format_duration

if TYPE_CHECKING:
    from churnsim.sweep.estimate import Estimate
    from churnsim.sweep.plan import Sweep
    from churnsim.sweep.store.reading import Status

SECONDS = 86_400.0


def estimate_text(sweep: Sweep, found: Estimate) -> str:
    """Return what a sweep will take on this machine."""
    what = f"{sweep.title or sweep.name}: {found.n_points:,} points"
    disk = f"{size_text(found.n_bytes)} on disk"
    plural = "" if found.n_threads == 1 else "s"
    lines = [
        f"{what} ({sweep.design.name}), {found.n_runs:,} runs",
        f"about {time_text(found.seconds)} on {found.n_threads} thread{plural}, {disk}",
        f"a point takes {time_text(found.point_seconds)}, seen at {found.n_piloted}",
    ]
    if found.n_failed:
        lines.append(f"{found.n_failed} of the {found.n_piloted} points tried failed")
    return "\n".join(lines)


def status_text(status: Status) -> str:
    """Return how far a sweep has come, and the first points that failed."""
    manifest = status.manifest
    part, parts = manifest.shard
    of = f", shard {part} of {parts}" if parts > 1 else ""
    share = status.n_done / status.n_points if status.n_points else 1.0
    told = f"{status.n_done:,} of {status.n_points:,} points ({100.0 * share:.3g} %)"
    chunks = "chunk" if status.n_chunks == 1 else "chunks"
    rows = f"{status.n_rows:,} rows in {status.n_chunks:,} {chunks}"
    work = f"{time_text(status.seconds)} of work on one core"
    lines = [
        f"{manifest.name}{of}: {told}, {status.n_failed:,} failed",
        f"{rows}, {size_text(status.n_bytes)}; {work}",
    ]
    if not status.is_complete and status.n_done:
        left = status.seconds / status.n_done * (status.n_points - status.n_done)
        lines.append(f"left: about {time_text(left)} of work on one core")
    lines.append(f"rows: {status.folder / FOLDER}; digest {status.digest[:16]}")
    for point, error, command in status.failures:
        lines += [f"point {point} failed: {error}", f"  {command}"]
    if left_out := status.n_failed - len(status.failures):
        lines.append(f"and {left_out:,} more; the column `error` says why")
    return "\n".join(lines)


def time_text(seconds: float) -> str:
    """Return a time for people."""
    if seconds < 1.0:
        return f"{1000.0 * seconds:.3g} ms"
    return format_duration(seconds / SECONDS)


def size_text(n_bytes: float) -> str:
    """Return a size for people, in decimal units."""
    size, unit = float(n_bytes), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000.0:
            break
        size, unit = size / 1000.0, larger
    return f"{size:.3g} {unit}"
