"""When in the week customers turn up: busy time, which runs by a profile.

Contacts and delays before turning up are drawn as if every hour were alike, and then
take place in busy time: it passes faster in hours in which many turn up, stands still
in those in which nobody does, and passes as much in a week as any clock. So a clock's
rate is that of its customer, whatever the profile, and a profile moves contacts within
the week but makes no more or fewer of them.
"""

import math

from churnsim.jit import mechanism
from churnsim.mechanisms.leaving import FOREVER
from churnsim.records import Floats, ProfileColumn

WEEK = 7.0  # [days]
NEVER = 1e12  # [days]; later than any run, and before counting loses its meaning
SINCE = ProfileColumn.SINCE.value
WEIGHT = ProfileColumn.WEIGHT.value
BUSY = ProfileColumn.BUSY.value


@mechanism
def row_at(profile: Floats, column: int, at: float) -> int:
    """Return the last row whose entry in a rising column is at most `at`, or 0."""
    low, high = 0, profile.shape[0]
    while high - low > 1:
        middle = (low + high) >> 1
        if profile[middle, column] <= at:
            low = middle
        else:
            high = middle
    return low


@mechanism
def busy_time(profile: Floats, now: float) -> float:
    """Return the busy time that has passed by a moment [days]."""
    weeks = WEEK * math.floor(now / WEEK)
    into = now - weeks
    row = row_at(profile, SINCE, into)
    spent = profile[row, WEIGHT] * (into - profile[row, SINCE])
    return float(weeks + profile[row, BUSY] + spent)


@mechanism
def moment_at(profile: Floats, busy: float) -> float:
    """Return the moment at which so much busy time has passed [days].

    Of a time in which none passes, the end.
    """
    weeks = WEEK * math.floor(busy / WEEK)
    into = busy - weeks
    row = row_at(profile, BUSY, into)
    while profile[row, WEIGHT] == 0.0:  # a rounding beyond the last busy hour
        row -= 1
    spent = (into - profile[row, BUSY]) / profile[row, WEIGHT]
    return float(weeks + profile[row, SINCE] + spent)


@mechanism
def turns_up_at(profile: Floats, now: float, delay: float) -> float:
    """Return when one turns up who would after a delay, were all hours alike [days].

    Args:
        profile: Of the market; without a row, all hours are alike.
        now: When the delay begins [days].
        delay: Busy time [days].
    """
    if profile.shape[0] == 0:
        return now + delay
    if not delay < NEVER:
        return FOREVER
    at = moment_at(profile, busy_time(profile, now) + delay)
    return at if at > now else now
