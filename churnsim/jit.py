"""Choose how functions are compiled: the only module that imports numba.

`mechanism` marks a scalar rule: plain Python for Python callers, inlined into kernels.
`kernel` compiles a loop and keeps its machine code on disk between runs.

Numba's own cache does not notice edits in other modules, has no checksums, and stops
the program on a damaged file. So the folder is named by a digest of our sources, less
those that no compiled code reaches, and of everything else that shapes machine code,
and each file in it is sealed by a SHA-256. A damaged file, or a folder that others can
write to, costs a compilation and a warning.

`word`, `split` and `power_of_two` are the three exact bit operations that need one form
for Python and another for the compiler; everything else is one source.
"""

import atexit
import contextlib
import functools
import gc
import hashlib
import importlib
import importlib.metadata
import io
import logging
import math
import os
import shutil
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, ParamSpec, Protocol, TypeVar, cast

import numpy as np
import platformdirs

# Seen as Any: numba is annotated in part since 0.68, and not at all before.
numba: Any = importlib.import_module("numba")
caching: Any = importlib.import_module("numba.core.caching")
locking: Any = importlib.import_module("numba.core.compiler_lock")
registry: Any = importlib.import_module("numba.core.registry")
extending: Any = importlib.import_module("numba.extending")

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
F = TypeVar("F", bound=Callable[..., Any])

LOGGER = logging.getLogger(__name__)  # tells what is compiled, as it begins

CACHE_VARIABLE = "CHURNSIM_CACHE_DIR"
# Folders that no kernel reaches.
NOT_COMPILED = (
    *("analysis", "calibration", "cli", "data", "experiment", "report", "robustness"),
    *("sweep", "validation"),
)
SEAL_BYTES = hashlib.sha256().digest_size
SQRT_HALF = 0.7071067811865476
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
FRACTION_BITS = 0x000FFFFFFFFFFFFF

# Settings of numba that change machine code but are not part of its own cache key.
CODE_SETTINGS = (
    "OPT",
    "BOUNDSCHECK",
    "CPU_NAME",
    "CPU_FEATURES",
    "DISABLE_JIT",
    "LOOP_VECTORIZE",
    "SLP_VECTORIZE",
    "DEBUGINFO_DEFAULT",
    "USING_SVML",
)


class KernelCacheWarning(RuntimeWarning):
    """Compiled code could not be read or kept on disk; it is compiled again."""


class DamagedEntryError(Exception):
    """A file in the kernel cache does not carry the checksum of its content."""


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
        compiled._cache = _SealedCache(function)  # noqa: SLF001 - numba has no setter
        compiled.compile = _uncollected(compiled.compile)
    return cast(Kernel[P, R_co], compiled)


def is_cached(compiled: Kernel[..., Any]) -> bool:
    """Return whether a call needs no compilation.

    True once it has been called in this process, or if the cache folder holds machine
    code of this function for these sources and this machine.
    """
    cache = getattr(compiled, "_cache", None)
    return cache is None or bool(compiled.signatures) or cache.has_entries()


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


