"""What a contact does to the agent who handles it, where agents are people (7.11)."""

from churnsim.engines.books import Event
from churnsim.engines.entries import book_event
from churnsim.engines.kernel.crew import occupy_seat
from churnsim.engines.kernel.world import ATTEMPT, GRIEVANCE, World, word_of
from churnsim.engines.people import book_contact, book_vacancy
from churnsim.jit import mechanism
from churnsim.mechanisms.strain import Contact, hired_at, quits, warmth

IS_QUIT_ON = Event.QUIT.value


@mechanism
def keep_agent_busy(world: World, customer: int, until: float) -> None:
    """Let the agent who is next handle a customer `until` a moment, and perhaps quit.

    It is known now how the contact leaves the agent: nothing moves the grievance of
    one who waits or is handled.
    """
    crew, books, plan = world.crew, world.books, world.plan
    seat = int(crew.heap[0])
    word, grievance = word_of(world, customer), world.life[customer, GRIEVANCE]
    book_contact(books, plan.strain, crew.handled[seat], grievance)
    crew.handled[seat] += 1
    hirings = int(crew.hirings[seat])
    style = warmth(plan, world.key, world.replication, seat, hirings)
    crew.warmth[customer] = style
    attempt = int(world.counts[customer, ATTEMPT])
    contact = Contact(customer, world.replication, word, attempt, grievance)
    free_at = until
    if quits(plan, world.key, contact):
        free_at = hired_at(plan, world.key, contact, until)
        crew.handled[seat] = 0
        crew.hirings[seat] = hirings + 1
        if until < plan.horizon:
            book_event(books, until, customer, IS_QUIT_ON, word, grievance)
            book_vacancy(books, plan, seat, until, free_at)
    occupy_seat(crew, customer, free_at)
