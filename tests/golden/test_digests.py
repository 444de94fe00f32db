"""Canonical results to the last digit, in all engines.

`python -m tests.golden.test_digests` prints the digests of this checkout, for
digests.json.
"""

import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from churnsim.engines.books import Messages, People, Tally
from churnsim.engines.kernel.run import run_interpreted, run_kernel
from churnsim.engines.reference.run import run_reference
from churnsim.records import Cause
from churnsim.streams import STREAM_VERSION, Key, Purpose, uniforms
from tests.golden.cases import CASES, Engine, books_of, digest_of

KEPT = Path(__file__).with_name("digests.json")
ADVICE = (
    "results moved in {}; if that is meant, raise STREAM_VERSION where draws moved, say"
    " what moved under 'Numbers' in CHANGELOG.md, and write"
    " tests/golden/digests.json anew (python -m tests.golden.test_digests)"
)


def digests(engine: Engine) -> dict[str, str]:
    """Return the digest of every case under an engine."""
    return {name: digest_of(books_of(plan, engine)) for name, plan in CASES.items()}


def drawing_modules() -> list[ModuleType]:
    """Return the modules of the kernel that draw."""
    package = run_kernel.__module__.rpartition(".")[0]
    return [
        module
        for name, module in sorted(sys.modules.items())
        if name.startswith(package) and hasattr(module, "uniforms")
    ]


@pytest.mark.golden
@pytest.mark.parametrize(
    "engine",
    [
        pytest.param(run_kernel, marks=pytest.mark.compiled, id="kernel"),
        pytest.param(run_interpreted, id="interpreted"),
        pytest.param(run_reference, id="reference"),
    ],
)
def test_digests__are_those_kept(engine: Engine) -> None:
    """Every number of the canonical runs is the one kept, whatever computes it."""
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    assert kept["stream_version"] == STREAM_VERSION, ADVICE.format("the streams")
    found = digests(engine)
    moved = [name for name in CASES if found[name] != kept["digests"].get(name)]
    assert not moved, ADVICE.format(moved)
    assert list(kept["digests"]) == list(CASES), "every case has its digest, in order"


def test_cases__reach_every_rule() -> None:
    """In the canonical runs everything is counted and every cause of leaving occurs."""
    books = [books_of(plan, run_interpreted) for plan in CASES.values()]
    tally = np.sum([b.tally for b in books], axis=0)
    lost = np.sum([b.lost for b in books], axis=0)
    assert [t.name for t in Tally if not tally[t]] == []
    for name, codes in (("people", People), ("messages", Messages)):
        kept = np.sum([getattr(b, name) for b in books if getattr(b, name).size], 0)
        assert [code.name for code in codes if not kept[code]] == []
    assert [c.name for c in Cause if not lost[c] and c != Cause.NONE] == []


def test_digests__differ_between_cases() -> None:
    """No two canonical runs give the same books."""
    kept = json.loads(KEPT.read_text(encoding="utf-8"))["digests"]
    assert len(set(kept.values())) == len(CASES)


def test_draws_for_a_new_purpose__move_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws for a purpose that is added later leave every other draw where it was."""
    new = max(p for p in Purpose if p != Purpose.HOOP) + 1
    drawn = []

    def draw_more(
        key: Key, customer: int, replication: int, episode: int, block: int
    ) -> tuple[float, float]:
        drawn.append(uniforms(key, customer, replication, episode, new))
        return uniforms(key, customer, replication, episode, block)

    for module in drawing_modules():
        monkeypatch.setattr(module, "uniforms", draw_more)
    name = "purchase, dishonest, word of mouth"
    kept = json.loads(KEPT.read_text(encoding="utf-8"))["digests"][name]
    assert digest_of(books_of(CASES[name], run_interpreted)) == kept
    assert drawn


def test_golden__tests_stand_in_this_folder() -> None:
    """No test elsewhere is marked so: `make test-settings` looks only here."""
    tests = Path(__file__).resolve().parents[1]
    files = tests.rglob("*.py")
    marked = {p.parent for p in files if "mark.golden" in p.read_text("utf-8")}
    assert marked == {Path(__file__).resolve().parent}


if __name__ == "__main__":
    found = {"stream_version": STREAM_VERSION, "digests": digests(run_reference)}
    print(json.dumps(found, indent=2))  # noqa: T201 - this is what it is for
