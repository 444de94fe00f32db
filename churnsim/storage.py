"""What results on disk have in common: whole, sealed, and made to last.

It loads next to nothing, so that a question about a folder is answered at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnsim._version import __version__
from churnsim.errors import InputError, Problem, StorageError

if TYPE_CHECKING:
    import pyarrow as pa

BYTES_MAX = 2**30
LIBRARIES = ("numpy", "numba", "llvmlite", "scipy", "simpy", "pyarrow")


def write_synced(path: Path, data: bytes) -> None:
    """Write a new file so that its content survives a loss of power from here on."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a loss of power from here on."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows cannot, and need not
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def told(place: Path, kept: str = "nothing was kept") -> Iterator[None]:
    """Turn what the system refuses into one line for the user.

    Args:
        place: Is written.
        kept: What of it is kept all the same.
    """
    try:
        yield
    except OSError as error:
        rule = f"must be writable ({error.strerror or error}); {kept}"
        hint = "free space or name another folder"
        raise StorageError(Problem(rule, str(place), hint=hint)) from None
    except ValueError as error:  # a zero byte in the name
        raise InputError(Problem(f"must be a path ({error})", str(place))) from None


def sealed(manifest: Mapping[str, Any]) -> bytes:
    """Return a manifest as the one text that stands for it, sealed by its digest."""
    body = _text(manifest)
    return _text({**manifest, "digest": sha256(body.encode())}).encode()


def read_bytes(path: Path) -> bytes:
    """Return the content of a file of results.

    Raises:
        StorageError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except OSError as error:
        rule = f"must be a file that can be read ({error.strerror})"
        raise StorageError(Problem(rule, str(path))) from None
    if len(data) > BYTES_MAX:
        raise StorageError(Problem("must not be larger than 1 GiB", str(path)))
    return data


def parquet_table(raw: bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the table that a small Parquet file holds, its checksums compared.

    Args:
        raw: The file's content.
        columns: Names of those that are wanted; all where absent.

    Raises:
        ArrowException: It is no such file, or lacks a column.
        OSError: A page is not as its checksum says.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    # It is in memory. Threads that read ahead, which `read_table` begins whatever it is
    # told, would only have to be ended at exit.
    file = pq.ParquetFile(
        pa.BufferReader(raw), pre_buffer=False, page_checksum_verification=True
    )
    names = None if columns is None else list(columns)
    return file.read(columns=names, use_threads=False)


def versions() -> dict[str, str]:
    """Return the versions of all that computes."""
    own = {"churnsim": __version__, "python": sys.version.split()[0]}
    return own | {name: importlib.metadata.version(name) for name in LIBRARIES}


def sha256(data: bytes) -> str:
    """Return the SHA-256 of some bytes, as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def _text(manifest: Mapping[str, Any]) -> str:
    return json.dumps(manifest, indent=1, ensure_ascii=True, allow_nan=False) + "\n"
