"""What is recorded of each figure of the ready files: `configs/evidence.toml`.

Comments in the files say the grade and, in a few words, why. The record beside them has
what no line has room for: the plausible range, the sources in full, whether anybody saw
the figure. A test holds the two against each other, in both directions.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from typing import Any, NamedTuple

from churnsim.configs import configs_folder
from churnsim.scenario.writing import toml_value

FILE = "evidence.toml"
KINDS = ("policies", "scenarios")


class Record(NamedTuple):
    """What one figure of a ready file rests on."""

    value: object  # as the file has it
    grade: str  # "A", "B", "C" or "D"
    basis: str  # "seen" or "assumed"
    sources: tuple[str, ...]  # keys of the sources
    vary: str  # part of a law or list that the range is of; "": all of it
    low: str | None  # as `--set` takes it; None: no range
    high: str | None
    whose: str | None  # who gives the range: "source" or "ours"
    fixed: str | None  # why an assumption has none: "definition", "choice", "rest"


class Told(NamedTuple):
    """How many hear of what went wrong, and of what went well, by one finding."""

    name: str
    title: str
    bad: float  # people told by one who leaves after a mistake
    good: float  # people told by one who stays delighted
    sources: tuple[str, ...]  # keys of the sources


class Recorded(NamedTuple):
    """The whole record."""

    sources: Mapping[str, str]  # in full, by key
    told: tuple[Told, ...]  # the findings on word of mouth, which contradict each other
    files: Mapping[tuple[str, str], Mapping[str, Record]]  # by kind, name; by key


@functools.cache
def recorded() -> Recorded:
    """Return the record of all ready files.

    Raises:
        FileNotFoundError: The installation is damaged.
    """
    text = (configs_folder() / FILE).read_text(encoding="utf-8")
    data = tomllib.loads(text)
    files = {
        (kind, name): {key: _record(row) for key, row in rows.items()}
        for kind in KINDS
        for name, rows in data[kind].items()
    }
    told = tuple(
        Told(
            name,
            row["title"],
            float(row["told_bad"]),
            float(row["told_good"]),
            tuple(row["source"]),
        )
        for name, row in data["word_of_mouth"].items()
    )
    return Recorded(data["sources"], told, files)


def _record(row: Mapping[str, Any]) -> Record:
    ends = [toml_value(row[end]) if end in row else None for end in ("low", "high")]
    return Record(
        value=row["value"],
        grade=row["grade"],
        basis=row["basis"],
        sources=tuple(row["source"]),
        vary=row.get("vary", ""),
        low=ends[0],
        high=ends[1],
        whose=row.get("range"),
        fixed=row.get("fixed"),
    )
