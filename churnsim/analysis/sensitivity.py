"""Which factors a response hangs on: the right measure for the design that was run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from churnsim.analysis.documents import FactorDocument, SensitivityDocument
from churnsim.analysis.finished import Factor, Finished, Sweep
from churnsim.analysis.given_data import POINTS_MIN, first_order, of_grid
from churnsim.analysis.layouts import Units, is_whole_grid, units_of
from churnsim.analysis.morris import TRAJECTORIES_MIN, morris_effects
from churnsim.analysis.noise import cross, noise_share
from churnsim.analysis.resampling import Index
from churnsim.analysis.responses import Question, Responses, read_responses
from churnsim.analysis.sobol import BLOCKS_MIN, sobol_indices
from churnsim.analysis.subject import (
    about_text,
    amount_text,
    analysis_document,
    per_text,
    usual_warnings,
)
from churnsim.errors import InputError, Problem
from churnsim.experiment.documents import as_dict
from churnsim.experiment.plain import plain
from churnsim.records import Floats

if TYPE_CHECKING:
    import pyarrow as pa

Method = Literal["saltelli", "morris", "given_data"]
Verdict = Literal["told", "constant", "noise", "few"]

BLOCKS_ROUGH = (
    100  # base blocks; below, intervals of total indices are half as wide as 1
)
NOTED_NOISE = 0.05  # share of the variance from which luck is worth a word
INSIDE = 1e-9  # that rounding makes of a response that never varies
WORTH_TELLING = 0.02  # of what the first factor is behind: less is no second reason


class FactorSensitivity(NamedTuple):
    """How much one factor matters; None is what the design does not tell."""

    factor: Factor
    first: Index | None = None
    total: Index | None = None
    estimator: str | None = None  # of `first`: "saltelli", "grid", "levels" or "ranks"
    mu: Index | None = None
    mu_star: Index | None = None
    sigma: Index | None = None
    mu_star_noise: float | None = None

    @property
    def leading(self) -> Index:
        """Return what factors are put in order by."""
        known = (self.total, self.mu_star, self.first)
        return next(index for index in known if index is not None)

    @property
    def is_sure(self) -> bool:
        """Return whether it can be told that the factor matters at all."""
        index = self.leading
        least = self.mu_star_noise or 0.0
        return (index.value if index.low is None else index.low) > least


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Which factors a response of a sweep hangs on, and how sure that is."""

    sweep: Sweep
    responses: Responses
    method: Method
    verdict: Verdict
    factors: tuple[FactorSensitivity, ...]  # the one that matters most first
    mean: float  # of the response over points
    variance: float | None  # between points, without luck
    noise: float | None  # share of the averages' variance that is luck; None: r = 1
    n_units: int
    n_broken: int
    warnings: tuple[str, ...]

    def sentence(self) -> str:
        """Return the answer in one or two sentences."""
        text = self.responses.question.text
        mean = f"{amount_text(self.mean, self.responses.unit)}{self._per}"
        if self.verdict == "constant":
            return (
                f"The {text} does not vary: it is {mean} at every point, so no factor"
                " moves it."
            )
        if self.verdict == "few":
            return (
                f"Too few points are there to tell what the {text} hangs on:"
                f" {self.n_units:,} whole {self.units_text(self.n_units)}."
            )
        if self.verdict == "noise":
            return (
                f"What the {text} hangs on cannot be told: its points do not differ by"
                " more than luck makes of them. More replications would tell."
            )
        leading = self._leading()
        if not leading:
            return (
                f"No factor can be told to move the {text} by itself: every interval"
                " reaches down to nothing."
            )
        return f"The {text} hangs most on {leading}."

    def units_text(self, n: int) -> str:
        """Return what the design is made of, in words."""
        names = {"saltelli": "base block", "morris": "trajectory"}
        name = names.get(self.method, "point")
        plural = "trajectories" if name == "trajectory" else f"{name}s"
        return name if n == 1 else plural

    def to_arrow(self) -> pa.Table:
        """Return one row for each factor, the one that matters most first."""
        import pyarrow as pa

        columns: dict[str, Any] = {
            "factor": pa.array([f.factor.field for f in self.factors], pa.string()),
            "estimator": pa.array([f.estimator for f in self.factors], pa.string()),
        }
        for name in ("first", "total", "mu", "mu_star", "sigma"):
            found: list[Index | None] = [getattr(f, name) for f in self.factors]
            for part in ("value", "low", "high"):
                label = name if part == "value" else f"{name}_{part}"
                values = [None if i is None else getattr(i, part) for i in found]
                columns[label] = pa.array(values, pa.float64())
        noise = [f.mu_star_noise for f in self.factors]
        return pa.table({**columns, "mu_star_noise": pa.array(noise, pa.float64())})

    def to_json_dict(self) -> dict[str, Any]:
        """Return the whole answer in numbers, texts and lists."""
        document: SensitivityDocument = {
            **analysis_document(
                self.sweep, self.responses, self.sentence(), self.warnings
            ),
            "method": self.method,
            "verdict": self.verdict,
            "mean": self.mean,
            "standard_deviation": (
                None if self.variance is None else float(np.sqrt(self.variance))
            ),
            "noise_share": self.noise,
            "units": self.n_units,
            "units_broken": self.n_broken,
            "factors": [_document(found) for found in self.factors],
        }
        return as_dict(document)

    @property
    def _per(self) -> str:
        return per_text(self.responses.unit)

    def _leading(self) -> str:
        """Return the factors that matter most, with their measure; "" if none does."""
        shown = []
        sure = [factor for factor in self.factors if factor.is_sure]
        least = WORTH_TELLING * sure[0].leading.value if sure else 0.0
        for found in [f for f in sure[:2] if f.leading.value >= least]:
            about = about_text(found.factor)
            if found.mu_star is not None:
                size = amount_text(found.mu_star.value, self.responses.unit)
                shown.append(
                    f"{about}, whose whole range moves it by {size}{self._per} on"
                    " average"
                )
            elif found.total is not None and found.first is not None:
                shown.append(
                    f"{about}, which is behind {_percent(found.total)} of its variance"
                    f" ({_percent(found.first)} alone)"
                )
            elif found.first is not None:
                shown.append(
                    f"{about}, which alone is behind {_percent(found.first)} of its"
                    " variance"
                )
        return "; then on ".join(shown)


