"""The assumptions that are varied: each a number with the range that is plausible.

What several policies or kinds of mistakes have from one line is one assumption and
moves together. A range that spans a factor of eight or more is even in its logarithm.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from churnsim.errors import InputError, Problem, UnitError
from churnsim.experiment.inverse.lever import lever_of, number_of, setting_of
from churnsim.scenario import Scenario
from churnsim.scenario.files import close_to
from churnsim.scenario.grounds import Ground
from churnsim.scenario.model import Spec
from churnsim.sweep.factors import AnyLevel, Factor, Level
from churnsim.sweep.points import Variations
from churnsim.units import parse_share

LOG_FROM = 8.0  # high over low from which a range is even in its logarithm
ASSUMED = "D"  # grades that are varied where nobody says
COSTS = ("costs.", "_cost", ".cost", ".training")  # act on no revenue
# How much is simulated, which is no claim about the world.
EXTENT = ("horizon", "replications", "seed", "sites", "population.customers")
PARAMETER = "--parameter"

Settings = dict[str, AnyLevel]

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Span(NamedTuple):
    """A range that was asked for."""

    field: str
    low: str  # as `--set` takes it
    high: str


class Varied(NamedTuple):
    """An assumption that is varied."""

    field: str  # the first of its settings
    keys: tuple[str, ...]  # all of them, which move together
    grade: str  # "" where no file grades it
    factor: Factor
    value: float  # as the scenario has it, in the measure's own unit

    @property
    def here(self) -> float:
        """Return where its value lies in its range, from 0 to 1."""
        return self.place(self.value)

    def place(self, number: float) -> float:
        """Return where a number lies in the range, from 0 to 1; ends stand for more."""
        low, high = self.factor.low, self.factor.high
        number = min(high, max(low, number))
        if self.factor.is_log:
            return math.log(number / low) / math.log(high / low)
        return (number - low) / (high - low)

    def level(self, place: float) -> AnyLevel:
        """Return the setting at a place from 0 to 1, whole where it has to be."""
        low, high = self.factor.low, self.factor.high
        if place in (0.0, 1.0):
            return self.factor.at(high if place else low)
        if self.factor.is_log:
            return self.factor.at(low * (high / low) ** place)
        return self.factor.at(low + place * (high - low))

    def settings(self, level: AnyLevel) -> Settings:
        """Return what sets it, wherever it stands."""
        return dict.fromkeys(self.keys, level)


class Choice(NamedTuple):
    """What is varied, and what could not be."""

    varied: tuple[Varied, ...]
    without_range: tuple[str, ...]  # of the grades asked for: nobody gives a range
    idle: tuple[str, ...]  # change costs alone, not what is measured


def chosen(
    scenario: Scenario,
    grounds: Sequence[Ground],
    grades: str,
    spans: Sequence[Span],
    measure: str,
) -> Choice:
    """Return what is varied: all figures of some grades, and what was asked for.

    Args:
        scenario: As it is otherwise.
        grounds: What its figures rest on.
        grades: Letters; every figure of one of them that has a range is varied.
        spans: Ranges that were asked for, in place of others or in addition.
        measure: What is lost; "revenue" does not hang on costs.

    Raises:
        InputError: A range that there cannot be.
    """
    variations = Variations(scenario)
    asked = {span.field: span for span in spans}
    found: list[Varied] = []
    without: list[str] = []
    idle: list[str] = []
    for ground in grounds:
        fields = [f for f in (*ground.varied, *ground.keys) if f in asked]
        if fields:
            span = asked.pop(fields[0])
            keys = ground.varied if span.field in ground.varied else ground.keys
            # What a policy is by definition is its own, whatever others share.
            keys = (span.field,) if ground.fixed else keys
            found.append(_varied(variations, keys, ground.grade, span))
        elif ground.grade not in grades or ground.fixed is not None:
            continue
        elif ground.low is None or ground.high is None:
            is_extent = ground.key in EXTENT
            if not is_extent and number_at(scenario.spec, ground.key) is not None:
                without.append(ground.key)
        elif measure == "revenue" and all(map(is_cost, ground.varied)):
            idle.append(ground.key)
        else:
            span = Span("", ground.low, ground.high)
            found.append(_varied(variations, ground.varied, ground.grade, span))
    found += [_varied(variations, (s.field,), "", s) for s in asked.values()]
    if not found:
        rule = f"must leave something to vary: no figure of grade {grades} has a range"
        hint = f'give one: {PARAMETER} "market.lock_in=2..4"'
        raise InputError(Problem(rule, field=PARAMETER, hint=hint))
    return Choice(tuple(found), tuple(without), tuple(idle))


def span_of(text: str) -> Span:
    """Return a range as typed: FIELD=LOW..HIGH.

    Raises:
        InputError: It is none.
    """
    field, equals, ends = text.partition("=")
    low, dots, high = ends.partition("..")
    if equals and dots and field.strip() and low.strip() and high.strip():
        return Span(field.strip(), low.strip(), high.strip())
    rule = "must be FIELD=LOW..HIGH, such as market.lock_in=2..4"
    raise InputError(Problem(rule, field=PARAMETER, value=text))


def is_cost(field: str) -> bool:
    """Return whether a setting is what something costs the firm."""
    return field.startswith(COSTS[0]) or field.endswith(COSTS[1:])


def number_at(spec: Spec, key: str) -> float | None:
    """Return the one number of a setting; None where it has none."""
    found = setting_of(spec, key)
    number = None if found is None else number_of(found.value)
    return None if number is None else float(number)


def completed(spec: Spec, settings: Mapping[str, AnyLevel]) -> Settings:
    """Return settings with what others leave of a whole.

    Truth, excuses and lies of a policy sum to 1, so where more lies are told the truth
    is told less often.
    """
    whole = dict(settings)
    for name in spec.policy:
        word = name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)
        head = f"policy.{word}.honesty."
        parts = [f"{head}excuse", f"{head}lie"]
        if not any(part in settings for part in parts) or f"{head}truth" in settings:
            continue
        told = [
            settings[part].number if part in settings else number_at(spec, part) or 0.0
            for part in parts
        ]
        # Rounded, so that a whole of lies leaves nothing, not less.
        truth = round(1.0 - sum(told), 12)
        whole[f"{head}truth"] = Level(repr(truth), truth, repr(truth))
    return whole


def _varied(
    variations: Variations, keys: tuple[str, ...], grade: str, span: Span
) -> Varied:
    """Return an assumption with its range.

    Raises:
        InputError: The setting, or an end, is none that the scenario can have.
    """
    scenario, field = variations.base, keys[0]
    here = setting_of(scenario.spec, field)
    is_asked = bool(span.field)
    if here is None or number_of(here.value) is None:
        raise _no_number(field, scenario.spec)
    ends = []
    for text in (span.low, span.high):
        level = Level(text, _told(text), text)
        try:
            changed = completed(scenario.spec, _all(keys, level))
            spec = variations.scenario(changed).spec
        except InputError as error:
            if not is_asked:
                raise
            raise _refused(span, text, error) from None
        there = setting_of(spec, field)
        if there is None:
            raise _no_number(field, scenario.spec)
        ends.append(there)
    try:
        lever, low, high = lever_of(field, field, ends, scenario.currency)
    except InputError as error:
        raise _refused(span, f"{span.low}..{span.high}", error) from None
    is_log = low > 0.0 and high / low >= LOG_FROM
    factor = Factor(field, (), low, high, is_log, lever)
    return Varied(field, keys, grade, factor, float(number_of(here.value) or 0.0))


def _all(keys: tuple[str, ...], level: AnyLevel) -> Settings:
    return dict.fromkeys(keys, level)


def _told(text: str) -> float:
    """Return the number of a share as it was typed; NaN where it is none."""
    try:
        return parse_share(text.strip('"'))
    except UnitError:
        return math.nan


def _no_number(field: str, spec: Spec) -> InputError:
    rule = "must be one number of the scenario: a share, time, rate, amount, or a part"
    hint = close_to(field, _fields(spec)) or 'of a law, name one: "market.memory.mean"'
    return InputError(Problem(rule, field=PARAMETER, value=field, hint=hint))


def _fields(spec: Spec) -> Iterator[str]:
    """Yield the settings of the market, for a hint."""
    for name in ("market", "population", "costs"):
        yield from (f"{name}.{key}" for key in type(getattr(spec, name)).model_fields)


def _refused(span: Span, text: str, error: InputError) -> InputError:
    """Return an error that names the range as it was typed."""
    problem = error.problems[0]
    told = f"{problem.field}: {problem.rule}" if problem.field else problem.rule
    return InputError(
        Problem(
            f"must be a range that {span.field} can have; {told}",
            field=PARAMETER,
            value=text,
            hint=problem.hint,
        )
    )
