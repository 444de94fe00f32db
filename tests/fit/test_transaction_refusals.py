"""Logs that are refused: one line each, with the rule, the place and the cure."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnsim.fit import TransactionError, read_transactions
from churnsim.fit import rows as rows_module
from churnsim.fit import transactions as transactions_module

HEADER = "customer,date,amount\n"
GOOD = HEADER + "ann,2020-01-01,10\nann,2020-01-11,20\n"
TODAY = dt.date(2020, 6, 1)


def refusal(path: Path, date_format: str = "auto", layout: str = "auto") -> list[str]:
    """Return the lines with which a log is refused."""
    with pytest.raises(TransactionError) as caught:
        read_transactions(path, as_of=TODAY, date_format=date_format, layout=layout)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(caught.value.problems)
    return lines


def refusal_of(
    folder: Path, content: str | bytes, date_format: str = "auto"
) -> list[str]:
    """Return the lines with which this content is refused."""
    path = folder / "log.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return refusal(path, date_format)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a,2020-01-02,-5", 'amount must be above 0; got "-5"; leave out refunds'),
        ("a,2020-01-02,0", 'amount must be above 0; got "0"; leave out refunds'),
        ("a,2020-01-02,-0.0", 'amount must be above 0; got "-0.0"'),
        ("a,2020-01-02,nan", 'amount must be a plain number; got "nan"'),
        ("a,2020-01-02,inf", 'amount must be a plain number; got "inf"'),
        ("a,2020-01-02,$5", 'amount must be a plain number; got "$5"'),
        ("a,2020-01-02,1_000", 'amount must be a plain number; got "1_000"'),
        ("a,2020-01-02,٣", 'amount must be a plain number; got "٣"'),
        ("a,2020-01-02,", 'amount must be a plain number; got ""'),
        ("a,2020-01-02,1e400", 'must be from 0.000001 to 1e+12; got "1e400"'),
        ("a,2020-01-02,1e-9", 'must be from 0.000001 to 1e+12; got "1e-9"'),
        ("a,2020-02-30,5", "date must be a day of the calendar, like 2020-01-31"),
        ("a,yesterday,5", 'like 2020-01-31; got "yesterday"; correct it or leave'),
        ("a,,5", 'like 2020-01-31; got ""'),
        ("a,2020-06-02,5", 'date must not be after 2020-06-01; got "2020-06-02"'),
        (",2020-01-02,5", "customer must not be empty; name the customer"),
        ("a,2020-01-02", "must have 3 fields like the header; got 2"),
        ("a,2020-01-02,5,6", "must have 3 fields like the header; got 4"),
        ('a,2020-01-02,"5"x', "the log must be readable as CSV"),
        ('a,2020-01-02,"5', "the log must be readable as CSV"),
    ],
)
def test_read_transactions__refuses_a_row(tmp_path: Path, row: str, told: str) -> None:
    """The fourth line of the file is named, with what is wrong there."""
    (line,) = refusal_of(tmp_path, GOOD + row)
    assert line.startswith("log.csv:4: ")
    assert told in line


def test_read_transactions__tells_all_mistakes_in_order(tmp_path: Path) -> None:
    """Rows are told by line, whatever is wrong with them."""
    bad = "a,2020-01-02,-5\n,2020-01-02,5\na,2020\na,2020-13-01,7\n"
    lines = refusal_of(tmp_path, GOOD + bad)
    assert [line.split(" ")[0] for line in lines] == [
        f"log.csv:{i}:" for i in range(4, 8)
    ]


def test_read_transactions__counts_mistakes_beyond_twenty(tmp_path: Path) -> None:
    """Of 5,000 bad rows twenty are told and the others counted."""
    lines = refusal_of(tmp_path, HEADER + "a,2020-01-02,-5\n" * 5000)
    assert len(lines) == 21
    assert [line.split(" ")[0] for line in lines[:2]] == ["log.csv:2:", "log.csv:3:"]
    assert lines[-1] == "and 4,980 more"


def test_read_transactions__counts_lines_through_quoted_line_ends(
    tmp_path: Path,
) -> None:
    """A quoted field over two lines and a blank line do not shift the numbers."""
    text = 'customer,date,amount,note\na,2020-01-01,5,"x\ny"\n\nb,2020-01-02,-1,z\n'
    assert refusal_of(tmp_path, text)[0].startswith("log.csv:5: amount")


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (
            "customer,date,amuont",
            'did you mean "amuont"? allowed names are amount, value',
        ),
        ("customer,date", 'column amount is missing; got "customer", "date"'),
        ("costumer,date,amount", 'did you mean "costumer"?'),
        ("4,2020-01-01,29.33", "column customer is missing"),
        ("customer,date,value,total", 'must hold the amount; got "value", "total"'),
        ("customer,date,date,amount", 'must hold the date; got "date", "date"'),
    ],
)
def test_read_transactions__refuses_a_header(
    tmp_path: Path, header: str, told: str
) -> None:
    """The message names what is missing or double, what is there, what may be meant."""
    assert told in refusal_of(tmp_path, f"{header}\n1,2,3\n")[0]


def test_read_transactions__names_every_missing_column(tmp_path: Path) -> None:
    """A file about something else lacks all three."""
    assert len(refusal_of(tmp_path, "height,weight\n1,2\n")) == 3


def test_read_transactions__refuses_a_file_without_purchases(tmp_path: Path) -> None:
    """Nothing at all, blanks, or only a header."""
    assert refusal_of(tmp_path, "")[0].startswith(
        "log.csv: a log must hold purchases; got an empty file; name the columns"
    )
    assert "must begin with a header" in refusal_of(tmp_path, "\n\n")[0]
    assert "must begin with a header" in refusal_of(tmp_path, "\ufeff")[0]
    assert refusal_of(tmp_path, HEADER) == [
        "log.csv: a log must hold purchases; got none; add one row per purchase"
    ]


def test_read_transactions__refuses_two_ways_of_writing_dates(tmp_path: Path) -> None:
    """Both are named with their lines."""
    rows = "a,20200103,5\na,2020-01-04,5\na,20200105,5\n"
    (line,) = refusal_of(tmp_path, GOOD + rows)
    assert line == (
        "log.csv: dates must be written one way; got like 20200131 in lines 4, 6; "
        "like 2020-01-31 in lines 2, 3, 5; unify them"
    )


def test_read_transactions__refuses_days_first_among_months_first(
    tmp_path: Path,
) -> None:
    """31/01/2020 and 01/31/2020 in one log are told apart; many lines are counted."""
    rows = "a,31/01/2020,5\n" + "a,01/31/2020,5\n" * 5 + "a,01/02/2020,5\n"
    (line,) = refusal_of(tmp_path, HEADER + rows)
    assert line == (
        "log.csv: dates must be written one way; got like 31/01/2020 in lines 2; "
        "like 01/31/2020 in lines 3, 4, 5 and 2 more; unify them"
    )


def test_read_transactions__asks_which_of_day_and_month_comes_first(
    tmp_path: Path,
) -> None:
    """Without a number above 12 nothing tells, and the cure is an option."""
    (line,) = refusal_of(tmp_path, HEADER + "a,01/02/2020,5\na,03/04/2020,5\n")
    assert "got none above 12 in lines 2, 3; give --date-format dmy or" in line


@pytest.mark.parametrize(
    ("text", "date_format"),
    [("31/01/2020", "mdy"), ("01/31/2020", "dmy"), ("2020-01-31", "dmy")],
)
def test_read_transactions__holds_dates_to_the_format_given(
    tmp_path: Path, text: str, date_format: str
) -> None:
    """A date written otherwise is refused, not guessed."""
    (line,) = refusal_of(tmp_path, f"{HEADER}a,{text},5\n", date_format)
    assert line.startswith("log.csv:2: date must be a day of the calendar")


def test_read_transactions__refuses_text_that_is_not_utf8(tmp_path: Path) -> None:
    """Latin-1 and UTF-16 are named by line, byte and column."""
    (line,) = refusal_of(
        tmp_path, GOOD.encode() + "José,2020-01-02,5".encode("latin-1")
    )
    assert line == (
        "log.csv:4: text must be UTF-8; got byte 0xe9 at column 4; "
        "save the file as UTF-8"
    )
    assert "got byte 0xff at column 1" in refusal_of(tmp_path, GOOD.encode("utf-16"))[0]


def test_read_transactions__refuses_a_line_without_end(tmp_path: Path) -> None:
    """A line above 1 MiB is no row of a log."""
    (line,) = refusal_of(tmp_path, GOOD + "x" * (rows_module.LINE_BYTES_MAX + 1))
    assert line.startswith("log.csv:4: a line must be at most 1,048,576 bytes long")


def test_read_transactions__refuses_a_huge_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file beyond the limit is refused before it is read."""
    monkeypatch.setattr(transactions_module, "FILE_BYTES_MAX", len(GOOD) - 1)
    assert "must be at most 2 GiB" in refusal_of(tmp_path, GOOD)[0]


