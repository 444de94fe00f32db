"""Logs of events: what is read of them, however they are laid out."""

import datetime as dt
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from churnsim.data import (
    EventLog,
    Figure,
    Mapping,
    Windows,
    batches,
    observed,
    read_events,
    read_mapping,
    spool,
)
from tests.data.made import HEADER, SMALL, figures_of, twice, write_log

YEAR = 365.25


def same(one: EventLog, other: EventLog) -> bool:
    """Return whether two logs hold the same customers and cases."""
    return (
        one.counts == other.counts
        and observed(one) == observed(other)
        and all(map(np.array_equal, one.customers, other.customers))
        and all(map(np.array_equal, one.cases, other.cases))
    )


@pytest.fixture
def small(tmp_path: Path) -> EventLog:
    """Return the log of four customers."""
    return read_events(write_log(tmp_path / "log.csv"))


def test_read_events__counts_what_there_is(small: EventLog) -> None:
    """17 rows of four customers, of four cases; nothing is left out."""
    assert (small.profile.n_rows, small.profile.n_kept) == (17, 17)
    assert small.profile.faulty == small.profile.dropped == small.profile.noted == ()
    assert small.profile.unit == "line"
    assert list(small.counts.values()) == [5, 3, 2, 4, 1, 2]
    assert (len(small.customers.entered), len(small.cases.opened)) == (4, 4)
    assert (small.n_opened_by_contact, small.n_without_amount) == (2, 0)
    assert (small.n_compensated, small.compensation) == (1, 5.0)
    assert (small.n_promises, small.n_promises_kept) == (1, 0)


def test_observed__rates_are_per_customer_year(small: EventLog) -> None:
    """1,821 customer-days hold two losses and three complaints.

    Ann and Bob are seen for 729 days, Cat for 180 and Dan for 183. The errors are
    √(4/3 Σ(a − R t)²)/Σt: of churn, 2 ann and bob with −1.6013 each, the leavers .6046
    and .5981 [2/1821 a day].
    """
    found = figures_of(small)
    days = np.array([729.0, 729.0, 180.0, 183.0])
    assert found["churn"].value == pytest.approx(2 / 1821 * YEAR)
    assert found["complaint_rate"].value == pytest.approx(3 / 1821 * YEAR)
    for name, counts in (("churn", [0, 0, 1, 1]), ("complaint_rate", [1, 1, 0, 1])):
        left = np.array(counts) - sum(counts) / 1821 * days
        error = (4 / 3 * (left**2).sum()) ** 0.5 / 1821 * YEAR
        assert found[name].error == pytest.approx(error)
        assert found[name].is_rate


def test_observed__shares_are_of_cases_and_of_the_lost(small: EventLog) -> None:
    """One of two lost had complained; one of three told cases was settled at once.

    Clusters: the residuals of the three are 2/3, −1/3, −1/3, so the error is 1/3.
    """
    found = figures_of(small)
    after = found["churn_after_complaint"]
    assert (after.value, after.of, after.error) == (0.5, 2, None)
    once = found["first_contact_resolution"]
    assert (once.value, once.error) == pytest.approx((1 / 3, 1 / 3))
    assert found["repeat_contacts"].value == pytest.approx(4 / 3)


def test_observed__spend_is_before_and_after_the_first_case(small: EventLog) -> None:
    """10 in 520.375 days before, 40 in 1,300.625 days after; entries do not count."""
    found = figures_of(small)["spend_ratio"]
    assert found.value == pytest.approx((40 / 1300.625) / (10 / 520.375))
    before = np.array([10, 0, 0, 0]) / 10 - np.array([200.375, 280, 10, 30]) / 520.375
    after = (
        np.array([20, 20, 0, 0]) / 40 - np.array([528.625, 449, 170, 153]) / 1300.625
    )
    error = found.value * (4 / 3 * ((after - before) ** 2).sum()) ** 0.5
    assert found.error == pytest.approx(error)


