"""Tables that a command writes beside its answer: CSV, Parquet or Markdown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from churnsim.cli.check import check_ending, check_new, write_new

if TYPE_CHECKING:
    import pyarrow as pa

CSV, PARQUET, MARKDOWN = ".csv", ".parquet", ".md"
TABLES = (CSV, PARQUET, MARKDOWN)


def check_table(option: str, file: Path, *, force: bool) -> None:
    """Refuse before the work a table that could not be written after it.

    Args:
        option: That the file was given with.
        file: Its ending says as what it is written; a pipe or device gets CSV.
        force: It may be there already.

    Raises:
        InputError: No kind of file that can be written, there already, or its folder
            is not there.
    """
    if file.is_file() or file.is_dir() or not file.exists():
        check_ending(option, file, TABLES)
    check_new(file, force=force)


def write_table(file: Path, table: pa.Table, *, force: bool) -> None:
    """Write a table as what the file's ending says, whole or not at all.

    Raises:
        InputError: It is there, and `force` is not given.
        StorageError: It cannot be written.
    """
    from churnsim.experiment.store import csv_text, markdown_text, parquet_bytes

    writers: dict[str, Callable[[pa.Table], str | bytes]] = {
        PARQUET: parquet_bytes,
        MARKDOWN: markdown_text,
    }
    write = writers.get(file.suffix.lower(), csv_text)
    write_new(file, write(table), force=force)
