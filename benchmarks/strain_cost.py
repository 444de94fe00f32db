"""Measure what agents who are people cost the kernel.

    python -m benchmarks.strain_cost [--customers 20000] [--rounds 8]

Each policy is run as it is, and with agents who never quit, learn or differ: the same
customers do the same, so only the bookkeeping differs. The two alternate, and the least
of each is compared.
"""

from benchmarks.common import compare_cost
from churnsim.records import NO_STRAIN, Plan
from churnsim.variates import constant


def with_people(plan: Plan) -> Plan:
    """Return the plan with agents who could change in every way, and never do."""
    calm = NO_STRAIN._replace(is_on=1, slope=1.0, newcomer=1.0, hiring=constant(30.0))
    return plan._replace(strain=calm)


if __name__ == "__main__":
    compare_cost(__doc__, with_people, "people")
