"""Measure what a choice of channel costs the kernel.

    python -m benchmarks.messages_cost [--customers 20000] [--rounds 8]

Each policy is run as it is, and with a share of messages so small that nobody writes:
the same customers do the same, so only choosing and bookkeeping differ. The two
alternate, and the least of each is compared.
"""

from benchmarks.common import compare_cost
from churnsim.records import KindColumn, Plan

NEXT_TO_NONE = 1e-300  # below every uniform


def with_channels(plan: Plan) -> Plan:
    """Return the plan with customers who could write, and never do."""
    kinds = plan.kinds.copy()
    kinds[:, KindColumn.MESSAGE_SHARE] = NEXT_TO_NONE
    market = plan.market._replace(message_share=NEXT_TO_NONE)
    return plan._replace(market=market, kinds=kinds)


if __name__ == "__main__":
    compare_cost(__doc__, with_channels, "channels")
