"""The control variate: its estimator, its known mean, and when it is used."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from churnsim.experiment import Comparison, Execution, compare
from churnsim.experiment.control import control_of
from churnsim.experiment.faultless import expected_revenue
from churnsim.experiment.intervals import controlled, t_quantile
from churnsim.experiment.sentences import control_text
from churnsim.report.amounts import money_cells
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
    """Of 2,000 intervals 93.0 to 96.6 % hold the truth, whether it helps or not."""
    draws = np.random.default_rng(8).normal(size=(2000, 2, 20))
    hits = 0
    for x, noise in draws:
        y = rho * x + math.sqrt(1.0 - rho * rho) * noise
        found = controlled(y.tolist(), x.tolist(), 0.0)
        hits += found.low <= 0.0 <= found.high  # type: ignore[operator]
    assert 0.930 <= hits / 2000 <= 0.966


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
def test_control__is_used_for_revenue_and_says_so(many: Comparison) -> None:
    """Revenue is narrower by what it is worth; losses stay the paired differences."""
    control = many.control
    assert control is not None
    assert control.expected == expected_revenue(many.scenario)
    assert [item.policy for item in control.used] == ["empowered", "slow"]
    assert {item.against for item in control.used} == {None}
    assert min(item.variance_factor for item in control.used) > 1.5
    for item in control.estimates:
        if item.against is not None:
            assert item.value == many.loss(item.policy, item.against).total
            continue
        plain = many.policies[item.policy].figures["revenue"]
        widths = [e.high - e.low for e in (plain, item.value)]  # type: ignore[operator]
        assert (widths[0] / widths[1]) ** 2 == pytest.approx(item.variance_factor)


@pytest.mark.compiled
def test_control__is_told_in_text_and_json(many: Comparison) -> None:
    """The table has its rows, a sentence its worth, the document every estimate."""
    control = many.control
    assert control is not None
    told = json.loads(json.dumps(many.to_json_dict()))["control"]
    assert told["expected"] == control.expected
    assert [(item["policy"], item["is_used"]) for item in told["estimates"]] == [
        (item.policy, item.is_used) for item in control.estimates
    ]
    text = results_text(many, Commands("", ""), 100)
    words = " ".join(text.split())
    assert "can be expected, by a closed form. With that as control variate" in words
    (row,) = [x for x in text.splitlines() if x.startswith("  with control variate")]
    shown = money_cells([*(i.value.mean for i in control.used), control.expected], "$")
    assert row.split()[3:] == " ".join(shown).split()


@pytest.mark.parametrize(
    ("factors", "told"),
    [
        ((), None),
        ((0.97, 1.05), "$5 can be expected, by a closed form. As control variate of"),
        ((4.96, 12.4), "from 5.0 to 12 times as many replications. Losses do without"),
        ((2.0, 2.01), "from 2.0 times as many replications"),
    ],
)
def test_control__is_worth_what_it_says(
    factors: tuple[float, ...], told: str | None
) -> None:
    """The span of factors in two digits, or that it does not help."""
    text = control_text(5.0, factors, "$")
    assert text is None if told is None else told in str(text)


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
