"""The rows of the kernel's state: two views of the same bytes."""

from churnsim.engines.kernel.world import N_CODES, N_LIFE, Code, Life, make_rows


def test_columns__of_the_two_views_do_not_overlap() -> None:
    """No byte of a row is both a part of a float and of an integer."""
    rows = make_rows(1)
    assert rows.nbytes == N_LIFE * 8 == N_CODES * 4
    of_floats = {8 * column + byte for column in Life for byte in range(8)}
    of_codes = {4 * column + byte for column in Code for byte in range(4)}
    assert of_floats.isdisjoint(of_codes)
    assert max(of_floats | of_codes) < rows.nbytes
    assert len(of_floats) == 8 * len(Life)
    assert len(of_codes) == 4 * len(Code)
