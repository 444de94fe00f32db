"""`churnsim warmup`: everything compiled ahead, once, and where."""

import ast
import os
import subprocess
from pathlib import Path

from churnsim.cache import cache_folder
from churnsim.cli.warming import KERNELS
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