def test_read_transactions__refuses_amounts_that_money_cannot_hold(
    tmp_path: Path,
) -> None:
    """A customer's sum must fit 64 bits of micro-units."""
    (line,) = refusal_of(tmp_path, HEADER + "a,2020-01-01,1e12\n" * 10)
    assert 'must add up to at most 9e+12; got 1e+13; got "a"' in line


def test_read_transactions__refuses_what_is_no_file(tmp_path: Path) -> None:
    """A folder and a missing file are told apart."""
    assert "got a folder or device" in refusal(tmp_path)[0]
    assert "got no such file" in refusal(tmp_path / "nothing.csv")[0]
    assert "got no such file" in refusal(tmp_path / "a\0b")[0]
    assert "must be readable (File name too long)" in refusal(tmp_path / ("x" * 300))[0]


def test_read_transactions__refuses_unknown_options(tmp_path: Path) -> None:
    """Layouts and date formats outside the lists are named."""
    path = tmp_path / "log.csv"
    path.write_text(GOOD)
    assert (
        'layout must be one of auto, csv, parquet, cdnow; got "xls"'
        in (refusal(path, layout="xls")[0])
    )
    assert (
        'date format must be one of auto, iso, compact, dmy, mdy; got "ymd"'
        in (refusal(path, date_format="ymd")[0])
    )


