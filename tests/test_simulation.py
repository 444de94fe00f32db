"""One door to the engines: edges of a run, logs of customers, event logs."""

from pathlib import Path

import numpy as np
import pytest

from churnsim import load_scenario, simulate, with_events
from churnsim.errors import InputError
from churnsim.simulation import make_population
from tests.logs import shop_of_a_log

N_IN_LOG = 500  # customers of a log made for the purpose
ENGINES = ("kernel", "interpreted", "reference")


@pytest.mark.compiled
@pytest.mark.parametrize("engine", ENGINES)
def test_simulate__a_horizon_of_zero_is_the_initial_state(engine: str) -> None:
    """Everybody is there, nobody did anything, nothing was earned."""
    settings = ["population.customers=40", 'horizon="0 days"']
    outcome = simulate(
        load_scenario("telecom", overrides=settings), "slow", engine=engine
    )
    assert outcome.kept == 40
    assert outcome.totals.revenue == 0
    assert not any(outcome.lost.values())


@pytest.mark.compiled
@pytest.mark.parametrize("engine", ENGINES)
def test_simulate__nobody_is_an_empty_result(engine: str) -> None:
    """Zero customers and no prospects: rates are absent, not invented."""
    settings = ["population.customers=0", 'population.prospects="0/year"']
    outcome = simulate(
        load_scenario("telecom", overrides=settings), "slow", engine=engine
    )
    assert outcome.kept == 0
    assert outcome.share_voiced is None
    assert outcome.front.mean_wait is None


@pytest.mark.compiled
def test_simulate__engines_agree_on_a_ready_scenario() -> None:
    """The three engines give one digest for 300 customers of the telecom scenario."""
    scenario = load_scenario("telecom", overrides=["population.customers=300"])
    digests = {simulate(scenario, "dishonest", engine=e).digest() for e in ENGINES}
    assert len(digests) == 1


def test_simulate__unknown_engine_is_refused() -> None:
    """The error says which engines there are."""
    scenario = load_scenario("telecom", overrides=["population.customers=10"])
    with pytest.raises(InputError, match="kernel, interpreted, reference"):
        simulate(scenario, "slow", engine="kernal")


@pytest.mark.compiled
def test_with_events__adds_the_log_and_changes_nothing_else() -> None:
    """The same digest, and as many events as were counted, in order of time."""
    scenario = load_scenario("telecom", overrides=["population.customers=200"])
    outcome = simulate(scenario, "slow")
    logged = with_events(outcome)
    assert logged.digest() == outcome.digest()
    events = logged.events()
    assert events.num_rows == int(outcome.books.log_count[0]) > 200
    assert (np.diff(events["time"].to_numpy()) >= 0.0).all()


@pytest.mark.compiled
def test_simulate__the_customers_of_a_log_are_the_base(tmp_path: Path) -> None:
    """As many customers as the log has; some of those long silent are gone already."""
    scenario = load_scenario(shop_of_a_log(tmp_path, N_IN_LOG))
    people = make_population(scenario)
    assert people.n_customers == N_IN_LOG
    assert 0 < np.isfinite(people.arrival).sum() < N_IN_LOG
    outcomes = [
        simulate(scenario, "slow", engine=e, population=people) for e in ENGINES
    ]
    assert len({outcome.digest() for outcome in outcomes}) == 1
    assert outcomes[0].n_customers == N_IN_LOG
