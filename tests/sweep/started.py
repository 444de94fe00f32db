"""A Dask scheduler and workers, each a process, over loopback."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.cli.conftest import ROOT


class Started(NamedTuple):
    """A scheduler, and what starts workers for it."""

    address: str
    scheduler: subprocess.Popen[str]
    stack: contextlib.ExitStack

    def workers(
        self, n: int = 1, root: Path = ROOT, *, is_nursed: bool = False
    ) -> list[subprocess.Popen[str]]:
        """Return workers with one thread each, as they begin to take tasks.

        Those that are nursed come back when they are lost.
        """
        nanny = "--nanny" if is_nursed else "--no-nanny"
        words = ("worker", self.address, "--nthreads", "1", nanny)
        begun = [self.stack.enter_context(dask(*words, root=root)) for _ in range(n)]
        for process in begun:
            until(process, "Registered to")
        return begun


@contextlib.contextmanager
def dask(*words: str, root: Path = ROOT) -> Iterator[subprocess.Popen[str]]:
    """Yield a process of Dask's; it is killed at the end."""
    command = [sys.executable, "-m", "dask", *words]
    command += ["--no-dashboard", "--host", "127.0.0.1"]
    paths = {"PYTHONPATH": os.pathsep.join(dict.fromkeys([str(root), str(ROOT)]))}
    settings = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    with subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, **paths, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(process: subprocess.Popen[str], mark: str) -> None:
    """Read what a process tells until a line holds a mark; then let it talk on."""
    assert process.stderr is not None
    told = []
    for line in process.stderr:
        told.append(line)
        if mark in line:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return
    raise AssertionError(f"ended without {mark!r}: {''.join(told)}")


class After:
    """Does something once so many points are in the store."""

    def __init__(self, n_points: int, what: object) -> None:
        self._n_points = n_points
        self._what = what
        self.n_done = 0  # points, when it was done

    def __call__(self, done: int, _total: int, _failed: int) -> None:
        """Take note of how far it has come."""
        if done >= self._n_points and not self.n_done:
            self.n_done = done
            assert callable(self._what)
            self._what()
