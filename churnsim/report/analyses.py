"""What texts and charts of all analyses of a sweep have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from churnsim.analysis.finished import Sweep
from churnsim.analysis.responses import Responses
from churnsim.analysis.subject import extent_text
from churnsim.report.columns import paragraph
from churnsim.report.page.figures import LABEL_WIDTH, broken

DIGEST_DIGITS = 12  # of 64: enough to tell sweeps apart by eye


def heading_lines(sweep: Sweep, responses: Responses, width: int) -> list[str]:
    """Return what was run, and whether the answer is about all of it."""
    lines = [paragraph(extent_text(sweep, responses), width)]
    used, n = len(responses.points), responses.n_points
    if used < n:
        lines.append(f"PARTIAL: {used:,} of {n:,} points")
    return lines


def closing_lines(
    sweep: Sweep, warnings: Iterable[str], again: str, width: int
) -> list[str]:
    """Return what to keep in mind, and where the numbers come from."""
    told = [paragraph(text, width, "warning: ", "  ") for text in warnings]
    origin = (
        f"sweep {sweep.name}, {sweep.digest[:DIGEST_DIGITS]}, seed {sweep.seed},"
        f" {sweep.draws} draws; the same again, with nothing simulated anew:"
    )
    return [*(["", *told] if told else []), "", paragraph(origin, width), f"  {again}"]


def broken_field(field: str) -> str:
    """Return a dotted name in lines that fit beside a chart, broken after its dots."""
    lines = [""]
    for part in re.findall(r"[^.]*\.|[^.]+", field):
        if lines[-1] and len(lines[-1]) + len(part) > LABEL_WIDTH:
            lines.append("")
        lines[-1] += part
    return "\n".join(broken(line) for line in lines)


def sentence_of_chart(kind: str, texts: Sequence[str]) -> str:
    """Return the words for those who cannot see a chart."""
    return " ".join([f"{kind}.", *texts])
