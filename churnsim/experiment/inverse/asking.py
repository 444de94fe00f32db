"""A lever moved through its range, two policies run on the same customers each time."""

from __future__ import annotations

import functools
import json
import threading
from pathlib import Path
from typing import NamedTuple

from churnsim.engines.outcome import Outcome
from churnsim.errors import InterruptedRun
from churnsim.experiment.bound import mistake_shares
from churnsim.experiment.failures import Failure
from churnsim.experiment.intervals import Estimate, estimate
from churnsim.experiment.inverse.crossing import Crossing, Span, first_crossing
from churnsim.experiment.inverse.ends import End, Setting, ends_of
from churnsim.experiment.inverse.lever import (
    Lever,
    key_of,
    lever_of,
    not_a_number,
    number_of,
    setting_of,
)
from churnsim.experiment.inverse.record import Breakeven, Point, Worth
from churnsim.experiment.losses import MEASURES
from churnsim.experiment.preparing import file_of, prepared, warnings_of
from churnsim.experiment.replications import (
    THREADS,
    Execution,
    checked_execution,
    checked_seed,
    run_job,
)
from churnsim.experiment.workers import Job, Keep
from churnsim.firm import Firm
from churnsim.given import chosen, of_kind, refused, whole_number
from churnsim.records import MICRO, Population
from churnsim.scenario import Scenario, load_scenario
from churnsim.scenario.assemble import Overrides, pairs_of
from churnsim.scenario.assumptions import assumptions_of
from churnsim.scenario.files import close_to
from churnsim.units import year_days

GRID_MAX = 1000
SEARCHED = 15  # runs of both policies that a search takes beyond its grid, as a rule


class Search(NamedTuple):
    """How a breakeven is searched."""

    measure: str = "revenue"  # one of MEASURES
    replications: int | None = None  # the scenario's where absent
    seed: int | None = None  # the scenario's where absent
    execution: Execution = THREADS  # engine, threads, progress, a way to stop
    n_grid: int = 5  # values tried first, both ends among them
    tolerance: float = 0.001  # of what is found, as a share of the range
    low: End = None  # with its unit as in a file; a share's is 0 where absent
    high: End = None  # a share's is 1 where absent


USUAL = Search()  # revenue, five values, a thousandth of the range


class Kept(NamedTuple):
    """What is kept of a run."""

    amount: int  # of the measure [micro-units]
    n_customers: int  # at the start


class Asked(NamedTuple):
    """A question with all that was left open filled in."""

    scenario: Scenario  # as it is without the lever
    origin: Scenario | str | Path  # what settings are laid over
    settings: dict[str, str]  # that lie over the file's, the same at every value
    policy: str
    against: str
    lever: Lever
    low: float
    high: float


def breakeven(
    scenario: Scenario | str | Path,
    lever: str,
    policy: str,
    against: str | None = None,
    *,
    overrides: Overrides = (),
    search: Search = USUAL,
) -> Breakeven:
    """Return at which value of a setting a policy starts or stops losing.

    Both policies are run at every value tried on the same customers, so the gap between
    them is a function of the value alone. The first change of its sign is searched, and
    the values at which it cannot be told from zero are the root's interval.

    Args:
        scenario: A ready one's name, a file, or what `load_scenario` returned.
        lever: A setting such as "market.discovery", or one of the policy's such as
            "authority.limit"; spelled as in `overrides`.
        policy: That may lose.
        against: That it is compared with; the scenario's baseline where absent.
        overrides: Settings that lie over the file's.
        search: The range, what is measured, how often, how closely, seed, execution.

    Raises:
        InputError: Settings that there cannot be, or that contradict observed churn.
        ResourceError: More memory would be needed than there is.
        InterruptedRun: Stopped before both policies were run at any value.

    Source:
        Fieller 1954; Brent 1973 (see `crossing.py`).
    """
    _check(search)
    asked = _asked(scenario, (lever, policy, against), overrides, search)
    loaded = asked.scenario
    shares = mistake_shares(loaded)
    names = (asked.policy, asked.against)
    assumptions = assumptions_of(loaded, file_of(scenario), names)
    span = Span(
        asked.low, asked.high, search.n_grid, search.tolerance, asked.lever.is_whole
    )
    runs = _Runs(asked, search)
    crossing, is_stopped = _searched(runs, span)
    n = len(runs.numbers)
    return Breakeven(
        scenario=loaded,
        policy=asked.policy,
        against=asked.against,
        measure=search.measure,
        lever=asked.lever,
        span=span,
        seed=runs.seed,
        engine=search.execution.engine,
        points=tuple(runs.point(value) for value in sorted(runs.lost)),
        crossing=crossing,
        worth=runs.worth(span.low, span.high),
        is_idle=runs.is_idle(),
        n_customers=runs.n_customers,
        n_asked=n + len(runs.failures),
        n_finished=n,
        failures=tuple(runs.failures.values()),
        is_stopped=is_stopped,
        assumptions=tuple(a for a in assumptions if a.key != asked.lever.key),
        warnings=tuple(warnings_of(loaded, shares, names, n)),
    )