@pytest.mark.parametrize(("days", "resolved"), [(180.0, 1.0), (149.0, 0.0)])
def test_observed__repurchase_is_by_how_the_case_ended(
    days: float, resolved: float, tmp_path: Path
) -> None:
    """Ann, settled in 90 minutes, buys after 40 days; Bob, settled late, after 150.

    Cat, who told nobody, and Dan, whom nobody helped, never do.
    """
    path = write_log(tmp_path / "log.csv", twice(SMALL))
    found = figures_of(read_events(path, windows=Windows(follow_up=days)))
    shares = {name: figure.value for name, figure in found.items() if " " in name}
    assert shares == {
        "repurchase silent": 0.0,
        "repurchase unresolved": 0.0,
        "repurchase resolved": resolved,
        "repurchase quick": 1.0,
    }
    assert {found[name].of for name in shares} == {2}


def test_observed__without_renewals_tells_nobody_as_leaving_at_them(
    tmp_path: Path,
) -> None:
    """A log that holds one purchase a customer says nothing about buying again."""
    header, *rows = twice(SMALL).splitlines()
    seen: set[str] = set()
    kept = [header]
    for row in rows:
        customer, _, event, *_ = row.split(",")
        is_again = event in {"purchase", "renewal"} and customer in seen
        if not is_again:
            kept.append(row)
        seen.add(customer)
    path = write_log(tmp_path / "log.csv", "\n".join([*kept, ""]))
    told = observed(read_events(path))
    assert not [item for item in told.figures if item.outcome]
    reasons = {item.reason for item in told.left_out if "repurchase" in item.figure}
    assert reasons == {"no customer of the log buys or renews a second time"}


def test_read_events__order_and_batches_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shuffled rows, in small batches and many parts, tell the same."""
    header, *rows = twice(SMALL, 40).splitlines()
    whole = read_events(write_log(tmp_path / "a.csv", "\n".join([header, *rows])))
    random.Random(5).shuffle(rows)
    monkeypatch.setattr(batches, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(spool, "PART_ROWS", 50)
    path = write_log(tmp_path / "b.csv", "\n".join([header, *rows]))
    assert same(whole, read_events(path))


def test_read_events__parquet_is_the_same_log(
    small: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moments, numbers and dictionaries of Parquet read as their text does."""
    monkeypatch.setattr(batches, "BATCH_ROWS", 3)
    options = pyarrow.csv.ConvertOptions(
        column_types={"time": pa.string(), "compensation": pa.float64()}
    )
    table = pyarrow.csv.read_csv(tmp_path / "log.csv", convert_options=options)
    moments = [dt.datetime.fromisoformat(text) for text in table["time"].to_pylist()]
    columns = {name: table[name] for name in table.column_names}
    columns["time"] = pa.array(moments, pa.timestamp("ms"))
    columns["event"] = columns["event"].dictionary_encode()
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    found = read_events(tmp_path / "log.parquet")
    assert same(small, found)
    assert found.profile.unit == "row"
    columns["time"] = columns["time"].cast(pa.timestamp("us", "America/New_York"))
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    assert same(small, read_events(tmp_path / "log.parquet", Mapping(time_zone="UTC")))


MAPPING = """\
[columns]
customer = "cust id"
time = "when"
event = "what"
amount = "gross"
[events]
ORDER = "purchase"
Renewed = "renewal"
CALL = "contact"
LOGIN = "drop"
[time]
format = "dmy"
zone = "Europe/Berlin"
[drop]
events = ["NEWSLETTER"]
duplicates = true
"""
MAPPED = """\
cust  id;when;what;gross;note
a;01.01.2021 00:30;ORDER;10.5;x
a;01.07.2021 00:30;renewed;11;
a;01.07.2021 00:30;renewed;11;again
b;02.01.2021;ORDER;5;
b;03.01.2021;LOGIN;;
b;04.01.2021;NEWSLETTER;;
b;05.02.2021;call;;
"""


