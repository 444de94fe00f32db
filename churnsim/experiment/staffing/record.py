"""A staffing: the fewest agents by shift, how sure that is, and what it brings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from churnsim.errors import PartialError
from churnsim.experiment.failures import Failure, partial_error
from churnsim.experiment.intervals import ROUGH_BELOW, Estimate
from churnsim.experiment.inverse.lever import key_of
from churnsim.experiment.notebook import (
    NO_DATA,
    Grid,
    dataframe,
    estimate_text,
    notebook_html,
    one_line,
)
from churnsim.experiment.plain import plain
from churnsim.experiment.sentences import Extent
from churnsim.experiment.staffing.shifts import with_agents
from churnsim.experiment.staffing.target import Target
from churnsim.experiment.staffing.wording import (
    money_sentence,
    sentence_of,
    shift_warnings,
)
from churnsim.scenario import Scenario
from churnsim.scenario.assumptions import Assumption
from churnsim.scenario.shifts import write_staffing
from churnsim.units import year_days

if TYPE_CHECKING:
    import pyarrow as pa

LEVER = "speed.agents"
Verdict = Literal["found", "unreachable", "idle", "stopped"]


class ShiftStaffing(NamedTuple):
    """What a shift needs; levels are shares of those who join the line in it."""

    hours: str  # as they would be written, or "round the clock"
    contacts: Estimate  # that join the line in it in a week
    present: int  # agents now
    present_level: Estimate  # service level now
    start: int | None  # agents by Erlang A; null: it was not asked
    agents: int | None  # the fewest; null: none were found
    level: Estimate | None  # service level with them
    fewer_level: Estimate | None  # with one agent fewer; null: nobody would be there
    missed: str | None  # the shift that then misses the target; null: nobody is there


class Trial(NamedTuple):
    """A staffing that was run."""

    agents: tuple[int, ...]  # by shift
    levels: tuple[Estimate, ...]  # service level by shift
    level: Estimate  # of all who join the line, at closed doors too
    wages: float  # of the front desk's seats a year [units of currency]


class Gain(NamedTuple):
    """What the staffing found earns more than the present one, paired; or less."""

    total: Estimate  # per run [units of currency]
    yearly: Estimate  # a year, the whole firm [units of currency]


@dataclass(frozen=True, eq=False)
class Staffing:
    """The fewest agents of the front desk, by shift, that meet a service level."""

    scenario: Scenario
    policy: str
    target: Target
    seed: int
    engine: str
    shifts: tuple[ShiftStaffing, ...]  # one where the desk is staffed round the clock
    present: Trial
    found: Trial | None  # None: there is none, or it is not known
    trials: tuple[Trial, ...]  # all that were run, in that order
    failed: tuple[int, ...]  # shifts that miss the target with as many as there are
    revenue: Gain | None
    contribution: Gain | None
    is_idle: bool  # whether nobody joined the line
    n_customers: int
    n_asked: int
    n_finished: int
    failures: tuple[Failure, ...]
    is_stopped: bool
    assumptions: tuple[Assumption, ...]
    standing: tuple[str, ...]  # warnings that do not speak of shifts

    @property
    def verdict(self) -> Verdict:
        """Return how it came out.

        "found"; "unreachable", where no staffing that can be meets the target; "idle",
        where nobody joins the line; "stopped" too early to tell.
        """
        if self.is_stopped:
            return "stopped"
        if self.is_idle:
            return "idle"
        return "unreachable" if self.found is None else "found"

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what to keep in mind."""
        return (*self.standing, *shift_warnings(self))

    @property
    def setting(self) -> str | None:
        """Return the staffing found as `--set` takes it; None where there is none."""
        if self.found is None:
            return None
        policy = with_agents(self.scenario.policy(self.policy), self.found.agents)
        staffing = write_staffing(policy.speed.agents, self.scenario.currency)
        return f"{key_of(LEVER, self.policy)}={json.dumps(staffing)}"

    @property
    def extent(self) -> Extent:
        """Return how much of what was asked for stands behind it; amounts are a year's.

        Wages are the whole firm's, and so is what stands beside them.
        """
        return Extent(
            self.n_asked,
            self.n_finished,
            len(self.failures),
            self.scenario.currency,
            self.scenario.horizon / year_days(),
        )

    def error(self) -> PartialError | None:
        """Return the error about failed replications, if there were any."""
        return partial_error(self.failures, self.n_asked)

    def sentence(self) -> str:
        """Return the answer in a sentence or two."""
        return sentence_of(self)

    def money_sentence(self) -> str:
        """Return what the staffing found costs and brings; "" where none was found."""
        return money_sentence(self)

    def to_arrow(self) -> pa.Table:
        """Return one row for each shift, in the order of the roster."""
        import pyarrow as pa

        shifts = self.shifts
        columns: dict[str, Any] = {"hours": pa.array([s.hours for s in shifts])}
        for name in ("present", "start", "agents"):
            columns[name] = pa.array([getattr(s, name) for s in shifts], pa.int64())
        for name in ("contacts", "present_level", "level", "fewer_level"):
            for part in ("mean", "low", "high"):
                values = [getattr(getattr(s, name), part, None) for s in shifts]
                label = name if part == "mean" else f"{name}_{part}"
                columns[label] = pa.array(values, pa.float64())
        n = pa.array([self.n_finished] * len(shifts), pa.int64())
        return pa.table({**columns, "replications": n})

    def to_dataframe(self) -> Any:
        """Return `to_arrow` as a pandas data frame.

        Raises:
            InputError: pandas is not installed.
        """
        return dataframe(self.to_arrow())

    def to_json_dict(self) -> dict[str, Any]:
        """Return the whole answer in numbers, texts and lists."""
        from churnsim.experiment import documents

        scenario = self.scenario
        document: documents.StaffDocument = {
            "scenario": scenario.name,
            "scenario_digest": scenario.digest,
            "title": scenario.title,
            "currency": scenario.currency,
            "horizon_days": scenario.horizon,
            "policy": self.policy,
            "target": plain(self.target),
            "seed": self.seed,
            "engine": self.engine,
            "replications_asked": self.n_asked,
            "replications_finished": self.n_finished,
            "is_stopped": self.is_stopped,
            "is_rough": self.n_finished < ROUGH_BELOW,
            "verdict": self.verdict,
            "sentence": self.sentence(),
            "setting": self.setting,
            "shifts": [plain(shift) for shift in self.shifts],
            "present": plain(self.present),
            "found": None if self.found is None else plain(self.found),
            "revenue": None if self.revenue is None else plain(self.revenue),
            "contribution": (
                None if self.contribution is None else plain(self.contribution)
            ),
            "trials": [plain(trial) for trial in self.trials],
            "assumptions": [plain(item) for item in self.assumptions],
            "warnings": list(self.warnings),
            "failures": [str(failure.problem) for failure in self.failures],
        }
        return documents.as_dict(document)

    def __repr__(self) -> str:
        """Return what it is, on one line."""
        return one_line("Staffing", self.sentence())

    def _repr_html_(self) -> str:
        """Return the sentences and a table for notebooks."""
        head = ("shift", "agents", "in time now", "as needed", "with one fewer")
        rows = [
            (
                shift.hours,
                f"now {shift.present:,}{_needed(shift)}",
                *(
                    _level_text(level, self.target)
                    for level in (shift.present_level, shift.level, shift.fewer_level)
                ),
            )
            for shift in self.shifts
        ]
        notes = [text] if (text := self.money_sentence()) else []
        return notebook_html(self.sentence(), [Grid(head, rows)], self.warnings, notes)


def _needed(shift: ShiftStaffing) -> str:
    return "" if shift.agents is None else f", needed {shift.agents:,}"


def _level_text(level: Estimate | None, target: Target) -> str:
    return NO_DATA if level is None else estimate_text(level, target.percent)
