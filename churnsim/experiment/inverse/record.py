"""A breakeven: where a policy starts or stops losing, what was tried, one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from churnsim.errors import PartialError
from churnsim.experiment.failures import Failure, partial_error
from churnsim.experiment.intervals import ROUGH_BELOW, Estimate
from churnsim.experiment.inverse.crossing import Crossing, Span
from churnsim.experiment.inverse.lever import Lever
from churnsim.experiment.notebook import (
    PER_YEAR,
    Grid,
    dataframe,
    estimate_text,
    notebook_html,
    one_line,
)
from churnsim.experiment.plain import plain
from churnsim.experiment.preparing import years_in_all
from churnsim.experiment.sentences import (
    Extent,
    interval_text,
    measure_text,
    money_text,
    negative,
    replications_text,
    subject,
)
from churnsim.scenario import Scenario
from churnsim.scenario.assumptions import Assumption

if TYPE_CHECKING:
    import pyarrow as pa


Verdict = Literal["starts", "stops", "always", "never", "idle", "stopped"]


class Point(NamedTuple):
    """A value that was tried, and what the policy loses there; below zero it gains."""

    value: float  # in the engine's unit: a share, days, per day, micro-units
    text: str  # for people
    setting: str  # as `--set` takes it
    total: Estimate  # lost per run [units of currency]
    yearly: Estimate  # a year and 1,000 starting customers [units of currency]


class Worth(NamedTuple):
    """What the policy loses less at the highest value than at the lowest, paired.

    Of a setting of the policy's own this is what it earns more, since the other policy
    earns the same at both: with agents from 2 to 3, what one agent more is worth.
    """

    total: Estimate  # per run [units of currency]; below zero it loses more
    yearly: Estimate  # a year and 1,000 starting customers [units of currency]


@dataclass(frozen=True, eq=False)
class Breakeven:
    """From which value of a lever on a policy loses, or no longer loses."""

    scenario: Scenario  # as it is without the lever
    policy: str
    against: str
    measure: str
    lever: Lever
    span: Span
    seed: int
    engine: str
    points: tuple[Point, ...]  # by value
    crossing: Crossing | None
    worth: Worth | None  # of the whole range; None: its ends were not finished
    is_idle: bool  # whether no value made any difference
    n_customers: int
    n_asked: int
    n_finished: int
    failures: tuple[Failure, ...]
    is_stopped: bool
    assumptions: tuple[Assumption, ...]
    warnings: tuple[str, ...]

    @property
    def value(self) -> float | None:
        """Return the breakeven in the engine's unit; None where there is none."""
        return None if self.crossing is None else self.crossing.value

    @property
    def verdict(self) -> Verdict:
        """Return how it came out.

        "starts" or "stops" losing as the lever rises; "always" or "never" loses in the
        range; "idle", where the lever makes no difference; "stopped" too early to tell.
        """
        if self.is_stopped:
            return "stopped"
        if self.is_idle:
            return "idle"
        if self.crossing is not None:
            return "starts" if self.crossing.starts else "stops"
        return "always" if (self.points[0].total.mean or 0.0) > 0.0 else "never"

    @property
    def extent(self) -> Extent:
        """Return how much of what was asked for stands behind it."""
        return Extent(
            self.n_asked,
            self.n_finished,
            len(self.failures),
            self.scenario.currency,
            years_in_all(self.scenario, self.n_customers),
        )

    def error(self) -> PartialError | None:
        """Return the error about failed replications, if there were any."""
        return partial_error(self.failures, self.n_asked)

    def sentence(self) -> str:
        """Return the answer in one sentence, two where there are more crossings."""
        text = {
            "stopped": self._stopped,
            "idle": self._idle,
            "always": self._ends,
            "never": self._ends,
        }.get(self.verdict, self._crosses)()
        n = len(self.failures)
        failed = f" {n} of {replications_text(self.n_asked)} failed." if n else ""
        return f"{text[0].upper()}{text[1:]}{failed}"

    def worth_sentence(self) -> str:
        """Return what it brings to raise the lever through its range; "" if nothing."""
        extent = self.extent
        value = None if self.worth is None else extent.a_year(self.worth)
        if self.is_idle or value is None or value.mean is None:
            return ""
        first, last = self.points[0].text, self.points[-1].text
        raising = f"aising {self.lever.field} from {first} to {last}"
        policy, per = subject(self.policy), f"{measure_text(self.measure)} {extent.per}"
        if value.covers_zero:
            told = f"{money_text(value.mean, extent)} ({interval_text(value, extent)})"
            return (
                f"What r{raising} brings {policy} cannot be told from zero: {told} of "
                f"{per}."
            )
        verb = "brings" if value.mean >= 0.0 else "costs"
        value = value if verb == "brings" else negative(value)
        told = f"{money_text(value.mean, extent)} ({interval_text(value, extent)})"
        return (
            f"R{raising} {verb} {policy} {told} of {per} against "
            f"{subject(self.against)}."
        )

    def to_arrow(self) -> pa.Table:
        """Return one row for each value that was tried, in order."""
        import pyarrow as pa

        columns: dict[str, Any] = {
            "value": pa.array([point.value for point in self.points], pa.float64()),
            "setting": pa.array([point.setting for point in self.points], pa.string()),
        }
        for name in ("total", "yearly"):
            for part in ("mean", "low", "high"):
                column = [getattr(getattr(p, name), part) for p in self.points]
                label = name if part == "mean" else f"{name}_{part}"
                columns[label] = pa.array(column, pa.float64())
        n = [point.total.n for point in self.points]
        return pa.table({**columns, "replications": pa.array(n, pa.int64())})

    def to_dataframe(self) -> Any:
        """Return `to_arrow` as a pandas data frame.

        Raises:
            InputError: pandas is not installed.
        """
        return dataframe(self.to_arrow())

    def to_json_dict(self) -> dict[str, Any]:
        """Return the whole answer in numbers, texts and lists."""
        crossing, lever = self.crossing, self.lever
        from churnsim.experiment import documents

        document: documents.BreakevenDocument = {
            "scenario": self.scenario.name,
            "scenario_digest": self.scenario.digest,
            "title": self.scenario.title,
            "currency": self.scenario.currency,
            "horizon_days": self.scenario.horizon,
            "policy": self.policy,
            "against": self.against,
            "measure": self.measure,
            "lever": lever.field,
            "key": lever.key,
            "about": lever.about,
            "is_whole": lever.is_whole,
            "from": self.span.low,
            "to": self.span.high,
            "tolerance": self.span.tolerance,
            "seed": self.seed,
            "engine": self.engine,
            "replications_asked": self.n_asked,
            "replications_finished": self.n_finished,
            "is_stopped": self.is_stopped,
            "is_rough": self.n_finished < ROUGH_BELOW,
            "verdict": self.verdict,
            "sentence": self.sentence(),
            "value": self.value,
            "low": None if crossing is None else crossing.low,
            "high": None if crossing is None else crossing.high,
            "setting": None if crossing is None else lever.setting(crossing.value),
            "others": [] if crossing is None else [list(o) for o in crossing.others],
            "points": [plain(point) for point in self.points],
            "worth": None if self.worth is None else plain(self.worth),
            "assumptions": [plain(item) for item in self.assumptions],
            "warnings": list(self.warnings),
            "failures": [str(failure.problem) for failure in self.failures],
        }
        return documents.as_dict(document)

    def __repr__(self) -> str:
        """Return what it is, on one line."""
        return one_line("Breakeven", self.sentence())

    def _repr_html_(self) -> str:
        """Return the sentence and a table for notebooks."""

        def money(amount: float) -> str:
            return money_text(amount, self.extent)

        head = (self.lever.field, f"lost {PER_YEAR}")
        rows = [
            (point.text, estimate_text(point.yearly, money)) for point in self.points
        ]
        notes = [text] if (text := self.worth_sentence()) else []
        return notebook_html(self.sentence(), [Grid(head, rows)], self.warnings, notes)

    def _crosses(self) -> str:
        crossing, text = self.crossing, self.lever.text
        if crossing is None:
            return self._ends()
        verb = "starts" if crossing.starts else "stops"
        rises = (
            f"from {text(crossing.value)} on"
            if self.lever.is_whole
            else f"once it exceeds {text(crossing.value)}"
        )
        told = (
            f"{subject(self.policy)} {verb} losing {measure_text(self.measure)} "
            f"against {subject(self.against)} as {self._lever} rises: {rises} "
            f"({self._interval})."
        )
        if crossing.others:
            places = ", ".join(
                f"between {text(a)} and {text(b)}" for a, b in crossing.others
            )
            told += f" It changes again {places}: the first is told here."
        return told

    def _ends(self) -> str:
        first, last = self.points[0], self.points[-1]
        how = "loses" if self.verdict == "always" else "never loses"
        which = "every" if self.verdict == "always" else "any"
        told = (
            f"{subject(self.policy)} {how} {measure_text(self.measure)} against "
            f"{subject(self.against)} at {which} value tried of "
            f"{self._lever}: "
            f"{self._amount(first)} at {first.text}, {self._amount(last)} at "
            f"{last.text}, {self.extent.per}."
        )
        unsure = [point.text for point in self.points if point.total.covers_zero]
        if unsure:
            told += f" It cannot be told from zero at {', '.join(unsure)}."
        return told

    def _idle(self) -> str:
        point = self.points[0]
        told = (
            "they earn exactly the same"
            if point.total.mean == 0.0
            else f"{self._amount(point)} {self.extent.per} at every value tried"
        )
        return (
            f"what {subject(self.policy)} loses against {subject(self.against)} does "
            f"not depend on {self._lever} from {point.text} to "
            f"{self.points[-1].text}: {told}."
        )

    def _stopped(self) -> str:
        n = len(self.points)
        return (
            f"stopped early: {n} value{'' if n == 1 else 's'} of {self._lever} "
            f"{'was' if n == 1 else 'were'} finished, and no breakeven is known yet."
        )

    @property
    def _lever(self) -> str:
        about = self.lever.about
        told = f" ({about[0].lower()}{about[1:]})" if about else ""
        return f"{self.lever.field}{told}"

    @property
    def _interval(self) -> str:
        crossing, text = self.crossing, self.lever.text
        if crossing is None or self.n_finished < 2:
            return "one replication, so no interval"
        n = self.n_finished
        rough = f"rough, {replications_text(n)}: " if n < ROUGH_BELOW else ""
        low, high = crossing.low, crossing.high
        if low is None and high is None:
            return f"{rough}95 % CI: the whole range"
        if low is None:
            return f"{rough}95 % CI up to {text(high or 0.0)}"
        if high is None:
            return f"{rough}95 % CI {text(low)} or more"
        return f"{rough}95 % CI {text(low)} to {text(high)}"

    def _amount(self, point: Point) -> str:
        """Return what is lost or gained at a value, with its interval."""
        extent = self.extent
        value = extent.a_year(point)
        if value.mean is None:
            return "no data"
        word = "a loss" if value.mean > 0.0 else "a gain"
        value = value if value.mean > 0.0 else negative(value)
        told = f"{money_text(value.mean, extent)} ({interval_text(value, extent)})"
        return f"{word} of {told}" if value.mean else "nothing either way"
