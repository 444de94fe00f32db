"""`churnsim breakeven`: the table, the JSON, the exit codes."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from churnsim.cli import breakeven
from churnsim.cli.progress import Report
from churnsim.errors import ExitCode, PartialError
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
AGENTS = ("--lever", "speed.agents", "--policy", "slow", "--low", "0", "--high", "3")
ASKED = (*AGENTS, "--of", "contribution")
BILLING = ("--lever", "mistakes.billing.probability", "--policy", "slow")


def test_breakeven__table_and_json_have_the_same_numbers(churnsim: Command) -> None:
    """The table has a row for each value, and the sentence of the document."""
    table = churnsim("breakeven", "telecom", *SMALL, *ASKED)
    document = churnsim("breakeven", "telecom", *SMALL, *ASKED, "--json")
    assert table.code == document.code == 0
    whole = json.loads(document.out)
    words = " ".join(table.out.split())
    assert whole["sentence"] in words
    lines = [line.split() for line in table.out.splitlines()]
    rule = next(i for i, line in enumerate(lines) if line and set(line[0]) == {"-"})
    shown = lines[rule + 1 : rule + 1 + len(whole["points"])]
    assert [line[0] for line in shown] == [point["text"] for point in whole["points"]]
    assert "warning: 3 replications: intervals are rough below 20" in words
    assert table.out.splitlines()[-1].strip() == (
        "churnsim breakeven telecom --lever speed.agents --policy slow --against "
        "empowered --low 0 --high 3 --of contribution --replications 3 --seed 2026 "
        "--horizon '1 year' --set population.customers=200"
    )


def test_breakeven__json_keys(churnsim: Command) -> None:
    """The document holds what docs/breakeven.md lists."""
    answer = churnsim("breakeven", "telecom", *SMALL, *ASKED, "--json")
    whole = json.loads(answer.out)
    page = Path(__file__).parents[2] / "docs" / "breakeven.md"
    told = page.read_text(encoding="utf-8").partition("## The JSON document")[2]
    assert all(f"`{key}`" in told for key in whole)
    assert all(f"`{key}`" in told for key in whole["points"][0])
    assert whole["is_whole"]
    assert (whole["from"], whole["to"]) == (0.0, 3.0)


def test_breakeven__never_is_an_answer(churnsim: Command) -> None:
    """Where the sign never changes, that is said, with exit code 0."""
    given = (*AGENTS[:4], "--low", "2", "--high", "3", "--of", "contribution")
    answer = churnsim("breakeven", "telecom", *SMALL, *given)
    assert (answer.code, answer.err) == (0, "")
    words = " ".join(answer.out.split())
    assert "loses contribution against empowered recovery at every value tried" in words


def test_breakeven__heads_columns_in_plain_text(churnsim: Command) -> None:
    """The table has no mark in its head that only stood for a space."""
    lines = churnsim("breakeven", *SMALL, *ASKED).out.splitlines()
    heads = [line.split() for line in lines if line.split()[:1] == ["lost"]]
    assert heads == [["lost", "95", "%", "from", "95", "%", "to"]]
    single = churnsim("breakeven", *SMALL, "--replications", "1", *ASKED).out
    assert ["lost", "interval"] in [line.split() for line in single.splitlines()]


def test_breakeven__tells_what_one_agent_more_is_worth(churnsim: Command) -> None:
    """The document has the estimate, and the text its sentence."""
    given = (*AGENTS[:4], "--low", "2", "--high", "3", "--of", "contribution")
    whole = json.loads(churnsim("breakeven", *SMALL, *given, "--json").out)
    worth = whole["worth"]["yearly"]
    text = " ".join(churnsim("breakeven", *SMALL, *given).out.split())
    word = "costs" if worth["mean"] < 0.0 else "brings"
    amount = f"${abs(worth['mean']):,.0f}"
    assert worth["low"] < worth["mean"] < worth["high"]
    assert f"from 2 to 3 {word} slow recovery {amount} (rough" in text


def test_breakeven__writes_the_values_that_were_tried(churnsim: Command) -> None:
    """CSV, Parquet and Markdown hold a row for each point of the document."""
    given = ("breakeven", *SMALL, *ASKED)
    points = json.loads(churnsim(*given, "--json").out)["points"]
    answer = churnsim(*given, "--out", "values.csv")
    assert answer.code == 0
    assert answer.err == f"wrote {len(points)} values to values.csv\n"
    with Path("values.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["value"]) for row in rows] == [p["value"] for p in points]
    assert [float(row["yearly_low"]) for row in rows] == [
        point["yearly"]["low"] for point in points
    ]
    assert churnsim(*given, "--out", "values.parquet").code == 0
    table = pq.read_table("values.parquet").to_pylist()
    assert [row["total"] for row in table] == [p["total"]["mean"] for p in points]
    assert churnsim(*given, "--out", "values.md").code == 0
    text = Path("values.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) == 2 + len(points)
    refused = churnsim(*given, "--out", "values.csv")
    assert refused.code == ExitCode.INPUT
    assert "--force" in refused.err


@pytest.mark.parametrize("width", [60, 80, 140])
def test_breakeven__fits_the_width(
    width: int, churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider than the terminal, but for the commands to type."""
    monkeypatch.setattr(breakeven, "columns", lambda: width)
    lines = churnsim("breakeven", *SMALL, *ASKED).out.splitlines()
    told = [line for line in lines if not line.strip().startswith("churnsim ")]
    assert max(map(len, told)) <= width


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("telcom", *ASKED), "did you mean 'telecom'?"),
        (("--lever", "market.discvery", "--policy", "slow"), "did you mean"),
        (("--lever", "market.discovery", "--policy", "slwo"), "did you mean 'slow'?"),
        (("--policy", "slow"), "Missing option '--lever'"),
        ((*ASKED, "--low", "5"), "must be below high, 3"),
        ((*ASKED, "--horizon", "2"), "--horizon: must be a duration"),
        ((*ASKED, "--out", "x.txt"), "--out: must end in .csv, .parquet or .md"),
        (("--lever", "agents", "--policy", "slow"), "did you mean 'speed.agents'?"),
        (
            ("--lever", "approval.mean", "--policy", "slow"),
            "did you mean 'speed.approval.mean'?",
        ),
        (("--lever", "discovry", "--policy", "slow"), "'market.discovery'?"),
        ((*BILLING, "--high", "1"), f"--high: must be a value that {BILLING[1]} can"),
        (
            ("--lever", "honesty.lie", "--policy", "dishonest"),
            "--lever: must be able to change by itself; at 0, ",
        ),
        (
            ("--lever", "market.discovery", "--policy", "slow", "--against", "slwo"),
            "--against: must be one of",
        ),
    ],
)
def test_breakeven__refuses_in_one_line(
    arguments: tuple[str, ...], told: str, churnsim: Command
) -> None:
    """What cannot be is refused with exit code 2, and nothing goes to the output."""
    answer = churnsim("breakeven", *arguments)
    assert answer.code == ExitCode.INPUT
    assert told in answer.err
    assert answer.out == ""
    assert "Traceback" not in answer.err