@functools.cache
def cache_folder() -> Path:
    """Return the private folder that holds machine code for exactly these sources.

    `$CHURNSIM_CACHE_DIR`, or else the user's cache folder, then a digest. Falls back to
    a temporary folder, with one warning, if that cannot be made or is not private.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    base = Path(chosen) if chosen else Path(platformdirs.user_cache_dir("churnsim"))
    folder = base.absolute() / code_digest()
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        problem = _privacy_problem(base) or _privacy_problem(folder)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        problem = f"{error.strerror or error}: {folder}"
    if not problem:
        return folder
    warnings.warn(
        f"kernel cache folder must be private and writable; {problem}; compiling into "
        f"a temporary folder; set {CACHE_VARIABLE} to a folder of your own",
        KernelCacheWarning,
        stacklevel=2,
    )
    temporary = tempfile.mkdtemp(prefix="churnsim-")
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    return Path(temporary)


def code_digest(package: Path = Path(__file__).parent) -> str:
    """Return the SHA-256, in hexadecimal, of all that shapes the machine code.

    All Python sources under `package` but those of `NOT_COMPILED`, the versions of
    Python, numba, llvmlite and numpy, the processor and its features, and the settings
    of the compiler.
    """
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        if path.relative_to(package).parts[0] in NOT_COMPILED:
            continue
        source = path.read_bytes()
        digest.update(
            f"{path.relative_to(package).as_posix()} {len(source)}\n".encode()
        )
        digest.update(source)
    target = registry.cpu_target.target_context.codegen().magic_tuple()
    settings = [(name, getattr(numba.config, name, None)) for name in CODE_SETTINGS]
    versions = (
        sys.version,
        numba.__version__,
        importlib.metadata.version("llvmlite"),
        np.__version__,
    )
    digest.update(repr((versions, target, settings)).encode())
    return digest.hexdigest()


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


def _privacy_problem(folder: Path) -> str:
    """Return why others could plant code in the folder, or an empty text."""
    if not hasattr(os, "getuid"):
        return ""
    status = folder.lstat()
    if stat.S_ISLNK(status.st_mode):
        status = folder.stat()
    if status.st_uid != os.getuid():
        return f"{folder} belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{folder} can be written to by others"
    return ""


def _uncollected(compiling: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the same, with no collection of garbage meanwhile."""

    @functools.wraps(compiling)
    def compile_one(signature: Any) -> Any:
        with locking.global_compiler_lock, uncollected():  # one at a time
            return compiling(signature)

    return compile_one


# Numba offers no hook for its cache but inheritance, hence the two classes below.


class _SealedFile(caching.IndexDataCacheFile):  # type: ignore[misc]
    """Numba's pair of index and data file, each ending in its own SHA-256."""

    @contextlib.contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[IO[bytes]]:
        content = io.BytesIO()
        with super()._open_for_write(filepath) as file:
            yield content
            data = content.getvalue()
            file.write(data + hashlib.sha256(data).digest())

    def _load_index(self) -> Any:
        _check_seal(Path(self._index_path))
        return super()._load_index()

    def _load_data(self, name: str) -> Any:
        _check_seal(Path(self._data_path(name)))
        return super()._load_data(name)


class _SealedCache(caching.FunctionCache):  # type: ignore[misc]
    """Numba's cache of one function, with one sealed pair of files per signature.

    Separate pairs, because two processes that add signatures to one index at the same
    time can exchange each other's machine code.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(cache_folder())
        try:
            super().__init__(function)
        finally:
            numba.config.CACHE_DIR = before
        self._folder = Path(self._cache_path)
        self._base = self._impl.filename_base
        self._cache_file = self

    def has_entries(self) -> bool:
        """Return whether there is machine code of this function on disk."""
        return any(self._folder.glob(f"{self._base}-*.nbc"))

    def load(self, key: Any) -> Any:
        """Return the entry saved under the key, or None."""
        return self._file(key).load(key)

    def save(self, key: Any, data: Any) -> None:
        """Keep the entry under the key."""
        self._file(key).save(key, data)

    def flush(self) -> None:
        """Remove all entries of this function."""
        for path in self._folder.glob(f"{self._base}-*.nb[ci]"):
            path.unlink(missing_ok=True)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled signature, or None if it has to be compiled."""
        try:
            found = super().load_overload(sig, target_context)
        except Exception as error:  # noqa: BLE001 - compiling cures whatever it was
            self.flush()
            self._warn("is damaged and was removed; compiling again", error)
            found = None
        if found is None:
            LOGGER.info("compiling %s", self._py_func.__name__)
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the compiled signature; if that fails, the next run compiles again."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            self._warn("could not be written; the next run compiles again", error)

    def _file(self, key: Any) -> _SealedFile:
        name = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        return _SealedFile(
            self._cache_path, f"{self._base}-{name}", cache_folder().name
        )

    def _warn(self, what: str, error: Exception) -> None:
        warnings.warn(
            f"cached machine code of {self._py_func.__qualname__} {what} "
            f"({type(error).__name__}: {error}; {self._cache_path})",
            KernelCacheWarning,
            stacklevel=2,
        )


def _check_seal(path: Path) -> None:
    """Raise DamagedEntryError if the file's content differs from what was saved."""
    if not path.exists():
        return
    content = path.read_bytes()
    data, seal = content[:-SEAL_BYTES], content[-SEAL_BYTES:]
    if hashlib.sha256(data).digest() != seal:
        raise DamagedEntryError(f"{path.name} fails its checksum")
