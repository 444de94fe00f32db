"""The scenario that `churnsim init` writes: complete, small, explained."""

STARTER = """\
# A scenario: who the customers are, what goes wrong, what it costs, and the policies
# to compare. Replace the figures with yours, then:
#
#   churnsim validate scenario.toml     names every mistake with its line
#   churnsim show scenario.toml         shows every setting, defaults filled in
#   churnsim run scenario.toml
#
# Amounts are texts with the currency, durations and rates texts with a unit:
# "$50", "6 min", "2 h", "3 days", "12/year". Shares are 0.6 or "60 %".

title = "My firm"
currency = "$"
horizon = "2 years"     # how long is simulated
replications = 20       # how often; below 20, intervals are rough
seed = 1                # the same seed gives the same numbers, to the last digit
baseline = "empowered"  # revenue lost is measured against this policy, and against
                        # "flawless", a firm that makes no mistakes
policies = ["empowered", "slow", "dishonest", "slow_and_dishonest"]

[population]
customers = 2000
prospects = "50/year per 1000" # people who may become customers
starting_tenure = "stationary"

[market]
relationship = "subscription"  # or "purchase": then leave out `period`
period = "1 month"
value = "$50"                  # revenue per period (or per purchase)
rate = "12/year"               # occasions of one customer in which something can fail
# Customers who leave at a renewal though nothing went wrong: on average
# a / (a + b) of them, more or less likely from customer to customer.
dropout = { law = "beta", a = 1.0, b = 99.0 }
ordinary_contacts = "3/year"   # questions, orders and changes of one customer
lock_in = 1.0                  # contracts, switching cost, few other places [log-odds]
patience = "3 min"             # how long people wait in line, on average
endurance = "10 days"          # how long they wait for what was promised, on average

# What goes wrong: one table for each kind of mistake. "sting" is how much it hurts and
# "heard", "settled", "quick" how much a contact, a settlement and a quick settlement
# make good, all in log-odds of staying.
[[mistakes]]
name = "billing"
probability = 0.01             # of an occasion
sting = { law = "lognormal", mean = 1.5, cv = 0.3 }
stake = { law = "lognormal", mean = "$40", cv = 1.0 }  # what it costs to put right
at_fault = 0.1                 # share in which the customer is at fault
voice = -0.1                   # whether customers speak up; below 0: most are silent
voice_slope = 0.3
heard = 0.4
settled = 1.0
quick = 2.1
tolerance = "24 h"             # how late still counts as quick
tau = "48 h"                   # how fast that fades afterwards

[[mistakes]]
name = "outage"
probability = 0.004
sting = { law = "lognormal", mean = 3.3, cv = 0.3 }
stake = { law = "lognormal", mean = "$60", cv = 1.0 }
voice = -2.4
voice_slope = 0.3
heard = 0.9
settled = 1.6
quick = 1.4
tolerance = "24 h"
tau = "48 h"

[costs]
margin = "60 %"                # of revenue, before what is listed here
agent_pay = "$27/hour"         # of a seat, for the time it is staffed
supervisor_pay = "$40/hour"
follow_up = "$4"               # a call after a settlement
acquisition = "$350"           # a prospect won

# What every policy here starts from. The policies themselves are ready files
# (`churnsim list`, `churnsim show slow`); a table [policy.slow] would change one.
[policy_defaults.speed]
agents = "0.5 per 1000"        # seats at the front desk, per 1000 customers; or
                               # in shifts: ["Mon-Fri 09:00-17:00: 12"]
supervisors = "0.1 per 1000"
handle = { law = "lognormal", mean = "6 min", cv = 1.3 }

[policy_defaults.authority]
limit = "$200"                 # the largest stake that staff settle alone
"""
