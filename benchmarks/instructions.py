"""How many instructions the kernel's machine code takes, counted by callgrind.

A process of its own loads the compiled kernel and runs each world under valgrind, which
counts only between two requests of the process, and here only what was executed in
memory without a file behind it: code made by the compiler. Python, numpy and the C
library, whose instructions differ from start to start, are not in it.

Valgrind's processor is not this one, so the code is made for the plainest of its kind.
The count then hangs on the compiler's versions alone, which are told beside it.

    python -m benchmarks.instructions      that process; without valgrind it only loads
"""

import ctypes
import importlib.metadata
import itertools
import json
import mmap
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.common import KEY, ROOT
from benchmarks.counts import CASES, world_of
from churnsim.engines.books import Books, open_books
from churnsim.engines.kernel.run import N_PLACE, N_STEPS, run_world
from churnsim.engines.kernel.world import World, make_world
from churnsim.errors import PartialError, Problem
from churnsim.records import Plan, Population

PLAINEST = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_OPT": "3"}
SYSTEM = "Linux x86_64"  # whose requests to valgrind are known here
COMPILERS = ("numba", "llvmlite", "numpy")
STEPS = 1 << 40  # a slice that no clock ends
REPEATS = 2  # in one process; the first run of all, uncounted, loads the code

# Valgrind sees this sequence and answers; a processor does nothing by it. It takes the
# address of six words (request and arguments), and returns 0 where nobody answers.
REQUEST = bytes.fromhex(
    "4889f8"  # mov rax, rdi
    "31d2"  # xor edx, edx
    "48c1c703"  # rol rdi, 3
    "48c1c70d"  # rol rdi, 13
    "48c1c73d"  # rol rdi, 61
    "48c1c733"  # rol rdi, 51
    "4887db"  # xchg rbx, rbx
    "4889d0"  # mov rax, rdx
    "c3"  # ret
)
RUNNING_ON_VALGRIND = 0x1001
CALLGRIND = ord("C") << 24 | ord("T") << 16
DUMP_AT, START, STOP = CALLGRIND + 3, CALLGRIND + 4, CALLGRIND + 5
Span = tuple[int, int]  # addresses: the first, and the one after the last


class Counted(NamedTuple):
    """What was counted, and what the machine code was made with."""

    made_with: dict[str, str]
    counts: dict[str, int]  # by world


def made_with() -> dict[str, str]:
    """Return what the machine code hangs on."""
    versions = {name: importlib.metadata.version(name) for name in COMPILERS}
    python = ".".join(platform.python_version_tuple()[:2])
    return {"system": _system(), "python": python, **versions}


def unavailable() -> str | None:
    """Return why nothing can be counted here, or None."""
    if _system() != SYSTEM:
        return f"requests to valgrind are known for {SYSTEM} only; this is {_system()}"
    if shutil.which("valgrind") is None:
        return "valgrind is not installed"
    return None


def count(say: Callable[[str], None]) -> Counted:
    """Return the kernel's instructions in each world.

    Raises:
        PartialError: Nothing was counted, or repeats differ.
    """
    words = [sys.executable, "-m", "benchmarks.instructions"]
    say("compiling the kernel for the plainest processor, if that is not kept")
    _run(words)
    say("counting its instructions")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        told = _run(
            [
                *("valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no"),
                f"--callgrind-out-file={out}",
                *words,
            ]
        )
        texts = [
            path.read_text(encoding="utf-8", errors="replace")
            for path in sorted(Path(folder).iterdir())
        ]
    spans = [(int(low), int(high)) for low, high in json.loads(told)]
    counts = sums_of(texts, spans)
    for case in CASES:
        found = counts.get(case.name, [])
        if len(found) != REPEATS or not all(found) or len(set(found)) != 1:
            rule = f"must take the same instructions {REPEATS} times, more than 0"
            raise PartialError(Problem(rule, field=case.name, value=str(found)))
    return Counted(made_with(), {case.name: counts[case.name][0] for case in CASES})


