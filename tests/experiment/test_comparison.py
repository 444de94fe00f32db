"""Comparisons: what is run, what is told, the bound on churn, the assumptions."""

import dataclasses
import json
import statistics
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnsim.engines.books import N_BINS
from churnsim.engines.entries import bin_of_wait
from churnsim.engines.sums import wait_quantile
from churnsim.errors import InputError
from churnsim.experiment import (
    FIGURES,
    Comparison,
    Estimate,
    Execution,
    Loss,
    compare,
    explain,
    mistake_share,
    mistake_shares,
)
from churnsim.experiment.bound import share_warning
from churnsim.experiment.intervals import ANYWHERE
from churnsim.experiment.summary import BINNED, range_of, wait_bin
from churnsim.scenario import Scenario, load_scenario
from churnsim.scenario.aftermath import leave_after_mistake
from churnsim.scenario.assumptions import assumptions_of
from churnsim.simulation import simulate

pytestmark = pytest.mark.compiled

ONE = Execution(threads=1)


def test_compare__lever_that_never_acts_changes_nothing(comparison: Comparison) -> None:
    """Where authority covers every stake, a slow approval costs exactly nothing."""
    rows = zip(
        comparison.replications.of("patient"),
        comparison.replications.of("empowered"),
        strict=True,
    )
    assert all(a.digest == b.digest for a, b in rows)
    for measure in ("revenue", "contribution", "revenue_discounted"):
        loss = comparison.loss("patient", measure=measure)
        assert loss.total == Estimate(0.0, 0.0, 0.0, 4)
        assert loss.is_zero
    assert "makes no difference" in comparison.sentence("patient")


def test_compare__lever_that_acts_changes_something(comparison: Comparison) -> None:
    """Lying is not the same as settling: the digests differ, the loss is not zero."""
    loss = comparison.loss("dishonest")
    assert not loss.is_zero
    assert loss.cause is not None


def test_compare__losses_are_the_paired_differences(comparison: Comparison) -> None:
    """The mean loss is the mean of baseline minus policy, in integers."""
    here = comparison.replications.of("dishonest")
    there = comparison.replications.of("empowered")
    lost = sum(
        b.totals.revenue - a.totals.revenue for a, b in zip(here, there, strict=True)
    )
    loss = comparison.loss("dishonest")
    assert loss.total.mean == pytest.approx(lost / 4 / 1e6)
    # One year of 150 customers.
    assert loss.yearly.mean == pytest.approx(lost / 4 / 1e6 / 0.150)


def test_compare__flawless_keeps_more_than_the_baseline(
    comparison: Comparison,
) -> None:
    """Against a firm without mistakes even the baseline loses revenue."""
    loss = comparison.loss("empowered", "flawless")
    assert loss.total.mean is not None
    assert loss.total.mean > 0
    assert "against a flawless firm" in comparison.sentence("empowered")


def test_compare__headline_is_the_dearest_policy(comparison: Comparison) -> None:
    """The sentence shown first is about the largest loss against the baseline."""
    headline = comparison.headline()
    assert isinstance(headline, Loss)
    losses = [
        loss.total.mean or 0.0
        for loss in comparison.losses
        if (loss.against, loss.measure) == ("baseline", "revenue")
        and loss.policy != "flawless"
    ]
    assert headline.total.mean == max(losses)
    assert comparison.sentence() == comparison.sentence(headline.policy)


def test_compare__runs_only_what_is_asked_and_needed(shop: Scenario) -> None:
    """The baseline and flawless are run beside the policy asked for."""
    result = compare(shop, policies=["slow"], replications=1, execution=ONE)
    assert list(result.policies) == ["empowered", "slow", "flawless"]
    assert result.policies["slow"].figures["revenue"].low is None
    assert "one replication, so no interval" in result.sentence("slow")
    assert any("no intervals" in text for text in result.warnings)


def test_compare__takes_ready_policies_that_the_file_does_not_list(
    shop_file: Path, comparison: Comparison
) -> None:
    """A ready policy is added; the others' results stay what they are."""
    result = compare(shop_file, policies=["blame_game"], replications=2, execution=ONE)
    assert "blame_game" in result.policies
    row = result.replications.of("empowered")[1]
    assert row.digest == comparison.replications.of("empowered")[1].digest


