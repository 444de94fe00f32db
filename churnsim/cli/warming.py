"""What is compiled ahead of the first run."""

from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np

from churnsim.births import (
    all_exps,
    all_logs,
    all_normals,
    draw_births,
    draw_firsts,
)
from churnsim.cache import CACHE_VARIABLE, cache_folder, code_digest
from churnsim.engines.kernel.run import run_world
from churnsim.errors import Problem, StorageError
from churnsim.jit import is_kept, n_compiled
from churnsim.scenario import load_scenario
from churnsim.simulation import simulate

KERNELS = (run_world, draw_births, draw_firsts, all_logs, all_exps, all_normals)


class Warmth(NamedTuple):
    """What was found, or done."""

    folder: Path  # that holds machine code of this version for this machine
    was_ready: bool  # so that nothing had to be done
    seconds: float


def warm_up() -> Warmth:
    """Compile all kernels that are not compiled yet.

    Raises:
        StorageError: Machine code cannot be kept, so the next run would wait again.
    """
    start = perf_counter()
    folder = cache_folder()
    if folder.name != code_digest():  # a temporary one; why has been told
        rule = "machine code must be kept in a private folder that can be written to"
        hint = f"set {CACHE_VARIABLE} to a folder of your own"
        raise StorageError(Problem(rule, hint=hint))
    before = sum(n_compiled(each) for each in KERNELS)
    few = load_scenario("telecom", overrides=["population.customers=20"])
    simulate(few, few.baseline)
    for fill in (all_logs, all_exps, all_normals):
        fill(np.empty(0))
    was_ready = sum(n_compiled(each) for each in KERNELS) == before
    if not all(is_kept(each) for each in KERNELS):  # why has been told
        rule = "machine code must be kept, but could not be written"
        hint = f"make room, or set {CACHE_VARIABLE} to a folder on another disk"
        raise StorageError(Problem(rule, file=str(folder), hint=hint))
    return Warmth(folder, was_ready, perf_counter() - start)
