"""`churnsim explain`: the table, the JSON, the customers, the exit codes."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from churnsim.cli import explain, run
from churnsim.cli.progress import Report
from churnsim.errors import ExitCode, PartialError
from churnsim.experiment.store.markdown import escaped
from churnsim.report.amounts import money_cells, scale_of
from tests.cli.conftest import Command

pytestmark = pytest.mark.compiled

SMALL = (
    "--replications",
    "3",
    "--horizon",
    "1 year",
    "--set",
    "population.customers=200",
)
ENDS = ("--from", "slow_and_dishonest", "--to", "empowered")
LEVERS = ["speed", "authority", "honesty"]


def document(command: Command, *arguments: str) -> dict[str, Any]:
    """Return the JSON document that a command answers."""
    answer = command("explain", *SMALL, *arguments, "--json")
    assert answer.code == 0
    found: dict[str, Any] = json.loads(answer.out)
    return found


def test_explain__table_and_json_have_the_same_numbers(churnsim: Command) -> None:
    """The table has a row for each lever, and the sentence of the document."""
    table = churnsim("explain", "telecom", *SMALL, *ENDS)
    assert table.code == 0
    whole = document(churnsim, *ENDS)
    assert [share["lever"] for share in whole["loss"]["shares"]] == LEVERS
    lines = table.out.splitlines()
    rows = dict(line.split()[:2] for line in lines[7:11])
    amounts = [share["total"]["mean"] for share in whole["loss"]["shares"]]
    amounts.append(whole["loss"]["total"]["mean"])
    bounds = [x["total"] for x in (*whole["loss"]["shares"], whole["loss"])]
    scale = scale_of(x for b in bounds for x in (b["mean"], b["low"], b["high"]))
    shown = money_cells(amounts, "$", scale)
    assert [rows[label] for label in (*LEVERS, "together")] == list(shown)
    words = " ".join(table.out.split())
    assert whole["sentence"] in words
    assert "By origin" in table.out
    assert "warning: 3 replications: intervals are rough below 20" in words
    assert "(grade D)" in words
    assert lines[-1].strip() == (
        "churnsim explain telecom --from slow_and_dishonest --to empowered "
        "--replications 3 --seed 2026 --horizon '1 year' "
        "--set population.customers=200"
    )


def test_explain__json_keys(churnsim: Command) -> None:
    """The document holds what docs/attribution.md lists, and adds up."""
    whole = document(churnsim)
    page = Path(__file__).parents[2] / "docs" / "attribution.md"
    told = page.read_text(encoding="utf-8").partition("## The JSON document")[2]
    assert all(f"`{key}`" in told for key in whole)
    loss = whole["loss"]
    assert sum(share["micro"] for share in loss["shares"]) == loss["micro"]
    for by in ("origin", "dropout"):
        parts = [s["micro"] for s in whole["segments"] if s["by"] == by]
        assert sum(parts) == loss["micro"]
    assert all(f"`{key}`" in told for key in loss)
    assert all(f"`{key}`" in told for key in loss["shares"][0])
    assert all(f"`{key}`" in told for key in whole["interactions"][0])
    assert (whole["from"], whole["to"]) == ("slow_and_dishonest", "empowered")
    assert (whole["measure"], whole["runs"], whole["is_exact"]) == ("revenue", 24, True)


def test_explain__threads_change_nothing(churnsim: Command) -> None:
    """One thread and two give the same document."""
    assert document(churnsim, "--threads", "1") == document(churnsim, "--threads", "2")


def test_explain__contribution_has_the_firms_row(churnsim: Command) -> None:
    """Of contribution, what no customer causes is a row of its own."""
    answer = churnsim("explain", *SMALL, "--of", "contribution")
    assert answer.code == 0
    assert "Wages, training, prevention" in answer.out
    assert "Contribution that slow_and_dishonest loses" in answer.out
    assert "--of contribution" in answer.out
    assert "Wages" not in churnsim("explain", *SMALL).out


def test_explain__customers_add_up(churnsim: Command) -> None:
    """The file of customers adds up by row and by lever, and is not overwritten."""
    arguments = ("--replications", "1", "--customers", "who.csv")
    answer = churnsim("explain", *SMALL, *arguments)
    assert answer.code == 0
    assert answer.err == "wrote the customers of replication 0 to who.csv\n"
    with Path("who.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    whole = document(churnsim, "--replications", "1")
    for share in whole["loss"]["shares"]:
        column = f"micro_{share['lever']}"
        assert sum(int(row[column]) for row in rows) == share["micro"]
    for row in rows:
        parts = sum(int(row[f"micro_{lever}"]) for lever in LEVERS)
        assert parts == int(row["micro_lost"])
        assert parts == int(row["micro_to"]) - int(row["micro_from"])
    refused = churnsim("explain", *SMALL, *arguments)
    assert refused.code == ExitCode.INPUT
    assert "must not exist yet" in refused.err
    assert churnsim("explain", *SMALL, *arguments, "--force").code == 0


def test_explain__customers_go_into_the_kind_of_file_that_is_named(
    churnsim: Command,
) -> None:
    """Parquet and Markdown hold the rows of CSV; another ending is refused at once."""
    given = ("explain", *SMALL, "--replications", "1", "--customers")
    for name in ("who.csv", "who.parquet", "who.MD"):
        assert churnsim(*given, name).code == 0
    with Path("who.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    table = pq.read_table("who.parquet")
    assert table.column_names == list(rows[0])
    assert table["micro_lost"].to_pylist() == [int(row["micro_lost"]) for row in rows]
    head, _, *cells = Path("who.MD").read_text(encoding="utf-8").splitlines()
    assert head == f"| {' | '.join(escaped(name) for name in rows[0])} |"
    assert len(cells) == len(rows)
    refused = churnsim("explain", "no_such_scenario", "--customers", "who.xlsx")
    assert refused.code == ExitCode.INPUT
    assert refused.err == (
        '--customers: must end in .csv, .parquet or .md; got "who.xlsx"; try who.csv\n'
    )


def test_explain__equal_policies_are_no_error(churnsim: Command) -> None:
    """Policies that do not differ: one plain sentence, exit code 0, JSON too."""
    answer = churnsim("explain", *SMALL, "--from", "slow", "--to", "slow")
    assert (answer.code, answer.err) == (0, "")
    assert "do not differ in any lever: there is nothing to explain" in answer.out
    whole = document(churnsim, "--from", "slow", "--to", "slow")
    assert whole["levers"] == whole["segments"] == whole["interactions"] == []
    given = ("--from", "slow", "--to", "slow", "--customers", "none.csv")
    answer = churnsim("explain", *SMALL, *given)
    assert "none.csv was not written" in answer.err
    assert not Path("none.csv").exists()


def test_explain__one_replication_has_no_interval(churnsim: Command) -> None:
    """With one replication the table has no interval, and says why."""
    answer = churnsim("explain", *SMALL, "--replications", "1")
    assert answer.code == 0
    assert "95 % from" not in answer.out
    (row,) = (x for x in answer.out.splitlines() if x.startswith("together "))
    assert " none " in row
    assert "one replication: there are no intervals" in answer.out


def test_explain__nobody_is_no_error(churnsim: Command) -> None:
    """A firm without customers loses nothing, and never 'nan'."""
    nobody = ("population.customers=0", "population.prospects=0/year")
    pairs = [word for pair in nobody for word in ("--set", pair)]
    answer = churnsim("explain", *SMALL, *pairs, "--customers", "nobody.csv")
    assert answer.code == 0
    assert "makes no difference" in answer.out
    assert "nan" not in answer.out.split()


@pytest.mark.parametrize("width", [60, 80, 140])
def test_explain__fits_the_width(
    width: int, churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider than the terminal, but for the command to type again."""
    monkeypatch.setattr(explain, "columns", lambda: width)
    lines = churnsim("explain", *SMALL).out.splitlines()
    assert max(map(len, lines[:-1])) <= width


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("telcom",), ExitCode.INPUT, "did you mean 'telecom'?"),
        (("--from", "slwo"), ExitCode.INPUT, "did you mean 'slow'?"),
        (("--to", "empwered"), ExitCode.INPUT, "did you mean 'empowered'?"),
        (("--of", "profit"), ExitCode.INPUT, "'profit' is not one of 'revenue'"),
        (("--horizon", "2"), ExitCode.INPUT, "must be a duration"),
        (("--set", "market.lokc_in=1"), ExitCode.INPUT, "did you mean 'lock_in'?"),
        (("--replications", "0"), ExitCode.INPUT, "not in the range"),
        (("--customers", "no/such.csv"), ExitCode.INPUT, "in a folder that exists"),
        (("--set", "population.customers=5000000000"), ExitCode.RESOURCES, "at most"),
    ],
)
def test_explain__refuses_in_one_line(
    arguments: tuple[str, ...], code: ExitCode, told: str, churnsim: Command
) -> None:
    """What cannot be is refused with its exit code, and nothing goes to the output."""
    answer = churnsim("explain", *arguments)
    assert answer.code == code
    assert told in answer.err
    assert answer.out == ""
    assert "Traceback" not in answer.err