def test_read_transactions__refuses_a_window_outside_the_log(tmp_path: Path) -> None:
    """The window ends neither before the first purchase nor in the future."""
    path = tmp_path / "log.csv"
    path.write_text(GOOD)
    with pytest.raises(TransactionError, match="got end 2019-12-31 and first purchase"):
        read_transactions(path, end=dt.date(2019, 12, 31))
    with pytest.raises(TransactionError, match="must end by 2020-06-01; got end"):
        read_transactions(path, end=dt.date(2020, 6, 2), as_of=TODAY)


def test_read_transactions__takes_no_date_after_today(tmp_path: Path) -> None:
    """Without `as_of` the clock decides."""
    path = tmp_path / "log.csv"
    path.write_text(GOOD + "a,9999-01-01,5\n")
    with pytest.raises(TransactionError, match="date must not be after 20"):
        read_transactions(path)


@pytest.mark.parametrize(
    "row", [" 1 2 19970101 1", " 1 2 19970101 1 5.00 x", " 1 2 19971301 1 5.00"]
)
def test_read_transactions__refuses_a_cdnow_row(tmp_path: Path, row: str) -> None:
    """Too few or many fields, or a thirteenth month, on the second line."""
    (line,) = refusal_of(tmp_path, f" 1 1 19970101 1 5.00\n{row}\n")
    assert line.startswith("log.csv:2: ")


def test_read_transactions__names_the_rows_of_parquet(tmp_path: Path) -> None:
    """Rows count from 1; a missing value is an empty one."""
    path = tmp_path / "log.parquet"
    columns = {"customer": ["a", None], "date": ["20200101"] * 2, "amount": [1.0, -2.0]}
    pq.write_table(pa.table(columns), path)
    amount, customer = refusal(path)
    assert amount.startswith('log.parquet: row 2: amount must be above 0; got "-2.0";')
    assert customer.startswith("log.parquet: row 2: customer must not be empty; name")
    pq.write_table(pa.table({"customer": ["a"], "when": ["20200101"]}), path)
    assert len(refusal(path)) == 2


@settings(max_examples=300)
@given(
    st.binary(max_size=300), st.sampled_from([b"", GOOD.encode(), b"PAR1", b" 1 1 "])
)
def test_read_transactions__never_fails_otherwise_on_bytes(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, start: bytes
) -> None:
    """Whatever the bytes, a log is read or refused in lines that can be printed."""
    check(tmp_path_factory, start + content)


FIELDS = st.sampled_from(
    [
        *("a", "", "2020-01-01", "01/02/2020", "13/01/2020", "20200101", "5", "-1"),
        *("nan", '"', "\x00", "\r", "customer", "\u2028", "9" * 70, "1e-320", "1e309"),
    ]
)


@settings(max_examples=300)
@given(st.lists(st.lists(FIELDS, min_size=2, max_size=4), max_size=8))
def test_read_transactions__never_fails_otherwise_on_rows(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    """Whatever the fields under a good header, a log is read or refused."""
    text = HEADER + "\n".join(",".join(row) for row in rows)
    check(tmp_path_factory, text.encode())


@settings(max_examples=150)
@given(st.data())
def test_read_transactions__never_fails_otherwise_on_damaged_parquet(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Some bytes of a good file changed or cut: it is read or refused."""
    sink = pa.BufferOutputStream()
    columns = {"customer": ["a", "b"], "date": ["20200101"] * 2, "amount": [1.0, 2.0]}
    pq.write_table(pa.table(columns), sink)
    content = bytearray(sink.getvalue().to_pybytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(
            st.integers(0, 255)
        )
    check(tmp_path_factory, bytes(content[: data.draw(st.integers(0, len(content)))]))


def check(factory: pytest.TempPathFactory, content: bytes) -> None:
    """Read bytes as a log in every layout; let any error but a refusal through."""
    path = factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(content)
    for layout in ("auto", "csv", "cdnow", "parquet"):
        try:
            log = read_transactions(path, as_of=TODAY, layout=layout)
        except TransactionError as error:
            lines = str(error).splitlines()
            assert 1 <= len(lines) <= 21
            assert all(line.isprintable() for line in lines)
        else:
            assert 1 <= len(log.customers) <= log.n_rows
            assert (log.t_x_days <= log.age_days).all()
