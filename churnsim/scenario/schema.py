"""The JSON Schema of scenario and policy files, for editors and other programs."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticUndefined

from churnsim.scenario.market import (
    Costs,
    Market,
    Mistake,
    Population,
    Strain,
    Unanswered,
    WordOfMouth,
)
from churnsim.scenario.model import Spec
from churnsim.scenario.policy import LEVERS, People, Policy, Prevention
from churnsim.scenario.transactions import Transactions

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PARTS = (
    Market,
    Mistake,
    Population,
    Transactions,
    Unanswered,
    WordOfMouth,
    Costs,
    Strain,
    Prevention,
    People,
)
_DERIVED = ("seed", "baseline", "policy")  # files may leave these out
_ABOUT = {
    "scenario": "A market, its mistakes, a horizon and the policies to compare.",
    "policy": "What the firm does about mistakes.",
}
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
    schema = _named(TypeAdapter(model).json_schema())
    definitions = schema["$defs"]
    names = [_definition_name(name) for name in LEVERS]
    if kind == "policy":
        _open_policy(schema, definitions, names)
    else:
        _open_policy(definitions["Policy"], definitions, names)
        _open_scenario(schema, definitions)
        for part in _PARTS:
            _write_defaults(definitions[part.__name__], part)
    _write_defaults(schema, model)
    about = {"title": f"churnsim {kind}", "description": _ABOUT[kind]}
    return {"$schema": DIALECT, **_untitled(schema), **about}


def _named(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose definitions are called as their models are."""
    names = {name: part["title"] for name, part in schema["$defs"].items()}
    parts = {names[name]: part for name, part in schema["$defs"].items()}
    text = json.dumps({**schema, "$defs": parts})
    for name, title in names.items():
        text = text.replace(f'"#/$defs/{name}"', f'"#/$defs/{title}"')
    renamed: dict[str, Any] = json.loads(text)
    return renamed


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
    below: dict[str, Any] = {
        name: {"required": definitions[definition].pop("required")}
        for name, definition in (("market", "Market"), ("costs", "Costs"))
    }
    log = {"required": definitions["Transactions"].pop("required")}
    below["population"] = {"properties": {"transactions": log}}
    properties["extends"] = _EXTENDS
    properties["policy_defaults"] = {
        "$ref": "#/$defs/Policy",
        "description": "What every policy of this scenario starts from.",
    }
    schema["if"] = {"required": ["extends"]}
    schema["else"] = {"required": required, "properties": below}


def _write_defaults(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Write defaults as a file would, not in the engine's units."""
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        schema["properties"][name].pop("default", None)
        if default is None or default is PydanticUndefined:
            continue
        adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
        written = adapter.dump_python(default, mode="json", exclude_defaults=True)
        if written not in ({}, ""):
            schema["properties"][name]["default"] = written


def _untitled(schema: Any) -> Any:
    """Return a schema without the titles that only repeat the names of keys."""
    if isinstance(schema, dict):
        return {
            key: _untitled(item)
            for key, item in schema.items()
            if not (key == "title" and isinstance(item, str))
        }
    return [_untitled(item) for item in schema] if isinstance(schema, list) else schema
