"""`churnsim run` and `verify`: the table, the JSON, the folder, the exit codes."""

import json
import math
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from churnsim.cli import run
from churnsim.cli.progress import Report, progress
from churnsim.errors import ExitCode, InterruptedRun, PartialError, ResourceError
from churnsim.report.amounts import count_cells, money_cells, scale_of
from churnsim.storage import sealed, sha256
from tests.cli.conftest import Answer, Command

pytestmark = pytest.mark.compiled

SMALL = (
    "--replications",
    "3",
    "--horizon",
    "1 year",
    "--set",
    "population.customers=200",
)
NAMES = ["empowered", "slow", "dishonest", "slow_and_dishonest", "flawless"]


def cells(answer: Answer, label: str) -> list[str]:
    """Return the cells of the row of the table that begins with a label."""
    (row,) = (line for line in answer.out.splitlines() if line.startswith(label))
    text = row.removeprefix(label).strip()
    return [cell.strip() for cell in text.split("  ") if cell.strip()]


def figure(document: dict[str, Any], name: str) -> list[float]:
    """Return a figure's mean under each policy."""
    policies = document["policies"].values()
    return [policy["figures"][name]["mean"] for policy in policies]


def test_run__table_and_json_have_the_same_numbers(churnsim: Command) -> None:
    """The table shows, rounded, what the JSON document holds in full."""
    table, whole = churnsim("run", *SMALL), churnsim("run", *SMALL, "--json")
    assert table.code == whole.code == 0
    document = json.loads(whole.out)
    assert list(document["policies"]) == NAMES
    for label, name in (("Revenue", "revenue"), ("Contribution", "contribution")):
        row = next(r for r in table.out.splitlines() if r.split()[:1] == [label])
        shown = money_cells(figure(document, name), "$")
        assert [c.strip() for c in row[32:].split("  ") if c.strip()] == list(shown)
    shown = count_cells(figure(document, "lost"))
    assert cells(table, "Customers lost") == list(shown)
    losses = {
        loss["policy"]: loss["total"]
        for loss in document["losses"]
        if (loss["against"], loss["measure"]) == ("baseline", "revenue")
        and loss["policy"] != "flawless"
    }
    bounds = [x for total in losses.values() for x in list(total.values())[:3]]
    expected = money_cells(
        [losses[name]["mean"] for name in NAMES[1:-1]], "$", scale_of(bounds)
    )
    row_of_losses = cells(table, "Revenue lost against empowered")
    assert row_of_losses == ["–", *expected, "–"]
    assert document["sentence"] in " ".join(table.out.split())
    assert document["seed"] == 2026
    assert document["scenario_digest"][:12] in table.out


def test_run__tells_what_to_keep_in_mind(churnsim: Command) -> None:
    """Rough intervals and assumptions are named, and how to get the numbers again."""
    answer = churnsim("run", *SMALL, "--seed", "5")
    assert answer.code == 0
    words = " ".join(answer.out.split())
    assert "warning: 3 replications: intervals are rough below 20" in words
    assert "(grade D)" in words
    assert "hang on it, most on what comes first: discovery (0.47); " in words
    named = words.partition("comes first: ")[2].partition(". Try others")[0]
    assert len(named.split("; ")) == 8
    show = "churnsim show telecom --set population.customers=200"
    assert f"5 more are among those marked D by: {show} " in words
    shown = " ".join(churnsim(*shlex.split(show)[1:]).out.split())
    assert "drift 0.07" in shown
    assert "(D: " in shown.partition("drift 0.07")[2].partition("delight")[0]
    again = answer.out.splitlines()[-1].strip()
    assert again == (
        "churnsim run telecom --replications 3 --seed 5 --horizon '1 year' "
        "--set population.customers=200"
    )


