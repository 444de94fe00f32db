"""Targets straight from data: as from the file that `churnsim targets` writes."""

from pathlib import Path

import pytest

from churnsim.calibration.observing import targets_of, together
from churnsim.calibration.targets import read_targets
from churnsim.data import LeftOut, Observed, observed, read_events, targets_toml
from churnsim.errors import InputError
from tests.data.made import SMALL, twice, write_log


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    """Return what a small log tells."""
    path = tmp_path_factory.mktemp("log") / "log.csv"
    return observed(read_events(write_log(path, twice(SMALL))))


def test_targets_of__are_those_of_the_file(found: Observed, tmp_path: Path) -> None:
    """The same names and figures, to the six digits of the file, and all of them."""
    text = targets_toml(found.figures, "slow", "log.csv", ())
    path = tmp_path / "targets.toml"
    path.write_text(text, encoding="utf-8")
    written, told = read_targets(path), targets_of(found, "slow", "log.csv")
    assert len(told.targets) == len(found.figures) > 5
    assert told.policy == written.policy == "slow"
    for one, other in zip(told.targets, written.targets, strict=True):
        assert (one.name, one.source) == (other.name, other.source)
        assert one.value == pytest.approx(other.value, rel=1e-5)
        assert one.error == pytest.approx(other.error, rel=1e-5)


def test_together__refuses_what_contradicts_naming_both(
    found: Observed, tmp_path: Path
) -> None:
    """A file whose churn is not the log's; and one of another policy."""
    told = targets_of(found, "slow", "log.csv")
    path = tmp_path / "targets.toml"
    text = '[[targets]]\nfigure = "churn"\nvalue = "{}"\nerror = "1 %/year"\n'
    churn = next(target for target in told.targets if target.name == "churn")
    path.write_text('policy = "slow"\n' + text.format(f"{churn.value:.4g}/year"))
    both = together(read_targets(path), told)
    assert len(both.targets) == len(told.targets) + 1
    path.write_text('policy = "slow"\n' + text.format("400 %/year"))
    with pytest.raises(InputError, match="must not contradict line 2"):
        together(read_targets(path), told)
    path.write_text('policy = "empowered"\n' + text.format("40 %/year"))
    with pytest.raises(InputError, match="policy of the targets file, empowered"):
        together(read_targets(path), told)


def test_targets_of__nothing_says_why() -> None:
    """Each figure that is left out is named with its reason."""
    nothing = Observed((), (LeftOut("churn", "nobody was seen for a year"),))
    with pytest.raises(InputError, match="churn: nobody was seen for a year"):
        targets_of(nothing, "slow", "log.csv")
