"""The guard: what it counts, when it fails, and what it leaves out."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from benchmarks import counts, guard, guarding, instructions, ratios
from benchmarks.counts import CASES, Case, work_of
from benchmarks.guarding import GuardDocument, as_table, differences, whole
from benchmarks.instructions import Counted, code_without_file, sums_of
from churnsim.cli.described import schema_of
from churnsim.engines import entries
from churnsim.engines.books import Event
from churnsim.engines.kernel import content
from churnsim.engines.kernel.run import run_interpreted
from churnsim.engines.kernel.world import World
from churnsim.errors import ExitCode, PartialError
from churnsim.streams import Purpose, uniforms

TINY = Case("tiny", "telecom", "slow_and_dishonest", 150, 0.5)
HERE = {"system": "abacus", "numba": "1.0"}


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a file that holds the counts of one tiny world."""
    monkeypatch.setattr(guarding, "CASES", (TINY,))
    file = tmp_path / "guard.json"
    assert typed("--write", "--only", "counts", "--file", str(file)) == 0
    return file


def typed(*words: str) -> int:
    """Return the exit code of the command."""
    with pytest.raises(SystemExit) as left:
        guard.main(words)
    return int(str(left.value.code))


def plant(
    monkeypatch: pytest.MonkeyPatch, found: Callable[[], Counted], reason: str | None
) -> None:
    """Let instructions be counted in another way, or not at all."""
    monkeypatch.setattr(instructions, "unavailable", lambda: reason)
    monkeypatch.setattr(instructions, "made_with", lambda: HERE)
    monkeypatch.setattr(instructions, "count", lambda _: found())


def books_one_event(*given: Any) -> int:
    """Book one event, and draw nothing."""
    entries.book_event(given[4], 0.0, 0, 0, 0, 0.0)
    return 1


def test_guard__passes_as_it_is_committed(capsys: pytest.CaptureFixture[str]) -> None:
    """The committed file holds what the kernel does now; else: --write."""
    code = typed("--only", "counts")
    told = capsys.readouterr().out
    assert code == 0, told
    assert "as kept (telecom, e-commerce, staffed)" in " ".join(told.split())


def test_cases__reach_every_event_and_draw() -> None:
    """Between them the worlds have all events, and all draws of a run, in the file."""
    known = guarding.read_kept(guarding.KEPT)["counts"]
    assert list(known) == [case.name for case in CASES]
    kinds = {kind for table in known.values() for kind in table}
    events = {f"events.{event.name.lower()}" for event in Event}
    assert events <= kinds
    drawn = {f"draws.{purpose.name.lower()}" for purpose in Purpose}
    outside = ("activity", "dropout", "calendar", "trust", "order")  # births, explain
    assert drawn - kinds == {f"draws.{name}" for name in outside}


def test_work__is_the_same_each_time() -> None:
    """Two runs do the same, to the last draw, and say who asked for it."""
    one, two = work_of(TINY), work_of(TINY)
    assert one == two
    assert one.places["queue.add"].startswith("churnsim/engines/kernel/run.py live")
    assert "content.py suffer" in one.places["draws.notice"]
    assert one.counts["draws.kind"] >= one.counts["events.mistake"] > 0
    assert one.counts["queue.pop"] == one.counts["queue.add"] + 1  # the last finds none


