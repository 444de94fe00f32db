"""Shifts: how they are written, what they mean, and what is refused."""

import numpy as np
import pytest

from churnsim import load_scenario, simulate
from churnsim.engines.books import Tally
from churnsim.errors import InputError
from churnsim.mechanisms.hours import (
    WEEK,
    Hours,
    change_moment,
    hour_of_week,
    is_closed,
    next_change,
    opening,
    staffed_hours,
    staffed_time,
)
from churnsim.scenario import Scenario
from churnsim.simulation import rates_of

SMALL = ("population.customers=400", "horizon=60 d", "replications=2", "seed=1")


def loaded(*settings: str) -> Scenario:
    """Return a small telecom with settings changed."""
    return load_scenario("telecom", overrides=[*SMALL, *settings])


def agents(shifts: str) -> str:
    """Return the setting that staffs the front desk of every policy."""
    return f"policy_defaults.speed.agents={shifts}"


@pytest.mark.parametrize(
    ("shifts", "roster"),
    [
        (
            '["Mon-Tue 09:00-17:00: 12 agents"]',
            [[0.375, 12], [17 / 24, 0], [1.375, 12], [1 + 17 / 24, 0]],
        ),
        ('["Sun 22:00-24:00: 3", "Mon 00:00-06:00: 3"]', [[0.25, 0], [6 + 11 / 12, 3]]),
        (
            '["sat-mon 0:00-12:00: 2.5 per 1000"]',
            [
                *([0, 1], [0.5, 0], [5, 1], [5.5, 0], [6, 1], [6.5, 0]),
            ],
        ),
        (
            '["Mon,Wed 10:00-11:00: 1", "Mon 11:00-12:00: 2"]',
            [[10 / 24, 1], [11 / 24, 2], [0.5, 0], [2 + 10 / 24, 1], [2 + 11 / 24, 0]],
        ),
    ],
)
def test_shifts__mean_changes_of_the_week(
    shifts: str, roster: list[list[float]]
) -> None:
    """Days, ranges of days, shifts that touch, and midnight at the end of the week."""
    plan = loaded(agents(shifts)).plan("slow")
    assert np.allclose(plan.policy.front_roster, roster, rtol=0, atol=1e-12)
    assert plan.policy.agents == max(number for _, number in roster)
    assert len(plan.policy.back_roster) == 0


def test_shifts__round_the_clock_are_a_number() -> None:
    """The same number at every hour is that number: no bit of a result differs."""
    shifts = loaded(agents('["Mon-Fri 00:00-24:00: 2", "Sat,Sun 00:00-24:00: 2"]'))
    number = loaded(agents("2"))
    assert len(shifts.plan("slow").policy.front_roster) == 0
    assert shifts.plan("slow").policy.agents == 2
    one, other = simulate(shifts, "slow"), simulate(number, "slow")
    assert one.digest() == other.digest()
    assert len(one.hours()) == 0


def test_shifts__are_written_as_they_are_read() -> None:
    """A resolved scenario with shifts loads to the same digest, and can be read."""
    scenario = loaded(
        agents('["Mon-Wed,Fri 8:00-20:30: 1.4 per 1000", "Sat 10:00-14:00: 1"]'),
        'start="2026-01-07"',
        'market.when_closed="return"',
    )
    text = scenario.to_toml()
    assert '["Mon-Wed,Fri 08:00-20:30: 1.4 per 1000", "Sat 10:00-14:00: 1"]' in text
    assert 'start = "2026-01-07"' in text
    again = load_scenario(scenario)
    assert again.digest == scenario.digest
    assert scenario.plan("slow").into_week == 2.0  # a Wednesday


@pytest.mark.parametrize(
    ("shifts", "words"),
    [
        (
            '["Mon-Fri 09:00-17:00: 12", "Wed 16:00-18:00: 3"]',
            'do not overlap: "Mon-Fri 09:00-17:00: 12" and "Wed 16:00-18:00: 3" on Wed',
        ),
        ('["Mon 17:00-09:00: 3"]', "must end after it begins"),
        ('["Mon 17:00-17:00: 3"]', "must end after it begins"),
        ("[]", "must have an hour at which somebody is there"),
        ('["Mon 09:00-17:00: 0"]', "must have an hour at which somebody is there"),
        ('["Mon 09:00-24:30: 1"]', "must have times from 00:00 to 24:00"),
        ('["Mon 09:00-10:75: 1"]', "must have times from 00:00 to 24:00"),
        ('["Funday 09:00-17:00: 3"]', 'such as "Mon-Fri 09:00-17:00: 12"'),
        ('["Mon 09:00-17:00"]', 'such as "Mon-Fri 09:00-17:00: 12"'),
        ("[3]", 'such as "Mon-Fri 09:00-17:00: 12"'),
        ('["Mon 09:00-17:00: 3.5"]', "must be a whole number"),
        ('["Mon 09:00-17:00: 2000000"]', "must be in [0, 1000000]"),
        ('"Mon 09:00-17:00: 3"', "must be a list, where it is by the hour"),
    ],
)
def test_shifts__that_cannot_be_kept_are_refused(shifts: str, words: str) -> None:
    """Overlaps, ends before begins, weeks never open, and what is no shift at all."""
    with pytest.raises(InputError) as caught:
        loaded(agents(shifts))
    assert words in str(caught.value)
    assert "speed.agents" in str(caught.value)


@pytest.mark.parametrize(
    "date", ['"2026-02-30"', '"yesterday"', "5", "2026-01-05T09:00:00"]
)
def test_start__must_be_a_day(date: str) -> None:
    """A day that the calendar does not have, a time or a number is refused."""
    with pytest.raises(InputError, match='must be a date such as "2026-01-05"'):
        loaded(f"start={date}")


