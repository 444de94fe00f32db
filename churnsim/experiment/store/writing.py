"""Writing a folder of results: beside its place first, then moved there in one step."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from churnsim.errors import ChurnsimError, InputError, Problem, StorageError
from churnsim.experiment.posterior.reading import posterior_text
from churnsim.experiment.store import manifest
from churnsim.experiment.store.markdown import markdown_text
from churnsim.experiment.store.tables import SMALL, csv_text, parquet_bytes, tables_of
from churnsim.storage import sealed, sync_folder, told, write_synced

if TYPE_CHECKING:
    from churnsim.experiment.comparison import Comparison

SCENARIO = "scenario.toml"
DOCUMENT = "results.json"
POSTERIOR = "posterior.json"  # only where settings are drawn

_EXTRA = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}\.[a-z0-9]{1,8}")


def write_results(
    comparison: Comparison,
    folder: str | Path,
    *,
    force: bool = False,
    extras: Mapping[str, str] | None = None,
    command: str = "",
) -> Path:
    """Write a comparison's tables, document, scenario and manifest; return the folder.

    Whatever interrupts it, the folder is there whole or not at all. No name of a
    policy or scenario becomes part of a path.

    Args:
        comparison: What is kept.
        folder: Made if it is not there; must be empty otherwise.
        force: Replace results that stand there, and nothing else.
        extras: Texts kept beside the tables, such as a report, by file name.
        command: What makes the same numbers again, kept in the document.

    Raises:
        InputError: The folder is not empty, or is no folder.
        StorageError: It is a link or another user's, or cannot be written.
    """
    place = Path(folder)
    check_place(place, force=force)
    files = {SCENARIO: comparison.scenario.to_toml().encode()}
    if comparison.uncertain is not None:
        files[POSTERIOR] = posterior_text(comparison.uncertain.posterior).encode()
    document = comparison.to_json_dict(command)
    files[DOCUMENT] = f"{json.dumps(document, indent=1, allow_nan=False)}\n".encode()
    for name, table in tables_of(comparison).items():
        files[f"{name}.csv"] = csv_text(table).encode()
        files[f"{name}.parquet"] = parquet_bytes(table)
        if name in SMALL:
            files[f"{name}.md"] = markdown_text(table).encode()
    for name, text in (extras or {}).items():
        if not _EXTRA.fullmatch(name) or name in (*files, manifest.NAME):
            rule = 'must be a free file name such as "report.html"'
            raise InputError(Problem(rule, field="extras", value=name))
        files[name] = text.encode()
    # Last, so that a folder with a manifest is a folder with everything.
    files[manifest.NAME] = sealed(manifest.manifest_of(comparison, files))
    with told(place):
        parent = place.absolute().parent
        parent.mkdir(parents=True, exist_ok=True)
        beside = parent / f".{place.absolute().name[:80]}.{secrets.token_hex(6)}"
        try:
            _write_all(beside, files)
            _move(beside, place)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return place


def check_place(place: Path, *, force: bool = False) -> None:
    """Refuse a folder that results may not be written to: worth asking before a run.

    Raises:
        InputError: It is not empty, or is no folder.
        StorageError: It is a link, another user's, or cannot be written to.
    """
    with told(place):
        if place.is_symlink():
            rule = "must be a folder itself, not a link to one"
            raise StorageError(Problem(rule, str(place), hint="name its target"))
        _check_writable(place)
        if not place.exists():
            return
        if not place.is_dir():
            raise InputError(Problem("must be a folder", str(place)))
        if hasattr(os, "getuid") and place.stat().st_uid != os.getuid():
            raise StorageError(Problem("must be your own folder", str(place)))
        names = sorted(path.name for path in place.iterdir())
    if names:
        _check_replaceable(place, names, force=force)


def _check_writable(place: Path) -> None:
    """Refuse a folder that could not be made, or not be replaced.

    Raises:
        StorageError: It is read-only, or the folder that it lies in is.
    """
    above = place.absolute().parent
    while not above.exists():
        above = above.parent
    for folder in (place, above):
        if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            rule = "must be writable; it is read-only"
            hint = "make it writable or name another folder"
            raise StorageError(Problem(rule, str(folder), hint=hint))


def _check_replaceable(place: Path, names: list[str], *, force: bool) -> None:
    """Refuse to replace anything but results, and those unless forced."""
    try:
        known = manifest.read_manifest(place)
    except ChurnsimError:
        rule = f"must be empty or not there yet; it holds {names[0]}"
        raise InputError(Problem(rule, str(place), hint="name another")) from None
    others = [name for name in names if name not in {*known.files, manifest.NAME}]
    if others:
        rule = f"must hold nothing but results; it holds {others[0]} too"
        raise InputError(Problem(rule, str(place), hint="name another"))
    if not force:
        scenario, seed = known.scenario.get("name"), known.seed
        rule = f"must be empty; it holds results of {scenario} with seed {seed}"
        hint = "name another, or say that they may be replaced"
        raise InputError(Problem(rule, str(place), hint=hint))


def _write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files so that they survive a loss of power from here on."""
    folder.mkdir()
    for name, data in files.items():
        write_synced(folder / name, data)
    sync_folder(folder)


def _move(beside: Path, place: Path) -> None:
    """Put a whole folder in its place, and what stood there away.

    Whatever comes between, Ctrl-C among it, one of the two stands in the place.
    """
    old = beside.with_name(f"{beside.name}.old")
    try:
        if place.exists():
            place.rename(old)
        beside.rename(place)
        sync_folder(place.absolute().parent)
    finally:
        if old.exists() and not place.exists():
            old.rename(place)
        elif old.exists():
            shutil.rmtree(old)
