"""The control variate: its estimator, its known mean, and when it is used."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from churnsim.experiment import Comparison, Execution, compare, estimate
from churnsim.experiment.control import HELPS_FROM, control_of
from churnsim.experiment.faultless import expected_revenue
from churnsim.experiment.intervals import controlled, t_quantile
from churnsim.report.framing import Commands
from churnsim.report.results import results_text
from churnsim.scenario import load_scenario
from tests.experiment.conftest import SHOP

SHOP_OF = "population.customers=60", 'population.prospects="0/year"'


def test_controlled__is_the_regression_at_the_known_mean() -> None:
    """Mean and width are those of the fitted line at μ, by matrices."""
    x = np.array([1.0, 2.0, 4.0, 5.0, 7.0, 8.0])
    # Residuals without skewness, so that nothing is moved.
    y = 3.0 + 2.0 * x + np.array([0.5, -0.5, 0.3, -0.3, 0.4, -0.4])
    design = np.column_stack([np.ones(6), x])
    fitted, (squares,), _, _ = np.linalg.lstsq(design, y, rcond=None)
    at = np.array([1.0, 6.0])
    spread = squares / 4.0 * (at @ np.linalg.inv(design.T @ design) @ at)
    found = controlled(y.tolist(), x.tolist(), 6.0)
    assert found.mean == pytest.approx(at @ fitted)
    assert found.low is not None
    assert found.high is not None
    reach = 0.5 * (found.high - found.low)
    assert reach == pytest.approx(t_quantile(4) * math.sqrt(spread))


def test_controlled__adds_up() -> None:
    """The difference of two is that of their differences, as for plain means."""
    x, a, b = np.random.default_rng(3).normal(size=(3, 30)).tolist()
    differences = [p - q for p, q in zip(a, b, strict=True)]
    found = [controlled(values, x, 0.1).mean for values in (a, b, differences)]
    assert found[0] - found[1] == pytest.approx(found[2])  # type: ignore[operator]


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.95])
def test_controlled__covers_95_percent_at_20_replications(rho: float) -> None:
    """Of 2,000 intervals 93.0 to 96.6 % hold the truth, whether it helps or not.

    So do those of which the better one by its own width was chosen.
    """
    draws = np.random.default_rng(8).normal(size=(2000, 2, 20))
    hits = chosen = 0
    for x, noise in draws:
        y = (rho * x + math.sqrt(1.0 - rho * rho) * noise).tolist()
        plain, found = estimate(y), controlled(y, x.tolist(), 0.0)
        wide, narrow = (e.high - e.low for e in (plain, found))  # type: ignore[operator]
        better = found if (wide / narrow) ** 2 >= HELPS_FROM else plain
        hits += found.low <= 0.0 <= found.high  # type: ignore[operator]
        chosen += better.low <= 0.0 <= better.high  # type: ignore[operator]
    assert 0.930 <= hits / 2000 <= 0.966
    assert 0.930 <= chosen / 2000 <= 0.966


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Return a shop's policies compared often enough."""
    path = tmp_path_factory.mktemp("shop") / "shop.toml"
    path.write_text(SHOP, encoding="utf-8")
    return compare(
        path,
        replications=24,
        policies=["slow"],
        overrides=SHOP_OF,
        execution=Execution(threads=2),
    )


@pytest.mark.compiled
def test_control__is_used_where_it_helps_and_says_so(many: Comparison) -> None:
    """Revenue is known better by it; each estimate tells whether it used it."""
    control = many.control
    assert control is not None
    assert control.expected == expected_revenue(many.scenario)
    revenue = control.used_for(None)
    assert [item.policy for item in revenue] == ["empowered", "slow"]
    assert min(item.variance_factor for item in revenue) > 1.5
    for item in control.estimates:
        plain = (
            many.policies[item.policy].figures["revenue"]
            if item.against is None
            else many.loss(item.policy, item.against).total
        )
        assert (item.value == plain) is not item.is_used
        if not item.is_used:
            continue
        low, high = (x for x in item.value[1:3])
        width = high - low  # type: ignore[operator]
        was = plain.high - plain.low  # type: ignore[operator]
        assert (was / width) ** 2 == pytest.approx(item.variance_factor)


@pytest.mark.compiled
def test_control__is_told_in_text_and_json(many: Comparison) -> None:
    """The table has its rows, a sentence its worth, the document every estimate."""
    control = many.control
    assert control is not None
    told = json.loads(json.dumps(many.to_json_dict()))["control"]
    assert told["expected"] == control.expected
    assert [item["is_used"] for item in told["estimates"]] == [
        item.is_used for item in control.estimates
    ]
    text = results_text(many, Commands("", ""), 100)
    words = " ".join(text.split())
    assert "which is known in closed form. With that as control variate" in words
    assert "revenue is as sure as from" in words
    assert text.count("\n  with control variate") == len(
        {item.against for item in control.estimates if item.is_used}
    )
    assert many.policies["slow"].figures["revenue"].mean == pytest.approx(
        sum(run.totals.revenue for run in many.replications.of("slow")) / 24e6
    )


@pytest.mark.compiled
def test_control__needs_replications_and_a_closed_form(many: Comparison) -> None:
    """With 19, or where a flawless firm makes mistakes, there is none."""
    few = many.replications._replace(runs=many.replications.runs[: 19 * 3])
    assert control_of(many.scenario, few, many.losses) is None
    errs = load_scenario("telecom", overrides=["policy.flawless.prevention.mistakes=1"])
    assert expected_revenue(errs) is None
    assert control_of(errs, many.replications, many.losses) is None
    early = replace(many, replications=few)
    assert early.to_json_dict()["control"] is None
    assert "control variate" not in results_text(early, Commands("", ""), 100)
