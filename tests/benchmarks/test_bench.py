"""`churnsim bench`: what it measures, leaves out, writes and compares."""

import importlib.util
import json
import os
import subprocess
import sys
import types
import weakref
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from benchmarks import contestants, measuring
from benchmarks.comparing import compared, read_old
from benchmarks.desks import desks
from benchmarks.measuring import QUICK, Asked, Sizes, measure, spread_of
from benchmarks.showing import page_of, text_of
from churnsim.cli import bench, main
from churnsim.cli.described import schema_of
from churnsim.cli.outputs import documents
from churnsim.errors import ChurnsimError, InputError
from tests.benchmarks.made import document

TINY = Sizes(60, 2, 4, 40, 1.0, 30, 10.0, 10.0, starts=False)
ROOT = Path(__file__).resolve().parents[2]


def hide(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let packages be as if they were not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name in names else find(name, *rest),
    )


def native(
    monkeypatch: pytest.MonkeyPatch, reason: str | None, off: int = 0
) -> list[int]:
    """Put a loop in place whose answers are the kernel's; return its replications."""
    ran: list[int] = []

    def run(plan: Any, people: Any, key: Any, replication: int) -> Any:
        del key
        ran.append(replication)
        told = contestants.kernel().run(plan, people, replication)
        assert told.n_events is not None
        return told.n_events + off, told.seconds, told.answers

    module = types.ModuleType(contestants.NATIVE)
    module.__spec__ = importlib.util.spec_from_loader(contestants.NATIVE, None)
    vars(module).update(available=lambda: reason, run=run)
    monkeypatch.setitem(sys.modules, contestants.NATIVE, module)
    return ran


@pytest.mark.compiled
def test_measure__without_packages_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not installed is left out by name; the rest is as documented."""
    hide(monkeypatch, "ciw", "salabim", contestants.NATIVE)
    said: list[str] = []
    found = measure(Asked("telecom", "slow_and_dishonest", TINY), said.append)
    jsonschema.validate(found, schema_of(documents()["bench"]))
    assert [one["name"] for one in found["left_out"]] == [
        *("native", "ciw", "salabim", "starts")
    ]
    assert "pip install" in found["left_out"][1]["reason"]
    names = [(one["part"], one["name"]) for one in found["contestants"]]
    assert names == [
        ("model", "kernel"),
        ("model", "simpy"),
        ("model", "reference"),
        ("desk", "kernel"),
    ]
    assert [one["contestant"] for one in found["agreement"]] == ["simpy", "reference"]
    assert said[0] == "comparing answers: an ordinary SimPy model"
    for text in (text_of(found, 90), page_of(found)):
        assert "Ciw is not installed" in text
        assert "there is no module benchmarks.native_loop" in text


@pytest.mark.compiled
def test_measure__takes_the_loop_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of that name takes part, and its ratio to itself is near 1."""
    ran = native(monkeypatch, None)
    hide(monkeypatch, "ciw", "salabim")
    found = measure(Asked("telecom", "slow_and_dishonest", TINY), lambda _: None)
    (one,) = (x for x in found["contestants"] if x["name"] == "native")
    assert found["agreement"][0]["rule"] == "equal"  # it told answers, no books
    assert one["events"] == found["contestants"][0]["events"]
    runs = [i for i in (0, 1) for _ in range(measuring.SHORT_RUNS)]
    assert ran == [0, 1, *runs]  # compared, then timed as the kernel is
    assert one["times_kernel"] is not None
    assert 0.1 < one["times_kernel"]["median"] < 10.0


@pytest.mark.compiled
def test_measure__refuses_a_loop_that_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    """One event more, and nothing is reported."""
    native(monkeypatch, None, off=1)
    hide(monkeypatch, "ciw", "salabim")
    with pytest.raises(ChurnsimError, match="events"):
        measure(Asked("telecom", "slow_and_dishonest", TINY), lambda _: None)


