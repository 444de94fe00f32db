"""Attribution: shares that add up to the last micro-unit, of simulated policies."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import churnsim
from churnsim.errors import InputError
from churnsim.experiment import Attribution, Execution, Method, explain, workers
from churnsim.experiment.intervals import Estimate
from churnsim.experiment.losses import MEASURES
from churnsim.records import MICRO
from churnsim.report.attributions import attribution_text
from churnsim.report.framing import Commands
from churnsim.scenario import LEVERS, Scenario, load_scenario, mixture
from churnsim.simulation import simulate

PAIR = ("dishonest", "patient")


@pytest.fixture(scope="module")
def liars(shop_file: Path) -> Scenario:
    """Return the shop with staff who may settle all, are slow and lie nevertheless."""
    return load_scenario(shop_file, overrides={"policy.patient.honesty.fob_off": "0.4"})


@pytest.fixture(scope="module")
def whole(liars: Scenario) -> Attribution:
    """Return what those staff lose against honest ones."""
    return explain(liars, "patient", "empowered")


@pytest.mark.compiled
@pytest.mark.parametrize("measure", MEASURES)
def test_explain__adds_up_to_the_last_micro_unit(shop: Scenario, measure: str) -> None:
    """Levers, segments and customers add up to what the policies' runs differ by."""
    found = explain(shop, *PAIR, replications=2, method=Method(measure, customers=1))
    gaps = []
    for number in range(2):
        runs = [simulate(shop, p, replication=number) for p in PAIR]
        source, target = (getattr(run.totals, measure) for run in runs)
        gaps.append(target - source)
    assert found.micro[:, 0].sum(axis=1).tolist() == gaps
    assert found.loss.micro == sum(gaps) == sum(s.micro for s in found.shares) != 0
    table = found.to_arrow().to_pylist()
    for number, gap in enumerate(gaps):
        for by in ("origin", "spend", "dropout"):
            rows = [r for r in table if r["replication"] == number]
            parts = [r["micro_lost"] for r in rows if r["by"] in {by, "firm"}]
            assert sum(parts) == gap
    customers = found.customers().to_pydict()
    assert sum(customers["micro_lost"]) == gaps[1]
    for i, lever in enumerate(found.levers):
        assert sum(customers[f"micro_{lever}"]) == found.micro[1, 0, i]
    columns = [customers[f"micro_{lever}"] for lever in found.levers]
    assert [sum(row) for row in zip(*columns, strict=True)] == customers["micro_lost"]
    assert (customers["micro_lost"][0] == 0) == measure.startswith("revenue")


@pytest.mark.compiled
def test_explain__agrees_with_the_comparison(
    liars: Scenario, whole: Attribution
) -> None:
    """The loss and its interval are those that comparing the two policies gives."""
    loss = churnsim.compare(liars, policies=["patient"]).loss("patient")
    assert whole.loss.total == loss.total
    assert whole.loss.yearly == loss.yearly


@pytest.mark.compiled
def test_explain__shares_are_those_of_the_mixtures(shop: Scenario) -> None:
    """Two levers, mixed by hand: the mean of what each brings first and last."""
    found = explain(shop, "slow", "patient", replications=1)
    assert found.levers == ("speed", "authority")
    source, target = shop.policy("slow"), shop.policy("patient")
    none, speed, authority, both = (
        simulate(shop, mixture(source, target, levers)).totals.revenue
        for levers in ([], ["speed"], ["authority"], LEVERS)
    )
    twice = [speed - none + both - authority, authority - none + both - speed]
    assert 0 not in twice
    assert np.abs(2 * found.micro[0, 0] - twice).max() <= 1
    pair = found.interaction("authority", "speed")
    assert pair.levers == ("speed", "authority")
    assert pair.total.mean == (both - speed - authority + none) / MICRO


@pytest.mark.compiled
def test_explain__a_lever_that_never_acts_gets_nothing(whole: Attribution) -> None:
    """Agents may settle all, so the back desk's time does nothing: exactly 0."""
    idle = whole.share("speed")
    assert idle.micro == 0
    assert idle.total == Estimate(0.0, 0.0, 0.0, 4)
    assert not whole.micro[:, :, 0].any()
    assert whole.interaction("speed", "honesty").total.mean == 0.0
    assert whole.share("honesty").micro == whole.loss.micro
    assert whole.sentence().endswith("; speed changes nothing.")


