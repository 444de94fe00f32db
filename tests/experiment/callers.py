"""A firm that is nothing but a desk: Poisson calls, exponential handling and patience.

Nothing goes wrong, nobody leaves, nobody calls again: Erlang A, but for the few who are
at the desk and do not call meanwhile.
"""

N_CALLERS = 4000
CALLS_A_YEAR = 132  # of each caller; in all 1,445.6 a day
HANDLE = 6.0 / 1440.0  # [days]
PATIENCE = 3.0 / 1440.0  # [days]

CALLERS = f"""\
title = "Callers"
horizon = "30 days"
seed = 11
replications = 4
policies = ["empowered", "slow"]

[population]
customers = {N_CALLERS}

[market]
relationship = "purchase"
rate = "1/year"
dropout = "0 %"
value = "$35"
ordinary_contacts = "{CALLS_A_YEAR}/year"
patience = {{ law = "exponential", mean = "3 min" }}
retry = 0

[[mistakes]]
name = "none"
probability = 0
sting = 0
stake = "$1"
voice = 0.3
heard = 0.37
settled = 1.01
quick = 2.10
tolerance = "24 h"
tau = "48 h"

[costs]
margin = "45 %"
agent_pay = "$20/hour"
supervisor_pay = "$0/hour"

[policy_defaults.reach]
hoops = []

[policy_defaults.speed]
agents = 4
supervisors = 0
handle = {{ law = "exponential", mean = "6 min" }}

[policy.slow.speed]
agents = ["Mon-Fri 08:00-18:00: 6", "Sat 10:00-14:00: 4"]
"""
