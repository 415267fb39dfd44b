"""A bit that rots is found, and what stands beside it goes on: nothing that was not written is ever sent."""

from __future__ import annotations

import random
import re
import resource
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edge.store.database import Database
from edge.store.parts import Parts
from edge.store.rescue import finish, rescue
from edge.store.seal import sealed
from edge.store.store import TABLES, Entry, JournalMark, Store, StoreDamaged, StoreError
from tests.edge.encoded import NOW, encoded
from tests.edge.sections import remember

BOUND = 16 << 20
FLIPS = 300


def opened(path: Path) -> Store:
    return Store(path, "gw-1", BOUND, machine=lambda: "box")


def filled(path: Path) -> bytes:
    """A store with some of everything, as the bytes of its file."""
    rng = random.Random(20261127)
    with closing(opened(path)) as store:
        for number in range(40):
            ids = store.append([Entry(10 * number, rng.randbytes(rng.randint(10, 3000))) for _ in range(4)], rng.randbytes(32))
            if number % 4 == 0:
                sections = [remember("m", {f"d{number}": rng.randbytes(60)})]
                batches = [encoded(body=rng.randbytes(rng.randint(50, 6000)), readings=2) for _ in range(3)]
                store.cut(
                    batches, NOW, closed=JournalMark(10 * (number - 20), ids[-1]), sections=sections, counters={"readings_rejected": 1}
                )
            store.confirm([batch.key for batch in store.pending(1)])
    return path.read_bytes()


def content(store: Store) -> tuple[dict[int, Any], dict[str, Any], dict[str, bytes], set[int]]:
    """Readings by id, batches by name, memory, and the keys by which readings are recognised."""
    return (
        {at: (end, body) for at, end, body in store.replay()},
        {batch.envelope.batch_id: (batch.envelope, batch.body) for batch in store.batches(0, 10_000)},
        dict(store.section("m").items()),
        set(store.recent_dedup_keys()),
    )


