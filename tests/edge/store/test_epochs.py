"""A store that was copied into another box, or put back from a backup, never gives a number out a second time."""

from __future__ import annotations

import random
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.store.identity import is_another, machine, together
from edge.store.rescue import rescue
from edge.store.store import TABLES, Entry, JournalMark, Store
from tests.edge.encoded import NOW, encoded
from tests.edge.sections import remember

BOUND = 16 << 20


def opened(folder: Path, on: str = "box") -> Store:
    return Store(folder / "store.db", "gw-1", BOUND, machine=lambda: f"serial={on}")


def work(store: Store, rng: random.Random, steps: int = 5) -> dict[str, bytes]:
    """Appends, cuts and confirms; returns the body of each name that was given out."""
    named = dict[str, bytes]()
    for _ in range(steps):
        ids = store.append([Entry(10, rng.randbytes(50))])
        bodies = [rng.randbytes(100) for _ in range(rng.randint(1, 3))]
        cut = store.cut([encoded(body=body) for body in bodies], NOW, closed=JournalMark(10, ids[-1]))
        named |= zip((envelope.batch_id for envelope in cut), bodies, strict=True)
        store.confirm([batch.key for batch in store.pending(rng.randint(0, 3))])
    return named


def copied(folder: Path, to: Path) -> Path:
    """Copies a store with everything beside it, as a card or a folder is copied."""
    return Path(shutil.copytree(folder, to))


@pytest.fixture
def rng() -> random.Random:
    return random.Random(20261127)


def test_a_copy_in_another_box_takes_a_new_epoch_and_the_original_keeps_its_own(tmp_path: Path, rng: random.Random) -> None:
    """Case 3: both went on under the same names, and the cloud dropped the readings of one."""
    (tmp_path / "a").mkdir()
    with closing(opened(tmp_path / "a")) as store:
        before, epoch = work(store, rng), store.epoch
    copied(tmp_path / "a", tmp_path / "b")
    with closing(opened(tmp_path / "a")) as original, closing(opened(tmp_path / "b", on="other")) as copy:
        assert (original.epoch == epoch, copy.epoch == epoch) == (True, False)
        theirs, ours = work(original, rng), work(copy, rng)
    assert not theirs.keys() & ours.keys()
    assert not before.keys() & ours.keys()
    with closing(opened(tmp_path / "b", on="other")) as copy:
        assert copy.epoch != epoch, "the epoch is that of the other box, and stays"


def test_what_waited_in_the_copy_keeps_its_name_and_is_not_of_the_new_ledger(tmp_path: Path, rng: random.Random) -> None:
    with closing(opened(tmp_path)) as store:
        [envelope] = store.cut([encoded(body=b"old")], NOW)
    with closing(opened(tmp_path, on="other")) as store:
        new = store.cut([encoded(body=b"new")], NOW)
        waiting = store.batches(0, 10)
        assert [(batch.envelope, batch.body) for batch in waiting] == [(envelope, b"old"), (new[0], b"new")]
        assert (new[0].seq, store.ledger().cut, store.ledger().pending) == (1, 1, 1)
        store.confirm([waiting[0].key])
        assert (store.ledger().confirmed, store.ledger().pending) == (0, 1)
        assert [batch.body for batch in store.pending(10)] == [b"new"]
        store.confirm([waiting[1].key])
        assert (store.ledger().confirmed, store.ledger().pending) == (1, 0)


@dataclass(frozen=True, slots=True)
class Backup:
    """Copies of a store's file, with its log, alone: what a backup keeps."""

    folder: Path

    def take(self, store_folder: Path) -> None:
        self.folder.mkdir()
        for file in store_folder.glob("store.db*"):
            if not file.name.endswith("high-water"):
                shutil.copy(file, self.folder / file.name)

    def put_back(self, store_folder: Path) -> None:
        for file in store_folder.glob("store.db*"):
            if not file.name.endswith("high-water"):
                file.unlink()
        for file in self.folder.iterdir():
            shutil.copy(file, store_folder / file.name)


@pytest.mark.parametrize("steps", [1, 20])
def test_a_backup_that_is_put_back_takes_a_new_epoch_each_time(tmp_path: Path, rng: random.Random, steps: int) -> None:
    """Case 31: numbers were given out twice, and 894 true readings dropped as repeats."""
    folder, backup = tmp_path / "state", Backup(tmp_path / "backup")
    with closing(opened(folder)) as store:
        given_out = work(store, rng)
    backup.take(folder)
    with closing(opened(folder)) as store:
        given_out |= work(store, rng, steps)
    for _ in range(3):
        backup.put_back(folder)
        with closing(opened(folder)) as store:
            again = work(store, rng, steps)
        assert not given_out.keys() & again.keys()
        given_out |= again


def test_what_was_cut_since_the_backup_is_not_cut_again(tmp_path: Path, rng: random.Random) -> None:
    folder, backup = tmp_path / "state", Backup(tmp_path / "backup")
    with closing(opened(folder)) as store:
        ids = store.append([Entry(10, b"cut since"), Entry(20, b"not yet")])
        store.cut([], NOW, sections=[remember("held", {"d1/a": b"a run"}), remember("features", {"d1": b"state"})])
    backup.take(folder)
    with closing(opened(folder)) as store:
        store.cut([encoded()], NOW, closed=JournalMark(10, ids[-1]))
    backup.put_back(folder)
    with closing(opened(folder)) as store:
        assert [body for _, _, body in store.replay()] == [b"not yet"]
        assert (dict(store.section("held").items()), dict(store.section("features").items())) == ({}, {"d1": b"state"})


