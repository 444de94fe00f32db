"""Small tables that fits start from: who is left when, and how long something took."""

import csv
import difflib
import hashlib
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.errors import shown
from churnsim.fit.likelihood import FloatArray
from churnsim.fit.problems import Problems, TransactionError
from churnsim.fit.rows import as_texts, detect_layout, text_lines

YES: Final = frozenset({"1", "true", "yes", "y", "t"})
NO: Final = frozenset({"0", "false", "no", "n", "f"})

_DELIMITERS: Final = ",;\t"
_HASH_BYTES: Final = 1024**2
_SHOWN_MAX: Final = 5
_SHARES: Final = "multiply shares by the number of customers at the start"


class SurvivalTable(NamedTuple):
    """How many of a cohort were left after each period."""

    name: str  # file name without folders
    sha256: str  # of the file, 64 hexadecimal digits
    survivors: NDArray[np.int64]  # at the start and after each, shape (periods + 1,)


class DurationTable(NamedTuple):
    """How long something took, of those that say anything of it."""

    name: str  # file name without folders
    sha256: str  # of the file, 64 hexadecimal digits
    time: FloatArray  # [as the reader's `parse` returns it], above 0, shape (n,)
    is_seen: NDArray[np.bool_]  # to its end, shape (n,)
    warnings: tuple[str, ...]  # what was left out, in sentences


class _Columns(NamedTuple):
    """Columns as text, and where their rows stand."""

    texts: dict[str, list[str]]  # by the name asked for
    lines: NDArray[np.int64]  # from 1, shape (rows,)
    sha256: str


def read_survival(path: str | Path) -> SurvivalTable:
    """Return a table of survivors, with the columns period and survivors.

    Args:
        path: A CSV file with a header, or a Parquet file. Periods run from 0, the
            start, without a gap.

    Raises:
        TransactionError: When the table cannot be used, with every mistake in it.
    """
    path = Path(path)
    problems = Problems(path.name)
    columns = _read(path, ("period", "survivors"), problems)
    numbers: dict[str, list[int]] = {}
    for name, texts in columns.texts.items():
        numbers[name] = []
        for line, text in zip(columns.lines.tolist(), texts, strict=True):
            numbers[name].append(_whole(text))
            if numbers[name][-1] < 0:
                hint = "write it like 0" if name == "period" else _SHARES
                rule = f"{name} must be a whole number of at least 0"
                problems.add(line, rule, hint, text)
    problems.raise_if_any()
    for i, period in enumerate(numbers["period"]):
        if period != i:
            raise problems.refuse(
                f"periods must be 0, 1, 2 and so on; got {period} for {i}",
                "begin with the customers at the start, and leave no period out",
                int(columns.lines[i]),
            )
    survivors = np.array(numbers["survivors"], dtype=np.int64)
    for i in (np.flatnonzero(np.diff(survivors) > 0) + 1).tolist():
        problems.add(
            int(columns.lines[i]),
            f"survivors must never rise; got {survivors[i]} after {survivors[i - 1]}",
            "count one cohort only, and nobody who came back",
        )
    problems.raise_if_any()
    return SurvivalTable(path.name, columns.sha256, survivors)


def read_durations(
    path: str | Path,
    column: str,
    censored: str | None,
    parse: Callable[[str], float],
) -> DurationTable:
    """Return the durations in a column, and which were seen to their end.

    A duration of 0 whose end was not seen says nothing and is left out.

    Args:
        path: A CSV file with a header, or a Parquet file.
        column: Name of the column that holds the durations.
        censored: Name of the column that says, by 1 or true or yes, that the end was
            not seen; or "name=value", where one value of a column says so. Without
            it all ends were seen.
        parse: From the text of a duration to a number; raises ValueError.

    Raises:
        TransactionError: When the table cannot be used, with every mistake in it.
    """
    path = Path(path)
    problems = Problems(path.name)
    name, _, value = (censored or "").partition("=")
    columns = _read(path, [column, *([name] if name else [])], problems)
    time = _durations(columns, column, parse, problems)
    is_seen = np.ones(len(time), dtype=np.bool_)
    if name:
        is_seen = ~_marked(columns, name, value.strip(), problems)
    texts = columns.texts[column]
    ends_at_once = np.flatnonzero(is_seen & (time == 0))
    problems.add_each(
        columns.lines[ends_at_once],
        lambda i: (
            f"{column} must be above 0 where its end was seen",
            texts[ends_at_once[i]],
        ),
        "record it finer, or leave the row out",
    )
    problems.raise_if_any()
    says_nothing = ~is_seen & (time == 0)
    n = int(says_nothing.sum())
    rows = "row has" if n == 1 else "rows have"
    told = f"{n:,} {rows} a {column} of 0 whose end was not seen (left out)"
    return DurationTable(
        name=path.name,
        sha256=columns.sha256,
        time=time[~says_nothing],
        is_seen=is_seen[~says_nothing],
        warnings=(told,) if n else (),
    )


def _durations(
    columns: _Columns, column: str, parse: Callable[[str], float], problems: Problems
) -> FloatArray:
    """Return the numbers in a column, at least 0, and note what is none."""
    known: dict[str, float] = {}
    rules: dict[str, str] = {}
    for text in columns.texts[column]:
        if text in known:
            continue
        known[text] = -1.0
        try:
            known[text] = parse(text)
        except ValueError as error:
            rules[text] = str(error).partition("; got ")[0]
    time = np.array([known[text] for text in columns.texts[column]], dtype=np.float64)
    bad = np.flatnonzero(~(np.isfinite(time) & (time >= 0)))
    texts = columns.texts[column]
    problems.add_each(
        columns.lines[bad],
        lambda i: (
            f"{column} {rules.get(texts[bad[i]], 'must be finite and at least 0')}",
            texts[bad[i]],
        ),
        "correct it or leave the row out",
    )
    return time


