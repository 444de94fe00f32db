"""Breakevens: the search on gaps known by hand, and by simulation."""

import html
import threading
from pathlib import Path

import pytest

from churnsim import simulation
from churnsim.errors import InputError, InterruptedRun
from churnsim.experiment import (
    Breakeven,
    Execution,
    Search,
    breakeven,
    compare,
    replications,
    workers,
)
from churnsim.experiment.bound import mistake_shares
from churnsim.experiment.intervals import estimate
from churnsim.experiment.inverse import asking
from churnsim.experiment.inverse.crossing import Span
from churnsim.experiment.inverse.ends import Setting, ends_of
from churnsim.experiment.inverse.lever import key_of, lever_of, setting_of
from churnsim.experiment.workers import Job
from churnsim.records import MICRO
from churnsim.scenario import load_scenario
from tests.experiment.conftest import SHOP

UNIT = Span(0.0, 1.0, 5, 0.001)
N_EXPERIMENTS = 400
# Where lies are believed they beat excuses; once found out they do not.
LIARS = (
    SHOP.replace('"=1+1"]', '"=1+1", "excuser", "liar"]', 1).replace(
        "lock_in = 0.5",
        "lock_in = 0.5\nplacated = 2.0\nlie_sting = 3.0\n"
        "excuse_believed = 0.0\nexcuse_sting = 1.5",
    )
    + """
[policy.excuser]
extends = "slow"
authority.limit = "$0"
honesty = { truth = 0, excuse = 1, lie = 0, fob_off = 0 }

[policy.liar]
extends = "slow"
authority.limit = "$0"
honesty = { truth = 0, excuse = 0, lie = 1, fob_off = 0 }
"""
)


