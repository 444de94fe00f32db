"""list, show, init, validate and schema: files found, shown, made and checked."""

import json
import tomllib
from pathlib import Path

import pytest

from churnsim.cli.policies import load_policy
from churnsim.errors import ExitCode
from churnsim.report.reference import reference
from churnsim.scenario import (
    json_schema,
    list_policies,
    list_scenarios,
    load_scenario,
)
from churnsim.scenario.files import ready_files
from tests.cli.conftest import ROOT, Command
from tests.logs import shop_of_a_log
from tests.scenario.examples import PURCHASE, changed


def test_list__names_all_that_is_ready(churnsim: Command) -> None:
    """Each ready scenario and policy is listed with its title."""
    answer = churnsim("list")
    assert answer.code == 0
    rows = {line.split()[0]: line for line in answer.out.splitlines() if line.strip()}
    assert set(list_scenarios()) | set(list_policies()) <= rows.keys()
    assert rows["telecom"].endswith(load_scenario("telecom").title)


@pytest.mark.parametrize("name", list_scenarios())
def test_show__toml_is_the_scenario(name: str, churnsim: Command) -> None:
    """What `show --toml` prints loads to the same digest."""
    answer = churnsim("show", name, "--toml")
    assert answer.code == 0
    Path("again.toml").write_text(answer.out, encoding="utf-8")
    assert load_scenario("again.toml").digest == load_scenario(name).digest


@pytest.mark.parametrize("name", list_policies())
def test_show__toml_is_the_policy(name: str, churnsim: Command) -> None:
    """A policy's `show --toml` is a policy file with the same settings."""
    Path("again.toml").write_text(churnsim("show", name, "--toml").out, "utf-8")
    assert churnsim("validate", "again.toml").out == "again.toml: a valid policy\n"
    assert load_policy(Path("again.toml")) == load_policy(ready_files("policies")[name])


def test_show__tells_values_and_differences(churnsim: Command) -> None:
    """A scenario is shown with its values, and policies by what they change."""
    answer = churnsim("show", "telecom", "--set", "market.lock_in=1.5")
    rows = [line.split() for line in answer.out.splitlines()]
    assert ["lock_in", "1.5"] in [row[:2] for row in rows]
    slow = answer.out.partition("policy slow, which is empowered but for\n")[2]
    block = slow.partition("\n\n")[0].splitlines()
    assert all(line.split()[0].startswith(("speed.", "authority.")) for line in block)
    assert any("authority.limit" in line and "$0" in line for line in block)


def test_show__tells_what_figures_rest_on(churnsim: Command) -> None:
    """A grade and source in the file stand beside the value, unless it is changed."""
    graded = changed("probability", "probability = 0.05  # B: a survey of shops")
    Path("shop.toml").write_text(graded, encoding="utf-8")
    told = " ".join(churnsim("show", "shop.toml").out.split())
    assert "(B: a survey of shops)" in told
    pair = "mistakes.late.probability=0.06"
    assert "a survey of shops" not in churnsim("show", "shop.toml", "--set", pair).out


def test_show__policies_take_no_overrides(churnsim: Command) -> None:
    """`--set` with a policy is refused, with what to type instead."""
    answer = churnsim("show", "slow", "--set", "speed.agents=1")
    assert answer.code == ExitCode.INPUT
    assert "show telecom --set policy.slow." in answer.err


def test_init__writes_a_scenario_that_is_valid(churnsim: Command) -> None:
    """The starter is complete and valid, and says how to go on."""
    answer = churnsim("init", "my firm.toml")
    assert answer.code == 0
    assert "churnsim run 'my firm.toml'" in answer.out
    assert churnsim("validate", "my firm.toml").code == 0
    assert load_scenario("my firm.toml").title == "My firm"


def test_init__does_not_overwrite(churnsim: Command) -> None:
    """A file that is there stays as it is, unless --force is given."""
    file = Path("scenario.toml")
    file.write_text("mine", encoding="utf-8")
    answer = churnsim("init")
    assert answer.code == ExitCode.INPUT
    assert "--force" in answer.err
    assert file.read_text(encoding="utf-8") == "mine"
    assert churnsim("init", "--force").code == 0
    assert tomllib.loads(file.read_text(encoding="utf-8"))


