"""Setups changed in one setting or many, named by their place."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from churnsim.engines.books import Books
from churnsim.engines.kernel.run import run_kernel
from churnsim.records import KindColumn, Plan
from churnsim.variates import Law, LawKind, constant, exponential
from tests.twins.comparing import log_of, run_engine, same_bits, same_log
from tests.twins.strategies import Setup

Change = Callable[[Plan], Plan]

TOLERANCE = KindColumn.TOLERANCE.value
TAU = KindColumn.TAU.value
MARKET_LAWS = (
    "memory",
    "voice_delay",
    "patience",
    "endurance",
    "return_delay",
    "message_patience",
)
MARKET_TIMES = ("period", "news_period", "bonding")
MARKET_RATES = ("ordinary_rate", "news_decay", "discount")
POLICY_LAWS = ("handle", "approval", "repair", "promise", "message_handle")


def run(setup: Setup) -> Books:
    """Return the books of the compiled engine, with the whole event log."""
    return run_engine(setup, run_kernel)


def same_books(a: Books, b: Books) -> bool:
    """Return whether all arrays have the same bits, the whole event log included."""
    return same_log(log_of(a), log_of(b)) and all(
        same_bits(getattr(a, field), getattr(b, field))
        for field in Books._fields
        if not field.startswith("log_")
    )


def changed(setup: Setup, values: Mapping[str, Any]) -> Setup:
    """Return the setup with the settings at these places replaced."""
    return setup._replace(plan=sets(values)(setup.plan))


def sets(values: Mapping[str, Any]) -> Change:
    """Return what replaces the settings at these places.

    Args:
        values: By place: "market.patience", "policy.limit", or "kinds.VOICE" for a
            column in the rows of all kinds of mistakes.
    """

    def change(plan: Plan) -> Plan:
        for place, value in values.items():
            part, name = place.split(".")
            if part == "kinds":
                kinds = plan.kinds.copy()
                kinds[:, KindColumn[name]] = value
                plan = plan._replace(kinds=kinds)
            else:
                record = getattr(plan, part)._replace(**{name: value})
                plan = plan._replace(**{part: record})
        return plan

    return change


def scaled_law(law: Law, unit: float) -> Law:
    """Return a law of durations in another unit; lognormal ones become exponential.

    The logarithm of a lognormal duration moves by a number that no float holds.
    """
    if law.kind == LawKind.LOGNORMAL:
        return exponential(unit * math.ldexp(1.0, round(law.a / math.log(2.0))))
    width = law.b * unit if law.kind == LawKind.UNIFORM else law.b
    return Law(law.kind, law.a * unit, width)


def scaled_setup(setup: Setup, unit: float) -> Setup:
    """Return the setup with all times multiplied, and all rates divided, by `unit`."""
    plan, people = setup.plan, setup.people
    values: dict[str, Any] = {}
    for record, laws in (("market", MARKET_LAWS), ("policy", POLICY_LAWS)):
        for name in laws:
            law = getattr(getattr(plan, record), name)
            values[f"{record}.{name}"] = scaled_law(law, unit)
    for name in MARKET_TIMES:
        values[f"market.{name}"] = getattr(plan.market, name) * unit
    for name in MARKET_RATES:
        values[f"market.{name}"] = getattr(plan.market, name) / unit
    hoops = plan.policy.hoops.copy()
    for row, (kind, a, b, _) in enumerate(hoops.tolist()):
        hoops[row, :3] = scaled_law(Law(int(kind), a, b), unit)
    kinds = plan.kinds.copy()
    kinds[:, [TOLERANCE, TAU]] *= unit
    scaled = sets({**values, "policy.hoops": hoops})(plan)._replace(
        kinds=kinds, horizon=plan.horizon * unit, month=plan.month * unit
    )
    return setup._replace(
        plan=scaled,
        people=people._replace(
            begun=people.begun * unit,
            arrival=people.arrival * unit,
            rate=people.rate / unit,
            renewal=people.renewal * unit,
        ),
    )


class Lever(NamedTuple):
    """A setting that does nothing in some plans: how to make it so, how to move it."""

    name: str
    shut: Mapping[str, Any]  # makes the setting do nothing
    moved: Mapping[str, Any]  # another value


DAY = constant(1.0)
HOOP = np.array([[*constant(0.25), 0.9]])
ON_THE_SPOT = {"policy.limit": math.inf, "policy.fob_off": 0.0}
NO_LIES = {"policy.truth_or_excuse": 1.0, "policy.fob_off": 0.0}
EARLY = {**NO_LIES, "market.patience": constant(math.inf)}
NOBODY_CALLS = {
    "kinds.VOICE": -800.0,
    "kinds.VOICE_SLOPE": 0.0,
    "market.ordinary_rate": 0.0,
    "market.ordinary_per_occasion": 0.0,
}
NO_CALLS = {**NOBODY_CALLS, "policy.notice": 0.0}
LEVERS = (
    Lever("approval", ON_THE_SPOT, {"policy.approval": DAY}),
    Lever("repair", ON_THE_SPOT, {"policy.repair": DAY}),
    Lever("supervisors", ON_THE_SPOT, {"policy.supervisors": 0}),
    Lever("endurance", ON_THE_SPOT, {"market.endurance": constant(0.0)}),
    Lever("stretch", ON_THE_SPOT, {"market.truth_stretch": 9.0}),
    Lever(
        "statements", ON_THE_SPOT, {"policy.truth": 0.0, "policy.truth_or_excuse": 1.0}
    ),
    Lever("promise", NO_LIES, {"policy.promise": DAY}),
    Lever("discovery", NO_LIES, {"market.discovery": 0.83}),
    Lever("placated", NO_LIES, {"market.placated": 9.0}),
    Lever("betrayal", NO_LIES, {"market.betrayal": 5.0, "market.lie_sting": 4.0}),
    Lever(
        "excuses",
        {"policy.truth": 0.5, "policy.truth_or_excuse": 0.5},
        {"market.excuse_credit": 3.0, "market.excuse_sting": 5.0},
    ),
    Lever("hoops", NO_CALLS, {"policy.hoops": HOOP}),
    Lever("voice delay", NOBODY_CALLS, {"market.voice_delay": DAY}),
    Lever("handle", NO_CALLS, {"policy.handle": DAY}),
    Lever("agents", NO_CALLS, {"policy.agents": 0}),
    Lever("disclosure", {"policy.notice": 0.0}, {"market.disclosure": 5.0}),
    Lever("contest", {"kinds.AT_FAULT": 0.0}, {"policy.contest": 0.77}),
    Lever("blame", {"policy.contest": 0.0}, {"market.blame_sting": 7.0}),
    Lever(
        "apology",
        {"policy.apology": 0},
        {"market.apology": 4.0, "market.apology_repeat": 6.0},
    ),
    Lever(
        "follow-up",
        {"policy.follow_up": 0.0},
        {"market.follow_up_credit": 3.0, "market.follow_up_price": 77},
    ),
    Lever("guidelines", {"policy.limit": -1.0}, {"policy.guidelines": constant(1.2)}),
    Lever("leakage", {"policy.compensation": 0.0}, {"policy.leakage": 0.9}),
    Lever("wait sting", EARLY, {"market.retry": 0.25, "market.wait_sting": 3.0}),
    Lever("return delay", EARLY, {"market.return_delay": DAY}),
    Lever("double", {"market.memory": constant(0.0)}, {"market.double": 7.0}),
    Lever("exit", {"market.stated_to_actual": 0.0}, {"market.exit_at_renewal": 0}),
    Lever("lock-in", {"market.stated_to_actual": 0.0}, {"market.lock_in": -9.0}),
    Lever(
        "spend cap",
        {"market.spend_sensitivity": 0.0, "market.spend_cap": 1.0},
        {"market.spend_cap": 3.0},
    ),
    Lever(
        "delight",
        {"market.drift": 0.0, "market.spend_sensitivity": 0.0},
        {"market.delight": 0.9},
    ),
    Lever("period", {"market.relationship": 0}, {"market.period": 0.7}),
)
