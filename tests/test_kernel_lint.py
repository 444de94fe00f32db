"""What compiled code may not contain, read from the syntax trees.

Each rule names something that was measured to differ between compiled and interpreted
code, between machines or between versions. Only functions marked `mechanism` or
`kernel` are held to them: what runs before the clock starts is free.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "churnsim"

DECORATORS = frozenset({"mechanism", "kernel"})

# Exact, or the same everywhere: all else of these modules is refused.
MATH_ALLOWED = frozenset(
    {"ceil", "copysign", "floor", "inf", "isfinite", "isinf", "isnan", "nan", "sqrt"}
)
NUMPY_ALLOWED = frozenset(
    {"bool_", "empty", "empty_like", "float64", "full", "inf", "int32", "int64", "nan"}
    | {"ndarray", "uint8", "uint16", "uint32", "uint64", "zeros", "zeros_like"}
)
CALLS_REFUSED = {
    "hash": "differs between runs",
    "pow": "differs compiled; write the product",
    "prange": "its order of addition is not fixed",
    "round": "differs compiled; use round_half_up",
    "sum": "its rounding depends on the version; write the loop",
}
METHODS_REFUSED = frozenset(
    {"argsort", "cumsum", "dot", "mean", "prod", "std", "sum", "trace", "var"}
)
KEYWORDS_REFUSED = frozenset({"fastmath", "parallel"})
BOUNDED = frozenset({"ceil", "floor", "len"})
STABLE = frozenset({"mergesort", "stable"})


class About(NamedTuple):
    """What the rules need to know of a marked function and its module."""

    named: dict[str, str]  # what `math` and `numpy` are called
    stored: set[str]  # names that only hold stored values
    has_words: bool  # whether it makes words of 64 bits


def aliases(tree: ast.Module) -> dict[str, str]:
    """Return what `math` and `numpy` are called in a module."""
    return {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name in {"math", "numpy"}
    }


def called_name(call: ast.Call) -> str:
    """Return the last word of what is called: `floor` for `math.floor(x)`."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def marked_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Yield the functions that are marked as mechanisms or kernels."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        for mark in node.decorator_list:
            made = mark.func if isinstance(mark, ast.Call) else mark
            name = made.attr if isinstance(made, ast.Attribute) else made
            if (name.id if isinstance(name, ast.Name) else name) in DECORATORS:
                yield node


def is_stable_sort(call: ast.Call) -> bool:
    """Return whether a call names a stable kind of sorting."""
    return any(
        word.arg == "kind"
        and isinstance(word.value, ast.Constant)
        and word.value.value in STABLE
        for word in call.keywords
    )


def stored_names(function: ast.FunctionDef) -> set[str]:
    """Return the names that only ever hold what was stored in an array or tuple."""
    assigned: dict[str, int] = {}
    stored: dict[str, int] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            assigned[node.id] = assigned.get(node.id, 0) + 1
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    stored[target.id] = stored.get(target.id, 0) + 1
    return {name for name, n in stored.items() if n == assigned[name]}


def is_bounded(value: ast.expr | None, stored: set[str]) -> bool:
    """Return whether int() of an expression is sure to mean the same everywhere.

    Stored values are codes and counts; floats must go through floor or ceil.
    """
    if isinstance(value, ast.Call):
        return called_name(value) in BOUNDED
    if isinstance(value, ast.Name):
        return value.id in stored
    return isinstance(value, ast.Subscript)


def call_complaint(call: ast.Call, stored: set[str]) -> str:
    """Return what is wrong with a call, or an empty text."""
    name = called_name(call)
    if isinstance(call.func, ast.Name) and name in CALLS_REFUSED:
        return f"{name}(): {CALLS_REFUSED[name]}"
    if name == "int" and not is_bounded(call.args[0] if call.args else None, stored):
        return "int(): of an unbounded float; write int(math.floor(x))"
    is_method = isinstance(call.func, ast.Attribute) and name in METHODS_REFUSED
    if is_method and not (name == "argsort" and is_stable_sort(call)):
        return f".{name}(): its order is not fixed; write the loop"
    refused = [word.arg for word in call.keywords if word.arg in KEYWORDS_REFUSED]
    return f"{refused[0]}: results would depend on the compiler" if refused else ""


def attribute_complaint(node: ast.Attribute, named: dict[str, str]) -> str:
    """Return what is wrong with `math.x` or `np.x`, or an empty text."""
    module = named.get(node.value.id) if isinstance(node.value, ast.Name) else None
    if module == "math" and node.attr not in MATH_ALLOWED:
        return f"math.{node.attr}: belongs to the machine; use churnsim.primitives"
    if module == "numpy" and node.attr not in NUMPY_ALLOWED | METHODS_REFUSED:
        return f"np.{node.attr}: not known to be the same everywhere"
    return ""


def node_complaint(node: ast.AST, about: About) -> str:
    """Return what is wrong with one node of a marked function, or an empty text."""
    if isinstance(node, ast.Lambda):
        return "lambda: never kept in the cache; write a mechanism"
    if isinstance(node, ast.BinOp | ast.AugAssign):
        if isinstance(node.op, ast.Pow):
            return "**: differs compiled; write the product"
        if isinstance(node.op, ast.MatMult):
            return "@: its order of addition is not fixed"
        if isinstance(node.op, ast.BitXor | ast.LShift) and not about.has_words:
            return "^ or <<: signed overflow is undefined; use words of jit.word"
    if isinstance(node, ast.Attribute):
        return attribute_complaint(node, about.named)
    if isinstance(node, ast.Call):
        return call_complaint(node, about.stored)
    return ""


