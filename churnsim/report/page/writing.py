"""Writing pages and charts: whole or not at all."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnsim.errors import InputError, Problem, StorageError

if TYPE_CHECKING:
    from churnsim.report.page.blocks import Chart

LIBRARIES = ("altair", "jinja2", "vl_convert")  # of the extra
FORMATS = ("svg", "png")
PNG_SCALE = 2.0

Document = dict[str, Any]


def require_libraries() -> None:
    """Refuse to draw where the libraries for it are not installed.

    Raises:
        InputError: One is missing.
    """
    missing = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        rule = f"reports and charts need {', '.join(missing)}, which is not installed"
        hint = 'type: pip install "churnsim[report]"'
        raise InputError(Problem(rule, hint=hint))


def check_file(path: Path, *, force: bool = False) -> None:
    """Refuse a file that a page may not be written to: worth asking before a run.

    Raises:
        InputError: It is there already, is a folder, or its folder is not there.
    """
    with _told(path):
        if path.is_dir():
            raise InputError(Problem("must be a file, not a folder", str(path)))
        if not path.absolute().parent.is_dir():
            rule = "must be in a folder that is there"
            raise InputError(Problem(rule, str(path), hint="make the folder first"))
        if not force and (path.is_symlink() or path.exists()):
            rule = "must not be there yet"
            hint = "name another, or replace it with --force"
            raise InputError(Problem(rule, str(path), hint=hint))


def write_page(document: Document, path: Path, *, force: bool = False) -> None:
    """Write the page about a comparison.

    Args:
        document: What `Comparison.to_json_dict` or `read_results` returned.
        path: The file.
        force: Replace what stands there.

    Raises:
        InputError: The libraries are not installed, or the file may not be written.
        StorageError: It cannot be written.
    """
    require_libraries()
    check_file(path, force=force)
    from churnsim.report.page.rendering import page_of

    _write(path, page_of(document).encode())


def write_text(text: str, path: Path, *, force: bool = False) -> None:
    """Write a page that is rendered already.

    Raises:
        InputError: The file may not be written.
        StorageError: It cannot be written.
    """
    check_file(path, force=force)
    _write(path, text.encode())


def write_charts(
    document: Document, folder: Path, form: str, *, force: bool = False
) -> list[Path]:
    """Write every chart of a comparison's page as a file; return their paths.

    Args:
        document: What `Comparison.to_json_dict` or `read_results` returned.
        folder: Made if it is not there.
        form: One of FORMATS.
        force: Replace charts that stand there.

    Raises:
        InputError: The libraries are not installed, or a file may not be written.
        StorageError: One cannot be written.
    """
    require_libraries()
    from churnsim.report.page.rendering import charts_of

    charts = charts_of(document)
    paths = [folder / f"{chart.name}.{form}" for chart in charts]
    with _told(folder):
        if folder.exists() and not folder.is_dir():
            raise InputError(Problem("must be a folder", str(folder)))
        folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        check_file(path, force=force)
    for chart, path in zip(charts, paths, strict=True):
        _write(path, _picture(chart, form))
    return paths


def write_chart(chart: Chart, path: Path, *, force: bool = False) -> None:
    """Write one chart as what the file's ending says: one of FORMATS.

    Raises:
        InputError: The libraries are not installed, or the file may not be written.
        StorageError: It cannot be written.
    """
    require_libraries()
    check_file(path, force=force)
    _write(path, _picture(chart, path.suffix.lower().removeprefix(".")))


def _picture(chart: Chart, form: str) -> bytes:
    """Return a chart as a file's content, in the colours of paper."""
    import vl_convert

    from churnsim.report.page.bundle import vega_lite_version
    from churnsim.report.page.theme import PAPER

    version = vega_lite_version()
    spec = {**chart.build(PAPER), "title": chart.title, "description": chart.alt}
    if form == "svg":
        text: str = vl_convert.vegalite_to_svg(spec, vl_version=version)
        return text.encode()
    data: bytes = vl_convert.vegalite_to_png(spec, vl_version=version, scale=PNG_SCALE)
    return data


def _write(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there in one step."""
    beside = path.with_name(f".{path.name[:80]}.{secrets.token_hex(6)}")
    with _told(path):
        try:
            with beside.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what the system refuses into one line for the user."""
    try:
        yield
    except OSError as error:
        rule = f"must be writable ({error.strerror or error}); nothing was kept"
        hint = "free space or name another place"
        raise StorageError(Problem(rule, str(path), hint=hint)) from None
    except ValueError as error:  # a zero byte in the name
        raise InputError(Problem(f"must be a path ({error})", str(path))) from None
