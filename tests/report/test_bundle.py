"""The scripts that draw charts: kept under a digest, made again when that fails."""

from pathlib import Path

import pytest
import vl_convert

from churnsim.report.page import bundle as module
from churnsim.report.page.bundle import bundle


def test_bundle__is_kept_and_found_out_if_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was kept is used; what was changed since is made again, and kept."""
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path)
    fresh = bundle.__wrapped__()
    assert "vegaEmbed" in fresh
    assert "</script" not in fresh
    (path,) = tmp_path.iterdir()
    made = vl_convert.javascript_bundle
    monkeypatch.setattr(vl_convert, "javascript_bundle", None)
    assert bundle.__wrapped__() == fresh
    path.write_bytes(path.read_bytes().replace(b"vega", b"evil", 1))
    monkeypatch.setattr(vl_convert, "javascript_bundle", made)
    assert bundle.__wrapped__() == fresh
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path / "nowhere")
    assert bundle.__wrapped__() == fresh