def complaints(source: str) -> list[str]:
    """Return `line: rule` for everything in a module that breaks a rule."""
    tree = ast.parse(source)
    named = aliases(tree)
    marked = list(marked_functions(tree))
    imported = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and marked]
    found = [
        f"{node.lineno}: from {node.module} import: hides what is used"
        for node in imported
        if node.module in {"math", "numpy"}
    ]
    for function in marked:
        calls = [n for n in ast.walk(function) if isinstance(n, ast.Call)]
        has_words = any(called_name(call) == "word" for call in calls)
        about = About(named, stored_names(function), has_words)
        for node in ast.walk(function):
            complaint = node_complaint(node, about)
            if complaint:
                line = getattr(node, "lineno", function.lineno)
                found.append(f"{line}: {complaint}")
    return found


def sources() -> dict[str, str]:
    """Return the text of every module that holds compiled functions."""
    texts = {
        path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(PACKAGE.rglob("*.py"))
    }
    return {
        name: text
        for name, text in texts.items()
        if [*marked_functions(ast.parse(text))]
    }


def test_compiled_code__keeps_the_rules() -> None:
    """No function of the package that is compiled breaks a rule."""
    found = {name: complaints(text) for name, text in sources().items()}
    assert {name: list_ for name, list_ in found.items() if list_} == {}


def test_compiled_code__is_found() -> None:
    """The search reaches the modules that everything else is built on."""
    assert {"primitives.py", "streams.py", "variates.py"} <= sources().keys()


HEADER = "import math\nimport numpy as np\nfrom churnsim.jit import kernel, word\n"


def marked(body: str) -> str:
    """Return a module with a kernel of one line, which is line 7."""
    return f"{HEADER}\n@kernel\ndef f(x, y):\n    {body}\n    return x\n"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("x = x**3", "**"),
        ("x **= 2", "**"),
        ("x = x @ y", "@"),
        ("x = math.log(x)", "math.log"),
        ("x = math.exp(x)", "math.exp"),
        ("x = math.pow(x, 2.0)", "math.pow"),
        ("x = math.log1p(x)", "math.log1p"),
        ("x = math.expm1(x)", "math.expm1"),
        ("x = math.sin(x)", "math.sin"),
        ("x = math.fsum(x)", "math.fsum"),
        ("x = np.log(x)", "np.log"),
        ("x = np.random.random()", "np.random"),
        ("x = np.sum(x)", ".sum()"),
        ("x = np.mean(x)", ".mean()"),
        ("x = np.std(x)", ".std()"),
        ("x = np.dot(x, y)", ".dot()"),
        ("x = x.sum()", ".sum()"),
        ("x = np.argsort(x)", ".argsort()"),
        ("x = x.argsort(kind='quicksort')", ".argsort()"),
        ("x = hash(x)", "hash()"),
        ("x = round(x, 2)", "round()"),
        ("x = sum(x)", "sum()"),
        ("x = pow(x, 2)", "pow()"),
        ("x = int(x)", "int()"),
        ("x = int(x * y)", "int()"),
        ("z = x[0]; z = x * y; x = int(z)", "int()"),
        ("z = x[0]; z += 0.5; x = int(z)", "int()"),
        ("x = (lambda z: z)(x)", "lambda"),
        ("x = x ^ y", "^"),
        ("x = x << 3", "<<"),
        ("for i in prange(3): x += i", "prange"),
        ("x = y(x, fastmath=True)", "fastmath"),
        ("x = y(x, parallel=True)", "parallel"),
    ],
)
def test_lint__sees(body: str, rule: str) -> None:
    """Each rule catches a seeded fault, once, on its line."""
    (complaint,) = complaints(marked(body))
    assert complaint.startswith("7: ")
    assert rule in complaint


@pytest.mark.parametrize(
    "source",
    [
        HEADER + "@kernel(fastmath=True)\ndef f(x):\n    return x\n",
        HEADER + "from math import log\n@kernel\ndef f(x):\n    return log(x)\n",
        HEADER + "from numpy import sum\n@kernel\ndef f(x):\n    return x\n",
        "import math as m\n@jit.mechanism\ndef f(x):\n    return m.cos(x)\n",
        HEADER + "def g():\n    @kernel\n    def f(x):\n        return x**2\n",
    ],
)
def test_lint__is_not_evaded(source: str) -> None:
    """Other names, arguments of the decorator and nesting do not hide a fault."""
    assert len(complaints(source)) == 1


@pytest.mark.parametrize(
    "body",
    [
        "x = x * x * x",
        "x = int(math.floor(x + 0.5))",
        "x = int(x[3])",
        "z = x[3]; x = int(z)",
        "x = math.sqrt(x) if math.isnan(y) else math.inf",
        "x = np.argsort(x, kind='mergesort')",
        "x = np.zeros(3, dtype=np.float64)",
        "x = (word(x) << word(20)) ^ word(y)",
        "x = (x - 1) >> 1",
        "x = min(x, max(x, y))",
    ],
)
def test_lint__lets_pass(body: str) -> None:
    """What is exact and the same everywhere is allowed."""
    assert complaints(marked(body)) == []


def test_lint__leaves_other_functions_alone() -> None:
    """What is never compiled may use what it likes."""
    assert complaints("import math\ndef f(x):\n    return math.log(x) ** 2\n") == []
