"""`churnsim counterfactuals` and `churnsim story`: text, JSON, files, exit codes."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from churnsim.cli import counterfactuals, run, story
from churnsim.cli.progress import Report
from churnsim.errors import ExitCode, PartialError
from tests.cli.conftest import ROOT, Command

pytestmark = pytest.mark.compiled

SIZE = ("--horizon", "1 year", "--set", "population.customers=300")
SMALL = ("--replications", "3", *SIZE)
ENDS = ("--from", "slow_and_dishonest", "--to", "empowered")
PAGE = (ROOT / "docs" / "counterfactuals.md").read_text(encoding="utf-8")
TOLD = PAGE.partition("## The JSON documents")[2]


def document(command: Command, *arguments: str) -> dict[str, Any]:
    """Return the JSON document that a command answers."""
    answer = command(*arguments, "--json")
    assert answer.code == 0
    found: dict[str, Any] = json.loads(answer.out)
    return found


def numbers(row: list[str]) -> list[float]:
    """Return the first two figures of a row of the table of fates."""
    return [float(cell.replace(",", "")) for cell in row[3:5]]


def test_counterfactuals__table_and_json_have_the_same_numbers(
    churnsim: Command,
) -> None:
    """The table has the document's means of one replication, and its sentence."""
    answer = churnsim("counterfactuals", "telecom", *SMALL, *ENDS)
    assert answer.code == 0
    whole = document(churnsim, "counterfactuals", *SMALL, *ENDS)
    fates = whole["fates"]
    rows = [line.split() for line in answer.out.splitlines()]
    kept = next(r for r in rows if r[:3] == ["kept", "under", "slow_and_dishonest"])
    lost = next(r for r in rows if r[:3] == ["lost", "under", "slow_and_dishonest"])
    means = [fates[key] / 3 for key in ("kept_kept", "kept_lost")]
    assert numbers(kept) == pytest.approx(means, abs=0.5)
    means = [fates[key] / 3 for key in ("lost_kept", "lost_lost")]
    assert numbers(lost) == pytest.approx(means, abs=0.5)
    necessary = next(r for r in rows if r[:1] == ["necessary"])
    assert necessary[1] == f"{100 * whole['necessary']['mean']:.1f}"
    words = " ".join(answer.out.split())
    assert whole["sentence"] in words
    assert "warning: 3 replications: intervals are rough below 20" in words
    assert answer.out.splitlines()[-1].strip() == (
        "churnsim counterfactuals telecom --from slow_and_dishonest --to empowered "
        "--replications 3 --seed 2026 --horizon '1 year' "
        "--set population.customers=300"
    )


def test_counterfactuals__json_keys(churnsim: Command) -> None:
    """The document holds what docs/counterfactuals.md lists, and adds up."""
    whole = document(churnsim, "counterfactuals", *SMALL)
    parts = (whole, whole["fates"], whole["causes"][0], whole["won_once"])
    assert all(f"`{key}`" in TOLD for part in parts for key in part)
    assert (whole["from"], whole["to"]) == ("slow_and_dishonest", "empowered")
    fates, causes = whole["fates"], whole["causes"]
    for world, other in (("from", "lost_kept"), ("to", "kept_lost")):
        own = [turn for turn in causes if turn["lost_under"] == world]
        assert sum(turn["kept_by_other"] for turn in own) == fates[other]
        lost = fates[other] + fates["lost_lost"]
        assert sum(turn["lost"] for turn in own) == lost


