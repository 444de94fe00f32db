"""The scripts that draw charts, as one; kept on disk, for making them takes seconds."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import secrets
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import altair as alt
import vl_convert

from churnsim.cache import cache_folder

# What another Python is given to make the script with.
MAKER = """\
import sys
import vl_convert
script = vl_convert.javascript_bundle(sys.argv[1], vl_version=sys.argv[2])
sys.stdout.buffer.write(script.encode())
"""
ENTRY = "window.vegaEmbed=vegaEmbed;"
DIGITS = 64  # of the digest that a kept script begins with


@functools.cache
def bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script that ends no script.

    It is kept in the private folder of compiled code, under its digest.
    """
    path = _place()
    found = _kept(path)
    if found is None:
        made = _made()
        found = made.replace("</script", "<\\/script").replace("<!--", "<\\!--")
        _keep(path, found)
    return found


@contextlib.contextmanager
def bundling() -> Iterator[None]:
    """Make the scripts in another process meanwhile, where none are kept."""
    if _kept(_place()) is None:
        _maker()
    try:
        yield
    finally:
        if _maker.cache_info().currsize:  # nobody asked for them
            with _taken() as process:
                process.kill()


def vega_lite_version() -> str:
    """Return the version of Vega-Lite that charts are drawn with, such as "6.1".

    The oldest that is not older than the one charts are written in, or the newest.
    """
    wanted = _numbers(str(alt.SCHEMA_VERSION).removeprefix("v"))[:2]
    known = sorted(map(str, vl_convert.get_vegalite_versions()), key=_numbers)
    return next((v for v in known if _numbers(v) >= wanted), known[-1])


def _place() -> Path:
    """Return where the script is kept: another place for another version."""
    library = importlib.metadata.version("vl-convert-python")
    return cache_folder() / f"vega-{library}-{vega_lite_version()}.js"


@functools.cache
def _maker() -> subprocess.Popen[bytes]:
    """Return the process that makes the script and writes it, begun if it is not."""
    command = [sys.executable, "-P", "-c", MAKER, ENTRY, vega_lite_version()]
    return subprocess.Popen(  # noqa: S603 - this Python, with a text of ours
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


@contextlib.contextmanager
def _taken() -> Iterator[subprocess.Popen[bytes]]:
    """Yield the process that makes the script; it is ended with the block."""
    process = _maker()
    _maker.cache_clear()
    with process:
        yield process


def _made() -> str:
    """Return the script, made by the other process, or here if that cannot."""
    if _maker.cache_info().currsize:
        with _taken() as process:
            written, _ = process.communicate()
        if process.returncode == 0 and written:
            return written.decode()
    version = vega_lite_version()
    return str(vl_convert.javascript_bundle(ENTRY, vl_version=version))


def _kept(path: Path) -> str | None:
    """Return the script that is kept, or None where there is none or it was changed."""
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return None
    script = text[DIGITS:]
    return script if text[:DIGITS] == sha256(script.encode()).hexdigest() else None


def _keep(path: Path, script: str) -> None:
    """Keep a script; where that cannot be, it is made again the next time."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    with contextlib.suppress(OSError):
        try:
            beside.write_bytes((sha256(script.encode()).hexdigest() + script).encode())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
