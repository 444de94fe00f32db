"""Rules and verdicts: what passes, what fails, what is told when a check cannot be."""

import math
from collections.abc import Callable, Sequence

import pytest

from churnsim.validation.checks import (
    AbsentError,
    Check,
    Figure,
    Rule,
    Seen,
    difference,
    findings_of,
    mean,
    share,
    verdict_of,
)

SOURCE = "a book"


@pytest.mark.parametrize(
    ("figure", "seen", "verdict"),
    [
        (Figure("exact", 2.0, 0.1), Seen(2.09), "pass"),
        (Figure("exact", 2.0, 0.1), Seen(2.11), "fail"),
        # Chance: within the distance allowed, but 5 standard errors off.
        (Figure("sampled", 2.0, 0.1), Seen(2.05, 0.01), "fail"),
        (Figure("sampled", 2.0, 0.1), Seen(2.05, 0.02), "pass"),
        (Figure("sampled", 2.0, 0.1), Seen(2.2, 0.1), "fail"),
        (Figure("alike", 0.0), Seen(0.39, 0.1), "pass"),
        (Figure("alike", 0.0), Seen(-0.41, 0.1), "fail"),
        (Figure("survey", 2.0, 0.1, rule=Rule.WITHIN), Seen(2.05, 0.001), "pass"),
        (Figure("survey", 2.0, 0.1, rule=Rule.WITHIN), Seen(1.89), "fail"),
        (Figure("order", 1.0, rule=Rule.ABOVE), Seen(1.31, 0.1), "pass"),
        (Figure("order", 1.0, rule=Rule.ABOVE), Seen(1.29, 0.1), "fail"),
        (Figure("order", 1.0, rule=Rule.ABOVE), Seen(0.5, 0.1), "fail"),
        (Figure("bound", 1.0, rule=Rule.AT_LEAST), Seen(0.99), "fail"),
        (Figure("bound", 1.0, rule=Rule.AT_MOST), Seen(1.01), "fail"),
        (Figure("bound", 1.0, rule=Rule.AT_MOST), Seen(1.0), "pass"),
    ],
)
def test_verdict__follows_from_the_rule(
    figure: Figure, seen: Seen, verdict: str
) -> None:
    """Each rule passes what it allows, and nothing next to it."""
    assert verdict_of(figure, seen) == verdict


def check(look: Callable[[], Sequence[Seen]]) -> Check:
    """Return a check of two figures."""
    figures = (Figure("one", 1.0, 0.1), Figure("two", 2.0, 0.1))
    return Check("tarp", SOURCE, figures, look)


def test_findings__tell_each_figure_by_itself() -> None:
    """One figure that does not come out fails alone."""
    found = findings_of(check(lambda: (Seen(1.0), Seen(3.0, 0.5))))
    assert [finding.verdict for finding in found] == ["pass", "fail"]
    assert [finding.z for finding in found] == [None, 2.0]


def test_findings__of_what_is_not_here_are_skipped_with_the_reason() -> None:
    """A check whose data are absent is skipped, never passed."""

    def absent() -> tuple[Seen, ...]:
        raise AbsentError("needs a file")

    found = findings_of(check(absent))
    assert [(f.verdict, f.reason) for f in found] == [("skipped", "needs a file")] * 2


def test_findings__of_a_check_that_breaks_are_failures() -> None:
    """Whatever an engine raises, and what is no number, fails the figures."""

    def broken() -> tuple[Seen, ...]:
        raise ZeroDivisionError("no customers")

    found = findings_of(check(broken))
    assert [f.verdict for f in found] == ["fail", "fail"]
    assert found[0].reason == "ZeroDivisionError: no customers"
    (first, second) = findings_of(check(lambda: (Seen(math.nan), Seen(2.0))))
    assert (first.verdict, second.verdict) == ("fail", "pass")
    assert "nan" in first.reason


def test_samples__have_the_standard_errors_of_the_books() -> None:
    """A share's is √(p(1−p)/n), never 0; a mean's s/√n; a difference's their root."""
    assert share(5_000, 10_000)[:1] == (0.5,)
    assert share(5_000, 10_000).error == pytest.approx(0.005)
    assert share(0, 100).error > 0.0
    assert mean([1.0, 2.0, 3.0]).error == pytest.approx(1.0 / math.sqrt(3.0))
    assert mean([1.0, 2.0, 3.0])[::2] == (2.0, 3)
    apart = difference(Seen(3.0, 0.3, 10), Seen(1.0, 0.4, 20))
    assert apart.error == pytest.approx(0.5)
    assert apart[::2] == (2.0, 10)
