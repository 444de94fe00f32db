"""`churnsim assumptions`: the table, the grades, the JSON, the files."""

import csv
import json
from pathlib import Path

import jsonschema
import pytest

from churnsim.cli.described import schema_of
from churnsim.cli.outputs import documents
from churnsim.scenario import list_scenarios
from tests.cli.conftest import Command


@pytest.mark.parametrize("name", list_scenarios())
def test_assumptions__tells_every_figure_of_a_ready_scenario(
    name: str, churnsim: Command
) -> None:
    """The document is as its schema says; weakest first, and the text has them all."""
    printed = churnsim("assumptions", name, "--json")
    assert (printed.code, printed.err) == (0, "")
    document = json.loads(printed.out)
    jsonschema.validate(document, schema_of(documents()["assumptions"]))
    figures = document["figures"]
    grades = [figure["grade"] for figure in figures]
    assert grades == sorted(grades, reverse=True)
    assert set(grades) >= set("ABD")
    text = " ".join(churnsim("assumptions", name).out.split())
    assert all(" ".join(figure["text"].split()) in text for figure in figures)
    assert f"D: assumed by us; no source gives it ({grades.count('D')})" in text
    sources = {source for figure in figures for source in figure["sources"]}
    assert sum(source in text for source in sources) >= len(sources) - 3


def test_assumptions__of_some_grades_only(churnsim: Command) -> None:
    """`--grade` leaves the others out, in whatever case."""
    of_two = json.loads(churnsim("assumptions", "--grade", "cd", "--json").out)
    assert {figure["grade"] for figure in of_two["figures"]} == {"C", "D"}
    text = churnsim("assumptions", "bank", "--grade", "D").out
    assert "lock_in" in text
    assert "observed_churn" not in text
    assert text.rstrip().endswith("churnsim robust bank")


def test_assumptions__say_what_was_set(churnsim: Command) -> None:
    """A setting changed on the command line is an assumption without a range."""
    changed = ("--set", "costs.margin=0.4")
    document = json.loads(churnsim("assumptions", "telecom", *changed, "--json").out)
    (margin,) = (f for f in document["figures"] if f["keys"] == ["costs.margin"])
    assert (margin["grade"], margin["low"]) == ("D", None)
    assert margin["text"] == "set for this run"


def test_assumptions__are_written_as_tables(churnsim: Command, tmp_path: Path) -> None:
    """CSV and Markdown have a row for each figure; what is there is kept."""
    figures = json.loads(churnsim("assumptions", "hotel", "--json").out)["figures"]
    for name in ("figures.csv", "figures.md"):
        assert churnsim("assumptions", "hotel", "--out", name).code == 0
    with (tmp_path / "figures.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["setting"] for row in rows] == [", ".join(f["keys"]) for f in figures]
    lines = (tmp_path / "figures.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(figures) + 2
    again = churnsim("assumptions", "hotel", "--out", "figures.md")
    assert again.code == 2
    assert "must not exist yet" in again.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("telecom", "--grade", "E"), "--grade: must be letters of A, B, C and D"),
        (("telcom",), "did you mean 'telecom'?"),
        (("telecom", "--set", "market.lock_in=much"), "market.lock_in"),
        (("telecom", "--out", "figures.pdf"), "must end in .csv, .parquet or .md"),
    ],
)
def test_assumptions__refuse_plainly(
    arguments: tuple[str, ...], told: str, churnsim: Command
) -> None:
    """What cannot be is told with rule, value and cure."""
    answer = churnsim("assumptions", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.err
