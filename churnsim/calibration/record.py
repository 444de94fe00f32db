"""What a calibration comes to: parameters, fit and what is not determined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from churnsim._version import __version__
from churnsim.calibration.documents import (
    CalibrationDocument,
    DirectionDocument,
    PosteriorDocument,
)
from churnsim.calibration.identifiability import Identifiability
from churnsim.calibration.parameters import number_text, numbers_at, unit_of
from churnsim.calibration.targets import Target
from churnsim.experiment.documents import as_dict
from churnsim.experiment.intervals import CONFIDENCE
from churnsim.records import Floats
from churnsim.scenario import Scenario
from churnsim.sweep.factors import Factor

if TYPE_CHECKING:
    import pyarrow as pa

FAR = 3.0  # errors from which a target is not met


class Fitted(NamedTuple):
    """A parameter as it was fitted."""

    factor: Factor
    value: float  # that fits best, in the setting's own unit
    median: float  # of the posterior
    low: float  # of its 95 % interval
    high: float

    def text(self, number: float) -> str:
        """Return a value for people, with its unit."""
        return number_text(self.factor, number)


class Met(NamedTuple):
    """A target beside what the best values come to."""

    target: Target
    simulated: float
    error: float  # Monte Carlo
    z: float  # how many errors, of both, they are apart
    low: float  # 95 % of what the posterior comes to
    high: float


@dataclass(frozen=True, eq=False)
class Calibration:
    """A scenario fitted to what a firm has observed."""

    scenario: Scenario  # with the values as they were
    policy: str
    parameters: tuple[Fitted, ...]
    targets: tuple[Met, ...]
    draws: Floats  # (n, k) of the posterior, in the unit cube
    identifiability: Identifiability
    seed: int
    replications: int
    n_values: int  # of the parameters together that were simulated
    is_stopped: bool
    warnings: tuple[str, ...]

    @property
    def n_runs(self) -> int:
        """Return how many runs are behind it."""
        return self.n_values * self.replications

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Return what was moved."""
        return tuple(fitted.factor for fitted in self.parameters)

    @property
    def chi_square(self) -> float:
        """Return the sum of squares of how far targets are from what is simulated."""
        return float(sum(met.z**2 for met in self.targets))

    @property
    def missed(self) -> tuple[Met, ...]:
        """Return the targets that the best values do not meet."""
        return tuple(met for met in self.targets if abs(met.z) > FAR)

    def sentence(self) -> str:
        """Return the answer in one sentence."""
        n, m = len(self.parameters), len(self.targets)
        if self.missed:
            far = ", ".join(met.target.title for met in self.missed)
            verb = "stays" if len(self.missed) == 1 else "stay"
            which = "value" if n == 1 else f"combination of the {n} parameters"
            return (
                f"No {which} within the range{'' if n == 1 else 's'} meets all targets:"
                f" {far} {verb} more than {FAR:g} errors away."
            )
        told = f"{n} parameter{'' if n == 1 else 's'} fitted to"
        told += f" {m} target{'' if m == 1 else 's'}, all of which are met,"
        if self.identifiability.is_determined:
            return f"{told} and which determine every parameter."
        return f"{told} but which do not determine every parameter."

    def settings(self) -> dict[str, str]:
        """Return the values that fit best, as `--set` takes them."""
        return {
            fitted.factor.field: fitted.factor.at(fitted.value).setting
            for fitted in self.parameters
        }

    def posterior(self) -> PosteriorDocument:
        """Return the posterior as `churnsim run --posterior` reads it."""
        return {
            "churnsim": __version__,
            "kind": "posterior",
            "scenario": self.scenario.name,
            "digest": self.scenario.digest,
            "policy": self.policy,
            "parameters": [
                {"field": factor.field, "unit": unit_of(factor)}
                for factor in self.factors
            ],
            "draws": [
                [
                    factor.at(number).setting
                    for factor, number in zip(
                        self.factors, numbers_at(self.factors, draw), strict=True
                    )
                ]
                for draw in self.draws
            ],
            "weights": None,
        }

    def to_arrow(self) -> pa.Table:
        """Return the posterior's draws: a column for each parameter, in its unit."""
        import pyarrow as pa

        numbers = np.array([numbers_at(self.factors, draw) for draw in self.draws])
        return pa.table({f.field: numbers[:, i] for i, f in enumerate(self.factors)})

    def to_json_dict(self) -> dict[str, Any]:
        """Return the whole answer in numbers, texts and lists."""
        known = self.identifiability
        document: CalibrationDocument = {
            "scenario": self.scenario.name,
            "title": self.scenario.title,
            "scenario_digest": self.scenario.digest,
            "policy": self.policy,
            "seed": self.seed,
            "replications": self.replications,
            "values": self.n_values,
            "runs": self.n_runs,
            "is_partial": self.is_stopped,
            "sentence": self.sentence(),
            "confidence": CONFIDENCE,
            "draws": len(self.draws),
            "parameters": [
                {
                    "field": fitted.factor.field,
                    "unit": unit_of(fitted.factor),
                    "range": [fitted.factor.low, fitted.factor.high],
                    "prior": "log-uniform" if fitted.factor.is_log else "uniform",
                    "value": fitted.value,
                    "setting": fitted.factor.at(fitted.value).setting,
                    "median": fitted.median,
                    "low": fitted.low,
                    "high": fitted.high,
                    "left": known.left[i],
                    "is_idle": i in known.idle,
                }
                for i, fitted in enumerate(self.parameters)
            ],
            "targets": [_target(met) for met in self.targets],
            "chi_square": self.chi_square,
            "is_determined": known.is_determined,
            "identifiability": list(known.sentences),
            "directions": [
                DirectionDocument(
                    parts=list(direction.parts),
                    precision=direction.precision,
                    left=direction.left,
                    is_determined=direction.is_determined,
                    fields=[self.factors[i].field for i in direction.involved],
                )
                for direction in known.directions
            ],
            "slopes": known.slopes.tolist(),
            "correlation": known.correlation.tolist(),
            "warnings": list(self.warnings),
        }
        return as_dict(document)


def _target(met: Met) -> Any:
    target = met.target
    figure, _, outcome = target.name.partition(".")
    return {
        "figure": figure,
        "outcome": outcome or None,
        "unit": target.figure.kind.unit,
        "source": target.source,
        "observed": target.value,
        "error": target.error,
        "simulated": met.simulated,
        "simulated_error": met.error,
        "z": met.z,
        "low": met.low,
        "high": met.high,
    }
