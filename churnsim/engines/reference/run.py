"""Run the reference engine: a process for each customer, until the horizon."""

from churnsim.engines.books import Books, check_books
from churnsim.engines.reference.customer import Customer
from churnsim.engines.reference.firm import Firm
from churnsim.engines.reference.story import life
from churnsim.records import Plan, Population
from churnsim.streams import Key


def run_reference(
    plan: Plan, people: Population, key: Key, replication: int, books: Books
) -> int:
    """Fill the books with the SimPy engine; return the size of the event log."""
    check_books(plan, people, books)
    firm = Firm(plan, people, key, replication, books)
    customers = [
        Customer(firm, number)
        for number, arrival in enumerate(people.arrival)
        if arrival < plan.horizon
    ]
    for customer in customers:
        firm.clock.process(life(customer))
    if customers:
        firm.clock.run(until=plan.horizon)
    for customer in customers:
        customer.finish()
    return int(books.log_count[0])
