"""One store out of the shards of a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from churnsim.errors import InputError, Problem
from churnsim.storage import read_bytes
from churnsim.sweep.store import ledger
from churnsim.sweep.store.chunks import path_of, twice
from churnsim.sweep.store.manifest import (
    SCENARIO,
    SWEEP,
    read_sweep_manifest,
)
from churnsim.sweep.store.reading import Status, kept_chunk, status_of
from churnsim.sweep.store.writing import Made, open_store


def merge_stores(folder: str | Path, parts: Sequence[str | Path]) -> Status:
    """Put what shards hold into one store; what is there already stays.

    Args:
        folder: Of the whole; made if it is not there.
        parts: Stores of the same sweep.

    Raises:
        InputError: They are not of one sweep, or not made by one version.
        StorageError: One is damaged, two hold the same chunk differently, or the whole
            cannot be written.
    """
    places = [Path(part) for part in parts]
    manifests = [read_sweep_manifest(place) for place in places]
    first = manifests[0]
    for place, manifest in zip(places, manifests, strict=True):
        if different := manifest.differences(first):
            rule = f"must be of the same sweep as {places[0]}: {'; '.join(different)}"
            raise InputError(Problem(rule, str(place)))
    whole = first._replace(shard=[1, 1], files={})
    files = {name: read_bytes(places[0] / name) for name in (SWEEP, SCENARIO)}
    with open_store(folder, whole, files) as store:
        for place, manifest in zip(places, manifests, strict=True):
            for chunk, line in sorted(ledger.read_ledger(place).items()):
                if chunk in store.lines and store.lines[chunk].sha256 == line.sha256:
                    continue
                data = kept_chunk(place, manifest, line)
                if chunk in store.lines:
                    raise twice(path_of(place, manifest, chunk))
                store.keep(chunk, Made(data, line.n_rows, line.n_failed, line.seconds))
        return status_of(store.folder, store.manifest, store.lines)
