"""Staffing by simulation: a desk whose answer is known, shifts, bounds, refusals."""

import dataclasses
import threading
from pathlib import Path

import numpy as np
import pytest

from churnsim import load_scenario, simulate, simulation, staff, with_events
from churnsim.engines.books import Tally
from churnsim.errors import InputError, InterruptedRun, ResourceError
from churnsim.experiment import (
    Effort,
    Execution,
    Staffing,
    compare,
    estimate,
    workers,
)
from churnsim.experiment.intervals import SHARE, t_quantile
from churnsim.experiment.staffing import counting
from churnsim.experiment.staffing.counting import Measured, visits_of
from churnsim.experiment.staffing.erlang import Load, needed_agents, service_level
from churnsim.experiment.staffing.runs import Asked, Runs
from churnsim.experiment.staffing.shifts import CLOSED, shifts_of, with_agents
from churnsim.experiment.staffing.starting import start_of
from churnsim.experiment.staffing.target import read_target
from churnsim.memory import Need
from churnsim.scenario import Scenario
from tests.experiment.callers import (
    CALLERS,
    CALLS_A_YEAR,
    HANDLE,
    N_CALLERS,
    PATIENCE,
)
from tests.oracles.watching import front_visits

pytestmark = pytest.mark.compiled

SECOND = 1.0 / 86_400.0  # [days]
TARGET = "80% in 20s"
LOAD = Load(N_CALLERS * CALLS_A_YEAR / 365.25, HANDLE, PATIENCE)
FEW = Effort(3, execution=Execution(threads=2))
SHORT = ("horizon=14 days",)
# Lines that are left behind, customers who wait at closed doors, a busy morning.
WEEK = (
    *SHORT,
    'start="2026-01-07"',
    'market.profile=["Mon-Fri 06:00-12:00: 3", "Mon-Sat 12:00-20:00: 1"]',
    'market.patience={ law = "exponential", mean = "30 min" }',
)
STRAIN = (
    "horizon=60 days",
    'market.ordinary_contacts="60/year"',
    'strain.turnover="80 %/year"',
    "strain.contacts_per_year=4000",
    "strain.wrath=0.8",
    'strain.hiring="20 days"',
    'strain.hiring_cost="$5,000"',
    "strain.newcomer=1.0",
    "strain.learning=400",
    "strain.accommodating=0.5",
    "strain.warm=1",
    "strain.curt=1",
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a firm that is nothing but a desk."""
    path = tmp_path_factory.mktemp("callers") / "callers.toml"
    path.write_text(CALLERS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def found(desk: Path) -> Staffing:
    """Return the desk staffed round the clock."""
    return staff(desk, TARGET, "flawless", effort=FEW._replace(replications=4))


@pytest.fixture(scope="module")
def week(desk: Path) -> Staffing:
    """Return the desk staffed in two shifts."""
    return staff(desk, "80% in 45s", "slow", overrides=WEEK, effort=FEW)


def test_staff__is_what_erlang_a_tells(found: Staffing) -> None:
    """Poisson calls, exponential times: 7 agents answer 71 %, and 8 answer 81 %.

    Each level is the closed form's within 5 standard errors of 4 replications, and
    0.003 for the desk's empty start and for who is at the desk and does not call.
    """
    assert found.found is not None
    assert [found.found.agents, found.shifts[0].start] == [(8,), 8]
    known = {trial.agents[0]: trial.level for trial in found.trials}
    assert known.keys() == {4, 7, 8}
    for n_agents, level in known.items():
        assert level.mean is not None
        assert level.low is not None
        assert level.high is not None
        error = (level.high - level.low) / (2.0 * t_quantile(3))
        closed = service_level(LOAD, n_agents, 20.0 * SECOND)
        assert error < 0.004
        assert level.mean == pytest.approx(closed, abs=5.0 * error + 0.003)


def test_staff__of_each_shift_is_what_erlang_a_tells(desk: Path) -> None:
    """By weights, 179 calls an hour on weekdays and 60 at weekends: 20 agents and 8.

    Doors open as the calls begin, and few wait as they close, so that each shift is a
    desk by itself: levels within 5 standard errors and 0.005 of the closed forms, which
    lie 2 to 5 points from the target.
    """
    shifts = '["Mon-Fri 08:00-18:00: 18", "Sat-Sun 08:00-18:00: 9"]'
    overrides = (
        "horizon=28 days",
        'start="2026-01-05"',
        'market.when_closed="give_up"',
        'market.profile=["Mon-Fri 08:00-18:00: 3", "Sat-Sun 08:00-18:00: 1"]',
        f"policy_defaults.speed.agents={shifts}",
    )
    result = staff(desk, "77% in 20s", "flawless", overrides=overrides, effort=FEW)
    an_hour = LOAD.arrivals * 7.0 / (3.0 * 50.0 + 1.0 * 20.0)
    for shift, weight in zip(result.shifts, (3.0, 1.0), strict=True):
        load = LOAD._replace(arrivals=24.0 * weight * an_hour)
        needed = needed_agents([load], 0.77, 20.0 * SECOND)
        assert shift.agents == needed
        for level, n_agents in ((shift.level, needed), (shift.fewer_level, needed - 1)):
            assert level is not None
            assert level.mean is not None
            error = ((level.high or 0.0) - (level.low or 0.0)) / (2.0 * t_quantile(2))
            assert error < 0.02
            closed = service_level(load, n_agents, 20.0 * SECOND)
            assert level.mean == pytest.approx(closed, abs=5.0 * error + 0.005)
    assert [shift.agents for shift in result.shifts] == [20, 8]


def test_staff__one_agent_fewer_misses_it(found: Staffing, week: Staffing) -> None:
    """In every shift; round the clock for sure, by intervals on either side of it."""
    for result in (found, week):
        assert result.verdict == "found"
        for shift in result.shifts:
            level, fewer = shift.level, shift.fewer_level
            assert level is not None
            assert fewer is not None
            assert (fewer.mean or 0.0) < result.target.share <= (level.mean or 0.0)
    (shift,) = found.shifts
    assert shift.level is not None
    assert shift.fewer_level is not None
    assert (shift.fewer_level.high or 1.0) < 0.8 < (shift.level.low or 0.0)


def test_staff__level_is_the_dashboards(found: Staffing, desk: Path) -> None:
    """Of 20 seconds it is what `run` shows of the same policy with so many agents."""
    assert found.setting == "policy.flawless.speed.agents=8"
    overrides = ["policy_defaults.speed.agents=8"]
    usual = compare(desk, policies=["empowered"], overrides=overrides)
    figures = usual.policies["flawless"].figures
    assert found.found is not None
    assert found.found.level == figures["front_service_level"]
    assert found.found.levels == (found.found.level,)


def test_staff__counts_from_the_log_as_the_books_do(desk: Path) -> None:
    """20 seconds by the log are the tally's; visits are those that the oracle finds."""
    scenario = load_scenario(desk, overrides=SHORT)
    outcome = simulate(scenario, "empowered")
    books = with_events(outcome).books
    visits = visits_of(books)
    assert len(visits.wait) == outcome.tally(Tally.FRONT_JOINED)
    assert np.isfinite(visits.wait).sum() == outcome.tally(Tally.FRONT_HANDLED)
    in_time = np.sum(visits.wait <= 20.0 * SECOND)
    assert in_time == outcome.tally(Tally.WITHIN_TARGET)
    known = front_visits(books, 13.0)
    waits = np.where(known.is_handled, known.ended_at - known.joined_at, np.inf)
    early = visits.joined_at < 13.0
    assert np.array_equal(np.sort(visits.wait[early]), np.sort(waits))
    again = counting.counting(
        shifts_of(scenario.policy("empowered"), N_CALLERS),
        20.0 * SECOND,
        outcome.population,
    )("", outcome)
    assert again.in_time.tolist() == [in_time, in_time]


def test_shifts__have_each_contact_once(desk: Path) -> None:
    """By hand: joined on duty by day and minute; all others at closed doors."""
    scenario = load_scenario(desk, overrides=WEEK)
    outcome = simulate(scenario, "slow")
    shifts = shifts_of(scenario.policy("slow"), N_CALLERS)
    times = visits_of(with_events(outcome).books).joined_at
    into = outcome.plan.into_week
    at = shifts.at(times, into)
    for time, shift in zip(times.tolist()[:4000], at.tolist()[:4000], strict=True):
        day, hour = divmod((time + into) % 7.0 * 24.0, 24.0)
        in_week = day < 5 and 8.0 <= hour < 18.0
        on_saturday = day == 5 and 10.0 <= hour < 14.0
        assert shift == (0 if in_week else 1 if on_saturday else CLOSED)
    assert {-1, 0, 1} == set(at.tolist())
    edges = np.array([4.0 + 8.0 / 24.0, 4.0 + 18.0 / 24.0, 5.0 + 10.0 / 24.0, 6.0])
    assert shifts.at(edges, 0.0).tolist() == [0, CLOSED, 1, CLOSED]
    worked = shifts.worked()
    assert worked.sum(axis=1).tolist() == [50.0, 4.0]
    assert worked[0, 4 * 24 + 8] == 1.0


def test_staff__shifts_each_get_their_own(week: Staffing, desk: Path) -> None:
    """The levels are those of runs made anew with the setting that is told."""
    assert [shift.hours for shift in week.shifts] == [
        "Mon-Fri 08:00-18:00",
        "Sat 10:00-14:00",
    ]
    agents = [shift.agents for shift in week.shifts]
    assert agents[0] != agents[1]
    assert week.setting is not None
    again = load_scenario(desk, overrides=[*WEEK, week.setting])
    shifts = shifts_of(again.policy("slow"), N_CALLERS)
    assert list(shifts.present) == agents
    values: list[list[float]] = [[], [], []]
    for number in range(3):
        outcome = simulate(again, "slow", replication=number)
        visits = visits_of(with_events(outcome).books)
        at = shifts.at(visits.joined_at, outcome.plan.into_week)
        in_time = visits.wait <= 45.0 * SECOND
        for i, is_here in enumerate((at == 0, at == 1, at > -2)):
            values[i].append(float(np.mean(in_time[is_here])))
    levels = [estimate(column, SHARE) for column in values]
    assert [shift.level for shift in week.shifts] == levels[:2]
    assert week.found is not None
    assert week.found.level == levels[2]


def test_staff__money_is_that_of_two_runs(week: Staffing, desk: Path) -> None:
    """Wages by hand; what it earns more, replication by replication."""
    hours = 50.0 * week.found.agents[0] + 4.0 * week.found.agents[1]  # type: ignore[union-attr]
    assert week.found is not None
    wages = pytest.approx(hours * 20.0 / 7.0 * 365.25, rel=1e-9)
    assert week.found.wages == wages
    assert week.setting is not None
    more = []
    for number in range(3):
        before, after = (
            simulate(
                load_scenario(desk, overrides=overrides), "slow", replication=number
            ).totals.contribution
            for overrides in (WEEK, [*WEEK, week.setting])
        )
        more.append((after - before) / 1e6)
    assert week.contribution is not None
    assert week.contribution.total == estimate(more)
    yearly = estimate(more).scaled(365.25 / 14.0)
    assert week.contribution.yearly == yearly
    assert "of contribution a year" in week.money_sentence()


def test_staff__is_the_same_whatever_the_threads(week: Staffing, desk: Path) -> None:
    """One thread gives the document of two, to the last digit."""
    effort = FEW._replace(execution=Execution(threads=1))
    again = staff(desk, "80% in 45s", "slow", overrides=WEEK, effort=effort)
    assert again.to_json_dict() == week.to_json_dict()


@pytest.mark.slow
def test_staff__is_the_same_in_processes(week: Staffing, desk: Path) -> None:
    """What is kept of a run can be sent from one process to another."""
    effort = FEW._replace(execution=Execution(processes=2))
    again = staff(desk, "80% in 45s", "slow", overrides=WEEK, effort=effort)
    assert again.to_json_dict() == week.to_json_dict()


@pytest.mark.slow
def test_staff__engines_agree(desk: Path) -> None:
    """The reference finds the same, bit for bit."""
    small = ("horizon=7 days", "population.customers=600")
    documents = []
    for engine in ("kernel", "reference"):
        effort = Effort(2, execution=Execution(engine, 2))
        result = staff(desk, "70% in 1 min", "slow", overrides=small, effort=effort)
        documents.append({**result.to_json_dict(), "engine": ""})
    assert documents[0] == documents[1]


def test_staff__messages_take_agents_and_have_no_level(desk: Path) -> None:
    """Half of the customers write: work for the front desk, or none if answered apart.

    Answered there, messages are part of the load that Erlang A begins with; answered
    apart, half of the calls is all that there is.
    """
    half = (*SHORT, "market.message_share=0.5")
    apart = (*half, "policy_defaults.speed.message_agents=20")
    found = [
        staff(desk, TARGET, "flawless", overrides=overrides, effort=FEW)
        for overrides in (SHORT, half, apart)
    ]
    all_call, together, written_apart = found
    starts = [result.shifts[0].start for result in found]
    assert starts[0] == starts[1] == 8
    fewer = Load(0.5 * LOAD.arrivals, HANDLE, PATIENCE)
    assert starts[2] == needed_agents([fewer], 0.8, 20.0 * SECOND)
    for result in (together, written_apart):
        calls = result.shifts[0].contacts.mean
        every = all_call.shifts[0].contacts.mean
        assert calls is not None
        assert calls == pytest.approx(0.5 * (every or 0.0), rel=0.02)
    agents = [result.found.agents[0] for result in found if result.found]
    assert agents[1] > agents[2] == starts[2]


def test_staff__with_strain_needs_more(desk: Path) -> None:
    """Vacant seats and newcomers: more agents than a desk that never tires."""
    plain = staff(desk, TARGET, overrides=STRAIN[:2], effort=FEW)
    tired = staff(desk, TARGET, overrides=STRAIN, effort=FEW)
    assert plain.found is not None
    assert tired.found is not None
    assert tired.found.agents > plain.found.agents
    shift = tired.shifts[0]
    assert shift.level is not None
    assert shift.fewer_level is not None
    assert (shift.fewer_level.mean or 0.0) < 0.8 <= (shift.level.mean or 0.0)


def test_staff__quitting_faster_than_hiring_is_an_answer(desk: Path) -> None:
    """Everybody quits after a contact and is replaced in years: no number is enough."""
    hopeless = {
        "horizon": "14 days",
        "population.customers": "60",
        "market.ordinary_contacts": "365/year",
        **dict(text.split("=", 1) for text in STRAIN[2:]),
        "strain.hiring": "5 years",
        "strain.turnover": "100000000 %/year",
        "strain.contacts_per_year": "1",
    }
    result = staff(desk, "99% in 0 s", overrides=hopeless, effort=FEW)
    assert result.verdict == "unreachable"
    assert result.failed == (0,)
    assert "no staffing that was tried handles 99 %" in result.sentence()
    assert max(trial.agents[0] for trial in result.trials) == 60


def test_staff__all_contacts_is_an_answer_at_once(desk: Path) -> None:
    """100 % is never sure: only the present staffing is run."""
    result = staff(desk, "100% in 20s", overrides=SHORT, effort=FEW)
    assert result.verdict == "unreachable"
    assert [trial.agents for trial in result.trials] == [(4,)]
    assert "No staffing is sure to handle 100 % of contacts" in result.sentence()
    assert result.found is None
    assert result.setting is None
    assert result.contribution is None
    assert result.money_sentence() == ""


def test_staff__of_a_desk_that_nobody_calls_is_an_answer(desk: Path) -> None:
    """Nobody joins the line: nothing to staff for."""
    silent = (*SHORT, 'market.ordinary_contacts="0/year"')
    for policy in ("flawless", "slow"):
        result = staff(desk, TARGET, policy, overrides=silent, effort=FEW)
        assert result.verdict == "idle"
        assert "nobody joins the line of the front desk in 2 weeks" in result.sentence()
        assert result.shifts[0].present_level.mean is None
        assert len(result.trials) == 1


def test_staff__a_shift_that_nobody_calls_in_keeps_one(desk: Path) -> None:
    """With one agent it stays open; a warning says why."""
    shifts = '["Mon-Fri 08:00-18:00: 6", "Sun 02:00-03:00: 5"]'
    overrides = (
        *SHORT,
        'market.profile=["Mon-Fri 06:00-20:00: 1"]',
        'market.when_closed="give_up"',
        f"policy.slow.speed.agents={shifts}",
    )
    result = staff(desk, TARGET, "slow", overrides=overrides, effort=FEW)
    assert result.found is not None
    assert result.found.agents[1] == 1
    assert result.shifts[1].fewer_level is None
    told = "Sun 02:00-03:00: nobody joins the line then; 1 agent keeps it open"
    assert told in result.warnings


def test_staff__one_is_the_fewest_there_can_be(desk: Path) -> None:
    """An easy target, from a desk without anybody: one agent, and no wages before."""
    overrides = (*SHORT, "policy_defaults.speed.agents=0")
    result = staff(desk, "1% in 5 min", "flawless", overrides=overrides, effort=FEW)
    assert result.found is not None
    assert result.found.agents == (1,)
    assert result.present.agents == (0,)
    assert (result.present.level.mean, result.present.wages) == (0.0, 0.0)
    assert result.shifts[0].fewer_level is None
    assert "with one fewer nobody would be there" in result.sentence()


def test_staff__what_is_there_may_be_right(desk: Path) -> None:
    """Then no other staffing earns more or less, and the sentence says so."""
    overrides = (*SHORT, "policy_defaults.speed.agents=8")
    result = staff(desk, TARGET, "flawless", overrides=overrides, effort=FEW)
    assert result.found is not None
    assert result.found.agents == result.present.agents == (8,)
    assert result.revenue is not None
    assert result.revenue.total[:3] == (0.0, 0.0, 0.0)
    assert result.money_sentence().startswith("It is the present staffing, for wages")


def test_staff__one_replication_has_no_interval(desk: Path) -> None:
    """It says so in the sentence and in a warning."""
    result = staff(
        desk, TARGET, "flawless", overrides=SHORT, effort=FEW._replace(replications=1)
    )
    assert "one replication, so no interval" in result.sentence()
    assert "one replication: there are no intervals" in result.warnings
    assert result.shifts[0].level is not None
    assert result.shifts[0].level.low is None
    assert result.to_arrow()["level_low"].to_pylist() == [None]


def test_staff__unsure_levels_are_told(found: Staffing) -> None:
    """Where the interval holds the target a warning says which shift, and the cure."""
    (shift,) = found.shifts
    assert shift.level is not None
    assert not any("round the clock" in text for text in found.warnings)
    level = shift.level._replace(low=0.79)
    unsure = dataclasses.replace(found, shifts=(shift._replace(level=level),))
    told = "round the clock: that 8 agents are enough is not sure"
    assert any(text.startswith(told) for text in unsure.warnings)


def test_staff__a_line_left_behind_is_told(week: Staffing) -> None:
    """Where one fewer in a shift is missed in the next, a warning names it."""
    assert [shift.missed for shift in week.shifts] == [s.hours for s in week.shifts]
    first = week.shifts[0]._replace(missed="Sat 10:00-14:00")
    spilt = dataclasses.replace(week, shifts=(first, week.shifts[1]))
    told = (
        "Mon-Fri 08:00-18:00: with one agent fewer, Sat 10:00-14:00 misses the target"
    )
    assert told in spilt.warnings
    assert told not in week.warnings


def test_staff__table_has_a_row_for_each_shift(week: Staffing) -> None:
    """What the record holds, by column; the notebook shows the same levels."""
    rows = week.to_arrow().to_pylist()
    assert [row["hours"] for row in rows] == [shift.hours for shift in week.shifts]
    for row, shift in zip(rows, week.shifts, strict=True):
        assert shift.level is not None
        names = ("level", "level_low", "level_high")
        assert tuple(row[name] for name in names) == shift.level[:3]
        assert (row["present"], row["start"]) == (shift.present, shift.start)
        assert (row["agents"], row["replications"]) == (shift.agents, 3)
    html = week._repr_html_()
    assert "Mon-Fri 08:00-18:00" in html
    assert week.sentence() in repr(week)
    with pytest.raises(dataclasses.FrozenInstanceError):
        week.policy = "empowered"  # type: ignore[misc]


def test_staff__stopped_keeps_what_is_finished(desk: Path) -> None:
    """Stopped in the first staffing there is nothing; in the second, the first."""
    stop = threading.Event()

    def after(n: int) -> Execution:
        def progress(done: int, _: int) -> None:
            if done >= n:
                stop.set()

        stop.clear()
        return Execution(threads=1, progress=progress, stop=stop)

    with pytest.raises(InterruptedRun, match="before the present staffing"):
        staff(desk, TARGET, overrides=SHORT, effort=FEW._replace(execution=after(1)))
    effort = FEW._replace(execution=after(4))
    result = staff(desk, TARGET, overrides=SHORT, effort=effort)
    assert result.verdict == "stopped"
    assert result.found is None
    assert len(result.trials) == 1
    assert result.sentence().startswith("Stopped early: 1 staffing of the front desk")


def test_staff__goes_on_without_replications_that_fail(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that fails in the second staffing counts in none, and is told."""
    usual = simulation.simulate
    calls = []

    def failing(scenario: Scenario, policy: object, **given: object) -> object:
        if given.get("replication") == 1:
            calls.append(policy)
            if len(calls) == 2:
                raise ValueError("no luck")
        return usual(scenario, policy, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(workers, "simulate", failing)
    result = staff(desk, TARGET, "flawless", overrides=SHORT, effort=FEW)
    assert (result.n_asked, result.n_finished) == (3, 2)
    assert result.found is not None
    assert {trial.level.n for trial in result.trials} == {2}
    assert "1 of 3 replications failed" in result.sentence()
    assert result.error() is not None


def test_staff__a_log_too_large_is_refused_before_it_is_taken(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each event takes 40 bytes; the error names what is left."""
    asked: list[int] = []

    def refused(need: Need) -> None:
        asked.append(need.total)
        raise ResourceError("too much")

    monkeypatch.setattr(counting, "check_memory", refused)
    with pytest.raises(ResourceError, match="too much"):
        staff(desk, "80% in 1 min", overrides=SHORT, effort=FEW)
    n_events = int(
        simulate(load_scenario(desk, overrides=SHORT), "empowered").books.log_count[0]
    )
    assert 40 * n_events in asked


def test_with_agents__changes_numbers_only(desk: Path) -> None:
    """Hours that nobody works stay so, and all else of the policy is as before."""
    text = (
        '["Mon 08:00-12:00: 3", "Tue 08:00-12:00: 0", "Wed 08:00-09:30: 0.5 per 1000"]'
    )
    scenario = load_scenario(desk, overrides=[f"policy.slow.speed.agents={text}"])
    policy = scenario.policy("slow")
    shifts = shifts_of(policy, N_CALLERS)
    assert shifts.names == ("Mon 08:00-12:00", "Wed 08:00-09:30")
    assert shifts.present == (3, 2)
    assert shifts.worked()[1, 48 + 7 : 48 + 11].tolist() == [0.0, 1.0, 0.5, 0.0]
    staffed = with_agents(policy, (7, 5))
    staffing = [str(shift) for shift in staffed.speed.agents.shifts]  # type: ignore[union-attr]
    assert staffing == [
        "Mon 08:00-12:00: 7",
        "Tue 08:00-12:00: 0",
        "Wed 08:00-09:30: 5",
    ]
    speed = staffed.speed.model_copy(update={"agents": policy.speed.agents})
    assert staffed.model_copy(update={"speed": speed}) == policy


@pytest.mark.parametrize("handle", [HANDLE, None])
def test_start__is_erlang_a_of_the_hours_worked(
    handle: float | None, desk: Path
) -> None:
    """60 calls an hour, half of the second hour off duty, two weeks: a load of 6.

    Where nobody was handled the time of a contact is the scenario's.
    """
    scenario = load_scenario(
        desk, overrides=[*SHORT, 'policy.slow.speed.agents=["Mon 08:00-09:30: 3"]']
    )
    policy = scenario.policy("slow")
    arrivals = np.zeros((1, 168), np.int64)
    arrivals[0, 8:10] = 120, 60
    measured = Measured(N_CALLERS, arrivals, handle)
    target = read_target(TARGET)
    shifts = shifts_of(policy, N_CALLERS)
    hour = Load(24.0 * 60.0, HANDLE, PATIENCE)
    needed = needed_agents([hour], 0.8, 20.0 * SECOND)
    assert start_of(scenario, policy, target, shifts, measured) == (needed,)


@pytest.mark.parametrize(
    ("target", "policy", "effort", "told"),
    [
        ("80 in 20", None, FEW, "target: must be a share"),
        (TARGET, "slwo", FEW, "did you mean 'slow'?"),
        (TARGET, 3, FEW, "must be a list of names"),
        (TARGET, None, FEW._replace(replications=0), "replications: must be from 1"),
        (TARGET, None, FEW._replace(seed=-1), "seed: must be from 0"),
        (TARGET, None, 3, "effort: must be an Effort"),
        (TARGET, None, Effort(2, execution=Execution("fast")), "engine: must be one"),
    ],
)
def test_staff__bad_input_is_refused(
    target: str, policy: str | None, effort: Effort, told: str, desk: Path
) -> None:
    """The rule, the value and the place, before any run."""
    with pytest.raises(InputError) as refused:
        staff(desk, target, policy, effort=effort)
    assert told in str(refused.value)


def test_runs__top_is_an_agent_for_everybody(desk: Path) -> None:
    """No trial may have more agents than there are people."""
    scenario = load_scenario(desk, overrides=["population.customers=77"])
    asked = Asked(scenario, "slow", scenario.policy("slow"), read_target(TARGET))
    assert Runs(asked, FEW).top == 77
