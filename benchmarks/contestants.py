"""Who takes part in the whole model: each runs the same plan and the same customers."""

import importlib
import importlib.util
from collections.abc import Callable
from time import process_time
from typing import NamedTuple

from benchmarks.common import KEY, Engine, customer_years, n_kept, timed
from benchmarks.plain_simpy import PlainFirm
from churnsim.engines.books import Account, Books, Tally
from churnsim.engines.kernel.run import run_kernel
from churnsim.engines.reference.run import run_reference
from churnsim.records import Plan, Population

NATIVE = "benchmarks.native_loop"
KERNEL = "kernel"
Answers = dict[str, float]


class Told(NamedTuple):
    """What a contestant says of one run."""

    seconds: float  # of processor time
    n_events: int | None  # None: it counts other ones
    answers: Answers
    books: Books | None = None  # of those that keep churnsim's own


class Contestant(NamedTuple):
    """One who takes part."""

    name: str
    title: str
    rule: str  # that its answers keep: as in AgreementDocument
    run: Callable[[Plan, Population, int], Told]
    customers_max: int | None = None  # more would take too long


class Missing(NamedTuple):
    """One who does not take part, and why."""

    name: str
    reason: str


def kernel() -> Contestant:
    """Return what all others are compared with."""
    return Contestant(KERNEL, "churnsim's kernel", "bits", _engine(run_kernel))


def others(reference_max: int) -> tuple[list[Contestant], list[Missing]]:
    """Return whom the kernel is compared with, and who is left out.

    Args:
        reference_max: Customers of the reference, which is slow.
    """
    found = [
        Contestant("simpy", "an ordinary SimPy model", "law", _plain),
        Contestant(
            "reference",
            "churnsim's reference, in SimPy",
            "bits",
            _engine(run_reference),
            reference_max,
        ),
    ]
    native = _native()
    if isinstance(native, Missing):
        return found, [native]
    return [native, *found], []


def answers_of(books: Books, people: Population, plan: Plan) -> Answers:
    """Return the answers that every contestant can give; money in micro-units."""
    return {
        "revenue": float(books.accounts[:, Account.REVENUE].sum()),
        "kept": n_kept(books),
        "make_good": float(books.accounts[:, Account.MAKE_GOOD].sum()),
        "years": customer_years(books, people, plan.horizon),
        "mistakes": int(books.tally[Tally.MISTAKES]),
        "contacts": int(books.tally[Tally.CONTACTS]),
        "ordinary_contacts": int(books.tally[Tally.ORDINARY_CONTACTS]),
    }


def _engine(engine: Engine) -> Callable[[Plan, Population, int], Told]:
    def run(plan: Plan, people: Population, replication: int) -> Told:
        found = timed(engine, plan, people, replication)
        answers = answers_of(found.books, people, plan)
        return Told(found.seconds, found.n_events, answers, found.books)

    return run


def _plain(plan: Plan, people: Population, replication: int) -> Told:
    start = process_time()
    results = PlainFirm(plan, people, replication).run()
    seconds = process_time() - start
    return Told(
        seconds,
        None,
        {
            "revenue": results.revenue,
            "kept": results.kept,
            "make_good": results.make_good,
            "years": results.customer_years,
            **{
                name: results.counts[name]
                for name in ("mistakes", "contacts", "ordinary_contacts")
            },
        },
    )


def _native() -> Contestant | Missing:
    """Return the loop in C++, which a checkout need not have."""
    if importlib.util.find_spec(NATIVE) is None:
        return Missing("native", f"there is no module {NATIVE}")
    loop = importlib.import_module(NATIVE)
    reason: str | None = loop.available()
    if reason is not None:
        return Missing("native", reason)

    def run(plan: Plan, people: Population, replication: int) -> Told:
        n_events, seconds, found = loop.run(plan, people, KEY, replication)
        if isinstance(found, Books):
            answers = answers_of(found, people, plan)
            return Told(seconds, n_events, answers, found)
        return Told(seconds, n_events, dict(found))

    return Contestant("native", "a plain loop in C++", "equal", run)
