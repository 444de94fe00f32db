"""What a worker of a cluster does: chunks of a sweep, and replications or their sites.

A sweep travels as texts, and what replications consist of as Dask sends records. The
scheduler loads this module too, so what is heavy is imported in the functions.
"""

from __future__ import annotations

import functools
import hashlib
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from churnsim.errors import ChurnsimError
    from churnsim.experiment.schedule import Work as Unit
    from churnsim.experiment.workers import Job
    from churnsim.sweep.plan import Sweep
    from churnsim.sweep.rows import Failed, Row
    from churnsim.sweep.store.writing import Made
    from churnsim.sweep.work import Evaluate, Work

    Evaluator = Callable[[Sweep], Evaluate]

ORDERS_KEPT = 2  # sweeps that a worker holds ready
JOBS_KEPT = 8  # as many points of a sweep may be under way at once

_BUILDING = threading.Lock()  # a sweep is read, and its kernel compiled, once


class Order(NamedTuple):
    """A sweep as it is sent to workers, with each chunk."""

    identity: tuple[tuple[str, str], ...]  # of churnsim here, by name
    sweep: bytes  # the text of its file, compressed
    scenario: bytes  # the text of its scenario, compressed
    name: str  # of the scenario, for messages
    source: str  # how it was named, for commands
    digest: str  # of all that it means
    chunk_points: int


@dataclass(frozen=True)
class JobOrder:
    """What replications consist of, as it is sent with each of them, or of their sites.

    Equal keys mean equal jobs, so that a worker compiles and reads for the first only.
    """

    identity: tuple[tuple[str, str], ...]  # of churnsim here, by name
    key: str
    job: Job[Any] = field(compare=False)


class Done(NamedTuple):
    """What came of a replication, or of a site of it."""

    result: Any
    seconds: float  # it took


class Refused(NamedTuple):
    """Why a worker makes no chunk."""

    worker: str  # its address
    rule: str  # that must hold
    hint: str  # the cure


def order_of(work: Work) -> Order:
    """Return what workers need to know of a sweep."""
    from churnsim.sweep.running import files_of
    from churnsim.sweep.store.manifest import SCENARIO, SWEEP

    sweep = work.sweep
    files = files_of(sweep)
    return Order(
        identity=tuple(identity().items()),
        sweep=zlib.compress(files[SWEEP]),
        scenario=zlib.compress(files[SCENARIO]),
        name=sweep.scenario.name,
        source=sweep.source,
        digest=sweep.digest,
        chunk_points=work.chunk_points,
    )


@functools.cache
def identity() -> dict[str, str]:
    """Return what must be the same wherever a part of a sweep is computed.

    Versions of all that computes, the random streams among them, and the SHA-256 of
    churnsim's own source. Processors may differ: they change machine code, no result.
    """
    from churnsim.storage import versions
    from churnsim.streams import STREAM_VERSION

    python = ".".join(map(str, sys.version_info[:2]))
    return {
        **versions(),
        "python": python,
        "random streams": str(STREAM_VERSION),
        "churnsim source": source_digest(),
    }


def source_digest(package: Path = Path(__file__).parent.parent) -> str:
    """Return the SHA-256, in hexadecimal, of all Python files of a package."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        source = path.read_bytes()
        name = path.relative_to(package).as_posix()
        digest.update(f"{name} {len(source)}\n".encode())
        digest.update(source)
    return digest.hexdigest()


def differences(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Return in what two identities differ, in words; nothing where they are one."""
    return ", ".join(
        f"{name} is {there.get(name, 'absent')[:12]} there, {version[:12]} here"
        for name, version in here.items()
        if there.get(name) != version
    )


def make_chunk(
    order: Order, number: int, evaluator: Evaluator | None = None
) -> Made | Refused:
    """Return a chunk, made by this worker, or why it does not make it.

    Args:
        order: The sweep.
        number: Of the chunk.
        evaluator: Returns what makes the rows of a sweep's points: the simulation,
            where absent. A function that can be imported.
    """
    from churnsim.jit import uncollected

    work = ready(order, evaluator)
    if isinstance(work, Refused):
        return work
    with uncollected():
        return work.make(number)


def make_point(
    order: Order, index: int, evaluator: Evaluator | None = None
) -> Sequence[Row] | Failed | Refused:
    """Return the rows of one point, made by this worker, or why it does not make them.

    Args:
        order: The sweep.
        index: Of the point.
        evaluator: As for `make_chunk`.
    """
    from churnsim.jit import uncollected

    work = ready(order, evaluator)
    if isinstance(work, Refused):
        return work
    with uncollected():
        return work.evaluate(work.sweep.point(index))