def test_explain__tells_failed_replications(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others' table is shown, the failures are told, and the exit code is 5."""
    from churnsim.experiment import Attribution

    error = PartialError("1 of 3 replications failed")
    monkeypatch.setattr(Attribution, "error", lambda _: error)
    answer = churnsim("explain", *SMALL)
    assert answer.code == ExitCode.PARTIAL
    assert "together" in answer.out
    assert answer.err == "1 of 3 replications failed\n"


def test_explain__stopped_shows_what_is_finished(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C after a replication shows it as partial and leaves with 130."""
    from contextlib import contextmanager

    @contextmanager
    def impatient() -> Iterator[Report]:
        def report(done: int, _total: int, _failed: int) -> None:
            if done == 1:
                raise KeyboardInterrupt

        yield Report(report, lambda _: None)

    left: list[int] = []
    monkeypatch.setattr(explain, "progress", impatient)
    monkeypatch.setattr("churnsim.cli.os._exit", left.append)
    answer = churnsim("explain", *SMALL, "--threads", "1")
    assert left == [ExitCode.INTERRUPTED] == [answer.code]
    assert "PARTIAL: stopped after 1 of 3 replications" in answer.out
    assert "Stopped early: 1 of 3 replications finished." in answer.out
    assert "--replications 1 " in answer.out.splitlines()[-1]
    assert answer.err == "interrupted: 1 of 3 replications were finished\n"


def test_explain__starts_where_run_does() -> None:
    """Both commands take the same scenario by default."""
    (argument,) = (p for p in explain.explain_command.params if p.name == "scenario")
    assert argument.default == run.DEFAULT
