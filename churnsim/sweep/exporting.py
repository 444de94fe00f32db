"""A sweep's rows as one file, for programs that read no folder of Parquet."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from churnsim.experiment.store.tables import guarded
from churnsim.storage import sync_folder, told
from churnsim.sweep.rows import schema_of

if TYPE_CHECKING:
    from churnsim.sweep.store.reading import Finished

PARQUET = ".parquet"


def export_rows(finished: Finished, file: Path) -> int:
    """Write all rows as CSV, or as Parquet where the name ends so; return how many.

    One chunk at a time is in memory; the file is there whole or not at all.

    Raises:
        StorageError: A chunk is damaged, or the file cannot be written.
    """
    beside = file.with_name(f"{file.name}.tmp")
    with told(file):
        try:
            write = _parquet if file.suffix.lower() == PARQUET else _csv
            n_rows = write(finished, beside)
            beside.replace(file)
            sync_folder(file.absolute().parent)
        finally:
            beside.unlink(missing_ok=True)
    return n_rows


def _csv(finished: Finished, file: Path) -> int:
    """Write CSV in which no text can act as a formula."""
    n_rows = 0
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        names = schema_of(finished.sweep).names
        writer.writerow([guarded(name) for name in names])
        for batch in finished.batches():
            columns = [column.to_pylist() for column in batch.columns]
            for row in zip(*columns, strict=True):
                writer.writerow([guarded(value) for value in row])
            n_rows += batch.num_rows
        _sync(out)
    return n_rows


def _parquet(finished: Finished, file: Path) -> int:
    n_rows = 0
    schema = schema_of(finished.sweep)
    with (
        file.open("wb") as out,
        pq.ParquetWriter(
            out, schema, compression="zstd", write_page_checksum=True
        ) as writer,
    ):
        for batch in finished.batches():
            writer.write_batch(batch)
            n_rows += batch.num_rows
    with file.open("rb+") as whole:
        _sync(whole)
    return n_rows


def _sync(out: io.IOBase) -> None:
    out.flush()
    os.fsync(out.fileno())