def keeping(measure: str, people: Population) -> Keep[Kept]:
    """Return what keeps a replication's runs: one amount each."""
    n_customers = people.n_customers

    def keep(_: str, outcome: Outcome) -> Kept:
        return Kept(getattr(outcome.totals, measure), n_customers)

    return keep


def kept_of_firm(measure: str, _policy: str, _replication: int, firm: Firm) -> Kept:
    """Return what is kept of all sites of a firm: one amount."""
    return Kept(getattr(firm.sums.totals, measure), firm.sums.n_customers)


class _Stopped(Exception):  # noqa: N818 - no error: what was tried is kept
    """The user stopped the search."""


class _Fewer(Exception):  # noqa: N818 - no error: the search goes on without them
    """Replications failed at a value, and no longer count at any."""


class _Runs:
    """What both policies brought, by value and replication; each is run once."""

    def __init__(self, asked: Asked, search: Search) -> None:
        self.asked = asked
        self.search = search
        self.seed = checked_seed(asked.scenario, search.seed)
        n = search.replications
        n = asked.scenario.replications if n is None else n
        self.numbers = tuple(range(whole_number("replications", n, 1, 1_000_000)))
        self.failures: dict[int, Failure] = {}
        self.lost: dict[float, dict[int, int]] = {}  # [micro-units]
        self.n_customers = 0
        self.years: dict[float, float] = {}  # 1,000 customer-years of a run
        self._others: dict[int, Kept] = {}  # of the other policy, by replication
        self._of_others: Scenario | None = None  # where those were run
        self._stop = search.execution.stop or threading.Event()

    def gap(self, value: float) -> Estimate:
        """Return what the policy loses per run at a value [units of currency]."""
        if value not in self.lost:
            self._run(value)
        return estimate([self.lost[value][n] / MICRO for n in self.numbers])

    def point(self, value: float) -> Point:
        """Return a value that was tried, with what is lost there."""
        years = self.years[value]
        total = self.gap(value)
        yearly = _by_year(total, years)
        text = self.asked.lever.text(value)
        return Point(value, text, self.asked.lever.setting(value), total, yearly)

    def worth(self, low: float, high: float) -> Worth | None:
        """Return what is lost less at `high` than at `low`, paired; None: not known."""
        if not (low in self.lost and high in self.lost):
            return None
        lost = [[self.lost[at][n] / MICRO for n in self.numbers] for at in (low, high)]
        pairs = list(zip(*lost, strict=True))
        total = estimate([a - b for a, b in pairs])
        a_years, b_years = self.years[low], self.years[high]
        if a_years == b_years:
            return Worth(total, _by_year(total, a_years))
        if not (a_years and b_years):
            return Worth(total, estimate([]))
        return Worth(total, estimate([a / a_years - b / b_years for a, b in pairs]))

    def is_idle(self) -> bool:
        """Return whether every value gave the same in every replication."""
        rows = [[lost[n] for n in self.numbers] for lost in self.lost.values()]
        return all(row == rows[0] for row in rows)

    def _run(self, value: float) -> None:
        """Run at a value whatever of both policies is not known yet.

        Raises:
            _Stopped: The user stopped it.
            _Fewer: Some replications failed.
        """
        asked = self.asked
        setting = {asked.lever.key: asked.lever.setting(value)}
        scenario = load_scenario(asked.origin, overrides={**asked.settings, **setting})
        is_same = self._of_others is not None and _is_same_for(
            asked.against, self._of_others, scenario
        )
        names = [asked.policy] if is_same else [asked.policy, asked.against]
        policies = {name: scenario.policy(name) for name in names}
        how = self.search.execution
        how = how._replace(stop=self._stop, progress=self._progress)
        keep = functools.partial(keeping, self.search.measure)
        of_firm = functools.partial(kept_of_firm, self.search.measure)
        job = Job(scenario, policies, self.seed, how.engine, keep, of_firm=of_firm)
        try:
            batch = run_job(job, self.numbers, how)
        except InterruptedRun:
            raise _Stopped from None
        if batch.is_stopped:
            raise _Stopped
        if not is_same:
            # The last row is the first one where a policy is held against itself.
            self._others = {n: rows[-1] for n, rows in batch.rows.items()}
            self._of_others = scenario
        self.lost[value] = {
            n: self._others[n].amount - rows[0].amount for n, rows in batch.rows.items()
        }
        self.n_customers = next(iter(batch.rows.values()))[0].n_customers
        self.years[value] = self.n_customers * scenario.horizon / year_days() / 1000.0
        if batch.failures:
            self.failures.update({f.replication: f for f in batch.failures})
            self.numbers = tuple(n for n in self.numbers if n not in self.failures)
            raise _Fewer

    def _progress(self, done: int, _: int) -> None:
        """Tell how many replications are done, of as many as a search usually takes."""
        if self.search.execution.progress is not None:
            n, n_known = len(self.numbers), len(self.lost)
            n_values = max(self.search.n_grid + SEARCHED, n_known + 1)
            self.search.execution.progress(n_known * n + done, n_values * n)


