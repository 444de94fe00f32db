"""What the figures of a scenario rest on, as text and as a table: the weakest first."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from churnsim.report.columns import aligned, paragraph
from churnsim.scenario import Scenario
from churnsim.scenario.grounds import Ground
from churnsim.units import GENERIC_CURRENCY

if TYPE_CHECKING:
    import pyarrow as pa

HEADS = {
    "D": "D: assumed by us; no source gives it",
    "C": "C: recalled from the literature or the trade, not read again",
    "B": "B: of a survey or a vendor",
    "A": "A: behaviour that was observed, or official",
}
FIXED = {
    "definition": "by definition",
    "choice": "a choice",
    "rest": "what others leave",
}
FROM_SOURCE = " (source)"
NOT_QUOTED = ("no source", "by definition", "a convention")


class Label(NamedTuple):
    """How a figure is called within its section."""

    section: str
    name: str


def assumptions_text(
    scenario: Scenario, grounds: Sequence[Ground], again: str, width: int
) -> str:
    """Return what figures rest on: by grade and section, with value, range and basis.

    Args:
        scenario: Whose they are.
        grounds: In their order, all or those of some grades.
        again: The command that varies them over their ranges.
        width: Columns to fit into.
    """
    about = (
        "Each figure with its value, the range that is plausible, whether anybody saw"
        " it, and what it rests on. Ranges are ours unless marked (source)."
    )
    lines = [f"{scenario.title} ({scenario.name})", "", paragraph(about, width)]
    if not grounds:
        return "\n".join([*lines, "", "There is no such figure."])
    for grade, of_grade in itertools.groupby(grounds, key=lambda g: g.grade):
        found = list(of_grade)
        lines += ["", f"{HEADS[grade]} ({len(found)})"]
        sections: dict[str, list[tuple[str, Ground]]] = {}
        for ground in found:
            label = label_of(ground, scenario)
            sections.setdefault(label.section, []).append((label.name, ground))
        for section, rows in sections.items():
            lines += ["", *([f"  {section}"] if section else [])]
            lines += _rows(rows, scenario.currency, width)
    lines += ["", *_sources(grounds, width)]
    lines += [
        paragraph("Whether the conclusion survives when those of grade D vary:", width),
        f"  {again}",
    ]
    return "\n".join(lines)


def assumptions_table(grounds: Sequence[Ground]) -> pa.Table:
    """Return one row for each figure."""
    import pyarrow as pa

    columns = {
        "setting": [", ".join(ground.keys) for ground in grounds],
        "value": [ground.value for ground in grounds],
        "grade": [ground.grade for ground in grounds],
        "basis": [ground.basis for ground in grounds],
        "range": [ground.range_text for ground in grounds],
        "range_of": [ground.vary for ground in grounds],
        "range_by": [ground.whose or "" for ground in grounds],
        "fixed": [ground.fixed or "" for ground in grounds],
        "text": [ground.text for ground in grounds],
        "sources": ["; ".join(ground.sources) for ground in grounds],
    }
    return pa.table(
        {name: pa.array(cells, pa.string()) for name, cells in columns.items()}
    )


def label_of(ground: Ground, scenario: Scenario) -> Label:
    """Return how a figure is called, the policies or kinds that share it together."""
    head, *_ = _words(ground.key)
    if head not in {"policy", "mistakes"}:
        section, _, name = ground.key.rpartition(".")
        return Label(section, name)
    names = [_words(key)[1] for key in ground.keys]
    tail = ".".join(_words(ground.key)[2:])
    if head == "mistakes":
        n_kinds = len(scenario.spec.mistakes)
        who = "all" if len(names) == n_kinds > 1 else ", ".join(names)
        return Label("mistakes", f"{tail} of {who}")
    is_all = set(names) == set(scenario.policy_names)
    listed = [name for name in names if name != "flawless" or len(names) == 1]
    return Label(f"policy {'of all' if is_all else ', '.join(listed)}", tail)


def value_text(value: str) -> str:
    """Return a value with its figures first: of a law its mean, and what it is called.

    "exponential, mean 10 days" is "mean 10 days (exponential)".
    """
    law, _, figures = value.partition(", ")
    if not figures.startswith("mean "):
        return value
    if law == "constant":
        return figures.removeprefix("mean ")
    return f"{figures} ({law})"


def range_cell(ground: Ground) -> str:
    """Return a range with who gives it, or why there is none."""
    if not ground.range_text:
        return FIXED.get(ground.fixed or "", "")
    of = f"{ground.vary} " if ground.vary and ground.vary != "mean" else ""
    return f"{of}{ground.range_text}{FROM_SOURCE if ground.whose == 'source' else ''}"


def _words(key: str) -> list[str]:
    """Return the parts of a key, whose quotes may hold dots."""
    words: list[str] = []
    table: object = tomllib.loads(f"{key} = 0")
    while isinstance(table, dict):
        word, table = next(iter(table.items()))
        words.append(word)
    return words


def _rows(
    rows: Sequence[tuple[str, Ground]], currency: str, width: int
) -> Iterator[str]:
    """Yield a line of figures for each, and what it rests on below."""
    cells = [
        (
            name,
            value_text(ground.value).replace(GENERIC_CURRENCY, currency),
            range_cell(ground).replace(GENERIC_CURRENCY, currency),
            ground.basis,
        )
        for name, ground in rows
    ]
    sizes = [max(len(row[i]) for row in cells) for i in range(3)]
    for row, (_, ground) in zip(cells, rows, strict=True):
        head = "  ".join(
            cell.ljust(size) for cell, size in zip(row, sizes, strict=False)
        )
        yield from aligned([(f"{head}  {row[3]}",)], max(width, len(head) + 20), 4)
        yield paragraph(ground.text, width, " " * 8, " " * 8)


def _sources(grounds: Sequence[Ground], width: int) -> list[str]:
    """Return the sources in full, each once."""
    every = dict.fromkeys(source for ground in grounds for source in ground.sources)
    named = [text for text in every if not text.startswith(NOT_QUOTED)]
    if not named:
        return []
    lines = [
        paragraph(text, width, "  ", "    ") for text in sorted(named, key=str.lower)
    ]
    return ["Sources in full", "", *lines, ""]