def test_read_mapping__says_what_columns_and_words_mean(tmp_path: Path) -> None:
    """Columns, words, dates with days first, a time zone, and what is left out."""
    file = write_log(tmp_path / "mapping.toml", MAPPING)
    log = read_events(write_log(tmp_path / "log.csv", MAPPED), read_mapping(file))
    assert log.counts["purchase"] == 2
    assert (log.counts["renewal"], log.counts["contact"]) == (1, 1)
    assert log.customers.entered.tolist() == [
        # Half past midnight in Berlin, and midnight the day after.
        int(dt.datetime(2020, 12, 31, 23, 30, tzinfo=dt.UTC).timestamp()),
        int(dt.datetime(2021, 1, 1, 23, 0, tzinfo=dt.UTC).timestamp()),
    ]
    # In summer the clock is two hours ahead.
    assert log.first == log.customers.entered[0]
    assert log.end == int(dt.datetime(2021, 6, 30, 22, 30, tzinfo=dt.UTC).timestamp())
    dropped = {group.reason: group for group in log.profile.dropped}
    assert dropped["of events that the mapping drops"].rows == (6, 7)
    assert dropped["equal to an earlier one in all that is read"].rows == (4,)
    assert log.profile.unused == ("note",)
    assert log.profile.columns["customer"] == "cust id"


def test_read_events__times_with_offsets_are_instants(tmp_path: Path) -> None:
    """Offsets may differ from row to row: 12:00+02:00 is 10:00Z and 05:30-0430."""
    rows = "a,2021-01-01T12:00+02:00,purchase\nb,2021-01-01 10:00:00.5Z,purchase\n"
    rows += "c,2021-01-01 05:30-0430,purchase\na,2022-01-01T00:00Z,purchase\n"
    log = read_events(write_log(tmp_path / "log.csv", f"customer,time,event\n{rows}"))
    assert len(set(log.customers.entered.tolist())) == 1


def test_read_events__acquired_at_tells_since_when(tmp_path: Path) -> None:
    """A customer without a purchase counts from when it was acquired."""
    text = "customer,time,event,customer_since\n"
    text += "a,2021-03-01,contact,2021-01-01\nb,2021-01-01,purchase,2020-06-01\n"
    text += "a,2022-01-01,cancel,\n"
    log = read_events(write_log(tmp_path / "log.csv", text))
    churn = figures_of(log)["churn"]
    # Both are seen from the log's first row to its last: 365 days each.
    assert churn.value == pytest.approx(1 / 730 * YEAR)


def test_read_events__the_window_cuts_years_but_not_history(tmp_path: Path) -> None:
    """From mid-2021: Dan's complaint of 2021-08-01 counts, Ann's problem as well.

    Cat and Dan are seen from their entry, Ann and Bob from 2021-07-01, all until the
    last second of 2021, in which Cat is lost.
    """
    windows = Windows(
        start=dt.datetime(2021, 7, 1, tzinfo=dt.UTC),
        end=dt.datetime(2021, 12, 31, tzinfo=dt.UTC),
    )
    log = read_events(write_log(tmp_path / "log.csv"), windows=windows)
    days = 183 + 183 + 180 + 182
    found = figures_of(log)
    assert found["churn"].value == pytest.approx(1 / days * YEAR)
    assert found["churn_after_complaint"].of == 1
    assert found["complaint_rate"].value == pytest.approx(3 / days * YEAR)
    (after,) = log.profile.dropped
    assert (after.reason, after.n_rows) == ("after the end of the window", 3)


def test_read_events__silence_is_a_loss_where_asked_for(tmp_path: Path) -> None:
    """With 200 days, Ann is lost on 2022-03-17 but for her return: she is not.

    Bob bought on 2022-03-27 last, 279 days before the end: lost on 2022-10-13.
    """
    log = read_events(write_log(tmp_path / "log.csv"), windows=Windows(lost_after=200))
    lost = log.customers.lost
    assert lost[0] < log.start
    assert lost[1] == int(dt.datetime(2022, 10, 13, tzinfo=dt.UTC).timestamp())


