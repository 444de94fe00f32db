"""The store: whole or absent, found out if it changes, written by one at a time."""

import errno
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from churnsim.errors import InputError, StorageError
from churnsim.scenario import Scenario
from churnsim.sweep.running import How, Threads, run_sweep
from churnsim.sweep.store import ledger
from churnsim.sweep.store.manifest import NAME, is_sweep, read_sweep_manifest
from churnsim.sweep.store.merging import merge_stores
from churnsim.sweep.store.reading import chunk_batches, read_status
from churnsim.sweep.store.writing import LOCK
from tests.sweep.test_kill import files_in
from tests.sweep.toy import toy_work

ONE = Threads(1)
MOUNT, UNMOUNT = "/bin/mount", "/bin/umount"


@pytest.fixture
def store(few: Scenario, tmp_path: Path) -> Path:
    """Return the folder of a sweep that is done."""
    folder = tmp_path / "store"
    run_sweep(toy_work(few), folder, ONE)
    return folder


def chunk_files(folder: Path) -> list[Path]:
    """Return the files of a store's chunks, in order."""
    return sorted(folder.rglob("*.parquet"))


def test_store__says_how_far_it_has_come(store: Path) -> None:
    """Points, failed ones, rows: 7 of 100 fail, and the others have four rows each."""
    status = read_status(store)
    assert (status.n_points, status.n_done, status.n_failed) == (100, 100, 7)
    assert status.n_rows == 7 + 4 * 93
    assert status.is_complete
    assert [failure.point for failure in status.failures] == [12, 25, 38, 51, 64]
    assert status.n_bytes == sum(path.stat().st_size for path in chunk_files(store))
    assert is_sweep(store)
    assert not is_sweep(store / "chunks")


def test_store__a_flipped_bit_is_never_read(store: Path) -> None:
    """Wherever in a chunk: its digest tells. Checksums of pages tell readers of others.

    They do not cover the file's footer, so that a few flips there go unnoticed.
    """
    flips = random.Random(5)
    path = chunk_files(store)[0]
    whole = path.read_bytes()
    expected = pq.read_table(path)
    manifest, line = read_sweep_manifest(store), ledger.read_ledger(store)[0]
    n_flips, n_unnoticed = 200, 0
    for _ in range(n_flips):
        raw = bytearray(whole)
        raw[flips.randrange(len(raw))] ^= 1 << flips.randrange(8)
        path.write_bytes(raw)
        with pytest.raises(StorageError, match="changed or cut"):
            chunk_batches(store, manifest, line)
        try:
            found = pq.read_table(path, page_checksum_verification=True)
        except (OSError, ValueError):
            continue
        n_unnoticed += not found.equals(expected)
    assert n_unnoticed < 0.05 * n_flips


def test_resume__makes_a_changed_chunk_again(few: Scenario, store: Path) -> None:
    """Flipped, cut and missing chunks come back, and the table is what it was."""
    before = files_in(store)
    flipped, cut, gone = chunk_files(store)[2:5]
    raw = bytearray(flipped.read_bytes())
    raw[100] ^= 1
    flipped.write_bytes(raw)
    cut.write_bytes(cut.read_bytes()[:50])
    gone.unlink()
    swept = run_sweep(toy_work(few), store, ONE)
    assert (swept.n_damaged, swept.n_made) == (3, 21)
    assert files_in(store) == before
    again = run_sweep(toy_work(few), store, ONE)
    assert (again.n_damaged, again.n_made) == (0, 0)


def test_ledger__a_line_cut_short_is_taken_off(few: Scenario, store: Path) -> None:
    """Wherever it is cut, the ledger still opens, and the chunk comes again."""
    before = files_in(store)
    path = store / ledger.NAME
    whole = path.read_bytes()
    start = whole[:-1].rindex(b"\n") + 1
    for length in range(start, len(whole), 17):
        path.write_bytes(whole[:length])
        assert run_sweep(toy_work(few), store, ONE).n_made in {7, 2}
        assert files_in(store) == before
        assert len(ledger.read_ledger(store)) == 15


def test_ledger__a_changed_line_is_refused(few: Scenario, store: Path) -> None:
    """Not the last one: that no stop of the machine has done."""
    path = store / ledger.NAME
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b'"n_failed":', b'"n_failed":1')
    path.write_bytes(b"".join(lines))
    with pytest.raises(StorageError, match=r"ledger\.txt:4: must be as churnsim wrote"):
        run_sweep(toy_work(few), store, ONE)
    with pytest.raises(StorageError, match="changed"):
        read_status(store)


def test_manifest__a_changed_one_is_refused(few: Scenario, store: Path) -> None:
    """Whatever was changed in it."""
    path = store / NAME
    path.write_text(path.read_text().replace('"n_points": 100', '"n_points": 101'))
    with pytest.raises(StorageError, match="changed or cut"):
        run_sweep(toy_work(few), store, ONE)


