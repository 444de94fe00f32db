"""One customer's story, told as a SimPy process.

Read `life` first: arrival, then whatever comes next until the customer is gone. Every
function here that waits is a generator, and is used with `yield from`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from churnsim.engines.books import Event, Messages, Monthly, Tally, Weekly
from churnsim.engines.channels import book_abandoning, book_handling, book_join, count
from churnsim.engines.entries import book_cost
from churnsim.engines.people import book_contact, book_vacancy
from churnsim.engines.reference.contact import end_contact
from churnsim.engines.reference.crew import Agent, Crew
from churnsim.engines.reference.customer import Case, Customer
from churnsim.mechanisms.clocks import CONTACT, DROPOUT, FORGETTING, served_until
from churnsim.mechanisms.episode import (
    kind_at,
    kind_index,
    law_in,
    may_try_again,
    voice_probability,
)
from churnsim.mechanisms.goodwill import after_mistake, shifted, sting_of
from churnsim.mechanisms.hours import opening
from churnsim.mechanisms.leaving import FOREVER
from churnsim.mechanisms.strain import (
    Contact,
    hired_at,
    quits,
    slowness,
    warmth,
)
from churnsim.mechanisms.word_of_mouth import win_probability
from churnsim.primitives import round_half_up
from churnsim.records import Cause, KindColumn, WhenClosed
from churnsim.streams import ORDINARY, Purpose
from churnsim.variates import quantile

Steps = Generator[Any, Any, None]


def life(customer: Customer) -> Steps:
    """A customer's life: arrive, and let things happen until gone."""
    firm = customer.firm
    if customer.number >= firm.people.n_customers:
        yield customer.moment(float(firm.people.arrival[customer.number]))
        if not is_won(customer):
            return
    customer.arrive()
    while customer.is_here:
        if customer.leaving is not None:
            at, cause = customer.leaving
            yield customer.moment(at)
            customer.depart(at, cause)
            return
        what, at = customer.next_happening()
        if at > firm.now:
            yield customer.moment(at)
        if what == DROPOUT:
            customer.drop_out(at)
        elif what == FORGETTING:
            customer.forget(at)
        elif what == CONTACT:
            yield from ordinary_contact(customer)
        else:
            yield from episode(customer)


def is_won(customer: Customer) -> bool:
    """Return whether a prospect becomes a customer, given the firm's news (7.10)."""
    firm, market = customer.firm, customer.firm.plan.market
    u = float(firm.people.choice[customer.number])
    customer.count(Tally.PROSPECTS)
    if u < win_probability(market, firm.news()):
        customer.count(Tally.WON)
        price = market.acquisition_cost
        book_cost(firm.books, market, customer.number, price, firm.now)
        return True
    if u < win_probability(market, 0.0):
        customer.count(Tally.LOST_TO_REPUTATION)
    customer.note(Event.NOT_WON)
    return False


def ordinary_contact(customer: Customer) -> Steps:
    """Ask something; be handled, and go away as content as before (4.5)."""
    case = Case(ORDINARY | customer.n_contacts)
    share = customer.firm.plan.market.message_share
    case.writes = customer.chooses_to_write(case, share)
    customer.count(Tally.ORDINARY_CONTACTS)
    customer.note(Event.ORDINARY)
    if not (yield from front_door(customer, case)):
        customer.count(Tally.ORDINARY_GAVE_UP)
        go_unanswered(customer, case, Cause.GAVE_UP)
    elif not (yield from front_desk(customer, case)):
        customer.count(Tally.ORDINARY_ABANDONED)
        go_unanswered(customer, case, Cause.ABANDONED)
    else:
        customer.count(Tally.ORDINARY_HANDLED)
        customer.new_contact_clock()


def go_unanswered(customer: Customer, case: Case, cause: Cause) -> None:
    """Suffer the mistake of an unreturned call: an episode that closes at once."""
    plan = customer.firm.plan
    customer.catch_up(customer.firm.now, including=True)
    if not customer.is_here:
        return
    customer.new_contact_clock()
    if customer.draw(case, Purpose.PREVENTION)[0] >= plan.policy.mistakes:
        return
    is_double = customer.remembers
    _, u = customer.draw(case, Purpose.KIND)
    sting = quantile(plan.market.unanswered_sting, u)
    sting = sting_of(plan.market, sting, is_double, customer.bond())
    customer.remembers, customer.forget_at = False, FOREVER
    customer.feel(after_mistake(plan.policy, customer.goodwill, sting))
    customer.count(Tally.UNANSWERED)
    if is_double:
        customer.count(Tally.DOUBLE_DEVIATIONS)
    customer.note(Event.UNANSWERED, case.word)
    customer.close(case, cause)


