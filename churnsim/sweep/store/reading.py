"""Reading a store: how far it has come at once, its rows batch by batch."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from churnsim.errors import Problem, StorageError
from churnsim.storage import parquet_table, read_bytes, sha256
from churnsim.sweep.rows import COMMAND, ERROR, POINT
from churnsim.sweep.store import ledger
from churnsim.sweep.store.chunks import path_of
from churnsim.sweep.store.ledger import Line
from churnsim.sweep.store.manifest import (
    SCENARIO,
    SWEEP,
    SweepManifest,
    read_sweep_manifest,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from churnsim.sweep.plan import Sweep

FAILURES_SHOWN = 5
RESUME = "run the same churnsim sweep again: what is damaged is made again"


class Failure(NamedTuple):
    """A point that failed."""

    point: int
    error: str
    command: str  # that repeats it


class Status(NamedTuple):
    """How far a sweep has come."""

    folder: Path
    manifest: SweepManifest
    n_points: int  # there are to be: of the sweep, or of its shard
    n_done: int
    n_failed: int
    n_rows: int
    n_chunks: int  # in the store
    n_bytes: int  # of the chunks on disk
    seconds: float  # of work behind what is done, on one core
    digest: str  # SHA-256 of all rows: equal for equal tables
    failures: tuple[Failure, ...]  # the first few

    @property
    def is_complete(self) -> bool:
        """Return whether every point is there, failed ones too."""
        return self.n_done == self.n_points


class Finished:
    """The rows of a sweep, as far as it has come; memory holds one chunk at a time."""

    def __init__(self, sweep: Sweep, status: Status, lines: dict[int, Line]) -> None:
        self.sweep = sweep
        self.folder = status.folder
        self.n_points = status.n_points
        self.n_done = status.n_done
        self.n_failed = status.n_failed
        self._manifest = status.manifest
        self._lines = lines

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the order of the points.

        Args:
            columns: Names of those that are wanted; all where absent.

        Raises:
            StorageError: A chunk is not there, or not as it was written.
        """
        for chunk in sorted(self._lines):
            line = self._lines[chunk]
            yield from chunk_batches(self.folder, self._manifest, line, columns)


def chunk_batches(
    folder: Path,
    manifest: SweepManifest,
    line: Line,
    columns: Sequence[str] | None = None,
) -> list[pa.RecordBatch]:
    """Return the rows of a chunk.

    Args:
        folder: The store.
        manifest: Of the store.
        line: Of the chunk.
        columns: Names of those that are wanted; all where absent.

    Raises:
        StorageError: It is not there, or not as it was written.
    """
    table = parquet_table(kept_chunk(folder, manifest, line), columns)
    return list(table.to_batches())


def kept_chunk(folder: Path, manifest: SweepManifest, line: Line) -> bytes:
    """Return a chunk's file.

    Raises:
        StorageError: It is not there, or not as it was written.
    """
    path = path_of(folder, manifest, line.chunk)
    raw = read_bytes(path)
    if sha256(raw) != line.sha256:
        rule = "must be as churnsim wrote it: it was changed or cut"
        raise StorageError(Problem(rule, str(path), hint=RESUME))
    return raw


def digest_of(lines: Mapping[int, Line]) -> str:
    """Return the SHA-256 of all rows of a store: equal for equal tables."""
    every = hashlib.sha256()
    for chunk in sorted(lines):
        every.update(f"{chunk}:{lines[chunk].sha256}\n".encode())
    return every.hexdigest()


def read_status(folder: str | Path) -> Status:
    """Return how far a sweep has come; of its chunks the first that failed are read.

    Raises:
        InputError: There is no such folder, or it holds no sweep.
        StorageError: It is damaged, or of another version.
    """
    place = Path(folder)
    manifest = read_sweep_manifest(place)
    return status_of(place, manifest, ledger.read_ledger(place))


def status_of(folder: Path, manifest: SweepManifest, lines: dict[int, Line]) -> Status:
    """Return how far the store has come that has these lines."""
    known = lines.values()
    return Status(
        folder=folder,
        manifest=manifest,
        n_points=sum(map(manifest.points_in, manifest.chunks())),
        n_done=sum(map(manifest.points_in, lines)),
        n_failed=sum(line.n_failed for line in known),
        n_rows=sum(line.n_rows for line in known),
        n_chunks=len(lines),
        n_bytes=sum(line.n_bytes for line in known),
        seconds=sum(line.seconds for line in known),
        digest=digest_of(lines),
        failures=tuple(_failures(folder, manifest, lines)),
    )


def _failures(
    folder: Path, manifest: SweepManifest, lines: Mapping[int, Line]
) -> Iterator[Failure]:
    """Yield the first few points that failed."""
    chunks = [lines[n] for n in sorted(lines) if lines[n].n_failed]
    rows = (
        row
        for line in chunks
        for batch in chunk_batches(folder, manifest, line, (POINT, ERROR, COMMAND))
        for row in batch.to_pylist()
        if row[ERROR] is not None
    )
    for row in itertools.islice(rows, FAILURES_SHOWN):
        yield Failure(row[POINT], row[ERROR], row[COMMAND])


def read_store(folder: str | Path) -> Finished:
    """Return the rows of a sweep, to be read batch by batch.

    Raises:
        InputError: There is no such folder, or it holds no sweep.
        StorageError: It is damaged, of another version, or its sweep means something
            else here.
    """
    from churnsim.sweep.plan import load_sweep

    place = Path(folder)
    manifest = read_sweep_manifest(place)
    for name in (SWEEP, SCENARIO):
        if sha256(read_bytes(place / name)) != manifest.files.get(name):
            rule = "must be as churnsim wrote it: it was changed or cut"
            hint = "put it back from a copy, or sweep into another folder"
            raise StorageError(Problem(rule, str(place / name), hint=hint))
    sweep = load_sweep(place / SWEEP, scenario=place / SCENARIO)
    if sweep.digest != manifest.sweep:
        rule = "must mean what it did when it was run; this version reads it otherwise"
        hint = "read it with the churnsim that wrote it, or sweep into another folder"
        raise StorageError(Problem(rule, str(place / SWEEP), hint=hint))
    lines = ledger.read_ledger(place)
    sweep = replace(sweep, name=manifest.name)  # not that of its copy in the store
    return Finished(sweep, status_of(place, manifest, lines), lines)
