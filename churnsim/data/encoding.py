"""From a record batch of text to packed rows: what makes sense, and what does not."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.data.batches import Batch, Tally, without_blank
from churnsim.data.cells import numbers, texts
from churnsim.data.mapping import DROP, Mapping, kinds_of
from churnsim.data.moments import EXAMPLES, UNREADABLE, Clock
from churnsim.data.profiles import Groups
from churnsim.data.records import CONTACT, KINDS, NEVER, PROBLEM, Windows
from churnsim.data.spool import ROW
from churnsim.errors import shown
from churnsim.fit.problems import Problems
from churnsim.scenario.files import close_to

DROPPED: Final = "of events that the mapping drops"
AFTER: Final = "after the end of the window"
NAMELESS: Final = "without a customer"
EVENTLESS: Final = "without an event"
TIMELESS: Final = "without a time"
NEGATIVE: Final = "with an amount below 0"
NEGATIVE_PAID: Final = "with a compensation below 0"
RESOLVED_EARLY: Final = "a resolution before its problem: resolved_at before time"

_DROPPED, _UNKNOWN, _NONE = -1, -2, -3


class Unknown(NamedTuple):
    """A word for an event that the mapping does not know."""

    n_rows: int
    row: int  # the first one


class Encoder:
    """Packs the rows of batches that make sense, and counts those that do not."""

    def __init__(self, mapping: Mapping, windows: Windows, problems: Problems) -> None:
        """Start before the first batch."""
        self.groups = Groups(Tally(), Tally(), Tally())
        self.clock = Clock(mapping.date_format, mapping.time_zone, problems)
        self.unknown: dict[str, Unknown] = {}
        self.n_read = self.n_blank = 0  # rows of all batches
        self.first, self.last = int(np.iinfo(np.int64).max), NEVER
        self._kinds = kinds_of(mapping)
        self._customers: dict[str, int] = {}
        self._end = None if windows.end is None else int(windows.end.timestamp())
        self._problems = problems

    def packed(self, batch: Batch) -> NDArray[Any]:
        """Return the rows that make sense by themselves, as records of dtype `ROW`."""
        self.n_read += len(batch.rows)
        columns, rows = without_blank(batch)
        self.n_blank += len(batch.rows) - len(rows)
        faulty, dropped = self.groups.faulty, self.groups.dropped
        customer, kind = self._customer(columns["customer"]), self._kind(columns, rows)
        time = self.clock.seconds(columns["time"], rows)
        packed = np.zeros(len(rows), dtype=ROW)
        packed["customer"], packed["kind"], packed["time"] = customer, kind, time
        packed["row"] = rows
        sieve = _Sieve(rows)
        sieve.out(dropped, DROPPED, kind == _DROPPED)
        sieve.out(faulty, NAMELESS, customer < 0)
        sieve.out(faulty, EVENTLESS, kind == _NONE)
        sieve.out(faulty, TIMELESS, time == NEVER)
        form = EXAMPLES.get(self.clock.date_format, EXAMPLES["iso"])
        sieve.out(faulty, f"whose time is not like {form}", time == UNREADABLE)
        if self._end is not None:
            sieve.out(dropped, AFTER, time > self._end)
        for name, field, reason in (
            ("amount", "amount", NEGATIVE),
            ("compensation", "paid", NEGATIVE_PAID),
        ):
            packed[field] = self._amount(columns.get(name), name, sieve)
            sieve.out(faulty, reason, packed[field] < 0)
        # A promise for a day holds until its end. What was resolved on a day without
        # its time was so at once, where that day was the row's.
        _, packed["promised"] = self._span(columns.get("promised_at"), sieve)
        since, until = self._span(columns.get("resolved_at"), sieve)
        packed["resolved"] = np.minimum(np.maximum(time, since), until)
        packed["acquired"], _ = self._span(columns.get("acquired_at"), sieve)
        for name, field in (
            ("promised_at", "promised"),
            ("resolved_at", "resolved"),
            ("acquired_at", "acquired"),
        ):
            reason = f"whose {name} is no moment like its time (kept without it)"
            sieve.note(self.groups.noted, reason, packed[field] == UNREADABLE)
            packed[field][packed[field] == UNREADABLE] = NEVER
        opens = (kind == PROBLEM) | (kind == CONTACT)
        is_early = (packed["resolved"] != NEVER) & (packed["resolved"] < time)
        sieve.out(faulty, RESOLVED_EARLY, opens & is_early)
        kept = packed[sieve.left & (kind >= 0)]
        if len(kept):
            self.first = min(self.first, int(kept["time"].min()))
            self.last = max(self.last, int(kept["time"].max()))
        return kept

    def places(self) -> NDArray[np.int64]:
        """Return where each customer's number stands in the order of their labels."""
        labels = list(self._customers)
        order = sorted(range(len(labels)), key=labels.__getitem__)
        places = np.empty(len(labels), dtype=np.int64)
        places[order] = np.arange(len(labels))
        return places

    def note_unknown(self) -> None:
        """Note each word for an event that the mapping does not know."""
        known = list(self._kinds)
        for word, (n, row) in self.unknown.items():
            near = close_to(word.casefold(), known)
            cure = f"or map it: --event {shown(word)}=KIND, or =drop to leave it out"
            self._problems.add(
                row,
                f"event must be one of {', '.join(KINDS)}; {n:,} rows are not",
                f"{near} {cure}" if near else cure.removeprefix("or "),
                word,
            )

    def _customer(self, column: Any) -> NDArray[np.int64]:
        """Return the number of each row's customer, -1 where none is named."""
        labels, code = texts(column)
        known = self._customers
        numbers = [
            known.setdefault(label, len(known)) if label else -1
            for label in labels.to_pylist()
        ]
        return np.array([*numbers, -1], dtype=np.int64)[code]

    def _kind(
        self, columns: dict[str, Any], rows: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return each row's kind of event, or why it has none."""
        distinct, code = texts(columns["event"])
        words = distinct.to_pylist()
        kinds = np.array([*map(self._kind_of, words), _NONE], dtype=np.int64)
        for i in np.flatnonzero(kinds == _UNKNOWN).tolist():
            has = rows[code == i]
            before = self.unknown.get(words[i], Unknown(0, int(has.min())))
            self.unknown[words[i]] = before._replace(n_rows=before.n_rows + len(has))
        return kinds[code]

    def _kind_of(self, word: str) -> int:
        if not word:
            return _NONE
        kind = self._kinds.get(word.casefold())
        if kind is None:
            return _UNKNOWN
        return _DROPPED if kind == DROP else KINDS.index(kind)

    def _amount(self, column: Any, name: str, sieve: "_Sieve") -> NDArray[np.float64]:
        """Return amounts, NaN where there is none or none that can be read."""
        if column is None:
            return np.full(len(sieve.left), np.nan)
        values, is_bad = numbers(column)
        article = "an" if name == "amount" else "a"
        reason = f"with {article} {name} that is no number (kept without it)"
        sieve.note(self.groups.noted, reason, is_bad)
        return values

    def _span(
        self, column: Any, sieve: "_Sieve"
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the first and last second of moments, `NEVER` where there is none."""
        if column is None:
            never = np.full(len(sieve.left), NEVER)
            return never, never
        return self.clock.span(column, sieve.rows)


class _Sieve:
    """Rows that are left, and where each stands."""

    def __init__(self, rows: NDArray[np.int64]) -> None:
        self.left = np.ones(len(rows), dtype=np.bool_)
        self.rows = rows

    def out(self, tally: Tally, reason: str, which: NDArray[np.bool_]) -> None:
        """Count and leave out which of the rows left are so."""
        self.note(tally, reason, which)
        self.left = self.left & ~which

    def note(self, tally: Tally, reason: str, which: NDArray[np.bool_]) -> None:
        """Count which of the rows left are so."""
        tally.add(reason, self.rows[self.left & which])