def test_read_events__quoted_line_breaks_make_lines_rows(tmp_path: Path) -> None:
    """Where a field runs over lines, places are numbers of rows, and say so."""
    text = 'customer,time,event,note\na,2021-01-01,purchase,"x\ny"\n'
    text += "b,2021-01-02,purchase,\na,2022-01-01,purchase,\n,2021-01-03,purchase,\n"
    log = read_events(write_log(tmp_path / "log.csv", text), faulty_max=1.0)
    assert log.profile.unit == "row"
    assert log.profile.faulty[0].rows == (5,)


def test_cases__a_contact_belongs_to_the_open_case(tmp_path: Path) -> None:
    """A ledger of one customer's cases: opened, contacts, settled."""
    text = f"{HEADER}\n" + "".join(
        f"a,2021-{moment},{event},,,{resolved},\n"
        for moment, event, resolved in (
            ("01-01", "purchase", ""),
            ("01-10", "problem", ""),
            ("01-12", "contact", ""),
            ("01-20", "contact", ""),
            ("03-10", "contact", ""),  # 49 days later: a case of its own
            ("06-01", "resolution", ""),  # however late, of the last case
            ("06-02", "contact", "2021-06-04"),  # after it was settled
            ("06-03", "contact", ""),  # before that one is
            ("06-05", "contact", ""),  # and after
            ("06-06", "problem", ""),  # a problem is always another
            ("06-07", "problem", ""),
            ("06-08", "resolution", ""),
        )
    )
    text += "b,2021-01-01,purchase,,,,\n"
    cases = read_events(write_log(tmp_path / "log.csv", text)).cases
    assert cases.n_contacts.tolist() == [2, 1, 2, 1, 0, 0]
    settled = np.array(cases.settled).astype("datetime64[s]").astype("datetime64[D]")
    told = [str(day)[5:] if day > np.datetime64("2021") else "" for day in settled]
    assert told == ["", "06-01", "06-04", "", "", "06-08"]


def test_read_events__a_day_without_its_time_is_a_whole_day(tmp_path: Path) -> None:
    """Promised for a day is kept until its end; resolved on the row's day, at once."""
    text = f"{HEADER}\na,2021-01-01,purchase,,,,\nb,2021-01-01,purchase,,,,\n"
    text += "a,2021-02-01 16:00,contact,,2021-02-03,2021-02-03 18:00,\n"
    text += "b,2021-02-01 16:00,contact,,,2021-02-01,\n"
    text += "b,2021-03-01 16:00,contact,,2021-03-02,2021-03-03,\n"
    text += "b,2021-06-01 16:00,purchase,,,,\n"
    log = read_events(write_log(tmp_path / "log.csv", text))
    assert (log.n_promises, log.n_promises_kept) == (2, 1)
    assert log.profile.faulty == ()
    waits = log.cases.settled - log.cases.contacted
    assert waits.tolist() == [50 * 3600, 0, 32 * 3600]


def test_observed__rates_are_found_again(tmp_path: Path) -> None:
    """400 customers who leave at 30 % a year and complain twice a year: z below 4."""
    rng = np.random.default_rng(11)
    start = np.datetime64("2021-01-01T00:00", "m")
    rows = []
    for customer in range(400):
        life = min(rng.exponential(365.25 / 0.3), 1000.0)
        rows.append((customer, 0.0, "purchase"))
        day = 0.0
        while (day := day + rng.exponential(365.25 / 2.0)) < life:
            rows += [(customer, day, "problem"), (customer, day, "contact")]
        if life < 1000.0:
            rows.append((customer, life, "cancel"))
    rows.append((0, 1000.0, "contact"))
    text = "".join(f"{c},{start + int(d * 1440)},{event}\n" for c, d, event in rows)
    log = read_events(write_log(tmp_path / "log.csv", f"customer,time,event\n{text}"))
    found = figures_of(log)
    for name, truth in (("churn", 0.3), ("complaint_rate", 2.0)):
        figure: Figure = found[name]
        assert figure.error is not None
        assert abs(figure.value - truth) < 4.0 * figure.error
        assert 0.02 < figure.error / truth < 0.12
