"""The rows of a transaction log as they stand in a file: CSV, Parquet or CDNOW."""

import csv
import difflib
import hashlib
import re
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from churnsim.errors import shown
from churnsim.fit.problems import Problems, TransactionError

LAYOUTS: Final = ("auto", "csv", "parquet", "cdnow")
LINE_BYTES_MAX: Final = 1024**2
COLUMNS: Final = {
    "customer": ("customer", "customer_id", "customerid", "client_id", "user_id", "id"),
    "date": ("date", "order_date", "orderdate", "invoice_date", "purchase_date"),
    "amount": ("amount", "value", "revenue", "total", "sales", "spend"),
}

_CDNOW_ROW: Final = re.compile(r"\s*\d+\s+\d+\s+\d{8}\s+\d+\s+\d+\.\d+\s*", re.ASCII)
_PARQUET_MAGIC: Final = b"PAR1"
_BLANK: Final = ("", "", "")
_DELIMITERS: Final = ",;\t"
_BATCH_ROWS: Final = 65_536
_HASH_BYTES: Final = 1024**2

Row: TypeAlias = tuple[int, str, str, str, int]
"""Line, customer, date, amount, hash of the whole row."""


class RawRows(NamedTuple):
    """The rows of a log, each text kept once and numbered by first appearance."""

    lines: NDArray[np.int64]  # where each row stands, from 1, shape (rows,)
    customers: tuple[str, ...]  # distinct labels
    customer: NDArray[np.int64]  # index into customers, shape (rows,)
    dates: tuple[str, ...]  # distinct texts
    date: NDArray[np.int64]  # index into dates, shape (rows,)
    amounts: tuple[str, ...]  # distinct texts
    amount: NDArray[np.int64]  # index into amounts, shape (rows,)
    row_hash: NDArray[np.int64]  # equal for equal rows, shape (rows,)


def detect_layout(path: Path) -> str:
    """Return the layout of a file, told from its first bytes and first row."""
    with path.open("rb") as handle:
        if handle.read(len(_PARQUET_MAGIC)) == _PARQUET_MAGIC:
            return "parquet"
        handle.seek(0)
        first = handle.readline(LINE_BYTES_MAX).decode("utf-8", "replace")
    return "cdnow" if _CDNOW_ROW.fullmatch(first) else "csv"


def read_rows(path: Path, layout: str, problems: Problems) -> tuple[RawRows, str]:
    """Return the rows of a file and its sha256.

    Rows that cannot be told apart into fields are left out and noted in `problems`.

    Raises:
        TransactionError: When reading cannot go on, with all that was found so far.
    """
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        if layout == "parquet":
            while block := handle.read(_HASH_BYTES):
                digest.update(block)
            rows = _encode(_parquet_rows(path, problems))
        else:
            lines = text_lines(handle, digest, problems)
            read = _cdnow_rows if layout == "cdnow" else _csv_rows
            rows = _encode(read(lines, problems))
    return rows, digest.hexdigest()


def _encode(rows: Iterator[Row]) -> RawRows:
    """Return rows with each distinct text replaced by a number."""
    lines, row_hash = array("q"), array("q")
    codes = (array("q"), array("q"), array("q"))
    texts: tuple[dict[str, int], ...] = ({}, {}, {})
    known_customers, known_dates, known_amounts = texts
    add_customer, add_date, add_amount = (code.append for code in codes)
    for line, customer_text, date_text, amount_text, hashed in rows:
        lines.append(line)
        add_customer(known_customers.setdefault(customer_text, len(known_customers)))
        add_date(known_dates.setdefault(date_text, len(known_dates)))
        add_amount(known_amounts.setdefault(amount_text, len(known_amounts)))
        row_hash.append(hashed)
    customer, date, amount = (_as_array(code) for code in codes)
    return RawRows(
        lines=_as_array(lines),
        customers=tuple(texts[0]),
        customer=customer,
        dates=tuple(texts[1]),
        date=date,
        amounts=tuple(texts[2]),
        amount=amount,
        row_hash=_as_array(row_hash),
    )


def _as_array(values: "array[int]") -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def text_lines(
    handle: BinaryIO, digest: "hashlib._Hash", problems: Problems
) -> Iterator[str]:
    """Yield the lines of a UTF-8 file without its byte order mark."""
    number = 0
    while line := handle.readline(LINE_BYTES_MAX + 1):
        number += 1
        digest.update(line)
        if len(line) > LINE_BYTES_MAX:
            raise problems.refuse(
                f"a line must be at most {LINE_BYTES_MAX:,} bytes long",
                "check that this is a text file with one purchase per line",
                number,
            )
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise problems.refuse(
                f"text must be UTF-8; got byte 0x{line[error.start]:02x} "
                f"at column {error.start + 1}",
                "save the file as UTF-8",
                number,
            ) from None


