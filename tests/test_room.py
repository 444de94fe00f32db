"""Room for frames: nothing but the memory of calls is different."""

import inspect
import resource
from collections.abc import Callable

import pytest

from churnsim.room import with_room

N_CALLS = 300
DEPTHS = range(300)  # frames: over several chunks of 16 KiB


def leaf(x: int) -> int:
    """Return x, with a frame that is not small."""
    a = b = c = d = e = f = g = h = x
    return (a + b + c + d + e + f + g + h) // 8


def calls_at(depth: int) -> int:
    """Call `leaf` many times, so many frames further down; return the sum."""
    if depth:
        return calls_at(depth - 1)
    return sum([leaf(i) for i in range(N_CALLS)])


def at_all_depths() -> int:
    """Call from each depth; return the sum of all sums."""
    return sum([calls_at(depth) for depth in DEPTHS])


def faults_of(function: Callable[[], int]) -> int:
    """Return how often the system had to give memory while a function ran."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    assert function() == len(DEPTHS) * N_CALLS * (N_CALLS - 1) // 2
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_room__is_asked_for_once() -> None:
    """No depth at which each call asks for memory, and gives it back."""

    def roomy() -> int:
        return at_all_depths()

    with_room(roomy)
    faults_of(roomy)
    assert faults_of(roomy) < N_CALLS // 2


def test_room__leaves_a_function_as_it_is() -> None:
    """Name, signature, defaults, errors and what it sees from outside."""
    seen = [3]

    def add(x: int, y: int = 2, *, z: int = 0) -> int:
        """Return a sum."""
        return x + y + z + seen[0] // z

    before = inspect.signature(add)
    assert with_room(add) is add
    assert inspect.signature(add) == before
    assert (add.__name__, add.__doc__) == ("add", "Return a sum.")
    assert add(1, z=1) == 7
    with pytest.raises(ZeroDivisionError):
        add(1)