def sensitivity(finished: Finished, question: Question) -> Sensitivity:
    """Return which factors a response hangs on.

    Saltelli's layout gives first-order and total Sobol indices, Morris's trajectories
    give elementary effects; of any other design first-order indices are estimated from
    the points as they lie, and total ones cannot be had.

    Raises:
        InputError: No point has the response, or nothing is varied.
    """
    sweep = finished.sweep
    if not sweep.factors:
        rule = "must vary a factor, to be asked what matters"
        raise InputError(Problem(rule, str(finished.folder)))
    responses = read_responses(finished, question)
    methods: dict[str, Method] = {"saltelli": "saltelli", "morris": "morris"}
    method = methods.get(sweep.design.name, "given_data")
    k = len(sweep.factors)
    n_each = {"saltelli": k + 2, "morris": k + 1, "given_data": 1}[method]
    units = units_of(responses, n_each)
    least = {"saltelli": BLOCKS_MIN, "morris": TRAJECTORIES_MIN}.get(method, POINTS_MIN)
    warnings = usual_warnings(sweep, responses)
    verdict: Verdict = "told"
    found: list[FactorSensitivity] = []
    variance, noise = _spread(responses.y)
    if len(units.y) < least:
        verdict = "few"
    elif _is_constant(responses.y):
        verdict = "constant"
    elif method == "saltelli":
        verdict, found, variance, noise = _saltelli(sweep, units)
    elif method == "morris":
        found = _morris(sweep, units)
    else:
        found = _given(sweep, responses)
        verdict = "told" if found else "noise"
    result = Sensitivity(
        sweep,
        responses,
        method,
        verdict,
        tuple(sorted(found, key=lambda f: -f.leading.value)),
        float(responses.y.mean()),
        variance,
        noise,
        len(units.y),
        units.n_broken,
        (),
    )
    more = (*warnings, *_warnings(result))
    return Sensitivity(**{**vars(result), "warnings": more})


def _saltelli(
    sweep: Sweep, units: Units
) -> tuple[Verdict, list[FactorSensitivity], float, float | None]:
    found = sobol_indices(units.y, sweep.seed, is_common=sweep.draws == "common")
    if not found.is_told:
        return "noise", [], max(found.variance, 0.0), found.noise
    each = zip(sweep.factors, found.first, found.total, strict=True)
    factors = [FactorSensitivity(f, a, b, "saltelli") for f, a, b in each]
    return "told", factors, found.variance, found.noise