def test_compare__without_customers_has_no_data(shop_file: Path) -> None:
    """Nobody there: figures of nothing are None, and nothing is not a number."""
    overrides = ["population.customers=0", 'population.prospects="0/year"']
    result = compare(shop_file, replications=2, overrides=overrides, execution=ONE)
    figures = result.policies["slow"].figures
    assert figures["front_mean_wait"] == Estimate(None, None, None, 0)
    assert figures["share_voiced"].mean is None
    assert figures["revenue"].mean == 0.0
    assert result.sentence() == (
        "There is no data on slow recovery: nobody was simulated."
    )
    text = json.dumps(result.to_json_dict(), allow_nan=False)
    assert "NaN" not in text


def test_compare__at_horizon_0_has_no_data(shop_file: Path) -> None:
    """No time: no revenue, no rates."""
    result = compare(
        shop_file, replications=2, overrides=['horizon="0 days"'], execution=ONE
    )
    assert result.policies["slow"].figures["revenue"].mean == 0.0
    assert result.loss("slow").yearly.mean is None
    sentence = "There is no data on slow recovery: no time passes."
    assert result.sentence() == sentence
    json.dumps(result.to_json_dict(), allow_nan=False)


@pytest.mark.parametrize("n_customers", [0, 5])
def test_compare__tells_a_firm_that_outgrows_its_start_in_all(
    n_customers: int, shop_file: Path
) -> None:
    """Of thirty won and fewer at the start, a loss is told a year, not per 1,000."""
    overrides = [f"population.customers={n_customers}"]
    result = compare(shop_file, replications=2, overrides=overrides, execution=ONE)
    assert result.extent.per == "a year"
    loss = result.loss("dishonest")
    assert result.extent.a_year(loss).mean == loss.total.mean  # horizon: a year
    assert "per 1,000" not in result.sentence()
    told = [text for text in result.warnings if "more than the 5 at the start" in text]
    assert len(told) == (n_customers > 0)


@pytest.mark.parametrize(
    ("contacts", "told", "acting"),
    [("6/year", "but ordinary contacts", True), ("0/year", "at all", False)],
)
def test_compare__says_that_nothing_goes_wrong(
    contacts: str, told: str, acting: bool, shop_file: Path
) -> None:
    """Without mistakes a warning says so, and no figure of lies is assumed to act."""
    overrides = ["mistakes=[]", f"market.ordinary_contacts={contacts}"]
    result = compare(shop_file, replications=2, overrides=overrides, execution=ONE)
    told_all = "\n".join(result.warnings)
    assert f"no mistakes: nothing goes wrong {told}" in told_all
    acts = {item.key for item in result.assumptions if item.acts}
    assert "market.discovery" not in acts
    assert ("market.lock_in" in acts) == acting
    plain = compare(shop_file, replications=2, execution=ONE)
    assert "no mistakes" not in "\n".join(plain.warnings)


def test_compare__prospects_per_thousand_grow_with_the_customers(
    shop_file: Path,
) -> None:
    """200 per 1000 of 150 customers are the 30 that the shop has, bit for bit."""
    of = {"population.prospects": "200/year per 1000"}
    grown = compare(shop_file, replications=1, overrides=of, execution=ONE)
    plain = compare(shop_file, replications=1, execution=ONE)
    assert grown.scenario.digest != plain.scenario.digest
    assert [row.digest for row in grown.runs] == [row.digest for row in plain.runs]
    assert grown.extent.per == "a year per 1,000 customers"


def test_compare__overrides_lie_over_a_loaded_scenario(
    shop_file: Path, shop: Scenario
) -> None:
    """A loaded scenario with a setting changed is the file's with that setting."""
    how = {"market.lock_in": "1.5", "horizon": "60 days"}
    of_file = compare(shop_file, replications=2, overrides=how, execution=ONE)
    of_loaded = compare(shop, replications=2, overrides=how, execution=ONE)
    assert of_loaded.scenario.digest == of_file.scenario.digest != shop.digest
    assert of_loaded.losses == of_file.losses


def test_compare__refuses_a_loss_that_nobody_measured(comparison: Comparison) -> None:
    """The policies that have losses are listed."""
    with pytest.raises(InputError, match="must be one of slow, dishonest"):
        comparison.loss("nobody")


