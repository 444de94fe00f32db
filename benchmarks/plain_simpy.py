"""The model as an ordinary SimPy program: what a practitioner would write.

One process per customer visits every purchase, service occasion, renewal and contact;
agents and supervisors are `simpy.Resource`s; random numbers come from `random`, in the
order in which they are asked for. It takes the figures of a plan and the traits of a
population, and its results equal the kernel's in law, not to the bit. It keeps only
revenue, make-good, departures and a few counts, so it does less than either engine.

Left out, as the benchmarks' scenarios have none of it: leaving at the next renewal.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import simpy

from churnsim.records import Cause, KindColumn, Plan, Population, Relationship
from churnsim.variates import Law, LawKind

Steps = Generator[simpy.Event, Any, None]
Answer = Generator[simpy.Event, Any, Cause | None]
Draw = Callable[[], float]


def sampler(rng: random.Random, law: Law) -> Draw:
    """Return a function that draws from a law."""
    if law.kind == LawKind.CONSTANT:
        return partial(float, law.a)
    if law.kind == LawKind.EXPONENTIAL:
        return partial(rng.expovariate, 1.0 / law.a)
    if law.kind == LawKind.LOGNORMAL:
        return partial(rng.lognormvariate, law.a, law.b)
    if law.kind == LawKind.WEIBULL:
        return partial(rng.weibullvariate, law.a, 1.0 / law.b)
    return partial(rng.uniform, law.a, law.a + law.b)


def logistic(x: float) -> float:
    """Return 1/(1 + exp(−x))."""
    return 1.0 / (1.0 + math.exp(-x))


@dataclass(slots=True)
class MistakeKind:
    """One kind of mistake."""

    sting: Draw
    stake: Draw
    at_fault: float
    voice: float
    voice_slope: float
    heard: float
    settled: float
    quick: float
    tolerance: float
    tau: float


@dataclass
class Results:
    """What the plain model counts."""

    revenue: float = 0.0  # [micro-units]
    make_good: float = 0.0  # [micro-units]
    customer_years: float = 0.0
    kept: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    lost: Counter[Cause] = field(default_factory=Counter)


class PlainFirm:
    """Two desks, the figures of a plan, and everybody's customers."""

    def __init__(self, plan: Plan, people: Population, seed: int) -> None:
        """Open the desks and let every customer's process begin."""
        market, policy = plan.market, plan.policy
        self.env = simpy.Environment()
        self.rng = random.Random(seed)  # noqa: S311 - what such programs use
        self.plan, self.people = plan, people
        self.results = Results()
        self.front = simpy.Resource(self.env, policy.agents)
        self.back = simpy.Resource(self.env, policy.supervisors)
        self.failing = min(1.0, market.mistake_probability * policy.mistakes)
        draw = partial(sampler, self.rng)
        self.memory, self.patience = draw(market.memory), draw(market.patience)
        self.endurance = draw(market.endurance)
        self.voice_delay = draw(market.voice_delay)
        self.return_delay = draw(market.return_delay)
        self.unanswered = draw(market.unanswered_sting)
        self.handle, self.approval = draw(policy.handle), draw(policy.approval)
        self.repair, self.promise = draw(policy.repair), draw(policy.promise)
        self.guidelines = draw(policy.guidelines)
        self.hoops = [
            (draw(Law(int(row[0]), float(row[1]), float(row[2]))), float(row[3]))
            for row in policy.hoops
        ]
        self.kinds = [self.kind_of([float(x) for x in row]) for row in plan.kinds]
        self.shares = [float(row[KindColumn.CUMULATIVE]) for row in plan.kinds]
        self.reputation, self.told = 0.0, 0.0
        if market.influence:
            self.env.process(self.news())
        is_purchase = market.relationship == Relationship.PURCHASE
        life = Purchaser if is_purchase else Subscriber
        self.customers = [life(self, i) for i in range(len(people.arrival))]

    def kind_of(self, row: list[float]) -> MistakeKind:
        """Return a kind of mistake from its row in the plan's table."""
        sting, stake = KindColumn.STING_LAW, KindColumn.STAKE_LAW
        return MistakeKind(
            sampler(self.rng, Law(int(row[sting]), row[sting + 1], row[sting + 2])),
            sampler(self.rng, Law(int(row[stake]), row[stake + 1], row[stake + 2])),
            *row[KindColumn.AT_FAULT : KindColumn.MESSAGE_SHARE],
        )

    def pick_kind(self) -> MistakeKind:
        """Return a kind of mistake, by their shares."""
        (kind,) = self.rng.choices(self.kinds, cum_weights=self.shares)
        return kind

    def news(self) -> Steps:
        """Let news travel once per period."""
        market = self.plan.market
        decay = math.exp(-market.news_decay * market.news_period)
        while True:
            yield self.env.timeout(market.news_period)
            told = self.told / 1000.0 / self.people.n_customers
            self.reputation = self.reputation * decay + told
            self.told = 0.0

    def run(self) -> Results:
        """Run to the horizon and return the results."""
        self.env.run(until=self.plan.horizon)
        for customer in self.customers:
            if customer.is_here:
                customer.earn(self.plan.horizon)
                self.results.kept += 1
                time = self.plan.horizon - customer.arrived_at
                self.results.customer_years += time / 365.25
        return self.results


