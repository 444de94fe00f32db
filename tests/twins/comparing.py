"""Run engines on one setup, compare all that they write, report where they part."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from churnsim.engines.books import (
    Account,
    Books,
    Event,
    Messages,
    Monthly,
    People,
    Tally,
    open_books,
)
from churnsim.engines.kernel.run import run_interpreted, run_kernel
from churnsim.engines.reference.run import run_reference
from churnsim.records import Cause, Floats, Plan, Population
from churnsim.streams import ORDINARY, Key
from tests.twins.strategies import Setup

Engine: TypeAlias = Callable[[Plan, Population, Key, int, Books], int]

ENGINES: Mapping[str, Engine] = {
    "reference": run_reference,
    "interpreted": run_interpreted,
    "compiled": run_kernel,
}
LOG_FIRST = 4096  # entries of the event log at first; more where they are needed
AROUND = 5  # events shown before and after the first that differs
# Events that carry a cause in place of an episode; LEAVING also a time as its value.
ENDS = (Event.CLOSED, Event.LEFT, Event.LEAVING)
LOG_ARRAYS = ("log_times", "log_values", "log_codes", "log_count")
NAMES = {
    "tally": tuple(code.name for code in Tally),
    "lost": tuple(code.name for code in Cause),
    "closed": tuple(code.name for code in Cause),
    "monthly": tuple(code.name for code in Monthly),
    "accounts": tuple(code.name for code in Account),
    "people": tuple(code.name for code in People),
    "messages": tuple(code.name for code in Messages),
}


class Log(NamedTuple):
    """An event log in canonical order: by time, then customer, then as it happened."""

    times: Floats  # [days]
    customers: NDArray[np.int64]
    events: NDArray[np.int64]
    words: NDArray[np.int64]  # of the episode; a cause where something ends
    values: Floats  # grievance [log-odds]; of LEAVING when [days]


def run_engine(setup: Setup, engine: Engine) -> Books:
    """Return the books of one engine, with the whole event log."""
    n = len(setup.people.arrival)
    capacity = LOG_FIRST
    while True:
        books = open_books(setup.plan, n, capacity)
        try:
            count = engine(*setup, books)
        except Exception as error:
            error.add_note(f"the setup:\n{source_of(setup)}")
            raise
        if count <= capacity:
            return books
        capacity = count


def log_of(books: Books) -> Log:
    """Return the event log in canonical order."""
    n = int(books.log_count[0])
    times, codes = books.log_times[:n], books.log_codes[:n]
    # Stable: what happens to one customer at one time keeps its order.
    order = np.lexsort((codes[:, 0], times))
    customers, events, words = codes[order].T.copy()
    return Log(times[order], customers, events, words, books.log_values[:n][order])


def assert_twins(setup: Setup, engines: Mapping[str, Engine] = ENGINES) -> Books:
    """Run all engines and require the same bits from them; return the books.

    Raises:
        AssertionError: With the first event that differs, the arrays that differ, and
            the setup as source that can be pasted.
    """
    books = {name: run_engine(setup, engine) for name, engine in engines.items()}
    report = difference(books)
    assert not report, f"{report}\nthe setup:\n{source_of(setup)}"
    return next(iter(books.values()))


def difference(books: Mapping[str, Books]) -> str:
    """Return where books by engine differ, or an empty text."""
    logs = {name: log_of(book) for name, book in books.items()}
    first, *others = books
    lines = []
    for other in others:
        if not same_log(logs[first], logs[other]):
            lines.append(_parting(logs, first, other))
        for field in Books._fields:
            if field not in LOG_ARRAYS:
                found = _first_entry(books[first], books[other], field)
                lines += [f"{first} and {other}: {found}"] if found else []
    return "\n".join(lines)


def same_bits(a: NDArray[np.generic], b: NDArray[np.generic]) -> bool:
    """Return whether two arrays have the same shape, type and bits."""
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def same_log(a: Log, b: Log) -> bool:
    """Return whether two logs have the same bits."""
    return all(same_bits(x, y) for x, y in zip(a, b, strict=True))


def moments(log: Log) -> Iterator[tuple[float, int, int, int, float]]:
    """Yield time, customer, event, word and value of each event, as Python's own."""
    yield from zip(*map(np.ndarray.tolist, log), strict=True)


def source_of(value: object) -> str:
    """Return Python source for a setup or a part of it; needs `np` and the records."""
    if isinstance(value, np.ndarray):
        return f"np.array({source_of(value.tolist())}).reshape({value.shape})"
    if isinstance(value, list):
        return f"[{', '.join(map(source_of, value))}]"
    if isinstance(value, tuple):
        fields = value._asdict().items()  # type: ignore[attr-defined]
        inner = ", ".join(f"{name}={source_of(part)}" for name, part in fields)
        return f"{type(value).__name__}({inner})"
    return "np.inf" if value == math.inf else repr(value)


def _first_entry(a: Books, b: Books, field: str) -> str:
    """Return the first entry in which two arrays differ, or an empty text."""
    x, y = np.asarray(getattr(a, field)), np.asarray(getattr(b, field))
    if same_bits(x, y):
        return ""
    if x.shape != y.shape or x.dtype != y.dtype:
        return f"{field} is {x.dtype}{x.shape} and {y.dtype}{y.shape}"
    kind = np.int64 if x.dtype.itemsize == 8 else np.uint8
    differs = x.view(kind) != y.view(kind)
    place = tuple(int(i) for i in np.argwhere(differs)[0])
    names = NAMES.get(field)
    where = ", ".join(
        [*map(str, place[:-1]), names[place[-1]]] if names else map(str, place)
    )
    n = int(np.count_nonzero(differs))
    return f"{n} of {field} differ, first [{where}]: {x[place]!r} and {y[place]!r}"


def _parting(logs: Mapping[str, Log], first: str, other: str) -> str:
    """Return the first event in which two logs differ, as all engines tell it."""
    a, b = logs[first], logs[other]
    shared = min(len(a.times), len(b.times))
    differs = np.zeros(shared, np.bool_)
    for x, y in zip(a, b, strict=True):
        differs |= x[:shared].view(np.int64) != y[:shared].view(np.int64)
    row = int(np.argmax(differs)) if differs.any() else shared
    heads = [
        (float(log.times[row]), int(log.customers[row]))
        for log in (a, b)
        if row < len(log.times)
    ]
    at, customer = min(heads)
    sizes = f"{len(a.times)} and {len(b.times)}"
    lines = [
        f"{first} and {other} part at event {row} of {sizes}:",
        f"customer {customer} at {at.hex()} ({at!r})",
    ]
    for name, log in logs.items():
        lines += [f"  {name}:", *_story(log, customer, at)]
    return "\n".join(lines)


def _story(log: Log, customer: int, at: float) -> list[str]:
    """Return the events of a customer around a moment, a line each."""
    rows = np.flatnonzero(log.customers == customer)
    middle = int(np.searchsorted(log.times[rows], at))
    lines = []
    for row in rows[max(0, middle - AROUND) : middle + AROUND + 1].tolist():
        time, word = float(log.times[row]), int(log.words[row])
        event = Event(int(log.events[row]))
        if event in ENDS:
            of = Cause(word).name
        else:
            is_ordinary = word & ORDINARY
            of = f"contact {word ^ ORDINARY}" if is_ordinary else f"episode {word}"
        mark = ">" if time >= at else " "
        lines.append(
            f"  {mark} {time.hex():24} {time:<22.16g} {event.name:15} {of:14} "
            f"value {float(log.values[row]).hex()}"
        )
    return lines or ["    no event of this customer"]