def test_init__refuses_other_suffixes(churnsim: Command) -> None:
    """A file that `run` would take for a ready name is not written."""
    answer = churnsim("init", "firm")
    assert answer.code == ExitCode.INPUT
    assert "firm.toml" in answer.err
    assert not Path("firm").exists()


def test_init__tells_a_folder_that_cannot_be_written(churnsim: Command) -> None:
    """A folder that is not there is a storage error of one line."""
    answer = churnsim("init", "no/where.toml")
    assert answer.code == ExitCode.STORAGE
    assert len(answer.err.splitlines()) == 1


def test_validate__tells_all_errors_of_all_files(churnsim: Command) -> None:
    """Every mistake in every file is told with its line, and good files pass."""
    wrong = changed("horizon", 'horizn = "2 years"', changed("margin", "margin = 2"))
    Path("wrong.toml").write_text(wrong, encoding="utf-8")
    Path("policy.toml").write_text("[honesty]\ntruht = 1.0\n", encoding="utf-8")
    answer = churnsim("validate", "telecom", "wrong.toml", "policy.toml", "none.toml")
    assert answer.code == ExitCode.INPUT
    assert answer.out == "telecom: a valid scenario of 5 policies\n"
    assert "wrong.toml:2: horizn: unknown key; did you mean 'horizon'?" in answer.err
    assert "costs.margin: must be in [0, 1]" in answer.err
    assert "did you mean 'truth'?" in answer.err
    assert "none.toml" in answer.err
    assert "Traceback" not in answer.err


def test_validate__tells_warnings(churnsim: Command) -> None:
    """What is allowed but rarely meant is told, and is no error."""
    Path("still.toml").write_text(
        changed("rate", 'rate = { law = "constant", mean = "0/year" }', PURCHASE),
        "utf-8",
    )
    answer = churnsim("validate", "still.toml")
    assert answer.code == 0
    assert answer.err.startswith("warning: ")


def test_validate__reads_and_fits_the_log(churnsim: Command, tmp_path: Path) -> None:
    """What is unusual about a scenario's log is told, by `run` too; errors refuse it.

    A row that is wrong is one, and that too little is there to fit.
    """
    file = shop_of_a_log(tmp_path, 200)
    log = tmp_path / "log.csv"
    rows = log.read_text().splitlines()
    log.write_text("\n".join([*rows, rows[1], rows[2]]) + "\n")
    what = "rows equal an earlier one in every field (kept: their amounts are added)"
    told = f"warning: log.csv: 2 {what}"
    answer = churnsim("validate", file.name)
    assert answer.code == 0
    assert answer.err == f"{told}\n"
    how = ["--engine", "reference", "--replications", "1", "--horizon", "30 days"]
    ran = churnsim("run", file.name, *how)
    assert ran.code == 0
    assert told in " ".join(ran.out.split())
    log.write_text("\n".join([*rows, "c000,2020-02-30,5"]) + "\n")
    answer = churnsim("validate", file.name, "--json")
    assert answer.code == ExitCode.INPUT
    assert f"log.csv:{len(rows) + 1}: date" in answer.err
    assert not json.loads(answer.out)["is_valid"]
    log.write_text("\n".join(rows[:2]) + "\n")
    assert churnsim("validate", file.name).code == ExitCode.INPUT


@pytest.mark.parametrize("kind", ["scenario", "policy"])
def test_schema__is_the_json_schema(kind: str, churnsim: Command) -> None:
    """`schema` prints the JSON Schema and nothing else."""
    answer = churnsim("schema", kind)
    assert answer.code == 0
    assert answer.err == ""
    expected = json_schema("policy" if kind == "policy" else "scenario")
    assert json.loads(answer.out) == json.loads(json.dumps(expected))


def test_schema__reference_in_docs_is_current(churnsim: Command) -> None:
    """docs/scenarios.md is what `churnsim schema --markdown` prints now."""
    written = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    assert churnsim("schema", "--markdown").out == written


def test_reference__names_every_setting() -> None:
    """Each setting of each table of the schema has a row in the reference."""
    schema = json_schema()
    text = reference(schema)
    tables = [schema, *schema["$defs"].values()]
    for table in tables:
        if "law" in table["properties"]:
            continue
        for name, field in table["properties"].items():
            is_table = "$ref" in field or "additionalProperties" in field
            assert is_table or f"`{name}`" in text or f"{name}]]`" in text
