"""A table of a file in record batches, so that no more than one is in memory."""

import csv
import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.data.mapping import COLUMNS, REQUIRED, Mapping
from churnsim.data.records import LINES_SHOWN, Dropped
from churnsim.errors import shown
from churnsim.fit.problems import Problems, TransactionError
from churnsim.fit.rows import LINE_BYTES_MAX, detect_layout
from churnsim.scenario.files import close_to

BLOCK_BYTES: Final = 4 * 1024**2  # of text, parsed at once
BATCH_ROWS: Final = 65_536  # of Parquet, read at once
WIDTH: Final = "with more or fewer fields than the header"

_HASH_BYTES: Final = 1024**2
_DELIMITERS: Final = ",;\t|"
_HEADER_SHOWN: Final = 10


class Source(NamedTuple):
    """A file that was looked through once, before its rows are read."""

    path: Path
    is_parquet: bool
    header: tuple[str, ...]
    delimiter: str  # "" of Parquet
    sha256: str
    n_lines: int  # of text, or rows of Parquet and one more

    def unit(self, n_read: int) -> str:
        """Return what the places of rows are numbers of: "line" or "row".

        Where a quoted field runs over lines, rows are no lines; the header is row 1.

        Args:
            n_read: Rows read, whatever became of them.
        """
        is_lines = not self.is_parquet and n_read + 1 == self.n_lines
        return "line" if is_lines else "row"


class Tally:
    """Counts rows by reason, and keeps the places of the first ones."""

    def __init__(self) -> None:
        """Start empty."""
        self.counts: dict[str, int] = {}
        self._first: dict[str, list[int]] = {}

    def add(self, reason: str, rows: NDArray[np.int64]) -> None:
        """Count rows that stand at `rows`."""
        if not len(rows):
            return
        self.counts[reason] = self.counts.get(reason, 0) + len(rows)
        if len(rows) > LINES_SHOWN:
            rows = np.partition(rows, LINES_SHOWN)[:LINES_SHOWN]
        known = self._first.get(reason, [])
        self._first[reason] = sorted([*known, *rows.tolist()])[:LINES_SHOWN]

    def first(self, reason: str) -> list[int]:
        """Return where the first rows of a reason stand."""
        return self._first.get(reason, [])

    def groups(self) -> tuple[Dropped, ...]:
        """Return all reasons, the most frequent first."""
        order = sorted(self.counts, key=lambda reason: (-self.counts[reason], reason))
        return tuple(
            Dropped(reason, self.counts[reason], tuple(self._first[reason]))
            for reason in order
        )


class Batch(NamedTuple):
    """Some rows: the columns asked for by our names, and where the rows stand."""

    columns: dict[str, Any]  # Arrow arrays: text, of Parquet also moments
    rows: NDArray[np.int64]  # from 1, the header counted


def look_through(path: Path, problems: Problems) -> Source:
    """Return what a file is, from one pass over its bytes.

    Raises:
        TransactionError: It is no file, empty, or no table.
    """
    try:
        if not path.is_file():
            found = "a folder or device" if path.exists() else "no such file"
            rule = f"the data must be in a file; got {found}"
            raise problems.refuse(rule, "check the path")
        digest, n_lines, last = hashlib.sha256(), 0, b"\n"
        with path.open("rb") as file:
            while block := file.read(_HASH_BYTES):
                digest.update(block)
                n_lines += block.count(b"\n")
                last = block[-1:]
        n_lines += last != b"\n"
        if not n_lines:
            raise problems.refuse(
                "the data must have a header and rows; got an empty file",
                "name the columns in a first line, and add a row per event",
            )
        is_parquet = detect_layout(path) == "parquet"
        if is_parquet:
            header, n_lines = _parquet_header(path, problems)
            delimiter = ""
        else:
            header, delimiter = _text_header(path, problems)
    except (OSError, ValueError) as error:
        if isinstance(error, TransactionError):
            raise
        reason = getattr(error, "strerror", None) or error
        rule = f"the data must be in a file that can be read ({reason})"
        raise problems.refuse(rule, "check the path") from None
    problems.unit = "row" if is_parquet else "line"
    return Source(path, is_parquet, header, delimiter, digest.hexdigest(), n_lines)