class PlainCustomer:
    """A customer's feelings, and everything up to the close of an episode."""

    def __init__(self, firm: PlainFirm, number: int) -> None:
        """Take the traits of a customer and begin the process."""
        people = firm.people
        self.firm, self.env, self.rng = firm, firm.env, firm.rng
        self.market, self.policy = firm.plan.market, firm.plan.policy
        self.rate = float(people.rate[number])
        self.dropout = float(people.dropout[number])
        self.value = float(people.value[number])
        self.trust = float(people.trust[number])
        self.renewal_at = float(people.renewal[number])
        self.begun = float(people.begun[number])
        self.is_prospect = number >= people.n_customers
        self.grievance, self.spend, self.drift = 0.0, 1.0, 1.0
        self.remembers, self.is_here = False, False
        self.forget_at = math.inf
        self.arrived_at = self.since = 0.0
        arrival = float(people.arrival[number])
        if arrival < firm.plan.horizon:
            self.env.process(self.arrive(arrival))

    def arrive(self, at: float) -> Steps:
        """Come at a time, be won over if only a prospect, and live."""
        if at:
            yield self.env.timeout(at)
        if self.is_prospect:
            market = self.market
            pull = math.exp(-market.influence * self.firm.reputation)
            if self.rng.random() >= market.conversion * pull:
                return
        self.is_here = True
        self.arrived_at = self.since = self.env.now
        yield from self.live()

    def live(self) -> Steps:
        """Visit every occasion until the customer leaves."""
        raise NotImplementedError

    def earn(self, until: float) -> None:
        """Book what came in continuously since the last time."""
        raise NotImplementedError

    def drops_out_by(self, now: float) -> bool:
        """Leave if ordinary dropout came due meanwhile; return whether it did."""
        raise NotImplementedError

    def count(self, what: str) -> None:
        """Count something once."""
        self.firm.results.counts[what] += 1

    def feel(self, grievance: float) -> None:
        """Hold a new grievance, and spend and drift accordingly."""
        self.earn(self.env.now)
        market = self.market
        self.grievance = grievance
        acting = grievance if grievance > 0.0 else market.delight * grievance
        self.spend = min(market.spend_cap, math.exp(-market.spend_sensitivity * acting))
        self.drift = math.exp(market.drift * acting)

    def forget(self) -> None:
        """Forget the last grievance."""
        self.feel(0.0)
        self.remembers, self.forget_at = False, math.inf

    def depart(self, at: float, cause: Cause) -> None:
        """Go for good."""
        self.earn(at)
        results = self.firm.results
        results.lost[cause] += 1
        results.customer_years += (at - self.arrived_at) / 365.25
        self.is_here = False

    def leave_probability(self) -> float:
        """Return the probability of leaving at a moment of decision."""
        market = self.market
        stay = market.lock_in + self.trust - self.grievance
        return market.stated_to_actual * logistic(-stay)

    def close(self, cause: Cause, tolerance: float) -> None:
        """Close an episode: leave, or stay and remember."""
        now, market = self.env.now, self.market
        if self.drops_out_by(now):
            return
        if self.leave_probability() > tolerance:
            self.firm.told += market.told_bad
            self.depart(now, cause)
            return
        if self.grievance < 0.0:
            self.firm.told -= market.told_good
        self.remembers, self.forget_at = True, now + self.firm.memory()

    def bond(self) -> float:
        """Return the strength of the relationship."""
        return 1.0 - math.exp((self.begun - self.env.now) / self.market.bonding)

    def suffer(self, sting: float) -> bool:
        """Take a mistake to heart; return whether it is a double deviation."""
        if self.forget_at <= self.env.now:
            self.forget()
        sting *= 1.0 - self.market.buffer * self.bond()
        is_double, self.remembers = self.remembers, False
        self.forget_at = math.inf
        factor = self.market.double if is_double else 1.0
        self.feel(max(self.grievance, 0.0) + sting * factor * self.policy.manners)
        return is_double

    def contact_rate(self) -> float:
        """Return the rate of ordinary contacts [per day]."""
        raise NotImplementedError

    def ordinary_contact(self) -> Steps:
        """Ask something at the front desk."""
        firm, env, rng = self.firm, self.env, self.rng
        self.count("ordinary_contacts")
        for time, give_up in firm.hoops:
            yield env.timeout(time())
            if rng.random() < give_up:
                self.get_no_answer(Cause.GAVE_UP)
                return
        with firm.front.request() as request:
            yield request | env.timeout(firm.patience())
            if request.triggered:
                yield env.timeout(firm.handle())
                return
        self.count("ordinary_abandoned")
        self.get_no_answer(Cause.ABANDONED)

    def get_no_answer(self, cause: Cause) -> None:
        """Suffer the unreturned call."""
        if self.rng.random() < self.policy.mistakes:
            self.suffer(self.firm.unanswered())
            self.close(cause, self.rng.random())

    def episode(self) -> Steps:
        """Suffer a mistake and see it through to its close."""
        episode = Episode(self)
        yield from episode.run()


