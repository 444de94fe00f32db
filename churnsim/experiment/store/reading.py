"""Reading kept results back: the document that a comparison was written as."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from churnsim.errors import Problem, StorageError
from churnsim.experiment.comparison import DOCUMENT_VERSION
from churnsim.experiment.store.manifest import read_bytes, read_manifest, sha256
from churnsim.experiment.store.writing import DOCUMENT

AGAIN = "run the scenario again with --out to get results that this version reads"


def read_results(folder: str | Path) -> dict[str, Any]:
    """Return the document of a folder of results: what `to_json_dict` returned.

    Raises:
        InputError: There is no such folder, or it holds no results.
        StorageError: They cannot be read, are damaged, or are of another version.
    """
    known = read_manifest(folder)
    path = known.folder / DOCUMENT
    if DOCUMENT not in known.files:
        rule = "must be among the results; an older version wrote them without it"
        raise StorageError(Problem(rule, str(path), hint=AGAIN))
    if path.is_symlink() or not path.is_file():
        rule = "must be there: the results are not whole"
        raise StorageError(Problem(rule, str(path), hint=AGAIN))
    raw = read_bytes(path)
    if sha256(raw) != known.files[DOCUMENT]:
        rule = "must be as churnsim wrote it: it was changed or cut"
        raise StorageError(Problem(rule, str(path), hint=AGAIN))
    document: dict[str, Any] = json.loads(raw)
    if document.get("document_version") != DOCUMENT_VERSION:
        rule = f"must be of version {DOCUMENT_VERSION}, which this version reads"
        found = document.get("document_version")
        raise StorageError(Problem(rule, str(path), value=found, hint=AGAIN))
    return document
