"""`churnsim staff`: the table, the JSON, the exit codes."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from churnsim.cli import staff
from churnsim.cli.progress import Report
from churnsim.errors import ExitCode, PartialError
from tests.cli.conftest import ROOT, Command
from tests.experiment.callers import CALLERS

pytestmark = pytest.mark.compiled

FEW = ("--replications", "2", "--horizon", "7 days")
ASKED = ("staff", "callers.toml", "--target", "80% in 20s")
WEEK = ("staff", "callers.toml", "--target", "80% in 1 min", "--policy", "slow")


@pytest.fixture(autouse=True)
def desk(tmp_path: Path) -> None:
    """Put the file of a firm that is nothing but a desk where commands are typed."""
    (tmp_path / "callers.toml").write_text(CALLERS, encoding="utf-8")


def test_staff__table_and_json_have_the_same_numbers(churnsim: Command) -> None:
    """A row for each shift, the sentences, the setting, and how to have it again."""
    table = churnsim(*WEEK, *FEW)
    document = churnsim(*WEEK, *FEW, "--json")
    assert table.code == document.code == 0
    whole = json.loads(document.out)
    words = " ".join(table.out.split())
    assert whole["sentence"] in words
    assert f"As a setting: {whole['setting']} " in words
    for shift in whole["shifts"]:
        (line,) = (x for x in table.out.splitlines() if x.startswith(shift["hours"]))
        cells = line.removeprefix(shift["hours"]).replace(" %", "%").split()
        levels = [shift["level"][end] for end in ("mean", "low", "high")]
        assert cells == [
            f"{shift['present']}",
            f"{100 * shift['present_level']['mean']:.1f}%",
            f"{shift['start']}",
            f"{shift['agents']}",
            *(f"{100 * level:.1f}%" for level in levels),
            f"{100 * shift['fewer_level']['mean']:.1f}%",
        ]
    wages = f"${whole['found']['wages']:,.0f} a year instead of"
    assert wages in words
    assert "warning: 2 replications: intervals are rough below 20" in words
    assert table.out.splitlines()[-1].strip() == (
        "churnsim staff callers.toml --target '80% in 1 min' --policy slow "
        "--replications 2 --seed 11 --horizon '7 days'"
    )


def test_staff__json_keys(churnsim: Command) -> None:
    """The document holds what docs/staffing.md lists."""
    whole = json.loads(churnsim(*ASKED, *FEW, "--json").out)
    page = (ROOT / "docs" / "staffing.md").read_text(encoding="utf-8")
    told = page.partition("## The JSON document")[2]
    assert all(f"`{key}`" in told for key in whole)
    assert all(f"`{key}`" in told for key in whole["shifts"][0])
    assert all(f"`{key}`" in told for key in whole["present"])
    assert all(f"`{key}`" in told for key in whole["target"])
    assert whole["policy"] == "empowered"


def test_staff__setting_can_be_run(churnsim: Command) -> None:
    """Given back to `run` it has the level that was found."""
    options = ("--set", 'market.when_closed="give_up"', *FEW)
    whole = json.loads(churnsim(*ASKED, *options, "--json").out)
    again = ("run", "callers.toml", *options, "--set", whole["setting"], "--json")
    figures = json.loads(churnsim(*again).out)["policies"]["empowered"]["figures"]
    assert figures["front_service_level"] == whole["found"]["level"]


def test_staff__seed_threads_and_settings_count(churnsim: Command) -> None:
    """Another seed gives other numbers, another number of threads the same."""
    usual = churnsim(*ASKED, *FEW, "--json").out
    assert churnsim(*ASKED, *FEW, "--threads", "1", "--json").out == usual
    other = json.loads(churnsim(*ASKED, *FEW, "--seed", "12", "--json").out)
    assert (other["seed"], json.loads(usual)["seed"]) == (12, 11)
    assert other["found"] != json.loads(usual)["found"]
    slower = ('policy_defaults.speed.handle="12 min"',)
    longer = json.loads(churnsim(*ASKED, *FEW, "--set", *slower, "--json").out)
    assert longer["found"]["agents"] > json.loads(usual)["found"]["agents"]


def test_staff__out_of_reach_is_an_answer(churnsim: Command) -> None:
    """100 % is answered in words, with exit code 0 and no number."""
    answer = churnsim("staff", "callers.toml", "--target", "100% in 20s", *FEW)
    assert answer.code == 0
    words = " ".join(answer.out.split())
    assert "No staffing is sure to handle 100 % of contacts within 20 s" in words
    assert "As a setting" not in words
    assert "no data" in words


def test_staff__one_replication_has_no_interval(churnsim: Command) -> None:
    """The table says "none", the sentence why."""
    answer = churnsim(*ASKED, *FEW[2:], "--replications", "1")
    line = next(x for x in answer.out.splitlines() if x.startswith("round the clock"))
    assert "none" in line.split()
    assert "one replication, so no interval" in " ".join(answer.out.split())


def test_staff__writes_the_shifts(churnsim: Command) -> None:
    """CSV and Parquet hold a row for each shift of the document."""
    shifts = json.loads(churnsim(*WEEK, *FEW, "--json").out)["shifts"]
    answer = churnsim(*WEEK, *FEW, "--out", "shifts.csv")
    assert answer.err == "wrote 2 shifts to shifts.csv\n"
    with Path("shifts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["hours"] for row in rows] == [shift["hours"] for shift in shifts]
    assert [int(row["agents"]) for row in rows] == [s["agents"] for s in shifts]
    assert churnsim(*WEEK, *FEW, "--out", "shifts.parquet").code == 0
    table = pq.read_table("shifts.parquet").to_pylist()
    assert [row["level"] for row in table] == [s["level"]["mean"] for s in shifts]
    refused = churnsim(*WEEK, *FEW, "--out", "shifts.csv")
    assert refused.code == ExitCode.INPUT
    assert "--force" in refused.err


@pytest.mark.parametrize("width", [60, 80, 140])
def test_staff__fits_the_width(
    width: int, churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider than the terminal, but for what is to be typed."""
    monkeypatch.setattr(staff, "columns", lambda: width)
    lines = churnsim(*WEEK, *FEW).out.splitlines()
    typed = ("churnsim ", "policy.")
    told = [line for line in lines if not line.strip().startswith(typed)]
    assert max(map(len, told)) <= width


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("telcom", "--target", "80% in 20s"), "did you mean 'telecom'?"),
        ((), "Missing option '--target'"),
        (("--target", "80 in 20"), "--target: must be a share of contacts and a time"),
        (("--target", "120% in 20s"), "--target: must have a share above 0 %"),
        (("--target", "80% in -3 s"), "--target: must have a time of 0 s or more"),
        (("--target", "80% in 20s", "--policy", "slwo"), "did you mean 'slow'?"),
        (("--target", "80% in 20s", "--horizon", "2"), "--horizon: must be a duration"),
        (("--target", "80% in 20s", "--replications", "0"), "0 is not in the range"),
        (("--target", "80% in 20s", "--out", "x.txt"), "--out: must end in .csv"),
        (("--target", "80% in 20s", "--set", "market.lok_in=1"), "mean 'lock_in'?"),
    ],
)
def test_staff__refuses_in_one_line(
    arguments: tuple[str, ...], told: str, churnsim: Command
) -> None:
    """What cannot be is refused with exit code 2, and nothing goes to the output."""
    answer = churnsim("staff", *arguments)
    assert answer.code == ExitCode.INPUT
    assert told in answer.err
    assert answer.out == ""
    assert "Traceback" not in answer.err


