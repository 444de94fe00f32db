"""The shape of the code itself: layers, sizes, docstrings, names, what is forbidden.

Every check reads the source as syntax trees and holds for whatever the package
contains, so a new module is covered without being named here, but for its layer.
"""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "churnsim"

# Lowest first. A part may import from lower layers only, never from one of its own.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"_version", "cache", "configs", "errors", "normal_coefficients"})
    | {"room"},
    frozenset({"jit"}),
    frozenset(
        {"borrow", "parts", "prefetch", "primitives", "streams", "storage", "units"}
    )
    | {"fit", "given"},
    frozenset({"variates"}),
    frozenset({"records"}),
    frozenset({"mechanisms"}),
    frozenset({"births", "scenario"}),
    frozenset({"population"}),
    frozenset({"engines"}),
    frozenset({"memory"}),
    frozenset({"simulation"}),
    frozenset({"firm"}),
    frozenset({"experiment"}),
    frozenset({"data", "sweep", "analysis"}),
    frozenset({"calibration", "robustness", "validation"}),
    frozenset({"report"}),
    frozenset({"cli"}),
)

# Each engine is a second opinion on the others, so these may not see each other.
ENGINES = frozenset({"reference", "kernel"})

MODULE_LINES = 400
FUNCTION_LINES = 70
MECHANISM_LINES = 20
ARGUMENTS = 6
PUBLIC_NAMES = 12

# Where files may be touched: the part, and why it must.
FILE_EDGES = {
    "churnsim.__main__": "leaves where a command is interrupted while it loads",
    "churnsim.cache": "names and guards the folder of compiled code",
    "churnsim.cli": "commands read and write what the user names",
    "churnsim.configs": "finds the ready scenarios",
    "churnsim.memory": "asks how much memory is left",
    "churnsim.experiment.store": "keeps results",
    "churnsim.data": "reads measurements",
    "churnsim.fit": "reads measurements",
    "churnsim.report": "writes pages and tables",
    "churnsim.scenario": "reads scenario files",
    "churnsim.storage": "writes so that it lasts",
    "churnsim.sweep": "keeps results",
    "churnsim.validation.published": "reads the data that figures are published of",
}
FILE_METHODS = frozenset(
    {"exists", "glob", "is_dir", "is_file", "iterdir", "mkdir", "open", "read_bytes"}
    | {"read_text", "rmdir", "touch", "unlink", "write_bytes", "write_text"}
)
FILE_MODULES = frozenset(
    {"glob", "pyarrow.parquet", "pyarrow.csv", "shutil", "sqlite3", "tempfile"}
)
# What else `os` is asked for touches the disk.
OS_WITHOUT_FILES = frozenset({"cpu_count", "getpid", "sched_getaffinity"})

HEAVY = frozenset({"numba", "numpy", "pyarrow", "pydantic", "rich", "scipy", "simpy"})

FORBIDDEN_MODULES = frozenset({"cPickle", "dill", "marshal", "pickle", "shelve"})
FORBIDDEN_CALLS = frozenset(
    {"__import__", "compile", "eval", "exec", "os.popen", "os.system"}
    | {"yaml.load", "yaml.unsafe_load"}
)

# Spelled in halves, since this file is searched as well.
FORBIDDEN_TEXT = (
    "TO" + "DO",
    "FIX" + "ME",
    "XX" + "X",
    "/wo" + "rk/",
    "/ro" + "ot/",
    "/ho" + "me/",
    "py" + "pi.org",
    "python" + "hosted",
    "npm" + "js.",
    "deb" + "ian.org",
)
TEXT_SUFFIXES = frozenset({"", ".ipynb", ".lock", ".md", ".py", ".sh", ".toml", ".txt"})
TEXT_FOLDERS = (".ci", "benchmarks", "churnsim", "configs", "docs", "tests", "tools")

type_of_function = (ast.FunctionDef, ast.AsyncFunctionDef)
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module(NamedTuple):
    """One file of the package."""

    name: str  # dotted, a package by its folder: "churnsim.engines"
    path: Path
    tree: ast.Module
    n_lines: int

    @property
    def part(self) -> str:
        """Return the layer's name, the second word: "engines"; "" for the package."""
        return [*self.name.split("."), ""][1]