@pytest.mark.compiled
def test_explain__the_other_way_round_turns_the_signs(shop: Scenario) -> None:
    """What one policy loses against another by a lever, the other gains by it."""
    there = explain(shop, *PAIR, replications=2)
    back = explain(shop, *reversed(PAIR), replications=2)
    assert np.abs(there.micro + back.micro).max() <= 1
    assert there.loss.micro == -back.loss.micro
    pairs = {pair.levers: pair.total.mean for pair in back.interactions}
    assert pairs == {pair.levers: pair.total.mean for pair in there.interactions}


@pytest.mark.compiled
@pytest.mark.parametrize(
    "execution",
    [
        Execution(threads=2),
        Execution(processes=2),
        Execution(engine="interpreted", threads=1),
    ],
)
def test_explain__same_bits_however_it_is_run(
    shop: Scenario, execution: Execution
) -> None:
    """Threads, processes and engines give the same shares, to the last micro-unit."""
    found = [
        explain(
            shop, *PAIR, replications=2, method=Method(execution=how, customers=1)
        ).to_json_dict()
        | {"engine": ""}
        for how in (Execution(threads=1), execution)
    ]
    assert found[0] == found[1]


@pytest.mark.compiled
def test_explain__processes_keep_customers(shop: Scenario) -> None:
    """The customers of the chosen replication come back from other processes too."""
    tables = [
        explain(
            shop, *PAIR, replications=2, method=Method(execution=how, customers=1)
        ).customers()
        for how in (Execution(threads=1), Execution(processes=1))
    ]
    assert tables[0].equals(tables[1])


@pytest.mark.compiled
def test_explain__nothing_is_run_twice(
    shop: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three levers: eight runs a replication, on one population; both ends included."""
    met: list[int] = []

    def counted(*args: Any, **keywords: Any) -> Any:
        met.append(id(keywords["population"]))
        return simulate(*args, **keywords)

    monkeypatch.setattr(workers, "simulate", counted)
    found = explain(shop, *PAIR, replications=2)
    assert len(met) == found.n_runs == 16
    assert len(set(met)) <= 2


@pytest.mark.compiled
def test_explain__samples_orders_of_too_many_levers(shop: Scenario) -> None:
    """Beyond `exact_max` the shares add up still, with a standard error; no pairs."""
    exact = explain(shop, *PAIR, replications=2)
    found = explain(shop, *PAIR, replications=2, method=Method(exact_max=2, orders=60))
    assert exact.is_exact
    assert not found.is_exact
    assert found.interactions == ()
    assert found.loss.micro == exact.loss.micro == sum(s.micro for s in found.shares)
    for share, known in zip(found.shares, exact.shares, strict=True):
        assert known.sampling_error is None
        assert share.sampling_error is not None
        assert share.total.mean is not None
        assert known.total.mean is not None
        assert abs(share.total.mean - known.total.mean) < 4 * share.sampling_error


@pytest.mark.compiled
def test_explain__one_replication_has_no_interval(shop: Scenario) -> None:
    """With one replication there is no interval anywhere, and all texts say so."""
    found = explain(shop, *PAIR, replications=1)
    assert all(share.total.low is None for share in found.shares)
    assert "(one replication, so no interval)" in found.sentence()
    assert "one replication: there are no intervals" in found.warnings
    assert str(found).count("no interval") == 1 + 3 * len(found.levers)
    told = [found.loss, *found.segments]
    assert all(s.fraction is None for segment in told for s in segment.shares)
    text = attribution_text(found, Commands("again", "show"), 1000)
    assert re.findall(r"\d\.\d %", text) == []


@pytest.mark.compiled
def test_explain__failures_leave_the_others_whole(
    shop: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replication that fails is told with the mixture that it failed in."""

    def fragile(*args: Any, **keywords: Any) -> Any:
        is_mixed = args[1].honesty == shop.policy("patient").honesty
        if keywords.get("replication") == 1 and is_mixed:
            raise MemoryError("no room")
        return simulate(*args, **keywords)

    monkeypatch.setattr(workers, "simulate", fragile)
    found = explain(shop, *PAIR, replications=3)
    assert found.finished == (0, 2)
    text = str(found.error())
    assert "1 of 3 replications failed" in text
    assert "under policy dishonest with honesty of patient" in text
    assert "1 of 3 replications failed" in found.sentence()


@pytest.mark.compiled
def test_explain__stopped_keeps_the_finished(shop: Scenario) -> None:
    """Interrupted after two replications, it explains those two and says so."""

    def progress(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    how = Execution(threads=1, progress=progress)
    found = explain(shop, *PAIR, method=Method(execution=how))
    assert found.is_stopped
    assert found.finished == (0, 1)
    assert "Stopped early: 2 of 4 replications finished." in found.sentence()


def test_explain__equal_policies_need_no_run(shop: Scenario) -> None:
    """Two policies with the same levers: nothing is run, and it says so plainly."""
    found = explain(shop, "slow", "=1+1")
    parts = [*found.levers, *found.shares, *found.segments]
    assert parts == []
    assert found.n_runs == found.loss.micro == 0
    assert "do not differ in any lever" in found.sentence()
    assert found.to_arrow().num_rows == 0
    assert found.error() is None
    with pytest.raises(InputError, match="of policies that differ"):
        found.customers()
    with pytest.raises(InputError, match="none: no lever differs"):
        found.share("speed")


@pytest.mark.compiled
def test_explain__what_is_left_open(shop: Scenario, shop_file: Path) -> None:
    """By default the scenario's last policy is explained against its baseline."""
    found = explain(shop, replications=1)
    assert (found.source, found.target) == ("=1+1", "empowered")
    assert explain(shop, target="slow", replications=1).source == "=1+1"
    alone = load_scenario(
        shop_file, overrides={"policies": '["empowered"]', "baseline": "empowered"}
    )
    found = explain(alone, replications=1)
    assert (found.source, found.target) == ("empowered", "flawless")
    assert found.levers == ("prevention",)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        ({"source": "slwo"}, "did you mean 'slow'?"),
        ({"target": "emowered"}, "did you mean 'empowered'?"),
        ({"method": Method(measure="revenu")}, "did you mean 'revenue'?"),
        ({"method": Method(exact_max=9)}, "exact_max: must be from 0 to 8; got 9"),
        ({"method": Method(orders=1)}, "orders: must be from 2 to"),
        ({"method": Method(customers=-1)}, "customers: must be from 0 to"),
        ({"method": Method(seed=-1)}, "seed: must be from 0 to"),
        ({"replications": 0}, "replications: must be from 1 to"),
    ],
)
@pytest.mark.parametrize("is_loaded", [True, False])
def test_explain__refuses_what_there_cannot_be(
    shop_file: Path, ask: dict[str, Any], said: str, is_loaded: bool
) -> None:
    """Each wrong name or number is refused with its rule, and the nearest name."""
    scenario = load_scenario(shop_file) if is_loaded else shop_file
    with pytest.raises(InputError) as caught:
        explain(scenario, **ask)
    assert said in str(caught.value)


