"""The ledger of a store: a line for each chunk that is whole, appended and synced.

A line is cut or mixed up only where the machine stopped while it was written. Each
carries a checksum, so the last line is then known to be no line, and is taken off.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from churnsim.errors import Problem, StorageError

NAME = "ledger.txt"
_AGAIN = "again"  # in place of a digest: the chunk is to be made once more


class Line(NamedTuple):
    """What is known of a chunk."""

    chunk: int
    sha256: str  # of its file
    n_rows: int
    n_failed: int  # points
    n_bytes: int
    seconds: float  # that making it took; not part of the results


def again(chunk: int) -> Line:
    """Return the line that says that a chunk does not count any more."""
    return Line(chunk, _AGAIN, 0, 0, 0, 0.0)


def read_ledger(folder: Path) -> dict[int, Line]:
    """Return the line of each chunk that is whole, the latest one where it has several.

    Raises:
        StorageError: It cannot be read, or another line than the last is damaged.
    """
    lines, _ = _read(folder / NAME)
    return _latest(lines)


def mend_ledger(folder: Path) -> dict[int, Line]:
    """Return the same, with a last line that is none taken off the file.

    Raises:
        StorageError: It cannot be read, or another line than the last is damaged.
    """
    path = folder / NAME
    lines, length = _read(path)
    if path.exists() and path.stat().st_size > length:
        with path.open("r+b") as file:
            file.truncate(length)
            os.fsync(file.fileno())
    return _latest(lines)


def append(folder: Path, line: Line) -> None:
    """Add a line, so that it survives a loss of power from here on.

    What could not be written whole, for want of space, is taken off again.
    """
    path = folder / NAME
    with path.open("ab") as file:
        length = file.tell()
        try:
            file.write(_bytes(line))
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            os.truncate(path, length)
            raise


def _latest(lines: Iterable[Line]) -> dict[int, Line]:
    known: dict[int, Line] = {}
    for line in lines:
        if line.sha256 == _AGAIN:
            known.pop(line.chunk, None)
        else:
            known[line.chunk] = line
    return known


def _read(path: Path) -> tuple[list[Line], int]:
    """Return the lines, and the length of what is whole [bytes]."""
    try:
        raw = path.read_bytes() if path.exists() else b""
    except OSError as error:
        rule = f"must be a file that can be read ({error.strerror})"
        raise StorageError(Problem(rule, str(path))) from None
    lines: list[Line] = []
    length = 0
    parts = raw.splitlines(keepends=True)
    for number, part in enumerate(parts, 1):
        line = _line(part)
        if line is None:
            if number < len(parts):
                rule = "must be as churnsim wrote it: it was changed"
                hint = "put it back from a copy, or sweep into another folder"
                raise StorageError(Problem(rule, str(path), number, hint=hint))
            break
        lines.append(line)
        length += len(part)
    return lines, length


def _bytes(line: Line) -> bytes:
    text = json.dumps(line._asdict(), separators=(",", ":"))
    return f"{zlib.crc32(text.encode()):08x} {text}\n".encode()


def _line(raw: bytes) -> Line | None:
    """Return the line that some bytes are; None where they are none."""
    check, _, text = raw.partition(b" ")
    if not text.endswith(b"\n") or check != b"%08x" % zlib.crc32(text[:-1]):
        return None
    return Line(**json.loads(text))
