"""A scenario of many sites: what it means, and what is refused."""

from pathlib import Path

import pytest

from churnsim.errors import InputError, ResourceError
from churnsim.scenario import load_scenario
from tests.scenario.examples import PURCHASE, changed

LOG = "customer_id,date,amount\na,2020-01-01,1.0\na,2020-02-01,2.0\nb,2020-01-05,3.0\n"


def test_sites__are_one_where_nothing_is_said(tmp_path: Path) -> None:
    """One site written out moves no digest; several do, and are kept when written."""
    path = tmp_path / "shop.toml"
    digests = []
    for text in (PURCHASE, f"sites = 1\n{PURCHASE}", f"sites = 64\n{PURCHASE}"):
        path.write_text(text, encoding="utf-8")
        digests.append(load_scenario(path).digest)
    assert digests[0] == digests[1] != digests[2]
    firm = load_scenario(path)
    assert firm.sites == 64
    path.write_text(firm.to_toml(), encoding="utf-8")
    assert load_scenario(path).digest == digests[2]
    assert load_scenario(firm, overrides={"sites": "1"}).digest == digests[0]


def test_sites__leave_each_site_as_it_is() -> None:
    """Customers, desks and prospects are those of each site, whatever their number."""
    one = load_scenario("telecom")
    many = load_scenario("telecom", overrides={"sites": "64"})
    assert str(many.plan("slow")) == str(one.plan("slow"))
    assert many.population == one.population


def test_plan__is_compiled_once_for_all_sites() -> None:
    """The same policy and customers give the same plan, others another one."""
    scenario = load_scenario("telecom")
    plan = scenario.plan("slow", 20_000)
    assert scenario.plan(scenario.policy("slow")) is plan
    assert scenario.plan("slow", 90_000).policy.agents > plan.policy.agents
    assert str(scenario.plan("empowered")) != str(plan)


def test_sites__go_with_no_log_of_transactions(tmp_path: Path) -> None:
    """A log tells the customers of one site; the place and the value are told."""
    (tmp_path / "log.csv").write_text(LOG, encoding="utf-8")
    path = tmp_path / "shop.toml"
    text = changed("customers", 'transactions = "log.csv"')
    path.write_text(f"sites = 2\n{text}", encoding="utf-8")
    with pytest.raises(InputError, match=r"shop\.toml:1: sites: must be 1: .*; got 2"):
        load_scenario(path)


def test_sites__too_many_for_any_machine_are_refused() -> None:
    """Occasions and money are counted over all sites."""
    with pytest.raises(ResourceError, match=r"sites: must give at most .* occasions"):
        load_scenario(
            "telecom",
            overrides={"sites": "100000", "population.customers": "100000000"},
        )
