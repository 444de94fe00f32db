"""`--json`: one document on standard output, as its schema says, of every command."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from churnsim.cli import churnsim as group
from churnsim.cli.described import schema_of
from churnsim.cli.outputs import COMMANDS, documents
from churnsim.scenario import json_schema
from tests.benchmarks.made import document as benched
from tests.cli.conftest import ROOT, Answer, Command
from tests.data.made import SMALL, write_log
from tests.experiment.conftest import SHOP

FEW = ("--replications", "3")
PEOPLE = ("--set", "strain.wrath=1", "--set", 'strain.turnover="200 %/year"')
# Each command as one would type it, by what it is a case of.
CASES = {
    "run": ("shop.toml", *FEW),
    "run once": ("shop.toml", "--replications", "1"),
    "run nobody": ("shop.toml", *FEW, "--set", "population.customers=0"),
    "run with hours": (
        *("shop.toml", *FEW, "--set"),
        'policy_defaults.speed.agents=["Mon-Fri 09:00-17:00: 2"]',
    ),
    "run with all": (
        "shop.toml",
        "--policy",
        "slow",
        "--replications",
        "20",
        "--explain",
    ),
    "extend": ("results", "--replications", "3"),
    "explain": ("shop.toml", "--from", "dishonest", *FEW),
    "explain people": ("shop.toml", "--from", "dishonest", *FEW, *PEOPLE),
    "explain alike": ("shop.toml", "--from", "slow", "--to", "slow", *FEW),
    "counterfactuals": ("shop.toml", "--from", "dishonest", *FEW),
    "counterfactuals alike": ("shop.toml", "--from", "slow", "--to", "slow", *FEW),
    "story": ("shop.toml", "--from", "dishonest", "--customer", "3"),
    "breakeven": (
        *("shop.toml", "--policy", "dishonest", "--lever", "market.discovery"),
        *("--high", "0.1", "--replications", "2"),
    ),
    "staff": ("shop.toml", "--target", "50% in 1 min", *FEW),
    "staff shifts": (
        *("shop.toml", "--target", "50% in 1 min", *FEW, "--set"),
        'policy_defaults.speed.agents=["Mon-Fri 09:00-17:00: 2"]',
    ),
    "staff all": ("shop.toml", "--target", "100% in 20s", *FEW),
    "assumptions": ("shop.toml",),
    "robust": (
        *("shop.toml", "--points", "2", "--replications", "2", "--grade", "A"),
        *("--parameter", "market.discovery=0..1"),
    ),
    "sweep": ("sweep.toml", "--out", "swept"),
    "sweep dry run": ("sweep.toml", "--out", "other", "--dry-run"),
    "sweep again": ("failing.toml", "--out", "failed"),
    "status": ("failed",),
    "merge": ("joined", "swept"),
    "export": ("swept", "--out", "rows.csv"),
    "sensitivity": ("swept", "--policy", "dishonest"),
    "sensitivity alone": ("swept", "--of", "lost", "--alone"),
    "discover": ("swept", "--policy", "dishonest", "--above", "$500"),
    "surface": ("swept", "--x", "market.discovery", "--y", "market.lock_in"),
    "calibrate": (
        *("shop.toml", "--targets", "targets.toml", "--simulations", "60"),
        *("--replications", "5", "--draws", "20"),
        *("--parameter", "market.lock_in=-1..2"),
    ),
    "list": (),
    "show": ("shop.toml",),
    "show policy": ("slow",),
    "init": ("mine.toml",),
    "validate": ("telecom", "slow", "shop.toml"),
    "validate all": ("--all", "--only", "published"),
    "validate wrong": ("telecom", "wrong.toml", "nowhere.toml"),
    "fit": ("orders.csv", "--scenario", "fitted.toml"),
    "targets": ("events.csv", "--policy", "slow", "--out", "observed.toml"),
    "targets cross": ("table.csv", "--layout", "cross-section", "--period", "1 year"),
    "fit pareto": ("orders.csv", "--model", "pareto-nbd"),
    "fit cohort": ("cohort.csv", "--model", "sbg"),
    "fit durations": (
        *("calls.csv", "--model", "durations", "--column", "wait"),
        *("--censored", "answered", "--unit", "min"),
    ),
    "verify": ("results",),
    "report": ("results",),
    "plot": ("results", "--out", "charts"),
    "bench": (
        *("--quick", "--customers", "300", "--rounds", "2"),
        *("--compare", "benched.json"),
    ),
    "warmup": (),
}
SWEEP = """\
scenario = "shop.toml"
policies = ["empowered", "slow", "dishonest"]
replications = 2

