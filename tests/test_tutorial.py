"""The tutorial runs as it stands: every cell, and what each of them shows."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

import churnsim
from churnsim.errors import ChurnsimError

DOCS = Path(__file__).resolve().parent.parent / "docs"
TUTORIAL = DOCS / "tutorial.ipynb"
LINK = re.compile(r"\]\(([^)#:]+)\)")


def cells(kind: str) -> list[tuple[str, str]]:
    """Return the cells of a kind: their names, and what is in them."""
    notebook = json.loads(TUTORIAL.read_text(encoding="utf-8"))
    return [
        (cell["id"], "".join(cell["source"]))
        for cell in notebook["cells"]
        if cell["cell_type"] == kind
    ]


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Run a cell as a notebook does; return the value that it would show."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)  # noqa: S102 - what a reader would run
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307


def shown(value: Any) -> str:
    """Return what a notebook would show of a value."""
    if hasattr(value, "_repr_mimebundle_"):
        return json.dumps(value._repr_mimebundle_())
    html = getattr(value, "_repr_html_", None)
    return str(html()) if html else repr(value)


@pytest.mark.compiled
def test_tutorial__every_cell_runs() -> None:
    """All cells run in order, and each shows something at its end."""
    names: dict[str, Any] = {}
    texts = {}
    for name, source in cells("code"):
        try:
            texts[name] = shown(run_cell(source, names))
        except Exception as error:
            raise AssertionError(f"cell {name}: {error!r}") from error
    assert all(text not in {"", "None"} for text in texts.values())
    records = ("compare", "explain", "turned", "story", "breakeven")
    assert all(texts[name].startswith("<p>") for name in records)
    plots = [name for name in texts if "plot" in name]
    assert all("vegaEmbed" in texts[name] for name in plots)
    assert len(plots) == 6
    frames = [name for name in texts if "frame" in name]
    assert all("dtype" in texts[name] or "<table" in texts[name] for name in frames)
    # What its text says of the answers.
    assert names["turning"].verdict == "starts"
    assert names["lives"].lives[0].departure is not None
    assert names["lives"].lives[1].departure is None
    sums = sum(share.micro for share in names["reasons"].shares)
    assert sums == names["reasons"].loss.micro
    assert not any("rough" in text for text in names["comparison"].warnings)


def test_tutorial__is_kept_without_outputs() -> None:
    """No output is kept that could grow old, and each cell has a name of its own."""
    notebook = json.loads(TUTORIAL.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in ids)


def test_tutorial__shows_what_python_offers() -> None:
    """Each question at the top of the package is asked, and links lead somewhere."""
    code = "\n".join(source for _, source in cells("code"))
    tree = ast.parse(code)
    called = {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    asked = {"breakeven", "compare", "counterfactuals", "explain", "plot", "story"}
    assert asked <= called
    assert asked <= set(churnsim.__all__)
    text = "\n".join(source for _, source in cells("markdown"))
    assert all((DOCS / link).is_file() for link in LINK.findall(text))


def test_tutorial__a_cell_that_fails_is_found() -> None:
    """The test's own way of running a cell passes on what goes wrong in it."""
    with pytest.raises(ChurnsimError, match="did you mean 'telecom'"):
        run_cell('import churnsim\nchurnsim.load_scenario("telcom")', {})
    assert run_cell("x = 2\nx + 1", {}) == 3
