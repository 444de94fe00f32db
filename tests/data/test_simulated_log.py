"""A simulated firm's own events, read as a log: what was counted is found again."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from churnsim import load_scenario, simulate, with_events
from churnsim.data import Mapping, Windows, read_events
from churnsim.engines.outcome import Outcome
from tests.data.made import figures_of, write_log

START = dt.datetime(2021, 1, 1, tzinfo=dt.UTC)
HORIZON = 730.5  # days: two years
ORDINARY = 2**31  # contacts that no mistake is behind are numbered from here
WORDS = Mapping(
    columns={"event": "what"},
    events={
        "arrived": "purchase",
        "mistake": "problem",
        "handled": "contact",
        "settled": "resolution",
        "left": "cancel",
        "closed": "drop",
    },
)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    """Return a telecom whose agents may settle on the spot."""
    overrides = ["population.customers=1500", 'horizon="2 years"']
    scenario = load_scenario("telecom", overrides=overrides)
    return with_events(simulate(scenario, "empowered"))


@pytest.fixture(scope="module")
def path(outcome: Outcome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the firm's log: customers who were won, and what befell them."""
    customers = outcome.customers()
    won = set(customers["customer"].filter(customers["is_won"]).to_pylist())
    rows = ["time,customer,what"]
    for row in outcome.events().to_pylist():
        if row["event"] not in WORDS.events or row["customer"] not in won:
            continue
        if row["event"] == "handled" and row["episode"] >= ORDINARY:
            continue
        at = START + dt.timedelta(days=row["time"])
        rows.append(f"{at.isoformat()},{row['customer']},{row['event']}")
    folder = tmp_path_factory.mktemp("log")
    return write_log(folder / "events.csv", "\n".join(rows) + "\n")


@pytest.mark.compiled
def test_observed__finds_what_a_simulation_counted(
    outcome: Outcome, path: Path
) -> None:
    """Losses, customer-years and complaints, to the last one."""
    windows = Windows(start=START, end=START + dt.timedelta(days=HORIZON))
    log = read_events(path, WORDS, windows)
    found = figures_of(log)
    customers = outcome.customers()
    won = np.asarray(customers["is_won"])
    left = np.asarray(customers["departure"].fill_null(HORIZON))
    years = (left - np.asarray(customers["arrival"]))[won].sum() / 365.25
    lost = sum(outcome.lost.values())
    assert found["churn"].value == pytest.approx(lost / years, rel=1e-6)
    events = outcome.events().to_pylist()
    told = {
        (row["customer"], row["episode"])
        for row in events
        if row["event"] == "handled" and row["episode"] < ORDINARY
    }
    rate = found["complaint_rate"].value
    assert rate == pytest.approx(len(told) / years, rel=1e-6)
    gone = {row["customer"] for row in events if row["event"] == "left"}
    after = found["churn_after_complaint"]
    assert after.of == lost == len(gone)
    assert after.value == len(gone & {customer for customer, _ in told}) / lost
    once = outcome.first_contact_resolution
    assert once is not None
    assert 0.1 < once < 1.0
    # A log tells an hour, a simulation that it was on the spot: 193 and 195 of 205.
    assert found["first_contact_resolution"].value == pytest.approx(once, abs=0.02)
