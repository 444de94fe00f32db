"""Messages beside calls: twins over random setups, and relations that hold exactly."""

import numpy as np
import pytest

from churnsim.engines.books import Event, Messages, Tally
from churnsim.records import FRONT_DESK
from tests.twins.changing import changed, run, same_books
from tests.twins.comparing import assert_twins, same_bits
from tests.twins.front_lines import setups_with_messages
from tests.twins.sampling import check_many
from tests.twins.strategies import GRIDS, Setup, setups, tied_spans
from tests.twins.usual import usual_setup

N_SETUPS = 300
N_PARTS = 6
NOTHING = np.zeros(0, np.int64)
OF_CALLS = slice(Tally.FRONT_JOINED, Tally.FRONT_BUSY + 1)

pytestmark = pytest.mark.compiled


@pytest.mark.parametrize("part", range(N_PARTS))
def test_engines__agree_where_some_write(part: int) -> None:
    """All books and the whole event log are equal in all three executions."""
    reached = np.zeros(len(Messages), np.int64)
    n_apart, tried = 0, 0

    def check(setup: Setup) -> None:
        nonlocal n_apart, tried
        tried += 1
        books = assert_twins(setup)
        n_apart += setup.plan.policy.message_agents != FRONT_DESK
        reached[:] += books.messages > 0

    check_many(setups_with_messages(), N_SETUPS // N_PARTS, check, start=300 + part)
    assert tried >= N_SETUPS // N_PARTS
    assert 0 < n_apart < tried
    assert reached.min() > 0


@pytest.mark.parametrize("grid", GRIDS)
def test_engines__agree_where_some_write_on_a_grid(grid: float) -> None:
    """Of calls and messages at one instant, the lower customer's comes first."""

    def check(setup: Setup) -> None:
        assert_twins(setup)

    some = setups_with_messages(tied_spans(grid))
    check_many(some, N_SETUPS // 15, check, start=int(1024 * grid))


def test_messages__that_nobody_writes_leave_every_bit() -> None:
    """A message desk to which nobody writes changes nothing."""

    def check(setup: Setup) -> None:
        with_desk = changed(setup, {"policy.message_agents": 3})
        assert same_books(run(with_desk), run(setup))

    check_many(setups(), 60, check)


def test_messages__are_calls_without_a_door() -> None:
    """Where nobody calls, a message desk is a front desk without hoops, to the bit.

    So it is in one line with the front desk, whose hoops no message meets.
    """

    def check(setup: Setup) -> None:
        policy, market = setup.plan.policy, setup.plan.market
        same = {"policy.notice": 0.0}
        calling = run(changed(setup, {**same, "policy.hoops": np.zeros((0, 4))}))
        writing = {
            **same,
            "market.message_share": 1.0,
            "kinds.MESSAGE_SHARE": 1.0,
            "market.message_patience": market.patience,
            "policy.message_handle": policy.handle,
        }
        pooled = run(changed(setup, writing))
        apart = {
            **writing,
            "policy.message_agents": policy.agents,
            "policy.agents": 0,
        }
        for books in (pooled, run(changed(setup, apart))):
            assert not books.tally[OF_CALLS].any()
            assert same_bits(books.messages, calling.tally[OF_CALLS])
            assert same_bits(books.message_waits, calling.front_waits)
            wrote = books.log_codes[:, 1] == Event.WROTE
            books.log_codes[wrote, 1] = int(Event.JOINED_FRONT)
            as_calls = books._replace(
                tally=calling.tally,
                front_waits=calling.front_waits,
                messages=NOTHING,
                message_waits=NOTHING,
            )
            assert same_books(as_calls, calling)

    check_many(setups(), 40, check)


def test_messages__and_calls_are_two_desks() -> None:
    """With a desk of their own, messages keep nobody waiting who calls."""
    setup = usual_setup(400, 0, 365.0)
    writing = {"market.message_share": 0.5, "kinds.MESSAGE_SHARE": 0.5}
    waits = []
    for n_agents in (0, 1, 50):
        books = run(changed(setup, {**writing, "policy.message_agents": n_agents}))
        assert books.messages[Messages.JOINED] > 100
        assert (books.messages[Messages.HANDLED] > 0) == (n_agents > 0)
        waits.append(books.tally[Tally.FRONT_WAITED] / books.tally[Tally.FRONT_JOINED])
    assert max(waits) - min(waits) < 0.05


def test_messages__met_with_silence_are_contacts_unanswered() -> None:
    """An ordinary message that nobody answers becomes a mistake as patience ends."""
    setup = usual_setup(200, 0, 365.0)
    writing = {
        "market.message_share": 1.0,
        "market.mistake_probability": 0.0,
        "policy.message_agents": 0,
    }
    books = assert_twins(changed(setup, writing))
    abandoned = books.messages[Messages.ABANDONED]
    assert abandoned == books.tally[Tally.ORDINARY_ABANDONED] > 0
    assert books.tally[Tally.UNANSWERED] == abandoned
