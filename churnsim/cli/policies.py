"""Policy files read by themselves, outside of any scenario."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from churnsim.errors import InputError, Problem
from churnsim.scenario import LEVERS, Policy, list_policies, list_scenarios
from churnsim.scenario.files import (
    chain,
    close_to,
    find,
    is_path,
    read,
    ready_files,
)
from churnsim.scenario.messages import problems
from churnsim.scenario.nodes import Node, laid_over, plain
from churnsim.units import GENERIC_CURRENCY


def policy_file(name: str) -> Path | None:
    """Return the policy file that a name or path stands for; None for a scenario.

    Raises:
        InputError: It is neither.
    """
    if not is_path(name):
        if name in list_scenarios():
            return None
        policies = ready_files("policies")
        if name in policies:
            return policies[name]
        known = (*list_scenarios(), *sorted(policies))
        rule = f"must be one of {', '.join(known)}, or a path to a .toml file"
        raise InputError(Problem(rule, value=name, hint=close_to(name, known)))
    path = find(name, "scenarios", None)
    return path if is_policy(read(path, rank=0)) else None


def is_policy(file: Node) -> bool:
    """Return whether a file is a policy: it pulls a lever, or extends a policy."""
    extends = file.get("extends")
    base = extends.value if extends else None
    return any(lever in file.table() for lever in LEVERS) or base in list_policies()


def load_policy(path: Path) -> Policy:
    """Return a policy with everything it extends, amounts in any currency.

    Raises:
        InputError: All problems found, each with file, line, field, rule and value.
    """
    nodes = chain(read(path, rank=0), "policies")
    node = nodes[0].without("extends")
    for deviation in nodes[1:]:
        node = laid_over(node, deviation.without("extends"))
    try:
        return Policy.model_validate(
            plain(node), context={"currency": GENERIC_CURRENCY}
        )
    except ValidationError as error:
        found = [_inside(details, path.stem) for details in error.errors()]
    table = Node(node.place, {path.stem: node})
    raise InputError(*problems(found, Node(node.place, {"policy": table})))


def _inside(details: ErrorDetails, name: str) -> ErrorDetails:
    """Return an error of a policy as one of the scenario that would hold it."""
    moved = details.copy()
    moved["loc"] = ("policy", name, *details["loc"])
    return moved
