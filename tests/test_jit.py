"""Compilation: the same answers as interpreted, and exact bit operations."""

import gc
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest

from churnsim import cache, jit
from churnsim.jit import is_cached, kernel, mechanism, power_of_two, split, word
from churnsim.mechanisms.clocks import budget
from churnsim.primitives import exp

pytestmark = pytest.mark.compiled


@mechanism
def triple(x: float) -> float:
    """Return three times x."""
    return 3.0 * x


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


def test_kernel__collects_no_garbage_while_it_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No thread waits for LLVM to free what is its: collection is off meanwhile."""
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
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


def test_kernel__is_optimised_once_and_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No machine code is made of what kernels of the package call, nor kept."""
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    made, make = [], jit._Part._make

    def noted(part: Any) -> None:
        made.append(part.name)
        make(part)

    monkeypatch.setattr(jit._Part, "_make", noted)

    def answer(x: float) -> float:
        return exp(x) - 1.0 / x

    compiled = kernel(answer)
    assert compiled(0.5) == answer(0.5)
    assert [name for name in made if "answer" in name or name == "exp"] == [
        answer.__qualname__
    ]
    again = kernel(answer)
    del made[:]
    assert (again(0.5), made) == (answer(0.5), [])
    with pytest.raises(ZeroDivisionError):
        again(0.0)


def test_kernel__leaves_other_functions_to_numba(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others compile, before or after, is compiled as numba does it."""
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    generator = jit.registry.cpu_target.target_context.codegen()
    found = []

    def thrice(x: float) -> float:
        return 3.0 * x

    theirs: Any = jit.numba.njit(thrice)

    def answer(x: float) -> float:
        return float(theirs(x)) + float(np.sum(np.full(3, x)))

    def look(x: Any) -> Any:  # noqa: ARG001 - its name is what numba asks for
        found.append(generator._library_class)

        def build(x: Any) -> Any:
            return x

        return build

    def probe(x: float) -> float:
        return x

    def asking(x: float) -> float:
        return probe(x)

    def twice_budget(u: float) -> float:
        return 2.0 * budget(u)

    jit.extending.overload(probe)(look)
    twice = 2.0 * budget(0.5)  # which calls others of the package
    assert kernel(twice_budget)(0.5) == jit.numba.njit(twice_budget)(0.5) == twice
    assert kernel(asking)(1.0) == 1.0
    assert kernel(answer)(0.5) == 3.0
    assert theirs(0.5) == 1.5
    assert jit.numba.njit(answer)(0.5) == 3.0
    assert set(found) == {jit._Part}
    assert generator._library_class is jit.codegen.JITCodeLibrary


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
