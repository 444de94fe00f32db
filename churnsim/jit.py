"""Choose how functions are compiled: with `cache`, the only module that knows numba.

`mechanism` marks a scalar rule: plain Python for Python callers, inlined into kernels.
`kernel` compiles a loop and keeps its machine code on disk between runs.

Numba optimises each function by itself, with all that it calls in it, and makes machine
code of it: what is ten calls down is worked on ten times. Of a kernel's parts only the
kernel is called from Python, so here they are linked as they are, and optimised once.

`word`, `split` and `power_of_two` are the three exact bit operations that need one form
for Python and another for the compiler; everything else is one source.
"""

import contextlib
import functools
import gc
import importlib
import math
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, ParamSpec, Protocol, TypeVar, cast

import numpy as np

from churnsim.cache import SealedCache
from churnsim.room import with_room

# Seen as Any: numba is annotated in part since 0.68, and not at all before.
numba: Any = importlib.import_module("numba")
codegen: Any = importlib.import_module("numba.core.codegen")
locking: Any = importlib.import_module("numba.core.compiler_lock")
llvm: Any = importlib.import_module("llvmlite.binding")
registry: Any = importlib.import_module("numba.core.registry")
extending: Any = importlib.import_module("numba.extending")

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
F = TypeVar("F", bound=Callable[..., Any])

INLINED, INLINED_BY_LLVM = 1500, 250  # LLVM's measure of what takes a call's place
OURS = "8churnsim"  # in the compiler's name of what belongs to this package
SQRT_HALF = 0.7071067811865476
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
FRACTION_BITS = 0x000FFFFFFFFFFFFF


class Kernel(Protocol[P, R_co]):
    """A compiled function: call it, or call `py_func` to interpret it."""

    @property
    def py_func(self) -> Callable[P, R_co]:
        """Return the same function, interpreted."""

    @property
    def signatures(self) -> list[tuple[Any, ...]]:
        """Return the argument types it has been compiled for."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Run the compiled function."""


def mechanism(function: F) -> F:
    """Return the function unchanged, made known to the compiler."""
    made_known: F = extending.register_jitable(function)
    return made_known


def kernel(function: Callable[P, R_co]) -> Kernel[P, R_co]:
    """Return the function compiled at its first call, or read from the cache folder.

    With `NUMBA_DISABLE_JIT=1` it stays interpreted, and is its own `py_func`.
    """
    options = {"nogil": True, "fastmath": False, "error_model": "python"}
    compiled: Any = numba.njit(**options)(function)
    if not hasattr(compiled, "py_func"):
        compiled.py_func = function
        compiled.signatures = []
    else:
        cache = SealedCache(function)
        compiled._cache = cache  # noqa: SLF001 - numba has no setter
        compiled.compile = _alone(compiled.compile, cache)
    return cast(Kernel[P, R_co], compiled)


def is_cached(compiled: Kernel[..., Any]) -> bool:
    """Return whether a call needs no compilation.

    True once it has been called in this process, or if the cache folder holds machine
    code of this function for these sources and this machine.
    """
    return bool(compiled.signatures) or is_kept(compiled)


def is_kept(compiled: Kernel[..., Any]) -> bool:
    """Return whether machine code of it is on disk, or none is needed."""
    cache = getattr(compiled, "_cache", None)
    return cache is None or bool(cache.has_entries())


def n_compiled(compiled: Kernel[..., Any]) -> int:
    """Return for how many signatures it was compiled in this process, not read."""
    stats = getattr(compiled, "stats", None)
    return sum(stats.cache_misses.values()) if stats else 0


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage meanwhile: around all that compiles one kernel or several.

    A collection in another thread may free what belongs to LLVM, and then waits for
    the lock that is held while a kernel is compiled: a main thread that does so, even
    if it began between two kernels, does not answer Ctrl-C for a minute.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def word(value: int) -> int:
    """Return the value as a 64-bit unsigned word; the same number, a Python `int` here.

    Compiled signed arithmetic has no defined overflow, so random words are unsigned.
    """
    return int(value)


def split(x: float) -> tuple[float, int]:
    """Return m in [√½, √2) and k with x = m 2^k exactly, for positive normal x."""
    m, k = math.frexp(x)
    if m < SQRT_HALF:
        return m + m, k - 1
    return m, k


def power_of_two(k: int) -> float:
    """Return 2^k exactly, for k from −1022 to 1023."""
    return math.ldexp(1.0, k)


# ruff: noqa: ARG001 - numba prescribes the arguments of the builders below


def _type_bits_of(typingctx: Any, x: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(numba.int64))

    return numba.int64(numba.float64), build


def _type_float_of(typingctx: Any, bits: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(numba.float64))

    return numba.float64(numba.int64), build