class Episode:
    """One mistake and what becomes of it."""

    def __init__(self, customer: PlainCustomer) -> None:
        """Let the mistake happen."""
        self.customer, self.firm = customer, customer.firm
        self.env, self.rng = customer.env, customer.rng
        self.market, self.policy = customer.market, customer.policy
        self.kind = self.firm.pick_kind()
        self.opened_at = self.env.now
        sting = self.kind.sting()
        self.stake = self.kind.stake()
        self.is_at_fault = self.rng.random() < self.kind.at_fault
        self.tolerance = self.rng.random()
        self.n_heard, self.stretch, self.is_called = 0, 1.0, False
        self.is_double = customer.suffer(sting)
        self.sting = sting * (1.0 - self.market.buffer * customer.bond())
        self.sting *= self.market.double if self.is_double else 1.0
        customer.count("mistakes")

    def push(self, by: float) -> None:
        """Move the customer's grievance."""
        self.customer.feel(self.customer.grievance + by)

    def run(self) -> Steps:
        """Go from the mistake to the close."""
        kind, policy = self.kind, self.policy
        if self.rng.random() < policy.notice:
            self.is_called = True
            self.push(-self.market.disclosure)
        else:
            voice = kind.voice + kind.voice_slope * self.sting + policy.voice_ease
            if self.rng.random() >= logistic(voice):
                self.customer.close(Cause.SILENT, self.tolerance)
                return
            self.customer.count("voiced")
            yield self.env.timeout(self.firm.voice_delay())
        for attempt in range(self.market.max_attempts):
            if attempt:
                yield self.env.timeout(self.firm.return_delay())
            cause = yield from self.attempt()
            if cause is not None:
                self.customer.close(cause, self.tolerance)
                return
            self.is_called = False
        self.customer.close(Cause.EXHAUSTED, self.tolerance)

    def attempt(self) -> Answer:
        """Turn up once; return how the episode closes, or None to turn up again."""
        firm, env, rng, market = self.firm, self.env, self.rng, self.market
        if not self.is_called:
            for time, give_up in firm.hoops:
                yield env.timeout(time())
                self.push(market.hoop_sting)
                if rng.random() < give_up:
                    return Cause.GAVE_UP
        with firm.front.request() as request:
            if self.is_called:
                yield request
            else:
                yield request | env.timeout(firm.patience())
            if not request.triggered:
                self.push(market.wait_sting)
                return None if rng.random() < market.retry else Cause.ABANDONED
            yield env.timeout(firm.handle())
        return (yield from self.be_answered())

    def be_answered(self) -> Answer:
        """Hear what the agent has to say; return as `attempt` does."""
        rng, market, policy, kind = self.rng, self.market, self.policy, self.kind
        is_first = self.n_heard == 0
        self.n_heard += 1
        self.customer.count("contacts")
        self.push(-kind.heard if is_first else market.contact_sting)
        if policy.apology:
            is_fresh = is_first and not self.is_double
            self.push(-market.apology if is_fresh else market.apology_repeat)
        if self.is_at_fault and rng.random() < policy.contest:
            self.push(market.blame_sting)
            return Cause.REFUSED
        if self.stake <= policy.limit:
            if rng.random() >= policy.fob_off:
                self.settle(policy.compensation * self.firm.guidelines())
                return Cause.SETTLED
            return (yield from self.be_lied_to())
        said = rng.random()
        if said >= policy.truth_or_excuse:
            return (yield from self.be_lied_to())
        if said < policy.truth:
            self.stretch = market.truth_stretch
        elif rng.random() < market.excuse_believed:
            self.push(-market.excuse_credit)
        else:
            self.push(market.excuse_sting)
        return (yield from self.go_through_back_desk())

    def be_lied_to(self) -> Answer:
        """Go home, and perhaps find out; return as `attempt` does."""
        market, customer = self.market, self.customer
        customer.count("lies")
        self.push(-market.placated)
        yield self.env.timeout(self.firm.promise())
        if self.rng.random() >= market.discovery:
            return Cause.PLACATED
        self.push(market.placated + market.lie_sting)
        hate = 1.0 + market.betrayed_bond * customer.bond()
        customer.trust -= market.betrayal * hate
        leaves = customer.leave_probability() > self.tolerance
        return Cause.BETRAYED if leaves else None

    def go_through_back_desk(self) -> Answer:
        """Wait for approval and repair; return as `attempt` does."""
        firm, env = self.firm, self.env
        with firm.back.request() as request:
            yield request | env.timeout(firm.endurance())
            if not request.triggered:
                return Cause.SLOW
            yield env.timeout(firm.approval())
        yield env.timeout(firm.repair())
        self.settle(self.policy.compensation)
        return Cause.SETTLED

    def settle(self, compensation: float) -> None:
        """Put the mistake right."""
        market, policy, kind = self.market, self.policy, self.kind
        elapsed = self.env.now - self.opened_at
        zone = 0.0 if self.is_double else kind.tolerance * self.stretch
        quick = 1.0 if elapsed <= zone else math.exp(-(elapsed - zone) / kind.tau)
        credit = 1.0 - math.exp(-min(compensation, 1.5) / 0.4)
        weight = market.distributive
        fairness = 1.0 - weight + weight * credit / (1.0 - math.exp(-1.0 / 0.4))
        push = kind.settled * fairness + kind.quick * quick
        if self.rng.random() < policy.follow_up:
            push += market.follow_up_credit
        grievance = self.customer.grievance - push
        self.customer.feel(max(grievance, 0.0) if self.is_double else grievance)
        paid = compensation * self.stake * (1.0 + policy.leakage)
        self.firm.results.make_good += paid
        self.customer.count("settled")


