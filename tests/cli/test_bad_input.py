"""What users get wrong, the same in every command: the rule, the value, the cure."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from churnsim import breakeven, compare, counterfactuals, explain, story
from churnsim.errors import ChurnsimError, ExitCode, InputError
from churnsim.experiment import Search, read_results, verify_results
from churnsim.scenario import Scenario, load_scenario
from tests.cli.conftest import Command
from tests.experiment.conftest import SHOP

LEVER = ("--lever", "market.discovery")
FEW = ("--replications", "2")


@pytest.fixture
def shop_file(tmp_path: Path) -> Path:
    """Return the file of the small shop, with a policy that is another by name only."""
    path = tmp_path / "shop.toml"
    text = SHOP.replace('"=1+1"]', '"=1+1", "alias"]', 1)
    text += '\n[policy.alias]\nextends = "slow"\n'
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def shop(shop_file: Path) -> Scenario:
    """Return the small shop."""
    return load_scenario(shop_file)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("run", "--policy", "slwo"), "did you mean 'slow'?"),
        (("explain", "--from", "slwo"), "did you mean 'slow'?"),
        (("explain", "--to", "slwo"), "did you mean 'slow'?"),
        (("counterfactuals", "--from", "slwo"), "did you mean 'slow'?"),
        (("story", "--to", "slwo", "--customer", "1"), "did you mean 'slow'?"),
        (("breakeven", "--policy", "slwo", *LEVER), "did you mean 'slow'?"),
        (
            ("breakeven", "--policy", "slow", "--against", "slwo", *LEVER),
            "did you mean 'slow'?",
        ),
        (
            ("breakeven", "--policy", "slow", "--lever", "market.discvery"),
            "did you mean 'discovery'?",
        ),
        (
            ("breakeven", "--policy", "slow", "--lever", "sped.agents"),
            "did you mean 'speed'?",
        ),
        (("staff", "--policy", "slwo", "--target", "80% in 20s"), "mean 'slow'?"),
        (("staff", "--target", "80 in 20"), "--target: must be a share of contacts"),
        (("run", "--set", "policy.slow.sped.agents=1"), "did you mean 'speed'?"),
        (("run", "--set", "market.lok_in=1"), "did you mean 'lock_in'?"),
        (("story", "--customer", "-1"), "must be from 0 to"),
        (
            ("story", "--customer", "999999999"),
            "20,000 are customers at the start, prospects come after them",
        ),
    ],
)
def test_bad_input__is_refused_in_one_line(
    arguments: tuple[str, ...], told: str, churnsim: Command
) -> None:
    """An unknown policy, lever or customer: exit code 2, and one line."""
    for more in ((), ("--json",)):
        answer = churnsim(*arguments, *more)
        assert answer.code == ExitCode.INPUT
        assert answer.out == ""
        assert told in answer.err
        assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda shop: compare(shop, policies=["slwo"]), "did you mean 'slow'"),
        (lambda shop: explain(shop, "slwo"), "did you mean 'slow'"),
        (lambda shop: counterfactuals(shop, target="slwo"), "did you mean 'slow'"),
        (lambda shop: story(shop, 1, "slwo"), "did you mean 'slow'"),
        (lambda shop: breakeven(shop, LEVER[1], "slwo"), "did you mean 'slow'"),
        (lambda shop: breakeven(shop, "speed.agent", "slow"), "did you mean 'agents'"),
        (lambda shop: story(shop, 10**9), "150 are customers at the start"),
        (lambda shop: story(shop, -1), "must be from 0 to"),
        (lambda shop: story(shop, True), "must be a whole number"),
        (lambda shop: compare(shop, replications=0), "must be from 1 to"),
    ],
)
def test_bad_input__is_refused_in_python(
    ask: Callable[[Scenario], object], told: str, shop: Scenario
) -> None:
    """The same mistakes in Python raise one error, which is one line."""
    with pytest.raises(InputError, match=told) as refused:
        ask(shop)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("run", "--policy", "alias", "--set", 'baseline="slow"'),
            'policy "alias" makes no difference to this firm',
        ),
        (("explain", "--from", "alias", "--to", "slow"), "there is nothing to explain"),
        (("explain", "--from", "slow", "--to", "slow"), "there is nothing to explain"),
        (("counterfactuals", "--from", "slow", "--to", "slow"), "no customer's fate"),
        (
            ("counterfactuals", "--from", "alias", "--to", "slow"),
            "who is lost under alias stays under slow",
        ),
        (
            ("story", "--customer", "3", "--from", "alias", "--to", "slow"),
            "The policy makes no difference to customer 3",
        ),
        (
            ("breakeven", "--policy", "alias", "--against", "slow", *LEVER),
            "they earn exactly the same",
        ),
        (
            ("breakeven", "--policy", "slow", "--against", "slow", *LEVER),
            "they earn exactly the same",
        ),
    ],
)
@pytest.mark.usefixtures("shop_file")
def test_alike__is_a_plain_sentence(
    arguments: tuple[str, ...], told: str, churnsim: Command
) -> None:
    """Policies that do not differ: one plain sentence and exit code 0, JSON too."""
    name, *options = arguments
    few = () if name == "story" else FEW
    answer = churnsim(name, "shop.toml", *options, *few)
    assert (answer.code, answer.err) == (ExitCode.OK, "")
    assert told in " ".join(answer.out.split())
    document = json.loads(churnsim(name, "shop.toml", *options, *few, "--json").out)
    sentences = [document["sentence"], *document.get("sentences", {}).values()]
    assert any(told in sentence for sentence in sentences)


@pytest.mark.compiled
@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("explain", "--from", "dishonest"),
        ("counterfactuals", "--from", "dishonest"),
        ("breakeven", "--policy", "dishonest", *LEVER, "--high", "0.1"),
    ],
)
@pytest.mark.usefixtures("shop_file")
def test_one_replication__is_said_before_any_figure(
    arguments: tuple[str, ...], churnsim: Command
) -> None:
    """The first line says that there are no intervals; so do sentence and table."""
    name, *options = arguments
    answer = churnsim(name, "shop.toml", *options, "--replications", "1")
    assert answer.code == ExitCode.OK
    told = " ".join(answer.out.split())
    head = told.partition("no intervals, and chance may have made any figure")[0]
    assert head.endswith("one replication: ")
    assert "$" not in head
    assert "mean of" not in told
    assert "one replication, so no interval" in told
    if name != "counterfactuals":
        assert " none " in told


@pytest.fixture
def results(churnsim: Command, shop_file: Path, tmp_path: Path) -> Path:
    """Return a folder of results."""
    assert shop_file.is_file()
    assert churnsim("run", "shop.toml", *FEW, "--out", "results").code == 0
    return tmp_path / "results"


def half(folder: Path) -> None:
    """Leave what a run that was killed while it wrote could leave."""
    (folder / "manifest.json").unlink()


def cut(folder: Path) -> None:
    """Cut the manifest short."""
    path = folder / "manifest.json"
    path.write_bytes(path.read_bytes()[:100])


def of_version(version: int) -> Callable[[Path], None]:
    """Return what makes results look like another version's."""

    def change(folder: Path) -> None:
        path = folder / "manifest.json"
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        text = json.dumps({**known, "format_version": version})
        path.write_text(text, encoding="utf-8")

    return change


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("damage", "code", "told"),
    [
        (half, ExitCode.INPUT, "name a folder that churnsim run --out has written"),
        (cut, ExitCode.STORAGE, "it was changed or cut; run the scenario again"),
        (of_version(0), ExitCode.STORAGE, "read it with the churnsim that wrote it"),
        (of_version(99), ExitCode.STORAGE, "read it with the churnsim that wrote it"),
        (shutil.rmtree, ExitCode.INPUT, "must be a folder of results"),
    ],
)
def test_results__damaged_or_of_another_version_are_refused(
    damage: Callable[[Path], None],
    code: ExitCode,
    told: str,
    results: Path,
    churnsim: Command,
) -> None:
    """Every command and function that reads results refuses them in one line."""
    damage(results)
    for command in (
        ("verify", "results", "--json"),
        ("report", "results", "--out", "page.html"),
        ("plot", "results", "--out", "charts"),
    ):
        answer = churnsim(*command)
        assert (answer.code, answer.out) == (code, "")
        assert told in answer.err
        assert len(answer.err.splitlines()) == 1
    for read in (read_results, verify_results):
        with pytest.raises(ChurnsimError, match=told):
            read(results)
    assert not Path("page.html").exists()
    assert not Path("charts").exists()


@pytest.mark.compiled
def test_breakeven__of_a_policy_with_itself_is_idle(shop: Scenario) -> None:
    """The same policy on both sides earns the same at every value of its own lever."""
    found = breakeven(
        shop,
        "speed.approval.mean",
        "slow",
        "slow",
        search=Search(replications=2, low="1 h", high="9 days"),
    )
    assert found.verdict == "idle"
    assert all(point.total[:3] == (0.0, 0.0, 0.0) for point in found.points)
