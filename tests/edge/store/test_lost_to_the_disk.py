"""What a disk lost, or a bit that rots in a store of a release without seals, is said, and costs nothing else."""

from __future__ import annotations

import gzip
import logging
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.gateway import Gateway
from edge.store.look import look
from edge.store.store import Entry, Store, StoreDamaged, StoreError, StoreLocked
from tests.edge.encoded import NOW, encoded
from tests.edge.gateways import START, config, message, rows

BOUND = 16 << 20
STORES = Path(__file__).parent / "stores"


def opened(path: Path) -> Store:
    return Store(path, "gw-1", BOUND, machine=lambda: "box")


def as_it_lies(folder: Path, to: Path) -> Path:
    """Copies the files of a store that is open, as after a death."""
    return Path(shutil.copytree(folder, to)) / "store.db"


def test_readings_that_the_end_of_a_log_held_are_counted_as_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """SQLite leaves out what follows a damaged page of the log, and nobody heard of it."""
    (tmp_path / "a").mkdir()
    with closing(opened(tmp_path / "a" / "store.db")) as store:
        for number in range(10):
            store.append([Entry(10, bytes([number]) * 50, readings=3)])
        path = as_it_lies(tmp_path / "a", tmp_path / "b")
    log = path.with_name("store.db-wal")
    content = bytearray(log.read_bytes())
    content[len(content) * 3 // 4] ^= 1
    log.write_bytes(content)
    with caplog.at_level(logging.ERROR, "tinybeam"), closing(opened(path)) as store:
        there = 3 * len(list(store.replay()))
        assert 0 < there < 30
        assert store.ledger().counters["readings_lost"] == 30 - there
        assert store.ledger().journaled == 30
        assert list(store.append([Entry(20, b"next")])) == [31]
    assert f"{30 - there} readings that were acknowledged are lost" in caplog.text
    with closing(opened(path)) as store:
        assert store.ledger().counters["readings_lost"] == 30 - there, "they are counted once"


def test_after_a_clean_stop_and_after_a_death_nothing_is_called_lost(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with closing(opened(tmp_path / "a" / "store.db")) as store:
        store.append([Entry(10, b"one")])
        path = as_it_lies(tmp_path / "a", tmp_path / "b")
    for each in (tmp_path / "a" / "store.db", path):
        with closing(opened(each)) as store:
            assert "readings_lost" not in store.ledger().counters
            assert [body for _, _, body in store.replay()] == [b"one"]


@pytest.mark.parametrize("note", [b"", b"nonsense", bytes(20)])
def test_a_note_that_is_gone_or_torn_says_nothing(tmp_path: Path, note: bytes) -> None:
    path = tmp_path / "store.db"
    with closing(opened(path)) as store:
        store.append([Entry(10, b"one")])
    path.with_name("store.db.acknowledged").write_bytes(note)
    with closing(opened(path)) as store:
        assert "readings_lost" not in store.ledger().counters


def of_version_2(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.decompress((STORES / "version_2.db.gz").read_bytes()))


def test_rot_in_a_store_of_a_release_without_seals_is_set_aside_and_the_gateway_starts(tmp_path: Path) -> None:
    """Each of these was a traceback at each start."""
    settings = config(tmp_path)
    of_version_2(settings.store_file)
    rotten = dict.fromkeys(("threshold/d1/dry", "held/d1/moisture", "verdict/d1/soil", "names/d1", "watermark", "evaluated"), b"\xc1 rot")
    with closing(sqlite3.connect(settings.store_file)) as connection:
        connection.executemany("insert into memory values (?, ?)", [(name, b"\xff rot") for name in rotten])
        connection.execute("update outbox set attributes = 'rot'")
        connection.commit()
    for start in range(2):
        with closing(opened(settings.store_file)) as store:
            gateway = Gateway(settings, store, START)
            gateway.accept([message("d2", {"seq": start, "values": {"moisture": 0.3}})], START)
            assert [row["reason"] for row in rows(store, "rejects")] == ["damaged"]
            assert store.ledger().dropped_ranges == (2, 2)


def test_the_doctor_s_look_changes_nothing(tmp_path: Path) -> None:
    """It began an epoch where the store was on other hardware, and made tables in that of an earlier release."""
    path, old = tmp_path / "store.db", tmp_path / "old" / "store.db"
    of_version_2(old)
    with closing(Store(path, "gw-1", BOUND, machine=lambda: "serial=other")) as store:
        store.cut([encoded()], NOW)
        lives = as_it_lies(tmp_path, tmp_path / "lives")
        with pytest.raises(StoreLocked):
            look(path, "gw-1", BOUND)
    for file in (path, lives, old):
        before = {each.name: each.read_bytes() for each in file.parent.iterdir() if each.is_file()}
        look(file, "gw-1", BOUND)
        assert {each.name: each.read_bytes() for each in file.parent.iterdir() if each.is_file()} == before
    with pytest.raises(StoreError, match="belongs to gateway 'gw-1'"):
        look(path, "gw-2", BOUND)
    path.write_bytes(bytes(8192))
    with pytest.raises(StoreDamaged):
        look(path, "gw-1", BOUND)
