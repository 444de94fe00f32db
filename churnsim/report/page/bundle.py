"""The scripts that draw charts, as one; kept on disk, for making them takes seconds."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import secrets
from hashlib import sha256
from pathlib import Path

import altair as alt
import vl_convert

from churnsim.jit import cache_folder

ENTRY = "window.vegaEmbed=vegaEmbed;"
DIGITS = 64  # of the digest that a kept script begins with


@functools.cache
def bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script that ends no script.

    It is kept in the private folder of compiled code, under its digest.
    """
    version = vega_lite_version()
    library = importlib.metadata.version("vl-convert-python")
    path = cache_folder() / f"vega-{library}-{version}.js"
    found = _kept(path)
    if found is None:
        made = str(vl_convert.javascript_bundle(ENTRY, vl_version=version))
        found = made.replace("</script", "<\\/script").replace("<!--", "<\\!--")
        _keep(path, found)
    return found


def vega_lite_version() -> str:
    """Return the version of Vega-Lite that charts are drawn with, such as "6.1".

    The oldest that is not older than the one charts are written in, or the newest.
    """
    wanted = _numbers(str(alt.SCHEMA_VERSION).removeprefix("v"))[:2]
    known = sorted(map(str, vl_convert.get_vegalite_versions()), key=_numbers)
    return next((v for v in known if _numbers(v) >= wanted), known[-1])


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
