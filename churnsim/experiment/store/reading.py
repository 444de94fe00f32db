"""Reading kept results back: whole, undamaged, and of a form that is known here."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from churnsim.errors import ChurnsimError, InputError, Problem, StorageError
from churnsim.experiment.posterior import Uncertain, posterior_of
from churnsim.experiment.run_document import DOCUMENT_VERSION
from churnsim.experiment.store.manifest import Manifest, read_manifest
from churnsim.experiment.store.writing import DOCUMENT, POSTERIOR, SCENARIO
from churnsim.scenario import Scenario, load_scenario
from churnsim.storage import read_bytes, sha256, versions
from churnsim.streams import STREAM_VERSION

RESTORE = "put it back from a copy, or run the scenario again with --out"
AGAIN = "run the scenario again with --out to get results that this version reads"


def read_results(folder: str | Path) -> dict[str, Any]:
    """Return the document of a folder of results: what `to_json_dict` returned.

    Raises:
        InputError: There is no such folder, or it holds no results.
        StorageError: They cannot be read, are damaged, or are of another version.
    """
    known = read_manifest(folder)
    path = known.folder / DOCUMENT
    document: dict[str, Any] = json.loads(kept_bytes(known, DOCUMENT))
    if document.get("document_version") != DOCUMENT_VERSION:
        rule = f"must be of version {DOCUMENT_VERSION}, which this version reads"
        found = document.get("document_version")
        raise StorageError(Problem(rule, str(path), value=found, hint=AGAIN))
    return document


def kept_bytes(known: Manifest, name: str) -> bytes:
    """Return the content of one of the files of results.

    Raises:
        StorageError: It is not there, cannot be read, or is not as it was written.
    """
    path = known.folder / name
    if name not in known.files:
        rule = "must be among the results; an older version wrote them without it"
        raise StorageError(Problem(rule, str(path), hint=AGAIN))
    if path.is_symlink() or not path.is_file():
        rule = "must be there: the results are not whole"
        raise StorageError(Problem(rule, str(path), hint=RESTORE))
    raw = read_bytes(path)
    if sha256(raw) != known.files[name]:
        rule = "must be as churnsim wrote it: it was changed or cut"
        raise StorageError(Problem(rule, str(path), hint=RESTORE))
    return raw


def damages(known: Manifest) -> Iterator[str]:
    """Yield what is wrong with the files of a folder of results."""
    for name, digest in known.files.items():
        path = known.folder / name
        if Path(name).name != name or path.is_symlink() or not path.is_file():
            yield f"{name} is missing"
        elif sha256(read_bytes(path)) != digest:
            yield f"{name} was changed since it was written"


def doubts(folder: str | Path) -> tuple[str, ...]:
    """Return why results that can be read may be of two kinds, or not come out again.

    Raises:
        InputError: There is no such folder, or it holds no results.
        StorageError: The manifest is damaged, or of another version.
    """
    known = read_manifest(folder)
    return (*other_versions(known, ("churnsim",)), *damages(known))


def other_versions(
    known: Manifest, names: Collection[str] | None = None
) -> Iterator[str]:
    """Yield what was of another version where the results were made.

    Args:
        known: Of the results.
        names: Of what computes; all of it where absent.
    """
    now = versions()
    for name, version in known.versions.items():
        if (names is None or name in names) and now.get(name) != version:
            yield f"{name} is {now.get(name, 'absent')} here, was {version}"
    if known.stream_version != STREAM_VERSION:
        yield (
            f"random streams are version {STREAM_VERSION} here, were "
            f"{known.stream_version}: results must differ"
        )


def kept_scenario(known: Manifest) -> Scenario:
    """Return the scenario that was run, under the name that it had.

    Raises:
        StorageError: It cannot be simulated here, or means something else by now.
    """
    try:
        scenario = load_scenario(known.folder / SCENARIO)
    except ChurnsimError as error:
        rule = f"{SCENARIO} cannot be simulated here: {error}"
        raise StorageError(Problem(rule, str(known.folder))) from None
    if scenario.digest != known.scenario.get("digest"):
        rule = f"{SCENARIO} means something else to this version of churnsim"
        if scenario.log_digest != known.scenario.get("log_digest"):
            rule = "the log of transactions has changed since"
        raise StorageError(Problem(rule, str(known.folder)))
    return replace(scenario, name=str(known.scenario.get("name")))


def kept_uncertain(known: Manifest, scenario: Scenario) -> Uncertain | None:
    """Return the scenario with the draws that its replications were run under.

    None where nothing was drawn.

    Args:
        known: Of the results.
        scenario: That was run.

    Raises:
        StorageError: The posterior is not as it was written.
    """
    if POSTERIOR not in known.files:
        return None
    source = str(known.folder / POSTERIOR)
    try:
        posterior = posterior_of(kept_bytes(known, POSTERIOR), source)
    except InputError as error:
        raise StorageError(*error.problems) from None
    document = json.loads(kept_bytes(known, DOCUMENT))
    changed = tuple(document["posterior"]["changed"])
    return Uncertain(posterior, scenario, None, changed, source)
