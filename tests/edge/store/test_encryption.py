"""A store with a key holds no reading in the clear; without its key, or under another, nothing is read, and nothing is lost."""

from __future__ import annotations

import base64
import random
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from edge.config import ConfigError
from edge.doctor import examine
from edge.finding import Status
from edge.store.encryption import Encryption
from edge.store.rescue import finish, rescue
from edge.store.store import TABLES, Entry, JournalMark, Store, StoreError, StoreKeyError
from edge.store_opening import open_store
from tests.attack import Attack, number
from tests.edge.encoded import NOW, encoded
from tests.edge.gateways import config
from tests.edge.sections import remember

BOUND = 16 << 20
MARK = b"soil moisture of the mill field"
KEY, OTHER = Encryption(bytes(range(32))), Encryption(bytes(32))


def opened(path: Path, cipher: Encryption | None = KEY) -> Store:
    return Store(path, "gw-1", BOUND, machine=lambda: "box", cipher=cipher)


def fill(store: Store, rows: int = 20) -> None:
    """Readings in the journal, batches in the outbox, and memory, all of which say MARK."""
    for at in range(rows):
        ids = store.append([Entry(10 * at, MARK + bytes([at]))], bytes(8))
        body = MARK + bytes([at])
        store.cut([encoded(body=body)], NOW, closed=JournalMark(10 * (at - 5), ids[-1]), sections=[remember("m", {f"d{at}": body})])


def content(store: Store) -> tuple[Any, ...]:
    batches = {batch.envelope.batch_id: batch.body for batch in store.batches(0, 10_000)}
    return list(store.replay()), batches, dict(store.section("m").items()), store.recent_dedup_keys()


def on_disk(path: Path) -> bytes:
    """All that the store has on disk, its log included."""
    return b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()) if file.is_file())


def test_a_disk_in_other_hands_says_no_reading(tmp_path: Path, attack: Attack) -> None:
    found = []
    for name, cipher in (("plain", None), ("encrypted", KEY)):
        (tmp_path / name).mkdir()
        with closing(opened(tmp_path / name / "store.db", cipher)) as store:
            fill(store, rows := number(20, 250))
            found.append(on_disk(tmp_path / name / "store.db").count(MARK))
    attack(
        "disk-read",
        attacker="finder",
        attempt="looks for readings in the file of a store and in its log",
        outcome="no row of journal, outbox or memory is in the clear",
        attempts=3 * rows,
        accepted=found[1],
        control=f"in a store without a key the same readings are found {found[0]} times",
    )
    assert found[0] >= rows


def test_what_is_written_is_read_and_a_store_that_was_full_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(opened(path, None)) as store:
        fill(store)
        before = content(store)
    for _ in range(2):
        with closing(opened(path)) as store:
            assert content(store) == before
    with closing(opened(path)) as store:
        store.append([Entry(9000, MARK)])
        [*earlier, (_, _, last)] = store.replay()
        assert last == MARK
        assert [row for row, *_ in earlier] == [row for row, *_ in before[0]]


@pytest.mark.parametrize(
    ("cipher", "sentence"),
    [
        (None, f"is encrypted under the key {KEY.name}, which is not here: set store.encryption_key_file to the file of that key"),
        (
            OTHER,
            f"is encrypted under the key {KEY.name}, which is not here: store.encryption_key_file has {OTHER.name}: put the right one back",
        ),
    ],
)
def test_without_its_key_a_store_is_not_opened_and_nothing_in_it_changes(
    tmp_path: Path, cipher: Encryption | None, sentence: str, attack: Attack
) -> None:
    path = tmp_path / "store.db"
    with closing(opened(path)) as store:
        fill(store)
        before = content(store)
    file = path.read_bytes()
    read, said = _batches_under(path, cipher)
    attack(
        "store-under-another-key",
        attacker="finder",
        attempt="opens a store without its key, or under another one",
        outcome="one sentence names both keys by their fingerprints; nothing is read, set aside or written",
        attempts=len(before[1]),
        accepted=read,
        control=f"under the right key the same {len(before[1])} batches are read afterwards",
    )
    assert sentence in said
    assert path.read_bytes() == file
    with closing(opened(path)) as store:
        assert content(store) == before


def _batches_under(path: Path, cipher: Encryption | None) -> tuple[int, str]:
    """How many batches are read, and what is said if none can be."""
    try:
        with closing(opened(path, cipher)) as store:
            return len(content(store)[1]), ""
    except StoreKeyError as error:
        return 0, str(error)


def test_bytes_of_another_row_are_not_taken_for_those_of_this_one(tmp_path: Path, attack: Attack) -> None:
    path, accepted, tried = tmp_path / "store.db", 0, number(20, 200)
    with closing(opened(path)) as store:
        fill(store)
    with closing(opened(path)) as store:
        assert len(store.batches(0, 1000)) == store.ledger().pending, "in their own place they are read"
    rng = random.Random(20261127)
    for turn in range(tried):
        copy = tmp_path / f"{turn}.db"
        shutil.copy(path, copy)
        with closing(sqlite3.connect(copy)) as connection:
            rows = connection.execute("select * from outbox").fetchall()
            one, other = rng.sample(rows, 2)
            forged = _under_a_seal(other[-1][5:], one[:-1])
            connection.execute("update outbox set body = ? where seq = ?", (forged, one[0]))
            connection.commit()
        with closing(opened(copy)) as store, pytest.raises(StoreError, match="for another row"):
            accepted += len(store.batches(one[0] - 1, 1))
        copy.unlink()
    attack(
        "row-moved",
        attacker="finder",
        attempt="puts the encrypted bytes of one batch in the place of another, with a checksum that fits, and puts the disk back",
        outcome="not decrypted: a row's key is a part of what was encrypted",
        attempts=tried,
        accepted=accepted,
        control="in their own place the same bytes are read",
    )


