"""What the validation pack found: as text, as a page of Markdown, as a table."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import pyarrow as pa

from churnsim.experiment.store.markdown import escaped, markdown_table
from churnsim.report.columns import aligned, paragraph
from churnsim.validation.checks import Z_NEAR, Figure, Finding, Rule
from churnsim.validation.pack import GROUPS, Validation

NOTHING = "–"
HEAD = ("", "must be", "found", "z", "sample", "verdict")
PAGE_HEAD = ("compared", "source", "must be", "found", "z", "sample", "verdict")
ABOUT = """\
<!-- made by: {command} -->

Written by the command

    {command}

Every row is a figure that stands somewhere outside of
churnsim, or follows from a closed form, beside what this program makes of it.

*must be* is the figure and how far off it may be; without a distance it has to come
out to the last digit that is shown. Where chance plays a part, z is the distance in
standard errors: a figure that must come out may be off by 4 at most, one that must
exceed another has to by more than 3. *within* stands before a survey, or a model of
somebody's data, which the engine need not hit more closely; z decides nothing
there. *sample* is customers, cases, events or replications. Seeds are fixed, so
other machines get the same digits.

A figure that cannot be looked at is *skipped*, with the reason; one that does not
come out makes the command end with exit code 5."""


def validation_text(found: Validation, width: int) -> str:
    """Return everything that the command shows.

    Args:
        found: What came out.
        width: Columns to fit into.
    """
    cells = [_cells(finding) for finding in found.findings]
    sizes = [max(map(len, column)) for column in zip(HEAD, *cells, strict=True)]
    padded = {
        id(finding): _padded(row, sizes)
        for finding, row in zip(found.findings, cells, strict=True)
    }
    lines = [*aligned([_padded(HEAD, sizes)], width, 2)]
    for group, of_group in _grouped(found.findings):
        lines += ["", GROUPS[group]]
        for source, findings in itertools.groupby(of_group, lambda f: f.source):
            lines.append(paragraph(f"{source}:", width, " ", "   "))
            lines += aligned([padded[id(finding)] for finding in findings], width, 2)
    for reason in _reasons(found):
        lines += ["", paragraph(reason, width)]
    return "\n".join([*lines, "", paragraph(found.sentence(), width)])


def validation_markdown(found: Validation, command: str) -> str:
    """Return what the pack found as a page of Markdown.

    Args:
        found: What came out.
        command: That writes the page again.
    """
    parts = ["# Validation", ABOUT.format(command=command)]
    sentence = found.sentence()
    parts.append(f"**{escaped(sentence[0].upper() + sentence[1:])}.**")
    is_text = [True, True, *(False for _ in PAGE_HEAD[3:]), True]
    for group, of_group in _grouped(found.findings):
        rows = []
        for finding in of_group:
            what, *others = _cells(finding)
            rows.append((what, finding.source, *others))
        parts += [f"## {escaped(GROUPS[group])}"]
        parts.append(markdown_table(PAGE_HEAD, rows, is_text).rstrip("\n"))
    parts += [escaped(reason) for reason in _reasons(found)]
    return "\n\n".join(parts) + "\n"


def validation_table(found: Validation) -> pa.Table:
    """Return a row for each figure."""
    rows = [
        {
            "group": finding.group,
            "what": finding.figure.what,
            "source": finding.source,
            "rule": finding.figure.rule.value,
            "expected": finding.figure.expected,
            "allowed": finite(finding.figure.allowed),
            "found": None if finding.seen is None else finding.seen.value,
            "standard_error": None if finding.seen is None else finding.seen.error,
            "z": finding.z,
            "sample": None if finding.seen is None else finding.seen.n,
            "unit": finding.figure.unit.strip(),
            "verdict": finding.verdict,
            "reason": finding.reason,
        }
        for finding in found.findings
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def must_be(figure: Figure) -> str:
    """Return what must come out, and how far off it may be."""
    number = _number(figure.expected, figure)
    if figure.rule in {Rule.AT_LEAST, Rule.AT_MOST}:
        sign = "≥" if figure.rule is Rule.AT_LEAST else "≤"
        return f"{sign} {number}{figure.unit}"
    if figure.rule is Rule.ABOVE:
        return f"> {number}{figure.unit}"
    if math.isinf(figure.allowed):
        return f"{number}{figure.unit}, |z| ≤ {Z_NEAR:.0f}"
    if figure.allowed < 0.6 * 10.0**-figure.digits:
        return f"{number}{figure.unit}"
    word = "within " if figure.rule is Rule.WITHIN else ""
    return f"{word}{number} ± {_allowed(figure)}{figure.unit}"


def finite(number: float) -> float | None:
    """Return a number; None where it is infinite."""
    return number if math.isfinite(number) else None


_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("group", "what", "source", "rule")),
        *((name, pa.float64()) for name in ("expected", "allowed", "found")),
        *((name, pa.float64()) for name in ("standard_error", "z")),
        ("sample", pa.int64()),
        *((name, pa.string()) for name in ("unit", "verdict", "reason")),
    ]
)


def _grouped(findings: Sequence[Finding]) -> Iterator[tuple[str, list[Finding]]]:
    for group, of_group in itertools.groupby(findings, lambda f: f.group):
        yield group, list(of_group)


def _cells(finding: Finding) -> tuple[str, ...]:
    figure, seen = finding.figure, finding.seen
    if seen is None:
        return (figure.what, must_be(figure), *[NOTHING] * 3, finding.verdict)
    return (
        figure.what,
        must_be(figure),
        f"{_number(seen.value, figure)}{figure.unit}",
        NOTHING if finding.z is None else f"{finding.z:.1f}",
        f"{seen.n:,}" if seen.n else NOTHING,
        finding.verdict,
    )


def _padded(row: Sequence[str], sizes: Sequence[int]) -> list[str]:
    """Return cells of equal width, figures flush right."""
    what, *figures, verdict = row
    *inner, last = sizes[1:]
    padded = (cell.rjust(n) for cell, n in zip(figures, inner, strict=True))
    return [what.ljust(sizes[0]), *padded, verdict.ljust(last)]


def _number(value: float, figure: Figure) -> str:
    text = f"{value:,.{figure.digits}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0.0 else text


def _allowed(figure: Figure) -> str:
    """Return the distance allowed, to two digits of its own at most."""
    digits = figure.digits
    while digits < 9 and round(figure.allowed, digits) < figure.allowed * 0.95:
        digits += 1
    text = f"{figure.allowed:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _reasons(found: Validation) -> list[str]:
    """Return why figures were skipped or could not be looked at, with their sources."""
    sources: dict[str, dict[str, None]] = {}
    for finding in found.findings:
        if finding.reason:
            why = f"{finding.verdict}, {finding.reason}"
            sources.setdefault(why, {})[finding.source] = None
    return [f"{why}: {'; '.join(of)}" for why, of in sources.items()]