@pytest.mark.parametrize(("width", "n_blocks"), [(60, 3), (80, 2), (100, 1)])
def test_run__fits_the_width(
    width: int, n_blocks: int, churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider than the terminal, but for the command to type again."""
    monkeypatch.setattr(run, "columns", lambda: width)
    lines = churnsim("run", *SMALL).out.splitlines()
    assert max(map(len, lines[:-1])) <= width
    assert sum(line.startswith("Revenue  ") for line in lines) == n_blocks


def test_run__policies_can_be_chosen(churnsim: Command) -> None:
    """`--policy` runs that policy, the baseline and flawless, a ready one too."""
    answer = churnsim("run", *SMALL, "--policy", "blame_game", "--json")
    assert answer.code == 0
    assert set(json.loads(answer.out)["policies"]) == {
        "empowered",
        "blame_game",
        "flawless",
    }


def test_run__names_no_assumption_that_does_not_act(churnsim: Command) -> None:
    """Where no policy compared lies, what a lie costs is only in the JSON document."""
    options = ("run", *SMALL, "--policy", "slow")
    words = " ".join(churnsim(*options).out.split())
    assert "grade D" in words
    assert "lock_in (3.62)" in words
    assert "discovery" not in words
    told = json.loads(churnsim(*options, "--json").out)["assumptions"]
    acting = [item["acts"] for item in told]
    assert acting == sorted(acting, reverse=True)
    assert {item["key"] for item in told if not item["acts"]} == {
        f"market.{name}" for name in ("discovery", "placated", "lie_sting", "betrayal")
    }


def test_run__engines_agree(churnsim: Command) -> None:
    """The reference and the interpreted kernel give the kernel's numbers."""
    tiny = ("--replications", "1", "--horizon", "60 days", "--json", "--set")
    documents = []
    for engine in ("kernel", "interpreted", "reference"):
        tail = (*tiny, "population.customers=50", "--engine", engine)
        answer = churnsim("run", *tail)
        assert answer.code == 0
        document = json.loads(answer.out)
        assert document.pop("engine") == engine
        documents.append(document)
    assert documents[0] == documents[1] == documents[2]


def test_run__one_replication_has_no_interval(churnsim: Command) -> None:
    """With one replication the table has no interval, and says why."""
    answer = churnsim("run", *SMALL, "--replications", "1")
    assert "95 % interval from" not in answer.out
    rows = [line for line in answer.out.splitlines() if "95 % interval" in line]
    assert [line.count("none") for line in rows] == [3, 4]
    assert "one replication: there are no intervals" in answer.out


def test_run__nobody_is_no_error(churnsim: Command) -> None:
    """A firm without customers gives an empty table, and never 'nan'."""
    nobody = ("population.customers=0", "population.prospects=0/year")
    pairs = [word for pair in nobody for word in ("--set", pair)]
    answer = churnsim("run", *SMALL, *pairs)
    assert answer.code == 0
    assert "no data" in answer.out
    assert "nan" not in answer.out.split()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("nowhere.toml",), ExitCode.INPUT, "must be a file that exists"),
        (("--horizon", "2"), ExitCode.INPUT, "must be a duration"),
        (("--set", "market.lock_in"), ExitCode.INPUT, "must be KEY=VALUE"),
        (("--set", "market.lokc_in=1"), ExitCode.INPUT, "did you mean 'lock_in'?"),
        (("--policy", "slwo"), ExitCode.INPUT, "did you mean 'slow'?"),
        (("--replications", "0"), ExitCode.INPUT, "not in the range"),
        (("--seed", "-1"), ExitCode.INPUT, "not in the range"),
        (("--set", "population.customers=5000000000"), ExitCode.RESOURCES, "at most"),
    ],
)
def test_run__refuses_in_one_line(
    arguments: tuple[str, ...], code: ExitCode, told: str, churnsim: Command
) -> None:
    """What cannot be is refused with its exit code, and nothing goes to the output."""
    answer = churnsim("run", *arguments)
    assert answer.code == code
    assert told in answer.err
    assert answer.out == ""
    assert "Traceback" not in answer.err


