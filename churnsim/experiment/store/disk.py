"""Writing so that it survives a loss of power, and what to say where it cannot be."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from churnsim.errors import InputError, Problem, StorageError


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
