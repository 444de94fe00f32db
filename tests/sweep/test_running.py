"""Chunks on threads: all do points of one chunk, and none waits for another."""

import threading
from collections.abc import Iterator

import pytest

from churnsim.scenario import Scenario
from churnsim.sweep.plan import Point
from churnsim.sweep.rows import Failed, Row
from churnsim.sweep.running import Threads
from tests.sweep.toy import cheap, toy_work

PATIENCE = 30.0  # [s]


def test_threads__share_a_chunk(few: Scenario) -> None:
    """The points of a single chunk are under way on as many threads as there are."""
    together = threading.Barrier(3)

    def meeting(point: Point) -> list[Row] | Failed:
        together.wait(PATIENCE)  # raises where the others do not come
        return cheap(point)

    work = toy_work(few, 6, 6, meeting)
    [(number, made)] = Threads(3)(work, [0], threading.Event())
    assert (number, made.data) == (0, toy_work(few, 6, 6).make(0).data)


def test_threads__rows_are_in_order_whoever_is_first(few: Scenario) -> None:
    """The first point of a chunk is done last; the chunk is the same."""
    others = threading.Semaphore(0)

    def late(point: Point) -> list[Row] | Failed:
        if point.number == 0:
            for _ in range(13):
                assert others.acquire(timeout=PATIENCE)
        else:
            others.release()
        return cheap(point)

    work = toy_work(few, 14, 14, late)
    [(_, made)] = Threads(2)(work, [0], threading.Event())
    assert made.data == toy_work(few, 14, 14).make(0).data
    assert (made.n_rows, made.n_failed) == (13 * 4 + 1, 1)


def test_threads__a_slow_point_holds_up_its_own_chunk_alone(few: Scenario) -> None:
    """The chunks after it are done meanwhile."""
    after = threading.Event()

    def slow(point: Point) -> list[Row] | Failed:
        if point.number == 0:
            assert after.wait(PATIENCE)
        return cheap(point)

    found: list[int] = []
    for number, _ in Threads(2)(
        toy_work(few, 21, 7, slow), range(3), threading.Event()
    ):
        found.append(number)
        if number == 2:
            after.set()
    assert found == [1, 2, 0]


def test_threads__told_to_stop_finish_what_is_begun(few: Scenario) -> None:
    """However many threads there are, one chunk is half done, and it is finished."""
    stop = threading.Event()

    def stopping(point: Point) -> list[Row] | Failed:
        if point.number == 8:
            stop.set()
        return cheap(point)

    made = Threads(1)(toy_work(few, 28, 7, stopping), range(4), stop)
    assert [number for number, _ in made] == [0, 1]


def test_threads__an_error_of_ours_is_told_where_it_is_awaited(few: Scenario) -> None:
    """It ends the sweep, and no thread goes on."""

    def broken(point: Point) -> list[Row] | Failed:
        if point.number == 3:
            raise ZeroDivisionError("of ours")
        return cheap(point)

    before = threading.active_count()
    chunks: Iterator[object] = Threads(2)(
        toy_work(few, 14, 7, broken), range(2), threading.Event()
    )
    with pytest.raises(ZeroDivisionError, match="of ours"):
        list(chunks)
    for thread in threading.enumerate()[before:]:
        thread.join(PATIENCE)
    assert threading.active_count() == before
