"""The validation pack: all checks, made on threads, and what came of them."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from churnsim.experiment.replications import WORKERS_MAX, available_cores
from churnsim.given import refused, whole_number
from churnsim.jit import uncollected
from churnsim.scenario.files import close_to
from churnsim.validation import (
    contacts,
    coverage,
    desks,
    honesty,
    lifetimes,
    models,
    orderings,
    perception,
    published,
    repeated,
    repurchase,
    twins,
    worlds,
)
from churnsim.validation.checks import Check, Finding, Verdict, findings_of, skipped

WATCH = 0.1  # how often a wait looks whether to stop [s]

# In the order of the report, with what each compares.
GROUPS = {
    lifetimes.GROUP: "Lifetimes and their value, by closed forms",
    published.GROUP: "Published tables, by the fits of churnsim fit",
    desks.GROUP: "Front desks, by Erlang's formulas",
    repurchase.GROUP: "Repurchase after a problem, by TARP's table",
    repeated.GROUP: "A failure and another one, by a survey of shoppers",
    contacts.GROUP: "Contacts until a case is settled",
    honesty.GROUP: "The signature of honesty",
    orderings.GROUP: "Complaints and recovery, by the orderings of Knox & van Oest",
    perception.GROUP: "The firm's view beside the truth",
    twins.GROUP: "Two engines, bit for bit",
    coverage.GROUP: "How often intervals hold what they should",
}

Progress = Callable[[int, int], None]  # checks done, of how many


class Validation(NamedTuple):
    """What the pack found."""

    findings: tuple[Finding, ...]  # in the order of GROUPS
    is_stopped: bool

    def of(self, verdict: Verdict) -> tuple[Finding, ...]:
        """Return the findings with one verdict."""
        return tuple(found for found in self.findings if found.verdict == verdict)

    def sentence(self) -> str:
        """Return how many figures came out, failed and were skipped."""
        n_failed, n_skipped = len(self.of("fail")), len(self.of("skipped"))
        n_made = len(self.findings) - n_skipped
        left = f"; {n_skipped} skipped" if n_skipped else ""
        if n_failed:
            return f"{n_failed} of {n_made} figures did not come out{left}"
        if n_made < 2:
            return f"{n_made or 'no'} figure came out{left}"
        return f"all {n_made} figures came out{left}"


def checks_of(groups: Sequence[str] = (), data: Path | None = None) -> list[Check]:
    """Return the checks of some groups, in the order of GROUPS.

    Args:
        groups: Names of GROUPS; none: all.
        data: Folder of the data sets that some figures were published of.

    Raises:
        InputError: There is no such group.
    """
    for name in groups:
        if name not in GROUPS:
            rule = f"must be one of {', '.join(GROUPS)}"
            raise refused("only", name, rule, close_to(name, GROUPS))
    made = (
        *(*lifetimes.checks(), *published.checks(data), *models.checks()),
        *(
            *desks.checks(),
            *repurchase.checks(),
            *repeated.checks(),
            *contacts.checks(),
        ),
        *(*honesty.checks(), *orderings.checks(), *perception.checks()),
        *(*twins.checks(), *coverage.checks()),
    )
    return [check for check in made if not groups or check.group in groups]


def run_pack(
    checks: Sequence[Check],
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Validation:
    """Return what checks find; the same whatever the number of threads.

    Args:
        checks: From `checks_of`.
        threads: Checks at once; None: one a core.
        progress: Is told how many checks are done.
        stop: Set it, and checks that are not finished are skipped.

    Raises:
        InputError: A number of threads that there cannot be.
    """
    n = available_cores() if threads is None else threads
    n = whole_number("threads", n, 1, WORKERS_MAX)
    stop = stop or threading.Event()
    finished = _made(checks, min(n, len(checks)), progress, stop)
    findings = [
        found
        for i, check in enumerate(checks)
        for found in finished.get(i, ()) or skipped(check, "interrupted")
    ]
    return Validation(tuple(findings), is_stopped=len(finished) < len(checks))


def _made(
    checks: Sequence[Check],
    n_threads: int,
    progress: Progress | None,
    stop: threading.Event,
) -> dict[int, list[Finding]]:
    """Return the findings of the checks that were finished, by their place.

    Threads are daemons: a running kernel cannot be interrupted, so whoever stops the
    pack is answered at once and leaves them behind.
    """
    todo: queue.Queue[int] = queue.Queue()
    done: queue.Queue[tuple[int, list[Finding]]] = queue.Queue()
    for i in sorted(range(len(checks)), key=lambda i: -checks[i].cost):
        todo.put(i)
    lock = threading.Lock()

    needs_kernel = any(check.group != published.GROUP for check in checks)

    def work() -> None:
        if needs_kernel:
            # Compiles, once for all. Where that fails, each check tells so itself.
            with contextlib.suppress(Exception), lock, uncollected():
                worlds.run(worlds.World())
        with contextlib.suppress(queue.Empty):
            while not stop.is_set():
                i = todo.get_nowait()
                done.put((i, findings_of(checks[i])))

    for _ in range(n_threads):
        threading.Thread(target=work, daemon=True).start()
    finished: dict[int, list[Finding]] = {}
    while len(finished) < len(checks) and not stop.is_set():
        with contextlib.suppress(queue.Empty):
            i, found = done.get(timeout=WATCH)
            finished[i] = found
            if progress is not None:
                progress(len(finished), len(checks))
    return finished