def find_columns(
    source: Source, mapping: Mapping, layout: str, problems: Problems
) -> dict[str, int]:
    """Return where each of our columns that the file has stands.

    A column that the mapping names must be there. Any other is found by its own name or
    a usual one, without case, blanks and hyphens as underscores.

    Raises:
        TransactionError: One is missing, or two could be meant.
    """
    at: dict[str, int] = {}
    for ours in COLUMNS[layout]:
        own = mapping.columns.get(ours)
        places = _places(source.header, ours, layout, mapping.columns.get(ours))
        if len(places) == 1:
            at[ours] = places[0]
        elif places:
            rule = f"one column must hold the {ours}; got {len(places)} of that name"
            problems.add(0, rule, "name them differently", source.header[places[0]])
        elif own is not None or ours in REQUIRED[layout]:
            told = ", ".join(shown(name) for name in source.header[:_HEADER_SHOWN])
            if len(source.header) > _HEADER_SHOWN:
                told += f" and {len(source.header) - _HEADER_SHOWN:,} more"
            meant = close_to(own or ours, source.header)
            cure = meant or f"map it: --column {ours}=NAME"
            what = shown(own) if own is not None else f"for {ours}"
            problems.add(0, f"column {what} is missing; got {told}", cure)
    for ours in sorted(mapping.columns.keys() - COLUMNS[layout].keys()):
        known = ", ".join(COLUMNS[layout])
        rule = f"a column of the layout {layout} must be one of {known}"
        problems.add(0, rule, close_to(ours, COLUMNS[layout]), ours)
    problems.raise_if_any()
    return at


def batches(
    source: Source, at: dict[str, int], faulty: Tally, problems: Problems
) -> Iterator[Batch]:
    """Yield the rows of a file; those of another width are counted as faulty.

    Raises:
        TransactionError: The file cannot be read on.
    """
    import pyarrow as pa

    read = _parquet_batches if source.is_parquet else _text_batches
    try:
        yield from read(source, at, faulty)
    except (pa.ArrowException, OSError, OverflowError, ValueError) as error:
        if isinstance(error, TransactionError):
            raise
        if not source.is_parquet:
            _check_text(source.path, problems)
        reason = str(error).partition("\n")[0]
        kind = "Parquet" if source.is_parquet else "CSV"
        raise problems.refuse(
            f"the data must be readable as {kind} ({reason})",
            f"write it again as {kind}, in UTF-8, with one row per event",
        ) from None


