"""Desks with more work than their people can do, and wages above revenue."""

import math
from pathlib import Path

import pytest

from churnsim.experiment import Comparison, Execution, compare
from churnsim.experiment.overload import Load, load_of
from churnsim.mechanisms.hours import Hours

REFERENCE = Execution("reference", threads=1)
N_CUSTOMERS, DAYS, PER_DAY, MINUTES = 20, 14, 10, 15
# Nobody makes a mistake, leaves or hangs up: all work comes from ordinary contacts.
BUSY = (
    f"population.customers={N_CUSTOMERS}",
    "population.prospects=0/year",
    f"horizon={DAYS} days",
    'policies=["empowered"]',
    "mistakes.late.probability=0",
    f"market.ordinary_contacts={PER_DAY}/day",
    "market.dropout=0",
    'market.patience={law="constant",mean="1000 days"}',
    f'policy_defaults.speed.handle={{law="constant",mean="{MINUTES} min"}}',
)


@pytest.fixture(scope="module")
def crowded(shop_file: Path) -> Comparison:
    """Return one agent given the work of two."""
    return compare(shop_file, replications=2, overrides=BUSY, execution=REFERENCE)


def test_overload__is_the_work_that_comes_over_what_can_be_done(
    crowded: Comparison,
) -> None:
    """20 customers who call for 15 minutes every 1/10 day keep 1.89 agents busy.

    The clock of ordinary contacts does not run during one, of 1/96 day here.
    """
    load = load_of(("front",), Hours(1), DAYS, crowded.replications.of("flawless"))
    assert load is not None
    handle = MINUTES / 1440
    expected = N_CUSTOMERS * handle / (1 / PER_DAY + handle)
    assert load.joined == pytest.approx(2 * DAYS / handle, rel=0.02)
    assert load.times == pytest.approx(expected, rel=4 / math.sqrt(load.joined))
    assert load.staffed == 1.0


def test_overload__is_told_with_desk_policy_and_cure(crowded: Comparison) -> None:
    """The warning names the desk, each policy, how much too much, and what holds it."""
    (told,) = (text for text in crowded.warnings if "overloaded" in text)
    assert told.startswith("the front desk is overloaded for good: over 2 weeks more")
    assert "under empowered 1." in told
    assert "times the work of 1 agent (2 would hold it)" in told
    assert "under flawless 1." in told


@pytest.mark.parametrize(
    ("setting", "who"),
    [
        ("policy_defaults.speed.agents=2", None),
        (
            'policy_defaults.speed.agents=["daily 00:00-12:00: 2"]',
            "of those on duty (1.",
        ),
        ("policy_defaults.speed.agents=0", None),
    ],
)
def test_overload__is_told_only_where_the_desk_cannot_catch_up(
    shop_file: Path, setting: str, who: str | None
) -> None:
    """What was said to hold it holds it; half a day of two is no more than one."""
    overrides = [*BUSY, setting]
    found = compare(shop_file, replications=1, overrides=overrides, execution=REFERENCE)
    told = [text for text in found.warnings if "overloaded" in text]
    assert len(told) == (who is not None)
    assert who is None or who in told[0]


def test_overload__is_not_a_busy_spell_of_a_few_customers() -> None:
    """A fifth too much from five customers may be chance, from 500 it is not."""
    assert not Load(1.2, 1.0, 5).is_too_much
    assert Load(1.2, 1.0, 500).is_too_much
    assert not Load(1.0, 1.0, 1_000_000).is_too_much


def test_wages__above_revenue_are_told(crowded: Comparison) -> None:
    """Seats of $2 and $4 an hour cost $2,016 in two weeks; 20 customers bring less."""
    told = [text for text in crowded.warnings if text.startswith("wages exceed")]
    assert len(told) == 1
    assert "under empowered $2,016 against $" in told[0]


def test_wages__below_revenue_are_not_told(shop_file: Path) -> None:
    """Staff that costs next to nothing earns its wages."""
    pay = ["costs.agent_pay=$0.01/hour", "costs.supervisor_pay=$0/hour"]
    overrides = [*BUSY, *pay, "market.ordinary_contacts=0/year"]
    found = compare(shop_file, replications=1, overrides=overrides, execution=REFERENCE)
    figures = found.policies["empowered"].figures
    assert 0.0 < (figures["wages"].mean or 0.0) < (figures["revenue"].mean or 0.0)
    assert not [text for text in found.warnings if "wages" in text]


@pytest.mark.parametrize("desk", [None, 1])
def test_overload__counts_messages_where_they_are_answered(
    shop_file: Path, desk: int | None
) -> None:
    """In one line they are work of the front desk; a desk of their own has its own."""
    writing = ["market.message_share=0.9", "market.message_patience='1000 days'"]
    own = [f"policy_defaults.speed.message_agents={desk}"] if desk else []
    found = compare(
        shop_file,
        replications=1,
        overrides=[*BUSY, *writing, *own],
        execution=REFERENCE,
    )
    (told,) = (text for text in found.warnings if "overloaded" in text)
    which = "message" if desk else "front"
    assert told.startswith(f"the {which} desk is overloaded for good: over 2 weeks")
    assert "times the work of 1 agent (2 would hold it)" in told
