"""Compilation and its cache: same answers, never stale, never a crash, never shared."""

import ast
import gc
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from churnsim import jit
from churnsim.jit import (
    NOT_COMPILED,
    Kernel,
    KernelCacheWarning,
    cache_folder,
    code_digest,
    is_cached,
    kernel,
    mechanism,
    power_of_two,
    split,
    word,
)

pytestmark = pytest.mark.compiled

ROOT = Path(__file__).resolve().parent.parent

PROGRAM = """
import sys
import warnings
from churnsim import jit
from twin import answer

warnings.simplefilter("always")
with warnings.catch_warnings(record=True) as caught:
    known = jit.is_cached(answer)
    value = answer(1.5)
    assert value == answer.py_func(1.5)
    names = [type(w.message).__name__ for w in caught]
stats = getattr(answer, "stats", None)
hits = sum(stats.cache_hits.values()) if stats else -1
print(value, known, hits, *names)
"""

MODULE = """
from churnsim.jit import kernel
from helper import rule

@kernel
def answer(x):
    return rule(x)
"""

HELPER = """
from churnsim.jit import mechanism

@mechanism
def rule(x):
    return x * {factor}
"""


@mechanism
def triple(x: float) -> float:
    """Return three times x."""
    return 3.0 * x


def double(x: float) -> float:
    """Return two times x."""
    return x + x


@kernel
def total(n: int) -> float:
    """Return 3 (0 + 1 + ... + n − 1)."""
    result = 0.0
    for i in range(n):
        result += triple(float(i))
    return result


@kernel
def quotient(a: float, b: float) -> float:
    """Return a/b."""
    return a / b


@kernel
def pieces(x: float, k: int) -> tuple[float, int, float, int]:
    """Return what the exact bit operations give in compiled code."""
    m, n = split(x)
    return m, n, power_of_two(k), (word(k) * word(0xFFFFFFFF)) >> word(16)


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """Return a folder with a kernel, a helper in another file, and its own cache."""
    (tmp_path / "twin.py").write_text(MODULE)
    (tmp_path / "helper.py").write_text(HELPER.format(factor=2.0))
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path


