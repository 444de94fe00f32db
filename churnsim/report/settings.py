"""Resolved settings as text: every value in its unit, with what it means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel

from churnsim.report.columns import aligned, paragraph
from churnsim.scenario import Policy, Scenario
from churnsim.scenario.evidence import Evidence
from churnsim.scenario.laws import Observed
from churnsim.scenario.model import Spec
from churnsim.units import GENERIC_CURRENCY

DESCRIBED = "title"  # shown above, not as a setting
GRADES = "A: behaviour or official, B: survey, C: recalled, D: assumed by us"
ABSENT = "absent"  # of a setting that a policy does without
OF_POLICIES = ("policy", "policies", "baseline")
# What stands around a meaning for those who know the model: its symbol, "no unit".
INSIDE = re.compile(r"^\w: | \[-\](?=$|\.$)")


class Setting(NamedTuple):
    """One resolved setting."""

    section: str  # dotted, as a file's [header]
    key: str
    value: object  # as JSON holds it, in the unit of its field
    meaning: str  # one sentence

    @property
    def text(self) -> str:
        """Return the value as one reads it."""
        return value_text(self.value)

    @property
    def path(self) -> str:
        """Return its dotted name, as `--set` takes it."""
        return f"{self.section}.{self.key}" if self.section else self.key


def settings_of(model: BaseModel, currency: str, section: str = "") -> list[Setting]:
    """Return all settings of a validated table and of those below it."""
    dumped = model.model_dump(
        mode="json", exclude_none=True, context={"currency": currency}
    )
    return list(_walk(model, dumped, section))


def meaning_of(path: str) -> str:
    """Return what a scenario's setting means, in a phrase; "" where nothing is known.

    Args:
        path: Its dotted name; what a mistake or policy is called comes first in the
            phrase: "Outage: how much it hurts [log-odds]".
    """
    table: type[BaseModel] | None = Spec
    told = name = ""
    is_name = False
    for word in path.split("."):
        if is_name:
            name, is_name = word.replace("_", " "), False
            continue
        field = table.model_fields.get(word) if table else None
        if field is None:
            return ""
        told = (field.description or "").partition(";")[0].rstrip(".:")
        table = _table_in(field.annotation)
        is_name = table is not None and get_origin(field.annotation) in {tuple, dict}
    phrase = INSIDE.sub("", told)
    if phrase and name:
        phrase = f"{name}: {phrase[0].lower()}{phrase[1:]}"
    return f"{phrase[:1].upper()}{phrase[1:]}"


def derived_of(scenario: Scenario) -> dict[str, dict[str, object]]:
    """Return settings that follow from others, by dotted name, as a file has them."""
    if not isinstance(scenario.spec.market.dropout, Observed):
        return {}
    # Here, since mistakes are weighed with the compiled model.
    from churnsim.scenario.ordinary import ordinary_dropout

    law = ordinary_dropout(scenario.spec)
    return {"market.dropout": law.model_dump(mode="json")}


def scenario_text(
    scenario: Scenario, evidence: Mapping[str, Evidence], width: int
) -> str:
    """Return a scenario's resolved settings; of policies, what each does differently.

    Args:
        scenario: What to show.
        evidence: What its figures rest on, by dotted name.
        width: Columns to fit into.
    """
    spec = scenario.spec
    n_policies = len(scenario.policy_names)
    names = ", ".join(scenario.policy_names)
    lines = [
        f"{scenario.title} ({scenario.name})",
        f"digest {scenario.digest}",
        *([GRADES] if evidence else []),
        "",
        paragraph(f"compares {n_policies} policies: {names}", width),
    ]
    own = [
        setting
        for setting in settings_of(spec, scenario.currency)
        if setting.section.split(".")[0] not in OF_POLICIES
        and setting.key not in OF_POLICIES
    ]
    lines += _sections(own, evidence, width)
    if derived := derived_of(scenario):
        under = spec.market.observed_under or scenario.baseline
        lines += [
            "",
            paragraph(
                f"derived: market.dropout is {value_text(derived['market.dropout'])},"
                f" so that about as many leave under {under} as are observed to",
                width,
            ),
        ]
    base = scenario.baseline
    known = settings_of(spec.policy[base], scenario.currency)
    lines += ["", f"policy {base}, which the others are measured against"]
    lines += _sections(known, {}, width)
    for name in scenario.policy_names:
        if name != base:
            there = settings_of(spec.policy[name], scenario.currency)
            lines += ["", *_differences(name, base, there, known, width)]
    return "\n".join(lines)


def policy_text(
    name: str, policy: Policy, evidence: Mapping[str, Evidence], width: int
) -> str:
    """Return a policy's resolved settings, amounts in any currency."""
    currency = GENERIC_CURRENCY
    title = f"{policy.title} ({name})" if policy.title else name
    return "\n".join(
        [title, *_sections(settings_of(policy, currency), evidence, width)]
    )


