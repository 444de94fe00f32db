"""The manifest of a store: which sweep its chunks are of, and what made them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from churnsim.errors import InputError, Problem, StorageError
from churnsim.storage import read_bytes, sealed, versions

NAME = "manifest.json"
SWEEP = "sweep.toml"
SCENARIO = "scenario.toml"
FORMAT = "churnsim sweep"
FORMAT_VERSION = 1
MAKE = "name a folder that churnsim sweep --out has written, or write one with it"

_TYPES: dict[str, type] = {
    "name": str,
    "sweep": str,
    "n_points": int,
    "chunk_points": int,
    "n_chunks": int,
    "shard": list,
    "stream_version": int,
    "versions": dict,
    "files": dict,
}


class SweepManifest(NamedTuple):
    """A manifest as read, whole and undamaged."""

    name: str  # of the sweep
    sweep: str  # its digest
    n_points: int
    chunk_points: int  # points a chunk; the last may hold fewer
    n_chunks: int
    shard: list[int]  # which of how many, from 1: [1, 1] where it is all
    stream_version: int
    versions: dict[str, str]  # of all that computes
    files: dict[str, str]  # SHA-256 by name: the sweep and its scenario

    def chunks(self) -> range:
        """Return the numbers of the chunks that are to be in the store."""
        part, parts = self.shard
        return range(part - 1, self.n_chunks, parts)

    def points_in(self, chunk: int) -> int:
        """Return how many points a chunk holds."""
        left = self.n_points - chunk * self.chunk_points
        return min(self.chunk_points, left)

    def differences(self, other: SweepManifest) -> list[str]:
        """Return in what two stores differ so that their chunks do not go together."""
        told = []
        if self.sweep != other.sweep:
            told.append(
                f"it is of sweep {self.sweep[:12]} ({self.name}), not"
                f" {other.sweep[:12]} ({other.name})"
            )
        if self.stream_version != other.stream_version:
            told.append(
                f"its random streams are version {self.stream_version}, not"
                f" {other.stream_version}"
            )
        told += [
            f"its {name} is {version}, not {other.versions.get(name, 'absent')}"
            for name, version in self.versions.items()
            if other.versions.get(name) != version
        ]
        if not told and self.chunk_points != other.chunk_points:
            told.append(
                f"its chunks hold {self.chunk_points} points, not {other.chunk_points}"
            )
        return told


def manifest_of(
    name: str, digest: str, n_points: int, chunk_points: int, shard: tuple[int, int]
) -> SweepManifest:
    """Return the manifest of a store that is made here and now, without its files."""
    from churnsim.streams import STREAM_VERSION  # it loads the compiler

    return SweepManifest(
        name=name,
        sweep=digest,
        n_points=n_points,
        chunk_points=chunk_points,
        n_chunks=-(-n_points // chunk_points),
        shard=list(shard),
        stream_version=STREAM_VERSION,
        versions=versions(),
        files={},
    )


def to_bytes(manifest: SweepManifest) -> bytes:
    """Return a manifest as the one text that stands for it, with its own digest."""
    head = {"format": FORMAT, "format_version": FORMAT_VERSION}
    return sealed({**head, **manifest._asdict()})


def is_sweep(folder: str | Path) -> bool:
    """Return whether a folder says of itself that it holds a sweep."""
    try:
        data = json.loads((Path(folder) / NAME).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(data, dict) and data.get("format") == FORMAT


def read_sweep_manifest(folder: str | Path) -> SweepManifest:
    """Return the manifest of a folder that holds a sweep.

    Raises:
        InputError: There is no such folder, or it holds no sweep.
        StorageError: It cannot be read, is damaged, or is of another version.
    """
    place = Path(folder)
    path = place / NAME
    if not place.is_dir():
        raise InputError(Problem("must be a folder of a sweep", str(place), hint=MAKE))
    if not path.is_file():
        rule = f"must hold a sweep: there is no {NAME} in it"
        raise InputError(Problem(rule, str(place), hint=MAKE))
    raw = read_bytes(path)
    try:
        data: Any = json.loads(raw)
    except (ValueError, RecursionError):
        _damaged(path)
    if not isinstance(data, dict):
        _damaged(path)
    if data.get("format") == "churnsim results":
        rule = "must hold a sweep; it holds the results of one run"
        raise InputError(Problem(rule, str(place), hint=MAKE))
    if data.get("format") != FORMAT:
        _damaged(path)
    if data.get("format_version") != FORMAT_VERSION:
        rule = f"must be of format {FORMAT_VERSION}, which this version reads"
        found = data.get("format_version")
        hint = "read it with the churnsim that wrote it, or sweep into another folder"
        raise StorageError(Problem(rule, str(path), value=found, hint=hint))
    if any(not isinstance(data.get(key), kind) for key, kind in _TYPES.items()):
        _damaged(path)
    found = SweepManifest(*(data[key] for key in _TYPES))
    if to_bytes(found) != raw:
        _damaged(path)
    return found


def _damaged(path: Path) -> NoReturn:
    rule = "must be as churnsim wrote it: it was changed or cut"
    hint = "put it back from a copy, or sweep into another folder"
    raise StorageError(Problem(rule, str(path), hint=hint)) from None
