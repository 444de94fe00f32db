"""Whether a conclusion survives its assumptions, as a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from scipy import special

from churnsim.analysis.boxes import Box
from churnsim.experiment.documents import as_dict
from churnsim.experiment.intervals import CONFIDENCE, Estimate
from churnsim.experiment.plain import plain
from churnsim.experiment.sentences import PER
from churnsim.robustness.documents import (
    AssumptionDocument,
    ConclusionDocument,
    RobustDocument,
    TallyDocument,
    TurnDocument,
)
from churnsim.robustness.points import sign_of
from churnsim.robustness.turning import Line, Turn, nearest
from churnsim.robustness.varied import Choice
from churnsim.robustness.worlds import World
from churnsim.scenario import Scenario

if TYPE_CHECKING:
    import pyarrow as pa


class Share(NamedTuple):
    """A share of points with its 95 % interval (Clopper & Pearson 1934)."""

    share: float
    low: float
    high: float


class Tally(NamedTuple):
    """What a conclusion came to over the points of the ranges."""

    n_kept: int  # the sign is as stated, surely
    n_turned: int  # the other sign, surely
    n_unsure: int  # it cannot be told from zero
    n_turned_mean: int  # of all: the mean has the other sign, surely or not

    @property
    def n(self) -> int:
        """Return how many points there are."""
        return self.n_kept + self.n_turned + self.n_unsure

    @property
    def kept(self) -> Share | None:
        """Return the share that keeps the sign; None without points."""
        return share_of(self.n_kept, self.n) if self.n else None


class Conclusion(NamedTuple):
    """What one policy loses, and whether that survives, in one world."""

    world: World
    policy: str
    stated: Estimate  # at the values assumed [currency, a year per 1,000 customers]
    tally: Tally | None  # None: nothing is concluded, as the sign is not sure
    box: Box | None  # assumptions that turn it together; None: no such box was found

    @property
    def sign(self) -> int:
        """Return 1 for a sure loss, -1 for a sure gain, 0 where it cannot be told."""
        return sign_of(self.stated)


class Extent(NamedTuple):
    """How much was run."""

    n_points: int  # over the ranges, as asked for
    n_finished: int  # of those, in every world
    replications: int
    seed: int
    n_customers: int
    measure: str
    grades: str
    is_stopped: bool


@dataclass(frozen=True, eq=False)
class Robustness:
    """Whether what policies lose keeps its sign over the ranges of the assumptions."""

    scenario: Scenario
    extent: Extent
    choice: Choice
    conclusions: tuple[Conclusion, ...]  # by world, the scenario's own first
    lines: tuple[Line, ...]  # one assumption at a time, in the scenario's own world
    refused: dict[str, int]  # points that there cannot be, by the rule they break
    failed: tuple[str, ...]  # errors of points that could not be run
    warnings: tuple[str, ...]

    @property
    def worlds(self) -> tuple[World, ...]:
        """Return the settings for word of mouth, the scenario's own first."""
        return tuple(dict.fromkeys(found.world for found in self.conclusions))

    @property
    def n_lines(self) -> int:
        """Return how many assumptions were moved one at a time."""
        return len(self.lines)

    def first_turns(self) -> dict[str, tuple[Line, Turn]]:
        """Return of each policy the assumption that overturns it first."""
        return dict(nearest(self.lines))

    def sentence(self, policy: str) -> str:
        """Return whether a policy's conclusion survives, in one or two sentences."""
        of = [found for found in self.conclusions if found.policy == policy]
        own = of[0]
        what = {1: "loses", -1: "earns more", 0: "differs"}[own.sign]
        against = "than" if own.sign < 0 else "against" if own.sign else "from"
        told = f"{policy} {what} {against} {self.scenario.baseline}"
        if own.tally is None:
            return (
                f"Whether {policy} loses cannot be told, with assumptions as they are."
            )
        parts = [
            f"{_percent(found.tally.kept)} of {found.tally.n:,} points"
            f" where {found.world.title}"
            for found in of
            if found.tally and found.tally.kept
        ]
        if not parts:
            return f"{told} as assumed; no point over the ranges was finished."
        spread = f"{told}, surely so at {', at '.join(parts)}."
        first = self.first_turns().get(policy)
        if not self.lines:
            return spread
        if first is None:
            return f"{spread} No assumption overturns it within its range by itself."
        line, turn = first
        return (
            f"{spread} {line.varied.field} overturns it first: at {turn.value}, "
            f"{turn.distance:.0%} of its range from {_value(line)}."
        )

    def to_arrow(self) -> pa.Table:
        """Return one row for each assumption and policy, moved by itself."""
        import pyarrow as pa

        rows = [
            (line, policy, line.low[policy], line.high[policy], turn_of(line, policy))
            for line in self.lines
            for policy in line.low
        ]
        columns = {
            "assumption": pa.array([r[0].varied.field for r in rows], pa.string()),
            "policy": pa.array([r[1] for r in rows], pa.string()),
            "value": pa.array([_value(r[0]) for r in rows], pa.string()),
            "low": pa.array([_end(r[0], 0) for r in rows], pa.string()),
            "high": pa.array([_end(r[0], 1) for r in rows], pa.string()),
            "lost_at_low": pa.array([r[2].mean for r in rows], pa.float64()),
            "lost_at_high": pa.array([r[3].mean for r in rows], pa.float64()),
            "turns_at": pa.array([r[4] and r[4].value for r in rows], pa.string()),
            "turn_distance": pa.array(
                [r[4] and r[4].distance for r in rows], pa.float64()
            ),
        }
        return pa.table(columns)

    def to_json_dict(self, command: str = "") -> dict[str, Any]:
        """Return all of it in numbers, texts and lists.

        Args:
            command: What makes the same numbers again, where there is one.
        """
        extent = self.extent
        document: RobustDocument = {
            "scenario": self.scenario.name,
            "title": self.scenario.title,
            "digest": self.scenario.digest,
            "currency": self.scenario.currency,
            "baseline": self.scenario.baseline,
            "measure": extent.measure,
            "per": PER,
            "grades": extent.grades,
            "seed": extent.seed,
            "replications": extent.replications,
            "customers": extent.n_customers,
            "points": extent.n_points,
            "points_finished": extent.n_finished,
            "points_refused": self.refused,
            "points_failed": list(self.failed),
            "is_stopped": extent.is_stopped,
            "sentences": [self.sentence(name) for name in self._policies()],
            "conclusions": [_conclusion(found) for found in self.conclusions],
            "assumptions": [_assumption(line) for line in self.lines],
            "without_range": list(self.choice.without_range),
            "idle": list(self.choice.idle),
            "warnings": list(self.warnings),
            "command": command,
        }
        return as_dict(document)

    def _policies(self) -> list[str]:
        return list(dict.fromkeys(found.policy for found in self.conclusions))