def test_contestants__tell_why_the_loop_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The loop's own reason is what is said."""
    native(monkeypatch, "no C++ compiler is installed")
    missing = contestants.others(10)[1]
    assert missing == [("native", "no C++ compiler is installed")]


@pytest.mark.compiled
@pytest.mark.parametrize("name", ["ciw", "salabim"])
def test_desks__of_others_take_part(name: str) -> None:
    """An installed one computes the desk: calls arrive, wait, and some give up."""
    pytest.importorskip(name, reason=f"{name} is not installed")
    (desk,) = (one for one in desks()[0] if one.name == name)
    told = desk.run(40.0, 1)
    assert 260 < told.n_calls < 500  # 380 expected, of deviation 19.5
    assert told.n_calls - 30 < told.n_ended <= told.n_calls
    assert 0 < told.n_abandoned < told.n_ended
    assert told.wait_sum > 0.0


def test_rounds__refuse_what_took_no_time() -> None:
    """A clock that stands still measures nothing, and that is an error."""
    entry = measuring._Entry("kernel", "the kernel", 1, lambda _: (0.0, 1.0, None))
    with pytest.raises(ChurnsimError, match="nothing is measured"):
        measuring._rounds("model", [entry], 2)


def test_rounds__begin_without_the_garbage_of_others() -> None:
    """What one contestant left in circles is gone before the next one is timed."""
    left: list[weakref.ref[type]] = []

    def litter(_: int) -> tuple[float, float, int | None]:
        left.append(weakref.ref(type("Circle", (), {})))  # a class refers to itself
        return 1.0, 1.0, None

    def look(_: int) -> tuple[float, float, int | None]:
        assert left
        assert all(circle() is None for circle in left)
        return 1.0, 1.0, None

    entries = [
        measuring._Entry("kernel", "litters", 1, litter),
        measuring._Entry("other", "looks", 1, look),
    ]
    measuring._rounds("model", entries, 2)


def test_rounds__divide_within_a_round() -> None:
    """A machine half as fast in the second round changes speeds, but no ratio."""
    slow = (1.0, 2.0, 4.0)
    kernel = measuring._Entry("kernel", "it", 1, lambda i: (slow[i], 6.0, 12))
    other = measuring._Entry("other", "other", 1, lambda i: (5 * slow[i], 3.0, None))
    ours, theirs = measuring._rounds("model", [kernel, other], 3)
    assert (ours["speed"]["high"], ours["speed"]["low"]) == (6.0, 1.5)
    assert ours["times_kernel"] is None
    assert ours["events_per_second"] == spread_of([12.0, 6.0, 3.0])
    assert theirs["events_per_second"] is None
    assert theirs["times_kernel"] == spread_of([10.0, 10.0, 10.0])


def test_spread__is_that_of_a_known_list() -> None:
    """Of 1 to 5 the quartiles are 2, 3 and 4."""
    told = spread_of([5.0, 3.0, 1.0, 2.0, 4.0])
    assert tuple(told.values()) == (1.0, 2.0, 3.0, 4.0, 5.0, 5)


def test_compared__gives_ratios_of_ratios() -> None:
    """200 times instead of 100 is 2, 30 instead of 40 is 0.75, with reach."""
    found = compared("old.json", dict(document(100.0, 40.0)), document(200.0, 30.0))
    assert found["warnings"] == []
    simpy, ciw = found["ratios"]
    assert (simpy["old"], simpy["new"], simpy["ratio"]) == (100.0, 200.0, 2.0)
    assert simpy["low"] == pytest.approx(180.0 / 110.0)
    assert simpy["high"] == pytest.approx(220.0 / 90.0)
    assert (ciw["part"], ciw["ratio"]) == ("desk", 0.75)
    new = document(200.0, 30.0)
    new["comparison"] = found
    for text in (text_of(new, 100), page_of(new)):
        assert "Against old.json" in text
        assert "2.000" in text


