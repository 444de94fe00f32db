"""Do the contestants compute the same? Asked before anything is timed."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from benchmarks.contestants import Answers, Contestant, Told
from churnsim.cli.bench_documents import AgreementDocument
from churnsim.errors import ChurnsimError, Problem
from churnsim.records import Floats, Plan, Population

FALSE_ALARM = 1e-4  # of one answer in law, both sides together
Case = tuple[Plan, Population, int]


def agreement(
    ours: Contestant, theirs: Contestant, cases: Sequence[Case]
) -> AgreementDocument:
    """Return how a contestant's answers compare with the kernel's.

    Raises:
        ChurnsimError: They differ: no time would mean anything.
    """
    pairs = [(ours.run(*case), theirs.run(*case)) for case in cases]
    first = pairs[0][1]
    document: AgreementDocument = {
        "contestant": theirs.name,
        "rule": "law",
        "customers": cases[0][1].n_customers,
        "replications": len(pairs),
        "events": None,
        "answers": [name for name in pairs[0][0].answers if name in first.answers],
        "distances": [],
        "bound": 0.0,
    }
    if not document["answers"]:
        raise _differs(theirs.title, "gives none of the kernel's answers", None)
    if theirs.rule == "law":
        bound = bound_of(len(pairs) - 1)
        names = document["answers"]
        ratios = paired(names, [(x.answers, y.answers) for x, y in pairs])
        insist_in_law(theirs.title, dict(zip(names, ratios, strict=True)), bound)
        return {**document, "distances": ratios, "bound": bound}
    for x, y in pairs:
        _insist_equal(theirs.title, x, y)
    document["events"] = sum(x.n_events or 0 for x, _ in pairs)
    document["rule"] = "equal" if first.books is None else "bits"
    return document


def bound_of(degrees: float) -> float:
    """Return Student's quantile that an answer in law may not exceed."""
    return float(stats.t.ppf(1.0 - FALSE_ALARM / 2.0, degrees))


def paired(
    names: Sequence[str], pairs: Sequence[tuple[Answers, Answers]]
) -> list[float]:
    """Return mean differences in standard errors, by answer, for paired runs."""
    apart = np.array([[y[name] - x[name] for name in names] for x, y in pairs])
    return _in_errors(apart.mean(axis=0), apart.std(axis=0, ddof=1), len(pairs))


def unpaired(ours: Floats, theirs: Floats) -> list[float]:
    """Return differences of means in standard errors, for runs of their own luck.

    Args:
        ours: One row a replication, shape (n, n_answers).
        theirs: The same of the other.
    """
    deviation = np.hypot(ours.std(axis=0, ddof=1), theirs.std(axis=0, ddof=1))
    return _in_errors(theirs.mean(axis=0) - ours.mean(axis=0), deviation, len(ours))


def insist_in_law(title: str, distances: Mapping[str, float], bound: float) -> None:
    """Refuse answers that chance does not explain.

    Raises:
        ChurnsimError: One is further from the kernel's than the bound.
    """
    for name, distance in distances.items():
        if not abs(distance) < bound:  # nor may it be no number
            rule = f"must be within {bound:.1f} standard errors of the kernel's"
            raise _differs(title, rule, name, round(distance, 1))


def _in_errors(apart: Floats, deviation: Floats, n: int) -> list[float]:
    """Return distances over their standard errors; 0 where both are always the same."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = apart / (deviation / n**0.5)
    return [
        float(x) for x in np.where((apart == 0.0) & (deviation == 0.0), 0.0, ratios)
    ]


def _insist_equal(title: str, ours: Told, theirs: Told) -> None:
    if theirs.n_events != ours.n_events:
        rule = f"must count the kernel's {ours.n_events:,} events"
        raise _differs(title, rule, "events", theirs.n_events)
    for name, value in theirs.answers.items():
        if name in ours.answers and not _is_equal(name, ours.answers[name], value):
            rule = f"must be the kernel's {ours.answers[name]!r}"
            raise _differs(title, rule, name, value)
    if ours.books is None or theirs.books is None:
        return
    known = theirs.books._asdict()
    for name, values in ours.books._asdict().items():
        if not np.array_equal(values, known[name]):
            raise _differs(title, "must have the kernel's bits", f"books.{name}")


def _is_equal(name: str, ours: float, theirs: float) -> bool:
    """Return whether two answers are one: years are sums in an order of one's own."""
    return math.isclose(ours, theirs, rel_tol=1e-9 if name == "years" else 0.0)


def _differs(
    title: str, rule: str, field: str | None, value: object = None
) -> ChurnsimError:
    what = f"{title}: {field}" if field else title
    hint = "nothing is reported, since times of different answers compare nothing"
    return ChurnsimError(Problem(rule, field=what, value=value, hint=hint))
