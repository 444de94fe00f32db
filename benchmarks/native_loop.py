"""A plain C++ program of the whole model: what the kernel is timed against.

What a good C++ programmer would write: customers as structs, and one binary heap
through which every moment of every customer passes, in order of (time, customer). Its
desks settle a wait as it begins, as the kernel's do, which spares it the events of a
queue; nothing else of the kernel's way with time is in it. The rules are the model's
own, put into C++ by `native_model`, so it fills the same books, bit for bit.
"""

import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

import numpy as np

from benchmarks import native_model
from churnsim.engines.books import Books, check_books, open_books
from churnsim.engines.kernel.crew import make_crew
from churnsim.engines.kernel.desks import make_desk
from churnsim.engines.kernel.world import World
from churnsim.engines.news import heard_from
from churnsim.mechanisms.hours import back_hours, front_hours, message_hours
from churnsim.mechanisms.value import failure_probability
from churnsim.records import Plan, Population
from churnsim.streams import Key

COMPILERS = ("g++", "clang++", "c++")
FLAGS = (
    *("-std=c++17", "-O3", "-march=native", "-ffp-contract=off"),
    *("-shared", "-fPIC", "-Wno-narrowing"),
)
FOLDER = Path(__file__).with_name("native")
SCALARS = {float: ctypes.c_double, int: ctypes.c_int64, bool: ctypes.c_bool}


class Run(NamedTuple):
    """One run, and what it took."""

    n_events: int  # as the kernel counts them
    seconds: float  # of processor time
    books: Books


class Array(ctypes.Structure):
    """An array as C++ sees it."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("rows", ctypes.c_int64),
        ("columns", ctypes.c_int64),
    )


def available() -> str | None:
    """Return why the program cannot be compiled here; None if it can."""
    if compiler() is None:
        return f"no C++ compiler: none of {', '.join(COMPILERS)} is installed"
    return None


def compiler() -> str | None:
    """Return the path of the compiler, if there is one."""
    found = (shutil.which(name) for name in COMPILERS)
    return next((path for path in found if path), None)


@functools.cache
def library() -> ctypes.CDLL:
    """Return the program, compiled in this process.

    Raises:
        RuntimeError: There is no compiler, or it refuses.
    """
    path = compiler()
    if path is None:
        raise RuntimeError(available())
    with tempfile.TemporaryDirectory() as folder:
        source = native_model.model_source()
        Path(folder, "model.inc").write_text(source, encoding="utf-8")
        built = Path(folder, "loop.so")
        command = [
            path,
            *FLAGS,
            f"-I{folder}",
            str(FOLDER / "loop.cpp"),
            "-o",
            str(built),
        ]
        # The compiler that was found here, with flags of our own.
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise RuntimeError(f"{path} refuses the program:\n{done.stderr[:4000]}")
        loaded = ctypes.CDLL(str(built))
    loaded.run_world.restype = None
    loaded.size_of_world.restype = ctypes.c_int64
    if loaded.size_of_world() != ctypes.sizeof(layout(World)):
        raise RuntimeError("records are laid out otherwise in C++ than in Python")
    return loaded


@functools.cache
def layout(kind: Any) -> Any:
    """Return how C++ lays out values of a type."""
    if kind in SCALARS:
        return SCALARS[kind]
    if not native_model.is_record(kind):
        return Array
    fields = [(name, layout(t)) for name, t in native_model.fields_of(kind).items()]
    if kind is World:
        fields.append(("customers", ctypes.c_void_p))
    return type(kind.__name__, (ctypes.Structure,), {"_fields_": fields})


def filled(kind: Any, value: Any) -> Any:
    """Return a value as C++ sees it; arrays are shared, and must outlive it.

    Raises:
        TypeError: An array is not laid out row by row, or of other items.
    """
    if kind in SCALARS:
        return value
    if native_model.is_record(kind):
        types = native_model.fields_of(kind)
        return layout(kind)(*(filled(t, getattr(value, n)) for n, t in types.items()))
    if not value.flags.c_contiguous or value.dtype != native_model.item_of(kind):
        raise TypeError(f"an array must be contiguous; got {value.flags}")
    return Array(value.ctypes.data, len(value), value[:1].size)


def run(plan: Plan, people: Population, key: Key, replication: int) -> Run:
    """Return one run with its books; its time includes the set-up.

    Raises:
        RuntimeError: There is no compiler, or it refuses.
    """
    program = library()
    books = open_books(plan, len(people.arrival), 0)
    check_books(plan, people, books)
    people = Population(
        people.n_customers, *(np.ascontiguousarray(column) for column in people[1:])
    )
    start = process_time()
    n = len(people.arrival)
    parts = {
        "plan": plan,
        "people": people,
        "key": key,
        "replication": replication,
        "failing": float(failure_probability(plan.market, plan.policy)),
        "front": make_desk(front_hours(plan), n),
        "back": make_desk(back_hours(plan), n),
        "books": books,
        "news": np.zeros(2),
        "crew": make_crew(plan, n),
        "messages": make_desk(message_hours(plan), n),
        "elsewhere": heard_from(None, books),
    }
    types = native_model.fields_of(World)
    world = layout(World)(*(filled(t, parts[name]) for name, t in types.items()))
    program.run_world(ctypes.byref(world))
    seconds = process_time() - start
    return Run(int(books.log_count[0]), seconds, books)