def _morris(sweep: Sweep, units: Units) -> list[FactorSensitivity]:
    places = np.array([[sweep.design.unit(int(i)) for i in t] for t in units.points])
    effects = morris_effects(units.y, places, sweep.seed)
    return [
        FactorSensitivity(
            f, mu=e.mu, mu_star=e.mu_star, sigma=e.sigma, mu_star_noise=e.noise
        )
        for f, e in zip(sweep.factors, effects, strict=True)
    ]


def _given(sweep: Sweep, responses: Responses) -> list[FactorSensitivity]:
    """Return first-order indices from any points; none where luck hides them."""
    around = responses.y - responses.y.mean(axis=0)
    if float(cross(around, around).mean()) <= 0.0:
        return []
    numbers = responses.numbers
    if is_whole_grid(sweep, responses):
        each = zip(sweep.factors, *of_grid(numbers, responses.y), strict=True)
        return [FactorSensitivity(f, a, b, "grid") for f, a, b in each]
    found = []
    for factor, x in zip(sweep.factors, numbers.T, strict=True):
        if len(np.unique(x)) < 2:
            first, how = Index(0.0, None, None), "levels"
        else:
            first, how = first_order(
                x, responses.y, sweep.seed, is_common=sweep.draws == "common"
            )
        found.append(FactorSensitivity(factor, first, estimator=how))
    return found


def _spread(y: Floats) -> tuple[float | None, float | None]:
    """Return the variance between points without luck, and the share of luck."""
    if len(y) < 2:
        return None, None
    around = y - y.mean(axis=0)
    variance = float(cross(around, around).mean()) * len(y) / (len(y) - 1)
    if y.shape[1] == 1:
        return variance, None
    averages = float(y.mean(axis=1).var(ddof=1))
    return max(variance, 0.0), noise_share(variance, averages)


def _is_constant(y: Floats) -> bool:
    """Return whether no point differs from another by more than rounding."""
    spread = float(np.ptp(y, axis=0).max())
    return spread <= INSIDE * float(np.abs(y).max())


def _warnings(found: Sensitivity) -> list[str]:
    """Return what to keep in mind of these indices."""
    told = []
    n = found.n_broken
    if n and found.method != "given_data":
        total = n + found.n_units
        told.append(
            f"left out whole, as the layout needs: {n:,} of {total:,}"
            f" {found.units_text(total)}, which lack a point"
        )
    has_total = any(f.total is not None for f in found.factors)
    if has_total and found.method == "given_data":
        told.append(
            "the grid is whole, so indices are exact for its levels, each as likely as"
            " the next; of values in between they say nothing"
        )
    elif found.method == "given_data" and found.verdict == "told":
        told.append(
            f"a {found.sweep.design.name.replace('_', ' ')} design tells what each"
            " factor does alone; interactions and total indices need one of the design"
            ' "saltelli"'
        )
    if found.verdict != "told":
        return told
    if found.method == "saltelli" and found.n_units < BLOCKS_ROUGH:
        told.append(
            f"{found.n_units:,} base blocks are few: intervals are wide, and rough"
            f" below {BLOCKS_ROUGH}"
        )
    if found.noise is not None and found.noise >= NOTED_NOISE:
        where = (
            "it is taken off the effects' spread, but not off their mean size"
            if found.method == "morris"
            else "it is taken off, so that indices are of the factors alone"
        )
        told.append(
            f"{100.0 * found.noise:.0f} % of the variance between points is luck:"
            f" {where}"
        )
    return told


def _document(found: FactorSensitivity) -> FactorDocument:
    lever = found.factor.lever
    indices: dict[str, Any] = {
        name: None if getattr(found, name) is None else plain(getattr(found, name))
        for name in ("first", "total", "mu", "mu_star", "sigma")
    }
    return {
        "factor": found.factor.field,
        "about": lever.about if lever else "",
        "first": indices["first"],
        "total": indices["total"],
        "estimator": found.estimator,
        "mu": indices["mu"],
        "mu_star": indices["mu_star"],
        "sigma": indices["sigma"],
        "mu_star_noise": found.mu_star_noise,
    }


def _percent(index: Index) -> str:
    """Return a share with its interval."""
    value = f"{100.0 * index.value:.0f} %"
    if index.low is None or index.high is None:
        return value
    return f"{value} (95 % CI {100.0 * index.low:.0f} to {100.0 * index.high:.0f} %)"