def _by_year(total: Estimate, years: float) -> Estimate:
    """Return what is lost per run as that a year and 1,000 starting customers."""
    return total.scaled(1.0 / years) if years else Estimate(None, None, None, 0)


def _searched(runs: _Runs, span: Span) -> tuple[Crossing | None, bool]:
    """Return where the gap changes its sign first, and whether it was stopped.

    Raises:
        InterruptedRun: Stopped before both policies were run at any value.
    """
    while True:
        try:
            return first_crossing(runs.gap, span), False
        except _Fewer:
            continue
        except _Stopped:
            if not runs.lost:
                rule = "stopped before the first value was finished"
                raise InterruptedRun(rule) from None
            return None, True


def _asked(
    scenario: Scenario | str | Path,
    question: tuple[str, str, str | None],
    overrides: Overrides,
    search: Search,
) -> Asked:
    """Return what is asked, with what was left open filled in.

    Raises:
        InputError: A setting, a policy or a range that there cannot be.
    """
    field, policy, against = question
    of_kind("lever", field, str, 'a text, such as "market.discovery"')
    named = [name for name in (policy, against) if name is not None]
    loaded = prepared(scenario, named, overrides)
    against = loaded.baseline if against is None else against
    key = key_of(field, policy)
    settings = {
        **dict(pairs_of(overrides)),
        "seed": str(checked_seed(loaded, search.seed)),
        "baseline": json.dumps(loaded.baseline),
        "policies": json.dumps(loaded.policy_names),
    }
    here = setting_of(loaded.spec, key)
    if here is not None and here.value is not None and number_of(here.value) is None:
        raise not_a_number(field)
    setting = Setting(scenario, settings, field, key)
    known = ends_of(setting, here, (search.low, search.high))
    lever, low, high = lever_of(field, key, known, loaded.currency)
    return Asked(loaded, scenario, settings, policy, against, lever, low, high)


def _is_same_for(policy: str, a: Scenario, b: Scenario) -> bool:
    """Return whether two scenarios are the same for one policy."""
    kept = [
        s.spec.model_copy(update={"policy": {policy: s.policy(policy)}}) for s in (a, b)
    ]
    return kept[0] == kept[1]


def _check(search: Search) -> None:
    """Refuse what there cannot be.

    Raises:
        InputError: A measure that is not known, or a number out of its bounds.
    """
    of_kind("search", search, Search, 'a Search, such as Search("contribution")')
    checked_execution(search.execution)
    hint = close_to(search.measure, MEASURES)
    chosen("measure", search.measure, MEASURES, hint)
    whole_number("n_grid", search.n_grid, 2, GRID_MAX)
    tolerance: object = search.tolerance
    if not isinstance(tolerance, int | float) or not 0.0 < tolerance < 1.0:
        rule = "must be above 0 and below 1: a share of the range"
        raise refused("tolerance", tolerance, rule)