def _walk(
    model: BaseModel, dumped: Mapping[str, Any], section: str
) -> Iterator[Setting]:
    """Yield a table's own settings, then those of the tables below it."""
    below = []
    for key, value in dumped.items():
        held = getattr(model, key)
        field = type(model).model_fields[key]
        inner = f"{section}.{key}" if section else key
        is_table = isinstance(value, dict) and "law" not in value
        if isinstance(held, BaseModel) and is_table:
            below.append((inner, held, value))
        elif isinstance(held, dict):
            below += [(f"{inner}.{k}", v, value[k]) for k, v in held.items()]
        elif _are_named_tables(held):
            below += [
                (f"{inner}.{item.name}", item, shown)
                for item, shown in zip(held, value, strict=True)
            ]
        elif key != DESCRIBED and section.rpartition(".")[2] != value:
            yield Setting(section, key, value, field.description or "")
    for inner, held, value in below:
        yield from _walk(held, value, inner)


def _table_in(annotation: object) -> type[BaseModel] | None:
    """Return the table that a field may hold, itself or many of it; laws are none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return None if "law" in annotation.model_fields else annotation
    found = (_table_in(part) for part in get_args(annotation))
    return next((table for table in found if table), None)


def _are_named_tables(held: object) -> bool:
    return isinstance(held, tuple) and bool(held) and hasattr(held[0], "name")


def value_text(value: object) -> str:
    """Return a value as one reads it: laws by name and figures, lists by commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(map(value_text, value)) or "none"
    if not isinstance(value, dict):
        return str(value)
    law = value.get("law")
    if law == "constant":
        return value_text(value["mean"])
    parts = [f"{k} {value_text(v)}" for k, v in value.items() if k != "law"]
    return " ".join([f"{law}:", ", ".join(parts)]) if law else ", ".join(parts)


def _sections(
    settings: list[Setting], evidence: Mapping[str, Evidence], width: int
) -> list[str]:
    lines: list[str] = []
    sizes = (
        max((len(s.key) for s in settings), default=0),
        min(34, max((len(s.text) for s in settings), default=0)),
    )
    told: set[tuple[str, str]] = set()
    for section in dict.fromkeys(s.section for s in settings):
        rows = []
        for s in settings:
            if s.section == section:
                # What each kind of mistake has in common is explained once.
                meaning = "" if (s.key, s.meaning) in told else s.meaning
                told.add((s.key, s.meaning))
                if s.path in evidence:
                    grade, source = evidence[s.path]
                    meaning = f"{meaning} ({grade}: {source})".strip()
                rows.append((s.key.ljust(sizes[0]), s.text.ljust(sizes[1]), meaning))
        lines += ["", f"[{section}]"] if section else [""]
        lines += aligned(rows, width, indent=2)
    return lines


def _differences(
    name: str, base: str, there: list[Setting], known: list[Setting], width: int
) -> list[str]:
    before = {s.path: s.text for s in known}
    now = {s.path: s.text for s in there}
    rows = [
        (path, now.get(path, ABSENT), f"not {before.get(path, ABSENT)}")
        for path in dict.fromkeys([*before, *now])
        if now.get(path) != before.get(path)
    ]
    if not rows:
        return [f"policy {name}, which is {base}"]
    return [f"policy {name}, which is {base} but for", *aligned(rows, width, indent=2)]
