"""`churnsim warmup`: everything compiled ahead, once, and where."""

import ast
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from churnsim import cache
from churnsim.cache import SUFFIX, KernelCacheWarning, cache_folder
from churnsim.cli import warming
from churnsim.cli.warming import KERNELS, warm_up
from churnsim.errors import StorageError
from churnsim.jit import kernel
from tests.cli.conftest import AS_TYPED, ROOT, Command


def kernels_written() -> set[str]:
    """Return the names of all functions of the package that are compiled entries."""
    trees = (
        ast.parse(path.read_text(encoding="utf-8"))
        for path in (ROOT / "churnsim").rglob("*.py")
    )
    return {
        node.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for mark in node.decorator_list
        if isinstance(mark, ast.Name) and mark.id == "kernel"
    }


def test_kernels__are_all_there_are() -> None:
    """A kernel that warmup forgot would be compiled at somebody's first run."""
    assert {each.py_func.__name__ for each in KERNELS} == kernels_written()


def test_warmup__does_it_once_and_says_where(churnsim: Command) -> None:
    """The second time there is nothing to do."""
    first, again = churnsim("warmup"), churnsim("warmup")
    assert (first.code, again.code) == (0, 0)
    assert again.out == f"The simulation was compiled already, in {cache_folder()}\n"


def test_warmup__refuses_where_nothing_can_be_kept(tmp_path: Path) -> None:
    """Code in a folder that others can write to is not trusted: none is put there."""
    tmp_path.chmod(0o777)
    done = subprocess.run(
        [*AS_TYPED, "warmup"],
        env={**os.environ, "CHURNSIM_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert "can be written to by others" in done.stderr
    assert "CHURNSIM_CACHE_DIR" in done.stderr
    assert not done.stdout
    assert not list(tmp_path.rglob("*.nb*"))


def half(x: float) -> float:
    """Return half of x."""
    return 0.5 * x


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder for warming up, of which `half` is all there is."""
    folder = tmp_path / cache.code_digest()
    folder.mkdir()
    for module in (cache, warming):
        monkeypatch.setattr(module, "cache_folder", lambda: folder)
    for name in ("all_logs", "all_exps", "all_normals"):
        monkeypatch.setattr(warming, name, lambda _: None)
    return folder


def warmed(monkeypatch: pytest.MonkeyPatch) -> bool:
    """Return whether all was ready, as a new process finds it."""
    fresh = kernel(half)
    monkeypatch.setattr(warming, "KERNELS", (fresh,))
    monkeypatch.setattr(warming, "simulate", lambda *_: fresh(1.5))
    return warm_up().was_ready


def test_warmup__is_ready_only_if_nothing_was_compiled(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is there but damaged is not machine code that is ready."""
    assert [warmed(monkeypatch) for _ in range(2)] == [False, True]
    (path,) = small.rglob(f"*{SUFFIX}")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.warns(KernelCacheWarning, match="is damaged"):
        assert not warmed(monkeypatch)
    assert warmed(monkeypatch)


@pytest.mark.usefixtures("small")
def test_warmup__refuses_where_the_disk_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What could not be kept is not said to be there."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "write_sealed", full)
    with (
        pytest.warns(KernelCacheWarning, match="No space left"),
        pytest.raises(StorageError, match="must be kept, but could not be written"),
    ):
        warmed(monkeypatch)


@pytest.mark.slow
def test_warmup__of_eight_at_once_one_compiles(tmp_path: Path) -> None:
    """On an empty cache none fails, and a ninth has nothing to do."""

    def warm() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*AS_TYPED, "warmup", "--json"],
            env={**os.environ, "CHURNSIM_CACHE_DIR": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=True,
        )

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: warm(), range(8)))
    assert not any("Warning" in one.stderr for one in done)
    kept = [*(tmp_path / "cache").rglob(f"*{SUFFIX}")]
    assert len(kept) == len(KERNELS)
    assert json.loads(warm().stdout)["was_ready"] is True
