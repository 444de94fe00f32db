"""Scenarios from a ready name or a file: assembled, validated, checked."""

from __future__ import annotations

import hashlib
import secrets
import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from churnsim.errors import InputError, Problem, ResourceError
from churnsim.given import refused
from churnsim.scenario.assemble import Overrides, assembled, pairs_of
from churnsim.scenario.checks import (
    Sections,
    clock_problems,
    conflicts,
    too_much,
    warnings_of,
)
from churnsim.scenario.files import find, is_file, read
from churnsim.scenario.laws import Observed
from churnsim.scenario.market import Market, Mistake, Population
from churnsim.scenario.messages import at, distinct, problems
from churnsim.scenario.model import Spec, filled
from churnsim.scenario.nodes import Node, Place, plain, to_node
from churnsim.scenario.policy import Policy
from churnsim.scenario.scenario import Scenario

SEED_BITS = 53  # of a drawn seed: every program reads such a number exactly

T = TypeVar("T")


def load_scenario(
    scenario: str | Path | Scenario, *, overrides: Overrides = ()
) -> Scenario:
    """Return a scenario, validated whole.

    Args:
        scenario: A ready one's name such as "telecom", or a file: a `Path`, or a text
            with a slash or the suffix ".toml"; or one loaded before, to change it.
        overrides: Settings that lie over the file's, such as "market.lock_in=1.0" or
            {"policy.slow.speed.agents": "2"}. Values are read as TOML; what is no
            TOML is a text. Items of arrays are named by their `name` or number.

    Raises:
        InputError: All problems found, each with file, line, field, rule and value.
        ResourceError: Valid, but more than any machine could do.
    """
    pairs_of(overrides)  # or whoever gives them is told so first
    if isinstance(scenario, Scenario):
        return _changed(scenario, overrides) if overrides else scenario
    given: object = scenario
    if not isinstance(given, str | Path):
        rule = "must be the name of a ready scenario, a file, or one that was loaded"
        raise refused("scenario", given, rule)
    path = given if isinstance(given, Path) else find(given, "scenarios", None)
    return _scenario_of(path.stem, read(path, rank=0), overrides)


def _changed(scenario: Scenario, overrides: Overrides) -> Scenario:
    """Return a loaded scenario with settings changed.

    Raises:
        InputError: As `load_scenario`; or a setting that its policies were made from,
            which would change nothing any more, or a policy that it does not have.
    """
    for key, _ in pairs_of(overrides):
        if key.partition(".")[0] == "policy_defaults" or key.endswith(".extends"):
            rule = "must be set as the file is loaded, not in a loaded scenario"
            hint = "give the scenario's name or file instead"
            raise InputError(Problem(rule, field=key, hint=hint))
    place = Place(scenario.name, None, "", 0)
    top = to_node(tomllib.loads(scenario.to_toml()), place, {}, ())
    changed = _scenario_of(scenario.name, top, overrides)
    for name in changed.policy_names:
        scenario.policy(name)
    return changed


def _scenario_of(name: str, top: Node, overrides: Overrides) -> Scenario:
    """Return the scenario of a file's content; see `load_scenario`."""
    root, found, bases = assembled(top, overrides)
    root, of_transactions = _with_transactions(_with_seed(root))
    data = plain(root)
    context = {"currency": _currency(root)}
    spec = None
    try:
        spec = Spec.model_validate(data, context=context)
    except ValidationError as error:
        # A baseline is missing only where the policies are, which is told anyway.
        errors = [e for e in error.errors() if e["loc"] != ("baseline",)]
        found += _incomplete(errors, root, bases)
        found += problems(
            [e for e in errors if not _is_missing_from_new(e, bases)], root
        )
    found += of_transactions
    found += conflicts(root, _sections(root, context))
    if spec is None or found:
        raise InputError(*sorted(distinct(found), key=_reading_order))
    spec = filled(spec)
    if exceeded := too_much(spec, root):
        raise ResourceError(*exceeded)
    if coarse := clock_problems(spec, root):
        raise InputError(*coarse)
    _check_observed(spec, root)
    log = spec.population.transactions
    log_digest = _file_digest(Path(log.file)) if log else ""
    return Scenario(name, spec, warnings_of(spec, root), log_digest)


def _check_observed(spec: Spec, root: Node) -> None:
    """Refuse observed churn that leaves ordinary dropout no room.

    Raises:
        InputError: With its place in the file.
    """
    if not isinstance(spec.market.dropout, Observed):
        return
    # Here, since mistakes are weighed with the compiled model.
    from churnsim.scenario.ordinary import ordinary_dropout

    try:
        ordinary_dropout(spec)
    except InputError as error:
        place = at(root, "market", "observed_churn")
        raise InputError(
            *(place.problem(p.rule, p.value, p.hint) for p in error.problems)
        ) from None


def _with_seed(root: Node) -> Node:
    """Return the scenario with a seed drawn where it names none."""
    if "seed" in root.table():
        return root
    seed = Node(root.place.under("seed"), secrets.randbits(SEED_BITS))
    return Node(root.place, {**root.table(), "seed": seed})


def _with_transactions(root: Node) -> tuple[Node, list[Problem]]:
    """Return the scenario with the log's full path, or the problem that it is none."""
    log = root.get("population", "transactions", "file")
    if log is None or not isinstance(log.value, str):
        return root, []
    # What the command line sets is relative to where the user is.
    folder = Path() if log.place.line is None else Path(log.place.file).parent
    path = folder / log.value
    if not is_file(path):
        return root, [log.place.problem("must be a file that exists", str(path))]
    full = Node(log.place, str(path.resolve()))
    return root.put(full, "population", "transactions", "file"), []


def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        rule = f"must be a file that can be read ({error.strerror})"
        raise InputError(Problem(rule, str(path))) from None


def _currency(root: Node) -> str:
    named = root.get("currency")
    text = named.value if named else "$"
    return text if isinstance(text, str) and text else "$"


def _is_missing_from_new(error: ErrorDetails, bases: dict[str, bool]) -> bool:
    loc = error["loc"]
    is_of_policy = len(loc) > 1 and loc[0] == "policy"
    return (
        error["type"] == "missing" and is_of_policy and not bases.get(str(loc[1]), True)
    )


def _incomplete(
    errors: list[ErrorDetails], root: Node, bases: dict[str, bool]
) -> list[Problem]:
    """Return one problem for each policy that extends nothing and lacks settings."""
    lacking: dict[str, list[str]] = {}
    for error in errors:
        if _is_missing_from_new(error, bases):
            path = ".".join(str(key) for key in error["loc"][2:])
            lacking.setdefault(str(error["loc"][1]), []).append(path)
    rule = 'must extend a policy, such as extends = "empowered", or be complete'
    return [
        at(root, "policy", name).problem(rule, hint=f"missing: {', '.join(paths)}")
        for name, paths in lacking.items()
    ]


def _sections(root: Node, context: dict[str, str]) -> Sections:
    """Return the parts that are valid each for itself."""

    def part(kind: type[T], node: Node | None) -> T | None:
        if node is None:
            return None
        try:
            found = TypeAdapter(kind).validate_python(plain(node), context=context)
        except ValidationError:
            return None
        return found

    table = root.get("policy")
    policies = {
        name: policy
        for name, node in (table.table() if table else {}).items()
        if (policy := part(Policy, node)) is not None
    }
    return Sections(
        part(Population, root.get("population")),
        part(Market, root.get("market")),
        part(tuple[Mistake, ...], root.get("mistakes")),
        policies,
    )


def _reading_order(problem: Problem) -> tuple[str, int]:
    return problem.file, problem.line or 0
