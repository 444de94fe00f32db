"""The cache of machine code: never stale, never a crash, never shared, never half."""

import ast
import os
import re
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from churnsim import cache, jit
from churnsim.cache import (
    NOT_COMPILED,
    SUFFIX,
    DamagedEntryError,
    KernelCacheWarning,
    SealedCache,
    cache_folder,
    code_digest,
    read_sealed,
    write_sealed,
)
from churnsim.jit import Kernel, is_cached, kernel

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

FULL_DISK = """
import resource
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
"""

NO_TEMPORARY = """
import tempfile
tempfile._candidate_tempdir_list = list
"""

# Ends the process as soon as the lock is held.
MODULE_THAT_DIES = (
    MODULE
    + """
import os
import signal
from numba.core import compiler

if os.environ.get("DIE"):
    compiler.compile_extra = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
"""
)


def double(x: float) -> float:
    """Return two times x."""
    return x + x


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """Return a folder with a kernel, a helper in another file, and its own cache."""
    (tmp_path / "twin.py").write_text(MODULE)
    (tmp_path / "helper.py").write_text(HELPER.format(factor=2.0))
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path


def environment(workplace: Path, **variables: str) -> dict[str, str]:
    """Return the variables of a process that uses the cache of the workplace."""
    return {
        **os.environ,
        "CHURNSIM_CACHE_DIR": str(workplace / "cache"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(workplace)]),
        **variables,
    }


