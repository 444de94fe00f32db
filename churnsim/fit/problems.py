"""Collects the mistakes in a log or table, to report them all at once."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from churnsim.errors import InputError, Problem

SHOWN_MAX: Final = 20


class TransactionError(InputError, ValueError):
    """A log or table that cannot be used, with the first of its mistakes."""


class Problems:
    """Counts all mistakes and keeps enough of the first ones to show."""

    def __init__(self, name: str) -> None:
        """Start empty, for the file `name`, whose places are lines until told else."""
        self.name = name
        self.unit = "line"
        self.count = 0
        self._kept: list[tuple[int, Problem]] = []

    def add(self, line: int, rule: str, hint: str, value: object = None) -> None:
        """Note one mistake at `line`; line 0 means the file as a whole."""
        self.count += 1
        if len(self._kept) < SHOWN_MAX:
            self._keep(line, rule, hint, value)

    def add_each(
        self,
        lines: NDArray[np.int64],
        found: Callable[[int], tuple[str, object]],
        hint: str,
    ) -> None:
        """Note a mistake at each of `lines`; `found` gives the i-th rule and value."""
        self.count += len(lines)
        for i in range(min(len(lines), SHOWN_MAX)):
            rule, value = found(i)
            self._keep(int(lines[i]), rule, hint, value)

    def refuse(
        self, rule: str, hint: str, line: int = 0, value: object = None
    ) -> TransactionError:
        """Note the mistake that ends the reading and return the exception to raise."""
        self.count += 1
        self._keep(line, rule, hint, value)
        return self.error()

    def error(self) -> TransactionError:
        """Return the exception that shows the first mistakes in order of line."""
        kept = sorted(self._kept, key=lambda found: found[0])[:SHOWN_MAX]
        shown = [problem for _, problem in kept]
        if self.count > len(shown):
            shown.append(Problem(f"and {self.count - len(shown):,} more"))
        return TransactionError(*shown)

    def raise_if_any(self) -> None:
        """Raise `TransactionError` unless nothing was found."""
        if self.count:
            raise self.error()

    def _keep(self, line: int, rule: str, hint: str, value: object) -> None:
        in_text = self.unit == "line"
        problem = Problem(
            rule=rule,
            file=self.name,
            line=line if line and in_text else None,
            field=f"{self.unit} {line}" if line and not in_text else "",
            value=value,
            hint=hint,
        )
        self._kept.append((line, problem))


def lines_shown(lines: NDArray[np.int64]) -> str:
    """Return the first three of many line numbers, as in "2, 3, 7 and 12 more"."""
    text = ", ".join(str(line) for line in lines[:3])
    return text if len(lines) <= 3 else f"{text} and {len(lines) - 3:,} more"
