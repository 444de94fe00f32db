"""Scenarios whose revenue is known in closed form, under every policy.

The inputs are those of the table of whole lifetimes: twelve purchases a year at $100,
half of one of them wrong, TARP's shares who buy again. Desks are instant and nothing is
remembered, so that leaving is a thinned Poisson process.
"""

from pathlib import Path
from typing import NamedTuple

from churnsim.scenario import Scenario, load_scenario
from tests.oracles import closed_forms as forms

ROW = forms.TARP["minor"]
CUSTOMERS = 100
YEARS = 3.0
PRICE = 100.0  # a purchase
OCCASIONS = 12.0  # a year
SHARE = 0.5 / OCCASIONS  # of purchases that go wrong
CONTEST = {"empowered": 0.1, "slow": 1.0}  # of claims by the half who are at fault
HANDLE = {
    "empowered": "0 s",
    "slow": "2 s",
}  # within a zone of tolerance of 1 s, or not
QUICK = {"empowered": 1.0, "slow": 0.0}


class Kind(NamedTuple):
    """Who the customers are: as a scenario says it, and as the closed form."""

    rate: str
    dropout: str
    habit_rate: float | forms.Gamma  # [1/year]
    habit_dropout: float | forms.Beta


KINDS = {
    "alike": Kind('"12/year"', "0.0125", OCCASIONS, 0.0125),
    "mixed": Kind(
        '{ law = "gamma", shape = 2.0, scale = "2 months" }',
        '{ law = "beta", a = 0.8, b = 20.0 }',
        forms.Gamma(2.0, 2.0 / OCCASIONS),
        forms.Beta(0.8, 20.0),
    ),
}


def known_scenario(kind: str, folder: Path) -> Scenario:
    """Return a scenario with a known answer."""
    soothing = forms.tarp_credits("minor")
    policies = "\n".join(
        f"[policy.{name}]\naccountability.contest = {CONTEST[name]}\n"
        f'speed.handle = "{HANDLE[name]}"\n'
        for name in ("empowered", "slow")
    )
    path = folder / f"{kind}.toml"
    path.write_text(
        f"""\
horizon = "{YEARS} years"
seed = 1
baseline = "empowered"
policies = ["empowered", "slow"]
population.customers = {CUSTOMERS}

[market]
relationship = "purchase"
rate = {KINDS[kind].rate}
dropout = {KINDS[kind].dropout}
value = "${PRICE:.0f}"
lock_in = 0.0
stated_to_actual = 1.0
drift = 0.0
spend_sensitivity = 0.0
memory = {{ law = "constant", mean = "0 s" }}
voice_delay = "0 s"
patience = inf
apology = 0.0
blame_sting = 0.0
distributive = 0.0

[[mistakes]]
name = "minor"
probability = {SHARE!r}
sting = {forms.tarp_sting("minor")!r}
stake = "$1"
at_fault = 0.5
heard = {soothing.heard!r}
settled = {soothing.settled!r}
quick = {soothing.quick!r}
tolerance = "1 s"
tau = "0 s"

[costs]
margin = 1.0
agent_pay = "$0/hour"
supervisor_pay = "$0/hour"
discount = "0 %/year"

[policy_defaults]
reach.hoops = []
speed.agents = 1_000_000
authority = {{ limit = "inf", training = "$0/year" }}

{policies}""",
        encoding="utf-8",
    )
    return load_scenario(path)


def known_revenue(kind: str, policy: str) -> float:
    """Return the revenue expected of all customers under a policy."""
    mistakes = forms.Mistakes()
    if policy != "flawless":
        settled = 1.0 - 0.5 * CONTEST[policy]
        recovery = forms.Recovery(0.5, settled, QUICK[policy])
        mistakes = forms.Mistakes(SHARE, forms.leave_per_mistake(ROW, recovery))
    traits = KINDS[kind]
    habit = forms.Habit(traits.habit_rate, traits.habit_dropout, mistakes)
    return CUSTOMERS * forms.purchase_revenue(habit, PRICE, forms.Span(YEARS))
