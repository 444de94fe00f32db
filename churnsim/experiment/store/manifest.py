"""The manifest: what a folder of results holds, and all it takes to make them again."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from churnsim.errors import InputError, Problem, StorageError
from churnsim.storage import read_bytes, sealed, sha256, versions
from churnsim.streams import STREAM_VERSION

if TYPE_CHECKING:
    from churnsim.experiment.comparison import Comparison

NAME = "manifest.json"
FORMAT = "churnsim results"
FORMAT_VERSION = 1
MAKE = "name a folder that churnsim run --out has written, or write one with it"

_TYPES: dict[str, type] = {
    "scenario": dict,
    "seed": int,
    "engine": str,
    "stream_version": int,
    "policies": list,
    "replications_asked": list,
    "replications": list,
    "populations": dict,
    "results": dict,
    "versions": dict,
    "platform": dict,
    "files": dict,
}


class Manifest(NamedTuple):
    """A manifest as read, whole and undamaged."""

    folder: Path
    scenario: dict[str, Any]  # name, digest, log digest
    seed: int
    engine: str
    stream_version: int
    policies: list[str]
    replications_asked: list[int]
    replications: list[int]  # those finished
    populations: dict[str, str]  # digest by replication
    results: dict[str, dict[str, str]]  # digest by policy, then by replication
    versions: dict[str, str]
    platform: dict[str, str]
    files: dict[str, str]  # SHA-256 by name


def manifest_of(comparison: Comparison, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the manifest of a comparison that is kept in the files given."""
    finished = comparison.replications.finished
    scenario = comparison.scenario
    results: dict[str, dict[str, str]] = {}
    populations = {}
    for run in comparison.runs:
        results.setdefault(run.policy, {})[str(run.replication)] = run.digest
        populations[str(run.replication)] = run.population
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "scenario": {
            "name": scenario.name,
            "digest": scenario.digest,
            "log_digest": scenario.log_digest,
        },
        "seed": comparison.seed,
        "engine": comparison.engine,
        "stream_version": STREAM_VERSION,
        "policies": list(comparison.replications.policies),
        "replications_asked": list(comparison.replications.asked),
        "replications": list(finished),
        "populations": populations,
        "results": results,
        "versions": versions(),
        "platform": {
            "system": platform.platform(),
            "machine": platform.machine(),
            "processor": platform.processor(),
        },
        "files": {name: sha256(data) for name, data in sorted(files.items())},
    }


def read_manifest(folder: str | Path) -> Manifest:
    """Return the manifest of a folder of results.

    Raises:
        InputError: There is no such folder, or it holds no results.
        StorageError: It cannot be read, is damaged, or is of another version.
    """
    place = Path(folder)
    path = place / NAME
    if not place.is_dir():
        rule = "must be a folder of results"
        raise InputError(Problem(rule, str(place), hint=MAKE))
    if not path.is_file():
        rule = f"must hold results: there is no {NAME} in it"
        raise InputError(Problem(rule, str(place), hint=MAKE))
    raw = read_bytes(path)
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        _damaged(path)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        _damaged(path)
    if data.get("format_version") != FORMAT_VERSION:
        rule = f"must be of format {FORMAT_VERSION}, which this version reads"
        found = data.get("format_version")
        hint = "read it with the churnsim that wrote it, or run the scenario again"
        raise StorageError(Problem(rule, str(path), value=found, hint=hint))
    known = {key: value for key, value in data.items() if key != "digest"}
    try:
        is_whole = sealed(known) == raw
    except (ValueError, RecursionError):
        is_whole = False
    if not is_whole:
        _damaged(path)
    if any(not isinstance(data.get(key), kind) for key, kind in _TYPES.items()):
        _damaged(path)
    return Manifest(place, *(data[key] for key in _TYPES))


def _damaged(path: Path) -> NoReturn:
    rule = "must be as churnsim wrote it: it was changed or cut"
    hint = "run the scenario again to get results that can be trusted"
    raise StorageError(Problem(rule, str(path), hint=hint)) from None
