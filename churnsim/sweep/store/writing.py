"""A store that one process writes to: opened, added to chunk by chunk, closed.

Truth lies in the files. A chunk counts once its line stands in the ledger; before, a
process that was killed has left nothing that could pass for it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from churnsim.errors import InputError, Problem, StorageError
from churnsim.storage import sha256, sync_folder, told, write_synced
from churnsim.sweep.store import ledger
from churnsim.sweep.store.chunks import (
    path_of,
    remove_half_written,
    sha256_of,
    strangers,
    twice,
    write_chunk,
)
from churnsim.sweep.store.ledger import Line
from churnsim.sweep.store.manifest import (
    NAME,
    SweepManifest,
    read_sweep_manifest,
    to_bytes,
)

LOCK = "lock"
RESUMABLE = "what was finished is kept: the same command goes on"


class Made(NamedTuple):
    """A chunk that was computed."""

    data: bytes  # a Parquet file
    n_rows: int
    n_failed: int  # points
    seconds: float  # it took


class Store:
    """The folder of a sweep while one process writes to it."""

    def __init__(
        self, folder: Path, manifest: SweepManifest, lines: dict[int, Line]
    ) -> None:
        self.folder = folder
        self.manifest = manifest
        self.lines = lines  # of the chunks that are whole
        self.n_damaged = 0  # chunks that had changed, and are made again
        self.points_done = sum(map(manifest.points_in, lines))
        self.points_failed = sum(line.n_failed for line in lines.values())

    @property
    def n_points(self) -> int:
        """Return how many points there are to be: of the sweep, or of its shard."""
        return sum(map(self.manifest.points_in, self.manifest.chunks()))

    def missing(self) -> Iterator[int]:
        """Yield the chunks that are this store's to make, and are not there yet."""
        yield from (n for n in self.manifest.chunks() if n not in self.lines)

    def keep(self, chunk: int, made: Made) -> None:
        """Put a chunk in its place; it survives a loss of power from here on.

        Raises:
            StorageError: It cannot be written, or was made before and came out
                differently.
        """
        path = path_of(self.folder, self.manifest, chunk)
        digest = sha256(made.data)
        if chunk in self.lines:
            if self.lines[chunk].sha256 != digest:
                raise twice(path)
            return
        line = Line(
            chunk,
            digest,
            made.n_rows,
            made.n_failed,
            len(made.data),
            round(made.seconds, 3),
        )
        with told(self.folder, RESUMABLE):
            # One whose line was lost as the machine stopped is as good as any.
            if path.exists():
                if sha256_of(path) != digest:
                    raise twice(path)
            else:
                write_chunk(path, made.data)
            ledger.append(self.folder, line)
        self.lines[chunk] = line
        self.points_done += self.manifest.points_in(chunk)
        self.points_failed += line.n_failed

    def make_again(self, chunks: list[int]) -> None:
        """Let chunks count no more, so that they are missing."""
        with told(self.folder, RESUMABLE):
            for chunk in chunks:
                ledger.append(self.folder, ledger.again(chunk))
                path_of(self.folder, self.manifest, chunk).unlink(missing_ok=True)
                line = self.lines.pop(chunk)
                self.points_done -= self.manifest.points_in(chunk)
                self.points_failed -= line.n_failed

    def failed_chunks(self) -> list[int]:
        """Return the chunks that hold points which failed."""
        return [chunk for chunk, line in self.lines.items() if line.n_failed]

    def check(self) -> None:
        """Compare every chunk with its digest; let those that changed be made again."""
        damaged = [
            chunk
            for chunk, line in self.lines.items()
            if sha256_of(path_of(self.folder, self.manifest, chunk)) != line.sha256
        ]
        self.n_damaged = len(damaged)
        self.make_again(damaged)


@contextlib.contextmanager
def open_store(
    folder: str | Path, manifest: SweepManifest, files: Mapping[str, bytes]
) -> Iterator[Store]:
    """Yield a store to write to: a new one, or the one that is there and its chunks.

    Args:
        folder: Made if it is not there; must be empty otherwise, or of this sweep.
        manifest: Of the sweep, without its files.
        files: The sweep and its scenario, by name.

    Raises:
        InputError: The folder holds something else, or is no folder.
        StorageError: It is being written to by another process, is damaged, or cannot
            be written.
    """
    place = Path(folder)
    wanted = manifest._replace(files={name: sha256(d) for name, d in files.items()})
    with told(place, RESUMABLE):
        _check(place, wanted)
        place.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place / LOCK, timeout=0)
    with told(place, RESUMABLE):
        try:
            lock.acquire()
        except Timeout:
            rule = "must not be written to by two at once; another churnsim does so now"
            hint = "wait for it, or give each --shard a folder of its own"
            raise StorageError(Problem(rule, str(place), hint=hint)) from None
    try:
        with told(place, RESUMABLE):
            if not (place / NAME).exists():
                _begin(place, wanted, files)
            remove_half_written(place)
            # Read under the lock: another process may have made or changed it.
            known = _same(place, wanted)
            store = Store(place, known, ledger.mend_ledger(place))
        store.check()
        yield store
    finally:
        lock.release()


def _check(place: Path, wanted: SweepManifest) -> None:
    """Refuse a folder that is no place for this sweep, before anything is written.

    Raises:
        InputError: It holds something else, or is no folder.
        StorageError: It is a link, or cannot be written to.
    """
    if place.is_symlink():
        rule = "must be a folder itself, not a link to one"
        raise StorageError(Problem(rule, str(place), hint="name its target"))
    if place.exists() and not place.is_dir():
        raise InputError(Problem("must be a folder", str(place)))
    above = place.absolute()
    while not above.exists():
        above = above.parent
    if not os.access(above, os.W_OK | os.X_OK):
        rule = "must be writable; it is read-only"
        hint = "make it writable or name another folder"
        raise StorageError(Problem(rule, str(above), hint=hint))
    if not place.exists():
        return
    if (place / NAME).exists():
        _same(place, wanted)
    elif names := sorted(strangers(place)):
        rule = f"must be empty, or hold this sweep; it holds {names[0]}"
        raise InputError(Problem(rule, str(place), hint="name another folder"))


def _same(place: Path, wanted: SweepManifest) -> SweepManifest:
    """Return the manifest that is there.

    Raises:
        InputError: It is of something else than this sweep.
        StorageError: It is damaged.
    """
    try:
        known = read_sweep_manifest(place)
    except InputError as error:
        rule = f"must be empty, or hold this sweep; {error.problems[0].rule}"
        raise InputError(Problem(rule, str(place), hint="name another")) from None
    different = known.differences(wanted)
    if not different and known.shard != wanted.shard:
        (a, b), (c, d) = known.shard, wanted.shard
        different = [f"it is of shard {a} of {b}, not {c} of {d}"]
    if different:
        rule = f"must be of this sweep: {'; '.join(different)}"
        raise InputError(Problem(rule, str(place), hint="name another folder"))
    return known


def _begin(place: Path, manifest: SweepManifest, files: Mapping[str, bytes]) -> None:
    """Write what a new store begins with; the manifest last, so that it is whole."""
    for name, data in files.items():
        (place / name).unlink(missing_ok=True)
        write_synced(place / name, data)
    beside = place / f"{NAME}.tmp"
    beside.unlink(missing_ok=True)
    write_synced(beside, to_bytes(manifest))
    beside.replace(place / NAME)
    sync_folder(place)
