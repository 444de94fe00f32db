"""The closed forms against every figure that is published, to the printed digit."""

import csv
import inspect
import math
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from tests.oracles import closed_forms as forms

HIGH_END = forms.Beta(0.668, 3.806)
# Rows: year, model and actual survival in percent, Fader & Hardie 2007.
RETENTION = """
1 85.069 86.9
2 74.688 74.3
3 66.982 65.3
4 60.995 59.3
5 56.187 55.1
6 52.225 51.7
7 48.894 49.1
8 46.048 46.8
9 43.582 44.5
10 41.421 42.7
11 39.510 40.9
12 37.804 39.4
"""
RESIDUALS = [
    *("5.41486", "5.90175", "6.29426", "6.62028"),
    *("6.89706", "7.13600", "7.34505", "7.52995"),
]

CDNOW = (forms.Gamma(0.243, 4.414), forms.Beta(0.793, 2.426))
CDNOW_UNROUNDED = (forms.Gamma(0.2425945, 4.4136019), forms.Beta(0.7929199, 2.4258881))
PURCHASES = [".57379", ".19940", ".08543", ".04586", ".02767", ".01797", ".01227"]

# Per minute; "-" stands for endless patience.
IMPATIENT = forms.Desk(n_servers=50, service_rate=1.0, patience_rate=0.5)
PATIENT = forms.Desk(n_servers=50, service_rate=1.0)
CALLS = 48.0

DISCOUNT = math.log(1.1)
# Columns: voiced, settled, quick; q, hazard, S(1), S(3), value, lost.
WHOLE_ENGINE = [
    (
        forms.Recovery(0.5, 0.5, 0.0),
        ".525000 .412500 .661993 .290109 2363.0877 2528.6783",
    ),
    (
        forms.Recovery(0.5, 0.95, 1.0),
        ".352250 .326125 .721715 .375921 2847.4130 2044.3530",
    ),
    (
        forms.Recovery(0.9, 0.95, 1.0),
        ".130050 .215025 .806521 .524623 3866.7869 1024.9791",
    ),
]


def as_printed(value: float, figure: str) -> bool:
    """Return whether a value rounds to the figure at the figure's own digits."""
    digits = len(figure.partition(".")[2])
    return f"{value:.{digits}f}" == f"{float(figure):.{digits}f}"


def test_as_printed__sees_the_last_digit() -> None:
    """The comparison with print fails by one unit of the last digit."""
    assert as_printed(0.0309122, ".030912")
    assert not as_printed(0.0309122, ".030913")


def test_sbg__prints_the_high_end_survival() -> None:
    """The sBG with (.668, 3.806) gives all twelve published years."""
    for row in RETENTION.split("\n")[1:-1]:
        year, model, _ = row.split()
        assert as_printed(100 * forms.renewal_survival(HIGH_END, int(year)), model)


def test_sbg__misses_the_actual_survival_most_in_year_one() -> None:
    """The largest distance from the actual base is 1.83 points, in year 1."""
    errors = {}
    for row in RETENTION.split("\n")[1:-1]:
        year, _, actual = row.split()
        model = 100 * forms.renewal_survival(HIGH_END, int(year))
        errors[year] = abs(model - float(actual))
    assert max(errors, key=lambda year: errors[year]) == "1"
    assert as_printed(errors["1"], "1.83")


def test_sbg__prints_discounted_lifetimes() -> None:
    """DEL of a new customer is 5.92260 and DERL runs from 5.41486 to 7.52995."""
    assert as_printed(forms.sbg_lifetime(HIGH_END, 0.10), "5.92260")
    for n, figure in enumerate(RESIDUALS, start=1):
        assert as_printed(forms.sbg_residual(HIGH_END, 0.10, n), figure)
    assert as_printed(forms.sbg_residual(HIGH_END, 0.10, 8), "7.530")


def test_sbg__prints_the_spread_of_discounted_lifetimes() -> None:
    """One customer's discounted lifetime has a standard deviation of 3.744."""
    n = np.arange(1, 2001)
    alive = np.array([forms.renewal_survival(HIGH_END, k) for k in range(2001)])
    value = (1 - 1.1**-n) / (1 - 1 / 1.1)
    ends = np.append(-np.diff(alive), alive[-1])
    value = np.append(value, 11.0)
    mean = ends @ value
    assert as_printed(float(mean), "5.92260")
    assert as_printed(math.sqrt(ends @ value**2 - mean**2), "3.744")


def test_bgnbd__prints_the_rounded_cdnow_figures() -> None:
    """E[X(1)], E[X(39)], P(alive at 39) and P(X(39) = x) are as published."""
    assert as_printed(forms.bgnbd_expected(*CDNOW, 1), ".053268")
    assert as_printed(forms.bgnbd_expected(*CDNOW, 39), "1.196723")
    assert as_printed(forms.bgnbd_alive(*CDNOW, 39), ".794403")
    shares = [forms.bgnbd_probability(*CDNOW, 39, x) for x in range(7)]
    assert all(map(as_printed, shares, PURCHASES))
    assert as_printed(1 - sum(shares), ".03762")