def test_staff__tells_failed_replications(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others' table is shown, the failures are told, and the exit code is 5."""
    from churnsim.experiment import Staffing

    error = PartialError("1 of 3 replications failed")
    monkeypatch.setattr(Staffing, "error", lambda _: error)
    answer = churnsim(*ASKED, *FEW)
    assert answer.code == ExitCode.PARTIAL
    assert "round the clock" in answer.out
    assert answer.err == "1 of 3 replications failed\n"


def test_staff__stopped_shows_what_is_finished(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the second staffing shows the first as partial, and leaves with 130."""

    @contextmanager
    def impatient() -> Iterator[Report]:
        def report(done: int, _total: int, _failed: int) -> None:
            if done == 3:
                raise KeyboardInterrupt

        yield Report(report, lambda _: None)

    left: list[int] = []
    monkeypatch.setattr(staff, "progress", impatient)
    monkeypatch.setattr("churnsim.cli.os._exit", left.append)
    answer = churnsim(*ASKED, *FEW, "--threads", "1", "--out", "shifts.csv")
    assert left == [ExitCode.INTERRUPTED] == [answer.code]
    assert "PARTIAL: stopped after 1 staffing" in answer.out
    assert "Stopped early: 1 staffing of the front desk" in answer.out
    assert "shifts.csv was not written" in answer.err
    assert "interrupted: 1 staffing was finished" in answer.err