class Purchaser(PlainCustomer):
    """Buys now and then, and one day no more. Buys nothing while an episode is open."""

    def live(self) -> Steps:
        """Visit every purchase and every ordinary contact."""
        env, rng, failing = self.env, self.rng, self.firm.failing
        while self.is_here:
            rate = self.rate * self.spend
            wrong = rate * failing
            last = (rate - wrong) * self.dropout * self.drift
            ordinary = (rate - wrong) * (1.0 - self.dropout)
            contacts = self.contact_rate()
            total = contacts + wrong + last + ordinary
            at = env.now + rng.expovariate(total)
            if self.forget_at < at:
                yield env.timeout(max(0.0, self.forget_at - env.now))
                self.forget()
                continue
            yield env.timeout(at - env.now)
            u = rng.random() * total
            if u < contacts:
                yield from self.ordinary_contact()
                continue
            self.firm.results.revenue += self.value
            self.count("purchases")
            if u < contacts + wrong:
                yield from self.episode()
                stays = (1.0 - self.dropout) ** self.drift
                if self.is_here and rng.random() >= stays:  # type: ignore[redundant-expr] # the episode may end it
                    self.depart(env.now, Cause.NATURAL)
            elif u < contacts + wrong + last:
                self.depart(env.now, Cause.NATURAL)

    def contact_rate(self) -> float:
        """Return the rate of ordinary contacts [per day]."""
        market = self.market
        return (
            market.ordinary_rate + market.ordinary_per_occasion * self.rate * self.spend
        )

    def earn(self, until: float) -> None:
        """Book nothing: purchases bring in their revenue."""

    def drops_out_by(self, now: float) -> bool:
        """Return False: one who buys nothing makes no last purchase."""
        del now
        return False