@pytest.fixture(scope="module")
def liars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a shop that lies, or makes excuses."""
    path = tmp_path_factory.mktemp("liars") / "liars.toml"
    path.write_text(LIARS, encoding="utf-8")
    return path


def asked(path: Path, lever: str = "market.discovery", **how: object) -> Breakeven:
    """Return where lying starts to lose against excuses, on two threads."""
    search = Search(execution=Execution(threads=2))._replace(**how)  # type: ignore[arg-type]
    return breakeven(path, lever, "liar", "excuser", search=search)


@pytest.fixture(scope="module")
def found(liars: Path) -> Breakeven:
    """Return from which probability of discovery on lying loses."""
    return asked(liars, replications=6)


@pytest.mark.compiled
def test_breakeven__lies_lose_from_some_discovery_on(found: Breakeven) -> None:
    """Believed lies win, lies found out lose, and at the root nobody can tell."""
    assert found.verdict == "starts"
    assert found.crossing is not None
    value, low, high = found.crossing[:3]
    assert low is not None
    assert high is not None
    assert 0.0 < low < value < high < 1.0
    by_value = {point.value: point.total for point in found.points}
    assert by_value[value].covers_zero
    first, last = found.points[0].total, found.points[-1].total
    assert first.high is not None
    assert last.low is not None
    assert first.high < 0.0 < last.low
    assert "starts losing revenue" in found.sentence()
    assert "market.discovery (probability that a lie is found out)" in found.sentence()
    assert "\n" not in repr(found)


@pytest.mark.compiled
def test_breakeven__the_gap_is_that_of_a_comparison(
    found: Breakeven, liars: Path
) -> None:
    """At a value of the grid the loss is what `compare` finds with that setting."""
    usual = compare(
        liars,
        policies=["liar", "excuser"],
        replications=6,
        overrides=["market.discovery=0.75", 'baseline="excuser"'],
    )
    (point,) = (point for point in found.points if point.value == 0.75)
    loss = usual.loss("liar")
    assert point.total == loss.total
    for ours, theirs in zip(point.yearly, loss.yearly, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-12)


@pytest.mark.compiled
def test_breakeven__one_agent_more_is_worth_what_two_comparisons_differ_in(
    liars: Path,
) -> None:
    """From none to one, replication by replication, wages paid, interval and all."""
    how = {"measure": "contribution", "replications": 4, "low": 0, "high": 1}
    found = asked(liars, "speed.agents", **how)
    earned = []
    for agents in (0, 1):
        setting = f"policy.liar.speed.agents={agents}"
        usual = compare(liars, policies=["liar"], replications=4, overrides=[setting])
        runs = [run for run in usual.runs if run.policy == "liar"]
        earned.append([run.totals.contribution / MICRO for run in runs])
    more = [b - a for a, b in zip(*earned, strict=True)]
    assert found.worth is not None
    for ours, theirs in zip(found.worth.total, estimate(more), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-9)
    assert len(set(more)) > 1
    told = found.worth_sentence()
    verb = "brings" if sum(more) > 0.0 else "costs"
    raising = f'Raising speed.agents from 0 to 1 {verb} the policy "liar" $'
    assert told.startswith(raising)
    assert "of contribution a year per 1,000 customers against" in told
    assert told in html.unescape(found._repr_html_())


@pytest.mark.compiled
def test_breakeven__threads_change_nothing(found: Breakeven, liars: Path) -> None:
    """One thread and two give the same document."""
    again = asked(liars, replications=6, execution=Execution(threads=1))
    assert again.to_json_dict() == found.to_json_dict()


@pytest.mark.compiled
def test_breakeven__tables_hold_the_points(found: Breakeven) -> None:
    """A row for each value; what is shown in notebooks is escaped."""
    table = found.to_arrow()
    assert table.column("value").to_pylist() == [p.value for p in found.points]
    assert table.column("total").to_pylist() == [p.total.mean for p in found.points]
    assert found._repr_html_().count("<tr>") == len(found.points) + 1
    assert "&quot;liar&quot;" in found._repr_html_()


@pytest.mark.compiled
def test_breakeven__never_within_the_range(liars: Path) -> None:
    """Where lies are rarely found out, lying never loses: both ends are told."""
    never = asked(liars, replications=6, high=0.2)
    assert (never.verdict, never.value) == ("never", None)
    assert len(never.points) == 5
    assert "never loses" in never.sentence()
    assert " at any value tried of market.discovery " in never.sentence()
    assert "a gain of" in never.sentence()
    assert "at 0 %" in never.sentence()
    assert "at 20 %" in never.sentence()


@pytest.mark.compiled
def test_breakeven__always_within_the_range(liars: Path) -> None:
    """Where lies are mostly found out, lying always loses; where unsure, it says so."""
    always = asked(liars, replications=6, low=0.45)
    assert (always.verdict, always.value) == ("always", None)
    assert "a loss of" in always.sentence()
    assert "cannot be told from zero at 45 %." in always.sentence()


@pytest.mark.compiled
def test_breakeven__a_lever_that_never_acts_is_told(liars: Path) -> None:
    """What follow-up calls cost changes no revenue, whatever they cost."""
    idle = asked(liars, "costs.follow_up", replications=2, low="$0", high="$9")
    assert (idle.verdict, idle.value) == ("idle", None)
    assert "does not depend on costs.follow_up" in idle.sentence()
    assert "at every value tried" in idle.sentence()
    # No case of this one is beyond its agents, so nothing is ever approved.
    search = Search(replications=2, low="0 s", high="9 days")
    none = breakeven(liars, "speed.approval.mean", "patient", search=search)
    assert none.verdict == "idle"
    assert "they earn exactly the same" in none.sentence()
    assert len({point.total for point in idle.points}) == 1


@pytest.mark.compiled
def test_breakeven__whole_numbers_are_searched_as_such(liars: Path) -> None:
    """Agents cost wages: from some number on the policy loses contribution."""
    found = asked(
        liars, "speed.agents", replications=3, measure="contribution", low=1, high=9
    )
    assert found.verdict == "starts"
    assert found.value is not None
    assert all(point.value == int(point.value) for point in found.points)
    means = {point.value: point.total.mean or 0.0 for point in found.points}
    assert means[found.value] > 0.0 >= means[found.value - 1.0]
    assert "on (rough, 3 replications" in found.sentence()


@pytest.mark.compiled
def test_breakeven__one_replication_has_no_interval(liars: Path) -> None:
    """A root, no interval, and a word on why."""
    found = asked(liars, replications=1)
    assert found.crossing is not None
    assert found.crossing[1:3] == (None, None)
    assert "one replication, so no interval" in found.sentence()


@pytest.mark.compiled
def test_breakeven__a_policy_that_the_lever_leaves_alone_runs_once(
    liars: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other policy is run at the first value only, if the lever is the policy's."""
    ran: list[int] = []
    true_run = replications.run_job

    def counted(job: Job, *rest: object) -> object:  # type: ignore[type-arg]
        ran.append(len(job.policies))
        return true_run(job, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(asking, "run_job", counted)
    asked(liars, "authority.leakage", replications=1, low=0, high=1)
    assert ran[0] == 2
    assert set(ran[1:]) == {1}
    ran.clear()
    asked(liars, replications=1, high=0.01)
    assert set(ran) == {2}


@pytest.mark.compiled
def test_breakeven__failed_replications_count_nowhere(
    liars: Path, found: Breakeven, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replication that fails at one value is left out at all; the error says so."""
    true = simulation.simulate

    def failing(scenario: object, *rest: object, **how: object) -> object:
        at = scenario.spec.market.discovery  # type: ignore[attr-defined]
        if how.get("replication") == 5 and at == 1.0:
            raise ValueError("boom")
        return true(scenario, *rest, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(workers, "simulate", failing)
    partial = asked(liars, replications=6)
    assert [failure.replication for failure in partial.failures] == [5]
    assert {point.total.n for point in partial.points} == {5}
    assert (partial.n_finished, partial.n_asked) == (5, found.n_asked)
    assert partial.error() is not None
    monkeypatch.undo()
    whole = asked(liars, replications=5)
    assert partial.crossing == whole.crossing


@pytest.mark.compiled
def test_breakeven__stopped_keeps_the_values_that_are_finished(liars: Path) -> None:
    """Stopped in the third value, two are kept; stopped in the first, none."""
    for n_done, n_kept in ((5, 2), (1, 0)):
        stop = threading.Event()

        def report(
            done: int, _: int, n_done: int = n_done, stop: threading.Event = stop
        ) -> None:
            if done >= n_done:
                stop.set()

        how = Execution(threads=1, progress=report, stop=stop)
        if not n_kept:
            with pytest.raises(InterruptedRun):
                asked(liars, replications=2, execution=how)
            continue
        partial = asked(liars, replications=2, execution=how)
        assert (partial.verdict, len(partial.points)) == ("stopped", n_kept)
        assert "2 values" in partial.sentence()


@pytest.mark.parametrize(
    ("lever", "how", "told"),
    [
        ("market.discvery", {}, "did you mean 'discovery'?"),
        ("authorty.limit", {}, "did you mean 'authority'?"),
        ("authority.limt", {}, "did you mean 'limit'?"),
        ("authority.limit", {}, "must be given with their units"),
        ("authority.limit", {"low": 0, "high": 5}, "must be an amount in quotes"),
        ("authority.limit", {"low": "$0", "high": "inf"}, "must be finite"),
        ("market.discovery", {"low": 0.5, "high": 0.5}, "must be below high, 50 %"),
        ("market.discovery", {"high": 2}, "must be in [0, 1]; got 2"),
        ("speed.agents", {"low": 0, "high": 2.5}, "must be a whole number"),
        (
            "speed.agents",
            {"low": 0, "high": "2 per 1000"},
            "must both be whole or plain",
        ),
        ("accountability.apology", {}, "must be one number"),
        ("market.rate", {}, "must be one number"),
        ("market.discovery", {"measure": "profit"}, "must be one of revenue"),
        ("market.discovery", {"tolerance": 0.0}, "must be above 0"),
        ("market.discovery", {"n_grid": 1}, "must be from 2"),
        ("market.discovery", {"replications": 0}, "must be from 1"),
    ],
)
def test_breakeven__refuses_what_cannot_be(
    lever: str, how: dict[str, object], told: str, liars: Path
) -> None:
    """A field, a range or a number that cannot be is refused before any run."""
    with pytest.raises(InputError) as refused:
        asked(liars, lever, **how)
    assert told in str(refused.value)


def test_ends__a_share_goes_as_far_as_the_scenario_lets_it() -> None:
    """Of one kind of mistake, up to the last thousandth that is not refused."""
    field = "mistakes.billing.probability"
    telecom = load_scenario("telecom")
    here = setting_of(telecom.spec, field)
    setting = Setting("telecom", {}, field, field)
    low, high = (float(end.value) for end in ends_of(setting, here, (None, None)))
    assert low == 0.0
    assert here is not None
    assert here.value < high < 1.0
    for value in (low, 0.5 * (low + high), high):
        mistake_shares(load_scenario("telecom", overrides={field: str(value)}))
    further = load_scenario("telecom", overrides={field: str(high + 0.001)})
    with pytest.raises(InputError):
        mistake_shares(further)


@pytest.mark.parametrize(
    ("key", "low", "high", "middle"),
    [
        ("market.discovery", 0, 1, "50 %"),
        ("policy.liar.authority.limit", '"$0"', '"$25"', "$12.50"),
        ("policy.liar.speed.approval", '"1 h"', '"3 h"', "2 h"),
        ("policy.liar.speed.approval.mean", '"1 h"', '"3 h"', "2 h"),
        ("policy.liar.speed.agents", 1, 3, "2"),
        ("policy.liar.speed.agents", '"1 per 1000"', '"3 per 1000"', "2 per 1000"),
        ("mistakes.late.probability", 0.1, 0.3, "20 %"),
        ("mistakes.late.sting.mean", 1, 2, "1.5"),
        ("costs.agent_pay", '"$365.25/year"', '"$1095.75/year"', "$730.50/year"),
        ("costs.discount", '"5 %/year"', '"15 %/year"', "10 %/year"),
        ("population.prospects", '"10/year"', '"30/year"', "20/year"),
        (
            "population.prospects",
            '"10/year per 1000"',
            '"30/year per 1_000"',
            "20/year per 1000",
        ),
        ("market.max_attempts", 2, 4, "3"),
        ("strain.hiring_cost", '"$1,000"', '"$3,000"', "$2,000"),
        ("strain.hiring", '"2 days"', '"4 days"', "3 days"),
        ("policy.liar.speed.message_agents", 1, 3, "2"),
        ("policy.liar.speed.message_handle", '"4 min"', '"8 min"', "6 min"),
        ("market.open_spend", 0.25, 0.75, "50 %"),
    ],
)
def test_lever__reads_back_what_it_sets(
    key: str, low: object, high: object, middle: str, liars: Path
) -> None:
    """Half way between two texts is told with its unit, and set as itself."""
    assert key_of(key, "liar") == key
    ends = []
    for text in (low, high):
        end = setting_of(load_scenario(liars, overrides={key: str(text)}).spec, key)
        assert end is not None
        ends.append(end)
    lever, *numbers = lever_of(key, key, ends, "$")
    half = sum(numbers) / 2.0
    assert lever.text(half) == middle
    again = load_scenario(liars, overrides={key: lever.setting(half)})
    here = setting_of(again.spec, key)
    assert here is not None
    assert lever_of(key, key, (ends[0], here), "$")[2] == pytest.approx(half, rel=1e-15)


@pytest.mark.compiled
def test_breakeven__takes_a_loaded_scenario(liars: Path) -> None:
    """A loaded scenario with a setting over it gives what its file gives."""
    setting = ["market.lie_sting=2.5"]
    search = Search(replications=3, high=0.2, execution=Execution(threads=2))
    of_file, of_loaded = (
        breakeven(
            source,
            "market.discovery",
            "liar",
            "excuser",
            overrides=setting,
            search=search,
        )
        for source in (liars, load_scenario(liars))
    )
    assert of_loaded.points == of_file.points
    assert of_loaded.to_json_dict()["scenario_digest"] == of_file.scenario.digest
