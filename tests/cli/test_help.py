"""Help, version, commands that do not exist, and how fast all that answers."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from churnsim._version import __version__
from churnsim.cli import churnsim as group
from churnsim.data import LAYOUTS as DATA_LAYOUTS
from churnsim.errors import ExitCode
from churnsim.experiment.losses import MEASURES
from churnsim.fit import DATE_FORMATS, LAYOUTS
from churnsim.simulation import ENGINES
from tests.cli.conftest import AS_TYPED, Command, environment

HELP_SECONDS = 0.3
HEAVY = (
    "altair",
    "jinja2",
    "numba",
    "numpy",
    "pyarrow",
    "pydantic",
    "rich",
    "scipy",
    "simpy",
)


def test_help__answers_at_once(tmp_path: Path) -> None:
    """`churnsim --help` takes less than 0.3 s of computing, interpreter and all."""
    times = []
    for _ in range(10):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [*AS_TYPED, "--help"],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        times.append(used)
        if used < HELP_SECONDS:
            break
    # The fastest: what else the machine does can only add to it.
    assert min(times) < HELP_SECONDS


def test_help__loads_nothing_heavy(tmp_path: Path) -> None:
    """No command's help loads a library that computes; the first that does is told."""
    code = (
        "import sys\n"
        "from churnsim.cli import main\n"
        f"for command in {['', *group.commands]!r}:\n"
        "    try:\n"
        "        main([*command.split(), '--help'])\n"
        "    except SystemExit as left:\n"
        f"        found = set({HEAVY!r}) & set(sys.modules)\n"
        "        print(command or 'churnsim', left.code, *found, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    told = done.stderr.splitlines()
    assert told == [f"{command} 0" for command in ("churnsim", *group.commands)]


def test_help__names_every_exit_code(churnsim: Command) -> None:
    """The help lists each code that a command can end with."""
    answer = churnsim("--help")
    assert answer.code == 0
    words = set(answer.out.partition("Exit codes:")[2].split())
    assert {str(int(code)) for code in ExitCode} <= words


def test_help__lists_every_command(churnsim: Command) -> None:
    """Each command is listed with a line of its own."""
    listed = churnsim("--help").out.partition("Commands:")[2]
    lines = {line.split()[0]: line for line in listed.splitlines() if line.split()}
    for name, command in group.commands.items():
        assert command.short_help is not None
        assert command.short_help in lines[name]


def test_version__is_the_packages(churnsim: Command) -> None:
    """`--version` tells the version of the package."""
    answer = churnsim("--version")
    assert answer.code == 0
    assert __version__ in answer.out


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["rnu"]])
def test_module__is_the_command(arguments: list[str], tmp_path: Path) -> None:
    """`python -m churnsim` answers what `churnsim` does, its name and code as well."""
    answers = [
        subprocess.run(
            [*words, *arguments],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            check=False,
        )
        for words in (AS_TYPED, [sys.executable, "-m", "churnsim"])
    ]
    assert len({(a.returncode, a.stdout, a.stderr) for a in answers}) == 1


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (("rnu",), "did you mean 'run'?"),
        (("lsit",), "did you mean 'list'?"),
        (("xyzzy",), "try run, explain"),
        (("run", "--sede", "1"), "--seed"),
        (("run", "telcom"), "did you mean 'telecom'?"),
        (("show", "slwo"), "did you mean 'slow'?"),
    ],
)
def test_suggestions__name_what_was_meant(
    arguments: tuple[str, ...], near: str, churnsim: Command
) -> None:
    """A command, option or name spelled wrong is refused with the right one."""
    answer = churnsim(*arguments)
    assert answer.code == ExitCode.INPUT
    assert near in answer.err
    assert answer.out == ""


@pytest.mark.parametrize(
    ("command", "option", "known"),
    [
        ("run", "engine", ENGINES),
        ("explain", "measure", MEASURES),
        ("fit", "layout", LAYOUTS),
        ("fit", "date_format", DATE_FORMATS),
        ("targets", "layout", DATA_LAYOUTS),
        ("targets", "date_format", DATE_FORMATS),
    ],
)
def test_choices__are_those_of_the_code(
    command: str, option: str, known: tuple[str, ...]
) -> None:
    """What the help offers, written out to keep it fast, is what the code knows."""
    (found,) = (p for p in group.commands[command].params if p.name == option)
    assert set(getattr(found.type, "choices", ())) == set(known)