[design]
kind = "grid"

[[factor]]
field = "market.discovery"
values = ["0 %", "20 %", "40 %", "60 %", "80 %"]

[[factor]]
field = "market.lock_in"
values = [0.0, 0.5, 1.0, 2.0]
"""
TARGETS = """\
policy = "slow"

[[targets]]
figure = "churn"
value = "50 %/year"
of = 150
"""
REFUSED = {"validate wrong", "sweep again"}
# Truth, excuses and lies sum to 1: a lie alone cannot be changed.
FAILING = SWEEP.replace("market.discovery", "policy.slow.honesty.lie")


@pytest.fixture
def folder(churnsim: Command, log: Path, tmp_path: Path) -> Path:
    """Return a folder with a shop, what is wrong, a log, kept results and a sweep."""
    (tmp_path / "shop.toml").write_text(SHOP, encoding="utf-8")
    wrong = SHOP.replace("lock_in = 0.5", 'lock_in = "much"')
    (tmp_path / "wrong.toml").write_text(wrong, encoding="utf-8")
    (tmp_path / "sweep.toml").write_text(SWEEP, encoding="utf-8")
    (tmp_path / "failing.toml").write_text(FAILING, encoding="utf-8")
    (tmp_path / "targets.toml").write_text(TARGETS, encoding="utf-8")
    assert log.is_file()
    write_log(tmp_path / "events.csv", SMALL + "ann,2020-01-01,contact,,,,\n")
    write_log(tmp_path / "table.csv", "churned,tenure,note\n1,5,\n0,x,\n")
    cohort = "period,survivors\n0,1000\n1,631\n2,468\n3,382\n4,326\n5,289\n"
    (tmp_path / "cohort.csv").write_text(cohort, encoding="utf-8")
    calls = "wait,answered\n" + "1,yes\n1.5,no\n2.5,no\n4,no\n" * 10
    (tmp_path / "calls.csv").write_text(calls, encoding="utf-8")
    old = json.dumps(benched(100.0, 40.0))
    (tmp_path / "benched.json").write_text(old, encoding="utf-8")
    kept = churnsim("run", "shop.toml", "--replications", "2", "--out", "results")
    assert kept.code == 0
    (tmp_path / "sweep.toml").write_text(SWEEP, encoding="utf-8")
    swept = churnsim("sweep", "sweep.toml", "--out", "swept")
    assert swept.code == 0
    return tmp_path


def validator(command: str) -> jsonschema.Draft202012Validator:
    """Return what holds a document to its command's schema."""
    schema = schema_of(documents()[command])
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def objects(
    value: Any, schema: Any, whole: Any, seen: set[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield an object of each kind that a document has a list of keys for, by name."""
    kind = schema.get("$ref", "").rpartition("/")[2]
    if kind in seen:
        return
    schema = whole["$defs"][kind] if kind else schema
    if "anyOf" in schema:
        records = [part for part in schema["anyOf"] if "$ref" in part]
        if records and value is not None:
            yield from objects(value, records[0], whole, seen)
    elif isinstance(value, dict):
        if schema.get("additionalProperties") is False:
            seen.add(kind)
            yield kind, value
        for key, item in value.items():
            inner = schema.get("properties", {}).get(key)
            inner = inner or schema.get("additionalProperties", {})
            yield from objects(item, inner, whole, seen)
    elif isinstance(value, list) and value and "items" in schema:
        yield from objects(value[0], schema["items"], whole, seen)


@pytest.mark.compiled
@pytest.mark.usefixtures("folder")
def test_json__of_every_command_is_as_its_schema_says(churnsim: Command) -> None:
    """Real documents pass; with a key more, or one less, in any object they fail.

    One object of each kind is tried, in the first document of the command that has it.
    """
    assert {case.split()[0] for case in CASES} == documents().keys()
    tried: set[tuple[str, str]] = set()
    for case, arguments in CASES.items():
        command = case.split()[0]
        answer: Answer = churnsim(command, *arguments, "--json")
        assert (answer.code != 0) is (case in REFUSED), answer.err
        document = json.loads(answer.out)
        rules = validator(command)
        rules.validate(document)
        for kind, found in list(objects(document, rules.schema, rules.schema, set())):
            if (command, kind) in tried:
                continue
            tried.add((command, kind))
            found["surplus"] = 1
            assert not rules.is_valid(document), (case, kind, "more")
            del found["surplus"]
            first = next(iter(found))
            value = found.pop(first)
            assert not rules.is_valid(document), (case, kind, "less")
            found[first] = value


@pytest.mark.compiled
@pytest.mark.usefixtures("folder")
def test_json__errors_are_not_in_it(churnsim: Command) -> None:
    """What is refused leaves standard output empty; a bad file's problems are told."""
    answer = churnsim("run", "shop.toml", "--policy", "slwo", "--json")
    assert (answer.code, answer.out) == (2, "")
    assert "did you mean 'slow'?" in answer.err
    answer = churnsim("validate", "wrong.toml", "--json")
    (found,) = json.loads(answer.out)["files"]
    assert (found["kind"], found["is_valid"]) == ("scenario", False)
    (problem,) = found["problems"]
    assert (problem["field"], problem["value"]) == ("market.lock_in", '"much"')
    assert problem["rule"] in answer.err


def test_json__settings_are_a_scenario(churnsim: Command) -> None:
    """The settings that `show --json` prints pass the schema of scenario files."""
    for name in ("telecom", "hotel"):
        document = json.loads(churnsim("show", name, "--json").out)
        jsonschema.validate(document["settings"], json_schema())


def test_json__is_an_option_of_every_command() -> None:
    """Each command takes --json, and each but `schema` has a schema of its document."""
    for name, command in group.commands.items():
        options = [o for p in command.params for o in (*p.opts, *p.secondary_opts)]
        assert "--json" in options, name
    assert set(COMMANDS) == group.commands.keys() - {"schema"}
    assert tuple(documents()) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_schema__says_what_each_key_of_a_document_means(
    command: str, churnsim: Command
) -> None:
    """`schema --output` prints the schema; what is no plain name is described."""
    schema = json.loads(churnsim("schema", "--output", command, "--json").out)
    assert schema == json.loads(json.dumps(schema_of(documents()[command])))
    assert f"churnsim {command}" in schema["title"] or "written" in schema["properties"]
    described = [
        "description" in part
        for record in (schema, *schema["$defs"].values())
        for part in record["properties"].values()
    ]
    assert sum(described) >= 0.7 * len(described)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("schema", "policy", "--output", "run"), "leave it or --output out"),
        (("schema", "--markdown", "--output", "run"), "leave it or --output out"),
        (("schema", "--output", "rnu"), "is not one of 'run'"),
        (("show", "telecom", "--toml", "--json"), "choose one"),
    ],
)
def test_json__options_that_do_not_go_together_are_refused(
    arguments: tuple[str, ...], told: str, churnsim: Command
) -> None:
    """Two forms at once, or what there is no schema of: exit code 2, no output."""
    answer = churnsim(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.err


def test_schema__of_documents_is_on_the_page() -> None:
    """docs/json.md names every command and how to get its schema."""
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    assert all(f"`churnsim {command}`" in page for command in COMMANDS)
    assert "churnsim schema --output run" in page