def without_blank(batch: Batch) -> Batch:
    """Return a batch without the rows that are empty in all columns that are read."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_blank = np.ones(len(batch.rows), dtype=np.bool_)
    for column in batch.columns.values():
        is_text = pa.types.is_string(column.type)
        empty = pc.equal(column, "") if is_text else pc.is_null(column)
        is_blank &= np.asarray(empty)
    if not is_blank.any():
        return batch
    left = pa.array(~is_blank)
    columns = {name: column.filter(left) for name, column in batch.columns.items()}
    return Batch(columns, batch.rows[~is_blank])


def _places(
    header: tuple[str, ...], ours: str, layout: str, own: str | None
) -> list[int]:
    """Return where a column stands: of the name given, or of one that is usual."""
    names = [_plain(name) for name in header]
    if own is not None:
        exactly = [i for i, name in enumerate(header) if name == own]
        return exactly or [i for i, name in enumerate(names) if name == _plain(own)]
    for usual in COLUMNS[layout][ours]:
        if usual in names:
            return [i for i, name in enumerate(names) if name == usual]
    return []


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().casefold())


def _text_header(path: Path, problems: Problems) -> tuple[tuple[str, ...], str]:
    """Return the names of the columns of a text file, and what parts them."""
    with path.open("rb") as file:
        raw = file.readline(LINE_BYTES_MAX + 1)
    try:
        first = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise problems.refuse(
            f"text must be UTF-8; got byte 0x{raw[error.start]:02x} "
            f"at column {error.start + 1}",
            "give a CSV file in UTF-8, or a Parquet file",
            1,
        ) from None
    if len(raw) > LINE_BYTES_MAX or not first.strip() or "\0" in first:
        raise problems.refuse(
            "the data must begin with a line that names the columns",
            "give a CSV file in UTF-8, or a Parquet file",
            1,
        )
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        cells = next(csv.reader(io.StringIO(first), delimiter=delimiter, strict=True))
    except csv.Error as error:
        rule = f"the data must be readable as CSV ({error})"
        raise problems.refuse(rule, "write it again as CSV", 1) from None
    return tuple(" ".join(cell.split()) for cell in cells), delimiter


def _check_text(path: Path, problems: Problems) -> None:
    """Refuse a file by its first line that is no UTF-8, which Arrow does not name."""
    number = 0
    with path.open("rb") as file:
        while raw := file.readline(LINE_BYTES_MAX):
            number += 1
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError as error:
                raise problems.refuse(
                    f"text must be UTF-8; got byte 0x{raw[error.start]:02x} "
                    f"at column {error.start + 1}",
                    "save the file as UTF-8",
                    number,
                ) from None


def _parquet_header(path: Path, problems: Problems) -> tuple[tuple[str, ...], int]:
    """Return the names of the columns of a Parquet file, and its rows and one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = tuple(str(name) for name in file.schema_arrow.names)
            return names, int(file.metadata.num_rows) + 1
    except (pa.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        rule = f"the data must be readable as Parquet ({reason})"
        raise problems.refuse(rule, "write it again as Parquet") from None


def _text_batches(source: Source, at: dict[str, int], faulty: Tally) -> Iterator[Batch]:
    import pyarrow as pa
    import pyarrow.csv

    skipped: list[int] = []

    def skip(row: Any) -> str:
        skipped.append(int(row.number))
        return "skip"

    names = [f"c{i}" for i in range(len(source.header))]
    wanted = {f"c{i}": pa.string() for i in at.values()}
    reader = pyarrow.csv.open_csv(
        source.path,
        # One thread: only so are rows of another width told by their number.
        read_options=pyarrow.csv.ReadOptions(
            use_threads=False, block_size=BLOCK_BYTES, column_names=names, skip_rows=1
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=source.delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=skip,
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=wanted, include_columns=list(wanted), strings_can_be_null=False
        ),
    )
    n_before, n_told = 0, 0  # rows read, rows told
    with reader:
        for batch in reader:
            missing = np.array(skipped, dtype=np.int64)
            faulty.add(WIDTH, missing[n_told:])
            n_told = len(missing)
            rank = np.arange(n_before, n_before + batch.num_rows, dtype=np.int64) + 2
            n_before += batch.num_rows
            order = missing - np.arange(len(missing))
            rows = rank + np.searchsorted(order, rank, side="right")
            columns = {ours: batch.column(f"c{i}") for ours, i in at.items()}
            yield Batch(columns, rows)
    last = np.array(skipped[n_told:], dtype=np.int64)
    faulty.add(WIDTH, last)


def _parquet_batches(source: Source, at: dict[str, int], _: Tally) -> Iterator[Batch]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    def as_told(column: Any) -> Any:
        kind = column.type
        if pa.types.is_dictionary(kind):
            column = column.dictionary_decode()
            kind = column.type
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            return column
        return pc.fill_null(column.cast(pa.string()), "")

    n_before = 0
    with pq.ParquetFile(source.path) as file:
        groups = file.iter_batches(
            batch_size=BATCH_ROWS, columns=[source.header[i] for i in at.values()]
        )
        for batch in groups:
            rows = np.arange(n_before, n_before + batch.num_rows, dtype=np.int64) + 1
            n_before += batch.num_rows
            columns = {
                ours: as_told(batch.column(source.header[i])) for ours, i in at.items()
            }
            yield Batch(columns, rows)
