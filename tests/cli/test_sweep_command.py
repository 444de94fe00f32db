"""`churnsim sweep`, `status`, `merge` and `export`, as one types them."""

import csv
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from churnsim.errors import ExitCode
from churnsim.sweep.store.reading import read_status
from tests.cli.conftest import Answer, Command, environment
from tests.cli.test_interrupt import MAIN
from tests.experiment.conftest import SHOP

pytestmark = pytest.mark.compiled

HEAD = """title = "Lock-in and a limit"
scenario = "telecom"
policies = ["empowered", "slow"]
replications = 2

[set]
"population.customers" = 50
horizon = "90 days"
"""
LOCK_IN = '\n[[factor]]\nfield = "market.lock_in"\nvalues = [0.1, 0.2, 0.4]\n'
# Truth, excuses and lies sum to 1: no lie alone can be told to all.
FAILING = '\n[[factor]]\nfield = "policy.slow.honesty.lie"\nvalues = [0.0, 1.0]\n'
# The base has 20,000 customers, so that a chunk holds three points; they have few.
MANY = """scenario = "telecom"
policies = ["empowered", "slow"]
replications = 2

[[factor]]
field = "population.customers"
low = 20
high = {high}
steps = {steps}
"""
NEVER = """
[[factor]]
field = "market.lock_in"
low = 0.1
high = 0.9
steps = 1000

[[factor]]
field = "market.discovery"
low = 0.1
high = 0.9
steps = 1000

[[factor]]
field = "unanswered.sting.mean"
low = 0.1
high = 0.9
steps = 1000
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the file of a sweep of three points."""
    path = tmp_path / "sweep.toml"
    path.write_text(HEAD + LOCK_IN, encoding="utf-8")
    return path


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    """Return the file of a sweep of which a point cannot be."""
    path = tmp_path / "failing.toml"
    path.write_text(HEAD + LOCK_IN + FAILING, encoding="utf-8")
    return path