def test_guard__fails_on_a_draw_more(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A kernel that draws once more at each mistake is caught, and told where."""
    original = content.start_mistake_clock
    n_mistakes = 0

    def draws_once_more(world: World, customer: int, now: float, word: int) -> None:
        nonlocal n_mistakes
        n_mistakes += 1
        uniforms(world.key, customer, world.replication, word, Purpose.KIND)
        original(world, customer, now, word)

    monkeypatch.setattr(content, "start_mistake_clock", draws_once_more)
    code = typed("--only", "counts", "--file", str(kept), "--json")
    document: GuardDocument = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema_of(GuardDocument))
    assert (code, document["status"]) == (ExitCode.BUG, "differs")
    assert document["counts"] is not None
    (one,) = document["counts"]["differences"]
    assert n_mistakes > 0
    assert (one["world"], one["what"]) == ("tiny", "draws.kind")
    assert one["expected"] is not None
    assert one["found"] == one["expected"] + n_mistakes
    assert "test_guard.py draws_once_more" in one["place"]
    n_mistakes = 0
    assert typed("--only", "counts", "--file", str(kept)) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "what differs from what is kept: 1" in told
    assert f"+{n_mistakes}" in told
    assert "If the change is meant: python -m benchmarks guard --write" in told


def test_guard__fails_on_an_event_or_a_moment_more(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Events and the queue are held as exactly, whatever kind of work is new."""
    book = entries.book_event

    def books_twice(*given: Any) -> None:
        book(*given)
        book(*given)

    monkeypatch.setattr(content, "book_event", books_twice)
    assert typed("--only", "counts", "--file", str(kept), "--json") == 1
    found = json.loads(capsys.readouterr().out)["counts"]["differences"]
    kinds = {one["what"]: (one["expected"], one["found"]) for one in found}
    assert {"events.mistake", "events.ordinary"} <= kinds.keys()
    assert all(now == 2 * then for then, now in kinds.values())


@pytest.mark.parametrize(
    ("stand_in", "rule"),
    [
        (lambda *_: 0, "must count some events"),
        (books_one_event, "must count some draws"),
    ],
)
def test_guard__refuses_to_pass_on_nothing(
    kept: Path,
    stand_in: Callable[..., int],
    rule: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A run that does nothing, or whose draws nobody sees, is no pass."""
    monkeypatch.setattr(counts, "run_interpreted", stand_in)
    assert typed("--only", "counts", "--file", str(kept)) == ExitCode.PARTIAL
    told = capsys.readouterr()
    assert told.out == ""
    assert rule in told.err


def test_work__insists_on_what_the_run_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where counting misses events that the run counted, nothing is reported."""
    run = run_interpreted
    monkeypatch.setattr(counts, "run_interpreted", lambda *given: run(*given) + 1)
    with pytest.raises(PartialError, match="events that the run counts"):
        work_of(TINY)


def test_differences__tell_what_came_and_went() -> None:
    """A kind that is new, one that is gone and one that changed; equal ones never."""
    kept = {"a": {"x": 1, "y": 2, "z": 3}, "gone": {"x": 1}}
    found = {"a": {"x": 1, "y": 5, "w": 4}}
    told = differences(kept, found, {("a", "w"): "here"})
    rows = [tuple(one.values()) for one in told]
    assert rows == [
        ("a", "w", None, 4, "here"),
        ("a", "y", 2, 5, ""),
        ("a", "z", 3, None, ""),
        ("gone", "x", 1, None, ""),
    ]


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ([], "failed"),
        (["left out"], "failed"),
        (["left out", "left out"], "failed"),
        (["same", "left out"], "same"),
        (["measured"], "same"),
        (["same", "failed"], "failed"),
        (["failed", "differs"], "differs"),
        (["same", "differs"], "differs"),
    ],
)
def test_whole__passes_only_on_what_was_measured(
    statuses: list[str], status: str
) -> None:
    """Nothing measured, or a part that could not be, is no pass."""
    parts = {str(i): {"status": one} for i, one in enumerate(statuses)}
    assert whole(parts)["status"] == status


