"""The targets of a calibration: what was observed, read strictly from a TOML file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from churnsim.calibration.figures import (
    FIGURES,
    NAMES,
    OUTCOMES,
    REPURCHASE,
    Figure,
)
from churnsim.errors import InputError, Problem, UnitError
from churnsim.scenario.files import close_to, read
from churnsim.scenario.messages import distinct
from churnsim.scenario.nodes import Node, Place, plain
from churnsim.sweep.reading import Reading

KEYS = ("policy", "targets")
TARGET_KEYS = ("figure", "outcome", "value", "error", "of", "source")
OF_MAX = 10**12
APART = 3.0  # standard errors from which two targets cannot both be so


class Target(NamedTuple):
    """One figure that was observed."""

    name: str  # of FIGURES
    value: float  # in the figure's unit
    error: float  # standard error of the observation, in the figure's unit
    source: str  # free text; "" where nothing is said
    place: Place

    @property
    def figure(self) -> Figure:
        """Return what it is of."""
        return FIGURES[self.name]

    @property
    def title(self) -> str:
        """Return its name for people."""
        head, _, outcome = self.name.partition(".")
        return f"{head} ({outcome})" if outcome else head

    def text(self, value: float) -> str:
        """Return a value of its figure for people, with its unit."""
        return self.figure.kind.text(value)


class Targets(NamedTuple):
    """All that was observed, and under which policy."""

    policy: str
    targets: tuple[Target, ...]
    place: Place  # of the policy


def read_targets(path: str | Path) -> Targets:
    """Return the targets of a file.

    Raises:
        InputError: It cannot be read, says what cannot be, or contradicts itself.
    """
    root = read(Path(path), rank=0)
    reading = Reading(root)
    reading.known_keys(root, KEYS)
    policy = reading.text(root, "policy")
    place = root.place
    if (named := root.get("policy")) is not None:
        place = named.place
    elif not reading.found:
        rule = "is required: the policy under which the firm worked when it was seen"
        reading.found.append(root.place.under("policy").problem(rule))
    tables = reading.tables("targets")
    if not tables and not reading.found:
        rule = "needs at least one target, under [[targets]]"
        reading.found.append(root.place.under("targets").problem(rule))
    found = [_target(reading, table) for table in tables]
    targets = tuple(target for target in found if target is not None)
    reading.found += _contradictions(targets)
    if reading.found:
        raise InputError(*distinct(reading.found))
    return Targets(policy, targets, place)


def _target(reading: Reading, table: Node) -> Target | None:
    """Return a target; None, with its problems noted, where it is none."""
    n_before = len(reading.found)
    reading.known_keys(table, TARGET_KEYS)
    name = _name(reading, table)
    value = _number(reading, table, "value", name)
    error = _error(reading, table, name, value)
    source = reading.text(table, "source")
    if len(reading.found) > n_before or name is None:
        return None
    if value is None or error is None:
        return None
    return Target(name, value, error, source, table.place)


def _name(reading: Reading, table: Node) -> str | None:
    """Return which of FIGURES is meant."""
    figure, outcome = table.get("figure"), table.get("outcome")
    if figure is None:
        rule = f"is required: one of {', '.join(NAMES)}"
        reading.found.append(table.place.under("figure").problem(rule))
        return None
    name = reading.one_of(figure, NAMES, "")
    if not name:
        return None
    if name == REPURCHASE:
        if outcome is None:
            rule = f"is required of repurchase: one of {', '.join(OUTCOMES)}"
            reading.found.append(table.place.under("outcome").problem(rule))
            return None
        ended = reading.one_of(outcome, OUTCOMES, "")
        return f"{name}.{ended}" if ended else None
    if outcome is not None:
        reading.refuse(outcome, f"must be absent: only {REPURCHASE} has outcomes")
    return name


def _number(reading: Reading, table: Node, key: str, name: str | None) -> float | None:
    """Return a value in its figure's unit; None where it is absent or none."""
    node = table.get(key)
    if node is None:
        if key == "value":
            reading.found.append(table.place.under(key).problem("is required"))
        return None
    if name is None:
        return None
    kind = FIGURES[name].kind
    given = plain(node)
    is_bare = isinstance(given, int | float) and not isinstance(given, bool)
    if is_bare and kind.unit != "1":
        like = '"9.9 %/year"' if kind.name == "rate" else '"40 s"'
        reading.refuse(node, f"must be a {kind.name} with its unit, such as {like}")
        return None
    if not (is_bare or isinstance(given, str)):
        reading.refuse(node, f"must be a {kind.name}")
        return None
    try:
        value = kind.read(repr(given) if is_bare else str(given))
    except UnitError as error:
        reading.refuse(node, error.problems[0].rule)
        return None
    if key == "value" and not kind.low <= value <= kind.high:
        most = f" and at most {kind.text(kind.high)}" if kind.high < math.inf else ""
        reading.refuse(node, f"must be at least {kind.text(kind.low)}{most}")
        return None
    return value


