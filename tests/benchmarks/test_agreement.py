"""Answers come first: whoever computes something else is not timed."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.agreement import (
    Case,
    agreement,
    bound_of,
    insist_in_law,
    paired,
    unpaired,
)
from benchmarks.common import people_of, scenario_of
from benchmarks.contestants import Contestant, Told, kernel, others
from benchmarks.desks import Desk, Seen, desk_agreement
from churnsim.errors import ChurnsimError
from churnsim.records import Plan, Population

pytestmark = pytest.mark.compiled
POLICY = "slow_and_dishonest"
Change = Callable[[Told], Told]


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """Return eight small runs."""
    scenario = scenario_of("telecom", 100, 1.0)
    plan = scenario.plan(POLICY, 100)
    return [(plan, people_of(scenario, i), i) for i in range(8)]


def changed(rule: str, change: Change) -> Contestant:
    """Return a contestant that is the kernel but for a change of what it tells."""

    def run(plan: Plan, people: Population, replication: int) -> Told:
        return change(kernel().run(plan, people, replication))

    return Contestant("planted", "a planted one", rule, run)


def with_answer(name: str, more: float) -> Change:
    """Return what adds to an answer."""
    return lambda told: told._replace(
        answers={**told.answers, name: told.answers[name] + more}
    )


def with_bit(told: Told) -> Told:
    """Return a run with one cent more in one account."""
    assert told.books is not None
    accounts = told.books.accounts.copy()
    accounts[7, 0] += 1
    return told._replace(books=told.books._replace(accounts=accounts))


def test_agreement__of_the_reference_is_to_the_bit(cases: list[Case]) -> None:
    """The reference passes, and both count the same events."""
    found = {one.name: one for one in others(100)[0]}
    told = agreement(kernel(), found["reference"], cases[:2])
    assert (told["rule"], told["replications"]) == ("bits", 2)
    assert told["events"] == sum(
        kernel().run(*case).n_events or 0 for case in cases[:2]
    )


def test_agreement__of_the_simpy_model_is_in_law(cases: list[Case]) -> None:
    """The ordinary model passes with a distance for each answer within the bound."""
    found = {one.name: one for one in others(100)[0]}
    told = agreement(kernel(), found["simpy"], cases)
    assert len(told["distances"]) == len(told["answers"]) == 7
    assert max(map(abs, told["distances"])) < told["bound"]


@pytest.mark.parametrize(
    ("rule", "change", "named"),
    [
        ("bits", with_bit, "books.accounts"),
        ("bits", with_answer("contacts", 1), "contacts"),
        ("equal", with_answer("revenue", 1), "revenue"),
        ("equal", with_answer("years", 1e-3), "years"),
        ("equal", lambda told: told._replace(n_events=told.n_events + 1), "events"),
        ("law", with_answer("kept", 5), "kept"),
        ("law", with_answer("mistakes", float("nan")), "mistakes"),
        ("law", lambda told: told._replace(answers={}), "none of the kernel's answers"),
    ],
)
def test_agreement__refuses_a_planted_difference(
    rule: str, change: Change, named: str, cases: list[Case]
) -> None:
    """One answer, event or bit that differs ends it, and is named."""
    with pytest.raises(ChurnsimError, match=re.escape(named)) as refused:
        agreement(kernel(), changed(rule, change), cases)
    assert "nothing is reported" in str(refused.value)


def test_agreement__allows_the_order_of_a_sum(cases: list[Case]) -> None:
    """Years are summed by each in its own order: the last digits may differ."""
    rival = changed("equal", with_answer("years", 1e-9))
    assert agreement(kernel(), rival, cases[:2])["rule"] == "bits"  # of the books


def test_distances__are_the_known_ones() -> None:
    """Pairs 1, 2, 3 apart are 2 over 1/√3 from each other; alike ones are 0."""
    pairs = [({"a": 0.0, "b": 1.0}, {"a": float(i), "b": 1.0}) for i in (1, 2, 3)]
    assert paired(["a", "b"], pairs) == pytest.approx([2.0 * 3.0**0.5, 0.0])
    ours = np.array([[1.0], [2.0], [3.0]])
    assert unpaired(ours, ours + 2.0) == pytest.approx([2.0 / (2.0 / 3.0) ** 0.5])


def test_bound__is_students() -> None:
    """At 15 degrees of freedom one in ten thousand is beyond 5.239 (R's qt)."""
    assert bound_of(15) == pytest.approx(5.239, abs=1e-3)
    with pytest.raises(ChurnsimError, match="within 5"):
        insist_in_law("it", {"kept": 5.0}, 5.0)


def test_desks__of_other_patience_are_refused() -> None:
    """A desk whose callers wait twice as long is another desk."""

    def seen(wait: float, replication: int) -> Seen:
        luck = 1.0 + 0.01 * (replication % 3)
        return Seen(1.0, 100, 5, 100, 100.0 * wait * luck)

    ours = Desk("kernel", "the kernel", lambda _, i: seen(0.2, i))
    same = Desk("same", "the same", lambda _, i: seen(0.2, i + 1))
    other = Desk("other", "another", lambda _, i: seen(0.4, i))
    assert desk_agreement(ours, same, 10.0, 8)["contestant"] == "same"
    with pytest.raises(ChurnsimError, match="mean wait"):
        desk_agreement(ours, other, 10.0, 8)
