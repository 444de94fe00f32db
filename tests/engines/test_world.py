"""The rows of the kernel's state: three views of the same bytes."""

from churnsim.engines.kernel.world import ROW, Code, Count, Life, make_rows


def test_columns__of_the_three_views_do_not_overlap() -> None:
    """No byte of a row is a part of two columns, and a row has room for all."""
    taken = [
        n_bytes * column + byte
        for columns, n_bytes in ((Life, 8), (Count, 4), (Code, 1))
        for column in columns
        for byte in range(n_bytes)
    ]
    assert len(taken) == len(set(taken))
    assert max(taken) < ROW == make_rows(1).nbytes
