"""Make the outputs shown in README.md again: every figure there has its command.

    python tools/readme_output.py            writes them
    python tools/readme_output.py --check    only tells whether one has changed

An output is the block of text that follows `<!-- output: churnsim ... -->`.
"""

import contextlib
import io
import re
import shlex
import sys
from pathlib import Path

from churnsim.cli import main as churnsim

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCK = re.compile(
    r"(<!-- output: churnsim (.*?) ?-->\n```text\n)(.*?)(```\n)", re.DOTALL
)


def refreshed(text: str) -> str:
    """Return the text with every output made again."""
    return BLOCK.sub(lambda found: found[1] + output_of(found[2]) + found[4], text)


def output_of(arguments: str) -> str:
    """Return what a command writes to standard output.

    Raises:
        RuntimeError: The command failed.
    """
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        try:
            churnsim(shlex.split(arguments))
        except SystemExit as left:
            if left.code:
                raise RuntimeError(f"churnsim {arguments}: exit {left.code}") from None
    return written.getvalue()


def main() -> None:
    """Write the README, or check it."""
    before = README.read_text(encoding="utf-8")
    after = refreshed(before)
    if "--check" not in sys.argv[1:]:
        README.write_text(after, encoding="utf-8")
    elif after != before:
        sys.exit("README.md shows other outputs than its commands make")


if __name__ == "__main__":
    main()