_bits_of = extending.intrinsic(_type_bits_of)
_float_of = extending.intrinsic(_type_float_of)


def _compile_word(value: Any) -> Any:
    def word(value: Any) -> Any:
        return np.uint64(value)

    return word


def _compile_split(x: Any) -> Any:
    def split(x: Any) -> Any:
        above = _bits_of(x) - SQRT_HALF_BITS
        return _float_of((above & FRACTION_BITS) + SQRT_HALF_BITS), above >> 52

    return split


def _compile_power_of_two(k: Any) -> Any:
    def power_of_two(k: Any) -> Any:
        return _float_of((k + 1023) << 52)

    return power_of_two


extending.overload(word)(_compile_word)
extending.overload(split)(_compile_split)
extending.overload(power_of_two)(_compile_power_of_two)


def _alone(compiling: Callable[[Any], Any], cache: SealedCache) -> Callable[[Any], Any]:
    """Return the same, one at a time, with no collection of garbage meanwhile."""

    @with_room
    @functools.wraps(compiling)
    def compile_one(signature: Any) -> Any:
        with locking.global_compiler_lock, uncollected(), _optimised_once():
            _inline(INLINED)
            try:
                return compiling(signature)
            finally:
                _inline(INLINED_BY_LLVM)
                cache.release()

    return compile_one


def _inline(at_most: int) -> None:
    """Have LLVM put functions up to a size in place of calls, in all of the process."""
    llvm.set_option("churnsim", f"--inline-threshold={at_most}")


class _Defined:
    """A module of LLVM, of whose functions only those with a body are shown."""

    def __init__(self, module: Any) -> None:
        vars(self)["_module"] = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._module, name, value)

    @property
    def functions(self) -> list[Any]:
        """Return the functions that are not but declared."""
        return [one for one in self._module.functions if not one.is_declaration]


class _Part(codegen.JITCodeLibrary):  # type: ignore[misc]
    """The code of a function, of which machine code is made when it is asked for.

    What it calls is linked into it then, and not into each function in between.
    """

    _waiting: ClassVar[dict[str, Any]] = {}  # what a part refers to, by its name
    _is_linking: ClassVar[bool] = False  # some part is put together
    _is_made = False

    def _optimize_functions(self, ll_module: Any) -> None:
        super()._optimize_functions(_Defined(ll_module))

    def finalize(self) -> None:
        """Wait until somebody needs it."""
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Return where a function begins; 0 if there is none, or it is but a part.

        What is not ours is made at once, since others may call it.
        """
        self._ensure_finalized()
        if not self._is_made:
            if OURS in name and not self._has(name):
                return 0
            self._make()
        return int(super().get_pointer_to_function(name))

    def _has(self, name: str) -> bool:
        return any(one.name == name for one in self.get_defined_functions())

    def _make(self) -> None:
        self._is_made = True
        self._finalized = False
        self._shared_module = None
        self._linking_libraries = [*self._called()]
        _Part._is_linking = True
        try:
            super().finalize()
        finally:
            _Part._is_linking = False
        engine = self._codegen._engine  # noqa: SLF001 - numba has no other way
        for name in [*filter(engine.is_symbol_defined, self._waiting)]:
            codegen.JITCPUCodegen.set_env(self._codegen, name, self._waiting.pop(name))

    def _get_module_for_linking(self) -> Any:
        if not (self._is_made or _Part._is_linking):  # numba wants it, and all it calls
            self._make()
        return super()._get_module_for_linking()

    def _called(self) -> Iterator[Any]:
        """Yield all that it calls, near and far, each once and before what it calls."""
        seen, stack = {self}, [*reversed(self._linking_libraries)]
        while stack:
            library = stack.pop()
            if library not in seen:
                seen.add(library)
                yield library
                stack += reversed(library._linking_libraries)  # noqa: SLF001 - its own

    def _finalize_final_module(self) -> None:
        self._is_made = True  # also where it was read from disk
        super()._finalize_final_module()


@contextlib.contextmanager
def _optimised_once() -> Iterator[None]:
    """Have parts linked as they are, and what Python calls optimised as a whole."""
    generator = registry.cpu_target.target_context.codegen()
    if "_library_class" in vars(generator):  # a kernel that another one calls
        yield
        return

    def set_env(name: str, env: Any) -> None:
        if generator._engine.is_symbol_defined(name):  # noqa: SLF001 - as above
            codegen.JITCPUCodegen.set_env(generator, name, env)
        else:
            _Part._waiting[name] = env  # noqa: SLF001 - of this module

    generator._library_class, generator.set_env = _Part, set_env  # noqa: SLF001
    try:
        yield
    finally:
        del generator._library_class, generator.set_env  # noqa: SLF001 - as above
