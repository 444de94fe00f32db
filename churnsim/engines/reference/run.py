"""Run the reference engine: a process for each customer, until the horizon."""

from churnsim.engines.books import Books, check_books
from churnsim.engines.entries import add_up
from churnsim.engines.news import heard_from
from churnsim.engines.reference.customer import Customer
from churnsim.engines.reference.firm import Firm
from churnsim.engines.reference.story import life
from churnsim.records import Elsewhere, Plan, Population
from churnsim.streams import Key


def run_reference(
    plan: Plan,
    people: Population,
    key: Key,
    replication: int,
    books: Books,
    elsewhere: Elsewhere | None = None,
) -> int:
    """Fill the books with the SimPy engine; return the size of the event log."""
    check_books(plan, people, books)
    heard = heard_from(elsewhere, books)
    firm = Firm(plan, people, key, replication, books, heard)
    base, arrival = people.n_customers, people.arrival
    # One of a log who is gone already has an infinite arrival, and never comes.
    present = [n for n in range(base) if arrival[n] == 0.0]
    coming = [n for n in range(base, len(arrival)) if arrival[n] < plan.horizon]
    customers = [Customer(firm, number) for number in (*present, *coming)]
    if plan.horizon > 0.0:
        for customer in customers:
            firm.clock.process(life(customer))
        firm.clock.run(until=plan.horizon)
    else:  # SimPy runs no empty time, and nothing but arriving can happen
        for customer in customers:
            customer.arrive()
    for customer in customers:
        customer.finish()
    for number in range(len(arrival)):
        add_up(books, plan, number, base)
    return int(books.log_count[0])
