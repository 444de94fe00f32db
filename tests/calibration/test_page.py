"""docs/calibration.md: its commands are run, and tell what the page says they tell."""

import re
import shlex
from pathlib import Path

import pytest

from churnsim.calibration.documents import CalibrationDocument
from churnsim.calibration.figures import NAMES
from churnsim.cli.calibrate import calibrate_command

PAGE = Path(__file__).resolve().parents[2] / "docs" / "calibration.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.compiled
def test_page__commands_tell_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One target names two parameters that it cannot tell apart; two determine both."""
    monkeypatch.chdir(tmp_path)
    first, second = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    Path("targets.toml").write_text(first, encoding="utf-8")
    Path("more.toml").write_text(f"{first}\n{second}", encoding="utf-8")
    commands = re.findall(r"(?m)^    churnsim calibrate (.* --targets .*)$", TEXT)
    said = re.findall(r"(?m)^> (.*)$", TEXT)
    for command, told in zip(commands, said, strict=True):
        calibrate_command.main(shlex.split(command), standalone_mode=False)
        assert told in " ".join(capsys.readouterr().out.split())


def test_page__names_every_figure_and_key() -> None:
    """The tables have each figure of targets, and each key of the document."""
    assert all(f"| `{name}` |" in TEXT for name in NAMES)
    keys = TEXT.partition("## The JSON document")[2]
    assert all(f"`{key}`" in keys for key in CalibrationDocument.__annotations__)
