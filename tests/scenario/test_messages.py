"""Calls and messages: what scenarios say of them, and what is refused."""

from __future__ import annotations

import pytest

from churnsim.errors import InputError
from churnsim.records import FRONT_DESK, KindColumn
from churnsim.report.settings import scenario_text
from churnsim.scenario import load_scenario
from churnsim.simulation import simulate

FEW = ("population.customers=500", "horizon='1 year'")
WRITING = ("market.message_share=0.5",)


def test_messages__are_read_with_their_units() -> None:
    """Shares, patience, staffing and handle time reach the engine's records."""
    settings = [
        "market.message_share='30 %'",
        "market.message_patience='3 days'",
        "mistakes.1.message_share=0.25",
        "policy.slow.speed.message_agents='2 per 1000'",
        "policy.slow.speed.message_handle='12 min'",
    ]
    plan = load_scenario("telecom", overrides=settings).plan("slow", 1500)
    assert plan.market.message_share == 0.3
    assert plan.market.message_patience.a == 3.0
    assert plan.kinds[0, KindColumn.MESSAGE_SHARE] == 0.25
    assert plan.policy.message_agents == 3
    assert plan.policy.message_handle.a == pytest.approx(12 / 1440)


def test_messages__go_to_the_front_desk_where_nothing_is_said() -> None:
    """Without a desk of their own they take as long as calls, in one line with them."""
    policy = load_scenario("telecom", overrides=WRITING).plan("slow").policy
    assert policy.message_agents == FRONT_DESK
    assert policy.message_handle == policy.handle


def test_message_desk__may_keep_hours() -> None:
    """Its staffing may be shifts; they are paid for the time on duty."""
    shifts = "policy.slow.speed.message_agents=['Mon-Fri 09:00-17:00: 4']"
    scenario = load_scenario("telecom", overrides=[*FEW, *WRITING, shifts])
    always = "policy.slow.speed.message_agents=4"
    steady = load_scenario("telecom", overrides=[*FEW, *WRITING, always])
    plain = load_scenario("telecom", overrides=[*FEW, *WRITING])
    wages = [simulate(s, "slow").totals.wages for s in (plain, scenario, steady)]
    share = (wages[1] - wages[0]) / (wages[2] - wages[0])
    assert share == pytest.approx(40 / 168, rel=1e-9)
    desk = simulate(scenario, "slow").messages
    assert desk is not None
    assert desk.mean_wait is not None
    assert desk.mean_wait > 0.2  # over nights and weekends
    assert desk.utilisation is not None


def test_messages__work_of_is_seen_at_the_front_desk() -> None:
    """In one line, the front desk is as busy as with calls alone, or nearly so."""
    plain = simulate(load_scenario("telecom", overrides=FEW), "slow")
    mixed = simulate(load_scenario("telecom", overrides=[*FEW, *WRITING]), "slow")
    assert plain.messages is None
    assert mixed.messages is not None
    assert mixed.messages.utilisation is None
    assert mixed.messages.joined / (mixed.front.joined + mixed.messages.joined) > 0.4
    assert mixed.front.joined < 0.8 * plain.front.joined
    assert mixed.front.utilisation is not None
    assert plain.front.utilisation is not None
    assert mixed.front.utilisation > 0.95 * plain.front.utilisation
    # The service level is one of calls, in the firm's view and in truth.
    assert mixed.sums.n_at_the_door < 0.8 * plain.sums.n_at_the_door
    assert mixed.sums.n_at_the_door >= mixed.front.joined


def test_messages__that_nobody_writes_move_no_digest() -> None:
    """A scenario from before there were messages keeps its digest."""
    usual = load_scenario("telecom")
    said = ["market.message_share=0", "mistakes.1.message_share=0"]
    assert load_scenario("telecom", overrides=said).digest == usual.digest
    for setting in (*WRITING, "mistakes.1.message_share=0.1"):
        assert load_scenario("telecom", overrides=[setting]).digest != usual.digest


@pytest.mark.parametrize(
    ("setting", "rule"),
    [
        ("market.message_share=1.5", "must be in [0, 1]"),
        ("mistakes.1.message_share=-0.1", "must be in [0, 1]"),
        ("market.message_patience='-1 day'", "must be at least 0"),
        ("market.message_patiense='1 day'", "message_patience"),
        ("policy.slow.speed.message_agents=-1", "must be"),
        ("policy.slow.speed.message_agents=['Mon 09:00-17:00: 0']", "must"),
        ("policy.slow.speed.message_handle='fast'", "must be"),
    ],
)
def test_messages__bad_settings_are_refused(setting: str, rule: str) -> None:
    """Each with its rule, value and place."""
    with pytest.raises(InputError) as caught:
        load_scenario("telecom", overrides=[setting])
    assert rule in str(caught.value)


def test_message_desk__without_messages_is_warned_of() -> None:
    """Agents for messages that nobody writes are paid: allowed, with a word."""
    desk = "policy.slow.speed.message_agents=2"
    scenario = load_scenario("telecom", overrides=[desk])
    assert [w.field for w in scenario.warnings] == ["policy.slow.speed.message_agents"]
    assert load_scenario("telecom", overrides=[desk, *WRITING]).warnings == ()


def test_message_desk__of_one_policy_alone_is_shown() -> None:
    """What another policy does without is told as absent, on either side."""
    desk = "policy.{}.speed.message_agents=2"
    for owner, told in (("slow", "2"), ("empowered", "absent")):
        more = [*WRITING, desk.format(owner)]
        text = scenario_text(load_scenario("telecom", overrides=more), {}, 100)
        of_slow = text.partition("policy slow,")[2].partition("policy ")[0]
        (line,) = [x for x in of_slow.splitlines() if "message_agents" in x]
        other = "2" if told == "absent" else "absent"
        assert line.split() == ["speed.message_agents", told, "not", other]
