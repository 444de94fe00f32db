"""A small scenario for sweeps, and what those on a cluster begin with."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from churnsim.cli import main
from churnsim.scenario import Scenario, load_scenario
from tests.cli.conftest import Answer, Command
from tests.sweep.started import Started, dask, until


@pytest.fixture(scope="session")
def few() -> Scenario:
    """Return a telecom of fifty customers, whose runs take a moment."""
    return load_scenario("telecom", overrides={"population.customers": "50"})


@pytest.fixture
def cluster() -> Iterator[Started]:
    """Return a scheduler without workers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with contextlib.ExitStack() as stack:
        scheduler = stack.enter_context(dask("scheduler", "--port", str(port)))
        until(scheduler, "Scheduler at")
        yield Started(f"tcp://127.0.0.1:{port}", scheduler, stack)


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Return a function that runs a command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Answer:
        with pytest.raises(SystemExit) as left:
            main(arguments)
        captured = capsys.readouterr()
        return Answer(int(left.value.code or 0), captured.out, captured.err)

    return run
