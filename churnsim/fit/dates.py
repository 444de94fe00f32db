"""Reads the dates of a log, all written one way, and says so when they are not."""

import datetime as dt
import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from churnsim.fit.problems import Problems, lines_shown

DATE_FORMATS: Final = ("auto", "iso", "compact", "dmy", "mdy")

_EITHER: Final = "dmy or mdy"
_TIME: Final = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_YEAR_LAST: Final = re.compile(
    rf"(\d{{1,2}})([/.-])(\d{{1,2}})\2(\d{{4}}){_TIME}", re.ASCII
)
_YEAR_FIRST: Final = {
    "iso": re.compile(rf"(\d{{4}})-(\d{{2}})-(\d{{2}}){_TIME}", re.ASCII),
    "compact": re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII),
}
_EXAMPLES: Final = {
    "iso": "2020-01-31",
    "compact": "20200131",
    "dmy": "31/01/2020",
    "mdy": "01/31/2020",
    _EITHER: "01/02/2020",
}


def parse_dates(
    texts: tuple[str, ...],
    codes: NDArray[np.int64],
    lines: NDArray[np.int64],
    date_format: str,
    problems: Problems,
) -> NDArray[np.int64]:
    """Return the proleptic ordinal of each row's date, 0 where there is none.

    Years come first (2020-01-31, 20200131) or last (31/01/2020, 01/31/2020, with dots
    or hyphens too). A time of day may follow and is left out: the date is the one that
    is written. Which of day and month comes first is settled by a number above 12
    anywhere in the log, else the log is refused.

    Args:
        texts: The distinct texts.
        codes: Which of them each row has, shape (rows,).
        lines: Where each row stands, shape (rows,).
        date_format: One of `DATE_FORMATS`; any but "auto" is demanded of every row.
        problems: Collects what is wrong.
    """
    read = [_read(text) for text in texts]
    forms = [form for form, _ in read]
    if date_format == "auto":
        chosen = _choose(forms, codes, lines, problems)
        if not chosen:
            return np.zeros(len(codes), dtype=np.int64)
    else:
        chosen = date_format
    ordinals = [_ordinal(form, numbers, chosen) for form, numbers in read]
    by_row = np.array([*ordinals, 0], dtype=np.int64)[codes]
    bad = np.flatnonzero(by_row == 0)
    rule = f"date must be a day of the calendar, like {_EXAMPLES[chosen]}"
    problems.add_each(
        lines[bad],
        lambda i: (rule, texts[codes[bad[i]]]),
        "correct it or leave the row out",
    )
    return by_row


def _read(text: str) -> tuple[str, tuple[int, int, int]]:
    """Return how a date is written ("" if it is none) and its numbers, year first."""
    for form, pattern in _YEAR_FIRST.items():
        if match := pattern.fullmatch(text):
            return form, (int(match[1]), int(match[2]), int(match[3]))
    if match := _YEAR_LAST.fullmatch(text):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        if first > 12 >= second:
            return "dmy", (year, first, second)
        if second > 12 >= first:
            return "mdy", (year, first, second)
        return _EITHER, (year, first, second)
    return "", (0, 0, 0)


def _choose(
    forms: list[str],
    codes: NDArray[np.int64],
    lines: NDArray[np.int64],
    problems: Problems,
) -> str:
    """Return the one format the log is written in, or "" after noting why not.

    A log without a single date is read as "iso", so that each row is refused.
    """
    found = {form for form in forms if form}
    if found & {"dmy", "mdy"}:
        found.discard(_EITHER)
    if len(found) > 1:
        told = "; ".join(
            f"like {_EXAMPLES[form]} in {problems.unit}s "
            f"{_lines_of(form, forms, codes, lines)}"
            for form in sorted(found)
        )
        problems.add(0, f"dates must be written one way; got {told}", "unify them")
        return ""
    if found == {_EITHER}:
        told = _lines_of(_EITHER, forms, codes, lines)
        problems.add(
            0,
            "dates must show which of day and month comes first; got none above 12 "
            f"in {problems.unit}s {told}",
            "give --date-format dmy or mdy, or date_format in a scenario",
        )
        return ""
    return found.pop() if found else "iso"


def _lines_of(
    form: str, forms: list[str], codes: NDArray[np.int64], lines: NDArray[np.int64]
) -> str:
    """Return the places of the rows whose date is written so, in words."""
    has = np.array([other == form for other in forms], dtype=np.bool_)
    return lines_shown(lines[has[codes]])


def _ordinal(form: str, numbers: tuple[int, int, int], chosen: str) -> int:
    """Return the ordinal of a date written as chosen, or 0."""
    if form not in (chosen, _EITHER) or (form == _EITHER and chosen[0] not in "dm"):
        return 0
    year, first, second = numbers
    month, day = (second, first) if chosen == "dmy" else (first, second)
    try:
        return dt.date(year, month, day).toordinal()
    except ValueError:
        return 0