def test_tables__hold_one_row_a_run(comparison: Comparison) -> None:
    """Policies times replications rows, with figures, counts and digests."""
    table = comparison.to_arrow()
    assert table.num_rows == 6 * 4
    assert set(FIGURES) <= set(table.column_names)
    rows = table.to_pylist()
    assert rows[0]["revenue"] == rows[0]["micro_revenue"] / 1e6
    assert rows[0]["mistakes"] == rows[0]["n_mistakes"]
    assert len(comparison.to_dataframe()) == table.num_rows


def test_repr__is_one_line(comparison: Comparison) -> None:
    """What an interpreter shows of a record names it and does not unroll it."""
    scenario = comparison.scenario
    outcome = simulate(scenario, "slow", seed=1)
    assert repr(comparison).startswith(f"<Comparison of {scenario.name}, 4 of 4 ")
    assert repr(outcome).startswith(f"<Outcome of {scenario.name}, slow, replication 0")
    assert repr(scenario).startswith(f"<Scenario {scenario.name}: empowered, slow")
    assert max(len(repr(it)) for it in (comparison, outcome, scenario)) < 400


def test_html__shows_names_as_text(comparison: Comparison) -> None:
    """The notebook's table escapes what policies are called."""
    shown = comparison._repr_html_()
    assert shown.count("<tr>") == 7
    evil = "<script>alert(1)</script>"
    policies = comparison.policies
    renamed = {
        **policies,
        "slow": policies["slow"]._replace(title=evil),
    }
    shown = dataclasses.replace(comparison, policies=renamed)._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;alert(1)" in shown


def test_figures__lie_in_their_ranges(comparison: Comparison) -> None:
    """Of every run and every interval: shares up to 1, and nothing else below 0."""
    for policy in comparison.policies.values():
        rows = comparison.replications.of(policy.name)
        for name, value in policy.figures.items():
            low, high = range_of(name)
            known = [row.figures[name] for row in rows]
            ends = [x for x in (*known, *value[:3]) if x is not None]
            assert all(low <= end <= high for end in ends), name
    signed = {name for name in FIGURES if range_of(name) == ANYWHERE}
    assert signed == {"contribution", "contribution_discounted"}
    waits = [p.figures["back_mean_wait"] for p in comparison.policies.values()]
    assert any(wait.low == 0.0 < (wait.mean or 0.0) for wait in waits)


def test_figures__wait_of_90_is_no_surer_than_its_bins(comparison: Comparison) -> None:
    """Its interval holds the mean of both edges, also where no replication differs."""
    widths = []
    for policy in comparison.policies.values():
        for name in sorted(BINNED):
            rows = comparison.replications.of(policy.name)
            edges = [x for row in rows if (x := row.figures[name]) is not None]
            found = policy.figures[name]
            if not edges:
                continue
            assert found.mean == pytest.approx(statistics.mean(edges))
            assert found.low is not None
            assert found.high is not None
            bins = [wait_bin(edge) for edge in edges]
            assert found.low <= statistics.mean(held.low for held in bins)
            assert found.high >= statistics.mean(held.high for held in bins)
            widths.append((len(set(edges)), found.high - found.low))
    assert widths
    assert all(width > 0.0 for _, width in widths)
    assert any(n == 1 for n, _ in widths)


@given(st.floats(0.0, 400.0))
def test_wait_bin__holds_the_wait(wait: float) -> None:
    """Whatever is told of a single wait, the wait lies between the edges of its bin."""
    waits = np.zeros(N_BINS, np.int64)
    waits[bin_of_wait(wait)] = 1
    told = wait_quantile(waits, 0.9)
    assert told is not None
    low, high = wait_bin(told)
    assert low * (1 - 1e-9) <= wait <= high * (1 + 1e-9)
    assert high - low >= 0.08 * high


def test_figures__agree_with_the_counts(comparison: Comparison) -> None:
    """Shares are what their counts divide to; those lost add up by cause."""
    for run in comparison.runs:
        figures = run.figures
        lost = [v for k, v in figures.items() if k.startswith("lost_")]
        assert lost
        assert figures["lost"] == sum(run.lost.values())
        if run.tally["mistakes"]:
            voiced = run.tally["voiced"] / run.tally["mistakes"]
            assert figures["share_voiced"] == voiced
        people = run.n_customers + run.tally["won"]
        assert figures["kept"] == people - figures["lost"]


# Lever by lever


