"""Cross-sections: a row for each customer, with whether it left."""

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churnsim.data import (
    CrossSection,
    Mapping,
    observed_across,
    read_cross_section,
)
from churnsim.errors import InputError
from tests.data.made import write_log


@pytest.mark.data
def test_iranian_churn__has_the_published_margins(data_folder: Path) -> None:
    """3,150 rows, 495 churned: 200 of 241 who complained, 295 of 2,909 others."""
    columns = {"tenure": "Subscription Length", "spend": "Customer Value"}
    table = read_cross_section(data_folder / "iranian_churn.csv", Mapping(columns))
    assert (table.n, table.n_churned) == (3150, 495)
    complained, both = table.n_complained, table.n_both
    assert complained is not None
    assert both is not None
    assert (complained, both) == (241, 200)
    assert (table.n - complained, table.n_churned - both) == (2909, 295)
    assert table.profile.columns["churned"] == "Churn"
    assert table.profile.columns["complained"] == "Complains"
    assert "Call Failure" in table.profile.unused
    (after,) = observed_across(table, None).figures
    assert (after.figure, after.of) == ("churn_after_complaint", 495)
    assert after.value == 200 / 495


def table_of(folder: Path, text: str, faulty_max: float = 1.0) -> CrossSection:
    """Return a cross-section of a text."""
    path = write_log(folder / "table.csv", text)
    return read_cross_section(path, faulty_max=faulty_max)


SOME = "churn,complain,tenure,spend\nyes,1,10,5\nNo,0,20,\n0,3,30,x\nTRUE,N,10,7\n"


def test_read_cross_section__reads_yes_and_no_as_people_write_them(
    tmp_path: Path,
) -> None:
    """Two of four churned, two complained, one did both; three complaints are some."""
    table = table_of(tmp_path, SOME)
    assert (table.n, table.n_churned, table.n_complained, table.n_both) == (4, 2, 2, 1)
    assert table.tenure == (25.0, 10.0)
    assert table.spend == (None, 6.0)
    (noted,) = table.profile.noted
    assert (noted.reason, noted.rows) == (
        "whose spend is no number (kept without it)",
        (4,),
    )


def test_observed_across__churn_is_the_rate_behind_the_share(tmp_path: Path) -> None:
    """Half are gone after half a year: ln 2 in half a year, by the binomial error."""
    found = observed_across(table_of(tmp_path, SOME), 365.25 / 2)
    churn, after = found.figures
    assert churn.value == pytest.approx(2.0 * math.log(2.0))
    assert churn.error == pytest.approx(2.0 * math.sqrt(0.5 / (0.5 * 4)))
    assert (after.value, after.of) == (0.5, 2)
    assert len(found.figures) + len(found.left_out) == 12


def test_observed_across__needs_to_know_within_what_time(tmp_path: Path) -> None:
    """Without a period a share is no rate, and the option is named."""
    left = observed_across(table_of(tmp_path, SOME), None).left_out
    reasons = {item.figure: item.reason for item in left}
    assert reasons["churn"] == (
        "2 of 4 customers churned, but not within what time: give --period"
    )
    assert "repurchase quick" in reasons


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("1,1\n1,0\n", "all customers churned: none are left to compare"),
        ("0,1\n0,0\n", "no customer churned"),
    ],
)
def test_observed_across__of_one_kind_tells_nothing(
    rows: str, told: str, tmp_path: Path
) -> None:
    """Where all churned, or none did, both figures are left out, and say why."""
    table = table_of(tmp_path, f"churned,complained\n{rows}")
    found = observed_across(table, 365.25)
    reasons = {item.figure: item.reason for item in found.left_out}
    assert found.figures == ()
    assert reasons["churn_after_complaint"] == told
    assert "no rate can be told" in reasons["churn"]


def test_observed_across__without_complaints_says_so(tmp_path: Path) -> None:
    """A table of churn alone tells its rate and no more."""
    found = observed_across(table_of(tmp_path, "churned\n1\n0\n"), 365.25)
    assert [figure.figure for figure in found.figures] == ["churn"]
    assert found.left_out[0].reason == "no column says who complained"


def test_read_cross_section__counts_what_is_neither(tmp_path: Path) -> None:
    """Words that are neither yes nor no are left out, told, and refused if many."""
    text = "churned,complained\n1,1\nmaybe,1\n0,-1\n\n0,0\n"
    table = table_of(tmp_path, text)
    assert {group.reason: group.rows for group in table.profile.faulty} == {
        "whose churned is neither yes nor no": (3,),
        "whose complained is neither yes nor no": (4,),
    }
    assert (table.profile.n_rows, table.n) == (4, 2)
    with pytest.raises(InputError, match=r"table\.csv:3: 1 rows whose churned is"):
        table_of(tmp_path, text, 0.1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("churned,complained\n", "must hold rows under the header; got none"),
        ("churnd\n1\n", "did you mean 'churnd'?"),
        ("", "got an empty file"),
    ],
)
def test_read_cross_section__refuses_what_is_no_table(
    text: str, told: str, tmp_path: Path
) -> None:
    """No rows, no such column, nothing at all."""
    with pytest.raises(InputError) as caught:
        table_of(tmp_path, text)
    assert told in str(caught.value)


def test_read_cross_section__parquet_is_the_same_table(tmp_path: Path) -> None:
    """Truth values and numbers of Parquet read as their text does."""
    columns = {"churned": [True, False, None], "complained": [1.0, 0.0, 0.0]}
    pq.write_table(pa.table(columns), tmp_path / "table.parquet")
    table = read_cross_section(tmp_path / "table.parquet", faulty_max=1.0)
    assert (table.n, table.n_churned, table.n_both) == (2, 1, 1)
    assert table.profile.faulty[0].rows == (3,)
    assert table.profile.unit == "row"