def test_compared__warns_of_another_machine_or_question() -> None:
    """Another processor, version or size is told in words; the ratios still are."""
    old: Any = document(100.0, 40.0)
    old["machine"]["processor"] = "slide rule"
    old["machine"]["versions"]["python"] = "3.12.1"
    old["settings"]["customers"] = 7
    del old["contestants"][3]
    found = compared("old.json", old, document(100.0, 40.0))
    told = "\n".join(found["warnings"])
    assert "another machine: processor was 'slide rule' and is 'abacus'" in told
    assert "another python: 3.12.1 then, 3.11.7 now" in told
    assert "another question: customers was 7 and is 100" in told
    assert "the ciw (desk) is not in the old document" in told
    assert [one["contestant"] for one in found["ratios"]] == ["simpy"]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (None, "must be there"),
        ("{", "must hold what churnsim bench"),
        ("[]", "must hold what churnsim bench"),
        ('{"contestants": []}', "must hold what churnsim bench"),
    ],
)
def test_compare__refuses_what_is_no_document(
    content: str | None, rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is not there, or of something else, is refused before the work."""
    file = tmp_path / "old.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=rule):
        read_old(file)
    with pytest.raises(SystemExit) as left:
        main(["bench", "--quick", "--compare", str(file)])
    told = capsys.readouterr()
    assert (left.value.code, told.out) == (2, "")
    assert rule in told.err


def test_command__writes_numbers_page_and_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--out keeps a document that --compare reads, and refuses to replace it."""
    sizes: list[Asked] = []

    def planted(asked: Asked, say: Any) -> Any:
        say("timing")
        sizes.append(asked)
        return document(100.0, 40.0)

    monkeypatch.setattr(measuring, "measure", planted)
    words = ["bench", "--quick", "--customers", "70", "--out", str(tmp_path / "kept")]
    for more, code in (([], 0), ([], 2), (["--force"], 0)):
        with pytest.raises(SystemExit) as left:
            main([*words, *more])
        assert left.value.code == code
    assert sizes[0].sizes == QUICK._replace(customers=70)
    kept = json.loads((tmp_path / "kept" / "bench.json").read_text(encoding="utf-8"))
    assert kept == document(100.0, 40.0)
    assert read_old(tmp_path / "kept" / "bench.json") == kept
    page = (tmp_path / "kept" / "bench.md").read_text(encoding="utf-8")
    assert "| the simpy |" in page
    picture = (tmp_path / "kept" / "bench.svg").read_text(encoding="utf-8")
    assert "calls a second" in picture
    assert "left out: native: there is no compiler" in capsys.readouterr().err


def test_command__tells_a_disagreement_with_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where answers differ the command prints nothing and ends with 1."""

    def planted(asked: Asked, say: Any) -> Any:
        del asked, say
        raise ChurnsimError("answers differ")

    monkeypatch.setattr(measuring, "measure", planted)
    with pytest.raises(SystemExit) as left:
        main(["bench", "--quick", "--json"])
    told = capsys.readouterr()
    assert (left.value.code, told.out) == (1, "")
    assert "answers differ" in told.err


def test_command__without_its_folder_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installation without benchmarks/ is told as such."""
    monkeypatch.setattr(bench, "_PACKAGE", tmp_path / "churnsim")
    with pytest.raises(InputError, match="needs the folder benchmarks/"):
        bench.find_benchmarks()


def test_command__finds_what_a_package_carries(tmp_path: Path) -> None:
    """Installed, with nothing beside the package, the folder inside it is found."""
    inside = tmp_path / "churnsim" / "_bench"
    inside.mkdir(parents=True)
    (inside / "benchmarks").symlink_to(ROOT / "benchmarks")
    code = (
        "from pathlib import Path\n"
        "from churnsim.cli import bench\n"
        f"bench._PACKAGE = Path({str(tmp_path / 'churnsim')!r})\n"
        "bench.find_benchmarks()\n"
        "import benchmarks\n"
        "print(benchmarks.__file__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()).is_relative_to(inside)
