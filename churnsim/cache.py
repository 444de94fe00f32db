"""Keep machine code on disk between runs, where nobody else can change it.

Numba's own cache does not notice edits in other modules, has no checksums, and stops
the program on a damaged file. So the folder is named by a digest of our sources, less
those that no compiled code reaches, and of everything else that shapes machine code.
Each function and signature has one file in it, written beside and moved into place,
and sealed by a SHA-256 over its content, its name and that digest. A file is read once,
and only if it belongs to the user or the administrator and no one else can write to it.

Whatever cannot be read or kept costs a compilation and a warning, never a wrong result.
A folder that has machine code is never written to unless some is missing, so that it
may be read-only. Of several processes that miss the same code one compiles it.
"""

import atexit
import contextlib
import functools
import hashlib
import importlib
import importlib.metadata
import inspect
import logging
import os
import secrets
import shutil
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import platformdirs

# Seen as Any: numba is annotated in part since 0.68, and not at all before.
caching: Any = importlib.import_module("numba.core.caching")
config: Any = importlib.import_module("numba.core.config")
registry: Any = importlib.import_module("numba.core.registry")

LOGGER = logging.getLogger(__name__)  # tells what is compiled, as it begins

CACHE_VARIABLE: Final = "CHURNSIM_CACHE_DIR"
PACKAGE: Final = Path(__file__).parent
# Folders that no kernel reaches.
NOT_COMPILED: Final = (
    *("analysis", "calibration", "cli", "data", "experiment", "report", "robustness"),
    *("sweep", "validation"),
)
SUFFIX: Final = ".nbc"  # of a file of machine code
SEAL_BYTES: Final = hashlib.sha256().digest_size
WAIT_MAX: Final = 300.0  # for another process that compiles the same [s]
ADMINISTRATOR: Final = 0

