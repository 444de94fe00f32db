"""Tables of survivors and of durations: what is read, and what is refused."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churnsim.fit import TransactionError, read_durations, read_survival


def written(folder: Path, text: str) -> Path:
    """Return a file of this text."""
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_read_survival__reads_counts_by_period(tmp_path: Path) -> None:
    """Columns are found by name, in any order and case; blank lines are skipped."""
    table = read_survival(
        written(tmp_path, "Survivors ;note;Period\n1000;start;0\n869;;1\n\n743;;2\n")
    )
    assert table.survivors.tolist() == [1000, 869, 743]
    assert (table.name, len(table.sha256)) == ("table.csv", 64)


def test_read_survival__reads_parquet(tmp_path: Path) -> None:
    """Numbers of a Parquet file are those of the text; places are rows."""
    path = tmp_path / "table.parquet"
    columns = {"period": [0, 1, 2], "survivors": [10.0, 9.0, 8.5]}
    pq.write_table(pa.table(columns), path)
    with pytest.raises(TransactionError, match="row 3: survivors must be a whole"):
        read_survival(path)
    pq.write_table(pa.table({**columns, "survivors": [10.0, 9.0, 8.0]}), path)
    assert read_survival(path).survivors.tolist() == [10, 9, 8]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "column period is missing; got an empty file or line"),
        ("period,survivors\n", "a table must have rows; got none"),
        ("periods,survivors\n0,1\n", 'column period is missing; got "periods"'),
        ("periods,survivors\n0,1\n", 'did you mean "periods"?'),
        ("period,survivors,period\n0,1,0\n", "must be there once; got it 2 times"),
        ("period,survivors\n0,1000\n2,900\n", "table.csv:3: periods must be 0, 1, 2"),
        ("period,survivors\n1,1000\n2,900\n", "table.csv:2: periods must be 0"),
        (
            "period,survivors\n0,10\n1,9\n2,x\n",
            "csv:4: survivors must be a whole",
        ),
        ("period,survivors\n0,1.0\n1,0.869\n", "multiply shares by the number"),
        ("period,survivors\n0,10\n1,-9\n", 'at least 0; got "-9"'),
        (
            "period,survivors\n0,10\n1,8\n2,9\n",
            "csv:4: survivors must never rise",
        ),
        ("period,survivors\n0,10\n1\n", "a row must have 2 fields like the header"),
        ('period,survivors\n0,"10\n', "the table must be readable as CSV"),
    ],
)
def test_read_survival__refuses_what_is_no_cohort(
    text: str, told: str, tmp_path: Path
) -> None:
    """The rule, the place and the value are told."""
    with pytest.raises(TransactionError) as caught:
        read_survival(written(tmp_path, text))
    assert told in str(caught.value)


def test_read_survival__refuses_what_is_no_file(tmp_path: Path) -> None:
    """A path that leads nowhere, a folder, and bytes that are no Parquet."""
    with pytest.raises(TransactionError, match="must be a file; got no such file"):
        read_survival(tmp_path / "none.csv")
    with pytest.raises(TransactionError, match="got a folder or device"):
        read_survival(tmp_path)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and no more")
    with pytest.raises(TransactionError, match="must be readable as Parquet"):
        read_survival(broken)


CALLS = """call,wait,outcome,answered
1,2.5,Answered,yes
2,1,gave up,no
3,0,answered,1
"""


@pytest.mark.parametrize(
    ("censored", "time", "seen"),
    [
        ("outcome=answered", [2.5, 1.0], [False, True]),
        ("answered", [2.5, 1.0], [False, True]),
        ("outcome = gave up", None, None),
        (None, None, None),
    ],
)
def test_read_durations__tells_what_was_seen_to_its_end(
    censored: str | None,
    time: list[float] | None,
    seen: list[bool] | None,
    tmp_path: Path,
) -> None:
    """A 0 whose end was not seen is left out and told; one that was seen is refused."""
    path = written(tmp_path, CALLS)
    if time is None:
        with pytest.raises(TransactionError, match="csv:4: wait must be above 0"):
            read_durations(path, "wait", censored, float)
        return
    table = read_durations(path, "wait", censored, float)
    assert table.time.tolist() == time
    assert table.is_seen.tolist() == seen
    assert table.warnings == (
        "1 row has a wait of 0 whose end was not seen (left out)",
    )


@pytest.mark.parametrize(
    ("column", "censored", "told"),
    [
        ("wiat", None, 'column wiat is missing; got "call", "wait"'),
        ("wiat", None, 'did you mean "wait"?'),
        ("wait", "outcom", 'did you mean "outcome"?'),
        ("wait", "outcome", "table.csv:2: outcome must be 1 or 0, true or false"),
        ("wait", "outcome", "outcome=VALUE"),
        ("wait", "outcome=answred", 'did you mean "answered"?'),
        ("wait", "outcome=lost", 'it holds "answered", "gave up"'),
        ("outcome", None, "table.csv:2: outcome could not convert"),
    ],
)
def test_read_durations__refuses_columns_that_do_not_say_it(
    column: str, censored: str | None, told: str, tmp_path: Path
) -> None:
    """What is missing or unclear is told, with what may have been meant."""
    with pytest.raises(TransactionError) as caught:
        read_durations(written(tmp_path, CALLS), column, censored, float)
    assert told in str(caught.value)


@pytest.mark.parametrize("text", ["-3", "nan", "inf", "", "soon"])
def test_read_durations__refuses_what_is_no_duration(text: str, tmp_path: Path) -> None:
    """Each line is told, and how many more there are."""
    path = written(tmp_path, "wait,x\n" + f"{text},1\n" * 30)
    with pytest.raises(TransactionError) as caught:
        read_durations(path, "wait", None, float)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("table.csv:2: wait ")
    assert lines[-1] == "and 10 more"
