"""`churnsim validate --all`: the table, its files, its exit codes, its page in docs."""

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from churnsim.engines.kernel.run import run_kernel
from churnsim.errors import ExitCode
from churnsim.records import Plan
from churnsim.report.validations import validation_markdown
from churnsim.validation import worlds
from churnsim.validation.checks import skipped
from churnsim.validation.pack import Validation, checks_of
from tests.cli.conftest import ROOT, Command

PAGE = ROOT / "docs" / "validation.md"
STATIC = 3  # columns of the page that no run changes: compared, source, must be


@pytest.mark.compiled
def test_validate_all__tells_each_figure_and_its_verdict(churnsim: Command) -> None:
    """A table with expected, found and verdict, within the width of a terminal."""
    answer = churnsim("validate", "--all", "--only", "tarp", "--threads", "2")
    assert (answer.code, answer.err) == (0, "")
    (row,) = (line for line in answer.out.splitlines() if "major loss, quick" in line)
    assert "0.8200 ± 0.005" in row
    assert row.split()[-1] == "pass"
    assert "TARP repurchase table, as printed by Goodman" in answer.out
    assert answer.out.endswith("all 13 figures came out\n")
    assert max(map(len, answer.out.splitlines())) <= 100


@pytest.mark.compiled
def test_validate_all__fails_on_a_wrong_engine(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Exit code 5, and the figures that did not come out are named with their value."""

    def run(plan: Plan, *rest: Any) -> int:
        market = plan.market._replace(stated_to_actual=0.95)
        return run_kernel(plan._replace(market=market), *rest)

    monkeypatch.setattr(worlds, "run_kernel", run)
    typed = ("validate", "--all", "--only", "tarp")
    answer = churnsim(*typed, "--out", "found.md")
    assert answer.code == ExitCode.PARTIAL
    assert "tarp: major loss, silent: buy again: must be near 0.09; got 0.13" in (
        answer.err
    )
    assert "figures did not come out" in answer.out
    page = (tmp_path / "found.md").read_text(encoding="utf-8")
    assert "| fail |" in page
    assert "    churnsim validate --all --only tarp --out found.md --force\n" in page
    answer = churnsim(*typed, "--json")
    assert answer.code == ExitCode.PARTIAL
    document = json.loads(answer.out)
    assert document["is_valid"] is False
    assert document["pack"]["failed"] > 0


def test_validate_all__keeps_figures_as_a_table(
    churnsim: Command, tmp_path: Path
) -> None:
    """CSV and Parquet hold a row a figure; files that are there are not replaced."""
    only = ("validate", "--only", "published")
    for name in ("found.csv", "found.parquet"):
        answer = churnsim(*only, "--out", name)
        assert answer.code == 0
        assert f"figures to {name}" in answer.err
    table = pq.read_table(tmp_path / "found.parquet")
    lines = (tmp_path / "found.csv").read_text(encoding="utf-8").splitlines()
    assert table.num_rows == len(lines) - 1 == len(_figures("published"))
    assert set(table.column("verdict").to_pylist()) <= {"pass", "skipped"}
    answer = churnsim(*only, "--out", "found.csv")
    assert answer.code == ExitCode.INPUT
    assert "must not exist yet" in answer.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("telecom", "--all"), "choose one: files, or --all"),
        ((), "missing argument 'FILE...'"),
        (("telecom", "--threads", "2"), "--threads is of --all"),
        (("--all", "--only", "erlnag"), "erlang"),
        (("--all", "--data", "nowhere"), "nowhere"),
        (("--all", "--out", "found.txt"), "must end in"),
    ],
)
def test_validate_all__refuses_what_does_not_go_together(
    arguments: tuple[str, ...], told: str, churnsim: Command
) -> None:
    """Files and the pack at once, options of the other, unknown groups and folders."""
    answer = churnsim("validate", *arguments)
    assert (answer.code, answer.out) == (ExitCode.INPUT, "")
    assert told in answer.err


def test_page__is_what_the_command_writes() -> None:
    """docs/validation.md has the pack's figures, sources and bounds; all came out."""
    nothing_seen = [
        found for check in checks_of() for found in skipped(check, "not looked at")
    ]
    command = "churnsim validate --all --out docs/validation.md --force"
    found = Validation(tuple(nothing_seen), is_stopped=False)
    expected = validation_markdown(found, command)
    page = PAGE.read_text(encoding="utf-8")
    assert _static(page) == _static(expected)
    assert "| fail |" not in page
    assert "| skipped |" not in page


def _figures(group: str) -> list[str]:
    return [f.what for check in checks_of((group,)) for f in check.figures]


def _static(page: str) -> list[str]:
    """Return a page's lines without what a run finds."""
    lines = []
    for line in page.splitlines():
        if line.startswith("| "):
            lines.append("|".join(line.split("|")[: STATIC + 1]))
        elif line and not re.match(r"\*\*|skipped, |fail, ", line):
            lines.append(line)
    return lines
