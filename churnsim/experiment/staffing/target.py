"""What a desk is staffed for: a share of contacts handled within a time."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from churnsim.errors import UnitError
from churnsim.given import of_kind, refused
from churnsim.units import format_duration, parse_duration, parse_share

EXAMPLE = "80% in 20s"
_TARGET = re.compile(r"\s*(?P<share>.+?)\s+(?:with)?in\s+(?P<within>.+?)\s*", re.DOTALL)


class Target(NamedTuple):
    """The service level asked for."""

    share: float  # of those who join the line [-], above 0, at most 1
    within: float  # handled so soon after joining [days], at least 0

    def percent(self, share: float) -> str:
        """Return a service level with as many digits as tell it from the target."""
        spare = 1.0 - self.share
        n_digits = max(1, math.ceil(-math.log10(spare) - 1e-9) - 1) if spare else 1
        return f"{100.0 * share:.{n_digits}f} %"

    def __str__(self) -> str:
        """Return it in words."""
        time = format_duration(self.within)
        return f"{100.0 * self.share:.6g} % of contacts within {time}"


def read_target(text: object) -> Target:
    """Return the target of a text such as "80% in 20s".

    Raises:
        InputError: It is none, or one that means nothing.
    """
    given = of_kind("target", text, str, f'a text such as "{EXAMPLE}"')
    rule = f'must be a share of contacts and a time, such as "{EXAMPLE}"'
    match = _TARGET.fullmatch(given)
    if match is None:
        raise refused("target", given, rule)
    try:
        share = parse_share(match["share"])
        within = parse_duration(match["within"])
    except UnitError as error:
        raise refused("target", given, rule, error.problems[0].rule) from None
    if not 0.0 < share <= 1.0:
        hint = 'write "80%" or 0.8 for four in five'
        what = f"must have a share above 0 % and up to 100 %, not {share:.0%}"
        raise refused("target", given, what, hint)
    if within < 0.0:
        raise refused("target", given, "must have a time of 0 s or more")
    return Target(share, within)
