"""From the rows of a sweep to one response at each point, replication by replication.

A response is an outcome of one policy, or what two policies differ by on the same
point, replication and luck. The pair is formed row by row, so luck that both met is
gone before anything is averaged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churnsim.analysis.finished import ALWAYS_KEPT, Finished, Sweep
from churnsim.errors import InputError, Problem
from churnsim.experiment.losses import MEASURES
from churnsim.experiment.preparing import years_in_all
from churnsim.experiment.sentences import PER
from churnsim.experiment.summary import FIGURES
from churnsim.records import Floats, Integers
from churnsim.scenario.files import close_to
from churnsim.scenario.model import FLAWLESS
from churnsim.units import year_days

FAILED = -1  # the replication of a failed point's one row
POLICIES = "policies"  # the factor that varies which policies are compared


class Question(NamedTuple):
    """Which response."""

    outcome: str  # one of FIGURES
    policy: str
    against: str | None  # None: the outcome of the policy itself

    @property
    def is_loss(self) -> bool:
        """Return whether it is money that one policy earns less than the other."""
        return self.against is not None and self.outcome in MEASURES

    @property
    def text(self) -> str:
        """Return it in words, for the middle of a sentence."""
        what = FIGURES[self.outcome].title
        what = what[0].lower() + what[1:]
        if self.against is None:
            return f"{what} under {self.policy}"
        if self.is_loss:
            return f"{what} that {self.policy} loses against {self.against}"
        return f"{what}, {self.policy} minus {self.against}"


class Unit(NamedTuple):
    """What a response is counted in."""

    kind: str  # "money", "count", "share" or "days"
    currency: str
    per: str  # "a year per 1,000 customers", "a year" or "a run"; "" but of money
    factor: float  # from what the store holds


class Responses(NamedTuple):
    """A response at all points that have it."""

    question: Question
    unit: Unit
    points: Integers  # (n,) their indices in the sweep, in order
    numbers: Floats  # (n, k) the level of each factor, as a number
    y: Floats  # (n, r) by replication
    n_points: int  # of the sweep
    n_unfinished: int
    n_failed: int
    n_absent: int  # do not run both policies, or have no data in a replication

    @property
    def mean(self) -> Floats:
        """Return the response at each point, averaged over replications, (n,)."""
        mean: Floats = self.y.mean(axis=1)
        return mean


def asked(
    sweep: Sweep,
    outcome: str,
    policy: str | None,
    against: str | None,
    *,
    alone: bool = False,
) -> Question:
    """Return the question that is meant.

    Args:
        sweep: Whose rows are asked.
        outcome: One that the store keeps.
        policy: That may lose; the last of the sweep's that is not `against`, nor
            flawless, if absent.
        against: That it is compared with; the scenario's baseline if absent.
        alone: The policy's own outcome is meant, compared with nothing.

    Raises:
        InputError: The sweep has no such outcome or policy, or only one.
    """
    kept = list(dict.fromkeys((*ALWAYS_KEPT, *sweep.outcomes)))
    _known(outcome, kept, "of", "must be an outcome that the sweep keeps")
    names = compared(sweep)
    for given, option in ((policy, "policy"), (against, "against")):
        if given is not None:
            _known(given, names, option, "must be a policy of the sweep")
    if alone:
        real = [name for name in names if name != FLAWLESS] or names
        return Question(outcome, policy or real[-1], None)
    baseline = sweep.scenario.baseline
    other = against or (baseline if baseline in names else names[0])
    rest = [name for name in names if name not in {other, FLAWLESS}]
    chosen = policy or (rest[-1] if rest else other)
    if chosen == other:
        rule = "must be two policies, to be compared"
        hint = "--alone asks for the outcome of one policy"
        raise InputError(
            Problem(rule, field="policy and against", value=chosen, hint=hint)
        )
    return Question(outcome, chosen, other)


def read_responses(finished: Finished, question: Question) -> Responses:
    """Return the response at all points that have it; 8 n r bytes, twice of a pair.

    A point whose response is missing in any replication is left out and counted.

    Raises:
        InputError: No point has a response.
    """
    sweep = finished.sweep
    n_points = sweep.design.n_points  # of a shard's store, too
    shape = (n_points, sweep.replications)
    wanted = [question.policy, *filter(None, [question.against])]
    found = {policy: np.full(shape, np.nan) for policy in wanted}
    is_there = np.zeros(n_points, dtype=bool)
    has_failed = np.zeros(n_points, dtype=bool)
    columns = ["point", "policy", "replication", question.outcome]
    for batch in finished.batches(columns):
        point, replication = (
            _numbers(batch, name) for name in ("point", "replication")
        )
        is_there[point] = True
        has_failed[point[replication == FAILED]] = True
        value = _numbers(batch, question.outcome)
        for policy, y in found.items():
            here = pc.equal(batch.column("policy"), policy)
            here = here.to_numpy(zero_copy_only=False).astype(bool)
            here &= replication != FAILED
            y[point[here], replication[here]] = value[here]
    unit = unit_of(sweep, question.outcome)
    y = found[question.policy]
    if question.against is not None:
        y = y - found[question.against]
        if question.is_loss:
            y = 0.0 - y
    y = y * unit.factor
    is_known = np.isfinite(y).all(axis=1)
    points = np.flatnonzero(is_known)
    n_unfinished = int((~is_there).sum())
    n_failed = int(has_failed.sum())
    n_absent = n_points - len(points) - n_unfinished - n_failed
    responses = Responses(
        question,
        unit,
        points,
        levels_of(sweep, points),
        y[is_known],
        n_points,
        n_unfinished,
        n_failed,
        n_absent,
    )
    if not len(points):
        raise _nothing(finished, responses)
    return responses


def levels_of(sweep: Sweep, points: Iterable[int]) -> Floats:
    """Return the levels at some points as numbers, (n, k)."""
    rows = [sweep.design.numbers(int(i)) for i in points]
    return np.array(rows, dtype=np.float64).reshape(-1, len(sweep.factors))


def unit_of(sweep: Sweep, outcome: str) -> Unit:
    """Return what an outcome is counted in: amounts a year per 1,000 customers.

    Where points differ in customers, the same 1,000 are no measure of them, and amounts
    are a year in all; where they differ in the horizon, amounts are those of a run.
    """
    scenario = sweep.scenario
    kind, currency = FIGURES[outcome].unit, scenario.currency
    if kind != "money":
        return Unit(kind, currency, "", 1.0)
    fields = {factor.field for factor in sweep.factors}
    years = scenario.horizon / year_days()
    if "horizon" in fields or not years:
        return Unit(kind, currency, "a run", 1.0)
    n_customers = scenario.spec.population.customers
    is_varied = any(field.startswith("population.") for field in fields)
    if is_varied or not n_customers or years_in_all(scenario, n_customers) is not None:
        return Unit(kind, currency, "a year", 1.0 / years)
    return Unit(kind, currency, PER, 1000.0 / (n_customers * years))


def missing_lines(responses: Responses) -> list[str]:
    """Return what of the sweep is not behind the answer, in words."""
    n = responses.n_points
    told = []
    if responses.n_unfinished:
        told.append(
            f"unfinished: {responses.n_unfinished:,} of {n:,} points are still to be"
            " run; this is what is there so far"
        )
    if responses.n_failed:
        told.append(f"left out: {responses.n_failed:,} of {n:,} points, which failed")
    if responses.n_absent:
        told.append(
            f"left out: {responses.n_absent:,} of {n:,} points, without both policies"
            " or without data in a replication"
        )
    return told


def factor_index(sweep: Sweep, field: str, option: str) -> int:
    """Return the place of a factor.

    Raises:
        InputError: The sweep does not vary it.
    """
    fields = [factor.field for factor in sweep.factors]
    _known(field, fields, option, "must be a factor of the sweep")
    return fields.index(field)


def compared(sweep: Sweep) -> list[str]:
    """Return every policy that some point compares, in order."""
    varied = [factor for factor in sweep.factors if factor.field == POLICIES]
    if not varied:
        return list(sweep.policies)
    lists = [json.loads(value) for factor in varied for value in factor.values]
    return list(dict.fromkeys(name for names in lists for name in names))


def _numbers(batch: pa.RecordBatch, name: str) -> np.ndarray:
    found: np.ndarray = batch.column(name).to_numpy(zero_copy_only=False)
    return found


def _known(given: str, known: Sequence[str], option: str, rule: str) -> None:
    """Refuse a name that is not among those known."""
    if given not in known:
        hint = close_to(given, known) or f"there are {', '.join(known)}"
        raise InputError(Problem(rule, field=option, value=given, hint=hint))


def _nothing(finished: Finished, responses: Responses) -> InputError:
    """Return the error about a sweep in which no point has a response."""
    why = "; ".join(missing_lines(responses)) or "it has no points"
    rule = f"must have a finished point with {responses.question.text}: {why}"
    hint = "run the sweep on, or look at the error of each point with churnsim status"
    return InputError(Problem(rule, str(finished.folder), hint=hint))
