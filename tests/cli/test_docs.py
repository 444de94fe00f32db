"""The README and the guide: what they tell people to type can be typed."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from churnsim.cli import churnsim as group
from churnsim.errors import ExitCode
from tests.cli.conftest import ROOT

PAGES = (
    ROOT / "README.md",
    ROOT / "docs" / "guide.md",
    ROOT / "docs" / "attribution.md",
    ROOT / "docs" / "benchmarks.md",
    ROOT / "docs" / "counterfactuals.md",
    ROOT / "docs" / "breakeven.md",
    ROOT / "docs" / "staffing.md",
    ROOT / "docs" / "evidence.md",
    ROOT / "docs" / "sensitivity.md",
    ROOT / "docs" / "calibration.md",
    ROOT / "docs" / "sweeps.md",
    ROOT / "docs" / "intervals.md",
    ROOT / "docs" / "data.md",
    ROOT / "docs" / "posterior.md",
    ROOT / "docs" / "from_log_to_decision.md",
    ROOT / "docs" / "json.md",
    ROOT / "docs" / "fitting.md",
    ROOT / "docs" / "scenarios_library.md",
    ROOT / "docs" / "validation.md",
    ROOT / "docs" / "model.md",
)
TYPED = re.compile(r"(?m)(?:^    |`)churnsim ([^`\n#]+)")
LINK = re.compile(r"\]\(([^)#:]+)\)")


def commands() -> list[tuple[str, str]]:
    """Return every command on the pages, with its page."""
    return [
        (page.name, found.strip())
        for page in PAGES
        for found in TYPED.findall(page.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(("page", "typed"), commands())
def test_docs__commands_can_be_typed(page: str, typed: str) -> None:
    """Each command on a page exists and takes the options that the page gives it."""
    name, *arguments = shlex.split(typed)
    assert name in group.commands, page
    # A bare mention such as `churnsim validate` leaves the file to the reader.
    if arguments or name in {"run", "list", "init", "schema"}:
        group.commands[name].make_context(name, arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_docs__links_lead_somewhere(page: Path) -> None:
    """Each link to a file of the project leads to one."""
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert all((page.parent / link).is_file() for link in links)


def test_docs__every_command_is_shown() -> None:
    """Each command is used on a page."""
    assert {typed.split()[0] for _, typed in commands()} >= group.commands.keys() - {
        "schema"
    }


@pytest.mark.compiled
def test_docs__python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """The README's Python works as it stands; fewer customers keep it quick."""
    text = PAGES[0].read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    small = '["population.customers=200", "horizon=90 days"]'
    for named in ('compare("telecom"', 'load_scenario("telecom"'):
        code = code.replace(named, f"{named}, overrides={small}")
    code = code.replace("replications=20", "replications=2")
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - what a reader would type
    assert names["comparison"].sentence() in capsys.readouterr().out
    assert len(names["table"]) == 10
    assert len(names["chart"].to_dict()["datasets"]["rows"]) == 3
    assert names["reasons"].source == "dishonest"
    assert names["customers"].num_rows >= 200
    assert names["events"].num_rows > 0


def test_docs__exit_codes_are_those_of_the_code() -> None:
    """The README's table of exit codes has each code once."""
    text = PAGES[0].read_text(encoding="utf-8").partition("## Exit codes")[2]
    codes = [int(code) for code in re.findall(r"(?m)^\| (\d+) \|", text)]
    assert codes == sorted(int(code) for code in ExitCode)