def test_counterfactuals__files_have_the_same_rows(churnsim: Command) -> None:
    """CSV and Parquet hold the customers that the table counts; neither is lost."""
    whole = document(churnsim, "counterfactuals", *SMALL)
    given = ("counterfactuals", *SMALL, "--parting", "--out")
    answer = churnsim(*given, "who.csv")
    assert answer.code == 0
    assert churnsim(*given, "who.parquet").code == 0
    with Path("who.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    table = pq.read_table("who.parquet").to_pylist()
    n = whole["fates"]["lost_kept"] + whole["fates"]["kept_lost"]
    assert answer.err.splitlines()[-1] == f"wrote {n} customers to who.csv"
    assert len(rows) == len(table) == n > 0
    assert list(rows[0]) == list(table[0])
    assert churnsim(*given, "who.md").code == 0
    head, _, *cells = Path("who.md").read_text(encoding="utf-8").splitlines()
    assert head == f"| {' | '.join(rows[0])} |"
    assert len(cells) == n
    assert all(f"`{column}`" in PAGE for column in rows[0])
    for row, same in zip(rows, table, strict=True):
        assert row["customer"] == str(same["customer"])
        assert row["parted"] == str(same["parted"])
    before = Path("who.csv").read_bytes()
    refused = churnsim(*given, "who.csv")
    assert refused.code == ExitCode.INPUT
    assert "must not exist yet" in refused.err
    assert Path("who.csv").read_bytes() == before
    assert churnsim(*given, "who.csv", "--force").code == 0
    names = ["who.csv", "who.md", "who.parquet"]
    assert sorted(path.name for path in Path().iterdir()) == names


def test_counterfactuals__a_full_disk_leaves_the_old_file(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be written is a storage error; the file is as before, none is new."""
    given = ("counterfactuals", *SMALL, "--out", "who.csv", "--force")
    Path("who.csv").write_text("mine", encoding="utf-8")

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    answer = churnsim(*given)
    assert answer.code == ExitCode.STORAGE
    assert "No space left on device" in answer.err
    assert [path.name for path in Path().iterdir()] == ["who.csv"]
    assert Path("who.csv").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("telcom",), ExitCode.INPUT, "did you mean 'telecom'?"),
        (("--from", "slwo"), ExitCode.INPUT, "did you mean 'slow'?"),
        (("--to", "empwered"), ExitCode.INPUT, "did you mean 'empowered'?"),
        (("--replications", "0"), ExitCode.INPUT, "not in the range"),
        (("--out", "who.txt"), ExitCode.INPUT, "must end in .csv, .parquet or .md"),
        (("--out", "no/such.csv"), ExitCode.INPUT, "in a folder that exists"),
        (("--parting",), ExitCode.INPUT, "must come with --out"),
        (("--set", "population.customers=5000000000"), ExitCode.RESOURCES, "at most"),
    ],
)
def test_counterfactuals__refuses_in_one_line(
    arguments: tuple[str, ...], code: ExitCode, told: str, churnsim: Command
) -> None:
    """What cannot be is refused with its exit code, and nothing goes to the output."""
    answer = churnsim("counterfactuals", *arguments)
    assert answer.code == code
    assert told in answer.err
    assert answer.out == ""
    assert "Traceback" not in answer.err


def test_counterfactuals__same_policy_is_no_error(churnsim: Command) -> None:
    """A policy held against itself turns nobody: a plain sentence, exit code 0."""
    given = ("counterfactuals", *SMALL, "--from", "slow", "--to", "slow")
    answer = churnsim(*given)
    assert answer.code == 0
    assert "slow is held against itself: no customer's fate turns." in answer.out


def test_counterfactuals__nobody_is_no_error(churnsim: Command) -> None:
    """Without customers nobody is lost, and nothing is 'nan'."""
    nobody = ("population.customers=0", "population.prospects=0/year")
    pairs = [word for pair in nobody for word in ("--set", pair)]
    answer = churnsim("counterfactuals", *SMALL, *pairs, "--out", "nobody.csv")
    assert answer.code == 0
    assert "Nobody is lost under slow_and_dishonest." in answer.out
    assert "nan" not in answer.out.split()
    assert len(Path("nobody.csv").read_text(encoding="utf-8").splitlines()) == 1


def test_counterfactuals__tells_failed_replications(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others' table is shown, the failures are told, and the exit code is 5."""
    from churnsim.experiment import Counterfactuals

    error = PartialError("1 of 3 replications failed")
    monkeypatch.setattr(Counterfactuals, "error", lambda _: error)
    answer = churnsim("counterfactuals", *SMALL)
    assert answer.code == ExitCode.PARTIAL
    assert "together" in answer.out
    assert answer.err == "1 of 3 replications failed\n"


def test_counterfactuals__stopped_shows_what_is_finished(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C shows what is finished as partial, and leaves no file to take for all."""

    @contextmanager
    def impatient() -> Iterator[Report]:
        def report(done: int, _total: int, _failed: int) -> None:
            if done == 1:
                raise KeyboardInterrupt

        yield Report(report, lambda _: None)

    left: list[int] = []
    monkeypatch.setattr(counterfactuals, "progress", impatient)
    monkeypatch.setattr("churnsim.cli.os._exit", left.append)
    given = ("--threads", "1", "--out", "who.csv")
    answer = churnsim("counterfactuals", *SMALL, *given)
    assert left == [ExitCode.INTERRUPTED] == [answer.code]
    assert "PARTIAL: stopped after 1 of 3 replications" in answer.out
    assert "--replications 1 " in answer.out.splitlines()[-1]
    assert "who.csv was not written" in answer.err
    assert not Path("who.csv").exists()


def test_story__text_and_json_tell_the_same(churnsim: Command) -> None:
    """With --all each moment of the document is told, and the parting is marked."""
    churnsim("counterfactuals", *SIZE, "--replications", "1", "--out", "who.csv")
    with Path("who.csv").open(encoding="utf-8", newline="") as file:
        who = next(csv.DictReader(file))
    given = ("story", "telecom", "--customer", who["customer"], *ENDS, *SIZE)
    whole = document(churnsim, *given)
    assert all(f"`{key}`" in TOLD for key in whole)
    assert all(f"`{key}`" in TOLD for key in whole["lives"][0])
    assert all(f"`{key}`" in TOLD for key in whole["lives"][0]["events"][0])
    full = churnsim(*given, "--all").out
    lines = full.splitlines()
    for life in whole["lives"]:
        for event in life["events"]:
            assert any(
                line.startswith(event["when"]) and event["text"][:12] in line
                for line in lines
            )
    assert sum("here they part" in line for line in lines) == 1
    assert whole["sentence"] in " ".join(full.split())
    assert (
        int(who["micro_revenue_to"]) - int(who["micro_revenue_from"])
        == (whole["micro_difference"])
    )
    part = churnsim(*given).out
    assert "the same in both; --all tells them too." in part
    shared = whole["lives"][0]["events"][0]
    assert shared["text"] == "is a customer"
    assert "is a customer" in full
    assert "is a customer" not in part.partition("here they part")[2]
    assert lines[-1].strip() == (
        f"churnsim story telecom --customer {who['customer']} --replication 0 --from "
        "slow_and_dishonest --to empowered --all --seed 2026 --horizon '1 year' "
        "--set population.customers=300"
    )


def test_story__same_lives_are_said_plainly(churnsim: Command) -> None:
    """Under one policy both lives are the same: no mark, one plain sentence."""
    given = ("--customer", "3", "--from", "slow", "--to", "slow")
    answer = churnsim("story", *SIZE, *given)
    assert answer.code == 0
    assert "makes no difference to customer 3" in answer.out
    assert "here they" not in answer.out
    assert "the same in both worlds; --all tells them." in answer.out


@pytest.mark.parametrize("width", [60, 80, 140])
def test_texts__fit_the_width(
    width: int, churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider than the terminal, but for the command to type again."""
    for command in (counterfactuals, story):
        monkeypatch.setattr(command, "columns", lambda: width)
    lines = churnsim("counterfactuals", *SMALL).out.splitlines()
    assert max(map(len, lines[:-1])) <= width
    lines = churnsim("story", "--customer", "7", "--all", *SIZE).out.splitlines()
    assert max(map(len, lines[:-1])) <= width


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--customer", "99999"), "customer: must be from 0 to"),
        (("--customer", "-1"), "customer: must be from 0 to"),
        (("--customer", "1", "--from", "slwo"), "did you mean 'slow'?"),
        (("--customer", "1", "--to", "empwered"), "did you mean 'empowered'?"),
        (("--customer", "1", "--replication", "-1"), "not in the range"),
        ((), "Missing option '--customer'"),
    ],
)
def test_story__refuses_in_one_line(
    arguments: tuple[str, ...], told: str, churnsim: Command
) -> None:
    """What cannot be is refused with exit code 2, and nothing goes to the output."""
    answer = churnsim("story", *SIZE, *arguments)
    assert answer.code == ExitCode.INPUT
    assert told in answer.err
    assert answer.out == ""


def test_commands__start_where_run_does() -> None:
    """Both take the same scenario by default as `run`."""
    for command in (counterfactuals.counterfactuals_command, story.story_command):
        (argument,) = (p for p in command.params if p.name == "scenario")
        assert argument.default == run.DEFAULT
