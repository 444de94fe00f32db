"""Statistical gates that state how often they err and the smallest error they see.

A gate compares what was seen with what must come out. It fails a correct program with
probability `alpha` at most (exactly so for t tests of normal values), and it catches an
error of `visible_error` with probability 0.99. A battery shares one false-alarm rate
among its gates (Bonferroni), so that its size does not change how often it errs.
"""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

FloatArray = npt.NDArray[np.float64]
Cdf = Callable[[FloatArray], FloatArray]

POWER = 0.99  # chance of catching an error of `visible_error`
ROUNDING = 4 * np.finfo(np.float64).eps  # relative; no sample is surer than that


class GateResult(NamedTuple):
    """What one gate saw."""

    expected: float
    seen: float
    statistic: float  # z, t or distance; see each gate
    threshold: float  # largest |statistic| that passes
    p_value: float  # [-]
    visible_error: float  # caught with 99 % power; relative, or a distance for laws
    passes: bool


@dataclass
class Battery:
    """Gates that share one false-alarm rate.

    Gates are evaluated when the battery is, since alpha depends on how many there are.
    """

    family_alpha: float = 1e-4
    visible_max: float = 0.01
    gates: dict[str, tuple[Callable[[float], GateResult], float]] = field(
        default_factory=dict
    )

    @property
    def alpha(self) -> float:
        """Return the false-alarm rate of each gate: family_alpha / number of gates."""
        return self.family_alpha / len(self.gates)

    def add(
        self,
        name: str,
        gate: Callable[[float], GateResult],
        visible_max: float | None = None,
    ) -> None:
        """Add a gate, a function of alpha.

        Args:
            name: Unlike all others.
            gate: Called with the alpha of one gate.
            visible_max: Largest visible error allowed, the battery's where absent.
        """
        if name in self.gates:
            raise ValueError(f"gates need names of their own; {name!r} is repeated")
        limit = self.visible_max if visible_max is None else visible_max
        self.gates[name] = (gate, limit)

    def mean(
        self,
        name: str,
        values: Sequence[float] | FloatArray,
        expected: float,
        visible_max: float | None = None,
    ) -> None:
        """Add a `mean_gate`."""
        self.add(
            name, lambda alpha: mean_gate(values, expected, alpha=alpha), visible_max
        )

    def law(
        self,
        name: str,
        sample: Sequence[float] | FloatArray,
        cdf: Cdf,
        visible_max: float | None = None,
    ) -> None:
        """Add a `ks_gate`."""
        self.add(name, lambda alpha: ks_gate(sample, cdf, alpha=alpha), visible_max)

    def share(
        self,
        name: str,
        successes_of: tuple[int, int],
        expected: float,
        visible_max: float | None = None,
    ) -> None:
        """Add a `binomial_gate` of (successes, trials)."""
        successes, n = successes_of
        self.add(
            name,
            lambda alpha: binomial_gate(successes, n, expected, alpha=alpha),
            visible_max,
        )

    def count(
        self, name: str, count: int, expected: float, visible_max: float | None = None
    ) -> None:
        """Add a `poisson_gate`."""
        self.add(
            name, lambda alpha: poisson_gate(count, expected, alpha=alpha), visible_max
        )

    def results(self) -> dict[str, GateResult]:
        """Return what each gate saw, by name."""
        alpha = self.alpha
        return {name: gate(alpha) for name, (gate, _) in self.gates.items()}

    def table(self, results: dict[str, GateResult]) -> str:
        """Return the results as text, one line a gate."""
        width = max(len(name) for name in results)
        each = f"{self.alpha:.3g} each; smallest error seen with {POWER:.0%} power"
        columns = ("expected", "seen", "z", "threshold", "sees", "at most")
        widths = (13, 13, 10, 10, 10, 10)
        heads = (f"{column:>{n}}" for column, n in zip(columns, widths, strict=True))
        lines = [
            f"{len(results)} gates, false alarm {self.family_alpha:.3g} in all, {each}",
            f"{'gate':{width}} {''.join(heads)}",
        ]
        for name, result in results.items():
            sees, limit = result.visible_error, self.gates[name][1]
            lines.append(
                f"{name:{width}} {result.expected:13.6g}{result.seen:13.6g}"
                f"{result.statistic:10.4g}{result.threshold:10.4g}"
                f"{sees:10.3%}{limit:10.3%} {self._verdict(name, result)}"
            )
        return "\n".join(lines)

    def check(self) -> None:
        """Print the table and assert that all gates pass and all see well enough."""
        if not self.gates:
            raise ValueError("a battery needs at least one gate")
        results = self.results()
        table = self.table(results)
        sys.stdout.write(f"{table}\n")
        bad = [name for name in results if self._verdict(name, results[name]) != "ok"]
        assert not bad, f"{len(bad)} gates failed: {', '.join(bad)}\n{table}"

    def _verdict(self, name: str, result: GateResult) -> str:
        """Return "ok", "FAILS" or "BLIND" (an error at the limit may go unseen)."""
        if not result.passes:
            return "FAILS"
        return "ok" if result.visible_error <= self.gates[name][1] else "BLIND"


