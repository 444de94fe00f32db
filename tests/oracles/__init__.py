"""Closed forms from outside, and gates that compare runs with them.

Queues (`queues`)
    birth_death: stationary law of any birth-death chain.
    state_dependent: a desk whose arrivals depend on who is inside.
    erlang_b: share of arrivals lost where nobody may wait.
    erlang_c and its wait mean, survival and quantile: M/M/n, endless patience.
    erlang_a: M/M/n+M, customers who give up.
    finite_source: M/M/n+M with N customers who call again (machine repair).
    wait_survival, served_wait_mean: law of waits, and the mean of those served.

One server, networks (`networks`)
    pollaczek_khinchine: mean wait in M/G/1 from mean and cv.
    one_server_finite_source: M/G/1 with N customers (Ashcroft, Takács).
    open_network, tandem: Jackson, Burke.
    closed_network: Gordon-Newell, N customers on their rounds between desks.

Lifetimes (`lifetimes`)
    survival, thinned_hazard, lifetime_value: constant hazard, with mistakes thinned.
    purchase_alive, _flow, _count, _revenue: λ and p constant or Gamma and Beta.
    bgnbd_expected, _alive, _probability, _conditional, _log_likelihood: the BG/NBD.
    renewal_survival, sbg_retention, _lifetime, _residual: the sBG, DEL and DERL.
    subscription_alive, _revenue: renewals at uniform phases, with a hazard.

Recovery (`recovery`)
    leave_probability: the exit equation.
    tarp_sting, tarp_credits: TARP's repurchase table as steps in log-odds.
    leave_per_mistake: over what may become of a mistake.
    market_damage: customers and money lost, in integers.
    contact_probabilities, contact_mean: geometric contacts.
    betrayal_probabilities, placated_probabilities, lies_only: staff who always lie.
    reputation, win_probability: word of mouth, period by period.

`closed_forms` gathers all of these under one name. `gates` holds tests of means, laws,
shares and counts, and `Battery`, which shares one false-alarm rate among them.
"""
