"""`churnsim robust`: the text, the JSON, the files, the exit codes."""

import csv
import json
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from churnsim.cli import robust
from churnsim.cli.described import schema_of
from churnsim.cli.outputs import documents
from churnsim.cli.progress import Report
from churnsim.errors import ExitCode
from tests.cli.conftest import ROOT, Command
from tests.experiment.conftest import SHOP

pytestmark = pytest.mark.compiled

ASKED = (
    *("shop.toml", "--grade", "A", "--points", "2", "--replications", "3"),
    *("--set", "population.customers=40", "--set", 'policies=["empowered", "slow"]'),
    *("--parameter", "market.discovery=0..1", "--parameter", "market.lock_in=0..2"),
)


@pytest.fixture(autouse=True)
def shop(churnsim: Command, tmp_path: Path) -> None:
    """Put the file of a small shop where commands run."""
    del churnsim
    text = SHOP[: SHOP.index("[policy.patient]")].replace(', "patient", "=1+1"', "")
    (tmp_path / "shop.toml").write_text(text, encoding="utf-8")


def test_robust__text_and_json_have_the_same_numbers(churnsim: Command) -> None:
    """Sentences are the document's, and the command at the end makes the same text."""
    text = churnsim("robust", *ASKED)
    document = churnsim("robust", *ASKED, "--json")
    assert text.code == document.code == 0, text.err
    whole = json.loads(document.out)
    words = " ".join(text.out.split())
    assert len(whole["sentences"]) == 1
    assert all(" ".join(told.split()) in words for told in whole["sentences"])
    for world in (
        "Bad news travels twice as far",
        "Good news is three times as common",
    ):
        assert world in words
    assert {a["field"] for a in whole["assumptions"]} >= {
        "market.discovery",
        "market.lock_in",
    }
    again = text.out.splitlines()[-1].strip()
    assert again == whole["command"]
    assert churnsim(*shlex.split(again)[1:]).out == text.out


def test_robust__writes_a_table_and_a_chart(churnsim: Command, tmp_path: Path) -> None:
    """A row for each assumption and policy; the chart is a picture without a script."""
    answer = churnsim("robust", *ASKED, "--out", "lines.csv", "--plot", "lines.svg")
    assert answer.code == 0, answer.err
    with (tmp_path / "lines.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["policy"] for row in rows} == {"slow"}
    assert {row["assumption"] for row in rows} >= {"market.discovery", "market.lock_in"}
    svg = (tmp_path / "lines.svg").read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "<script" not in svg


def test_robust__interrupted_shows_what_is_finished(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ctrl-C shows the points until then, writes no file, and says so."""
    stop = threading.Event()

    @contextmanager
    def stopping() -> Iterator[threading.Event]:
        yield stop

    @contextmanager
    def progress(_: str) -> Iterator[Report]:
        def report(done: int, total: int, failed: int = 0) -> None:
            assert (done <= total, failed) == (True, 0)
            if done >= 4:
                stop.set()

        yield Report(report, lambda _: None)

    monkeypatch.setattr(robust, "stopping", stopping)
    monkeypatch.setattr(robust, "progress", progress)
    left: list[int] = []
    monkeypatch.setattr("churnsim.cli.os._exit", left.append)
    answer = churnsim("robust", *ASKED, "--threads", "1", "--out", "lines.csv")
    assert left == [ExitCode.INTERRUPTED] == [answer.code]
    assert "PARTIAL: stopped after" in answer.out
    assert "no file was written" in answer.err
    assert not (tmp_path / "lines.csv").exists()


def test_robust__fewer_customers_are_said_to_change_the_desk(churnsim: Command) -> None:
    """Where seats grow with the customers, a smaller firm's lines are its own."""
    few = ("--points", "1", "--replications", "2", "--customers", "20", "--grade", "A")
    one = ("--parameter", "market.lock_in=3..4", "--set", "horizon=30 days")
    answer = churnsim("robust", "telecom", *few, *one)
    assert answer.code == 0, answer.err
    assert "with fewer customers a desk has fewer seats" in " ".join(answer.out.split())
    assert "20 customers" in answer.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--grade", "E"), "--grade: must be letters of A, B, C and D"),
        (("--parameter", "market.lock_in"), "must be FIELD=LOW..HIGH"),
        (("--parameter", "market.lokc_in=1..2"), "did you mean 'market.lock_in'?"),
        (
            ("--set", 'policies=["empowered"]'),
            "must name a policy besides the baseline",
        ),
        (("--plot", "lines.pdf"), "must end in .svg or .png"),
        (("--points", "0"), "0 is not in the range"),
    ],
)
def test_robust__refuses_plainly(
    arguments: tuple[str, ...], told: str, churnsim: Command
) -> None:
    """What cannot be is told before anything is run."""
    answer = churnsim("robust", "shop.toml", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.err


@pytest.mark.parametrize("command", ["assumptions", "robust"])
def test_robust__json_keys_are_on_the_page(command: str) -> None:
    """docs/evidence.md lists every key of both documents and of what is in them."""
    page = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
    told = page.partition("## The JSON documents")[2]
    schema = schema_of(documents()[command])
    records = [part for name, part in schema["$defs"].items() if name != "Estimate"]
    for record in (schema, *records):
        assert [k for k in record["properties"] if f"`{k}`" not in told] == []
