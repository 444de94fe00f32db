"""`churnsim extend`: more replications for a folder, as one types it."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from churnsim.errors import ExitCode
from churnsim.experiment import compare, write_results
from churnsim.experiment.store import extending
from tests.cli.conftest import Answer, Command
from tests.cli.test_run import SMALL_YEAR
from tests.experiment.conftest import SHOP
from tests.logs import shop_of_a_log

pytestmark = pytest.mark.compiled


def replications(n: int) -> tuple[str, str]:
    """Return the option for a number of replications."""
    return "--replications", str(n)


def contents(folder: str) -> dict[str, bytes]:
    """Return every file of a folder."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_extend__equals_the_longer_run(churnsim: Command) -> None:
    """Every file, and what is printed, is that of the run of as many."""
    options = (*SMALL_YEAR, "--policy", "slow", "--policy", "by_the_book")
    churnsim("run", *options, *replications(2), "--out", "few")
    many = churnsim("run", *options, *replications(4), "--out", "many")
    found = churnsim("extend", "few", *replications(4), "--threads", "1")
    told = "4 replications kept in few, 2 added; made again by: churnsim verify few\n"
    assert found == Answer(0, many.out, told)
    assert contents("few") == contents("many")
    again = churnsim("extend", "few", *replications(4), "--json")
    assert again.err == "few holds 4 replications already: nothing to do\n"
    document = churnsim("run", *options, *replications(4), "--json").out
    assert again == Answer(0, document, again.err)


def test_extend__tells_the_loss_by_lever_anew(churnsim: Command) -> None:
    """Levers that were kept are told from all replications, as the longer run does."""
    Path("shop.toml").write_text(SHOP, encoding="utf-8")
    options = ("shop.toml", "--policy", "slow", "--explain")
    churnsim("run", *options, *replications(2), "--out", "few")
    many = churnsim("run", *options, *replications(3), "--out", "many")
    found = churnsim("extend", "few", *replications(3))
    assert (found.code, found.out) == (0, many.out)
    assert "levers.md" in contents("few")
    assert contents("few") == contents("many")
    assert churnsim("extend", "few", *replications(3)).out == many.out
    assert churnsim("verify", "few").code == 0