def test_instructions__without_valgrind_are_left_out(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Said on standard error; alone they are no pass, beside counts they may be."""
    monkeypatch.setattr(instructions, "_system", lambda: instructions.SYSTEM)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    both = ("--only", "counts", "--only", "instructions", "--file", str(kept))
    assert typed(*both) == 0
    assert (
        "left out: instructions: valgrind is not installed" in capsys.readouterr().err
    )
    assert typed("--only", "instructions", "--file", str(kept)) == ExitCode.PARTIAL
    assert "Not passed" in capsys.readouterr().out
    words = ("--write", "--only", "instructions", "--file", str(kept))
    assert typed(*words) == ExitCode.INPUT
    monkeypatch.setattr(instructions, "_system", lambda: "Darwin arm64")
    assert "this is Darwin arm64" in str(instructions.unavailable())


def test_instructions__are_compared_where_versions_are_the_same(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One instruction more fails; another compiler's code is not compared, and said."""
    n = 1_000

    def counted() -> Counted:
        return Counted(HERE, {"tiny": n})

    plant(monkeypatch, counted, None)
    words = ("--only", "instructions", "--file", str(kept))
    before = json.loads(kept.read_text(encoding="utf-8"))
    assert typed("--write", *words) == 0
    after = guarding.read_kept(kept)
    assert after["counts"] == before["counts"]
    assert after["instructions"] == {"made_with": HERE, "counts": as_table({"tiny": n})}
    assert typed(*words) == 0
    n += 1
    assert typed(*words) == 1
    assert "1,001" in capsys.readouterr().out
    monkeypatch.setattr(instructions, "made_with", lambda: {**HERE, "numba": "2.0"})
    assert typed(*words) == ExitCode.PARTIAL
    assert "numba was 1.0 and is 2.0" in capsys.readouterr().err


def test_instructions__that_cannot_be_counted_are_no_pass(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A valgrind that breaks fails the guard, even where counts are as kept."""
    plant(monkeypatch, lambda: Counted(HERE, {"tiny": 1}), None)
    assert typed("--write", "--file", str(kept)) == 0

    def broken() -> Counted:
        raise PartialError("must take the same instructions 2 times")

    plant(monkeypatch, broken, None)
    words = ("--only", "counts", "--only", "instructions", "--file", str(kept))
    assert typed(*words) == ExitCode.PARTIAL
    assert "must take the same instructions" in capsys.readouterr().out


DUMP = """\
desc: Trigger: Client Request: tiny
positions: line
events: Ir
ob=(1) ???
fn=(1) 0x00001010
1 5
+2 7
cfn=(2) 0x00001080
calls=3 0
1 900
* 1
fn=(2)
1 30
fn=(3) 0x00009000
1 4000
ob=(2) /lib/libpython.so
fn=(4) PyList_New
1 70000
fn=(1)
-1 2
"""


def test_sums__are_of_code_without_a_file() -> None:
    """What is called counts once, where it was executed; other memory does not."""
    maps = (
        "1000-2000 r-xp 00000000 00:00 0 \n"
        "3000-4000 rw-p 00000000 00:00 0 \n"
        "9000-a000 r-xp 00000000 08:01 7   /lib/some thing.so\n"
    )
    spans = code_without_file(maps)
    assert spans == [(0x1000, 0x2000)]
    unnamed = DUMP.replace("Client Request: tiny", "Program termination")
    assert sums_of([DUMP, unnamed, DUMP], spans) == {"tiny": [45, 45]}
    assert sums_of([DUMP], []) == {"tiny": [0]}


def test_count__refuses_repeats_that_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing counted, once only, or twice with another result is an error."""
    monkeypatch.setattr(instructions, "CASES", (TINY,))
    monkeypatch.setattr(instructions, "_run", lambda _: "[[0, 1]]")
    for found in ([], [7], [7, 8], [0, 0]):
        monkeypatch.setattr(
            instructions, "sums_of", lambda *_, found=found: {"tiny": found}
        )
        with pytest.raises(PartialError, match="same instructions 2 times"):
            instructions.count(lambda _: None)
    monkeypatch.setattr(instructions, "sums_of", lambda *_: {"tiny": [7, 7]})
    assert instructions.count(lambda _: None).counts == {"tiny": 7}


def test_run__tells_what_a_process_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of a process that failed reaches whoever runs the guard."""
    monkeypatch.setattr(instructions, "PLAINEST", {"CHURNSIM_CACHE_DIR": "\x01"})
    program = "import sys; sys.exit('no room left')"
    with pytest.raises(PartialError, match="ended with 1; it said: no room left"):
        instructions._run([sys.executable, "-c", program])


@pytest.mark.slow
@pytest.mark.compiled
def test_count__repeats_to_the_last_digit() -> None:
    """Two processes count the same, which is what is kept for these versions."""
    reason = instructions.unavailable()
    if reason is not None:
        pytest.skip(reason)
    found = [instructions.count(lambda _: None) for _ in range(2)]
    assert found[0] == found[1]
    known = guarding.read_kept(guarding.KEPT)["instructions"]
    assert known is not None
    if known["made_with"] == found[0].made_with:
        assert known["counts"] == as_table(found[0].counts)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (None, "must be there"),
        ("{", "must be JSON"),
        ("[]", "must hold counts of this version"),
        ('{"document_version": 0, "counts": {}}', "must hold counts of this version"),
    ],
)
def test_guard__refuses_a_file_that_is_none(
    content: str | None,
    rule: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A file of something else is refused with the command that makes one."""
    file = tmp_path / "guard.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    assert typed("--file", str(file)) == ExitCode.INPUT
    told = capsys.readouterr().err
    assert rule in told
    assert "make it with python -m benchmarks guard --write" in told


@pytest.mark.parametrize(
    "words",
    [
        ("--write", "--only", "ratio"),
        ("--pytest-benchmark", "times.json", "--only", "counts"),
        ("--pytest-benchmark", "times.json", "--write"),
        ("--rounds", str(ratios.ROUNDS - 1)),
        ("--only", "speed"),
    ],
)
def test_guard__refuses_what_makes_no_sense(words: tuple[str, ...]) -> None:
    """Before any work: a ratio is not kept, times need one, few rounds say little."""
    assert typed(*words) == ExitCode.INPUT
