"""What staff do with a case at the end of a contact, and what follows (7.6 to 7.8)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from churnsim.engines.books import SATISFACTION_SCALE, Event, Tally
from churnsim.engines.entries import (
    book_busy,
    book_cost,
    book_make_good,
    book_wait,
    microseconds,
)
from churnsim.engines.reference.customer import Case, Customer
from churnsim.mechanisms.clocks import served_until
from churnsim.mechanisms.episode import satisfaction, statement
from churnsim.mechanisms.goodwill import (
    after_contact,
    after_discovery,
    after_excuse,
    after_settlement,
    quickness,
    shifted,
    without_delight,
)
from churnsim.mechanisms.value import make_good
from churnsim.primitives import round_half_up
from churnsim.records import Cause, Statement
from churnsim.streams import Purpose
from churnsim.variates import quantile

# How it ended (None: the customer turns up again), and after what delay [days].
Ending = tuple[Cause | None, float]


def end_contact(customer: Customer, case: Case) -> Generator[Any, Any, Ending]:
    """Contest the claim, settle it on the spot, or say something (7.6)."""
    plan = customer.firm.plan
    market, policy = plan.market, plan.policy
    assert case.kind is not None  # noqa: S101 - tells the type checker
    is_first = case.n_heard == 0
    case.n_heard += 1
    customer.count(Tally.CONTACTS)
    heard = after_contact(
        market, policy, case.kind, customer.goodwill, is_first, case.is_double
    )
    _, u_contest = customer.draw(case, Purpose.NOTICE)
    if case.is_at_fault and u_contest < policy.contest:
        customer.feel(shifted(heard, market.blame_sting))
        survey(customer)
        return Cause.REFUSED, 0.0
    customer.feel(heard)
    u_fob, u_say = customer.draw_again(case, Purpose.STATEMENT)
    if case.stake > policy.limit:
        said = statement(policy, u_say)
    elif u_fob < policy.fob_off:
        customer.count(Tally.FOBBED_OFF)
        said = Statement.LIE
    else:
        customer.count(Tally.ON_THE_SPOT)
        if is_first:
            customer.count(Tally.SETTLED_AT_FIRST)
        _, u_pay = customer.draw_again(case, Purpose.ENDURANCE)
        paid = policy.compensation * quantile(policy.guidelines, u_pay)
        settle(customer, case, paid, case.warmth)
        return Cause.SETTLED, 0.0
    if said == Statement.LIE:
        return (yield from be_lied_to(customer, case))
    if said == Statement.TRUTH:
        customer.count(Tally.TRUTHS)
        case.stretch = market.truth_stretch
    else:
        customer.count(Tally.EXCUSES)
        u_believed, _ = customer.draw_again(case, Purpose.BELIEF)
        customer.feel(after_excuse(market, customer.goodwill, u_believed))
    return (yield from back_desk(customer, case)), 0.0


def survey(customer: Customer) -> None:
    """Ask how satisfied a case left the customer, as the firm closes it (9)."""
    tally = customer.firm.books.tally
    content = satisfaction(customer.goodwill.grievance) * SATISFACTION_SCALE
    tally[Tally.SURVEYED] += 1
    tally[Tally.SURVEY_SUM] += round_half_up(content)


def be_lied_to(customer: Customer, case: Case) -> Generator[Any, Any, Ending]:
    """Go home placated; find the lie out at the promised time, or not (7.6)."""
    firm = customer.firm
    market, policy = firm.plan.market, firm.plan.policy
    customer.count(Tally.LIES)
    customer.feel(shifted(customer.goodwill, -market.placated))
    u_promise, u_delay = customer.draw_again(case, Purpose.PROMISE)
    customer.note(Event.LIED_TO, case.word)
    survey(customer)
    yield customer.moment(firm.now + quantile(policy.promise, u_promise))
    _, u_discovery = customer.draw_again(case, Purpose.BELIEF)
    if u_discovery >= market.discovery:
        return Cause.PLACATED, 0.0
    customer.count(Tally.LIES_FOUND_OUT)
    customer.feel(after_discovery(market, customer.goodwill, customer.bond()))
    customer.note(Event.FOUND_OUT, case.word)
    if customer.clocks.dropout_at <= firm.now or customer.would_leave(case):
        return Cause.BETRAYED, 0.0
    return None, quantile(market.return_delay, u_delay)


def back_desk(customer: Customer, case: Case) -> Generator[Any, Any, Cause]:
    """Return whether the case was settled by approval and repair in time (7.7)."""
    firm, plan, books = customer.firm, customer.firm.plan, customer.firm.books
    joined_at = firm.now
    customer.count(Tally.BACK_JOINED)
    customer.note(Event.JOINED_BACK, case.word)
    has_waited = not firm.back.is_free
    if has_waited:
        customer.count(Tally.BACK_WAITED)
    u_endurance, _ = customer.draw_again(case, Purpose.ENDURANCE)
    ends_at = joined_at + quantile(plan.market.endurance, u_endurance)
    request = yield from firm.wait_for(firm.back, customer.number, ends_at)
    wait = firm.now - joined_at
    book_wait(books.back_waits, books.tally, wait, Tally.BACK_WAIT_SUM)
    if request is None:
        customer.count(Tally.BACK_ABANDONED)
        return Cause.SLOW
    customer.count(Tally.BACK_HANDLED)
    u_approval, u_repair = customer.draw_again(case, Purpose.REPAIR)
    time = quantile(plan.policy.approval, u_approval)
    until = served_until(firm.now, time, has_waited)
    book_busy(books.tally, Tally.BACK_BUSY, firm.now, until, plan.horizon)
    customer.note(Event.TAKEN_UP, case.word)
    yield customer.moment(until)
    firm.back.resource.release(request)
    customer.note(Event.APPROVED, case.word)
    yield customer.moment(firm.now + quantile(plan.policy.repair, u_repair))
    settle(customer, case, plan.policy.compensation)
    return Cause.SETTLED


def settle(
    customer: Customer, case: Case, compensation: float, warmth: float = 1.0
) -> None:
    """Put a mistake right: goodwill, make-good and perhaps a follow-up (7.8).

    Args:
        customer: Whose case it is.
        case: What it is about.
        compensation: A multiple of the stake [-].
        warmth: Factor on the quick credit, from the agent's style [-].
    """
    firm = customer.firm
    market, policy = firm.plan.market, firm.plan.policy
    assert case.kind is not None  # noqa: S101 - tells the type checker
    elapsed = firm.now - case.opened_at
    quick = warmth * quickness(case.kind, elapsed, case.stretch, case.is_double)
    goodwill = after_settlement(
        market, case.kind, customer.goodwill, compensation, quick
    )
    if customer.draw(case, Purpose.TOLERANCE)[1] < policy.follow_up:
        goodwill = shifted(goodwill, -market.follow_up_credit)
        customer.count(Tally.FOLLOW_UPS)
        price = market.follow_up_price
        book_cost(firm.books, market, customer.number, price, firm.now)
    if case.is_double:
        goodwill = without_delight(goodwill)
    customer.feel(goodwill)
    money = make_good(policy, case.stake, compensation)
    book_make_good(firm.books, market, customer.number, money, firm.now)
    customer.count(Tally.SETTLED)
    firm.books.tally[Tally.RESOLUTION_SUM] += microseconds(elapsed)
    customer.note(Event.SETTLED, case.word)
    survey(customer)