@cache
def modules() -> dict[str, Module]:
    """Return every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        words = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(words[:-1] if words[-1] == "__init__" else words)
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text, filename=str(path))
        found[name] = Module(name, path, tree, len(text.splitlines()))
    return found


def imports(module: Module) -> Iterator[tuple[str, int]]:
    """Yield each dotted name that a module imports anywhere, with its line.

    `from churnsim.mechanisms import voice` names the submodule where there is one.
    """
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield (whole if whole in modules() else base), node.lineno


def functions(module: Module) -> Iterator[Function]:
    """Yield every function and method of a module, nested ones too."""
    for node in ast.walk(module.tree):
        if isinstance(node, type_of_function):
            yield node


def place(module: Module, line: int) -> str:
    """Return where something stands, as an editor can open it."""
    return f"{module.path.relative_to(ROOT)}:{line}"


def layer_of(part: str) -> int:
    """Return the layer of a part; -1 for one that LAYERS does not name."""
    return next((i for i, parts in enumerate(LAYERS) if part in parts), -1)


def touches_files(called: ast.Attribute) -> bool:
    """Return whether calling `a.b` reads, writes, lists or names a file."""
    if isinstance(called.value, ast.Name) and called.value.id == "os":
        return called.attr not in OS_WITHOUT_FILES
    return called.attr in FILE_METHODS


def oversized(module: Module, function: Function, first: int, limit: int) -> list[str]:
    """Return the complaint, if any, on the lines of a function from `first` on."""
    n_lines = (function.end_lineno or 0) - first + 1
    where = f"{place(module, function.lineno)}: {function.name} {n_lines}"
    return [where] if n_lines > limit else []


def test_layers__every_part_has_one() -> None:
    """Each module and subpackage of churnsim stands in exactly one layer."""
    unknown = {module.part for module in modules().values()} - {"", "__main__"}
    assert sorted(part for part in unknown if layer_of(part) < 0) == []
    assert sum(map(len, LAYERS)) == len(frozenset().union(*LAYERS))


def test_layers__imports_point_down() -> None:
    """A module imports from its own part or from lower layers, never from above."""
    wrong = []
    for module in modules().values():
        if module.part in {"", "__main__"}:
            continue
        for target, line in imports(module):
            words = target.split(".")
            if words[0] != "churnsim" or len(words) == 1 or words[1] == module.part:
                continue
            if layer_of(words[1]) >= layer_of(module.part):
                wrong.append(f"{place(module, line)}: {module.part} -> {words[1]}")
    assert wrong == []


def test_layers__mechanisms_know_no_engine_or_array() -> None:
    """Mechanisms import neither simpy nor numpy nor anything that runs time."""
    banned = {"asyncio", "heapq", "numba", "numpy", "random", "scipy", "simpy", "time"}
    wrong = [
        f"{place(module, line)}: {target}"
        for module in modules().values()
        if module.part == "mechanisms"
        for target, line in imports(module)
        if target.split(".")[0] in banned
    ]
    assert wrong == []


def test_layers__engines_do_not_import_each_other() -> None:
    """Neither the reference engine nor the kernel reads the other."""
    wrong = []
    for module in modules().values():
        words = module.name.split(".")
        if module.part != "engines" or len(words) < 3 or words[2] not in ENGINES:
            continue
        others = ENGINES - {words[2]}
        wrong += [
            f"{place(module, line)}: {target}"
            for target, line in imports(module)
            if target.startswith("churnsim.engines.") and target.split(".")[2] in others
        ]
    assert wrong == []


def test_layers__numba_only_in_jit() -> None:
    """Every choice about the compiler lives in jit.py."""
    users = {
        module.name
        for module in modules().values()
        for target, _ in imports(module)
        if target.split(".")[0] in {"numba", "llvmlite"}
    }
    assert users <= {"churnsim.jit"}


def test_layers__files_only_at_the_edges() -> None:
    """Nothing inside opens, writes, lists or names a file: only the edges do."""
    wrong = []
    for module in modules().values():
        if any(f"{module.name}.".startswith(f"{edge}.") for edge in FILE_EDGES):
            continue
        wrong += [
            f"{place(module, line)}: imports {target}"
            for target, line in imports(module)
            if any(f"{target}.".startswith(f"{name}.") for name in FILE_MODULES)
        ]
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Name) and node.func.id == "open":
                wrong.append(f"{place(module, node.lineno)}: open")
            if isinstance(node.func, ast.Attribute) and touches_files(node.func):
                wrong.append(f"{place(module, node.lineno)}: {ast.unparse(node.func)}")
    assert wrong == []


def test_layers__no_orphans() -> None:
    """Each module is imported by another one or is where a command enters."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    reached = {"churnsim", "churnsim.__main__"}
    reached |= {entry.split(":")[0] for entry in project["scripts"].values()}
    for module in modules().values():
        for target, _ in imports(module):
            if target != module.name:
                words = target.split(".")
                reached |= {".".join(words[:i]) for i in range(1, len(words) + 1)}
    # The build reads the version from its file.
    assert sorted(modules().keys() - reached - {"churnsim._version"}) == []


def test_sizes__modules() -> None:
    """No module has more than 400 lines."""
    long = {m.name: m.n_lines for m in modules().values() if m.n_lines > MODULE_LINES}
    assert long == {}


def test_sizes__functions() -> None:
    """No function has more than 70 lines, docstring included."""
    wrong = []
    for module in modules().values():
        for function in functions(module):
            wrong += oversized(module, function, function.lineno, FUNCTION_LINES)
    assert wrong == []