def test_breakeven__tells_failed_replications(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others' table is shown, the failures are told, and the exit code is 5."""
    from churnsim.experiment import Breakeven

    error = PartialError("1 of 3 replications failed")
    monkeypatch.setattr(Breakeven, "error", lambda _: error)
    answer = churnsim("breakeven", *SMALL, *ASKED)
    assert answer.code == ExitCode.PARTIAL
    assert "speed.agents" in answer.out
    assert answer.err == "1 of 3 replications failed\n"


def test_breakeven__stopped_shows_what_is_finished(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the second value shows the first as partial and leaves with 130."""

    @contextmanager
    def impatient() -> Iterator[Report]:
        def report(done: int, _total: int, _failed: int) -> None:
            if done == 4:
                raise KeyboardInterrupt

        yield Report(report, lambda _: None)

    left: list[int] = []
    monkeypatch.setattr(breakeven, "progress", impatient)
    monkeypatch.setattr("churnsim.cli.os._exit", left.append)
    answer = churnsim("breakeven", *SMALL, *ASKED, "--threads", "1")
    assert left == [ExitCode.INTERRUPTED] == [answer.code]
    assert "PARTIAL: stopped after 1 value" in answer.out
    assert "Stopped early: 1 value of speed.agents" in answer.out
    assert answer.err == "interrupted: 1 value was finished\n"
