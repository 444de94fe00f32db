"""`churnsim targets`: from a firm's own data to the figures that a fit needs."""

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from churnsim.cli import progress
from churnsim.errors import ExitCode
from churnsim.units import parse_rate
from tests.cli.conftest import ROOT, Command
from tests.data.made import SMALL, twice, write_large, write_log

PAGE = ROOT / "docs" / "data.md"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log of eight customers."""
    return write_log(tmp_path / "events.csv", twice(SMALL))


def test_targets__prints_figures_with_errors(log: Path, churnsim: Command) -> None:
    """Rows read, each figure with its error, and what the log does not tell."""
    answer = churnsim("targets", log.name)
    assert (answer.code, answer.err) == (0, "")
    assert "34 rows read, 34 kept" in answer.out
    lines = [line for line in answer.out.splitlines() if line.startswith("  ")]
    rows = {line.split()[0]: line for line in lines}
    assert "40.1 %/year" in rows["churn"]
    assert "s.e." in rows["churn"]
    assert "of 4" in rows["churn_after_complaint"]
    assert rows["wait"].endswith(
        "no column of a log of events holds it: add it by hand"
    )


def test_targets__profile_says_what_was_left_out(log: Path, churnsim: Command) -> None:
    """`--profile` tells columns, counts, and each reason with its first lines."""
    with log.open("a", encoding="utf-8") as file:
        file.write("0ann,2020-01-01,contact,,,,\nnobody,2021-05-05,contact,,,,\n")
        file.write("0ann,2021-05-05,LOGIN,,,,\n")
    answer = churnsim("targets", log.name, "--profile", "--event", "LOGIN=drop")
    assert answer.code == 0
    for told in (
        "37 rows read, 34 kept, 2 make no sense",
        'customer = "customer"',
        "10 purchases, 6 renewals, 4 problems, 8 contacts, 2 resolutions, 4 cancels",
        "before the customer's first purchase or renewal (line 36)",
        "of customers without a purchase, renewal or acquired_at (line 37)",
        "of events that the mapping drops (line 38)",
        "0 of 2 that fell due",
    ):
        assert told in answer.out


def test_targets__writes_a_targets_file(log: Path, churnsim: Command) -> None:
    """`--out` writes each figure once, as files hold it, and is not overwritten."""
    words = ("targets", log.name, "--policy", "slow", "--source", "2021 & 2022")
    answer = churnsim(*words, "--out", "targets.toml")
    assert answer.code == 0
    assert "wrote 10 targets to targets.toml" in answer.out
    text = Path("targets.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)
    assert found["policy"] == "slow"
    targets = {(t["figure"], t.get("outcome")): t for t in found["targets"]}
    assert len(targets) == 10
    assert all(t["source"] == "2021 & 2022" for t in targets.values())
    assert all(("error" in t) != ("of" in t) for t in targets.values())
    per_year = parse_rate(targets["churn", None]["value"]) * 365.25
    assert per_year == pytest.approx(4 / (2 * 1821) * 365.25, rel=1e-5)
    assert targets["churn_after_complaint", None] == {
        "figure": "churn_after_complaint",
        "value": 0.5,
        "of": 4,
        "source": "2021 & 2022",
    }
    assert targets["repurchase", "quick"]["value"] == 1.0
    again = churnsim(*words, "--out", "targets.toml")
    assert again.code == ExitCode.INPUT
    assert "must not exist yet" in again.err
    # The command in its head makes the same file.
    (typed,) = re.findall(r"(?m)^#   churnsim (.*)$", text)
    assert churnsim(*shlex.split(typed), "--force").code == 0
    assert Path("targets.toml").read_text(encoding="utf-8") == text


def test_targets__json_holds_the_profile(log: Path, churnsim: Command) -> None:
    """One document: rows, reasons with places, figures, and why others are missing."""
    with log.open("a", encoding="utf-8") as file:
        file.write("0ann,2021-05-05,purchase,-3,,,\n")
    answer = churnsim("targets", log.name, "--json", "--quick", "6 h")
    document = json.loads(answer.out)
    assert (document["rows"], document["kept"]) == (35, 34)
    assert document["faulty"] == [
        {"reason": "with an amount below 0", "rows": 1, "first": [36]}
    ]
    assert document["log"]["events"]["contact"] == 8
    assert {item["figure"] for item in document["left_out"]} == {"wait", "abandonment"}
    assert document["table"] is None


def test_targets__reads_a_cross_section(churnsim: Command) -> None:
    """A row for each customer: who churned, who complained, both."""
    write_log(
        Path("table.csv"), "Exited,Complain,Age\n1,1,40\n0,0,30\n0,1,20\n1,0,10\n"
    )
    words = ("targets", "table.csv", "--layout", "cross-section", "--profile")
    answer = churnsim(*words, "--period", "6 months")
    assert answer.code == 0
    assert "2, of whom 1 churned" in answer.out
    assert '"Age"' in answer.out
    assert "churn_after_complaint  0.5" in answer.out


def test_targets__counts_within_the_window(log: Path, churnsim: Command) -> None:
    """From mid-2021 to its end: half of the losses, the last second included."""
    days = ("--start", "2021-07-01", "--end", "2021-12-31")
    answer = churnsim("targets", log.name, *days, "--profile")
    assert "2021-07-01 00:00:00 to 2021-12-31 23:59:59 UTC" in answer.out
    assert "2 lost in" in answer.out
    later = ("--end", "2024-12-31", "--lost-after", "1 year")
    late = churnsim("targets", log.name, *later)
    assert "warning: the window ends 732 days after the last row" in late.err
    assert "all customers of the log are lost" in late.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--out", "t.toml"), "--policy: is needed with --out"),
        (("--out", "t.csv", "--policy", "slow"), "--out: must end in .toml"),
        (("--column", "customer"), "--column: must be a name, ="),
        (("--column", "custmer=x"), "--column: must be one of customer, time"),
        (("--column", "customer=custom"), "did you mean 'customer'?"),
        (("--event", "x=purchas"), "--event: must be one of purchase"),
        (("--time-zone", "Europe/Berln"), "--time-zone: must be a time zone"),
        (("--quick", "fast"), "--quick: must be a duration"),
        (("--quick", "0 s"), "--quick: must be above 0"),
        (("--faulty-max", "200%"), "--faulty-max: must be from 0 to 100 %"),
        (("--period", "1 year"), "--period: is of a cross-section"),
        (
            ("--layout", "cross-section", "--start", "2021-01-01"),
            "--start: is of a log",
        ),
        (
            ("--mapping", "nowhere.toml"),
            "nowhere.toml: must be a file that can be read",
        ),
        (("--start", "2022-01-01", "--end", "2021-01-01"), "must end after it starts"),
    ],
)
def test_targets__refuses_with_rule_and_cure(
    arguments: tuple[str, ...], told: str, log: Path, churnsim: Command
) -> None:
    """What cannot be meant: exit code 2, the option, no output."""
    answer = churnsim("targets", log.name, *arguments)
    assert (answer.code, answer.out) == (ExitCode.INPUT, "")
    assert told in answer.err


def test_targets__tells_how_far_it_has_come(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal, lines on standard error say how many rows are read."""
    monkeypatch.setattr(progress, "HEARTBEAT", 0.02)
    monkeypatch.setattr(progress, "HEARTBEAT_MAX", 0.02)  # else it may be done between
    write_large(Path("large.csv"), 100_000)
    answer = churnsim("targets", "large.csv", "--json")
    assert json.loads(answer.out)["rows"] == 100_000
    assert re.search(r"(?m)^\d+ s, \d+ of 100000 rows", answer.err)


def test_targets__writes_no_file_without_a_figure(churnsim: Command) -> None:
    """A table that tells nothing makes no targets file, and says why."""
    write_log(Path("table.csv"), "churned\n1\n1\n")
    words = ("--layout", "cross-section", "--policy", "slow", "--out", "t.toml")
    answer = churnsim("targets", "table.csv", *words, "--json")
    assert answer.code == ExitCode.INPUT
    assert "from all no rate can be told" in answer.err
    assert not Path("t.toml").exists()


def test_docs__the_worked_example_is_what_the_commands_print(churnsim: Command) -> None:
    """The log and the mapping of docs/data.md give, typed as there, what it shows."""
    text = PAGE.read_text(encoding="utf-8")
    for name, kind in (("events.csv", "csv"), ("mapping.toml", "toml")):
        content = re.findall(rf"(?s)```{kind}\n(.*?)```", text)[0]
        write_log(Path(name), content)
    shown = re.findall(r"(?s)\n    churnsim ([^\n]+)\n\n```text\n(.*?)```", text)
    assert len(shown) == 2
    for typed, printed in shown:
        answer = churnsim(*shlex.split(typed))
        assert (answer.code, answer.err) == (0, "")
        assert answer.out == printed
    assert Path("targets.toml").is_file()