def episode(customer: Customer) -> Steps:
    """Suffer a mistake, and try to have it put right, until the case closes (7)."""
    case = open_episode(customer)
    if is_noticed(customer, case):
        case.is_called = True
    elif not (yield from speak_up(customer, case)):
        customer.close(case, Cause.SILENT)
        return
    ending: Cause | None = None
    while ending is None:
        ending = yield from attempt(customer, case)
    customer.close(case, ending)


def open_episode(customer: Customer) -> Case:
    """Return the case that a mistake opens: kind, sting, stake and fault (7.1)."""
    firm, plan, now = customer.firm, customer.firm.plan, customer.firm.now
    case = Case(customer.n_mistakes, opened_at=now, is_double=customer.remembers)
    u_kind, u_sting = customer.draw(case, Purpose.KIND)
    u_stake, u_fault = customer.draw(case, Purpose.STAKE)
    row = kind_index(plan.kinds, u_kind)
    kind = kind_at(plan.kinds, row)
    sting = quantile(law_in(plan.kinds, row, KindColumn.STING_LAW), u_sting)
    stake = quantile(law_in(plan.kinds, row, KindColumn.STAKE_LAW), u_stake)
    case.kind = kind
    case.sting = sting_of(plan.market, sting, case.is_double, customer.bond())
    case.stake = float(round_half_up(stake))
    case.is_at_fault = u_fault < kind.at_fault
    case.writes = customer.chooses_to_write(case, kind.message_share)
    customer.n_mistakes += 1
    customer.remembers, customer.forget_at = False, FOREVER
    customer.new_mistake_clock()
    customer.buy(now)
    hurt = after_mistake(plan.policy, customer.goodwill, case.sting)
    customer.change(hurt, True, now)
    firm.books.monthly[customer.month(now), Monthly.BACKLOG] += 1
    firm.books.monthly[customer.month(now), Monthly.MISTAKES] += 1
    customer.count(Tally.MISTAKES)
    if case.is_double:
        customer.count(Tally.DOUBLE_DEVIATIONS)
    customer.note(Event.MISTAKE, case.word)
    return case


def is_noticed(customer: Customer, case: Case) -> bool:
    """Return whether the firm finds the mistake first and owns up unasked (7.2)."""
    plan = customer.firm.plan
    if customer.draw(case, Purpose.NOTICE)[0] >= plan.policy.notice:
        return False
    customer.feel(shifted(customer.goodwill, -plan.market.disclosure))
    customer.count(Tally.NOTICED)
    customer.note(Event.NOTICED, case.word)
    return True


def speak_up(customer: Customer, case: Case) -> Generator[Any, Any, bool]:
    """Return whether the customer speaks up; if so, after the delay (7.3)."""
    plan = customer.firm.plan
    assert case.kind is not None  # noqa: S101 - tells the type checker
    u_voice, u_delay = customer.draw(case, Purpose.VOICE)
    if u_voice >= voice_probability(plan.policy, case.kind, case.sting):
        return False
    customer.count(Tally.VOICED)
    customer.note(Event.VOICED, case.word)
    delay = quantile(plan.market.voice_delay, u_delay)
    yield customer.turns_up(delay)
    return True


def attempt(customer: Customer, case: Case) -> Generator[Any, Any, Cause | None]:
    """Return how one attempt closed the case, or None if the customer is back (7.4)."""
    market = customer.firm.plan.market
    if not case.is_called:
        customer.count(Tally.ATTEMPTS)
        customer.note(Event.TURNED_UP, case.word)
        if not (yield from front_door(customer, case)):
            return Cause.GAVE_UP
    if (yield from front_desk(customer, case)):
        ending, delay = yield from end_contact(customer, case)
    else:
        customer.feel(shifted(customer.goodwill, market.wait_sting))
        u_retry, u_delay = customer.draw_again(case, Purpose.RETRY)
        ending = None if u_retry < market.retry else Cause.ABANDONED
        delay = quantile(market.return_delay, u_delay)
    if ending is not None:
        return ending
    if not may_try_again(market, case.attempt):
        return Cause.EXHAUSTED
    case.attempt += 1
    case.is_called = False
    yield customer.turns_up(delay)
    return None


