"""Reads columns of moments: one way of writing, one idea of the time zone."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from churnsim.data.batches import Tally
from churnsim.data.records import DAY, NEVER
from churnsim.fit.problems import Problems, lines_shown

UNREADABLE: Final = NEVER + 1  # stands for a text that is no moment

_TIME: Final = (
    r"(?:[T ](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d{1,9})?)?"
    r"\s?(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?)?$"
)
_YEAR_LAST: Final = r"^(?P<{}>\d{{1,2}})[/.-](?P<{}>\d{{1,2}})[/.-](?P<year>\d{{4}})"
_PATTERNS: Final = {
    "iso": r"^(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})" + _TIME,
    "compact": r"^(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})" + _TIME,
    "dmy": _YEAR_LAST.format("day", "month") + _TIME,
    "mdy": _YEAR_LAST.format("month", "day") + _TIME,
}
EXAMPLES: Final = {
    "iso": "2020-01-31 14:05",
    "compact": "20200131",
    "dmy": "31/01/2020 14:05",
    "mdy": "01/31/2020 14:05",
}
_WITH, _WITHOUT = "with a time zone", "without one"


class Clock:
    """Reads moments of all columns in the same way, and remembers what they name."""

    def __init__(self, date_format: str, time_zone: str, problems: Problems) -> None:
        """Start with what the mapping says.

        Args:
            date_format: One of `churnsim.fit.DATE_FORMATS`; "auto" settles on what most
                of the first moments are written like.
            time_zone: Of moments that name none; "": UTC, and all must name none.
            problems: Collects what is wrong.
        """
        self.date_format = date_format
        self.time_zone = time_zone
        self._problems = problems
        self._named = Tally()

    def seconds(self, column: Any, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return moments in seconds since 1970, UTC; `NEVER` where there is no text.

        A text that is no moment becomes `UNREADABLE`; a day is its first second.
        Fractions of seconds are cut off.
        """
        return self.span(column, rows)[0]

    def span(
        self, column: Any, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the first and last second that each text can mean; see `seconds`.

        They differ where a day has no time of day.
        """
        import pyarrow as pa

        if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
            return self._typed(column, rows)
        encoded = column.dictionary_encode()
        texts = pa.compute.utf8_trim_whitespace(encoded.dictionary)
        code = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        if not len(texts):
            never = np.full(len(code), NEVER, dtype=np.int64)
            return never, never
        if self.date_format == "auto":
            self._choose(texts)
        first, last, names_zone = self._parsed(texts)
        is_read = (first != NEVER) & (first != UNREADABLE)
        self._named.add(_WITH, rows[(is_read & names_zone)[code]])
        self._named.add(_WITHOUT, rows[(is_read & ~names_zone)[code]])
        return np.asarray(first[code]), np.asarray(last[code])

    def check_zones(self) -> None:
        """Note where some moments name a time zone and others do not.

        Nothing is wrong where the mapping says which zone the others are of.
        """
        with_one, without = self._named.first(_WITH), self._named.first(_WITHOUT)
        if not with_one or not without or self.time_zone:
            return
        unit = self._problems.unit
        counts = self._named.counts
        self._problems.add(
            0,
            "times must all name their time zone, or none must; got "
            f"{counts[_WITH]:,} with one ({unit}s {_shown(with_one, counts[_WITH])}) "
            f"and {counts[_WITHOUT]:,} without "
            f"({unit}s {_shown(without, counts[_WITHOUT])})",
            "say of which zone the others are, as in --time-zone Europe/Berlin",
        )

    def _typed(
        self, column: Any, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return moments of a Parquet file."""
        import pyarrow as pa
        import pyarrow.compute as pc

        is_there = np.asarray(pc.is_valid(column))
        names_zone = pa.types.is_timestamp(column.type) and column.type.tz is not None
        self._named.add(_WITH if names_zone else _WITHOUT, rows[is_there])
        is_days = pa.types.is_date(column.type)
        if is_days:
            column = column.cast(pa.timestamp("s"))
        else:
            column = pc.floor_temporal(column, unit="second")
        whole = column.cast(pa.timestamp("s", column.type.tz), safe=False)
        first = np.asarray(pc.fill_null(whole.cast(pa.int64()), 0))
        last = first + (DAY - 1) if is_days else first
        if not names_zone:
            first, last = self._to_utc(first), self._to_utc(last)
        return np.where(is_there, first, NEVER), np.where(is_there, last, NEVER)

    def _choose(self, texts: Any) -> None:
        """Settle on the way that most texts are written; none while all are empty."""
        import pyarrow.compute as pc

        counts = {
            form: pc.sum(pc.match_substring_regex(texts, pattern)).as_py() or 0
            for form, pattern in _PATTERNS.items()
        }
        best = max(counts, key=counts.__getitem__)
        if not counts[best]:
            if any(text for text in texts.to_pylist()):
                self.date_format = "iso"
            return
        if best == "dmy":
            is_dmy = _n_readable(*_parts(texts, "dmy"))
            is_mdy = _n_readable(*_parts(texts, "mdy"))
            if is_dmy == is_mdy:
                raise self._problems.refuse(
                    "times must show which of day and month comes first; got none "
                    "above 12 among the first ones",
                    "give --date-format dmy or mdy",
                    value=next(t for t in texts.to_pylist() if t),
                )
            best = "dmy" if is_dmy > is_mdy else "mdy"
        self.date_format = best

    def _parsed(
        self, texts: Any
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Return the first and last second of texts, and whether each names a zone."""
        import pyarrow.compute as pc

        is_empty = np.asarray(pc.equal(texts, ""))
        form = "iso" if self.date_format == "auto" else self.date_format
        parts, zones = _parts(texts, form)
        days, is_day = _days(parts)
        hour, minute, second = (parts[name] for name in ("hour", "minute", "second"))
        # A leap second is the first one of the next minute.
        is_read = is_day & (hour < 24) & (minute < 60) & (second <= 60)
        local = days * DAY + np.maximum(hour, 0) * 3600 + minute * 60 + second
        offsets = np.array([_offset(zone) for zone in zones.dictionary.to_pylist()])
        code = np.asarray(pc.fill_null(zones.indices, 0)).astype(np.int64)
        offset = offsets[code] if len(offsets) else np.zeros(len(local), np.int64)
        names_zone = offset != NEVER

        def moment(local: NDArray[np.int64]) -> NDArray[np.int64]:
            named = local - np.where(names_zone, offset, 0)
            found = np.where(names_zone, named, self._to_utc(local))
            return np.where(is_empty, NEVER, np.where(is_read, found, UNREADABLE))

        first = moment(local)
        is_whole = hour < 0
        last = moment(local + (DAY - 1) * is_whole) if is_whole.any() else first
        return first, last, names_zone & is_read

    def _to_utc(self, local: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return seconds of the wall clock of the zone as seconds since 1970, UTC.

        An hour that the clock shows twice is the earlier one; one that it leaves out is
        the moment when it does so.
        """
        if not self.time_zone:
            return local
        import pyarrow as pa
        import pyarrow.compute as pc

        zoned = pc.assume_timezone(
            pa.array(local).cast(pa.timestamp("s")),
            self.time_zone,
            ambiguous="earliest",
            nonexistent="latest",
        )
        return np.asarray(zoned.cast(pa.int64()))


def _parts(texts: Any, form: str) -> tuple[dict[str, NDArray[np.int64]], Any]:
    """Return the numbers in texts by name, and zones.

    The year is 0 where a text has none, the hour −1 where it has none.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.extract_regex(texts, pattern=_PATTERNS[form])
    parts = {}
    for name in ("year", "month", "day", "hour", "minute", "second"):
        field = pc.fill_null(pc.struct_field(found, name), "")
        missing = "-1" if name == "hour" else "0"
        digits = pc.if_else(pc.equal(field, ""), missing, field)
        parts[name] = np.asarray(digits.cast(pa.int64()))
    return parts, pc.struct_field(found, "zone").dictionary_encode()


def _days(
    parts: dict[str, NDArray[np.int64]],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return days since 1970, and whether there is such a day."""
    year, month, day = parts["year"], parts["month"], parts["day"]
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    is_day = (year > 0) & (month >= 1) & (month <= 12) & (day >= 1)
    is_day &= days.astype("datetime64[M]") == months
    return days.astype(np.int64), is_day


def _n_readable(parts: dict[str, NDArray[np.int64]], _: Any) -> int:
    return int(_days(parts)[1].sum())


def _offset(zone: str | None) -> int:
    """Return the seconds that a zone is ahead of UTC; `NEVER` where none is named."""
    if not zone:
        return NEVER
    if zone in {"Z", "UTC"}:
        return 0
    sign = -1 if zone[0] == "-" else 1
    return sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)


def _shown(rows: list[int], n: int) -> str:
    """Return the first of n places, as in "2, 3, 7 and 12 more"."""
    told = lines_shown(np.array(rows))
    return f"{told} and {n - len(rows):,} more" if n > len(rows) else told
