"""Logs that cannot be used, or only in part: each is told with rule, place and cure."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnsim.data import EventLog, Mapping, Windows, read_events, read_mapping
from churnsim.errors import InputError
from tests.data.made import SMALL, figures_of, reasons_of, write_log

START = "customer,time,event\na,2021-01-01,purchase\nb,2021-01-01,purchase\n"
TOLD = "customer,time,event,amount,promised_at,resolved_at,compensation"


def read(folder: Path, text: str, faulty_max: float = 1.0) -> EventLog:
    """Return a log of a text."""
    return read_events(write_log(folder / "log.csv", text), faulty_max=faulty_max)


def refusal(folder: Path, text: str, mapping: Mapping | None = None) -> str:
    """Return how a text is refused."""
    with pytest.raises(InputError) as caught:
        read_events(write_log(folder / "log.csv", text), mapping)
    return str(caught.value)


def faulty(log: EventLog) -> dict[str, tuple[int, ...]]:
    """Return where the rows are that make no sense, by reason."""
    return {group.reason: group.rows for group in log.profile.faulty}


EARLY = "before the customer's first purchase or renewal"
UNOPENED = "a resolution before any problem or contact of its customer"
WIDTH = "with more or fewer fields than the header"


@pytest.mark.parametrize(
    ("rows", "reason", "lines"),
    [
        ("a,2020-12-31,contact", EARLY, (4,)),
        ("a,2021-02-01,resolution", UNOPENED, (4,)),
        ("c,2021-02-01,contact", "of customers without a purchase, renewal or", (4,)),
        (",2021-02-01,contact", "without a customer", (4,)),
        ("a,,contact", "without a time", (4,)),
        ("a,2021-02-30,contact\na,x,contact", "whose time is not like 2020-", (4, 5)),
        ("a,2021-02-01,", "without an event", (4,)),
        ("a,2021-02-01", WIDTH, (4,)),
        ("a,2021-02-01,contact,5", WIDTH, (4,)),
    ],
)
def test_read_events__leaves_out_what_makes_no_sense(
    rows: str, reason: str, lines: tuple[int, ...], tmp_path: Path
) -> None:
    """The row is counted under its reason and named by its line; the rest is read."""
    log = read(tmp_path, f"{START}{rows}\n\na,2021-12-01,purchase\n")
    ((told, places),) = faulty(log).items()
    assert told.startswith(reason)
    assert places == lines
    assert log.profile.n_kept == 3
    assert log.profile.n_rows == 3 + len(lines)
    assert log.profile.unit == "line"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("ann,2021-02-01,purchase,-5,,,", "with an amount below 0"),
        ("ann,2021-02-01,contact,,,,-1", "with a compensation below 0"),
        ("ann,2021-02-01,problem,,,2021-01-31,", "a resolution before its problem: "),
    ],
)
def test_read_events__leaves_out_impossible_numbers(
    row: str, reason: str, tmp_path: Path
) -> None:
    """Refunds are no purchases; nothing is resolved before it was a problem."""
    log = read(tmp_path, f"{SMALL}{row}\n")
    ((told, places),) = faulty(log).items()
    assert told.startswith(reason)
    assert places == (19,)


@pytest.mark.parametrize("amount", ["nan", "inf", "5 EUR", "1e99", "12,5"])
def test_read_events__keeps_a_purchase_whose_amount_is_no_number(
    amount: str, tmp_path: Path
) -> None:
    """It was bought all the same: the row is kept without the amount, and noted."""
    log = read(tmp_path, f'{SMALL}ann,2021-02-01,purchase,"{amount}",,,\n')
    (noted,) = log.profile.noted
    assert noted.reason == "with an amount that is no number (kept without it)"
    assert noted.rows == (19,)
    assert log.n_without_amount == 1
    assert log.counts["purchase"] == 6


def test_read_events__leaves_out_what_came_before_the_acquisition(
    tmp_path: Path,
) -> None:
    """Nobody complains before being a customer: the log says since when, in any row."""
    text = "customer,time,event,acquired_at\na,2021-02-01,contact,\n"
    text += "b,2021-02-01,purchase,2020-01-01\na,2022-01-01,purchase,2021-03-01\n"
    assert faulty(read(tmp_path, text)) == {"before the customer was acquired": (2,)}


def test_read_events__keeps_rows_whose_other_moments_are_none(tmp_path: Path) -> None:
    """A promise that cannot be read is left out, the row is not."""
    log = read(tmp_path, f"{SMALL}ann,2021-08-01,contact,,soon,later,\n")
    assert {group.reason: group.rows for group in log.profile.noted} == {
        "whose promised_at is no moment like its time (kept without it)": (19,),
        "whose resolved_at is no moment like its time (kept without it)": (19,),
    }


def test_read_events__notes_equal_rows_and_drops_them_where_asked(
    tmp_path: Path,
) -> None:
    """Equal rows may be two events or one exported twice: both are kept, and told."""
    text = f"{START}a,2021-02-01,contact\na,2021-02-01,contact\n"
    log = read(tmp_path, text)
    assert log.counts["contact"] == 2
    (noted,) = log.profile.noted
    assert noted.reason == "equal to an earlier one in all that is read (kept)"
    assert noted.rows == (5,)
    log = read_events(tmp_path / "log.csv", Mapping(drop_duplicates=True))
    assert log.counts["contact"] == 1
    assert log.profile.dropped[0].rows == (5,)


def test_read_events__a_cancel_before_purchases_is_no_loss(tmp_path: Path) -> None:
    """Who comes back was not lost; who does not is lost once, at the first cancel."""
    rows = "a,2021-02-01,cancel\na,2021-06-01,purchase\n"
    rows += "b,2021-03-01,cancel\nb,2021-04-01,cancel\nb,2021-05-01,contact\n"
    log = read(tmp_path, START + rows)
    assert log.n_returned == 1
    assert figures_of(log)["churn"].counted.startswith("1 lost in")
    assert (log.customers.lost > 0).tolist() == [False, True]
    (late,) = log.profile.dropped
    assert (late.reason, late.rows) == ("after the customer left", (7, 8))


def test_read_events__names_unknown_events_with_the_nearest(tmp_path: Path) -> None:
    """Each unknown word is told once, with its first line and how often it is there."""
    text = f"{START}a,2021-02-01,contcat\nb,2021-02-01,contcat\na,2021-02-01,LOGIN\n"
    told = refusal(tmp_path, text).splitlines()
    assert len(told) == 2
    assert told[0].startswith(
        "log.csv:4: event must be one of purchase, renewal, problem, contact, "
        "resolution, cancel; 2 rows are not; got \"contcat\"; did you mean 'contact'?"
    )
    assert 'map it: --event "LOGIN"=KIND, or =drop to leave it out' in told[1]
    mapping = Mapping(events={"contcat": "contact", "LOGIN": "drop"})
    assert read_events(tmp_path / "log.csv", mapping).counts["contact"] == 2


def test_read_events__refuses_mixed_time_zones(tmp_path: Path) -> None:
    """Times with and without a zone cannot be compared, unless one is given."""
    text = f"{START}a,2021-02-01T10:00Z,contact\na,2021-02-01T10:00+01:00,contact\n"
    assert refusal(tmp_path, text) == (
        "log.csv: times must all name their time zone, or none must; got 2 with one "
        "(lines 4, 5) and 2 without (lines 2, 3); say of which zone the others are, as "
        "in --time-zone Europe/Berlin"
    )
    log = read_events(tmp_path / "log.csv", Mapping(time_zone="Europe/Berlin"))
    assert log.counts["contact"] == 2


def test_read_events__asks_which_of_day_and_month_comes_first(tmp_path: Path) -> None:
    """Without a number above 12 nothing tells; with one, it is told by most."""
    text = "customer,time,event\na,01/02/2021,purchase\nb,03/04/2021,purchase\n"
    assert "give --date-format dmy or mdy" in refusal(tmp_path, text)
    log = read(tmp_path, f"{text}a,12/31/2021,purchase\n")
    assert log.profile.n_kept == 3


def test_read_events__refuses_one_customer(tmp_path: Path) -> None:
    """One customer shows no spread; nobody who buys is no customer."""
    text = "customer,time,event\na,2021-01-01,purchase\na,2021-02-01,contact\n"
    told = refusal(tmp_path, text)
    assert "a log must hold two customers at least, who buy; got one customer" in told


def test_observed__of_lost_customers_alone_tells_no_rates(tmp_path: Path) -> None:
    """Where all are lost, what depends on those who stay is left out, and says why."""
    log = read(
        tmp_path, f"{SMALL}ann,2023-01-01,cancel,,,,\nbob,2023-01-01,cancel,,,,\n"
    )
    reasons = reasons_of(log)
    without = {"churn", "complaint_rate", "spend_ratio"}
    without |= {name for name in reasons if name.startswith("repurchase")}
    assert {reasons[name] for name in without} == {
        "all customers of the log are lost: nobody is left who could stay"
    }
    assert {"churn_after_complaint", "repeat_contacts"} <= figures_of(log).keys()


def test_observed__without_churn_tells_how_much_it_can_be(tmp_path: Path) -> None:
    """None in 1.5 customer-years is compatible with up to 3/1.5 a year."""
    rows = "a,2022-01-01,purchase\na,2021-03-01,contact\nb,2021-07-02,purchase\n"
    log = read(tmp_path, START + rows)
    reasons = reasons_of(log)
    years = 2 * 365 / 365.25
    assert reasons["churn"] == (
        f"0 lost in 2.0 customer-years: all that can be told is at most "
        f"{3 / years:.2%} a year; give --lost-after to count silence"
    )
    assert reasons["churn_after_complaint"] == "no customer was lost in the window"
    assert "complaint_rate" in figures_of(log)


def test_observed__without_contacts_or_amounts_says_so(tmp_path: Path) -> None:
    """A log of purchases alone tells no figure of complaints or spend."""
    reasons = reasons_of(read(tmp_path, f"{START}a,2022-01-01,purchase\n"))
    for name in ("complaint_rate", "first_contact_resolution", "repeat_contacts"):
        assert reasons[name] == "the log has no contact"
    assert reasons["spend_ratio"] == "100% of purchases and renewals have no amount"
    assert reasons["repurchase quick"] == "no case ended so"


def test_observed__cases_too_near_the_end_do_not_count(tmp_path: Path) -> None:
    """What nobody has watched for long enough is no share, and the option is named."""
    text = f"{START}a,2021-12-01,contact\nb,2021-12-31,purchase\n"
    reasons = reasons_of(read(tmp_path, text))
    assert reasons["repurchase unresolved"] == (
        "no case that ended so was followed for 180 days: --follow-up sets it"
    )
    assert reasons["first_contact_resolution"].startswith("the log settles no case")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "got an empty file"),
        (b"\n\n", "must begin with a line that names the columns"),
        (b"customer,time,event\n", "must hold rows under the header; got none"),
        (b"\x89PNG\r\n\x1a\n\x00", "text must be UTF-8; got byte 0x89 at column 1"),
        (b'{"customer": 1}', "column for customer is missing"),
        (b'customer,time,"event\n', "must be readable as CSV"),
        (b"PAR1 and no more", "must be readable as Parquet"),
        (b"customer,time,event\na,2021-01-01,\xff\n", "log.csv:2: text must be UTF-8"),
        (b'customer,time,event\na,"2021-01-01,x', "log.csv:2: 1 rows with more or"),
    ],
)
def test_read_events__refuses_what_is_no_table(
    content: bytes, told: str, tmp_path: Path
) -> None:
    """An empty file, a picture, JSON, half a Parquet file: each is told apart."""
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"log\.csv") as caught:
        read_events(path)
    assert told in str(caught.value)


def test_read_events__refuses_what_is_no_file(tmp_path: Path) -> None:
    """A folder and a missing file are told apart."""
    for path, told in ((tmp_path, "a folder or device"), (tmp_path / "x", "no such")):
        with pytest.raises(InputError, match=told):
            read_events(path)


def test_read_events__refuses_a_log_that_mostly_makes_no_sense(tmp_path: Path) -> None:
    """Above the share allowed it is the mapping that is wrong; reasons are told."""
    text = f"{START}a,2021-02-01,\nb,x,contact\na,2021-03-01,purchase\n"
    told = refusal(tmp_path, text)
    assert "at most 0.1 of the rows may make no sense; got 0.4" in told
    assert "log.csv:4: 1 rows without an event" in told
    assert read(tmp_path, text, 0.4).profile.n_kept == 3


@pytest.mark.parametrize(
    ("header", "mapping", "told"),
    [
        ("custmer,time,event", {}, "did you mean 'custmer'?"),
        ("cust,time,event", {"customer": "csut"}, "did you mean 'cust'?"),
        ("customer,when,event", {}, "map it: --column time=NAME"),
        ("customer,time,event,event", {}, "one column must hold the event"),
        (
            "customer,time,event",
            {"churned": "x"},
            "of the layout events must be one of",
        ),
    ],
)
def test_read_events__names_missing_columns(
    header: str, mapping: dict[str, str], told: str, tmp_path: Path
) -> None:
    """A column that is not there is told with those that are, and the nearest."""
    text = f"{header}\n" + ",".join("x" for _ in header.split(",")) + "\n"
    assert told in refusal(tmp_path, text, Mapping(columns=mapping))


def test_read_events__refuses_a_window_that_ends_before_it_starts(
    tmp_path: Path,
) -> None:
    """A log of one moment has no customer-years."""
    assert "must end after it starts" in refusal(tmp_path, START)


def test_read_mapping__tells_every_mistake_with_its_line(tmp_path: Path) -> None:
    """Unknown tables, columns, kinds, formats and zones, each with the nearest."""
    file = write_log(
        tmp_path / "m.toml",
        '[columns]\ncustmer = "a"\ntime = 3\n[events]\nORDER = "purchse"\n'
        '[time]\nformat = "cmpact"\nzone = "Europe/Berln"\nzoen = "x"\n'
        '[drop]\nevents = [1]\nduplicates = "yes"\n[windows]\n',
    )
    with pytest.raises(InputError) as caught:
        read_mapping(file)
    rows = str(caught.value).splitlines()
    for line, part in (
        (2, "did you mean 'customer'?"),
        (3, "must be a text in quotes"),
        (5, "did you mean 'purchase'?"),
        (7, "did you mean 'compact'?"),
        (8, "did you mean 'Europe/Berlin'?"),
        (9, "did you mean 'zone'?"),
        (11, "must be an array of texts"),
        (12, "must be true or false"),
        (13, "is no key of a mapping"),
    ):
        assert [row for row in rows if f"m.toml:{line}: " in row and part in row]


def test_read_events__warns_of_a_window_beyond_the_log(tmp_path: Path) -> None:
    """Customers count as staying after the last row: that is worth a word."""
    from datetime import UTC, datetime

    path = write_log(tmp_path / "log.csv")
    log = read_events(path, windows=Windows(end=datetime(2023, 12, 31, tzinfo=UTC)))
    assert log.warnings[0].startswith("the window ends 365 days after the last row")


FIELDS = st.sampled_from(
    [
        *("a", "", "2021-01-01", "01/02/2021", "2021-13-01", "20210101", "5", "-1"),
        *("nan", '"', "\r", "customer", "purchase", "contact", "resolution", "cancel"),
        *("2021-02-01T10:00Z", "9999-12-31", "0000-01-01", "9" * 70, "1e309", "\u2028"),
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(FIELDS, min_size=6, max_size=8), max_size=8))
def test_read_events__never_fails_otherwise_on_rows(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    """Whatever the fields under a good header, a log is read or refused."""
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    text = "\n".join([*SMALL.splitlines(), *(",".join(row) for row in rows)])
    path.write_text(text, encoding="utf-8", newline="")
    try:
        log = read_events(path, Mapping(time_zone="UTC"), faulty_max=1.0)
    except InputError:
        return
    assert len(figures_of(log)) + len(reasons_of(log)) == 12
    assert log.profile.n_kept <= log.profile.n_rows