def test_run__refuses_what_memory_cannot_hold(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More customers than fit into memory are refused before any are drawn."""
    monkeypatch.setattr("churnsim.memory.memory_left", lambda: 10**7)
    answer = churnsim("run", *SMALL, "--set", "population.customers=1000000")
    assert answer.code == ExitCode.RESOURCES
    assert "of memory" in answer.err
    assert answer.out == ""


def test_run__tells_failed_replications(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others' table is shown, the failures are told, and the exit code is 5."""
    from churnsim.experiment.comparison import Comparison

    error = PartialError("1 of 3 replications failed")
    monkeypatch.setattr(Comparison, "error", lambda _: error)
    answer = churnsim("run", *SMALL)
    assert answer.code == ExitCode.PARTIAL
    assert "Revenue" in answer.out
    assert answer.err == "1 of 3 replications failed\n"


def test_verify__kept_results_come_out_again(churnsim: Command) -> None:
    """What `run --out` keeps is made again by `verify`, to the last bit."""
    kept = churnsim("run", *SMALL, "--out", "kept")
    assert kept.code == 0
    assert "churnsim verify kept" in kept.err
    assert Path("kept/table.txt").read_text(encoding="utf-8") == kept.out
    answer = churnsim("verify", "kept")
    assert answer == Answer(
        0, "kept: 15 of 15 runs made again; all files and numbers are the same\n", ""
    )


EXPLAINED = (*SMALL, "--policy", "slow_and_dishonest", "--explain")


def test_explain__is_printed_kept_and_made_again(churnsim: Command) -> None:
    """`run --explain` tells what `explain` tells, keeps it, and `verify` holds."""
    whole = json.loads(churnsim("run", *EXPLAINED, "--json").out)
    ends = ("--from", "slow_and_dishonest", "--to", "empowered")
    alone = json.loads(churnsim("explain", *SMALL, *ends, "--json").out)
    assert whole["attribution"] == alone
    table = churnsim("run", *EXPLAINED, "--out", "kept")
    assert (table.code, table.err.count("\n")) == (0, 1)
    words = " ".join(table.out.split())
    assert alone["sentence"] in words
    assert "loses against empowered, by what is done differently" in words
    *_, again = table.out.splitlines()
    assert "--explain" in shlex.split(again)
    assert churnsim(*shlex.split(again)[1:]).out == table.out
    kept = json.loads(Path("kept/results.json").read_text("utf-8"))
    assert kept["attribution"] == alone
    assert "honesty" in Path("kept/levers.md").read_text("utf-8")
    assert churnsim("verify", "kept") == Answer(
        0, "kept: 33 of 33 runs made again; all files and numbers are the same\n", ""
    )


def test_explain__a_changed_part_is_found(churnsim: Command) -> None:
    """A part that was exchanged, and sealed again, does not come out."""
    churnsim("run", *EXPLAINED, "--out", "kept")
    folder = Path("kept")
    document = json.loads((folder / "results.json").read_bytes())
    document["attribution"]["loss"]["shares"][0]["micro"] += 1
    changed = json.dumps(document).encode()
    (folder / "results.json").write_bytes(changed)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    del manifest["digest"]
    manifest["files"]["results.json"] = sha256(changed)
    (folder / "manifest.json").write_bytes(sealed(manifest))
    answer = churnsim("verify", "kept")
    assert answer.code == ExitCode.STORAGE
    assert "lever speed, all: other results" in answer.err


def test_explain__not_possible_leaves_the_comparison(
    churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What keeps the loss from being told is said at the end; the rest is kept."""
    from churnsim.experiment.comparison import Comparison

    def refuse(*_: object) -> None:
        raise ResourceError("no room for that")

    with monkeypatch.context() as patch:
        patch.setattr(Comparison, "explained", refuse)
        answer = churnsim("run", *EXPLAINED, "--out", "kept")
    assert answer.code == ExitCode.RESOURCES
    assert "Revenue lost against empowered" in answer.out
    assert "--explain" not in answer.out
    assert answer.err.endswith("no room for that\n")
    assert churnsim("verify", "kept").code == 0


@pytest.mark.parametrize("n_done", [0, 1])
def test_explain__stopped_tells_how_far_it_came(
    n_done: int, churnsim: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while levers are told keeps the comparison whole, and what is finished."""

    @contextmanager
    def impatient(what: str = "") -> Iterator[Any]:
        def report(done: int, _: int, __: int = 0) -> None:
            if what and done == n_done:
                raise KeyboardInterrupt

        if what and not n_done:
            raise InterruptedRun("stopped before the first replication was finished")
        with progress():
            yield Report(report, lambda _: None)

    left: list[int] = []
    monkeypatch.setattr(run, "progress", impatient)
    monkeypatch.setattr("churnsim.cli.os._exit", left.append)
    answer = churnsim("run", *EXPLAINED, "--threads", "1")
    assert left == [ExitCode.INTERRUPTED] == [answer.code]
    assert "mean of 3 replications" in answer.out
    told = "1 of 3 replications were told by lever" if n_done else "not told by lever"
    assert told in answer.err
    assert ("1 of 3 replications finished" in answer.out) == bool(n_done)


def test_verify__names_what_was_changed(churnsim: Command) -> None:
    """A file that was touched is named, and the exit code is 4."""
    churnsim("run", *SMALL, "--out", "kept")
    with Path("kept/runs.csv").open("a", encoding="utf-8") as file:
        file.write("1\n")
    answer = churnsim("verify", "kept")
    assert answer.code == ExitCode.STORAGE
    assert "runs.csv was changed" in answer.err
    assert answer.out == ""


def test_out__is_not_overwritten(churnsim: Command) -> None:
    """A folder with results is refused before anything runs, but for --force."""
    first = churnsim("run", *SMALL, "--out", "kept")
    refused = churnsim("run", *SMALL, "--out", "kept", "--seed", "1")
    assert refused.code == ExitCode.INPUT
    assert "must be empty" in refused.err
    assert refused.out == ""
    assert Path("kept/table.txt").read_text(encoding="utf-8") == first.out
    forced = churnsim("run", *SMALL, "--out", "kept", "--seed", "1", "--force")
    assert forced.code == 0
    assert Path("kept/table.txt").read_text(encoding="utf-8") == forced.out


def test_verify__needs_results(churnsim: Command) -> None:
    """A folder without results is refused as input."""
    Path("empty").mkdir()
    answer = churnsim("verify", "empty")
    assert answer.code == ExitCode.INPUT
    assert len(answer.err.splitlines()) == 1


def test_run__json_is_finite(churnsim: Command) -> None:
    """The document holds no number that JSON does not know."""

    def refuse(name: str) -> float:
        raise AssertionError(name)

    answer = churnsim("run", *SMALL, "--json")
    document = json.loads(answer.out, parse_constant=refuse)
    assert all(map(math.isfinite, figure(document, "revenue")))


SMALL_YEAR = ("--horizon", "1 year", "--set", "population.customers=200")


def test_half_width__goes_on_and_says_how_many_it_took(churnsim: Command) -> None:
    """The last line makes the same numbers again, without looking."""
    answer = churnsim("run", *SMALL_YEAR, "--half-width", "60%")
    assert answer.code == 0
    *_, again = answer.out.splitlines()
    words = shlex.split(again)
    n = int(words[words.index("--replications") + 1])
    assert n >= 20
    assert f"mean of {n} replications" in answer.out
    assert churnsim(*words[1:]).out == answer.out


def test_budget__ends_in_time_and_tells_of_the_shortfall(churnsim: Command) -> None:
    """Too short a time for the precision asked for is a warning, with both figures."""
    bounds = ("--half-width", "0.01%", "--budget", "0.5 s", "--replications", "3")
    answer = churnsim("run", *SMALL_YEAR, *bounds, "--json")
    assert answer.code == 0
    assert any("asked for" in told for told in json.loads(answer.out)["warnings"])


def test_budget__says_that_telling_by_lever_comes_on_top(churnsim: Command) -> None:
    """With --explain on the messages; without it there is nothing to say."""
    options = ("--budget", "0.2 s", "--replications", "2")
    on_top = "telling the loss by lever comes on top"
    assert on_top not in churnsim("run", *SMALL_YEAR, *options).err
    answer = churnsim("run", *SMALL_YEAR, *options, "--explain")
    assert answer.code == 0
    assert on_top in answer.err


WIDTHS = ("2", "0", "banana", "€5", "0%", "-3%")
WIDTH_RULE = (
    '--half-width: must be above 0: a share of the loss such as "2%", or an amount such'
    ' as "$20"'
)
BUDGET_RULE = '--budget: must be a time above 0, such as "60s" or "5 min"'


@pytest.mark.parametrize(
    ("options", "told"),
    [
        *((("--half-width", text), f'{WIDTH_RULE}; got "{text}"') for text in WIDTHS),
        (("--budget", "soon"), f'{BUDGET_RULE}; got "soon"'),
        (("--budget", "0 s"), f'{BUDGET_RULE}; got "0 s"'),
        (("--policy", "slwo"), "--policy: must be one of empowered, slow"),
        (("--horizon", "banana"), "--horizon: must be a duration"),
    ],
)
def test_options__are_refused_as_they_were_typed(
    churnsim: Command, options: tuple[str, ...], told: str
) -> None:
    """The option with its dashes comes first, then the forms that it takes."""
    answer = churnsim("run", *SMALL_YEAR, *options)
    assert answer.code == ExitCode.INPUT
    assert answer.err.startswith(told)


def test_run__of_several_sites_is_kept_verified_and_extended(churnsim: Command) -> None:
    """The table tells of the firm; its folder is verified and extended as ever."""
    asked = "--set sites=3 --set population.customers=60 --seed 4 --horizon"
    few = (*asked.split(), "90 days", "--replications", "2", "--policy", "slow")
    table = churnsim("run", "telecom", *few, "--out", "kept", "--no-explain")
    assert table.code == 0, table.err
    assert "180 customers at 3 sites" in table.out
    assert "--set sites=3" in table.out
    assert churnsim("verify", "kept").code == 0
    assert churnsim("extend", "kept", "--replications", "3").code == 0
    assert churnsim("verify", "kept").code == 0
    document = json.loads(Path("kept/results.json").read_text(encoding="utf-8"))
    assert document["sites"]["count"] == 3
    assert document["customers"] == 180
    slow = churnsim("run", "telecom", *few, "--engine", "reference", "--json")
    fast = churnsim("run", "telecom", *few, "--json")
    figures = [json.loads(answer.out)["policies"] for answer in (slow, fast)]
    assert figures[0] == figures[1]


def test_run__of_several_sites_until_it_is_sure(churnsim: Command) -> None:
    """Precision is asked for as of any firm."""
    few = ("--set", "sites=2", "--set", "population.customers=60", "--seed", "4")
    found = churnsim("run", "telecom", *few, "--budget", "2s", "--horizon", "60 days")
    assert found.code == 0, found.err
    assert "120 customers at 2 sites" in found.out


@pytest.mark.parametrize(
    "words",
    [
        ("staff", "telecom", "--target", "80% in 20s"),
        ("counterfactuals", "telecom"),
        ("story", "telecom", "--customer", "0"),
        ("explain", "telecom", "--customers", "them.csv"),
    ],
)
def test_commands__on_single_customers_or_desks_refuse_several_sites(
    churnsim: Command, words: tuple[str, ...]
) -> None:
    """One plain line tells the setting, the rule and the value."""
    found = churnsim(*words, "--set", "sites=2")
    assert found.code == ExitCode.INPUT
    (line,) = found.err.splitlines()
    assert "sites: must be 1: " in line
    assert "got 2" in line
