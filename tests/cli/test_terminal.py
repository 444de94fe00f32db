"""Terminals and pipes: encodings, colours, progress, Ctrl-C, what readers do."""

import json
import os
import pty
import subprocess
import time
from pathlib import Path

import pytest

from churnsim.cli import console, guard
from churnsim.cli import progress as bars
from churnsim.errors import ExitCode
from churnsim.experiment import read_manifest
from churnsim.experiment.schedule import SitesDone
from tests.cli.conftest import AS_TYPED, Command, environment

# Beats often enough for a test to see how far a run has come.
SMALL = (
    "--replications",
    "2",
    "--horizon",
    "90 days",
    "--set",
    "population.customers=100",
)


def test_encoding__ascii_spells_out(typed: Command) -> None:
    """Where the encoding knows ASCII only, marks are spelled out and nothing fails."""
    answer = typed("show", "telecom", PYTHONIOENCODING="ascii")
    assert answer.code == 0
    assert answer.out.isascii()
    assert "kappa: share of stated intentions" in " ".join(answer.out.split())


@pytest.mark.compiled
def test_encoding__table_in_ascii(typed: Command) -> None:
    """The table of results can be written in ASCII too."""
    answer = typed("run", *SMALL, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert answer.code == 0
    assert answer.out.isascii()
    assert "Revenue lost against flawless" in answer.out


def test_encoding__unknown_marks_become_question_marks() -> None:
    """A mark without a spelling is shown as a question mark."""
    console.prepare_streams()
    assert "–ж".encode("ascii", console.SPELLING) == b"-?"


def on_terminal(arguments: list[str], cwd: Path) -> tuple[str, str]:
    """Return standard output and error of a command whose error is a terminal."""
    ours, theirs = pty.openpty()
    answer = cwd / "answer.txt"  # not a pipe, which would block once it is full
    with answer.open("wb") as out:
        process = subprocess.Popen(
            [*AS_TYPED, *arguments],
            cwd=cwd,
            env=environment(TERM="xterm"),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=theirs,
        )
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 4096):
            seen += part
    except OSError:  # how Linux says that the other side has closed
        pass
    os.close(ours)
    assert process.wait() == 0
    return answer.read_text(encoding="utf-8"), seen.decode()