def finished(workplace: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Return the program, run in a process of its own, with both its outputs."""
    return subprocess.run(
        [sys.executable, "program.py"],
        cwd=workplace,
        env=environment(workplace, **variables),
        capture_output=True,
        text=True,
        check=True,
    )


def run(workplace: Path, **variables: str) -> list[str]:
    """Return the words that the program prints: value, known before, hits, warnings."""
    return finished(workplace, **variables).stdout.split()


def entries(workplace: Path) -> list[Path]:
    """Return the files of the kernel's machine code."""
    return sorted((workplace / "cache").rglob(f"twin.answer*{SUFFIX}"))


def test_cache__is_private_sealed_and_read_back(workplace: Path) -> None:
    """The second run compiles nothing; the folder is 0700; the digest is its name."""
    assert run(workplace) == ["3.0", "False", "0"]
    assert run(workplace) == ["3.0", "True", "1"]
    (folder,) = (workplace / "cache").iterdir()
    assert folder.name == code_digest()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (entry,) = entries(workplace)
    assert stat.S_IMODE(entry.stat().st_mode) == 0o644


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache folder that kernels made in the test will use."""
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    return tmp_path


def hits(compiled: Kernel[[float], float]) -> int:
    """Return how many signatures were read from disk rather than compiled."""
    stats = compiled.stats  # type: ignore[attr-defined]
    return sum(stats.cache_hits.values())


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "text"])
def test_cache__recompiles_what_is_damaged(own_folder: Path, damage: str) -> None:
    """A damaged file costs one warning and a compilation, and is whole afterwards."""
    assert kernel(double)(1.5) == 3.0
    (path,) = own_folder.rglob(f"*{SUFFIX}")
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
    with pytest.warns(
        KernelCacheWarning, match="is damaged and was not used"
    ) as caught:
        assert second(1.5) == 3.0
    assert (len(caught), hits(second)) == (1, 0)
    third = kernel(double)
    assert is_cached(third)
    assert (third(1.5), hits(third)) == (3.0, 1)


def test_cache__every_flipped_byte_is_noticed(own_folder: Path) -> None:
    """Of a hundred bytes spread over a file, none can change unseen."""
    assert kernel(double)(1.5) == 3.0
    (path,) = own_folder.rglob(f"*{SUFFIX}")
    content = path.read_bytes()
    assert read_sealed(path, own_folder.name)
    for i in range(0, len(content), len(content) // 100):
        path.write_bytes(content[:i] + bytes([content[i] ^ 4]) + content[i + 1 :])
        with pytest.raises(DamagedEntryError):
            read_sealed(path, own_folder.name)


def test_cache__a_file_counts_only_under_its_name_and_folder(tmp_path: Path) -> None:
    """Machine code of another version or function, put in its place, is refused."""
    path, other = tmp_path / "a.nbc", tmp_path / "b.nbc"
    write_sealed(path, b"code", "old")
    assert read_sealed(path, "old") == b"code"
    path.rename(other)
    for place, digest in ((other, "old"), (other, "new")):
        with pytest.raises(DamagedEntryError, match="fails its checksum"):
            read_sealed(place, digest)
    other.rename(path)
    with pytest.raises(DamagedEntryError, match="fails its checksum"):
        read_sealed(path, "new")


def test_cache__a_file_that_others_can_write_to_is_not_read(own_folder: Path) -> None:
    """It costs one warning and a compilation, and is private afterwards."""
    assert kernel(double)(1.5) == 3.0
    (path,) = own_folder.rglob(f"*{SUFFIX}")
    path.chmod(0o666)
    second = kernel(double)
    with pytest.warns(KernelCacheWarning, match="can be written to by others"):
        assert (second(1.5), hits(second)) == (3.0, 0)
    third = kernel(double)
    assert (third(1.5), hits(third)) == (3.0, 1)


def test_cache__a_lost_file_is_a_miss(own_folder: Path) -> None:
    """What is gone is compiled again, without a word."""
    assert kernel(double)(1.5) == 3.0
    (path,) = own_folder.rglob(f"*{SUFFIX}")
    path.unlink()
    for expected in (0, 1):
        again = kernel(double)
        assert is_cached(again) == bool(expected)
        assert (again(1.5), hits(again)) == (3.0, expected)


def test_cache__two_signatures_keep_apart(own_folder: Path) -> None:
    """Each signature has a file of its own."""
    for expected in (0, 2):
        both = kernel(double)
        assert (both(1.5), both(3)) == (3.0, 6)
        assert hits(both) == expected
    assert len([*own_folder.rglob(f"*{SUFFIX}")]) == 2


def test_cache__two_functions_of_one_text_keep_apart(own_folder: Path) -> None:
    """What is saved names the function's types: an entry of others is a miss."""
    first = kernel(double)
    assert first(1.5) == 3.0
    (path,) = own_folder.rglob(f"*{SUFFIX}")
    stored = SealedCache(double)
    key = cache.caching.pickle.loads(read_sealed(path, own_folder.name))[0]
    assert stored.load(key) is not None
    path.unlink()
    write_sealed(path, cache.caching.dumps((("another",), None)), own_folder.name)
    assert stored.load(key) is None


def test_cache__a_full_disk_costs_only_the_next_compilation(workplace: Path) -> None:
    """A warning says so, the result is right, and nothing half written stays."""
    resource = pytest.importorskip("resource", reason="limits are set by it")
    assert resource.RLIMIT_FSIZE
    (workplace / "program.py").write_text(FULL_DISK + PROGRAM)
    assert run(workplace) == ["3.0", "False", "0", "KernelCacheWarning"]
    left = [p for p in (workplace / "cache").rglob("*") if p.is_file()]
    assert {p.suffix for p in left} <= {".lock"}
    (workplace / "program.py").write_text(PROGRAM)
    assert run(workplace) == ["3.0", "False", "0"]
    assert run(workplace) == ["3.0", "True", "1"]


def test_cache__of_eight_processes_one_compiles(workplace: Path) -> None:
    """Started at once on an empty cache, all answer alike; a ninth reads it."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: run(workplace), range(8)))
    assert {(value, *warned) for value, _, _, *warned in answers} == {("3.0",)}
    assert sorted(hits for _, _, hits, *_ in answers) == ["0", *["1"] * 7]
    assert run(workplace) == ["3.0", "True", "1"]


def test_cache__does_not_wait_for_who_is_dead(workplace: Path) -> None:
    """A process that was killed while it compiled holds nobody up."""
    (workplace / "twin.py").write_text(MODULE_THAT_DIES)
    (workplace / "helper.py").write_text(HELPER.format(factor=2.0))
    died = subprocess.run(
        [sys.executable, "program.py"],
        cwd=workplace,
        env=environment(workplace, DIE="yes"),
        capture_output=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    assert run(workplace) == ["3.0", "False", "0"]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs users of Unix")
def test_cache__that_cannot_be_written_to_is_used(workplace: Path) -> None:
    """Machine code that an administrator put there is read; nothing is written."""
    run(workplace)
    places = [p for p in (workplace / "cache").rglob("*") if p.is_dir()]
    for place in (workplace / "cache", *places):
        place.chmod(0o555)
    before = {p: p.stat().st_mtime_ns for p in (workplace / "cache").rglob("*")}
    try:
        assert run(workplace) == ["3.0", "True", "1"]
        assert before == {
            p: p.stat().st_mtime_ns for p in (workplace / "cache").rglob("*")
        }
    finally:
        for place in (workplace / "cache", *places):
            place.chmod(0o700)


@pytest.mark.parametrize("owner", ["user", "administrator", "other"])
def test_cache__trusts_the_user_and_the_administrator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: str
) -> None:
    """A file of anyone else is not read, whoever may write to it."""
    path = tmp_path / "a.nbc"
    write_sealed(path, b"code", "digest")
    mine = path.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: mine + (owner != "user"))
    administrator = mine if owner == "administrator" else mine + 2
    monkeypatch.setattr(cache, "ADMINISTRATOR", administrator)
    if owner == "other":
        with pytest.raises(DamagedEntryError, match="belongs to another user"):
            read_sealed(path, "digest")
    else:
        assert read_sealed(path, "digest") == b"code"


def test_cache__runs_where_nothing_can_be_written_at_all(workplace: Path) -> None:
    """No private folder and no temporary one: one warning, and a right answer."""
    (workplace / "cache").write_text("in the way")
    (workplace / "program.py").write_text(NO_TEMPORARY + PROGRAM)
    program = finished(workplace)
    assert program.stdout.split() == ["3.0", "False", "0"]
    assert program.stderr.count("KernelCacheWarning: ") == 1
    assert "compiling into memory, at each start" in program.stderr


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
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path))
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    monkeypatch.setattr(cache, "ADMINISTRATOR", owner + 2)
    with pytest.warns(KernelCacheWarning, match="belongs to another user"):
        folder = cache_folder.__wrapped__()
    assert tmp_path not in folder.parents
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_cache__interpreted_runs_need_none(workplace: Path) -> None:
    """With NUMBA_DISABLE_JIT=1 a kernel is its own `py_func` and writes nothing."""
    assert run(workplace, NUMBA_DISABLE_JIT="1") == ["3.0", "True", "-1"]
    assert not entries(workplace)


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
    for name in ("cache.py", "jit.py", "room.py"):
        source = (ROOT / "churnsim" / name).read_text(encoding="utf-8")
        (package / name).write_text(source, encoding="utf-8")
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