def _csv_rows(lines: Iterator[str], problems: Problems) -> Iterator[Row]:
    """Yield the rows of a file with a header; fields are stripped of blanks."""
    first = next(lines, None)
    if first is None or not first.strip():
        raise problems.refuse(
            "a log must begin with a header; got an empty file or line",
            "name the columns customer, date, amount",
        )
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(_with(first, lines), delimiter=delimiter, strict=True)
    at, width = (0, 0, 0), 0
    try:
        for cells in reader:
            if not width:
                width, at = len(cells), find_columns(cells, problems)
                continue
            if len(cells) != width:
                if not "".join(cells).strip():
                    continue
                problems.add(
                    reader.line_num,
                    f"a row must have {width} fields like the header; got {len(cells)}",
                    f"put fields that hold {delimiter!r} in double quotes",
                )
                continue
            texts = cells[at[0]].strip(), cells[at[1]].strip(), cells[at[2]].strip()
            if texts == _BLANK and not "".join(cells).strip():
                continue
            yield reader.line_num, *texts, hash(tuple(cells))
    except csv.Error as error:
        raise problems.refuse(
            f"the log must be readable as CSV ({error})",
            "write it again as CSV with one purchase per line",
            reader.line_num,
        ) from None


def _with(first: str, rest: Iterator[str]) -> Iterator[str]:
    """Yield the line already taken, then the rest."""
    yield first
    yield from rest


def _cdnow_rows(lines: Iterator[str], problems: Problems) -> Iterator[Row]:
    """Yield rows of master number, sample number, date, number of CDs, amount."""
    for number, line in enumerate(lines, 1):
        cells = line.split()
        if not cells:
            continue
        if len(cells) != 5:
            problems.add(
                number,
                f"a CDNOW row must have 5 fields; got {len(cells)}",
                "write customer, sample number, date, number of CDs, amount",
            )
            continue
        yield number, cells[1], cells[2], cells[4], hash(tuple(cells))


def _parquet_rows(path: Path, problems: Problems) -> Iterator[Row]:
    """Yield the rows of a Parquet file, every value as text, nothing for null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            at = find_columns(names, problems)
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                columns = [as_texts(column) for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    number += 1
                    texts = cells[at[0]], cells[at[1]], cells[at[2]]
                    yield number, *texts, hash(cells)
    except (pa.ArrowException, OSError, OverflowError, ValueError) as error:
        if isinstance(error, TransactionError):
            raise
        reason = str(error).partition("\n")[0]
        raise problems.refuse(
            f"the log must be readable as Parquet ({reason})",
            "write it again",
            number,
        ) from None


def as_texts(column: Any) -> list[str]:
    """Return a column's values as text; moments as their date."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) or pa.types.is_date64(column.type):
        column = column.cast(pa.date32())
    return ["" if value is None else str(value).strip() for value in column.to_pylist()]


def find_columns(header: list[str], problems: Problems) -> tuple[int, int, int]:
    """Return where the columns customer, date and amount stand, in this order.

    Names are compared without case, blanks and hyphens count as underscores. A
    column's own name goes before its synonyms, `id` after all others.

    Raises:
        TransactionError: When a column is missing or two could be meant.
    """
    names = [re.sub(r"[ -]", "_", cell.strip().casefold()) for cell in header]
    places = []
    for column, synonyms in COLUMNS.items():
        found = [i for i, name in enumerate(names) if name in synonyms]
        own = [i for i in found if names[i] == column]
        named = own or [i for i in found if names[i] != "id"] or found
        if len(named) == 1:
            places.append(named[0])
        elif named:
            told = ", ".join(shown(header[i].strip()) for i in named[:5])
            problems.add(
                0,
                f"one column must hold the {column}; got {told}",
                f"name the right one {column}",
            )
        else:
            _note_missing(column, header, names, problems)
    problems.raise_if_any()
    customer, date, amount = places
    return customer, date, amount


def _note_missing(
    column: str, header: list[str], names: list[str], problems: Problems
) -> None:
    """Note that a column is missing, which are there, and which may be meant."""
    told = ", ".join(shown(cell.strip()) for cell in header[:10])
    if len(header) > 10:
        told += f" and {len(header) - 10:,} more"
    near = [
        name
        for synonym in COLUMNS[column]
        for name in difflib.get_close_matches(synonym, names, n=1, cutoff=0.75)
    ]
    meant = f"did you mean {shown(near[0])}? " if near else ""
    problems.add(
        0,
        f"column {column} is missing; got {told}",
        f"{meant}allowed names are {', '.join(COLUMNS[column])}",
    )
