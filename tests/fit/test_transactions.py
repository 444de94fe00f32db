"""What a log says about its customers, in each layout."""

import datetime as dt
import hashlib
import random
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churnsim.fit import TransactionLog, read_transactions
from churnsim.fit.dates import parse_dates
from churnsim.fit.problems import Problems

LOG = """\
customer,date,amount
ann,2020-01-01,10
bob,2020-01-03,5.50
ann,2020-01-11,20
ann,2020-01-11,4
ann,2020-02-10,6
cy,2020-02-20,7
ann,2020-03-01,9
"""


def write(folder: Path, text: str, name: str = "log.csv") -> Path:
    """Return the path of a new file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def figures(log: TransactionLog) -> dict[str, list[float]]:
    """Return x, t_x, T, mean spend and held-out purchases of each customer."""
    columns = (
        log.x,
        log.t_x_days,
        log.age_days,
        log.mean_repeat_spend,
        log.n_spend,
        log.x_held_out,
    )
    return {
        name: [float(column[i]) for column in columns]
        for i, name in enumerate(log.customers)
    }


def test_read_transactions__sums_up_each_customer(tmp_path: Path) -> None:
    """By hand: a day is one occasion, the first is not counted, T runs to the end."""
    log = read_transactions(write(tmp_path, LOG))
    assert figures(log) == {
        "ann": [3, 60, 60, 13, 3, 0],
        "bob": [0, 0, 58, 0, 0, 0],
        "cy": [0, 0, 10, 0, 0, 0],
    }
    assert (log.first, log.last, log.end) == (
        dt.date(2020, 1, 1),
        dt.date(2020, 3, 1),
        dt.date(2020, 3, 1),
    )
    assert log.first_purchase.astype(str).tolist() == [
        "2020-01-01",
        "2020-01-03",
        "2020-02-20",
    ]
    assert (log.n_rows, log.n_duplicates, log.n_held_out) == (7, 0, 0)
    assert log.warnings == ()


def test_read_transactions__holds_out_what_follows_the_window(tmp_path: Path) -> None:
    """With the window closed on 10 February one purchase and one customer are later."""
    log = read_transactions(write(tmp_path, LOG), end=dt.date(2020, 2, 10))
    assert figures(log) == {"ann": [2, 40, 40, 15, 2, 1], "bob": [0, 0, 38, 0, 0, 0]}
    assert (log.n_held_out, log.n_later_customers) == (2, 1)
    assert log.warnings == ("1 customer first bought after 2020-02-10 (left out)",)


def test_read_transactions__takes_a_window_beyond_the_last_purchase(
    tmp_path: Path,
) -> None:
    """A quiet month at the end makes every customer a month older."""
    short = read_transactions(write(tmp_path, LOG))
    long = read_transactions(write(tmp_path, LOG), end=dt.date(2020, 3, 31))
    assert (long.age_days - short.age_days).tolist() == [30, 30, 30]
    assert np.array_equal(long.x, short.x)


def test_read_transactions__gives_weeks_as_a_seventh_of_days(tmp_path: Path) -> None:
    """Sixty days are 8.57 weeks."""
    log = read_transactions(write(tmp_path, LOG))
    assert log.t_x_weeks.tolist() == [60 / 7, 0, 0]
    assert log.age_weeks.tolist() == [60 / 7, 58 / 7, 10 / 7]


def test_read_transactions__names_the_bytes_it_read(tmp_path: Path) -> None:
    """The digest is the file's, whatever its layout."""
    path = write(tmp_path, LOG)
    parquet = tmp_path / "log.parquet"
    pq.write_table(
        pa.table({"customer": ["a"], "date": ["20200101"], "value": [1]}), parquet
    )
    for file in (path, parquet):
        log = read_transactions(file)
        assert log.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
        assert log.name == file.name


def test_read_transactions__has_no_use_for_the_order_of_rows(tmp_path: Path) -> None:
    """Shuffled rows give the same figures to the last bit."""
    header, *rows = LOG.splitlines()
    expected = figures(read_transactions(write(tmp_path, LOG)))
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        path = write(tmp_path, "\n".join([header, *rows]))
        assert figures(read_transactions(path)) == expected


