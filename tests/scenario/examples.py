"""A small scenario that is right, to be made wrong in one place at a time."""

import re

PURCHASE = """\
title = "Corner shop"
horizon = "2 years"
seed = 7
policies = ["empowered", "slow"]

[population]
customers = 100

[market]
relationship = "purchase"
rate = { law = "gamma", shape = 0.243, scale = "4.414 weeks" }
dropout = { law = "beta", a = 0.793, b = 2.426 }
value = "$35"

[[mistakes]]
name = "late"
probability = 0.05
sting = 1.4
stake = { law = "lognormal", mean = "$20", cv = 1.0 }
heard = 0.37
settled = 1.01
quick = 2.10
tolerance = "48 h"
tau = "72 h"

[costs]
margin = "45 %"
agent_pay = "$26.77/hour"
supervisor_pay = "$40/hour"
"""


def changed(old: str, new: str, text: str = PURCHASE) -> str:
    """Return the scenario with the line that starts so replaced."""
    pattern = f"(?m)^{re.escape(old)}[^\n]*"
    found, n = re.subn(pattern, lambda _: new, text, count=1)
    assert n == 1, old
    return found


def line_of(mark: str, text: str) -> int:
    """Return the line, from 1, in which a mark first stands."""
    return text[: text.index(mark)].count("\n") + 1