class Subscriber(PlainCustomer):
    """Pays a fee, and renews or does not. Occasions come and go in any case."""

    def live(self) -> Steps:
        """Visit every occasion, renewal and ordinary contact."""
        env, rng, firm = self.env, self.rng, self.firm
        period, contacts = self.market.period, self.contact_rate()
        while self.renewal_at <= env.now:
            self.renewal_at += period
        occasion_at = env.now + rng.expovariate(self.rate)
        contact_at = env.now + rng.expovariate(contacts)
        while self.is_here:
            at = min(occasion_at, contact_at, self.renewal_at, self.forget_at)
            if at > env.now:
                yield env.timeout(at - env.now)
            if at == self.forget_at:
                self.forget()
            elif at == self.renewal_at:
                self.count("renewals")
                self.drops_out_by(env.now)
            elif at == contact_at:
                yield from self.ordinary_contact()
                contact_at = env.now + rng.expovariate(contacts)
            else:
                self.count("occasions")
                occasion_at = at + rng.expovariate(self.rate)
                if rng.random() < firm.failing:
                    yield from self.episode()
                    contact_at = env.now + rng.expovariate(contacts)

    def contact_rate(self) -> float:
        """Return the rate of ordinary contacts [per day]."""
        market = self.market
        return market.ordinary_rate + market.ordinary_per_occasion * self.rate

    def earn(self, until: float) -> None:
        """Book the fee since the last time."""
        fee = self.spend * self.value / self.market.period
        self.firm.results.revenue += fee * (until - self.since)
        self.since = until

    def drops_out_by(self, now: float) -> bool:
        """Renew whatever is due, or cancel; return whether the customer is gone."""
        while self.renewal_at <= now:
            if self.rng.random() < -math.expm1(-self.dropout * self.drift):
                self.depart(self.renewal_at, Cause.NATURAL)
                return True
            self.renewal_at += self.market.period
        return False
