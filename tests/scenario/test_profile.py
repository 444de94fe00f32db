"""The profile of the week: how it is written, what it means, what is refused."""

import numpy as np
import pytest
from scipy import stats

from churnsim import load_scenario, simulate
from churnsim.engines.books import Tally
from churnsim.errors import InputError
from churnsim.mechanisms.hours import HOURS_IN_WEEK, hour_of_week
from churnsim.scenario import Scenario
from churnsim.simulation import with_events

SMALL = (
    *("population.customers=2000", "population.prospects=0/year", "horizon=70 d"),
    *("replications=2", "seed=1", "mistakes=[]", "market.ordinary_contacts=30/year"),
)
WORKING = '["Mon-Fri 08:00-18:00: 3", "Sat 10:00-14:00: 1.5", "Sun 00:00-24:00: 0.1"]'


def loaded(*settings: str) -> Scenario:
    """Return a small telecom, in which people only ask, with settings changed."""
    return load_scenario("telecom", overrides=[*SMALL, *settings])


def weight(hour: int) -> float:
    """Return the weight of an hour of the week in `WORKING`, worked by hand."""
    day, clock = divmod(hour, 24)
    if day < 5:
        return 3.0 if 8 <= clock < 18 else 0.0
    if day == 5:
        return 1.5 if 10 <= clock < 14 else 0.0
    return 0.1


@pytest.mark.parametrize("start", ["2026-01-05", "2026-01-08"])
def test_contacts__come_in_the_hours_of_the_profile(start: str) -> None:
    """Chi-square over the week, whatever its day the run starts on; none at 0."""
    scenario = loaded(f"market.profile={WORKING}", f"start={start}")
    outcome = with_events(simulate(scenario, "slow"))
    events = outcome.events().to_pandas()
    asked = events[events["event"] == "ordinary"]["time"]
    into_week = outcome.plan.into_week
    hours = [hour_of_week(into_week, at) for at in asked]
    seen = np.bincount(hours, minlength=HOURS_IN_WEEK)
    weights = np.array([weight(hour) for hour in range(HOURS_IN_WEEK)])
    is_open = weights > 0.0
    assert seen[~is_open].sum() == 0
    expected = weights[is_open] / weights.sum() * seen.sum()
    assert seen.sum() > 10_000
    assert stats.chisquare(seen[is_open], expected).pvalue > 1e-4


def test_profile__moves_contacts_and_makes_no_more() -> None:
    """Over whole weeks a customer asks as often as without a profile."""
    settings = ("policy_defaults.speed.agents=1000", "market.dropout=0 %")
    even = simulate(loaded(*settings), "slow").tally(Tally.ORDINARY_CONTACTS)
    uneven = loaded(*settings, f"market.profile={WORKING}")
    moved = simulate(uneven, "slow").tally(Tally.ORDINARY_CONTACTS)
    expected = 2000 * 30 * 70 / 365.25
    for count in (even, moved):
        assert abs(count - expected) < 4.5 * np.sqrt(expected)
    # The same budgets are used up over the same whole weeks: hardly anybody differs.
    assert abs(even - moved) < 0.01 * expected


def test_profile__in_which_all_hours_are_alike_is_none() -> None:
    """A constant weight at all hours changes no bit of a result."""
    flat = loaded('market.profile=["Mon-Fri 00:00-24:00: 2", "Sat-Sun 0:00-24:00: 2"]')
    assert len(flat.plan("slow").market.profile) == 0
    assert simulate(flat, "slow").digest() == simulate(loaded(), "slow").digest()


def test_profile__is_written_as_it_is_read() -> None:
    """A resolved scenario loads to the same digest; one without a profile has none."""
    scenario = loaded(f"market.profile={WORKING}")
    assert load_scenario(scenario).digest == scenario.digest != loaded().digest
    assert '"Sun 00:00-24:00: 0.1"' in scenario.to_toml()
    profile = scenario.plan("slow").market.profile
    width = np.diff(np.append(profile[:, 0], 7.0))
    assert profile[:, 1] @ width == pytest.approx(7.0, abs=1e-12)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("3", "must be a list of hours with their weights"),
        ('["Mon-Fri: 3"]', 'which this is not: "Mon-Fri: 3"'),
        ('["Mon-Fri 08:00-18:00: many"]', "must end in a number"),
        ('["Mon-Fri 08:00-18:00: nan"]', "must have weights in [0, 1,000,000]"),
        ('["Mon-Fri 08:00-18:00: -1"]', "must have weights in [0, 1,000,000]"),
        ('["Mon-Fri 08:00-18:00: 0"]', "must have an hour at which customers turn up"),
        (
            '["Mon-Fri 08:00-18:00: 1", "Wed 12:00-13:00: 3"]',
            "must be hours that do not overlap",
        ),
        ('["Mon 18:00-08:00: 1"]', "must end after it begins"),
    ],
)
def test_profile__that_means_nothing_is_refused(value: str, words: str) -> None:
    """The rule and what was written, on one line."""
    with pytest.raises(InputError) as caught:
        loaded(f"market.profile={value}")
    assert words in str(caught.value)
    assert "market.profile" in str(caught.value)
