"""A conclusion over the ranges: points, worlds, what is refused, what is told."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from churnsim.errors import InputError
from churnsim.experiment import compare
from churnsim.robustness.asking import How, robust
from churnsim.robustness.points import BOUND
from churnsim.robustness.record import Robustness
from churnsim.robustness.varied import Span, chosen, completed, span_of
from churnsim.robustness.worlds import OWN, worlds_of
from churnsim.scenario import list_scenarios, load_scenario
from churnsim.scenario.grounds import grounds_of
from churnsim.sweep.factors import Level
from churnsim.sweep.points import Variations
from tests.experiment.conftest import SHOP

FEW = SHOP.replace("customers = 150", "customers = 60").replace(
    'policies = ["empowered", "slow", "dishonest", "patient", "=1+1"]',
    'policies = ["empowered", "slow", "dishonest"]',
)
FEW = FEW[: FEW.index("[policy.patient]")]
SPANS = (Span("market.discovery", "0", "1"), Span("market.lock_in", "0", "2"))
SMALL = How(points=4, replications=3, grades="", spans=SPANS)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a small shop with three policies."""
    path = tmp_path_factory.mktemp("few") / "few.toml"
    path.write_text(FEW, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def found(few: Path) -> Robustness:
    """Return the small shop's conclusions over two ranges."""
    return robust(few, how=SMALL._replace(threads=1))


@pytest.mark.compiled
def test_robust__at_the_values_assumed_is_the_comparison(
    found: Robustness, few: Path
) -> None:
    """Losses as assumed are those of `run`, under the other word of mouth as well."""
    for conclusion in found.conclusions:
        word = conclusion.world
        settings = {
            "market.word_of_mouth.told_bad": str(word.told_bad),
            "market.word_of_mouth.told_good": str(word.told_good),
        }
        compared = compare(few, replications=3, overrides=settings)
        loss = compared.loss(conclusion.policy).yearly
        assert conclusion.stated == pytest.approx(loss)
    assert [world.name for world in found.worlds] == [
        OWN,
        "bad_travels_further",
        "good_is_more_common",
    ]


@pytest.mark.compiled
def test_robust__is_the_same_however_many_threads(few: Path, found: Robustness) -> None:
    """Threads change nothing, down to the last bit of the document."""
    again = robust(few, how=SMALL._replace(threads=3))
    assert again.to_json_dict() == found.to_json_dict()


@pytest.mark.compiled
def test_robust__finds_where_a_cost_eats_the_gain_up(few: Path) -> None:
    """What slow pays in prevention comes off what it earns more, one to one."""
    field = "policy.slow.prevention.cost"
    spans = (Span(field, "$0/year", "$900/year"),)
    how = How(2, 8, grades="", spans=spans, measure="contribution")
    found = robust(few, how=how)
    stated = {c.policy: c.stated for c in found.conclusions if c.world.is_own}
    (line,) = found.lines
    (turn,) = line.turns
    assert turn.policy == "slow"
    # A year and 1,000 customers, of whom there are 60.
    gain = -(stated["slow"].mean or 0.0) * 60 / 1000
    assert turn.distance == pytest.approx(gain / 900, abs=0.011)
    assert line.high["slow"].mean == pytest.approx((900 - gain) * 1000 / 60)
    assert found.first_turns()["slow"][0] is line
    told = found.sentence("slow")
    assert "slow earns more than empowered" in told
    assert f"{field} overturns it first: at $" in told


@pytest.mark.compiled
def test_robust__counts_points_that_there_cannot_be(few: Path) -> None:
    """Where mistakes would explain more than the churn observed, a point is refused."""
    spans = (Span("mistakes.late.probability", "0.01", "0.9"),)
    settings = {"market.observed_churn": '"80 %/year"'}
    how = How(points=6, replications=4, grades="", spans=spans)
    found = robust(few, overrides=settings, how=how)
    n = sum(found.refused.values())
    assert found.refused == {BOUND: n}
    assert 0 < n < 6
    tallies = [c.tally for c in found.conclusions if c.tally]
    assert tallies
    assert all(tally.n == 6 - n for tally in tallies)
    assert found.lines[0].is_cut
    assert found.extent.n_finished == 6


@pytest.mark.compiled
def test_robust__stopped_keeps_what_is_finished(few: Path) -> None:
    """Whoever stops it is shown the points until then, and that it is a part."""
    stop = threading.Event()

    def progress(done: int, total: int) -> None:
        assert done <= total
        if done >= 5:
            stop.set()

    how = SMALL._replace(threads=1, progress=progress, stop=stop)
    found = robust(few, how=how)
    assert found.extent.is_stopped
    assert found.extent.n_finished < 4
    assert len(found.lines) < 2


@pytest.mark.parametrize("name", list_scenarios())
def test_chosen__every_range_of_a_ready_scenario_can_be(name: str) -> None:
    """Each value lies in its range, whose ends the scenario can have by themselves."""
    scenario = load_scenario(name)
    choice = chosen(scenario, grounds_of(name), "ABCD", (), "contribution")
    variations = Variations(scenario)
    for varied in choice.varied:
        assert 0.0 <= varied.here <= 1.0
        low, high = varied.factor.low, varied.factor.high
        assert low <= varied.value <= high, varied.field
        for place in (0.0, 0.37, 1.0):
            level = varied.level(place)
            assert varied.place(level.number) == pytest.approx(place, abs=0.51)
            whole = completed(scenario.spec, varied.settings(level))
            variations.scenario(whole)
    graded = chosen(scenario, grounds_of(name), "D", (), "revenue")
    assert {varied.grade for varied in graded.varied} == {"D"}
    assert not any(varied.field.startswith("costs.") for varied in graded.varied)


def test_completed__truth_is_what_lies_and_excuses_leave() -> None:
    """Of a policy's answers that sum to 1, truth takes what is left."""
    spec = load_scenario("telecom").spec
    key = "policy.dishonest.honesty.lie"
    whole = completed(spec, {key: Level("0.3", 0.3, "30 %")})
    assert whole["policy.dishonest.honesty.truth"].number == pytest.approx(0.7)
    assert completed(spec, {"market.drift": Level("0.1", 0.1, "0.1")}).keys() == {
        "market.drift"
    }


@pytest.mark.parametrize("name", list_scenarios())
def test_worlds__are_always_both(name: str) -> None:
    """A ready scenario follows one finding; the other one is run beside it."""
    worlds = worlds_of(load_scenario(name))
    assert len(worlds) == 2
    assert [world.is_own for world in worlds] == [True, False]
    assert np.ptp([world.told_good for world in worlds]) == 4.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("market.lock_in", "must be FIELD=LOW..HIGH"),
        ("market.lock_in=1", "must be FIELD=LOW..HIGH"),
        ("market.lock_in=4..2", "market.lock_in can have; low: must be below high"),
        ("market.lock_in=2..much", "market.lock_in can have"),
        ("market.lokc_in=2..4", "did you mean 'market.lock_in'?"),
        ("market.memory=2..4", "must be one number of the scenario"),
        ("mistakes.wrong_or_damaged.sting=1..2", "must be one number of the scenario"),
    ],
)
def test_spans__are_refused_plainly(text: str, told: str) -> None:
    """A range that there cannot be is told with rule, value and cure."""
    scenario = load_scenario("ecommerce" if "sting" in text else "telecom")
    if text == "market.memory=2..4":
        text = "market.patience=2..4"  # a law of two numbers
    with pytest.raises(InputError) as refused:
        chosen(scenario, (), "D", [span_of(text)], "revenue")
    assert told in str(refused.value)
