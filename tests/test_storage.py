"""What results on disk have in common: tables as they are read back."""

import io
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churnsim.storage import parquet_table

ROOT = Path(__file__).parent.parent
COUNTED = """
import os, sys
from churnsim.storage import parquet_table
import pyarrow, pyarrow.parquet
tasks = lambda: len(os.listdir("/proc/self/task"))
before = tasks()
assert parquet_table(sys.stdin.buffer.read()).num_rows == 1000
print(tasks() - before)
"""


def file_of(table: pa.Table) -> bytes:
    """Return a table as a file whose pages carry checksums."""
    out = io.BytesIO()
    pq.write_table(table, out, compression="none", write_page_checksum=True)
    return out.getvalue()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="Linux counts threads")
def test_parquet_table__begins_no_thread() -> None:
    """Whoever reads results back has no thread to wait for at exit."""
    raw = file_of(pa.table({"a": list(range(1000)), "b": [0.5] * 1000}))
    found = subprocess.run(
        [sys.executable, "-c", COUNTED],
        cwd=ROOT,
        input=raw,
        capture_output=True,
        check=True,
    )
    assert found.stdout == b"0\n"


def test_parquet_table__compares_checksums() -> None:
    """A bit that flipped in a page is an error, never another number."""
    table = pa.table({"a": [3**33 + n for n in range(100)]})
    raw = bytearray(file_of(table))
    assert parquet_table(bytes(raw), ["a"]).equals(table)
    place = raw.index((3**33 + 50).to_bytes(8, "little"))
    raw[place] ^= 1
    with pytest.raises(OSError, match="CRC checksum verification failed"):
        parquet_table(bytes(raw))
