"""The cells of a column: distinct texts, numbers, yes and no."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

NUMBER_MAX: Final = 1e12  # as of the amounts that `churnsim.fit` reads
YES: Final = frozenset({"1", "true", "yes", "y", "t"})
NO: Final = frozenset({"0", "false", "no", "n", "f"})

_NUMBER: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_NUMBER_LENGTH_MAX: Final = 60


def texts(column: Any) -> tuple[Any, NDArray[np.int64]]:
    """Return the distinct texts of a column, trimmed, and which of them each row has.

    Moments, which only Parquet has, become texts here.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_string(column.type):
        column = pc.fill_null(column.cast(pa.string()), "")
    encoded = column.dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return pc.utf8_trim_whitespace(encoded.dictionary), codes


def numbers(column: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the numbers of a column, and where a text is none.

    A number has a point for decimals and nothing between its thousands, and is at most
    10^12 from 0; all else is NaN, and so is an empty cell.
    """
    import pyarrow.compute as pc

    words, code = texts(column)
    is_number = pc.match_substring_regex(words, _NUMBER)
    is_short = pc.less_equal(pc.utf8_length(words), _NUMBER_LENGTH_MAX)
    plain = pc.if_else(pc.and_(is_number, is_short), words, "nan")
    values = np.asarray(plain.cast("float64"))
    values = np.where(np.abs(values) <= NUMBER_MAX, values, np.nan)
    is_bad = np.isnan(values) & np.asarray(pc.not_equal(words, ""))
    return np.asarray(values[code]), np.asarray(is_bad[code])


def answers(column: Any) -> NDArray[np.int64]:
    """Return 1 for yes, 0 for no and -1 for all else; numbers above 0 are yes."""
    words, code = texts(column)
    told = [_answer(word.casefold()) for word in words.to_pylist()]
    return np.array([*told, -1], dtype=np.int64)[code]


def _answer(word: str) -> int:
    if word in YES | NO:
        return int(word in YES)
    try:
        number = float(word)
    except ValueError:
        return -1
    return int(number > 0) if 0 <= number <= NUMBER_MAX else -1