def mean_gate(
    values: Sequence[float] | FloatArray, expected: float, *, alpha: float = 1e-6
) -> GateResult:
    """Return whether replications have the expected mean: a two-sided t test.

    t = (mean − expected)·√n / sd, threshold the 1 − α/2 quantile of t with n − 1
    degrees of freedom; sees ν·sd/√n with ν of `noncentrality`.

    Args:
        values: One independent value a replication, at least two, all finite.
        expected: Other than 0.
        alpha: False-alarm rate.

    Source:
        Student 1908; power by the noncentral t law.
    """
    sample = _finite(values, 2)
    if expected == 0 or not math.isfinite(expected):
        raise ValueError(f"expected must be finite and not 0; got {expected}")
    n = len(sample)
    seen = float(sample.mean())
    rounding = ROUNDING * max(abs(seen), abs(expected))
    error = max(float(sample.std(ddof=1)) / math.sqrt(n), rounding)
    statistic = (seen - expected) / error
    threshold = float(stats.t.isf(alpha / 2, n - 1))
    return GateResult(
        expected=expected,
        seen=seen,
        statistic=statistic,
        threshold=threshold,
        p_value=float(2 * stats.t.sf(abs(statistic), n - 1)),
        visible_error=noncentrality(threshold, n - 1) * error / abs(expected),
        passes=abs(statistic) <= threshold,
    )


@cache
def noncentrality(threshold: float, df: int) -> float:
    """Return ν such that noncentral t exceeds the threshold with probability 0.99.

    Source:
        P(T > t) is continuous and increasing in ν; root found by Brent's method.
    """
    spread = threshold * float(stats.chi.ppf(0.999999, df)) / math.sqrt(df)
    return float(
        optimize.brentq(
            lambda nu: float(stats.nct.sf(threshold, df, nu)) - POWER,
            0.0,
            spread + 10.0,
        )
    )


def ks_gate(
    sample: Sequence[float] | FloatArray, cdf: Cdf, *, alpha: float = 1e-6
) -> GateResult:
    """Return whether independent draws follow a law, discrete or continuous.

    D = sup |F_n − F|, both at each value and just below it; fails above
    √(ln(2/α)/(2n)), which no law exceeds more often than α. Sees a distance of the
    threshold and 2.326·0.5/√n more; a rate wrong by d moves an exponential law by d/e.

    Args:
        sample: Independent draws, all finite.
        cdf: P(X ≤ x) of an array, defined for all numbers, so 0 below the lowest value.
        alpha: False-alarm rate.

    Source:
        Dvoretzky, Kiefer & Wolfowitz 1956 with Massart's constant, 1990.
    """
    values, counts = np.unique(_finite(sample, 1), return_counts=True)
    n = int(counts.sum())
    above = np.cumsum(counts) / n
    below = np.concatenate(([0.0], above[:-1]))
    at = np.abs(above - cdf(values))
    before = np.abs(below - cdf(np.nextafter(values, -np.inf)))
    distance = float(np.maximum(at, before).max())
    threshold = math.sqrt(math.log(2 / alpha) / (2 * n))
    reach = float(stats.norm.ppf(POWER)) / (2 * math.sqrt(n))
    return GateResult(
        expected=0.0,
        seen=distance,
        statistic=distance,
        threshold=threshold,
        p_value=float(stats.kstwo.sf(distance, n)),
        visible_error=threshold + reach,
        passes=distance <= threshold,
    )