def _marked(
    columns: _Columns, name: str, value: str, problems: Problems
) -> NDArray[np.bool_]:
    """Return of which rows a column says yes, or holds the value."""
    texts = [text.casefold() for text in columns.texts[name]]
    values = sorted(set(texts))
    told = ", ".join(shown(text) for text in values[:_SHOWN_MAX])
    if value:
        if value.casefold() not in values:
            near = difflib.get_close_matches(value.casefold(), values, n=1)
            hint = f"did you mean {shown(near[0])}?" if near else f"it holds {told}"
            problems.add(0, f"column {name} must hold the value given", hint, value)
        return np.array([text == value.casefold() for text in texts], dtype=np.bool_)
    unclear = [text for text in values if text not in YES | NO]
    if unclear:
        line = int(columns.lines[texts.index(unclear[0])])
        hint = f"say which value means that the end was not seen: {name}=VALUE"
        rule = f"{name} must be 1 or 0, true or false, yes or no"
        problems.add(line, rule, hint, unclear[0])
    return np.array([text in YES for text in texts], dtype=np.bool_)


def _whole(text: str) -> int:
    """Return a whole number of at least 0; −1 for anything else."""
    number = text.removesuffix(".0")
    return int(number) if number.isascii() and number.isdigit() else -1


def _read(path: Path, wanted: Sequence[str], problems: Problems) -> _Columns:
    """Return some columns of a file as text.

    Raises:
        TransactionError: When reading cannot go on, with all that was found so far.
    """
    try:
        if not path.is_file():
            found = "a folder or device" if path.exists() else "no such file"
            raise problems.refuse(
                f"a table must be a file; got {found}", "check the path"
            )
        is_parquet = path.stat().st_size > 0 and detect_layout(path) == "parquet"
        columns = (_read_parquet if is_parquet else _read_csv)(path, wanted, problems)
    except OSError as error:
        reason = error.strerror or str(error)
        raise problems.refuse(
            f"a table must be readable ({reason})", "check the file"
        ) from None
    problems.raise_if_any()
    if not len(columns.lines):
        raise problems.refuse("a table must have rows; got none", "add them")
    return columns


def _read_csv(path: Path, wanted: Sequence[str], problems: Problems) -> _Columns:
    """Return some columns of a CSV file; fields are stripped of blanks."""
    digest, known, numbers = hashlib.sha256(), dict[str, str](), array("q")
    texts: dict[str, list[str]] = {name: [] for name in wanted}
    with path.open("rb") as handle:
        lines = text_lines(handle, digest, problems)
        first = next(lines, "")
        delimiter = max(_DELIMITERS, key=first.count)
        header = next(csv.reader([first], delimiter=delimiter), [])
        at = list(zip(texts.values(), _places(header, wanted, problems), strict=True))
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                line = reader.line_num + 1
                if len(cells) == len(header):
                    numbers.append(line)
                    for column, i in at:
                        text = cells[i].strip()
                        column.append(known.setdefault(text, text))
                elif "".join(cells).strip():
                    rule = f"a row must have {len(header)} fields like the header"
                    problems.add(line, rule, "quote fields with commas", len(cells))
        except csv.Error as error:
            raise problems.refuse(
                f"the table must be readable as CSV ({error})",
                "write it again as CSV",
                reader.line_num + 1,
            ) from None
    return _Columns(texts, np.array(numbers, dtype=np.int64), digest.hexdigest())


def _read_parquet(path: Path, wanted: Sequence[str], problems: Problems) -> _Columns:
    """Return some columns of a Parquet file, every value as text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    problems.unit = "row"
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(_HASH_BYTES):
            digest.update(block)
    try:
        header = pq.read_schema(path).names
        at = _places(header, wanted, problems)
        table = pq.read_table(path, columns=[header[i] for i in at])
        texts = {
            name: as_texts(table.column(header[i]))
            for name, i in zip(wanted, at, strict=True)
        }
    except (pa.ArrowException, OverflowError, ValueError) as error:
        if isinstance(error, TransactionError):
            raise
        reason = str(error).partition("\n")[0]
        raise problems.refuse(
            f"the table must be readable as Parquet ({reason})", "write it again"
        ) from None
    lines = np.arange(1, table.num_rows + 1, dtype=np.int64)
    return _Columns(texts, lines, digest.hexdigest())


def _places(
    header: Sequence[str], wanted: Sequence[str], problems: Problems
) -> list[int]:
    """Return where columns stand; names are compared without case and outer blanks.

    Raises:
        TransactionError: When one is missing or there twice.
    """
    names = [cell.strip().casefold() for cell in header]
    places = []
    for name in wanted:
        found = [i for i, known in enumerate(names) if known == name.strip().casefold()]
        if len(found) == 1:
            places.append(found[0])
            continue
        if found:
            rule = f"column {name} must be there once; got it {len(found)} times"
            problems.add(0, rule, "rename the others")
            continue
        told = ", ".join(shown(cell.strip()) for cell in header[:10])
        near = difflib.get_close_matches(name.strip().casefold(), names, n=1)
        hint = f"did you mean {shown(near[0])}? " if near else ""
        there = f"got {told}" if any(names) else "got an empty file or line"
        problems.add(0, f"column {name} is missing; {there}", hint + "name it so")
    problems.raise_if_any()
    return places