def front_door(customer: Customer, case: Case) -> Generator[Any, Any, bool]:
    """Return whether the customer found the desk open and got through all hoops (7.4).

    One who would wait goes in though it is closed; messages meet no door.
    """
    if case.is_by_message:
        return True
    plan = customer.firm.plan
    when_closed = plan.market.when_closed
    if when_closed != WhenClosed.WAIT and customer.firm.is_closed():
        customer.note(Event.TURNED_AWAY, case.word)
        customer.count_hour(Weekly.TURNED_AWAY, customer.firm.now)
        if when_closed == WhenClosed.GIVE_UP:
            return False
        roster, now = plan.policy.front_roster, customer.firm.now
        yield customer.moment(opening(roster, plan.into_week, now))
    for hoop, figures in enumerate(plan.policy.hoops):
        u_time, u_give_up = customer.draw_again(case, Purpose.HOOP + hoop)
        time = quantile(law_in(plan.policy.hoops, hoop, 0), u_time)
        yield customer.moment(customer.firm.now + time)
        if not case.is_ordinary:
            customer.feel(shifted(customer.goodwill, plan.market.hoop_sting))
        if u_give_up < figures[-1]:
            return False
    return True


def front_desk(customer: Customer, case: Case) -> Generator[Any, Any, bool]:
    """Return whether an agent handled the customer before patience ended (7.5)."""
    firm, plan, books = customer.firm, customer.firm.plan, customer.firm.books
    yield customer.moment(firm.now)  # join after lower numbers at this instant
    joined_at, by_message = firm.now, case.is_by_message
    desk = firm.messages if by_message else firm.front
    book_join(books, plan, by_message, joined_at)
    customer.note(Event.WROTE if by_message else Event.JOINED_FRONT, case.word)
    has_waited = not desk.is_free
    if has_waited:
        count(books, by_message, Messages.WAITED)
    u_handle, u_patience = customer.draw_again(case, Purpose.HANDLING)
    ends_at = FOREVER
    if not case.is_called:
        market = plan.market
        patience = market.message_patience if by_message else market.patience
        ends_at = joined_at + quantile(patience, u_patience)
    request = yield from firm.wait_for(desk, customer.number, ends_at)
    if request is None:
        book_abandoning(books, plan, by_message, joined_at, firm.now)
        customer.note(Event.PATIENCE_SPENT, case.word)
        return False
    policy = plan.policy
    time = quantile(policy.message_handle if by_message else policy.handle, u_handle)
    if isinstance(desk, Crew):
        time *= slowness(plan.strain, request.value.handled)
    until = served_until(firm.now, time, has_waited)
    book_handling(books, plan, by_message, joined_at, firm.now, until)
    customer.note(Event.HANDLED, case.word)
    if isinstance(desk, Crew):
        yield from be_served(customer, case, desk, request.value, until)
    else:
        case.warmth = 1.0
        yield customer.moment(until)
        desk.resource.release(request)
    customer.note(Event.CONTACT_ENDED, case.word)
    return True


def be_served(
    customer: Customer, case: Case, crew: Crew, agent: Agent, until: float
) -> Steps:
    """Have a contact with an agent until a moment, who then may quit (7.11)."""
    firm, plan, books = customer.firm, customer.firm.plan, customer.firm.books
    grievance = customer.goodwill.grievance
    book_contact(books, plan.strain, agent.handled, grievance)
    agent.handled += 1
    case.warmth = warmth(plan, firm.key, firm.replication, agent.seat, agent.hiring)
    yield customer.moment(until)
    contact = Contact(
        customer.number, firm.replication, case.word, case.attempt, grievance
    )
    if not quits(plan, firm.key, contact):
        crew.come_free(agent, customer.number)
        return
    filled_at = hired_at(plan, firm.key, contact, firm.now)
    book_vacancy(books, plan, agent.seat, firm.now, filled_at)
    customer.note(Event.QUIT, case.word)
    crew.leave_vacant(agent, customer.number, filled_at)