def test_explained__adds_up_to_the_headline(
    comparison: Comparison, shop_file: Path
) -> None:
    """The parts are those of `explain`; their sum is the headline's loss, exactly."""
    whole = comparison.explained(ONE)
    headline, found = comparison.headline(), whole.attribution
    assert headline is not None
    assert found is not None
    assert found.loss.total == headline.total
    assert found.loss.yearly == headline.yearly
    here, there = (
        comparison.replications.of(name) for name in (headline.policy, headline.other)
    )
    lost = [
        b.totals.revenue - a.totals.revenue for a, b in zip(here, there, strict=True)
    ]
    assert sum(share.micro for share in found.shares) == sum(lost)
    alone = explain(shop_file, headline.policy, headline.other)
    assert whole.to_json_dict()["attribution"] == alone.to_json_dict()
    assert comparison.to_json_dict()["attribution"] is None
    assert whole.to_json_dict() | {"attribution": None} == comparison.to_json_dict()


def test_explained__only_what_finished(shop_file: Path) -> None:
    """Of a comparison that was stopped, its own replications are explained."""
    stop = threading.Event()
    how = Execution(threads=1, stop=stop, progress=lambda *_: stop.set())
    partial = compare(shop_file, policies=["dishonest"], execution=how)
    found = partial.explained(ONE).attribution
    assert found is not None
    assert found.finished == partial.replications.finished == (0,)
    assert not found.is_stopped
    assert found.loss.total.low is None


def test_explained__nothing_to_compare_adds_nothing(shop_file: Path) -> None:
    """A flawless firm alone has no headline, so no levers."""
    text = shop_file.read_text(encoding="utf-8")
    alone = shop_file.with_name("alone.toml")
    alone.write_text(text.replace('"empowered"', '"flawless"'), encoding="utf-8")
    lonely = compare(alone, policies=["flawless"], replications=1)
    assert lonely.explained(ONE) is lonely


# The bound on churn


def test_mistake_share__of_the_silent_by_hand(shop_file: Path) -> None:
    """Nobody speaks up, sting 1, lock-in 0, κ 1: P(leave) = 1/(1 + e^-1) = .7311.

    One occasion a week, 10 % of them mistakes, dropout 5 % of the others: .07311 of
    .07311 + .9·.05 per week is a share of .619.
    """
    scenario = load_scenario(
        shop_file,
        overrides=[
            'market.rate="1/week"',
            "market.dropout=0.05",
            "market.stated_to_actual=1.0",
            "market.lock_in=0.0",
            "mistakes.late.probability=0.1",
            "mistakes.late.sting=1.0",
            "mistakes.late.voice=-50.0",
        ],
    )
    share = mistake_share(scenario, "slow")
    assert share.leave_probability == pytest.approx(0.731059, abs=1e-6)
    assert share.from_mistakes == pytest.approx(0.0731059 * 365.25 / 7, abs=1e-5)
    stays = 1.0 - 0.0731059
    assert share.natural == pytest.approx(stays * 0.05 * 365.25 / 7, rel=1e-6)
    whole = 0.0731059 + stays * 0.05
    assert share.share == pytest.approx(0.0731059 / whole, abs=1e-6)
    assert share.observed is None
    warning = share_warning(share)
    assert warning is not None
    told = "under slow, mistakes explain 61% of churn, estimated before the run; above"
    assert told in warning


def test_mistake_share__orders_policies_by_honesty(shop: Scenario) -> None:
    """More leave a firm that lies than one that settles; none a flawless one."""
    shares = {share.policy: share for share in mistake_shares(shop)}
    honest, lying = shares["empowered"], shares["dishonest"]
    assert honest.leave_probability is not None
    assert lying.leave_probability is not None
    assert honest.leave_probability < lying.leave_probability
    assert shares["flawless"].leave_probability is None
    assert shares["flawless"].share == 0.0


def test_mistake_share__ways_add_up_to_one(shop: Scenario) -> None:
    """With κ = 1 and no way back, everybody leaves: the ways through are complete."""
    for policy in shop.policy_names[:3]:
        plan = shop.plan(policy)
        market = plan.market._replace(stated_to_actual=1.0, lock_in=-1e4)
        certain = leave_after_mistake(plan._replace(market=market))
        assert certain == pytest.approx(1.0, abs=1e-12)