def _error(
    reading: Reading, table: Node, name: str | None, value: float | None
) -> float | None:
    """Return the standard error: as given, or of the number that was counted."""
    given, of = table.get("error"), table.get("of")
    if (given is None) == (of is None):
        rule = "needs exactly one of error and of"
        hint = "error is a standard error; of is how many it was counted over"
        reading.found.append(table.place.problem(rule, hint=hint))
        return None
    if given is not None:
        error = _number(reading, table, "error", name)
        if error is not None and not error > 0.0:
            hint = "give how many it was counted over, such as of = 2000"
            reading.refuse(given, "must be above 0: nothing is observed exactly", hint)
            return None
        return error
    n = reading.whole(table, "of", (1, OF_MAX))
    if n is None or name is None or value is None:
        return None
    kind = FIGURES[name].kind
    if kind.name in {"time", "ratio"}:
        rule = f"must be absent: the error of {name} does not follow from a number"
        reading.refuse(of or table, rule, "give its standard error")
        return None
    return counted_error(value, n, is_share=kind.name == "share")


def counted_error(value: float, n: int, *, is_share: bool) -> float:
    """Return the standard error of a share or a rate that was counted over n.

    √(p(1 − p)/(n + 1)) of a share, √(p/(n + 1)) of a rate, with p = (n·value + ½)/(n +
    1), so that none and all have an error, too (Jeffreys).
    """
    p = (n * value + 0.5) / (n + 1.0)
    return math.sqrt((p * (1.0 - p) if is_share else p) / (n + 1.0))


def checked(targets: Targets) -> Targets:
    """Return targets that do not contradict each other.

    Raises:
        InputError: Some do.
    """
    if found := list(_contradictions(targets.targets)):
        raise InputError(*distinct(found))
    return targets


def _where(target: Target) -> str:
    """Return where a target stands: its line, or the data that it was read from."""
    place = target.place
    return place.file if place.line is None else f"line {place.line}"


def _contradictions(targets: Sequence[Target]) -> Iterator[Problem]:
    """Yield which targets cannot both be so, whatever the firm."""
    for i, one in enumerate(targets):
        for other in targets[:i]:
            gap = abs(one.value - other.value)
            if one.name == other.name and gap > APART * math.hypot(
                one.error, other.error
            ):
                rule = (
                    f"must not contradict {_where(other)}: {one.title} cannot"
                    f" be both {other.text(other.value)} and {one.text(one.value)},"
                    f" further apart than {APART:g} of their standard errors"
                )
                hint = "keep one, or give larger errors"
                yield one.place.problem(rule, hint=hint)
    by_name = {target.name: target for target in targets}
    yield from _too_few_complaints(by_name)
    yield from _too_many_contacts(by_name)


def _too_few_complaints(by_name: dict[str, Target]) -> Iterator[Problem]:
    """Yield that more customers leave after a complaint than complain at all."""
    names = ("churn", "churn_after_complaint", "complaint_rate")
    if not all(name in by_name for name in names):
        return
    churn, after, complaints = (by_name[name] for name in names)
    lost = churn.value * after.value
    error = math.hypot(
        churn.error * after.value, churn.value * after.error, complaints.error
    )
    if lost - complaints.value > APART * error:
        rule = (
            f"must not contradict churn ({_where(churn)}) and complaint_rate"
            f" ({_where(complaints)}): {after.text(after.value)} of"
            f" {churn.text(churn.value)} are {churn.text(lost)} who leave having"
            f" complained, but complaints are {complaints.text(complaints.value)}"
        )
        yield after.place.problem(rule, hint="each of them complained at least once")


def _too_many_contacts(by_name: dict[str, Target]) -> Iterator[Problem]:
    """Yield that cases need more than one contact though all are settled at the first.

    One that is not settled at its first contact may need any number of them.
    """
    first = by_name.get("first_contact_resolution")
    repeats = by_name.get("repeat_contacts")
    if first is None or repeats is None:
        return
    is_all = first.value == 1.0
    if is_all and repeats.value - 1.0 > APART * repeats.error:
        rule = (
            f"must not contradict first_contact_resolution ({_where(first)}):"
            f" where all cases are settled at their first contact, contacts per case"
            f" are 1, not {repeats.text(repeats.value)}"
        )
        yield repeats.place.problem(rule)


def require_policy(targets: Targets, known: Sequence[str]) -> None:
    """Refuse targets that were seen under a policy that the scenario does not have.

    Raises:
        InputError: So it is.
    """
    if targets.policy not in known:
        rule = f"must be a policy of the scenario: one of {', '.join(known)}"
        hint = close_to(targets.policy, known)
        raise InputError(targets.place.problem(rule, targets.policy, hint))