def test_extend__without_the_levers_where_they_cannot_be_told(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replications are kept, with a command that makes just them; the rest is said."""
    from churnsim.errors import Problem, ResourceError
    from churnsim.experiment import Comparison

    def refuse(*_: object) -> Comparison:
        raise ResourceError(Problem("must fit"))

    Path("shop.toml").write_text(SHOP, encoding="utf-8")
    options = ("shop.toml", "--policy", "slow")
    churnsim("run", *options, "--explain", *replications(1), "--out", "few")
    churnsim("run", *options, *replications(2), "--out", "many")
    monkeypatch.setattr(Comparison, "explained", refuse)
    found = churnsim("extend", "few", *replications(2))
    assert found.code == ExitCode.RESOURCES
    assert "must fit" in found.err
    assert contents("few") == contents("many")


def test_extend__of_results_kept_from_python(churnsim: Command) -> None:
    """Where nobody said what made them, the folder's own scenario makes them again."""
    Path("shop.toml").write_text(SHOP, encoding="utf-8")
    for n, folder in ((1, "few"), (2, "many")):
        write_results(compare("shop.toml", replications=n, policies=["slow"]), folder)
    found = churnsim("extend", "few", *replications(2))
    assert found.code == 0
    assert contents("few") == contents("many")
    *_, again = found.out.splitlines()
    assert again.strip() == (
        "churnsim run few/scenario.toml --policy empowered --policy slow"
        " --policy flawless --replications 2 --seed 7"
    )
    tables = [churnsim(*again.split()[1:]).out, found.out]
    rows = [re.findall(r"(?m)^Revenue.*", table) for table in tables]
    assert rows[0] == rows[1] != []


def test_extend__notes_that_the_scenario_has_changed(churnsim: Command) -> None:
    """The folder's own scenario is run; that the file is another by now is noted."""
    # Without a seed of its own, each reading of the file draws another one.
    Path("shop.toml").write_text(SHOP.replace("seed = 7\n", ""), encoding="utf-8")
    churnsim("run", "shop.toml", *replications(1), "--out", "kept")
    assert "note" not in churnsim("extend", "kept", *replications(2)).err
    text = SHOP.replace("lock_in = 0.5", "lock_in = 0.6")
    Path("shop.toml").write_text(text, encoding="utf-8")
    for n in (3, 4):
        found = churnsim("extend", "kept", *replications(n))
        assert found.code == 0
        assert found.err.splitlines()[-1] == (
            "note: shop.toml is not what it was, or not here: these results are of"
            " kept/scenario.toml"
        )
        Path("shop.toml").unlink(missing_ok=True)
    assert churnsim("verify", "kept").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("kept",), ExitCode.INPUT, "Missing option '--replications'"),
        (("kept", *replications(1)), ExitCode.INPUT, "must be at least 2"),
        (("kept", *replications(0)), ExitCode.INPUT, "not in the range"),
        (("nowhere", *replications(9)), ExitCode.INPUT, "must be a folder of results"),
        (("damaged", *replications(9)), ExitCode.STORAGE, "runs.csv was changed"),
    ],
)
def test_extend__refuses_in_one_line(
    arguments: tuple[str, ...], code: ExitCode, told: str, churnsim: Command
) -> None:
    """What cannot be is refused with its exit code, and nothing goes to the output."""
    Path("shop.toml").write_text(SHOP, encoding="utf-8")
    for folder in ("kept", "damaged"):
        churnsim("run", "shop.toml", *replications(2), "--out", folder)
    Path("damaged/runs.csv").write_text("", encoding="utf-8")
    before = contents("kept")
    answer = churnsim("extend", *arguments)
    assert answer.code == code
    assert told in answer.err
    assert answer.out == ""
    assert "Traceback" not in answer.err
    assert contents("kept") == before


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Hear Ctrl-C as at a terminal: whoever runs tests behind a shell ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("place", ["read_kept", "comparison_of", "write_results"])
def test_extend__interrupted_outside_the_replications_changes_nothing(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Ctrl-C while results are read, or made but not written, is answered at once."""
    churnsim("run", *SMALL_YEAR, *replications(1), "--out", "few")
    before = contents("few")
    left: list[int] = []
    monkeypatch.setattr("churnsim.cli.os._exit", left.append)

    def long(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(30.0)
        raise AssertionError

    monkeypatch.setattr(extending, place, long)
    began = time.monotonic()
    answer = churnsim("extend", "few", *replications(2))
    assert time.monotonic() - began < 20.0
    assert left == [ExitCode.INTERRUPTED] == [answer.code]
    assert (answer.out, answer.err) == ("", "interrupted\n")
    assert contents("few") == before


@pytest.mark.usefixtures("interruptible")
def test_run__interrupted_while_its_log_is_read(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C is answered at once also while a log of transactions is fitted."""
    left: list[int] = []
    monkeypatch.setattr("churnsim.cli.os._exit", left.append)

    def long(_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(30.0)
        raise AssertionError

    monkeypatch.setattr("churnsim.population.fit_log", long)
    shop_of_a_log(Path(), 20)
    answer = churnsim("run", "own.toml", *replications(2))
    assert left == [ExitCode.INTERRUPTED] == [answer.code]
    assert (answer.out, answer.err) == ("", "interrupted\n")


def test_extend__tells_failed_replications(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are kept and shown, the failures are told, and the exit code is 5."""
    from churnsim.experiment import workers

    Path("shop.toml").write_text(SHOP, encoding="utf-8")
    churnsim("run", "shop.toml", *replications(1), "--out", "kept")
    run = workers.run_replication

    def fragile(job: Any, number: int, *rest: Any) -> Any:
        if number == 1:
            raise MemoryError("no room")
        return run(job, number, *rest)

    monkeypatch.setattr(workers, "run_replication", fragile)
    answer = churnsim("extend", "kept", *replications(3))
    assert answer.code == ExitCode.PARTIAL
    assert "PARTIAL: 1 of 3 replications failed" in answer.out
    assert "2 replications kept in kept, 1 added" in answer.err
    assert "replication 1 failed: MemoryError: no room" in answer.err
    manifest = json.loads(Path("kept/manifest.json").read_bytes())
    assert manifest["replications"] == [0, 2]