def test_any_of_several_backups_is_recognised_after_another(tmp_path: Path, rng: random.Random) -> None:
    """The epoch between two was forgotten when the first was put back, and its numbers were given out twice."""
    folder, first, second = tmp_path / "state", Backup(tmp_path / "first"), Backup(tmp_path / "second")
    given_out = dict[str, bytes]()
    for backup, back in ((first, first), (second, first), (None, second)):
        with closing(opened(folder)) as store:
            again = work(store, rng)
        if backup:
            backup.take(folder)
        with closing(opened(folder)) as store:
            again |= work(store, rng)
        assert not given_out.keys() & again.keys()
        given_out |= again
        back.put_back(folder)
    with closing(opened(folder)) as store:
        assert not given_out.keys() & work(store, rng).keys()


@pytest.mark.parametrize("is_rescued", [True, False])
def test_a_backup_of_before_the_store_was_made_anew_takes_a_new_epoch(tmp_path: Path, rng: random.Random, is_rescued: bool) -> None:
    """Who finds a damaged store puts a backup back, or removes it and then puts a backup back."""
    folder, backup = tmp_path / "state", Backup(tmp_path / "backup")
    with closing(opened(folder)) as store:
        work(store, rng)
    backup.take(folder)
    with closing(opened(folder)) as store:
        given_out = work(store, rng)
    if is_rescued:
        rescue(folder / "store.db", BOUND, TABLES)
    else:
        (folder / "store.db").unlink()
    with closing(opened(folder)) as store:
        given_out |= work(store, rng)
    backup.put_back(folder)
    with closing(opened(folder)) as store:
        assert not given_out.keys() & work(store, rng).keys()


def test_a_store_that_went_back_in_time_still_knows_repeats(tmp_path: Path, rng: random.Random) -> None:
    """The gateway did not start on it any more: the row that numbers its readings was none that can be read."""
    folder, backup = tmp_path / "state", Backup(tmp_path / "backup")
    with closing(opened(folder)) as store:
        work(store, rng)
        store.append([Entry(10, b"x")], b"12345678")
    backup.take(folder)
    with closing(opened(folder)) as store:
        work(store, rng)
    backup.put_back(folder)
    with closing(opened(folder)) as store:
        assert store.recent_dedup_keys() == [int.from_bytes(b"12345678")]


def test_a_log_that_was_cut_off_is_a_store_that_went_back_in_time(tmp_path: Path, rng: random.Random) -> None:
    store = opened(tmp_path)
    given_out = work(store, rng)
    lives = tmp_path / "lives"
    lives.mkdir()
    for file in tmp_path.glob("store.db*"):  # as the disk is while it runs: after a kill there is a log
        shutil.copy(file, lives / file.name)
    store.close()
    (lives / "store.db-wal").write_bytes((lives / "store.db-wal").read_bytes()[: 40 * 1024])
    with closing(opened(lives)) as store:
        assert not given_out.keys() & work(store, rng).keys()


def test_a_store_whose_mark_is_gone_or_nonsense_is_opened_as_it_is(tmp_path: Path, rng: random.Random) -> None:
    with closing(opened(tmp_path)) as store:
        work(store, rng)
        epoch = store.epoch
    mark = tmp_path / "store.db.high-water"
    for content in (None, b"", b"{", b'{"epoch": "a"}', b"\xff" * 100):
        mark.unlink(missing_ok=True)
        if content is not None:
            mark.write_bytes(content)
        with closing(opened(tmp_path)) as store:
            assert store.epoch == epoch


def test_hardware_is_known_by_the_strongest_evidence_that_both_have(tmp_path: Path) -> None:
    """A serial number is often root's to read: a look by root at a store took a new epoch, and the gateway behind it another."""
    assert machine(tmp_path) == ""
    evidence = {"etc/machine-id": "1\n", "sys/class/net/eth0/address": "b8:27\n", "sys/firmware/devicetree/base/serial-number": "2\0"}
    names = list[str]()
    for file, text in evidence.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
        if "eth0" in file:
            (tmp_path / file).with_name("device").mkdir()
        names.append(machine(tmp_path))
    assert not any(is_another(ours, theirs) for ours in ["", *names] for theirs in ["", *names])
    (tmp_path / "sys/firmware/devicetree/base/serial-number").write_text("3")
    assert is_another(machine(tmp_path), names[2]), "its card was moved with all else: the serial number decides"
    assert not is_another(machine(tmp_path), names[1])
    assert is_another(machine(tmp_path), together(names[0], names[2]))


def test_a_store_is_of_one_epoch_whoever_looks_at_it_on_its_machine(tmp_path: Path) -> None:
    names, epochs = ["", "cards=c", "serial=s cards=c", "cards=c installed=i", "serial=s cards=new", "installed=i"], set[int]()
    for name in names:
        with closing(Store(tmp_path / "store.db", "gw-1", BOUND, machine=lambda name=name: name)) as store:
            epochs.add(store.epoch)
    assert len(epochs) == 1
    with closing(Store(tmp_path / "store.db", "gw-1", BOUND, machine=lambda: "serial=t installed=i")) as store:
        assert store.epoch not in epochs