def sums_of(texts: Iterable[str], spans: Sequence[Span]) -> dict[str, list[int]]:
    """Return the instructions in spans of addresses, by the name of each dump.

    Args:
        texts: Dumps in callgrind's format; those without a name are passed over.
        spans: Where the code lies that counts.
    """
    found: dict[str, list[int]] = {}
    for text in texts:
        name = re.search(r"(?m)^desc: Trigger: Client Request: (.*)$", text)
        if name is not None:
            found.setdefault(name[1].strip(), []).append(_sum_of(text, spans))
    return found


def code_without_file(maps: str) -> list[Span]:
    """Return the executable memory that no file is behind.

    Args:
        maps: As Linux writes /proc/self/maps.
    """
    spans = []
    for line in maps.splitlines():
        words = line.split(maxsplit=5)
        if len(words) == 5 and "x" in words[1]:
            low, _, high = words[0].partition("-")
            spans.append((int(low, 16), int(high, 16)))
    return spans


def main() -> None:
    """Run each world, counted where valgrind listens; print where code lies as JSON."""
    ask = _requests() if _system() == SYSTEM else None
    listens = ask is not None and ask(RUNNING_ON_VALGRIND) != 0
    for case in CASES:
        plan, people = world_of(case)
        _run_once(plan, people)
        for _ in range(REPEATS if listens else 0):
            _run_once(plan, people, ask, case.name)
    maps = Path("/proc/self/maps")
    text = maps.read_text(encoding="utf-8") if maps.exists() else ""
    print(json.dumps(code_without_file(text)))


def _run_once(
    plan: Plan,
    people: Population,
    ask: Callable[..., int] | None = None,
    name: str = "",
) -> Books:
    """Run a world, in slices that are the same each time."""
    books = open_books(plan, len(people.arrival), 0)
    world: World = make_world(plan, people, KEY, 0, books)
    place = np.zeros(N_PLACE, np.int64)
    place[N_STEPS] = STEPS
    if ask is not None:
        ask(START)
    while not run_world(world, place):
        pass
    if ask is not None:
        ask(STOP)
        text = ctypes.create_string_buffer(name.encode())
        ask(DUMP_AT, ctypes.addressof(text))
    return books


def _requests() -> Callable[..., int]:
    """Return what sends a request to valgrind and returns its answer."""
    memory = mmap.mmap(
        -1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    )
    memory.write(REQUEST)
    code = ctypes.c_char.from_buffer(memory)  # keeps the memory
    shape = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p)

    def ask(request: int, argument: int = 0) -> int:
        words = (ctypes.c_uint64 * 6)(request, argument)
        return int(shape(ctypes.addressof(code))(ctypes.addressof(words)))

    return ask


def _run(words: Sequence[str]) -> str:
    """Return what a process prints that makes and loads code for the plainest.

    Raises:
        PartialError: It failed.
    """
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, **PLAINEST, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}
    done = subprocess.run(  # noqa: S603 - this module itself, or valgrind with it
        words, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = done.stderr.strip().rpartition("\n")[2]
        rule = f"must run to its end, and ended with {done.returncode}; it said: {last}"
        raise PartialError(Problem(rule, field=" ".join(words[:1])))
    return done.stdout


def _system() -> str:
    return f"{platform.system()} {platform.machine()}"


def _sum_of(text: str, spans: Sequence[Span]) -> int:
    """Return the instructions of one dump that lie within spans.

    A function without a name is called by its address; a name stands where it is first
    used, and later its number alone. The line after `calls=` is what was called, and
    counted there.
    """
    names: dict[str, str] = {}
    total, counts = 0, False
    lines = iter(text.splitlines())
    for line in lines:
        known = re.match(r"(c?)fn=\((\d+)\)(?: (.*))?", line)
        if known:
            is_called, number, name = known.groups()
            if name is not None:
                names[number] = name
            if not is_called:
                counts = _is_within(names.get(number, ""), spans)
        elif line.startswith("calls="):
            next(itertools.islice(lines, 1), None)
        elif counts and re.match(r"[-+*\d]", line):
            total += int(line.split()[1])
    return total


def _is_within(name: str, spans: Sequence[Span]) -> bool:
    if not name.startswith("0x"):
        return False
    address = int(name.split(maxsplit=1)[0], 16)
    return any(low <= address < high for low, high in spans)


if __name__ == "__main__":
    main()