def test_ten_thousand_agents__are_simply_many() -> None:
    """Nobody ever waits while they are there, and the night is closed all the same."""
    scenario = loaded(agents('["daily 09:00-17:00: 10000"]'))
    outcome = simulate(scenario, "slow")
    table = outcome.hours().to_pandas()
    is_open = (table["hour"] % 24 >= 9) & (table["hour"] % 24 < 17)
    assert table["abandoned"][is_open].sum() == 0
    assert (table["mean_wait"][is_open].dropna() == 0.0).all()
    assert table["abandoned"][~is_open].sum() > 0
    assert (table["staffed"] == 10_000.0 * is_open).all()


def test_closed_door__is_as_the_scenario_says() -> None:
    """Waiting fills the line at night, giving up closes cases, returning neither."""
    settings = agents('["Mon-Fri 09:00-17:00: 2"]'), "population.prospects=4000/year"
    wait, give_up, back = (
        simulate(loaded(*settings, f"market.when_closed={how}"), "slow")
        for how in ("wait", "give_up", "return")
    )
    assert wait.hours()["turned_away"].to_numpy().sum() == 0
    for outcome in (give_up, back):
        turned_away = outcome.hours()["turned_away"].to_numpy()
        hour = np.arange(168)
        is_open = (hour < 120) & (hour % 24 >= 9) & (hour % 24 < 17)
        assert turned_away[is_open].sum() == 0
        assert (turned_away[~is_open] > 0).sum() > 100
    assert give_up.closed["gave_up"] > wait.closed["gave_up"]
    assert give_up.closed["gave_up"] > back.closed["gave_up"]
    assert wait.tally(Tally.FRONT_ABANDONED) > back.tally(Tally.FRONT_ABANDONED)


def test_wages__are_paid_for_the_time_on_duty() -> None:
    """Two agents for 40 of 168 hours cost 40/168 of two round the clock."""
    part, whole = loaded(agents('["Mon-Fri 09:00-17:00: 2"]')), loaded(agents("2"))
    costs = whole.costs
    back = whole.plan("slow").policy.supervisors * costs.supervisor_pay
    paid = rates_of(part, "slow", part.plan("slow")).wages - back
    assert paid == round(2 * costs.agent_pay * 40 / 168)
    assert (
        rates_of(whole, "slow", whole.plan("slow")).wages - back == 2 * costs.agent_pay
    )
    training = rates_of(part, "slow", part.plan("slow")).training
    assert training == rates_of(whole, "slow", whole.plan("slow")).training


def test_hours__agree_with_the_tallies() -> None:
    """What is kept by the hour adds up to what is kept in all."""
    outcome = simulate(loaded(agents('["daily 08:00-20:00: 1"]')), "slow")
    table = outcome.hours().to_pandas()
    assert table["joined"].sum() == outcome.front.joined
    assert table["handled"].sum() == outcome.front.handled
    assert table["abandoned"].sum() == outcome.front.abandoned


ROSTER = np.array([[0.375, 4.0], [0.5, 2.0], [17 / 24, 0.0], [5.0, 1.0], [5.5, 0.0]])


def test_changes__are_numbered_through_the_weeks() -> None:
    """A week later the same change comes with a number higher by a week's changes."""
    for into_week in (0.0, 2.0, 6.0):
        for number in range(12):
            at = change_moment(ROSTER, into_week, number)
            assert at == number // 5 * WEEK + ROSTER[number % 5, 0] - into_week
            if at >= 0.0:
                assert next_change(ROSTER, into_week, at) == number + 1
                assert next_change(ROSTER, into_week, np.nextafter(at, -1.0)) == number


def test_week__is_open_and_closed_as_its_changes_say() -> None:
    """From a change on, up to the next; what comes at the instant of a change is in."""
    assert is_closed(ROSTER, 0.0, 0.2)
    assert opening(ROSTER, 0.0, 0.2) == 0.375
    assert not is_closed(ROSTER, 0.0, 0.375)
    assert is_closed(ROSTER, 0.0, 17 / 24)
    assert opening(ROSTER, 0.0, 17 / 24) == 5.0
    assert opening(ROSTER, 0.0, 5.6) == 7.375
    assert is_closed(ROSTER, 5.6, 0.0)
    assert opening(ROSTER, 5.6, 0.0) == pytest.approx(1.775, abs=1e-12)


def test_staffed_time__is_the_area_under_the_roster() -> None:
    """By hand: 4 agents for 3 hours, 2 for 5, 1 for 12, in each week."""
    week = (4 * 3 + 2 * 5 + 12) / 24
    assert staffed_time(Hours(9, ROSTER), WEEK) == pytest.approx(week, rel=1e-12)
    assert staffed_time(Hours(9, ROSTER, 3.0), 21.0) == pytest.approx(3 * week)
    assert staffed_time(Hours(9), 2.0) == 18.0
    hours = staffed_hours(Hours(9, ROSTER))
    assert hours[9] == pytest.approx(4.0)
    assert hours[16] == pytest.approx(2.0)
    assert hours[17] == pytest.approx(0.0, abs=1e-9)


def test_hour_of_week__of_a_full_hour_is_the_hour_that_begins() -> None:
    """Although 8:00 is a third of a day, which no float holds."""
    for week in (0, 1, 1000):
        for hour in range(168):
            assert hour_of_week(0.0, 7 * week + hour / 24) == hour
            assert hour_of_week(2.0, 7 * week + hour / 24) == (hour + 48) % 168