def test_mistake_share__is_near_the_simulated_one(shop_file: Path) -> None:
    """Where nobody waits and each mistake is soon forgotten, the run agrees within 5 %.

    Customers of one rate, whose spend and dropout no grievance moves.
    """
    overrides = [
        "population.customers=20000",
        'market.memory="1 s"',
        "market.drift=0.0",
        "market.open_spend=1.0",
        "market.spend_sensitivity=0.0",
        'market.ordinary_contacts="0/year"',
        'market.rate="6/year"',
        "market.dropout=0.05",
        "policy_defaults.speed.agents=50",
        "policy_defaults.speed.supervisors=50",
    ]
    result = compare(
        shop_file,
        policies=["slow"],
        replications=1,
        overrides=overrides,
        execution=ONE,
    )
    for share in result.mistake_shares[:2]:
        simulated = result.policies[share.policy].figures["mistake_share_of_lost"].mean
        assert share.share == pytest.approx(simulated, rel=0.05)


def test_observed_churn__must_leave_room_for_mistakes(shop_file: Path) -> None:
    """Mistakes that drive away more than are lost in all contradict the figures."""
    possible = load_scenario(
        shop_file, overrides=['market.observed_churn="500 %/year"']
    )
    shares = {share.policy: share for share in mistake_shares(possible)}
    expected = shares["empowered"].from_mistakes / 5.0
    assert shares["empowered"].share == pytest.approx(expected)
    with pytest.raises(InputError) as caught:
        compare(shop_file, overrides=['market.observed_churn="1 %/year"'])
    text = str(caught.value)
    assert text.startswith("market.observed_churn: must leave room for mistakes")
    assert 'got "1 %/year"' in text


# Assumptions


@pytest.mark.parametrize(
    ("overrides", "acts"),
    [
        (["population.customers=0", "population.prospects=0/year"], False),
        (["population.customers=0", "population.prospects=9/year per 1000"], False),
        (["population.customers=0", "population.prospects=9/year"], True),
        (["horizon=0 s"], False),
        (["horizon=1 s"], True),
    ],
)
def test_assumptions__act_on_nothing_where_there_is_nobody_or_no_time(
    shop_file: Path, overrides: list[str], acts: bool
) -> None:
    """No result hangs on an assumption where nobody comes, or no time passes."""
    found = assumptions_of(load_scenario(shop_file, overrides=overrides))
    assert found
    assert any(item.acts for item in found) == acts


def test_assumptions__come_with_value_and_reason(shop: Scenario) -> None:
    """What no source gives is listed with its value, defaults included."""
    found = {item.key: item for item in assumptions_of(shop)}
    assert found["market.lock_in"].value == "0.5"
    assert found["mistakes.late.sting"].value == "lognormal, mean 1.6, cv 0.3"
    assert "market.patience" not in found


def test_assumptions__that_act_come_first(shop: Scenario) -> None:
    """What has nothing to act on comes last: lies nobody tells, waits nobody has.

    The authority of these two policies covers every stake.
    """
    assert all(item.acts for item in assumptions_of(shop))
    found = assumptions_of(shop, None, ["empowered", "patient"])
    assert [item.acts for item in found] == [True] * (len(found) - 5) + [False] * 5
    idle = {item.key.removeprefix("market.") for item in found if not item.acts}
    assert idle == {"discovery", "lie_sting", "placated", "betrayal", "endurance"}
    assert not any(item.acts for item in assumptions_of(shop, None, ["flawless"]))


def test_assumptions__follow_the_file_and_what_is_changed(tmp_path: Path) -> None:
    """A graded figure is as its file says; one that is set by hand is an assumption."""
    text = Path(__file__).with_name("conftest.py").read_text(encoding="utf-8")
    shop = text.split('"""\\\n')[1].split('"""')[0]
    shop = shop.replace("lock_in = 0.5", "lock_in = 0.5 # B: a survey of 2020")
    shop = shop.replace("cv = 1.0 }", "cv = 1.0 } # D: guessed")
    shop = shop.replace("probability = 0.15", "probability = 0.15 # D: our guess")
    path = tmp_path / "graded.toml"
    path.write_text(shop, encoding="utf-8")
    as_is = {a.key: a for a in assumptions_of(load_scenario(path), path)}
    assert "market.lock_in" not in as_is
    assert as_is["mistakes.late.probability"].reason == "our guess"
    changed = load_scenario(path, overrides=["market.lock_in=0.7"])
    now = {a.key: a for a in assumptions_of(changed, path)}
    assert now["market.lock_in"].value == "0.7"
    assert now["market.lock_in"].reason == "set for this run"
