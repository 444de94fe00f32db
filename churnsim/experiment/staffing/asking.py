"""The front desk staffed for a service level: Erlang A for a start, then the engine."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from churnsim.errors import InterruptedRun
from churnsim.experiment.bound import mistake_shares
from churnsim.experiment.preparing import file_of, prepared, warnings_of
from churnsim.experiment.replications import checked_execution
from churnsim.experiment.staffing.record import ShiftStaffing, Staffing
from churnsim.experiment.staffing.runs import Asked, Effort, Fewer, Runs, Stopped
from churnsim.experiment.staffing.searching import Agents, Sought, fewest, one_fewer
from churnsim.experiment.staffing.starting import start_of
from churnsim.experiment.staffing.target import read_target
from churnsim.given import of_kind
from churnsim.scenario import Scenario
from churnsim.scenario.assemble import Overrides
from churnsim.scenario.assumptions import assumptions_of
from churnsim.simulation import require_one_site

USUAL = Effort()  # as often as the scenario says, a thread for each core


class Found(NamedTuple):
    """What a search came to."""

    sought: Sought | None  # None: there was nothing to search, or it was stopped
    start: Agents | None  # by Erlang A
    is_stopped: bool


def staff(
    scenario: Scenario | str | Path,
    target: str,
    policy: str | None = None,
    *,
    overrides: Overrides = (),
    effort: Effort = USUAL,
) -> Staffing:
    """Return the fewest agents by shift that handle enough contacts in time.

    Every staffing that is tried meets the same customers and the same luck. The
    service level is the dashboard's: of those who joined the line in a shift, the share
    that was handled within the time. A shift meets the target where the mean of its
    level over the replications does; with one agent fewer in any shift, some shift
    does not.

    Args:
        scenario: A ready one's name, a file, or what `load_scenario` returned.
        target: Such as "80% in 20s".
        policy: Whose front desk is staffed; the scenario's baseline where absent.
        overrides: Settings that lie over the file's.
        effort: How often, seed, execution.

    Raises:
        InputError: A target, settings or a policy that there cannot be.
        ResourceError: More memory would be needed than there is.
        InterruptedRun: Stopped before the present staffing was run.
    """
    of_kind("effort", effort, Effort, "an Effort, such as Effort(replications=20)")
    checked_execution(effort.execution)
    wanted = read_target(target)
    loaded = prepared(scenario, None if policy is None else [policy], overrides)
    require_one_site(loaded, "staffing", "sites are staffed alike: ask with sites = 1")
    name = loaded.baseline if policy is None else policy
    runs = Runs(Asked(loaded, name, loaded.policy(name), wanted), effort)
    shares = mistake_shares(loaded)
    assumptions = assumptions_of(loaded, file_of(scenario), [name])
    sought, start, is_stopped = _searched(runs)
    agents = None if sought is None else sought.agents
    n = len(runs.numbers)
    return Staffing(
        scenario=loaded,
        policy=name,
        target=wanted,
        seed=runs.seed,
        engine=effort.execution.engine,
        shifts=tuple(
            _shift(runs, i, agents, start) for i in range(len(runs.shifts.names))
        ),
        present=runs.trial(runs.shifts.present),
        found=None if agents is None else runs.trial(agents),
        trials=tuple(runs.trial(tried) for tried in runs.rows),
        failed=() if sought is None else tuple(sorted(sought.failed)),
        revenue=None if agents is None else runs.gain("revenue", agents),
        contribution=None if agents is None else runs.gain("contribution", agents),
        is_idle=runs.is_idle(),
        n_customers=runs.n_customers,
        n_asked=n + len(runs.failures),
        n_finished=n,
        failures=tuple(runs.failures.values()),
        is_stopped=is_stopped,
        assumptions=tuple(assumptions),
        standing=tuple(warnings_of(loaded, shares, [name], n)),
    )


def _searched(runs: Runs) -> Found:
    """Return the fewest agents, and whether the search was stopped.

    Raises:
        InterruptedRun: Stopped before the present staffing was run.
    """
    asked = runs.asked
    start = None
    while True:
        try:
            runs.try_out(runs.shifts.present)
            if runs.is_idle() or asked.target.share == 1.0:
                return Found(None, None, False)
            if start is None:
                given = (asked.scenario, asked.policy, asked.target, runs.shifts)
                start = start_of(*given, runs.measured())
            first = tuple(min(n, runs.top) for n in start)
            return Found(fewest(runs.meets, first, runs.top), start, False)
        except Fewer:
            continue
        except Stopped:
            if runs.shifts.present not in runs.rows:
                rule = "stopped before the present staffing was run"
                raise InterruptedRun(rule) from None
            return Found(None, start, True)


def _shift(
    runs: Runs, shift: int, agents: Agents | None, start: Agents | None
) -> ShiftStaffing:
    """Return what was found of a shift."""
    present = runs.shifts.present
    fewer = missed = None
    if agents is not None and agents[shift] > 1:
        less = one_fewer(agents, shift)
        fewer, is_met = runs.level(less, shift), runs.meets(less)
        missed = runs.shifts.names[shift if not is_met[shift] else is_met.index(False)]
    return ShiftStaffing(
        hours=runs.shifts.names[shift],
        contacts=runs.contacts(present if agents is None else agents, shift),
        present=present[shift],
        present_level=runs.level(present, shift),
        start=None if start is None else start[shift],
        agents=None if agents is None else agents[shift],
        level=None if agents is None else runs.level(agents, shift),
        fewer_level=fewer,
        missed=missed,
    )