def finished(workplace: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Return the program, run in a process of its own, with both its outputs."""
    return subprocess.run(
        [sys.executable, "program.py"],
        cwd=workplace,
        env={
            **os.environ,
            "CHURNSIM_CACHE_DIR": str(workplace / "cache"),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(workplace)]),
            **variables,
        },
        capture_output=True,
        text=True,
        check=True,
    )


def run(workplace: Path, **variables: str) -> list[str]:
    """Return the words that the program prints: value, known before, hits, warnings."""
    return finished(workplace, **variables).stdout.split()


def entries(workplace: Path, suffix: str) -> list[Path]:
    """Return the cache files of the kernel."""
    return sorted((workplace / "cache").rglob(f"twin.answer*{suffix}"))


def test_mechanism__stays_plain_python() -> None:
    """A mechanism is the very function that was written."""
    assert triple(2) == 6
    assert isinstance(triple, FunctionType)


def test_kernel__compiled_equals_interpreted() -> None:
    """`py_func` is the same loop, interpreted, and one signature was compiled."""
    assert total(1001) == total.py_func(1001) == 3.0 * 500500
    assert len(total.signatures) == 1
    assert is_cached(total)


def test_kernel__divides_like_python() -> None:
    """Division by zero raises in compiled code as it does in Python."""
    for divide in (quotient, quotient.py_func):
        with pytest.raises(ZeroDivisionError):
            divide(1.0, 0.0)


@pytest.mark.usefixtures("own_folder")
def test_kernel__collects_no_garbage_while_it_compiles() -> None:
    """No thread waits for LLVM to free what is its: collection is off meanwhile."""
    found = []

    def probe(x: float) -> float:
        return x

    def compile_probe(x: Any) -> Any:
        found.append(gc.isenabled())
        if isinstance(x, jit.numba.types.Integer):
            raise TypeError("refused")

        def build(x: Any) -> Any:
            return x

        return build

    def answer(x: float) -> float:
        return probe(x) + 1.0

    jit.extending.overload(probe)(compile_probe)
    compiled = kernel(answer)
    assert compiled(1.5) == 2.5
    assert gc.isenabled()
    with pytest.raises(TypeError, match="refused"):
        compiled(1)
    assert gc.isenabled()
    assert found
    assert not any(found)


@pytest.mark.parametrize(
    "x", [1.0, 0.75, 3.0e-308, 2.0**-0.5, 0.7071067811865475, 1e308]
)
@pytest.mark.parametrize("k", [-1022, -1, 0, 52, 1023])
def test_bit_operations__are_exact_in_both_forms(x: float, k: int) -> None:
    """split, power_of_two and word give the same, and what they promise."""
    m, n = split(x)
    assert pieces(x, abs(k)) == pieces.py_func(x, abs(k))
    assert pieces(x, k)[:3] == pieces.py_func(x, k)[:3]
    assert m * 2.0**n == x
    assert jit.SQRT_HALF <= m < 2.0 * jit.SQRT_HALF
    assert power_of_two(k) == 2.0**k


def test_cache__is_private_sealed_and_read_back(workplace: Path) -> None:
    """The second run compiles nothing; the folder is 0700; the digest is its name."""
    assert run(workplace) == ["3.0", "False", "0"]
    assert run(workplace) == ["3.0", "True", "1"]
    (folder,) = (workplace / "cache").iterdir()
    assert folder.name == code_digest()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert entries(workplace, ".nbi")
    assert entries(workplace, ".nbc")


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache folder that kernels made in the test will use."""
    monkeypatch.setattr(jit, "cache_folder", lambda: tmp_path)
    return tmp_path


def hits(compiled: Kernel[[float], float]) -> int:
    """Return how many signatures were read from disk rather than compiled."""
    stats = compiled.stats  # type: ignore[attr-defined]
    return sum(stats.cache_hits.values())


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "text"])
def test_cache__recompiles_what_is_damaged(
    own_folder: Path, suffix: str, damage: str
) -> None:
    """A damaged file costs one warning and a compilation, and is whole afterwards."""
    assert kernel(double)(1.5) == 3.0
    (path,) = own_folder.rglob(f"*{suffix}")
    content = path.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    damaged = {
        "truncated": content[:middle],
        "flipped": flipped,
        "empty": b"",
        "text": b"not machine code",
    }
    path.write_bytes(damaged[damage])
    second = kernel(double)
    with pytest.warns(KernelCacheWarning, match="is damaged and was removed") as caught:
        assert second(1.5) == 3.0
    assert (len(caught), hits(second)) == (1, 0)
    third = kernel(double)
    assert is_cached(third)
    assert (third(1.5), hits(third)) == (3.0, 1)


