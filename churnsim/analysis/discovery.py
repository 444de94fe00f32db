"""Scenario discovery: in which boxes of assumptions something happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from churnsim.analysis.boxes import Box, found_boxes
from churnsim.analysis.certainty import Bounds, bounds_of
from churnsim.analysis.documents import (
    BoxDocument,
    DiscoveryDocument,
    PeelDocument,
    RestrictionDocument,
)
from churnsim.analysis.finished import Finished, Sweep
from churnsim.analysis.prim import Flags, Peel
from churnsim.analysis.responses import Question, Responses, read_responses
from churnsim.analysis.subject import (
    UNEVEN,
    amount_text,
    analysis_document,
    is_uneven,
    number_text,
    per_text,
    usual_warnings,
)
from churnsim.errors import InputError, Problem
from churnsim.experiment.documents import as_dict
from churnsim.records import Floats

if TYPE_CHECKING:
    import pyarrow as pa

Verdict = Literal["found", "nowhere", "everywhere", "none", "few"]

POINTS_FEW = 20
BOXES_MAX = 3
NOTED_UNSURE = 0.1  # share of points without a sure sign that is worth a warning


class Target(NamedTuple):
    """Which points are of interest: those beyond a threshold."""

    threshold: float  # in the response's unit
    is_below: bool

    def cases(self, mean: Floats) -> Flags:
        """Return which points are of interest, (n,)."""
        found: Flags = mean < self.threshold if self.is_below else mean > self.threshold
        return found


@dataclass(frozen=True, eq=False)
class Discovery:
    """In which boxes of assumptions a response is beyond a threshold."""

    sweep: Sweep
    responses: Responses
    target: Target
    verdict: Verdict
    boxes: tuple[Box, ...]
    peels: tuple[Peel, ...]  # of the first box, from the whole to the smallest
    chosen: int | None  # which peel the first box was pasted from
    n_cases: int
    n_unsure: int | None  # points whose side is not sure; None: one replication
    warnings: tuple[str, ...]

    @property
    def target_text(self) -> str:
        """Return the threshold in words: "below $0 a year per 1,000 customers"."""
        unit = self.responses.unit
        side = "below" if self.target.is_below else "above"
        return f"{side} {amount_text(self.target.threshold, unit)}{per_text(unit)}"

    def sentence(self) -> str:
        """Return the answer in a few sentences."""
        n = len(self.responses.points)
        what = f"the {self.responses.question.text} is {self.target_text}"
        if self.verdict == "few":
            return (
                f"Too few points to look for boxes in: there are {n:,}, and it takes"
                f" {POINTS_FEW}."
            )
        if self.verdict == "nowhere":
            return f"Nowhere: at none of {n:,} points {what}.{self._unsure}"
        if self.verdict == "everywhere":
            return f"Everywhere: at each of {n:,} points {what}.{self._unsure}"
        share = f"At {self.n_cases:,} of {n:,} points {what}."
        if self.verdict == "none":
            return (
                f"{share} No box holds them more densely than chance would."
                f"{self._unsure}"
            )
        first = self.boxes[0]
        told = (
            f"{share} Mostly where {first.text}: that holds {_percent(first.coverage)}"
            f" of them, and {_percent(first.density)} of the points there are such."
        )
        n_more = len(self.boxes) - 1
        if n_more:
            told += f" {n_more} more box{'es hold' if n_more > 1 else ' holds'} others."
        return f"{told}{self._unsure}"

    def to_arrow(self) -> pa.Table:
        """Return one row for each restriction of each box."""
        import pyarrow as pa

        rows = [(i, b, r) for i, b in enumerate(self.boxes, 1) for r in b.restrictions]
        columns: dict[str, Any] = {
            "box": pa.array([i for i, _, _ in rows], pa.int64()),
            "coverage": pa.array([b.coverage for _, b, _ in rows], pa.float64()),
            "density": pa.array([b.density for _, b, _ in rows], pa.float64()),
            "mass": pa.array([b.mass for _, b, _ in rows], pa.float64()),
            "factor": pa.array([r.factor.field for _, _, r in rows], pa.string()),
            "low": pa.array([r.low for _, _, r in rows], pa.float64()),
            "high": pa.array([r.high for _, _, r in rows], pa.float64()),
            "quasi_p": pa.array([r.quasi_p for _, _, r in rows], pa.float64()),
            "text": pa.array([r.text for _, _, r in rows], pa.string()),
        }
        return pa.table(columns)

    def to_json_dict(self) -> dict[str, Any]:
        """Return the whole answer in numbers, texts and lists."""
        document: DiscoveryDocument = {
            **analysis_document(
                self.sweep, self.responses, self.sentence(), self.warnings
            ),
            "verdict": self.verdict,
            "threshold": self.target.threshold,
            "side": "below" if self.target.is_below else "above",
            "cases": self.n_cases,
            "unsure": self.n_unsure,
            "boxes": [_box_document(box) for box in self.boxes],
            "peels": [_peel_document(peel) for peel in self.peels],
            "chosen": self.chosen,
        }
        return as_dict(document)

    @property
    def _unsure(self) -> str:
        if not self.n_unsure:
            return ""
        return (
            f" By their intervals, {self.n_unsure:,} of all points could as well be on"
            " the other side."
        )


def discover(
    finished: Finished,
    question: Question,
    target: Target,
    n_boxes: int = BOXES_MAX,
    density: float | None = None,
) -> Discovery:
    """Return the boxes in which a response is beyond a threshold.

    A box is the one of its peels with the largest harmonic mean of coverage and
    density, or the largest that is as dense as asked for. It is pasted, and sides that
    chance explains are opened again. Its points are then put aside, and the next box is
    looked for among the rest.

    Args:
        finished: The sweep.
        question: The response.
        target: Which of its values are of interest.
        n_boxes: At most.
        density: That a box must have, in (0, 1]; where none has it, the densest is it.

    Raises:
        InputError: No point has the response, or nothing is varied.
    """
    sweep = finished.sweep
    if not sweep.factors:
        rule = "must vary a factor, to have boxes of them"
        raise InputError(Problem(rule, str(finished.folder)))
    responses = read_responses(finished, question)
    bounds = bounds_of(responses.y)
    is_case = target.cases(bounds.mean)
    is_unsure = bounds.is_unsure(target.threshold)
    n, n_cases = len(is_case), int(is_case.sum())
    boxes: list[Box] = []
    peels: tuple[Peel, ...] = ()
    chosen: int | None = None
    verdict: Verdict = "none"
    if n < POINTS_FEW:
        verdict = "few"
    elif n_cases in {0, n}:
        verdict = "everywhere" if n_cases else "nowhere"
    else:
        boxes, peels, chosen = found_boxes(
            sweep, responses, is_case, is_unsure, (n_boxes, density)
        )
        verdict = "found" if boxes else "none"
    return Discovery(
        sweep,
        responses,
        target,
        verdict,
        tuple(boxes),
        peels,
        chosen,
        n_cases,
        None if is_unsure is None else int(is_unsure.sum()),
        tuple(_warnings(sweep, responses, bounds, is_unsure)),
    )


def _warnings(
    sweep: Sweep, responses: Responses, bounds: Bounds, is_unsure: Flags | None
) -> list[str]:
    told = usual_warnings(sweep, responses)
    if bounds.low is None:
        told.append("without replications nothing tells which points are sure")
    elif is_unsure is not None and is_unsure.mean() >= NOTED_UNSURE:
        told.append(
            f"{_percent(float(is_unsure.mean()))} of the points could be on either side"
            " of the threshold: more replications would settle them"
        )
    if is_uneven(sweep):
        told.append(UNEVEN.format(sweep.design.name))
    return told


def _box_document(box: Box) -> BoxDocument:
    restrictions: list[RestrictionDocument] = [
        {
            "factor": r.factor.field,
            "low": r.low,
            "high": r.high,
            "without": [number_text(r.factor, x) for x in r.side.without],
            "quasi_p": r.quasi_p,
            "text": r.text,
        }
        for r in box.restrictions
    ]
    return {
        "text": box.text,
        "coverage": box.coverage,
        "density": box.density,
        "mass": box.mass,
        "points": box.n,
        "unsure": box.n_unsure,
        "restrictions": restrictions,
    }


def _peel_document(peel: Peel) -> PeelDocument:
    n_restricted = sum(not side.is_open for side in peel.sides)
    return {
        "coverage": peel.coverage,
        "density": peel.density,
        "mass": peel.mass,
        "points": peel.n,
        "restricted": n_restricted,
    }


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f} %"