# Settings of numba that change machine code but are not part of its own cache key.
CODE_SETTINGS: Final = (
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
    """A file of machine code is not what was saved, or others could have changed it."""


@functools.cache
def cache_folder() -> Path:
    """Return the private folder that holds machine code for exactly these sources.

    `$CHURNSIM_CACHE_DIR`, or else the user's cache folder, then a digest. One that has
    machine code may be read-only, and may be the administrator's. Falls back to a
    temporary folder, with one warning, if there is none that is private and can be
    written to; and to a place where nothing can be, if there is no such folder either.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    base = Path(chosen) if chosen else Path(platformdirs.user_cache_dir("churnsim"))
    folder = base.absolute() / code_digest()
    try:
        problem = _problem_of(base, folder)
    except OSError as error:
        problem = f"{error.strerror or error}: {folder}"
    if not problem:
        return folder
    try:
        temporary = Path(tempfile.mkdtemp(prefix="churnsim-"))
        where = "a temporary folder"
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    except OSError:
        temporary, where = Path(os.devnull, "churnsim"), "memory, at each start"
    warnings.warn(
        f"kernel cache folder must be private and writable; {problem}; compiling into "
        f"{where}; set {CACHE_VARIABLE} to a folder of your own",
        KernelCacheWarning,
        stacklevel=2,
    )
    return temporary


def code_digest(package: Path = PACKAGE) -> str:
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
    settings = [(name, getattr(config, name, None)) for name in CODE_SETTINGS]
    versions = (
        sys.version,
        importlib.metadata.version("numba"),
        importlib.metadata.version("llvmlite"),
        np.__version__,
    )
    digest.update(repr((versions, target, settings)).encode())
    return digest.hexdigest()


def read_sealed(path: Path, digest: str) -> bytes | None:
    """Return what was saved, or None where there is no such file.

    Args:
        path: The file, whose name is under the seal.
        digest: Names the folder that it was saved in.

    Raises:
        DamagedEntryError: It is not what was saved in that folder under that name, or
            others than the user and the administrator could have put it there.
        OSError: It cannot be read.
    """
    try:
        file = path.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        return None
    with file:
        problem = _privacy_problem(path, os.fstat(file.fileno()))
        content = file.read()
    if problem:
        raise DamagedEntryError(problem)
    data, seal = content[:-SEAL_BYTES], content[-SEAL_BYTES:]
    if _seal(data, path.name, digest) != seal:
        raise DamagedEntryError(f"{path.name} fails its checksum")
    return data


def write_sealed(path: Path, data: bytes, digest: str) -> None:
    """Keep data in a file that is there whole or not at all, and only ours to change.

    Raises:
        OSError: It cannot be written; what was there before still is.
    """
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")
    try:
        with beside.open("xb") as file:
            beside.chmod(0o644)  # whoever may enter the folder may read
            file.write(data)
            file.write(_seal(data, path.name, digest))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _seal(data: bytes, name: str, digest: str) -> bytes:
    """Return the checksum of data, its name and the digest of all that shaped it."""
    found = hashlib.sha256(f"{digest} {name}\n".encode())
    found.update(data)
    return found.digest()


def _problem_of(base: Path, folder: Path) -> str:
    """Return why machine code cannot be kept in a folder, or an empty text.

    Raises:
        OSError: It cannot be made, or not be written to while nothing is in it.
    """
    if not folder.is_dir():
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    for place in (base, folder):
        if problem := _privacy_problem(place, place.stat()):
            return problem
    if next(folder.rglob(f"*{SUFFIX}"), None) is None:
        tempfile.TemporaryFile(dir=folder).close()
    return ""


def _privacy_problem(path: Path, status: os.stat_result) -> str:
    """Return why others could plant code there, or an empty text."""
    if not hasattr(os, "getuid"):
        return ""
    if status.st_uid not in (os.getuid(), ADMINISTRATOR):
        return f"{path} belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{path} can be written to by others"
    return ""


# Numba offers no hook for its cache but inheritance, hence the classes below.
PROVIDED: Final = "UserProvidedCacheLocator"  # with an underscore in numba 0.61
_Provided: Any = getattr(caching, PROVIDED, None) or getattr(caching, f"_{PROVIDED}")


class _Locator(_Provided):  # type: ignore[misc] # numba's are seen as Any
    """Where the machine code of a function is: a place that is not tried by writing."""

    def __init__(self, function: Callable[..., Any], file: str) -> None:
        self._py_file = file
        self._lineno = function.__code__.co_firstlineno
        path = Path(file).absolute()
        if path.is_relative_to(PACKAGE):  # so that another copy of it reads the same
            place = ".".join(("churnsim", *path.relative_to(PACKAGE).parent.parts))
        else:
            place = self.get_suitable_cache_subpath(file)
        self._cache_path = str(cache_folder() / place)

    def ensure_cache_path(self) -> None:
        """Make the folder."""
        Path(self._cache_path).mkdir(mode=0o700, exist_ok=True)

    def get_source_stamp(self) -> str:
        """Return nothing: the folder is named by all sources."""
        return ""


class _Implementation(caching.CompileResultCacheImpl):  # type: ignore[misc]
    """How numba takes machine code to pieces and puts it together."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._lineno = function.__code__.co_firstlineno
        file = inspect.getfile(function)
        self._locator = _Locator(function, file)
        name = f"{Path(file).stem}.{function.__qualname__}"
        flags = getattr(sys, "abiflags", "")
        self._filename_base = self.get_filename_base(name, flags)


class SealedCache(caching.FunctionCache):  # type: ignore[misc]
    """Numba's cache of one function, with one sealed file per signature.

    No index: two processes that add signatures to one at the same time can exchange
    each other's machine code.
    """

    _impl_class = _Implementation

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._folder = Path(self._cache_path)
        self._base = self._impl.filename_base
        self._cache_file = self
        self._held: Any = None  # a lock on a signature that is being compiled

    def has_entries(self) -> bool:
        """Return whether there is machine code of this function on disk."""
        return any(self._folder.glob(f"{self._base}-*{SUFFIX}"))

    def load(self, key: Any) -> Any:
        """Return the entry saved under the key, or None."""
        data = read_sealed(self._path(key), cache_folder().name)
        if data is None:
            return None
        saved_key, entry = caching.pickle.loads(data)
        return entry if saved_key == key else None

    def save(self, key: Any, data: Any) -> None:
        """Keep the entry under the key."""
        content = caching.dumps((key, data))
        write_sealed(self._path(key), content, cache_folder().name)

    def flush(self) -> None:
        """Remove all entries of this function."""
        for path in self._folder.glob(f"{self._base}-*{SUFFIX}"):
            path.unlink(missing_ok=True)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled signature, or None if it has to be compiled.

        Where another process compiles it just now, that is waited for. Until `release`
        others wait for this one.
        """
        found = self._loaded(sig, target_context)
        if found is None:
            LOGGER.info("compiling %s", self._py_func.__name__)
            if self._held_by_others(self._index_key(sig, target_context.codegen())):
                found = self._loaded(sig, target_context)
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the compiled signature; if that fails, the next run compiles again."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            if not self._folder.is_relative_to(os.devnull):  # which has been told
                self._warn("could not be written; the next run compiles again", error)

    def release(self) -> None:
        """Let other processes go on that wait for what was compiled here."""
        held, self._held = self._held, None
        if held is not None:
            held.release()

    def _loaded(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled signature, or None if there is none that can be used."""
        try:
            return super().load_overload(sig, target_context)
        except OSError as error:
            self._warn("could not be read; compiling again", error)
        except Exception as error:  # noqa: BLE001 - compiling cures whatever it was
            with contextlib.suppress(OSError):
                self.flush()
            self._warn("is damaged and was not used; compiling again", error)
        return None

    def _held_by_others(self, key: Any) -> bool:
        """Return whether another process had the lock on a signature; take it.

        Where there can be no lock, each process compiles for itself.
        """
        from filelock import FileLock, Timeout  # now, since it is seldom needed

        lock = FileLock(self._path(key).with_suffix(".lock"))
        try:
            self._impl.locator.ensure_cache_path()
            try:
                lock.acquire(timeout=0.0)
                was_held = self._path(key).exists()  # just released
            except Timeout:
                lock.acquire(timeout=WAIT_MAX)
                was_held = True
        except (OSError, NotImplementedError):  # waiting too long is an OSError, too
            return False
        self._held = lock
        return was_held

    def _path(self, key: Any) -> Path:
        name = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        return self._folder / f"{self._base}-{name}{SUFFIX}"

    def _warn(self, what: str, error: Exception) -> None:
        warnings.warn(
            f"cached machine code of {self._py_func.__qualname__} {what} "
            f"({type(error).__name__}: {error}; {self._cache_path})",
            KernelCacheWarning,
            stacklevel=2,
        )