@pytest.mark.parametrize(
    "text",
    [
        LOG.replace("\n", "\r\n"),
        "\ufeff" + LOG,
        LOG.rstrip("\n"),
        LOG + "\n\n,,\n",
        LOG.replace(",", ";"),
        LOG.replace(",", "\t"),
        LOG.replace("ann", ' "ann"'.strip()),
        LOG.replace(",", " , "),
        LOG.replace("customer,date,amount", "Customer ID,Order-Date,REVENUE"),
        LOG.replace("customer,date,amount", "id,invoice_date,Total"),
    ],
)
def test_read_transactions__reads_what_programs_write(
    tmp_path: Path, text: str
) -> None:
    """Line ends, a byte order mark, delimiters, quotes and column names may differ."""
    expected = figures(read_transactions(write(tmp_path, LOG, "plain.csv")))
    assert figures(read_transactions(write(tmp_path, text))) == expected


def test_read_transactions__takes_a_columns_own_name_before_synonyms(
    tmp_path: Path,
) -> None:
    """With `amount` and `total` it is `amount`; a row's `id` is no customer's."""
    text = (
        "id,customer_id,date,total,amount\n7,a,2020-01-01,99,1\n8,a,2020-01-02,99,2\n"
    )
    log = read_transactions(write(tmp_path, text))
    assert figures(log) == {"a": [1, 1, 1, 2, 1, 0]}


@pytest.mark.parametrize(
    ("first", "second", "date_format"),
    [
        ("2020-01-31", "2020-02-03", "auto"),
        ("2020-01-31T23:59:59.5Z", "2020-02-03 00:00+05:30", "auto"),
        ("20200131", "20200203", "auto"),
        ("31/01/2020", "03/02/2020", "auto"),
        ("31.1.2020 7:05", "3.2.2020 19:30", "auto"),
        ("01/31/2020", "02/03/2020", "auto"),
        ("1-31-2020", "2-3-2020", "mdy"),
        ("31-1-2020", "3-2-2020", "dmy"),
    ],
)
def test_read_transactions__reads_dates_as_they_are_written(
    tmp_path: Path, first: str, second: str, date_format: str
) -> None:
    """31 January and 3 February, in each way of writing them; times are left out."""
    text = f"customer,date,amount\na,{first},1\na,{second},1\n"
    log = read_transactions(write(tmp_path, text), date_format=date_format)
    assert (log.first, log.last) == (dt.date(2020, 1, 31), dt.date(2020, 2, 3))


@pytest.mark.parametrize(("date_format", "month"), [("dmy", 2), ("mdy", 1)])
def test_read_transactions__takes_the_word_of_a_date_format(
    tmp_path: Path, date_format: str, month: int
) -> None:
    """01/02/2020 is in February with days first, in January with months first."""
    text = "customer,date,amount\na,01/02/2020,1\n"
    log = read_transactions(write(tmp_path, text), date_format=date_format)
    assert log.first.month == month


def test_parse_dates__knows_every_day_of_the_calendar() -> None:
    """From year 1 on, each way of writing a day gives its ordinal."""
    days = [dt.date.fromordinal(n) for n in range(1, 3_600_000, 9973)]
    for date_format, written in (
        ("iso", "{0.year:04}-{0.month:02}-{0.day:02}"),
        ("compact", "{0.year:04}{0.month:02}{0.day:02}"),
        ("dmy", "{0.day}/{0.month}/{0.year:04}"),
        ("mdy", "{0.month}.{0.day}.{0.year:04}"),
    ):
        rows = np.arange(len(days))
        problems = Problems("log")
        texts = tuple(written.format(day) for day in days)
        found = parse_dates(texts, rows, rows, date_format, problems)
        assert found.tolist() == [day.toordinal() for day in days]
        assert problems.count == 0