@pytest.mark.compiled
@pytest.mark.parametrize("is_plain", [False, True])
def test_progress__bar_on_a_terminal(
    is_plain: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bar is on standard error, the answer is whole, NO_COLOR leaves no colour."""
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("NO_COLOR", "1" if is_plain else "")
    out, seen = on_terminal(["run", *SMALL, "--json"], tmp_path)
    assert json.loads(out)["replications_finished"] == 2
    assert "replications" in seen
    assert ("\x1b[3" in seen) is not is_plain


@pytest.mark.compiled
def test_progress__quick_runs_are_silent(typed: Command) -> None:
    """Without a terminal, a run of a few seconds writes the answer and nothing else."""
    answer = typed("run", *SMALL, FORCE_COLOR="1")
    assert answer.code == 0
    assert answer.err == ""
    assert "\x1b" not in answer.out


def test_progress__heartbeat_tells_what_is_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line says how far it has come; compiling does not count in what is left."""
    monkeypatch.setattr(bars, "HEARTBEAT", 0.01)
    with bars.progress() as report:
        time.sleep(0.05)
        report(1, 5)
        report(2, 5)
        time.sleep(0.3)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith("none of the replications finished yet")
    assert "2 of 5 replications, " in lines[-1]
    assert lines[-1].endswith(" a second, about 0 s left")
    assert bars._line([bars.Moment(60, 1, 9), bars.Moment(64, 3, 9)], 65.0) == (
        "65 s, 3 of 9 replications, 0.5 a second, about 12 s left"
    )
    some_failed = [bars.Moment(60, 1, 9), bars.Moment(64, 3, 9, 2)]
    assert bars._line(some_failed, 65.0, "points") == (
        "65 s, 3 of 9 points, 2 failed, 0.5 a second, about 12 s left"
    )


def test_progress__tells_the_sites_of_a_long_replication(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first one is done, and beside those that are; in which round."""
    monkeypatch.setattr(bars, "HEARTBEAT", 0.01)
    with bars.progress() as report:
        report.sites(SitesDone(17, 64, 1))
        time.sleep(0.3)
        report(1, 2)
        report.sites(SitesDone(3, 9, 2))
        time.sleep(0.3)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith(" finished yet; 17 of 64 sites of the next one")
    assert lines[-1].endswith(
        "1 of 2 replications; 3 of 9 sites of the next one, round 2"
    )


def test_progress__says_so_where_the_end_is_not_known() -> None:
    """Before the first look no time is made up that would be left."""
    line = bars._line([bars.Moment(1, 1, 0), bars.Moment(9, 7, 0)], 10.0)
    assert line == "10 s, 7 replications; how many it takes is learnt soon"
    line = bars._line([bars.Moment(1, 1, 0), bars.Moment(21, 21, 41)], 21.0)
    assert line == "21 s, 21 of 41 replications, 1 a second, about 20 s left"


def test_progress__is_quiet_in_a_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each wait for a line is twice as long, up to ten minutes; nothing is drawn."""
    monkeypatch.setattr(bars, "HEARTBEAT", 0.02)
    with bars.progress() as report:
        report(1, 9)
        time.sleep(0.5)
    lines = capsys.readouterr().err.splitlines()
    assert 2 <= len(lines) <= 5  # after .02, .06, .14, .3 s
    assert all(line.isprintable() for line in lines)
    assert bars.HEARTBEAT_MAX == 600.0


def test_pipe__a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    """When whoever reads the output stops reading, the command leaves quietly."""
    process = subprocess.Popen(
        [*AS_TYPED, "schema"],
        cwd=tmp_path,
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(30) == 0
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.compiled
@pytest.mark.parametrize("unread", ["stdout", "stderr", "both"])
def test_pipe__files_are_written_though_nobody_reads(
    unread: str, tmp_path: Path
) -> None:
    """Results and page are whole, with exit code 0, whichever reader has gone away."""
    files = ["--out", "kept", "--report", "page.html"]
    process = subprocess.Popen(
        [*AS_TYPED, "run", *SMALL, *files],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if unread == "both" else subprocess.PIPE,
    )
    pipes = {"stdout": process.stdout, "stderr": process.stderr}
    gone = pipes["stdout" if unread == "both" else unread]
    assert gone is not None
    gone.close()
    left = [pipe for pipe in pipes.values() if pipe is not None and not pipe.closed]
    texts = [pipe.read().decode() for pipe in left]
    for pipe in left:
        pipe.close()
    assert process.wait(60) == 0
    assert "</html>" in (tmp_path / "page.html").read_text("utf-8")
    assert len(read_manifest(tmp_path / "kept").replications) == 2
    expected = {"stdout": ["report written"], "stderr": ["Revenue"], "both": []}
    for text, words in zip(texts, expected[unread], strict=True):
        assert words in text
        assert "Traceback" not in text


def broken() -> int:
    """Fail as no command should."""
    raise ZeroDivisionError("one and\na half")


def test_guard__a_bug_is_one_line_and_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What nobody foresaw is one line, and its details are in a file."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv(guard.DEBUG_VARIABLE, raising=False)
    assert guard.guarded(broken) == ExitCode.BUG
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "this is a bug in churnsim: ZeroDivisionError: one and a half"
    )
    (kept,) = tmp_path.iterdir()
    assert line.endswith(str(kept))
    assert "in broken" in kept.read_text(encoding="utf-8")


def test_guard__debug_shows_the_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With CHURNSIM_DEBUG set, the traceback is shown."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv(guard.DEBUG_VARIABLE, "1")
    assert guard.guarded(broken) == ExitCode.BUG
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), ExitCode.RESOURCES),
        (OSError(28, "No space left on device"), ExitCode.STORAGE),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
    ],
)
def test_guard__tells_what_the_system_refuses(
    error: BaseException, code: ExitCode, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lack of memory, a full disk and Ctrl-C are one line each, with their code."""

    def command() -> int:
        raise error

    assert guard.guarded(command) == code
    assert len(capsys.readouterr().err.splitlines()) == 1