def chunks(folder: str | Path) -> dict[str, bytes]:
    """Return the files of a store's chunks."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in Path(folder).rglob("*.parquet")
    }


def lines(answer: Answer) -> list[str]:
    """Return what a command printed, line by line."""
    return answer.out.splitlines()


@pytest.mark.usefixtures("file")
def test_sweep__makes_a_row_for_each_run(churnsim: Command) -> None:
    """Three points, two policies, two replications; the same command makes nothing."""
    first = churnsim("sweep", "sweep.toml", "--out", "kept")
    assert first.code == 0, first.err
    assert lines(first)[0] == "sweep: 3 of 3 points (100 %), 0 failed"
    table = pq.read_table("kept/chunks")
    assert table.num_rows == 12
    assert table["policy"].to_pylist()[:4] == ["empowered", "slow"] * 2
    before = chunks("kept")
    again = churnsim("sweep", "sweep.toml", "--out", "kept", "--json")
    assert json.loads(again.out)["made"] == 0
    assert chunks("kept") == before
    status = churnsim("status", "kept")
    assert lines(status)[0] == lines(first)[0]


@pytest.mark.usefixtures("file")
def test_sweep__dry_run_writes_nothing(churnsim: Command) -> None:
    """Points, runs, time and disk are told; a folder is neither needed nor made."""
    for arguments in (("--dry-run",), ("--dry-run", "--out", "kept")):
        answer = churnsim("sweep", "sweep.toml", *arguments)
        assert answer.code == 0
        assert lines(answer)[0] == "Lock-in and a limit: 3 points (grid), 12 runs"
        assert "on disk" in lines(answer)[1]
        assert not Path("kept").exists()
    document = json.loads(churnsim("sweep", "sweep.toml", "--dry-run", "--json").out)
    assert document["estimate"]["runs"] == 12
    assert document["status"] is None


def test_sweep__runs_are_those_of_the_policies_that_are_varied(
    churnsim: Command, tmp_path: Path
) -> None:
    """One policy at one point, two at another, two replications: six runs."""
    varied = (
        '\n[[factor]]\nfield = "policies"\nvalues = [["slow"], ["slow", "dishonest"]]\n'
    )
    head = HEAD.replace('policies = ["empowered", "slow"]\n', "")
    (tmp_path / "varied.toml").write_text(head + varied)
    found = json.loads(churnsim("sweep", "varied.toml", "--dry-run", "--json").out)
    assert (found["estimate"]["points"], found["estimate"]["runs"]) == (2, 6)
    assert churnsim("sweep", "varied.toml", "--out", "kept").code == 0
    rows = pq.read_table("kept/chunks", columns=["policies", "policy"]).to_pylist()
    assert len(rows) == 6
    assert {row["policies"] for row in rows} == {"slow", "slow + dishonest"}


def test_sweep__shards_are_merged_to_the_same_table(
    churnsim: Command, tmp_path: Path
) -> None:
    """Two halves give the chunks of the whole; merging them twice changes nothing."""
    many = MANY.format(high=31, steps=12)
    (tmp_path / "many.toml").write_text(many, encoding="utf-8")
    whole = churnsim("sweep", "many.toml", "--out", "whole", "--json")
    assert json.loads(whole.out)["status"]["chunks"] > 1, whole.out
    for part in ("1", "2"):
        answer = churnsim(
            "sweep", "many.toml", "--out", f"part{part}", "--shard", f"{part}/2"
        )
        assert answer.code == 0
        assert f", shard {part} of 2: " in lines(answer)[0]
    for _ in range(2):
        merged = churnsim("merge", "all", "part1", "part2", "--json")
        assert merged.code == 0
        status = json.loads(merged.out)
        assert status["is_complete"]
        assert status["digest"] == json.loads(whole.out)["status"]["digest"]
    assert chunks("all") == chunks("whole")
    other = churnsim("sweep", "many.toml", "--out", "part1", "--shard", "2/2")
    assert other.code in {ExitCode.INPUT, ExitCode.STORAGE}
    assert "shard" in other.err


@pytest.mark.usefixtures("failing")
def test_sweep__a_point_that_cannot_be_is_a_row(churnsim: Command) -> None:
    """Exit code 5; the row has the error, and the command that repeats it does so."""
    answer = churnsim("sweep", "failing.toml", "--out", "kept")
    assert answer.code == ExitCode.PARTIAL
    assert "6 failed" in lines(answer)[0] or "3 failed" in lines(answer)[0]
    failed = [row for row in pq.read_table("kept/chunks").to_pylist() if row["error"]]
    assert all(
        (row["policy"], row["replication"], row["revenue"]) == ("", -1, None)
        for row in failed
    )
    assert "must sum to 1" in failed[0]["error"]
    command, *words = failed[0]["command"].split(" ", 1)
    assert command == "churnsim"
    repeated = churnsim(*shlex.split(words[0]))
    assert repeated.code == ExitCode.INPUT
    assert "must sum to 1" in repeated.err
    again = churnsim("sweep", "failing.toml", "--out", "kept", "--json")
    assert (again.code, json.loads(again.out)["made"]) == (ExitCode.PARTIAL, 0)
    retried = churnsim(
        "sweep", "failing.toml", "--out", "kept", "--retry-failed", "--json"
    )
    assert retried.code == ExitCode.PARTIAL
    assert json.loads(retried.out)["status"]["failed"] == len(failed)
    stopped = churnsim("sweep", "failing.toml", "--out", "fast", "--fail-fast")
    assert stopped.code == ExitCode.PARTIAL


def test_sweep__a_thousand_million_points_are_refused_with_the_estimate(
    churnsim: Command, tmp_path: Path
) -> None:
    """Exit code 3: how long, how much, what to do instead. Nothing is written."""
    (tmp_path / "never.toml").write_text(HEAD + NEVER)
    answer = churnsim("sweep", "never.toml", "--out", "kept")
    assert answer.code == ExitCode.RESOURCES
    assert answer.out == ""
    assert "1,000,000,000 points, 4,000,000,000 runs" in answer.err
    assert "GB" in answer.err
    assert "take fewer points" in answer.err
    assert not Path("kept").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("sweep", "sweep.toml"), 2, "--out: is required, unless --dry-run"),
        (("sweep", "nowhere.toml", "--out", "d"), 2, "must be a file that can be"),
        (("sweep", "telecom_lever", "--out", "d"), 2, "did you mean 'telecom_levers'"),
        (("sweep", "sweep.toml", "--out", "sweep.toml"), 2, "must be a folder"),
        (("sweep", "sweep.toml", "--out", "full"), 2, "full"),
        (("sweep", "sweep.toml", "--out", "/proc/sweep"), 4, "must be writable"),
        (("sweep", "sweep.toml", "--out", "d", "--shard", "3/2"), 2, "must be I/N"),
        (("sweep", "sweep.toml", "--out", "d", "--shard", "0/2"), 2, "must be I/N"),
        (("sweep", "sweep.toml", "--out", "d", "--shard", "1"), 2, "must be I/N"),
        (("sweep", "sweep.toml", "--out", "d", "--shard", "1/²"), 2, "must be I/N"),
        (("sweep", "sweep.toml", "--out", "d", "--threads", "0"), 2, "--threads"),
        (("status", "nowhere"), 2, "must be a folder of a sweep"),
        (("status", "full"), 2, "must hold a sweep: there is no manifest.json"),
        (("merge", "d", "nowhere"), 2, "must be a folder of a sweep"),
        (("merge", "d"), 2, "Missing argument 'PART...'"),
        (("export", "nowhere", "--out", "x.csv"), 2, "must be a folder of a sweep"),
        (("export", "nowhere", "--out", "x.xlsx"), 2, "must end in .csv or .parquet"),
        (("export", "nowhere", "--out", "sweep.toml"), 2, "must end in .csv"),
    ],
)
@pytest.mark.usefixtures("file")
def test_sweep__mistakes_are_told_in_a_line(
    arguments: tuple[str, ...], code: int, told: str, churnsim: Command
) -> None:
    """What is wrong and what to do, no traceback, nothing on standard output."""
    Path("full").mkdir()
    Path("full/notes.txt").write_text("mine", encoding="utf-8")
    answer = churnsim(*arguments)
    assert (answer.code, answer.out) == (code, ""), answer.err
    assert told in answer.err
    assert "Traceback" not in answer.err
    assert Path("full/notes.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
@pytest.mark.usefixtures("file")
def test_sweep__needs_a_folder_that_it_may_write(churnsim: Command) -> None:
    """Exit code 4, before any point is run."""
    Path("kept").mkdir(mode=0o500)
    answer = churnsim("sweep", "sweep.toml", "--out", "kept/in")
    assert answer.code == ExitCode.STORAGE
    assert "must be writable" in answer.err


def test_sweep__a_store_of_another_sweep_is_refused(
    churnsim: Command, file: Path
) -> None:
    """With the difference; a comment more is no difference."""
    assert churnsim("sweep", "sweep.toml", "--out", "kept").code == 0
    text = file.read_text(encoding="utf-8")
    file.write_text(f"# The same.\n{text}", encoding="utf-8")
    assert churnsim("sweep", "sweep.toml", "--out", "kept").code == 0
    file.write_text(text.replace("0.4", "0.5"), encoding="utf-8")
    answer = churnsim("sweep", "sweep.toml", "--out", "kept")
    assert answer.code == ExitCode.INPUT
    assert "it is of sweep" in answer.err


def test_export__no_text_acts_as_a_formula(churnsim: Command, tmp_path: Path) -> None:
    """A policy named =1+1 stays text; all else is as in the store."""
    (tmp_path / "shop.toml").write_text(SHOP, encoding="utf-8")
    head = 'scenario = "shop.toml"\npolicies = ["slow", "=1+1"]\nreplications = 3\n'
    factor = LOCK_IN.replace("0.1, 0.2, 0.4", "0.1, 0.2")
    (tmp_path / "sweep.toml").write_text(head + factor, encoding="utf-8")
    assert churnsim("sweep", "sweep.toml", "--out", "kept").code == 0
    answer = churnsim("export", "kept", "--out", "rows.csv")
    assert answer == Answer(0, "", "wrote 12 rows to rows.csv\n")
    with Path("rows.csv").open(encoding="utf-8", newline="") as out:
        rows = list(csv.DictReader(out))
    assert {row["policy"] for row in rows} == {"slow", "'=1+1"}
    table = pq.read_table("kept/chunks")
    assert [float(row["revenue"]) for row in rows] == table["revenue"].to_pylist()
    assert not any(
        value.startswith(("=", "@", "\t", "\r"))
        for row in rows
        for value in row.values()
    )


@pytest.mark.usefixtures("failing")
def test_export__is_the_store_as_one_file(churnsim: Command) -> None:
    """Parquet with the same columns and rows; no file is replaced unasked."""
    churnsim("sweep", "failing.toml", "--out", "kept")
    answer = churnsim("export", "kept", "--out", "rows.parquet", "--json")
    assert json.loads(answer.out) == {"written": ["rows.parquet"]}
    found, expected = pq.read_table("rows.parquet"), pq.read_table("kept/chunks")
    assert found.equals(expected.select(found.column_names))
    refused = churnsim("export", "kept", "--out", "rows.parquet")
    assert (refused.code, "--force" in refused.err) == (ExitCode.INPUT, True)
    assert churnsim("export", "kept", "--out", "rows.parquet", "--force").code == 0
    assert not list(Path().glob("*.tmp"))


def test_sweep__ctrl_c_leaves_a_store_that_goes_on(tmp_path: Path) -> None:
    """Exit code 130, told with which command; status meanwhile; then the same table."""
    many = MANY.format(high=3019, steps=3000)
    (tmp_path / "long.toml").write_text(many, encoding="utf-8")
    arguments = ["sweep", "long.toml", "--out", "kept", "--threads", "1"]
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, *arguments],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        done, waited = 0, time.monotonic()
        while done == 0 and time.monotonic() - waited < 60.0:
            time.sleep(0.2)
            if (tmp_path / "kept" / "manifest.json").is_file():
                done = read_status(tmp_path / "kept").n_done
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    status = read_status(tmp_path / "kept")
    assert 0 < status.n_done < 3000
    assert not status.is_complete
    assert running.returncode == ExitCode.INTERRUPTED, (out, err)
    assert "finishing the points under way; Ctrl-C again leaves at once\n" in err
    assert "interrupted; go on with: churnsim " in err
    assert f"{status.n_done:,} of 3,000 points" in out
    assert "left: about" in out