def test_read_transactions__adds_amounts_without_rounding(tmp_path: Path) -> None:
    """A thousand purchases of 0.1 on one day have a mean of exactly 100."""
    rows = "".join(f"a,2020-01-02,0.1,{i}\n" for i in range(1000))
    text = f"customer,date,amount,order\na,2020-01-01,5,x\n{rows}"
    log = read_transactions(write(tmp_path, text))
    assert figures(log) == {"a": [1, 1, 1, 100, 1, 0]}


def test_read_transactions__rounds_amounts_to_micro_units_half_up(
    tmp_path: Path,
) -> None:
    """0.0000025 is 0.000003, as money is everywhere."""
    text = "customer,date,amount\na,2020-01-01,1\na,2020-01-02,0.0000025\n"
    log = read_transactions(write(tmp_path, text))
    assert log.mean_repeat_spend.tolist() == [3e-6]


def test_read_transactions__keeps_equal_rows_and_says_so(tmp_path: Path) -> None:
    """An equal row adds its amount; left out on request; counted either way."""
    path = write(tmp_path, LOG + "ann,2020-03-01,9\n")
    kept = read_transactions(path)
    dropped = read_transactions(path, drop_duplicates=True)
    assert figures(kept)["ann"][3] == 16
    assert figures(dropped) == figures(read_transactions(write(tmp_path, LOG)))
    assert kept.n_duplicates == dropped.n_duplicates == 1
    assert kept.warnings == (
        "1 row equals an earlier one in every field (kept: their amounts are added)",
    )
    assert dropped.warnings == (
        "1 row equals an earlier one in every field (left out)",
    )


def test_read_transactions__tells_equal_rows_by_every_field(tmp_path: Path) -> None:
    """Two orders of one customer, day and amount differ by their number."""
    text = "customer,date,amount,order\na,2020-01-01,5,17\na,2020-01-01,5,18\n"
    assert read_transactions(write(tmp_path, text)).n_duplicates == 0


def test_read_transactions__reads_the_cdnow_layout(tmp_path: Path) -> None:
    """Five columns without a header; the customer is the second; CDs may be free."""
    text = " 00004 0001 19970101  2   29.33\r\n 00004 0001 19970118  2    0.00\r\n"
    log = read_transactions(write(tmp_path, text, "sample.txt"))
    assert log.layout == "cdnow"
    assert figures(log) == {"0001": [1, 17, 17, 0, 0, 0]}
    assert log.warnings == ("1 purchase costs nothing (kept at 0)",)


DAYS = [dt.date(2020, 1, 1), dt.date(2020, 1, 11)]
NOONS = [dt.datetime(2020, 1, day, 12, tzinfo=dt.UTC) for day in (1, 11)]


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"customer": ["7", "7"], "date": DAYS, "amount": [10.0, 20.0]}),
        pa.table({"id": [7, 7], "date": NOONS, "value": [10, 20]}),
        pa.table(
            {
                "Customer": pa.array(["7", "7"]).dictionary_encode(),
                "date": pa.array(DAYS, pa.date64()),
                "total": [Decimal("10.00"), Decimal("20.00")],
            }
        ),
        pa.table(
            {
                "customer": ["7", "7"],
                "date": ["20200101", "20200111"],
                "amount": ["10", "20"],
                "basket": [["x", "y"], None],
            }
        ),
    ],
)
def test_read_transactions__reads_parquet_of_any_types(
    tmp_path: Path, table: pa.Table
) -> None:
    """Numbers, text, dates and moments may be stored as they usually are."""
    path = tmp_path / "log.parquet"
    pq.write_table(table, path)
    log = read_transactions(path)
    assert log.layout == "parquet"
    assert figures(log) == {"7": [1, 10, 10, 20, 1, 0]}


def test_read_transactions__reads_one_customer(tmp_path: Path) -> None:
    """One row is a log: one customer of age 0 who has not bought again."""
    log = read_transactions(write(tmp_path, "customer,date,amount\na,2020-01-01,5\n"))
    assert figures(log) == {"a": [0, 0, 0, 0, 0, 0]}