def test_of_300_flipped_bits_none_changes_what_is_sent_and_little_is_lost(folder: Path) -> None:
    """Case 30: 56 stores did not start, and 54 sent wrong rows silently."""
    sound, path = filled(folder / "store.db"), folder / "store.db"
    with closing(opened(path)) as store:
        expected, epoch = content(store), store.epoch
    mark = (folder / "store.db.high-water").read_bytes()
    rng, found, kept = random.Random(7), 0, list[float]()
    for _ in range(FLIPS):
        flipped = bytearray(sound)
        at = rng.randrange(len(flipped))
        flipped[at] ^= 1 << rng.randrange(8)
        path.write_bytes(flipped)
        (folder / "store.db.high-water").write_bytes(mark)
        try:
            with closing(opened(path)) as store:
                got = content(store)
        except StoreDamaged:
            found += 1
            rescue(path, BOUND, TABLES)
            with closing(opened(path)) as store:
                got = content(store)
                assert store.epoch != epoch
        for ours, theirs in zip(got, expected, strict=True):
            if isinstance(ours, dict):
                assert ours.items() <= theirs.items(), f"a flip at {at} changed what is kept"
            else:
                assert ours <= theirs
        kept.append((len(got[0]) + len(got[1])) / (len(expected[0]) + len(expected[1])))
    assert found > FLIPS // 2, "most of a store is readings and batches"
    assert sorted(kept)[FLIPS // 100] > 0.8
    assert sum(kept) / FLIPS > 0.98


@pytest.mark.parametrize(("damage", "kept"), [("header", 1.0), ("a page of zeros", 0.8), ("half of it", 0.2), ("nonsense", 0.0)])
def test_a_store_of_which_a_part_is_gone_goes_on_with_the_rest(folder: Path, damage: str, kept: float) -> None:
    """Case 16: a traceback at each start, from doctor too."""
    path = folder / "store.db"
    sound = filled(path)
    with closing(opened(path)) as store:
        before = sum(map(len, content(store)[:2]))
    broken = {
        "header": bytes(100) + sound[100:],
        "a page of zeros": sound[:20480] + bytes(4096) + sound[24576:],
        "half of it": sound[: len(sound) // 8192 * 4096],
        "nonsense": random.Random(1).randbytes(len(sound)),
    }
    path.write_bytes(broken[damage])
    with pytest.raises(StoreDamaged, match="damaged"):
        content(opened(path))
    rescued = rescue(path, BOUND, TABLES)
    assert rescued.aside.read_bytes() == broken[damage]
    with closing(opened(path)) as store:
        readings, batches, _, _ = content(store)
        assert (len(readings), len(batches)) == (rescued.readings, rescued.batches)
        assert kept * before <= len(readings) + len(batches) <= before
        store.append([Entry(10, b"on")])
        store.cut([encoded()], NOW)


def test_numbers_that_nobody_wrote_are_found(folder: Path) -> None:
    path = folder / "store.db"
    filled(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("update counters set value = value + 1 where name = 'batches_cut'")
        connection.commit()
    with pytest.raises(StoreDamaged, match="says of itself"):
        opened(path)


def test_another_program_s_database_is_left_alone(folder: Path) -> None:
    path = folder / "store.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table theirs (x)")
        connection.commit()
    with pytest.raises(StoreError, match="not a TinyBeam store") as error:
        opened(path)
    assert not isinstance(error.value, StoreDamaged)


def with_a_page_of_zeros(path: Path) -> bytes:
    """Damages a store of which its check sees it; returns its bytes."""
    sound = filled(path)
    path.write_bytes(sound[:20480] + bytes(4096) + sound[24576:])
    return path.read_bytes()


def rescued_content(path: Path) -> Any:
    finish(path)
    try:
        with closing(opened(path)) as store:
            return content(store)
    except StoreDamaged:
        rescue(path, BOUND, TABLES)
        with closing(opened(path)) as store:
            return content(store)


@pytest.mark.parametrize("moved", [None, (), ("-wal",), ("-wal", "")])
def test_a_death_while_a_store_is_rescued_loses_nothing(folder: Path, moved: tuple[str, ...] | None) -> None:
    """`moved` are the files that were set aside when it died; None: it died while it copied."""
    path, elsewhere = folder / "store.db", folder / "elsewhere"
    damaged = with_a_page_of_zeros(path)
    shutil.copytree(folder, elsewhere)
    expected = rescued_content(elsewhere / "store.db")
    if moved is None:
        Store(folder / "store.db.unfinished", "gw-1", BOUND).close()
    else:
        shutil.copy(elsewhere / "store.db", folder / "store.db.whole")
        (folder / "store.db-wal").write_bytes(b"the log of the damaged store")
        for suffix in moved:
            (folder / f"store.db{suffix}").rename(folder / f"store.db.damaged{suffix}")
    assert rescued_content(path) == expected
    assert (folder / "store.db.damaged").read_bytes() == damaged
    assert {file.name for file in folder.glob("store.db*")} <= {
        "store.db",
        "store.db.high-water",
        "store.db.acknowledged",
        "store.db.unfinished.acknowledged",
        "store.db.reserve",
        "store.db.unfinished.reserve",
        "store.db.damaged",
        "store.db.damaged-wal",
    }


def test_a_full_disk_leaves_the_damaged_store_where_it_is(folder: Path) -> None:
    path = folder / "store.db"
    damaged = with_a_page_of_zeros(path)
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(damaged) // 2, limits[1]))
    try:
        with pytest.raises(StoreError):
            rescue(path, BOUND, TABLES)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == damaged
    assert rescue(path, BOUND, TABLES).readings


def test_a_bound_that_was_lowered_leaves_the_oldest_batches_behind(folder: Path) -> None:
    path = folder / "store.db"
    with closing(opened(path)) as store:
        [store.cut([encoded(body=random.Random(number).randbytes(100_000))], NOW) for number in range(30)]
    path.write_bytes(bytes(100) + path.read_bytes()[100:])
    assert 0 < rescue(path, 1 << 20, TABLES).batches < 30
    with closing(Store(path, "gw-1", 1 << 20, machine=lambda: "box")) as store:
        kept = [batch.envelope.seq for batch in store.batches(0, 100)]
        assert kept == list(range(31 - len(kept), 31))
        store.cut([encoded()], NOW)


def test_the_first_byte_of_a_seal_may_rot_too(folder: Path) -> None:
    """Bytes without a seal were taken for those of an earlier version, and sent."""
    path = folder / "store.db"
    sound = filled(path)
    with closing(opened(path)) as store:
        expected = content(store)
    rng = random.Random(3)
    for found in rng.sample(list(re.finditer(b"\xc1", sound)), 60):
        flipped = bytearray(sound)
        flipped[found.start()] ^= 1 << rng.randrange(8)
        path.write_bytes(flipped)
        try:
            with closing(opened(path)) as store:
                assert content(store) == expected
        except StoreDamaged:
            continue


def test_a_flip_in_the_header_or_in_the_names_of_tables_is_damage_that_has_a_way_on(folder: Path) -> None:
    """Any other error at the start ends the process, at each start."""
    path = folder / "store.db"
    sound = filled(path)
    with closing(opened(path)) as store:
        expected = content(store)
    used = [at for at in range(4096) if sound[at]]
    for at in [18, 19, 47, 63, *random.Random(2).sample(used, 60)]:
        for bit in (0, 7):
            flipped = bytearray(sound)
            flipped[at] ^= 1 << bit
            path.write_bytes(flipped)
            try:
                with closing(opened(path)) as store:
                    assert content(store) == expected
            except StoreDamaged:
                continue


def test_of_a_cut_in_parts_a_rescue_takes_all_or_nothing(folder: Path) -> None:
    """Its batches beside the readings that they were made of would be these twice."""
    path = folder / "store.db"
    with closing(opened(path)) as store:
        store.append([Entry(10, b"reading")])
        store.cut([encoded(body=b"valid")], NOW, sections=[remember("held", {"d1": b"before"})])
        parts, database = Parts(store._database), store._database
        [row] = database.read("select * from outbox")
        described = (row[0] + 1, *row[1:5])
        parts.write("insert into outbox values (?, ?, ?, ?, ?, ?)", [(*described, sealed(b"not valid", *described))], [10])
        parts.stage({"held/d1": b"after"})
    shutil.copy(path, folder / "valid.db")
    rescue(path, BOUND, TABLES)
    with closing(opened(path)) as store:
        assert [batch.body for batch in store.batches(0, 10)] == [b"valid"]
        assert dict(store.section("held").items()) == {"d1": b"before"}
    with closing(Database(folder / "valid.db", BOUND, TABLES)) as database, database.transaction() as connection:
        Parts(database).make_valid(connection)
    rescue(folder / "valid.db", BOUND, TABLES)
    with closing(opened(folder / "valid.db")) as store:
        assert dict(store.section("held").items()) == {"d1": b"after"}
