"""Files of targets: what is read, what is refused, and which contradict each other."""

import math
from pathlib import Path

import pytest

from churnsim.calibration import read_targets
from churnsim.calibration.targets import counted_error
from churnsim.errors import InputError


def read(folder: Path, *targets: str, policy: str = 'policy = "slow"') -> str:
    """Return what is said of some targets; "" where nothing is wrong."""
    path = folder / "targets.toml"
    tables = "\n".join(f"[[targets]]\n{target}" for target in targets)
    path.write_text(f"{policy}\n{tables}\n", encoding="utf-8")
    try:
        read_targets(path)
    except InputError as error:
        return str(error)
    return ""


CHURN = 'figure = "churn"\nvalue = "9.9 %/year"\nerror = "0.3 %/year"'
WAIT = 'figure = "wait"\nvalue = "40 s"\nerror = "4 s"'


def test_targets__are_read_in_their_units(tmp_path: Path) -> None:
    """Rates are a year's, times days, shares shares; errors follow from counts."""
    path = tmp_path / "targets.toml"
    path.write_text(
        'policy = "slow"\n[[targets]]\nfigure = "churn"\nvalue = "0.825 %/month"\n'
        'error = "0.03 %/month"\nsource = "orders of 2025"\n'
        '[[targets]]\nfigure = "wait"\nvalue = "86.4 s"\nerror = "8.64 s"\n'
        '[[targets]]\nfigure = "repurchase"\noutcome = "silent"\nvalue = 0.37\n'
        "of = 400\n",
        encoding="utf-8",
    )
    found = read_targets(path)
    churn, wait, silent = found.targets
    assert found.policy == "slow"
    assert (churn.value, churn.error) == pytest.approx((0.099, 0.0036))
    assert (wait.value, wait.error) == pytest.approx((0.001, 0.0001))
    assert (silent.name, silent.title) == ("repurchase.silent", "repurchase (silent)")
    assert silent.error == pytest.approx(math.sqrt(0.37 * 0.63 / 400), rel=0.01)
    assert churn.source == "orders of 2025"


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_targets__none_and_all_have_an_error(value: float) -> None:
    """Where nobody or everybody did, the error of a count is small but not nothing."""
    error = counted_error(value, 100, is_share=True)
    assert 0.005 < error < 0.01
    assert counted_error(0.0, 100, is_share=False) == pytest.approx(error, rel=0.01)


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ('figure = "chrun"\nvalue = 1\nof = 9', "did you mean 'churn'?"),
        ('figure = "churn"\nvalue = 0.1\nof = 9', 'such as "9.9 %/year"'),
        ('figure = "wait"\nvalue = "3 %"\nerror = "1 s"', "must be a duration"),
        ('figure = "wait"\nvalue = "3 s"\nof = 100', "give its standard error"),
        ('figure = "churn"\nvalue = "9 %/year"', "exactly one of error and of"),
        (f"{CHURN}\nof = 100", "exactly one of error and of"),
        (CHURN.replace("0.3", "0"), "must be above 0"),
        (CHURN.replace("9.9", "-1"), "must be at least 0 %/year"),
        ('figure = "abandonment"\nvalue = 1.2\nof = 9', "at most 100 %"),
        ('figure = "repeat_contacts"\nvalue = 0.5\nof = 9', "must be at least 1"),
        ('figure = "repurchase"\nvalue = 0.5\nof = 9', "one of silent, unresolved"),
        (f'{CHURN}\noutcome = "silent"', "only repurchase has outcomes"),
        (f"{CHURN}\nvalu = 3", "did you mean 'value'?"),
        ('figure = "abandonment"\nvalue = 0.0\nerror = 0', "such as of = 2000"),
        ('figure = "abandonment"\nvalue = 1.0\nerror = 0.0', "such as of = 2000"),
        ('figure = "abandonment"\nvalue = true\nof = 9', "must be a share"),
    ],
)
def test_targets__refuses_what_cannot_be(
    target: str, told: str, tmp_path: Path
) -> None:
    """Each is refused with its rule, its line and its cure."""
    said = read(tmp_path, target)
    assert told in said
    assert "targets.toml:" in said


def test_targets__needs_a_policy_and_a_target(tmp_path: Path) -> None:
    """Without either there is nothing to fit to."""
    assert "at least one target" in read(tmp_path)
    assert "policy: is required" in read(tmp_path, CHURN, policy="")


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        ((CHURN, CHURN.replace("9.9", "15")), "churn cannot be both 9.9 %/year and"),
        (
            (
                CHURN,
                'figure = "churn_after_complaint"\nvalue = "60 %"\nof = 500',
                'figure = "complaint_rate"\nvalue = "2 %/year"\nof = 9000',
            ),
            "must not contradict churn (line 2) and complaint_rate (line 10)",
        ),
        (
            (
                'figure = "first_contact_resolution"\nvalue = 1.0\nof = 100',
                'figure = "repeat_contacts"\nvalue = 1.8\nerror = 0.05',
            ),
            "must not contradict first_contact_resolution (line 2)",
        ),
    ],
)
def test_targets__names_those_that_contradict_each_other(
    targets: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    """Targets that no firm could have are refused, each with the other's line."""
    assert told in read(tmp_path, *targets)


def test_targets__may_be_observed_twice(tmp_path: Path) -> None:
    """Two observations of one figure that agree are both taken."""
    assert read(tmp_path, CHURN, CHURN.replace("9.9", "10.2"), WAIT) == ""