def test_sizes__mechanisms() -> None:
    """No mechanism's body has more than 20 lines beside its docstring."""
    wrong = []
    for module in modules().values():
        if module.part != "mechanisms":
            continue
        for function in functions(module):
            body = function.body[ast.get_docstring(function) is not None :]
            if body:
                wrong += oversized(module, function, body[0].lineno, MECHANISM_LINES)
    assert wrong == []


def test_sizes__arguments() -> None:
    """No function takes more than six arguments; none takes `**`, but to pass it on."""
    wrong = []
    for module in modules().values():
        for function in functions(module):
            given = function.args
            named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
            n = sum(argument.arg not in {"self", "cls"} for argument in named)
            if n > ARGUMENTS or takes_any_keyword(given.kwarg):
                wrong.append(f"{place(module, function.lineno)}: {function.name} {n}")
    assert wrong == []


def takes_any_keyword(argument: ast.arg | None) -> bool:
    """Return whether there is a `**` argument that is not typed as `P.kwargs`."""
    if argument is None:
        return False
    hint = argument.annotation
    return not (isinstance(hint, ast.Attribute) and hint.attr == "kwargs")


def public_definitions(
    body: list[ast.stmt], prefix: str = ""
) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Yield public functions, classes and methods with their dotted names."""
    for node in body:
        if not isinstance(node, ast.ClassDef | Function):
            continue
        if node.name.startswith("_"):
            continue
        yield f"{prefix}{node.name}", node
        if isinstance(node, ast.ClassDef):
            yield from public_definitions(node.body, f"{prefix}{node.name}.")


def test_docstrings__everywhere() -> None:
    """Every module, and every public class, function and method, says what it is."""
    silent = []
    for module in modules().values():
        if not ast.get_docstring(module.tree):
            silent.append(module.name)
        for name, node in public_definitions(module.tree.body):
            if not ast.get_docstring(node):
                silent.append(f"{place(module, node.lineno)}: {name}")
    assert silent == []


def test_tests__state_their_claim() -> None:
    """Every test's name has a subject and a property, and its docstring the claim."""
    wrong = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, type_of_function):
                continue
            if node.name.startswith("test_") and not (
                "__" in node.name and ast.get_docstring(node)
            ):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}")
    assert wrong == []


def test_public_names__are_what_can_be_imported() -> None:
    """`churnsim.__all__` lists the version and at most a dozen names; each is there."""
    import churnsim

    listed = list(churnsim.__all__)
    assert len(set(listed)) == len(listed) <= PUBLIC_NAMES + 1
    starred: dict[str, object] = {}
    exec("from churnsim import *", starred)  # noqa: S102 - what a user would type
    assert starred.keys() - {"__builtins__"} == set(listed)
    visible = {
        name
        for name, value in vars(churnsim).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert visible <= set(listed)


def test_public_names__import_is_light() -> None:
    """`import churnsim` loads none of the heavy libraries."""
    code = "import sys, churnsim; print(*{m.split('.')[0] for m in sys.modules})"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert HEAVY & set(run.stdout.split()) == set()


def test_public_names__version_is_the_built_one() -> None:
    """`churnsim.__version__` is the version that the build reads."""
    import churnsim

    (assigned,) = (
        node
        for node in modules()["churnsim._version"].tree.body
        if isinstance(node, ast.Assign)
    )
    assert churnsim.__version__ == ast.literal_eval(assigned.value)


def texts() -> Iterator[Path]:
    """Yield every text file of the project, whatever wrote it."""
    yield from (path for path in ROOT.iterdir() if path.is_file())
    for folder in TEXT_FOLDERS:
        yield from (path for path in (ROOT / folder).rglob("*") if path.is_file())


@pytest.mark.parametrize("word", FORBIDDEN_TEXT)
def test_text__holds_no_forbidden_word(word: str) -> None:
    """No file speaks of unfinished work, of one machine's folders or of a host."""
    found = [
        str(path.relative_to(ROOT))
        for path in texts()
        if path.suffix in TEXT_SUFFIXES and word in path.read_text(encoding="utf-8")
    ]
    assert found == []


def test_safety__nothing_runs_what_it_reads() -> None:
    """No pickle, eval, exec, unsafe YAML or shell anywhere in the package."""
    wrong = []
    for module in modules().values():
        wrong += [
            f"{place(module, line)}: imports {target}"
            for target, line in imports(module)
            if target.split(".")[0] in FORBIDDEN_MODULES
        ]
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            shell = any(
                word.arg == "shell" and ast.unparse(word.value) != "False"
                for word in node.keywords
            )
            unsafe = called in {
                "yaml.load",
                "yaml.unsafe_load",
                "os.system",
                "os.popen",
            }
            if called in FORBIDDEN_CALLS or shell or unsafe:
                wrong.append(f"{place(module, node.lineno)}: {called}")
    assert wrong == []
