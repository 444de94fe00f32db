"""Posteriors as files: read strictly, and written so that they are read back alike."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from churnsim._version import __version__
from churnsim.errors import InputError, Problem, StorageError
from churnsim.experiment.posterior.record import Parameter, Posterior
from churnsim.scenario.files import close_to
from churnsim.storage import read_bytes

KIND = "posterior"
KEYS = (
    *("churnsim", "kind", "scenario", "digest", "policy"),
    *("parameters", "draws", "weights"),
)
PARAMETER_KEYS = ("field", "unit")
DRAWS_MAX = 100_000
PARAMETERS_MAX = 100
MADE = "churnsim calibrate --out DIR writes one as DIR/posterior.json"


def read_posterior(file: str | Path) -> Posterior:
    """Return the posterior that a file holds.

    Raises:
        InputError: It cannot be read, or all problems found in it, each with its place.
    """
    path = Path(file)
    try:
        raw = read_bytes(path)
    except StorageError as error:
        raise InputError(*(p._replace(hint=MADE) for p in error.problems)) from None
    return posterior_of(raw, str(file))


def posterior_of(raw: bytes, file: str) -> Posterior:
    """Return the posterior that a file's content tells.

    Args:
        raw: JSON in UTF-8.
        file: Its name, for what is wrong with it.

    Raises:
        InputError: All problems found, each with its place.
    """
    found: list[Problem] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                found.append(Problem("must be given once", file, field=key))
            seen[key] = value
        return seen

    try:
        data = json.loads(raw, object_pairs_hook=unique, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        rule = f"must be JSON: {error.msg}"
        raise InputError(Problem(rule, file, error.lineno, hint=MADE)) from None
    except (ValueError, RecursionError):
        raise InputError(Problem("must be JSON in UTF-8", file, hint=MADE)) from None
    if not isinstance(data, dict):
        raise InputError(Problem("must be a JSON object", file, hint=MADE))
    if (kind := data.get("kind")) != KIND:
        rule = f'must be a file whose kind is "{KIND}"'
        value = kind if "kind" in data else None
        raise InputError(Problem(rule, file, field="kind", value=value, hint=MADE))
    found += _problems(data, file)
    if found:
        raise InputError(*found)
    return Posterior(
        data["scenario"],
        data["digest"],
        data["policy"],
        tuple(Parameter(item["field"], item["unit"]) for item in data["parameters"]),
        tuple(tuple(draw) for draw in data["draws"]),
        None if data["weights"] is None else tuple(map(float, data["weights"])),
        data["churnsim"],
    )


def posterior_text(posterior: Posterior) -> str:
    """Return a posterior as the content of a file that is read back the same."""
    document = {
        "churnsim": posterior.version or __version__,
        "kind": KIND,
        "scenario": posterior.scenario,
        "digest": posterior.digest,
        "policy": posterior.policy,
        "parameters": [item._asdict() for item in posterior.parameters],
        "draws": [list(draw) for draw in posterior.draws],
        "weights": None if posterior.weights is None else list(posterior.weights),
    }
    return f"{json.dumps(document, indent=1, allow_nan=False)}\n"


class _In(NamedTuple):
    """Where in a file something stands."""

    file: str

    def wrong(
        self, rule: str, field: str, value: object = None, hint: str = ""
    ) -> Problem:
        return Problem(rule, self.file, field=field, value=value, hint=hint)


def _problems(data: dict[str, Any], file: str) -> Iterator[Problem]:
    """Yield what is wrong with a posterior, but for what the fields refuse."""
    here = _In(file)
    yield from _keys(here, data, KEYS, "")
    for key in ("churnsim", "scenario", "digest", "policy"):
        if key in data and not (isinstance(data[key], str) and data[key]):
            yield here.wrong("must be a text that is not empty", key, data[key])
    n_fields = None
    if "parameters" in data:
        n_fields = _length(data["parameters"], PARAMETERS_MAX)
        yield from _parameters(here, data["parameters"])
    n_draws = None
    if "draws" in data:
        n_draws = _length(data["draws"], DRAWS_MAX)
        yield from _draws(here, data["draws"], n_fields)
    if data.get("weights") is not None:
        yield from _weights(here, data["weights"], n_draws)


def _keys(
    here: _In, table: dict[str, Any], known: tuple[str, ...], head: str
) -> Iterator[Problem]:
    for key in table:
        if key not in known:
            yield here.wrong("unknown key", f"{head}{key}", hint=close_to(key, known))
    for key in known:
        if key not in table:
            yield here.wrong("must be there", f"{head}{key}")


def _parameters(here: _In, items: object) -> Iterator[Problem]:
    if _length(items, PARAMETERS_MAX) is None or not isinstance(items, list):
        rule = f"must be an array of 1 to {PARAMETERS_MAX} parameters"
        yield here.wrong(rule, "parameters", items)
        return
    seen: set[str] = set()
    for i, item in enumerate(items, 1):
        place = f"parameter {i}"
        if not isinstance(item, dict):
            rule = 'must be an object such as {"field": "market.lock_in", "unit": "1"}'
            yield here.wrong(rule, place, item)
            continue
        yield from _keys(here, item, PARAMETER_KEYS, f"{place}, ")
        for key in PARAMETER_KEYS:
            value = item.get(key, " ")
            if not (isinstance(value, str) and value):
                rule = "must be a text that is not empty"
                yield here.wrong(rule, f"{place}, {key}", value)
        field = item.get("field")
        if isinstance(field, str):
            if field in seen:
                rule = "must be drawn by one parameter only"
                yield here.wrong(rule, f"{place}, field", field)
            seen.add(field)


def _draws(here: _In, draws: object, n_fields: int | None) -> Iterator[Problem]:
    if _length(draws, DRAWS_MAX) is None or not isinstance(draws, list):
        rule = f"must be an array of 1 to {DRAWS_MAX:,} draws"
        yield here.wrong(rule, "draws", draws)
        return
    for i, draw in enumerate(draws, 1):
        if not isinstance(draw, list):
            yield here.wrong("must be an array of texts", f"draw {i}", draw)
            continue
        if n_fields is not None and len(draw) != n_fields:
            rule = f"must have a value for each of the {n_fields} parameters"
            yield here.wrong(f"{rule}; it has {len(draw)}", f"draw {i}")
        for j, value in enumerate(draw, 1):
            if not (isinstance(value, str) and value.strip()):
                hint = f'write "{value}"' if isinstance(value, int | float) else ""
                rule = "must be a text as --set FIELD=TEXT takes it"
                yield here.wrong(rule, f"draw {i}, value {j}", value, hint)


def _weights(here: _In, weights: object, n_draws: int | None) -> Iterator[Problem]:
    if not isinstance(weights, list):
        rule = "must be an array of numbers, or null where all draws weigh alike"
        yield here.wrong(rule, "weights", weights)
        return
    if n_draws is not None and len(weights) != n_draws:
        rule = f"must have a weight for each of the {n_draws} draws"
        yield here.wrong(f"{rule}; it has {len(weights)}", "weights")
    total = 0.0
    is_well = True
    for i, weight in enumerate(weights, 1):
        is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not is_number or not 0.0 <= _float(weight) < math.inf:
            rule = "must be a finite number that is not below 0"
            yield here.wrong(rule, f"weight {i}", weight)
            is_well = False
        else:
            total += _float(weight)
    if is_well and weights and not 0.0 < total < math.inf:
        yield here.wrong("must come to a finite sum above 0", "weights")


def _length(value: object, most: int) -> int | None:
    """Return how many items an array has; None where it is none that there can be."""
    is_array = isinstance(value, list) and 1 <= len(value) <= most
    return len(value) if is_array and isinstance(value, list) else None


def _float(number: int | float) -> float:
    """Return a number as a float; one that is too large as infinity."""
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _no_number(text: str) -> object:
    raise ValueError(text)