def do_work(order: JobOrder, unit: Unit) -> Done | Refused:
    """Return what comes of a replication, or of one of its sites, or why nothing does.

    An error of theirs is what comes of it; a refusal is the worker's own.

    Args:
        order: What replications consist of.
        unit: Which replication, and which part of it.
    """
    from churnsim.errors import ChurnsimError
    from churnsim.experiment.workers import result_of
    from churnsim.jit import uncollected
    from churnsim.memory import check_run

    if told := differences(identity(), dict(order.identity)):
        return _differs(told)
    with _BUILDING:
        try:
            job = _job(order)
        except ChurnsimError as error:
            return _unread(error)
    try:
        check_run(job.scenario, job.engine)
    except ChurnsimError as error:
        return Done(error, 0.0)
    began = time.perf_counter()
    with uncollected():
        found = result_of(job, unit)
    return Done(found, time.perf_counter() - began)


def ready(order: Order, evaluator: Evaluator | None = None) -> Work | Refused:
    """Return a sweep's work, its kernel compiled, or why this worker cannot do it."""
    from churnsim.errors import ChurnsimError

    if told := differences(identity(), dict(order.identity)):
        return _differs(told)
    with _BUILDING:
        try:
            return _work(order, evaluator)
        except ChurnsimError as error:
            return _unread(error)
        except OSError as error:
            rule = f"must have a folder for temporary files: {error.strerror or error}"
            return _refused(rule, "set TMPDIR there to one that can be written to")


@functools.lru_cache(maxsize=ORDERS_KEPT)
def _work(order: Order, evaluator: Evaluator | None) -> Work:
    """Return what there is to do.

    Raises:
        InputError: The sweep means something else here, or a log cannot be read.
    """
    from churnsim.errors import InputError
    from churnsim.sweep.plan import load_sweep
    from churnsim.sweep.work import Work

    with tempfile.TemporaryDirectory(prefix="churnsim-") as place:
        file, scenario = Path(place) / "sweep.toml", Path(place) / "scenario.toml"
        file.write_bytes(zlib.decompress(order.sweep))
        scenario.write_bytes(zlib.decompress(order.scenario))
        sweep = load_sweep(file, scenario)
    # What a failed point tells must be the same wherever it failed.
    named = replace(sweep.scenario, name=order.name)
    sweep = replace(sweep, scenario=named, source=order.source)
    if sweep.digest != order.digest:
        log = sweep.scenario.population.transactions
        rule = "the sweep means something else there"
        raise InputError(f"{log.file} is another file there" if log else rule)
    work = Work(sweep, (evaluator or _warmed)(sweep))
    work.chunk_points = order.chunk_points
    work.n_chunks = -(-sweep.n_points // order.chunk_points)
    return work


@functools.lru_cache(maxsize=JOBS_KEPT)
def _job(order: JobOrder) -> Job[Any]:
    """Return what replications consist of, all that they call being compiled.

    Raises:
        InputError: A log cannot be read, or is another file here.
    """
    from churnsim.errors import InputError
    from churnsim.experiment.workers import warm_up
    from churnsim.jit import uncollected
    from churnsim.sweep.store.chunks import sha256_of

    job = order.job
    log = job.scenario.population.transactions
    if log is not None and sha256_of(Path(log.file)) not in {
        "",
        job.scenario.log_digest,
    }:
        raise InputError(f"{log.file} is another file there")
    with uncollected():
        warm_up(job)
    return job


def _warmed(sweep: Sweep) -> Evaluate:
    """Return what simulates points, all that it calls being compiled."""
    from churnsim.experiment.workers import Job, warm_up
    from churnsim.jit import uncollected
    from churnsim.sweep.simulated import simulated

    scenario = sweep.scenario
    name = scenario.policy_names[0]
    policies = {name: scenario.policy(name)}
    evaluate = simulated(sweep)
    with uncollected():
        warm_up(Job(scenario, policies, sweep.seed, "kernel", lambda _people: _nothing))
    return evaluate


def _nothing(_policy: str, _outcome: object) -> None:
    """Keep nothing of a run."""


def _differs(told: str) -> Refused:
    hint = "install the same versions on every worker"
    return _refused(f"must be as it is here: {told}", hint)


def _unread(error: ChurnsimError) -> Refused:
    problem = error.problems[0]
    found = "" if problem.value is None else f" ({problem.value})"
    rule = f"must read what the scenario names: {problem.rule}{found}"
    return _refused(rule, "put the same file at the same path on every worker")


def _refused(rule: str, hint: str) -> Refused:
    from distributed import get_worker

    return Refused(get_worker().address, rule, hint)