def binomial_gate(
    successes: int, n: int, p: float, *, alpha: float = 1e-6
) -> GateResult:
    """Return whether a share is as expected: the exact binomial test.

    p-value = min(1, 2·min(P(X ≤ k), P(X ≥ k))); the statistic is the normal score of
    it. Sees p′ where the test, in either direction, fails with power .99.

    Args:
        successes: k.
        n: Independent trials.
        p: Expected share, above 0 and below 1.
        alpha: False-alarm rate.

    Source:
        Clopper & Pearson 1934.
    """
    if not (0 < p < 1 and 0 <= successes <= n):
        raise ValueError(f"need 0 < p < 1, 0 <= k <= n; got p={p} k={successes} n={n}")
    low = float(stats.binom.cdf(successes, n, p))
    high = float(stats.binom.sf(successes - 1, n, p))
    fails_above = int(stats.binom.isf(alpha / 2, n, p)) + 1
    fails_below = int(stats.binom.ppf(alpha / 2, n, p)) - 1
    up = down = math.inf
    if fails_above <= n:
        up = float(special.betaincinv(fails_above, n - fails_above + 1, POWER))
    if fails_below >= 0:
        down = float(special.betaincinv(fails_below + 1, n - fails_below, 1 - POWER))
    visible = max(up - p, abs(p - down)) / p
    return _tail_result(p, successes / n, (low, high), visible, alpha)


def poisson_gate(count: int, mean: float, *, alpha: float = 1e-6) -> GateResult:
    """Return whether a count is as expected: the exact Poisson test.

    As `binomial_gate`, with the tails of the Poisson law.

    Args:
        count: Events seen, at least 0.
        mean: Expected events, above 0.
        alpha: False-alarm rate.

    Source:
        Garwood 1936.
    """
    if mean <= 0 or count < 0:
        raise ValueError(f"need mean > 0 and count >= 0; got {mean} and {count}")
    low = float(stats.poisson.cdf(count, mean))
    high = float(stats.poisson.sf(count - 1, mean))
    fails_above = int(stats.poisson.isf(alpha / 2, mean)) + 1
    fails_below = int(stats.poisson.ppf(alpha / 2, mean)) - 1
    # More is harder to see than less, whose spread is smaller, if less can fail at all.
    visible = math.inf
    if fails_below >= 0:
        visible = (float(special.gammaincinv(fails_above, POWER)) - mean) / mean
    return _tail_result(mean, float(count), (low, high), visible, alpha)


def _tail_result(
    expected: float,
    seen: float,
    tails: tuple[float, float],
    visible_error: float,
    alpha: float,
) -> GateResult:
    """Return the result of an exact test, its statistic the normal score of p."""
    p_value = min(1.0, 2 * min(tails))
    score = float(stats.norm.isf(p_value / 2))
    return GateResult(
        expected=expected,
        seen=seen,
        statistic=score if tails[1] < tails[0] else -score,
        threshold=float(stats.norm.isf(alpha / 2)),
        p_value=p_value,
        visible_error=visible_error,
        passes=p_value >= alpha,
    )


def _finite(values: Sequence[float] | FloatArray, n_min: int) -> FloatArray:
    """Return the values as an array, or refuse too few and anything not finite."""
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or len(sample) < n_min:
        raise ValueError(f"need a row of at least {n_min} values; got {sample.shape}")
    if not np.all(np.isfinite(sample)):
        raise ValueError("all values must be finite")
    return sample