def test_store__another_sweep_is_refused_with_the_difference(
    few: Scenario, store: Path
) -> None:
    """Nothing is written into a store of something else."""
    before = files_in(store)
    with pytest.raises(InputError, match="it is of sweep"):
        run_sweep(toy_work(few, 99), store, ONE)
    with pytest.raises(InputError, match="shard 1 of 1, not 2 of 3"):
        run_sweep(toy_work(few), store, ONE, How(shard=(2, 3)))
    manifest = read_sweep_manifest(store)
    older = manifest._replace(versions={**manifest.versions, "churnsim": "0.0.9"})
    assert older.differences(manifest) == [
        f"its churnsim is 0.0.9, not {manifest.versions['churnsim']}"
    ]
    assert files_in(store) == before


def test_store__a_folder_with_something_else_is_refused(
    few: Scenario, tmp_path: Path
) -> None:
    """Its content stays."""
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match=r"it holds thesis\.txt"):
        run_sweep(toy_work(few), tmp_path, ONE)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    file = tmp_path / "thesis.txt"
    with pytest.raises(InputError, match="must be a folder"):
        run_sweep(toy_work(few), file, ONE)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="not a link"):
        run_sweep(toy_work(few), link, ONE)


def test_store__a_second_writer_is_refused(few: Scenario, store: Path) -> None:
    """While another process writes nothing is lost; then it goes on."""
    with (
        FileLock(store / LOCK),
        pytest.raises(StorageError, match="another churnsim does so now"),
    ):
        run_sweep(toy_work(few), store, ONE)
    assert run_sweep(toy_work(few), store, ONE).n_made == 0


def test_store__a_task_that_comes_out_differently_stops_the_sweep(
    few: Scenario, store: Path
) -> None:
    """A chunk whose line was lost is compared with what is made now."""
    path = store / ledger.NAME
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    last = chunk_files(store)[-1]
    last.write_bytes(chunk_files(store)[0].read_bytes())
    with pytest.raises(StorageError, match="must come out the same"):
        run_sweep(toy_work(few), store, ONE)


def test_merge__shards_make_the_whole(
    few: Scenario, store: Path, tmp_path: Path
) -> None:
    """Three shards joined are the sweep that was run at once; a part may be missing."""
    parts = [tmp_path / f"part-{part}" for part in (1, 2, 3)]
    for part, folder in enumerate(parts, 1):
        swept = run_sweep(toy_work(few), folder, ONE, How(shard=(part, 3)))
        assert swept.status.is_complete
    whole = tmp_path / "whole"
    status = merge_stores(whole, parts[:2])
    assert not status.is_complete
    assert status.n_done == sum(read_status(part).n_done for part in parts[:2])
    assert merge_stores(whole, parts).is_complete
    assert files_in(whole) == files_in(store)
    assert read_status(whole).digest == read_status(store).digest


def test_merge__a_part_of_something_else_is_refused(
    few: Scenario, store: Path, tmp_path: Path
) -> None:
    """Nor does a damaged one get in."""
    other = tmp_path / "other"
    run_sweep(toy_work(few, 99), other, ONE)
    with pytest.raises(InputError, match="must be of the same sweep"):
        merge_stores(tmp_path / "whole", [store, other])
    damaged = tmp_path / "damaged"
    shutil.copytree(store, damaged)
    path = chunk_files(damaged)[1]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StorageError, match="changed or cut"):
        merge_stores(tmp_path / "whole", [damaged])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a file system of 200 kB; skip where none may be mounted."""
    place = tmp_path / "small"
    place.mkdir()
    mount = [MOUNT, "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except OSError:
        pytest.skip("no mount: a full disk is simulated elsewhere in this file")
    if done.returncode:
        pytest.skip("may not mount: a full disk is simulated elsewhere in this file")
    yield place
    subprocess.run([UNMOUNT, str(place)], check=True)


def test_disk_full__the_store_stays_valid(few: Scenario, small_disk: Path) -> None:
    """One clear error; what is there is whole, and more room lets it go on."""
    folder = small_disk / "store"
    work = toy_work(few, 2_000)
    with pytest.raises(StorageError, match=r"No space left on device.*goes on") as told:
        run_sweep(work, folder, ONE)
    assert "\n" not in str(told.value)
    status = read_status(folder)
    assert 0 < status.n_done < 2_000
    subprocess.run([MOUNT, "-o", "remount,size=4m", str(small_disk)], check=True)
    assert run_sweep(work, folder, ONE).n_damaged == 0
    assert read_status(folder).is_complete


def test_disk_full__at_each_write_in_turn(
    few: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever write fails, the store is valid, and gone on with it is the whole."""
    whole = tmp_path / "whole"
    run_sweep(toy_work(few, 30), whole, ONE)
    sync = os.fsync
    calls = 0

    def counted(handle: int) -> None:
        nonlocal calls
        calls += 1
        sync(handle)

    monkeypatch.setattr(os, "fsync", counted)
    run_sweep(toy_work(few, 30), tmp_path / "counted", ONE)
    n_writes = calls
    assert n_writes > 15
    for failing in range(n_writes):
        folder = tmp_path / f"full-{failing}"
        left = failing

        def full(handle: int) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            sync(handle)

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="No space left"):
            run_sweep(toy_work(few, 30), folder, ONE)
        monkeypatch.setattr(os, "fsync", sync)
        swept = run_sweep(toy_work(few, 30), folder, ONE)
        assert swept.n_damaged == 0
        assert files_in(folder) == files_in(whole)