def test_bgnbd__prints_the_error_of_a_sample() -> None:
    """Three standard errors of the mean X(39) of 100,000 customers are .024.

    The standard deviation is 2.539 by two computations, though 2.55 is in print.
    """
    x = np.arange(400)
    shares = np.array([forms.bgnbd_probability(*CDNOW, 39, k) for k in range(400)])
    mean = float(shares @ x)
    deviation = math.sqrt(float(shares @ x**2) - mean**2)
    assert as_printed(mean, "1.196723")
    assert as_printed(deviation, "2.539")
    assert as_printed(3 * deviation / math.sqrt(1e5), ".024")


@pytest.mark.parametrize(("weeks", "published"), [(1, 0.0532), (32, 1.0437)])
def test_bgnbd__is_near_the_unrounded_figures(weeks: int, published: float) -> None:
    """Rounded parameters give the figures of unrounded ones within .002."""
    assert abs(forms.bgnbd_expected(*CDNOW, weeks) - published) <= 0.002


@pytest.mark.parametrize(
    ("weeks", "published"), [(1, 0.0532), (32, 1.0437), (78, 1.8576)]
)
def test_bgnbd__agrees_with_the_unrounded_figures(weeks: int, published: float) -> None:
    """Unrounded parameters give the published expectations within .002."""
    assert abs(forms.bgnbd_expected(*CDNOW_UNROUNDED, weeks) - published) <= 0.002


def test_bgnbd__prints_the_conditional_expectation() -> None:
    """Two purchases, the last in week 30.43 of 38.86, promise 1.226 more in 39."""
    for parameters in (CDNOW, CDNOW_UNROUNDED):
        more = forms.bgnbd_conditional(*parameters, (2, 30.43, 38.86), 39)
        assert as_printed(more, "1.226")


@pytest.mark.data
def test_bgnbd__prints_the_log_likelihood_of_cdnow(data_folder: Path) -> None:
    """The 39 weeks of CDNOW have log-likelihood -9582.4, largest at the parameters."""
    histories = cdnow_histories(data_folder / "cdnow_sample.txt")
    assert len(histories) == 2357

    def total(rate: forms.Gamma, dropout: forms.Beta) -> float:
        return sum(forms.bgnbd_log_likelihood(rate, dropout, h) for h in histories)

    best = total(*CDNOW_UNROUNDED)
    assert as_printed(best, "-9582.4")
    (r, alpha), (a, b) = CDNOW_UNROUNDED
    for step in (0.99, 1.01):
        assert total(forms.Gamma(r * step, alpha), forms.Beta(a, b)) < best
        assert total(forms.Gamma(r, alpha * step), forms.Beta(a, b)) < best
        assert total(forms.Gamma(r, alpha), forms.Beta(a * step, b)) < best
        assert total(forms.Gamma(r, alpha), forms.Beta(a, b * step)) < best


def cdnow_histories(path: Path) -> list[tuple[int, float, float]]:
    """Return (x, t_x, T) in weeks of each customer, up to the end of September 1997."""
    days: dict[str, set[int]] = {}
    end = datetime.strptime("19970930", "%Y%m%d").toordinal()  # noqa: DTZ007 - a date
    with path.open(newline="") as file:
        for row in csv.reader(file, delimiter=" ", skipinitialspace=True):
            day = datetime.strptime(row[2], "%Y%m%d").toordinal()  # noqa: DTZ007
            if day <= end:
                days.setdefault(row[1], set()).add(day)
    return [
        (len(seen) - 1, (max(seen) - min(seen)) / 7, (end - min(seen)) / 7)
        for seen in days.values()
    ]


def test_homogeneous__prints_the_lifetime_value() -> None:
    """1200 a year at hazard .15 and a discount of ln 1.10 are worth 4891.7660."""
    value = forms.lifetime_value(1200, 0.15, forms.Span(discount=DISCOUNT))
    assert as_printed(value, "4891.7660")


def test_erlang_a__prints_the_call_centre() -> None:
    """48 calls a minute, 50 agents, patience 2 min: all figures as published."""
    queue = forms.erlang_a(CALLS, IMPATIENT)
    assert as_printed(queue.abandon_probability, ".030912")
    assert as_printed(100 * queue.abandon_probability, "3.1")
    assert as_printed(60 * queue.wait_mean, "3.70947")
    assert as_printed(queue.wait_probability, ".467774")
    assert as_printed(queue.queue_mean, "2.96758")
    assert as_printed(queue.utilisation, ".930324")


def test_erlang_a__prints_the_ninetieth_percentile() -> None:
    """The tail .09918 printed for 12.5 s is that of .2083 min; 12.5 s has .09915."""
    queue = forms.erlang_a(CALLS, IMPATIENT)
    assert as_printed(forms.wait_survival(queue, 0.2083), ".09918")
    assert as_printed(forms.wait_survival(queue, 12.5 / 60), ".09915")
    assert (
        forms.wait_survival(queue, 12.45 / 60) < 0.1 < forms.wait_survival(queue, 0.2)
    )