def _under_a_seal(encrypted: bytes, key: tuple[Any, ...]) -> bytes:
    """Makes the checksum fit, as whoever writes the disk can."""
    return struct.pack(">cI", b"\xc0", crc32(encrypted, crc32("\0".join(map(str, key)).encode(), crc32(b"\xc0")))) + encrypted


def test_a_damaged_store_is_rescued_without_its_key_and_read_with_it(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(opened(path)) as store:
        fill(store)
        before = content(store)
    file = bytearray(path.read_bytes())
    at = file.rindex(b"\xc0", 0, len(file) - 4096)
    file[at + 20] ^= 1
    path.write_bytes(file)
    rescue(path, BOUND, TABLES)
    finish(path)
    with pytest.raises(StoreKeyError):
        opened(path, OTHER)
    with closing(opened(path)) as store:
        journal, batches, memory, _ = content(store)
    whole = len(before[0]) + len(before[1]) + len(before[2])
    assert whole - 1 <= len(journal) + len(batches) + len(memory) <= whole


def test_a_store_that_lost_the_name_of_its_key_takes_no_other(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(opened(path)) as store:
        fill(store)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("delete from state where name in ('encrypted_under', 'tally')")
        connection.commit()
    with pytest.raises(StoreKeyError, match="were not encrypted under the key"):
        opened(path, OTHER)
    opened(path).close()


def test_a_key_follows_another_without_a_row_lost_and_the_old_one_goes_once_nothing_is_under_it(tmp_path: Path) -> None:
    path, both = tmp_path / "store.db", Encryption(bytes(32), bytes(range(32)))
    with closing(opened(path)) as store:
        fill(store)
        before = content(store)
    with closing(opened(path, both)) as store:
        assert content(store) == before
    with pytest.raises(StoreKeyError, match=f"is encrypted under the key {KEY.name}, .* put it back in a line behind the new one"):
        opened(path, OTHER)
    with closing(opened(path, both)) as store:
        store.cut([], NOW, closed=JournalMark(10_000, 20))
        for _ in range(600):
            store.append([Entry(20_000, MARK)], bytes(8))
        store.confirm([batch.key for batch in store.batches(0, 10_000)])
        before = content(store)
    with closing(opened(path, OTHER)) as store:
        assert content(store) == before
    with pytest.raises(StoreKeyError, match=f"is encrypted under the key {OTHER.name}, .* has {KEY.name}: put the right one back"):
        opened(path, KEY)


def test_memory_is_under_the_new_key_at_once(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(opened(path)) as store:
        fill(store, 250)
        [*remembered] = store.section("m").items()
    opened(path, Encryption(bytes(32), bytes(range(32)))).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("delete from journal")
        connection.execute("delete from outbox")
        connection.execute("delete from commits")
        connection.execute("delete from state where name = 'tally'")
        connection.commit()
    with closing(opened(path, OTHER)) as store:
        assert list(store.section("m").items()) == remembered


def test_a_key_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = base64.b64encode(bytes(range(32))).decode()
    (tmp_path / "store.key").write_text(f"{text}\n")
    (tmp_path / "two.key").write_text(f"{base64.b64encode(bytes(32)).decode()}\n{text}\n")
    monkeypatch.setenv("TINYBEAM_STORE_KEY", text)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    for settings in (
        {"encryption_key_file": "store.key"},
        {"encryption_key": "${TINYBEAM_STORE_KEY}"},
        {"encryption_key_file": "${CREDENTIALS_DIRECTORY}/store.key"},
        {"encryption_key_file": "two.key"},
    ):
        with closing(open_store(config(tmp_path, store=settings))) as store:
            fill(store, 1)
    with pytest.raises(ConfigError, match=r"store\.encryption_key_file is set, and encryption_key too: one is enough"):
        config(tmp_path, store={"encryption_key_file": "store.key", "encryption_key": text})


@pytest.mark.parametrize("text", ["", "no base64!", base64.b64encode(bytes(31)).decode(), "\xe9"])
def test_a_key_that_is_none_is_a_config_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "store.key").write_text(text)
    with pytest.raises(ConfigError, match=r"store\.encryption_key_file .*store\.key: a key is 32 bytes in base64: openssl rand -base64 32"):
        open_store(config(tmp_path, store={"encryption_key_file": "store.key"}))


def test_the_doctor_says_whether_the_store_is_encrypted_and_that_its_key_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    (tmp_path / "store.key").write_text(base64.b64encode(bytes(range(32))).decode())
    (tmp_path / "store.key").chmod(0o600)
    text = '[gateway]\nid = "gw-1"\nstate_dir = "."\n[store]\n{}\n'
    text += '[uplink]\nkind = "pubsub"\ntopic = "projects/demo-project/topics/telemetry"\n'
    text += '[[sensors]]\nname = "s"\ndevices = ["d*"]\nchannels = {{ moisture = "m3/m3" }}\n'
    with closing(opened(tmp_path / "store.db")) as store:
        fill(store)
    file.write_text(text.format('encryption_key_file = "store.key"'))
    assert "what is written to it is encrypted" in _finding(file).text
    file.write_text(text.format(""))
    assert (_finding(file).status, "put the key back" in _finding(file).advice) == (Status.FAIL, True)


def _finding(file: Path) -> Any:
    return next(finding for finding in examine(file) if finding.name == "store")
