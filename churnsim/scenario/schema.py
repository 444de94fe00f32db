"""The JSON Schema of scenario and policy files, for editors and other programs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import TypeAdapter

from churnsim.scenario.model import Spec
from churnsim.scenario.policy import LEVERS, Policy

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DERIVED = ("seed", "baseline", "policy")  # files may leave these out
_EXTENDS = {
    "type": "string",
    "description": "The file that this one deviates from: a ready name or a path.",
}


def json_schema(kind: Literal["scenario", "policy"] = "scenario") -> dict[str, Any]:
    """Return the JSON Schema of one kind of file, as its authors write it.

    Files state what differs: settings of policies are all optional, and so are a
    scenario's where it extends another one.
    """
    model = Spec if kind == "scenario" else Policy
    schema = TypeAdapter(model).json_schema(by_alias=False)
    definitions: dict[str, Any] = schema.setdefault("$defs", {})
    names = [_definition_name(name) for name in LEVERS]
    if kind == "policy":
        _open_policy(schema, definitions, names)
    else:
        _open_policy(definitions["Policy"], definitions, names)
        _open_scenario(schema, definitions)
    return {"$schema": DIALECT, "title": f"churnsim {kind}", **_untitled(schema)}


def _definition_name(lever: str) -> str:
    return "".join(word.capitalize() for word in lever.split("_"))


def _open_policy(
    policy: dict[str, Any], definitions: dict[str, Any], names: list[str]
) -> None:
    """Let a policy extend another and state only what differs."""
    policy.pop("required", None)
    policy["properties"]["extends"] = _EXTENDS
    for name in names:
        definitions[name].pop("required", None)


def _open_scenario(schema: dict[str, Any], definitions: dict[str, Any]) -> None:
    """Let a scenario extend another; require everything only where it does not."""
    properties = schema["properties"]
    required = [name for name in schema.pop("required") if name not in _DERIVED]
    below = {
        name: {"required": definitions[definition].pop("required")}
        for name, definition in (("market", "Market"), ("costs", "Costs"))
    }
    properties["extends"] = _EXTENDS
    properties["policy_defaults"] = {
        "$ref": "#/$defs/Policy",
        "description": "What every policy of this scenario starts from.",
    }
    schema["if"] = {"required": ["extends"]}
    schema["else"] = {"required": required, "properties": below}


def _untitled(schema: Any) -> Any:
    """Return a schema without the titles that only repeat the names of keys."""
    if isinstance(schema, dict):
        return {
            key: _untitled(item)
            for key, item in schema.items()
            if not (key == "title" and isinstance(item, str))
        }
    return [_untitled(item) for item in schema] if isinstance(schema, list) else schema