def share_of(n: int, n_all: int) -> Share:
    """Return a share with its exact 95 % interval; `n_all` is at least 1.

    Source:
        Clopper, C. J. & Pearson, E. S. (1934): The use of confidence or fiducial
        limits illustrated in the case of the binomial. Biometrika 26, 404-413.
    """
    tail = 0.5 * (1.0 - CONFIDENCE)
    low = special.betaincinv(n, n_all - n + 1, tail) if n else 0.0
    high = special.betaincinv(n + 1, n_all - n, 1.0 - tail) if n < n_all else 1.0
    return Share(n / n_all, float(low), float(high))


def turn_of(line: Line, policy: str) -> Turn | None:
    """Return where an assumption turns a policy's sign."""
    return next((turn for turn in line.turns if turn.policy == policy), None)


def _percent(share: Share) -> str:
    return f"{share.share:.0%} ({share.low:.0%} to {share.high:.0%})"


def _value(line: Line) -> str:
    """Return the value that is assumed, for people."""
    lever = line.varied.factor.lever
    return lever.text(line.varied.value) if lever else ""


def _end(line: Line, end: int) -> str:
    return line.varied.level(line.ends[end]).text


def _conclusion(found: Conclusion) -> ConclusionDocument:
    return {
        "word_of_mouth": found.world.name,
        "told_bad": found.world.told_bad,
        "told_good": found.world.told_good,
        "is_own": found.world.is_own,
        "policy": found.policy,
        "stated": plain(found.stated),
        "sign": found.sign,
        "tally": _tally(found.tally) if found.tally else None,
        "box": found.box.text if found.box else None,
    }


def _tally(tally: Tally) -> TallyDocument:
    kept = tally.kept
    return {
        "points": tally.n,
        "kept": tally.n_kept,
        "turned": tally.n_turned,
        "unsure": tally.n_unsure,
        "turned_mean": tally.n_turned_mean,
        "share": kept.share if kept else None,
        "low": kept.low if kept else None,
        "high": kept.high if kept else None,
    }


def _assumption(line: Line) -> AssumptionDocument:
    varied = line.varied
    turns: list[TurnDocument] = [
        {
            "policy": turn.policy,
            "value": turn.value,
            "distance": turn.distance,
            "is_sure": turn.is_sure,
        }
        for turn in line.turns
    ]
    return {
        "field": varied.field,
        "keys": list(varied.keys),
        "grade": varied.grade,
        "value": _value(line),
        "low": _end(line, 0),
        "high": _end(line, 1),
        "is_cut": line.is_cut,
        "is_log": varied.factor.is_log,
        "lost_at_low": {name: plain(loss) for name, loss in line.low.items()},
        "lost_at_high": {name: plain(loss) for name, loss in line.high.items()},
        "turns": turns,
    }
