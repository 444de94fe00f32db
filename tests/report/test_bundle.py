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


def test_bundle__is_made_meanwhile_by_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process makes the same script; one that nobody asks for is ended."""
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path)
    with module.bundling():
        process = module._maker()
        with monkeypatch.context() as patch:
            patch.setattr(vl_convert, "javascript_bundle", None)
            made = bundle.__wrapped__()
    assert "vegaEmbed" in made
    assert process.returncode == 0
    with module.bundling():
        assert module._maker.cache_info().currsize == 0
    (path,) = tmp_path.iterdir()
    path.unlink()
    with module.bundling():
        process = module._maker()
    assert process.returncode != 0
    assert module._maker.cache_info().currsize == 0


def test_bundle__is_made_here_where_the_other_process_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that cannot make it costs time, and nothing else."""
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(module, "MAKER", "raise SystemExit(1)")
    with module.bundling():
        assert "vegaEmbed" in bundle.__wrapped__()
