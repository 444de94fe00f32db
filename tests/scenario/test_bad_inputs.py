"""What a scenario file may get wrong, and the answer its author gets."""

import time
from pathlib import Path

import pytest

from churnsim.errors import ChurnsimError, ExitCode, InputError, ResourceError
from churnsim.records import N_KIND_COLUMNS
from churnsim.scenario import load_scenario
from tests.scenario.examples import PURCHASE, changed, line_of

# (what stood there, what stands there now, field, words of the answer)
REFUSED = {
    "nan": ("value", "value = nan", "market.value", "must be an amount"),
    "nan number": ("sting", "sting = nan", "mistakes[1].sting", "must be finite"),
    "inf number": ("heard", "heard = inf", "mistakes[1].heard", "must be finite"),
    "inf rate": ("rate", 'rate = "inf/year"', "market.rate", "must be a rate"),
    "1e400": ("heard", "heard = 1e400", "mistakes[1].heard", "too large to represent"),
    "1e400 rate": ("rate", 'rate = "1e400/day"', "market.rate", "too large to rep"),
    "long number": ("rate", f'rate = "{"9" * 50}/day"', "market.rate", "40 digits"),
    "huge integer": (
        "heard",
        f"heard = {'9' * 400}",
        "mistakes[1].heard",
        "too large to represent",
    ),
    "probability above 1": (
        "probability",
        "probability = 1.0000001",
        "mistakes[1].probability",
        "must be in [0, 1]",
    ),
    "probability below 0": (
        "probability",
        "probability = -0.1",
        "mistakes[1].probability",
        "must be in [0, 1]",
    ),
    "percentage above 1": ("margin", 'margin = "120 %"', "costs.margin", "in [0, 1]"),
    "negative customers": (
        "customers",
        "customers = -5",
        "population.customers",
        "must be at least 0; got -5",
    ),
    "boolean customers": (
        "customers",
        "customers = true",
        "population.customers",
        "must be a whole number; got true",
    ),
    "half a customer": (
        "customers",
        "customers = 10.5",
        "population.customers",
        "must be a whole number; got 10.5",
    ),
    "text customers": (
        "customers",
        'customers = "many"',
        "population.customers",
        'must be a whole number; got "many"',
    ),
    "negative horizon": ("horizon", 'horizon = "-1 day"', "horizon", "at least 0 s"),
    "endless horizon": ("horizon", 'horizon = "inf"', "horizon", "must be a duration"),
    "bare inf horizon": ("horizon", "horizon = inf", "horizon", "must be a duration"),
    "bare number": ("horizon", "horizon = 730", "horizon", "s, min, h, days, weeks"),
    "unknown unit": ("horizon", 'horizon = "2 yaers"', "horizon", "must be a duration"),
    "date": ("horizon", "horizon = 2026-01-01", "horizon", "must be a duration"),
    "no replications": ("seed", "replications = 0", "replications", "must be in [1,"),
    "no sites": ("seed", "sites = 0", "sites", "must be in [1, 100000]"),
    "too many sites": ("seed", "sites = 100001", "sites", "must be in [1, 100000]"),
    "half a site": ("seed", "sites = 1.5", "sites", "must be a whole number"),
    "negative seed": ("seed", "seed = -1", "seed", "must be in [0, "),
    "seed of 200 bits": ("seed", f"seed = {2**200}", "seed", "must be in [0, "),
    "half a seed": ("seed", "seed = 1.5", "seed", "must be a whole number"),
    "unknown key": (
        "rate",
        'rte = "12/year"',
        "market.rte",
        "unknown key; did you mean 'rate'?",
    ),
    "unknown key at the top": (
        "title",
        'horzion = "1 year"',
        "horzion",
        "unknown key; did you mean 'horizon'?",
    ),
    "unknown key of a law": (
        "stake",
        'stake = { law = "lognormal", mean = "$20", cw = 1.0 }',
        "mistakes[1].stake.cw",
        "unknown key; did you mean 'cv'?",
    ),
    "law lacks its cv": (
        "stake",
        'stake = { law = "lognormal", mean = "$20" }',
        "mistakes[1].stake.cv",
        "is required",
    ),
    "unknown law": (
        "stake",
        'stake = { law = "lognromal", mean = "$20", cv = 1.0 }',
        "mistakes[1].stake.law",
        "did you mean 'lognormal'?",
    ),
    "no law": (
        "stake",
        'stake = { mean = "$20" }',
        "mistakes[1].stake",
        "must name its law",
    ),
    "law of another trait": (
        "rate",
        "rate = { law = 'beta', a = 1.0, b = 2.0 }",
        "market.rate.law",
        "must be one of constant, gamma",
    ),
    "bounds out of order": (
        "stake",
        "stake = { law = 'uniform', low = '$5', high = '$1' }",
        "mistakes[1].stake",
        "low must not be above high",
    ),
    "no mean of gamma-gamma": (
        "value",
        "value = { law = 'gamma_gamma', p = 6.0, q = 1.0, v = '$15' }",
        "market.value.q",
        "must be above 1",
    ),
    "duplicate key": ("seed", "seed = 1\nseed = 2", "", "a key is given twice"),
    "table twice": ("[costs]", "[market]\nmargin = 1", "", "Cannot declare"),
    "no TOML": ("seed", "seed = = 7", "", "must be valid TOML"),
    "expression": (
        "heard",
        "heard = \"__import__('os').system('x')\"",
        "mistakes[1].heard",
        "must be a number",
    ),
    "power": ("heard", 'heard = "9**9**9"', "mistakes[1].heard", "must be a number"),
    "no policy": ("policies", "policies = []", "policies", "must have at least 1"),
    "policies too large": ("policies", "policies = 1e400", "policies", "be an array"),
    "policies as text": ("policies", 'policies = "slow"', "policies", "be an array"),
    "unknown policy": (
        "policies",
        'policies = ["empowered", "slwo"]',
        "policies[2]",
        "did you mean 'slow'?",
    ),
    "policy twice": (
        "policies",
        'policies = ["slow", "slow"]',
        "policies[2]",
        "must not be named twice",
    ),
    "baseline elsewhere": (
        "seed",
        'baseline = "dishonest"',
        "baseline",
        "must be one of policies",
    ),
    "empty policy name": (
        "policies",
        'policies = ["slow", ""]',
        "policies[2]",
        "must be a ready policy",
    ),
    "policy name with a line break": (
        "policies",
        'policies = ["a\\nb"]',
        "policies[1]",
        "no line breaks",
    ),
    "name with a line break": (
        "name",
        'name = "late\\nparcel"',
        "mistakes[1].name",
        "no line breaks or control characters; got",
    ),
    "name with outer blanks": (
        "name",
        'name = "late "',
        "mistakes[1].name",
        "must have no blanks at its ends",
    ),
    "unknown relationship": (
        "relationship",
        'relationship = "subscribtion"',
        "market.relationship",
        "did you mean 'subscription'?",
    ),
    "period of a purchase": (
        "value",
        'value = "$35"\nperiod = "1 month"',
        "market.period",
        "must be absent",
    ),
    "exit of a purchase": (
        "value",
        'value = "$35"\nexit = "at_renewal"',
        "market.exit",
        "must be absent",
    ),
    "renewals of a purchase": (
        "customers",
        "customers = 100\nstarting_tenure = 4",
        "population.starting_tenure",
        "must be a time",
    ),
    "history without stationary": (
        "customers",
        'customers = 100\nhistory = "10 years"',
        "population.history",
        'must be absent unless starting_tenure = "stationary"',
    ),
    "negative rate": ("rate", 'rate = "-2/day"', "market.rate", "must be at least 0/y"),
    "other currency": (
        "value",
        'value = "€35"',
        "market.value",
        'must be an amount such as "$50"; got "€35"',
    ),
    "no currency": ("value", 'value = "35"', "market.value", "must be an amount"),
    "negative amount": (
        "value",
        'value = "-$35"',
        "market.value",
        "must be in [$0, $1000000000]",
    ),
    "currency of digits": ("title", 'currency = "12"', "currency", "must be a symbol"),
    "pay without time": (
        "agent_pay",
        'agent_pay = "$26.77"',
        "costs.agent_pay",
        "must be an amount per time",
    ),
    "table as number": ("[popul", "population = 3\n[x]", "population", "be a table"),
    "mistakes twice": (
        "[costs]",
        PURCHASE[PURCHASE.index("[[m") : PURCHASE.index("[costs]")] + "[costs]",
        "mistakes[2].name",
        "must not be named twice",
    ),
    "tiny cv": (
        "stake",
        'stake = { law = "lognormal", mean = "$20", cv = 1e-9 }',
        "mistakes[1].stake.cv",
        "must be in [0.0001, 100]",
    ),
    "title as number": ("title", "title = 3", "title", "must be a text in quotes"),
    "contacts per nothing": (
        "value",
        'value = "$3"\nordinary_contacts = "3"',
        "market.ordinary_contacts",
        'such as "3/year", or "0.5/occasion"',
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input__is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    """Each wrong value is answered with file, line, field and rule, in under 1 s."""
    old, new, field, words = REFUSED[case]
    text = changed(old, new)
    path = tmp_path / "shop.toml"
    path.write_text(text, encoding="utf-8")
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    assert time.process_time() - start < 1
    assert caught.value.exit_code == ExitCode.INPUT
    found = [p for p in caught.value.problems if p.field == field and words in str(p)]
    assert found, str(caught.value)
    first = line_of(new, text)
    assert found[0].line in range(first, first + new.count("\n") + 1)
    assert str(found[0]).startswith(f"{path}:{found[0].line}: ")
    assert "\n" not in str(found[0])


# (what is appended to the scenario, where in it, field, words of the answer)
APPENDED = {
    "shares of honesty": (
        "[policy.slow.honesty]\ntruth = 0.9",
        "[policy.slow",
        "policy.slow.honesty",
        "must sum to 1; they sum to 0.9",
    ),
    "mistakes multiplied above 1": (
        "[policy.slow.prevention]\nmistakes = 21",
        "mistakes = 21",
        "policy.slow.prevention.mistakes",
        "must be at most 20: ",
    ),
    "misspelt policy": (
        "[policy.slwo.speed]\nagents = 2",
        "[policy.slwo",
        "policy.slwo",
        "did you mean 'slow'?",
    ),
    "misspelt lever": (
        "[policy.slow.sped]\nagents = 2",
        "[policy.slow",
        "policy.slow.sped",
        "unknown key; did you mean 'speed'?",
    ),
    "misspelt default": (
        "[policy_defaults.speed]\nagnets = 2",
        "agnets",
        "policy_defaults.speed.agnets",
        "unknown key; did you mean 'agents'?",
    ),
    "half an agent": (
        "[policy.slow.speed]\nagents = 0.5",
        "agents",
        "policy.slow.speed.agents",
        "must be a whole number; got 0.5",
    ),
    "true agents": (
        "[policy.slow.speed]\nagents = true",
        "agents",
        "policy.slow.speed.agents",
        "must be a whole number, or a text such as",
    ),
    "agents per 500": (
        '[policy.slow.speed]\nagents = "1 per 500"',
        "agents",
        "policy.slow.speed.agents",
        '"0.6 per 1000"',
    ),
    "apology as number": (
        "[policy.slow.accountability]\napology = 1",
        "apology",
        "policy.slow.accountability.apology",
        "must be true or false",
    ),
    "compensation above 1.5": (
        "[policy.slow.make_good]\ncompensation = 2",
        "compensation",
        "policy.slow.make_good.compensation",
        "must be in [0, 1.5]; got 2",
    ),
    "hoop without a probability": (
        '[policy.slow.reach]\nhoops = [{ time = "5 s" }]',
        "hoops",
        "policy.slow.reach.hoops[1].give_up",
        "is required",
    ),
    "too many hoops": (
        "[policy.slow.reach]\nhoops = [" + "{ time = '5 s', give_up = 0 }," * 129 + "]",
        "hoops",
        "policy.slow.reach.hoops",
        "must have at most 128 items",
    ),
    "extends nothing known": (
        '[policy.slow]\nextends = "empwered"',
        "extends",
        "policy.slow.extends",
        "did you mean 'empowered'?",
    ),
    "extends a number": (
        "[policy.slow]\nextends = 3",
        "extends",
        "policy.slow.extends",
        "must be a name or a path",
    ),
    "policy as number": ("[policy]\nslow = 3", "slow = 3", "policy.slow", "be a table"),
    "defaults of no lever": (
        "[policy_defaults]\nextends = 'slow'",
        "extends",
        "policy_defaults.extends",
        "unknown key",
    ),
    "loop that nobody runs": (
        '[policy.a]\nextends = "b"\n[policy.b]\nextends = "a"',
        'extends = "a"',
        "policy.b.extends",
        "must not lead back to itself: a -> b -> a",
    ),
    "new policy that lacks all": (
        "[policy.mine.speed]\nagents = 3",
        "[policy.mine",
        "policy.mine",
        "must be one of `policies`",
    ),
}


@pytest.mark.parametrize("case", APPENDED)
def test_bad_policy__is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    """Each wrong setting of a policy is answered with file, line, field and rule."""
    new, mark, field, words = APPENDED[case]
    text = PURCHASE + new
    path = tmp_path / "shop.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    found = [p for p in caught.value.problems if p.field == field and words in str(p)]
    assert found, str(caught.value)
    assert found[0].line == len(PURCHASE.splitlines()) + line_of(mark, new)


# (what stood there, what stands there now, field, words of the answer)
TOO_MUCH = {
    "2^63 customers": (
        "customers",
        "customers = 9223372036854775808",
        "population.customers",
        "must be at most 4,000,000,000; got 9223372036854775808",
    ),
    "10^400 customers": (
        "customers",
        f"customers = 1{'0' * 400}",
        "population.customers",
        "must be at most 4,000,000,000",
    ),
    "prospects": (
        "customers",
        'customers = 1\nprospects = "1e9/h"',
        "population.prospects",
        "must bring at most 4,000,000,000 people",
    ),
    "events": ("rate", 'rate = "1e308/day"', "market.rate", "must give at most 1e+13"),
    "horizon": ("horizon", 'horizon = "1e308 days"', "horizon", "at most 10,000 years"),
    "money": (
        "value",
        'value = "$900000000"\nspend_cap = 1e6',
        "market.value",
        "must give at most 1.2e+12 of revenue in all",
    ),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_too_much__is_refused_for_resources(case: str, tmp_path: Path) -> None:
    """What no machine could do or count is refused before anything is allocated."""
    old, new, field, words = TOO_MUCH[case]
    path = tmp_path / "shop.toml"
    path.write_text(changed(old, new), encoding="utf-8")
    with pytest.raises(ResourceError, match=r".") as caught:
        load_scenario(path)
    assert caught.value.exit_code == ExitCode.RESOURCES
    (problem,) = caught.value.problems
    assert problem.field == field
    assert words in str(problem)


ACCEPTED = {
    "nobody": ("customers", "customers = 0"),
    "no time": ("horizon", 'horizon = "0 s"'),
    "no occasions": ("rate", 'rate = "0/year"'),
    "no mistakes": ("probability", "probability = 0"),
    "nothing but mistakes": ("probability", "probability = 1"),
    "one replication": ("seed", "replications = 1"),
    "largest seed": ("seed", f"seed = {2**64 - 1}"),
    "customers in scientific notation": ("customers", "customers = 1e3"),
    "a group in an amount": ("value", 'value = "$1,234.50"'),
    "whatever the currency is": ("value", 'value = "¤35"'),
    "another currency": ("title", 'currency = "$"'),
    "a share as text": ("heard", "at_fault = '5 %'\nheard = 1"),
    "an endless memory": ("value", "value = '$3'\nmemory = 'inf'"),
    "a bare endless memory": ("value", "value = '$3'\nmemory = inf"),
    "no decay": ("tau", "tau = inf"),
    "Windows lines": ("title", "title = 'x'\r"),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_edge__is_accepted(case: str, tmp_path: Path) -> None:
    """Zeros, ones, the largest and other spellings are no mistakes."""
    path = tmp_path / "shop.toml"
    path.write_bytes(changed(*ACCEPTED[case]).encode())
    scenario = load_scenario(path)
    assert scenario.plan("slow").n_months >= 1
    assert load_scenario(path).spec.policies == ("empowered", "slow", "flawless")


def test_rate_of_zero__is_warned_about(tmp_path: Path) -> None:
    """A rate of 0 is allowed, with a warning at its line."""
    path = tmp_path / "shop.toml"
    path.write_text(changed("rate", 'rate = "0/year"'), encoding="utf-8")
    (warning,) = load_scenario(path).warnings
    assert warning.field == "market.rate"
    assert warning.line == line_of("rate", PURCHASE)
    assert "nobody buys again" in str(warning)


def test_rate_of_zero__of_a_subscription_still_brings_fees() -> None:
    """Subscribers pay without occasions, and contacts may still go unanswered."""
    (warning,) = load_scenario("telecom", overrides=["market.rate=0/year"]).warnings
    assert "fees are paid, and there is no occasion" in str(warning)


def test_mistakes__may_be_absent(tmp_path: Path) -> None:
    """A market without mistakes compiles to an empty table of kinds."""
    start, end = PURCHASE.index("[[mistakes]]"), PURCHASE.index("[costs]")
    path = tmp_path / "shop.toml"
    path.write_text(PURCHASE[:start] + PURCHASE[end:], encoding="utf-8")
    plan = load_scenario(path).plan("empowered")
    assert plan.kinds.shape == (0, N_KIND_COLUMNS)
    assert plan.market.mistake_probability == 0
    assert plan.policy.leakage == 0


def test_probabilities__may_sum_to_one_but_for_rounding(tmp_path: Path) -> None:
    """Ten times 0.1 counts as 1, and the last kind takes the rest."""
    start, end = PURCHASE.index("[[mistakes]]"), PURCHASE.index("[costs]")
    kind = changed("probability", "probability = 0.1", PURCHASE[start:end])
    kinds = [changed("name", f'name = "kind {i}"', kind) for i in range(10)]
    path = tmp_path / "shop.toml"
    text = PURCHASE[:start] + "".join(kinds) + PURCHASE[end:]
    path.write_text(text, encoding="utf-8")
    plan = load_scenario(path).plan("empowered")
    assert plan.market.mistake_probability <= 1.0
    assert plan.kinds[-1, 0] == 1.0
    path.write_text(text.replace("0.1\n", "0.11\n", 1), encoding="utf-8")
    with pytest.raises(InputError, match=r"sum to at most 1; they sum to 1\.01"):
        load_scenario(path)


def test_required_keys__are_listed(tmp_path: Path) -> None:
    """An empty file, or one of comments only, is told all that it must hold."""
    path = tmp_path / "shop.toml"
    for text in ("", "# nothing yet\n"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError) as caught:
            load_scenario(path)
        assert [str(problem) for problem in caught.value.problems] == [
            f"{path}:1: {name}: is required"
            for name in ("horizon", "policies", "population", "market", "costs")
        ]


def test_customers__are_required_without_a_log(tmp_path: Path) -> None:
    """Where neither customers nor transactions stand, the table is named."""
    path = tmp_path / "shop.toml"
    path.write_text(changed("customers", 'prospects = "5/year"'), encoding="utf-8")
    with pytest.raises(InputError, match=r":6: population\.customers: is required, un"):
        load_scenario(path)


def test_all_errors__are_told_at_once(tmp_path: Path) -> None:
    """Wrong values, misspelt keys and conflicts come out together, in file order."""
    text = changed("horizon", "horizon = 3")
    text = changed("customers", "customers = -1", text)
    text = changed("rate", 'rte = "1/day"', text)
    text = changed("value", 'value = "35"\nperiod = "1 month"', text)
    text = changed("margin", "margin = 2", text)
    path = tmp_path / "shop.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    fields = [problem.field for problem in caught.value.problems]
    assert sorted(fields) == sorted(
        [
            "horizon",
            "population.customers",
            "market.rte",
            "market.rate",
            "market.value",
            "market.period",
            "costs.margin",
        ]
    )
    lines = [problem.line or 0 for problem in caught.value.problems]
    assert lines == sorted(lines)
    assert str(caught.value).count("\n") == len(fields) - 1


def test_clock__must_resolve_the_shortest_duration(tmp_path: Path) -> None:
    """A horizon whose last step is coarse against the shortest duration is refused."""
    path = tmp_path / "shop.toml"
    quick = '[policy.slow.speed]\nhandle = "0.2 s"\n'
    path.write_text(PURCHASE + quick, encoding="utf-8")
    load_scenario(path)
    text = changed("horizon", 'horizon = "5000 years"') + quick
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"clock .* policy\.slow\.speed\.handle"):
        load_scenario(path)


def test_seed__is_drawn_where_absent(tmp_path: Path) -> None:
    """A scenario without a seed gets one, another one each time, and it is kept."""
    path = tmp_path / "shop.toml"
    path.write_text(changed("seed", ""), encoding="utf-8")
    first, second = load_scenario(path), load_scenario(path)
    assert first.seed != second.seed
    path.write_text(first.to_toml(), encoding="utf-8")
    assert load_scenario(path).seed == first.seed


def test_fields__hold_no_terminal_codes(tmp_path: Path) -> None:
    """What a terminal would obey is spelled out in messages."""
    path = tmp_path / "shop.toml"
    path.write_text('"\\u001b[31mred" = "\\u001b[2J"\n' + PURCHASE, encoding="utf-8")
    with pytest.raises(ChurnsimError) as caught:
        load_scenario(path)
    assert "\x1b" not in str(caught.value)
    assert r"\x1b[31mred: unknown key" in str(caught.value)