def test_cache__every_flipped_byte_is_noticed(own_folder: Path) -> None:
    """Of 200 bytes spread over both files, none can change unseen."""
    assert kernel(double)(1.5) == 3.0
    for path in (*own_folder.rglob("*.nbi"), *own_folder.rglob("*.nbc")):
        content = path.read_bytes()
        for i in range(0, len(content), max(1, len(content) // 100)):
            path.write_bytes(content[:i] + bytes([content[i] ^ 4]) + content[i + 1 :])
            with pytest.raises(jit.DamagedEntryError):
                jit._check_seal(path)


def test_cache__a_lost_data_file_is_a_miss(own_folder: Path) -> None:
    """An index without its data, as a kill between the two leaves it, is no error."""
    assert kernel(double)(1.5) == 3.0
    (path,) = own_folder.rglob("*.nbc")
    path.unlink()
    for expected in (0, 1):
        again = kernel(double)
        assert is_cached(again) == bool(expected)
        assert (again(1.5), hits(again)) == (3.0, expected)


def test_cache__two_signatures_keep_apart(own_folder: Path) -> None:
    """Each signature has its own pair of files: neither can name the other's."""
    for expected in (0, 2):
        both = kernel(double)
        assert (both(1.5), both(3)) == (3.0, 6)
        assert hits(both) == expected
    assert len([*own_folder.rglob("*.nbi")]) == len([*own_folder.rglob("*.nbc")]) == 2


def test_cache__a_full_disk_costs_only_the_next_compilation(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If machine code cannot be written, a warning says so and the result is right."""

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(jit._SealedFile, "save", refuse)
    with pytest.warns(KernelCacheWarning, match="No space left"):
        assert kernel(double)(2.0) == 4.0
    assert not [*own_folder.rglob("*.nb*")]


@pytest.mark.parametrize("shared", ["base", "folder"])
def test_cache__refuses_a_folder_that_others_can_write_to(
    workplace: Path, shared: str
) -> None:
    """The run goes on with a temporary folder and one warning; nothing is read."""
    run(workplace)
    base = workplace / "cache"
    path = base if shared == "base" else next(base.iterdir())
    path.chmod(0o777)
    program = finished(workplace)
    assert program.stdout.split() == ["3.0", "False", "0"]
    assert program.stderr.count("KernelCacheWarning: ") == 1
    assert "can be written to by others" in program.stderr


def test_cache__falls_back_if_the_folder_cannot_be_made(workplace: Path) -> None:
    """A file where the folder should be: one warning, a right answer."""
    (workplace / "cache").write_text("in the way")
    program = finished(workplace)
    assert program.stdout.split() == ["3.0", "False", "0"]
    assert program.stderr.count("KernelCacheWarning: ") == 1


def test_cache__foreign_folders_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of another user is not used, and the warning says whose it is not."""
    monkeypatch.setenv(jit.CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.warns(KernelCacheWarning, match="belongs to another user"):
        folder = cache_folder.__wrapped__()
    assert tmp_path not in folder.parents
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_cache__interpreted_runs_need_none(workplace: Path) -> None:
    """With NUMBA_DISABLE_JIT=1 a kernel is its own `py_func` and writes nothing."""
    assert run(workplace, NUMBA_DISABLE_JIT="1") == ["3.0", "True", "-1"]
    assert not entries(workplace, ".nbc")


def test_code_digest__changes_with_any_source(tmp_path: Path) -> None:
    """Editing, adding, renaming or moving a source gives another folder."""
    (tmp_path / "a.py").write_text("x = 1\n")
    digests = [code_digest(tmp_path)]
    assert code_digest(tmp_path) == digests[0]
    (tmp_path / "a.py").write_text("x = 2\n")
    digests.append(code_digest(tmp_path))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.py").write_text("")
    digests.append(code_digest(tmp_path))
    (tmp_path / "deep" / "b.py").rename(tmp_path / "b.py")
    digests.append(code_digest(tmp_path))
    assert len(set(digests)) == len(digests)


def imports_of(path: Path) -> set[Path]:
    """Return the package's own files that a module of it may import."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.module, "imports are absolute here"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names.append(node.module)
        for name in names:
            base = ROOT.joinpath(*name.split("."))
            found |= {base.with_suffix(".py"), base / "__init__.py"}
    return {file for file in found if file.is_file()}


def test_code_digest__leaves_out_only_what_no_kernel_reaches() -> None:
    """No module of compiled code imports one that is left out, however far away."""
    package = ROOT / "churnsim"
    everything = set(package.rglob("*.py"))
    left_out = {
        p for p in everything if p.relative_to(package).parts[0] in NOT_COMPILED
    }
    marks = re.compile(r"^@(kernel|mechanism)\b", re.MULTILINE)
    reached = {p for p in everything if marks.search(p.read_text(encoding="utf-8"))}
    assert len(reached) > 20
    names_for_users = package / "__init__.py"  # imported by all, and nothing's helper
    while more := set().union(*map(imports_of, reached)) - reached - {names_for_users}:
        reached |= more
    assert not reached & left_out
    assert {package / name for name in NOT_COMPILED} == {
        package / p.relative_to(package).parts[0] for p in left_out
    }


def test_cache__an_edited_helper_changes_the_result(tmp_path: Path) -> None:
    """A kernel never runs an old helper from another file of the package."""
    package = tmp_path / "churnsim"
    package.mkdir()
    (package / "__init__.py").write_text("")
    source = (ROOT / "churnsim" / "jit.py").read_text(encoding="utf-8")
    (package / "jit.py").write_text(source, encoding="utf-8")
    (package / "helper.py").write_text(HELPER.format(factor=2.0))
    (package / "twin.py").write_text(MODULE.replace("helper", "churnsim.helper"))
    program = "from churnsim.twin import answer; print(answer(1.5))"
    values = []
    for factor in (2.0, 10.0):
        (package / "helper.py").write_text(HELPER.format(factor=factor))
        printed = subprocess.run(
            [sys.executable, "-B", "-c", program],
            cwd=tmp_path,
            env={**os.environ, "CHURNSIM_CACHE_DIR": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        values.append(float(printed))
    assert values == [3.0, 15.0]


def test_cache__leaves_numba_alone(own_folder: Path) -> None:
    """Other packages' compiled functions do not end up in our folder."""
    before = jit.numba.config.CACHE_DIR
    kernel(double)
    assert jit.numba.config.CACHE_DIR == before != str(own_folder)