def test_erlang_c__prints_the_call_centre() -> None:
    """The same desk with endless patience: all figures as published."""
    load = CALLS / PATIENT.service_rate
    assert as_printed(forms.erlang_c(load, PATIENT.n_servers), ".694456")
    wait = forms.erlang_c_wait_mean(CALLS, PATIENT)
    assert as_printed(60 * wait, "20.83367")
    assert as_printed(60 * forms.erlang_c_wait_quantile(CALLS, PATIENT, 0.9), "58.1387")
    assert as_printed(CALLS * wait, "16.6669")
    assert as_printed(forms.erlang_a(CALLS, PATIENT).utilisation, ".96")


@pytest.mark.parametrize(
    ("n_servers", "load", "figure"),
    [(1, 0.8, "4.0"), (2, 1.6, "1.77778"), (10, 8.0, ".204590")],
)
def test_erlang_c__prints_mean_waits(n_servers: int, load: float, figure: str) -> None:
    """Mean waits in M/M/1, M/M/2 and M/M/10 at utilisation .8 are as published."""
    desk = forms.Desk(n_servers, 1.0)
    assert as_printed(forms.erlang_c_wait_mean(load, desk), figure)


@pytest.mark.parametrize("kind", ["minor", "major"])
def test_tarp__every_cell_comes_back(kind: str) -> None:
    """With κ = 1 the sting and its credits reproduce the four shares who stay."""
    row = forms.TARP[kind]
    credits_ = forms.tarp_credits(kind)
    steps = np.cumsum([0.0, credits_.heard, credits_.settled, credits_.quick])
    for share, step in zip(row, steps, strict=True):
        leave = forms.leave_probability(forms.tarp_sting(kind) - step)
        assert math.isclose(1 - leave, share, rel_tol=1e-14)


def test_tarp__prints_the_steps_in_log_odds() -> None:
    """Speaking up .37/.86, settled 1.01/1.61, quickly 2.10/1.36; major 1.30 worse."""
    minor, major = forms.tarp_credits("minor"), forms.tarp_credits("major")
    assert all(map(as_printed, minor, [".37", "1.01", "2.10"]))
    assert all(map(as_printed, major, [".86", "1.61", "1.36"]))
    logits = [
        np.mean([math.log(share / (1 - share)) for share in forms.TARP[kind]])
        for kind in ("minor", "major")
    ]
    assert as_printed(float(logits[1] - logits[0]), "-1.30")
    assert math.isclose(forms.tarp_sting("minor"), math.log(0.63 / 0.37))


@pytest.mark.parametrize(("recovery", "figures"), WHOLE_ENGINE)
def test_whole_engine__prints_its_row(recovery: forms.Recovery, figures: str) -> None:
    """q, hazard, survival, value and loss of each policy are as published."""
    leave = forms.leave_per_mistake(forms.TARP["minor"], recovery)
    hazard = forms.thinned_hazard(0.15, 0.5, leave)
    life = forms.Span(discount=DISCOUNT)
    value = forms.lifetime_value(1200, hazard, life)
    row = [
        leave,
        hazard,
        forms.survival(hazard, 1),
        forms.survival(hazard, 3),
        value,
        forms.lifetime_value(1200, 0.15, life) - value,
    ]
    assert all(map(as_printed, row, figures.split()))


def test_market_damage__prints_its_cells() -> None:
    """9,875 customers and $4,937,500 are lost, in cells of 6,300/2,700/750/125."""
    damage = forms.market_damage(
        20_000, forms.TARP["minor"], forms.Recovery(0.5, 0.5, 0.5), 500
    )
    assert damage == ((6300, 2700, 750, 125), 9875, 4_937_500)


@pytest.mark.parametrize(
    ("resolved", "figure"),
    [(0.48, "2.0833"), (0.67, "1.4925"), (0.70, "1.4286"), (0.80, "1.25")],
)
def test_contacts__prints_their_means(resolved: float, figure: str) -> None:
    """Mean contacts are 1 / first-contact resolution, as published."""
    assert as_printed(forms.contact_mean(resolved), figure)


@pytest.mark.parametrize(("resolved", "outside"), [(0.67, 1.5), (0.80, 1.2)])
def test_contacts__are_near_the_survey(resolved: float, outside: float) -> None:
    """The survey's 1.5 and 1.2 contacts are met within .06."""
    assert abs(forms.contact_mean(resolved) - outside) <= 0.06


def test_closed_forms__lists_all_it_holds() -> None:
    """Every name in `__all__` is there, once, and every function cites its source."""
    assert len(set(forms.__all__)) == len(forms.__all__)
    for name in forms.__all__:
        thing = getattr(forms, name)
        if inspect.isfunction(thing):
            assert "Source:" in (thing.__doc__ or ""), name