@pytest.mark.compiled
def test_attribution__unknown_levers_are_refused(whole: Attribution) -> None:
    """A lever that there is not is refused with the nearest one."""
    assert whole.levers == ("speed", "honesty")
    with pytest.raises(InputError, match="did you mean 'honesty'"):
        whole.share("honsty")
    with pytest.raises(InputError, match="did you mean 'speed'"):
        whole.interaction("honesty", "sped")
    with pytest.raises(InputError, match="two different levers"):
        whole.interaction("honesty", "honesty")
    with pytest.raises(InputError, match=r"Method\(customers=0\)"):
        whole.customers()


@pytest.mark.compiled
def test_attribution__prints_well(shop: Scenario) -> None:
    """One line as repr, a line a lever as text, escaped HTML for notebooks."""
    found = explain(shop, "=1+1", "patient", replications=2)
    assert len(repr(found).splitlines()) == 1
    assert len(str(found).splitlines()) == 1 + len(found.levers)
    page = found._repr_html_()
    assert "&quot;=1+1&quot;" in page
    assert page.count("<tr>") == 1 + len(found.levers)
    frame = found.to_dataframe()
    assert len(frame) == found.micro.size
    assert frame[frame["by"] == "all"]["micro_lost"].sum() == found.loss.micro


@pytest.mark.compiled
def test_attribution__memory_for_customers_is_counted(
    shop: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keeping customers under every mixture is part of the memory that is checked."""
    asked: list[int] = []
    monkeypatch.setattr(
        "churnsim.experiment.replications.check_memory",
        lambda need: asked.append(need.kept),
    )
    for customers in (None, 0):
        explain(shop, *PAIR, replications=1, method=Method(customers=customers))
    assert asked[1] - asked[0] == 16 * 8 * 180
