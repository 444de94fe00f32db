"""The files of a store: where a chunk lies, and how it gets there whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from churnsim._version import __version__
from churnsim.errors import Problem, StorageError
from churnsim.storage import sync_folder, write_synced
from churnsim.sweep.store.manifest import SweepManifest

FOLDER = "chunks"
PER_FOLDER = 256  # chunks: folders stay quick to list
SUFFIX = ".parquet"
HALF_WRITTEN = ".tmp"


def address(manifest: SweepManifest, chunk: int) -> str:
    """Return what a chunk computes, as 16 hex digits: sweep, points and versions."""
    first = chunk * manifest.chunk_points
    last = min(first + manifest.chunk_points, manifest.n_points)
    text = f"{manifest.sweep}:{first}:{last}:{manifest.stream_version}:{__version__}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def path_of(folder: Path, manifest: SweepManifest, chunk: int) -> Path:
    """Return where a chunk lies in a store."""
    name = f"{chunk:06d}-{address(manifest, chunk)}{SUFFIX}"
    return folder / FOLDER / f"{chunk // PER_FOLDER:05d}" / name


def write_chunk(path: Path, data: bytes) -> None:
    """Write a chunk's file beside its place first, then move it there in one step."""
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        sync_folder(path.parent.parent)
    beside = path.with_suffix(HALF_WRITTEN)
    beside.unlink(missing_ok=True)
    try:
        write_synced(beside, data)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def remove_half_written(folder: Path) -> None:
    """Remove what a process left that was stopped while it wrote."""
    for path in (folder / FOLDER).glob(f"*/*{HALF_WRITTEN}"):
        path.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file; "" where there is none that can be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def twice(path: Path) -> StorageError:
    """Return the error that what should be one result came out as two."""
    rule = (
        "must come out the same, however often it is made; it did not, so that this"
        " sweep cannot be trusted"
    )
    hint = "two versions of churnsim or a faulty machine; sweep into another folder"
    return StorageError(Problem(rule, str(path), hint=hint))


def strangers(folder: Path) -> Iterator[str]:
    """Yield the names in a folder that no sweep has put there."""
    own = {FOLDER, "manifest.json", "ledger.txt", "sweep.toml", "scenario.toml", "lock"}
    own.add("manifest.json.tmp")
    for path in folder.iterdir():
        if path.name not in own:
            yield path.name
