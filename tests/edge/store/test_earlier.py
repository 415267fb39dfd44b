"""What waits of earlier epochs is told by the store that took it over, and what damage cost is counted once."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from edge.gateway import Gateway
from edge.store.rescue import rescue
from edge.store.store import TABLES, Store, StoreDamaged
from tests.edge.gateways import START, config, message

BOUND = 16 << 20
Row = dict[str, object]


def opened(path: Path, machine: str = "serial=a") -> Store:
    return Store(path, "gw-1", BOUND, machine=lambda: machine)


def heard(store: Store, folder: Path, seqs: range, *, cut: bool) -> Gateway:
    """A gateway that takes a reading a second, and cuts their windows or not."""
    gateway = Gateway(config(folder), store, START)
    for seq in seqs:
        gateway.accept(
            [message("d1", {"seq": seq, "time": START.timestamp() + seq, "values": {"moisture": 0.3}})], START + timedelta(seconds=seq)
        )
    if cut:
        gateway.tick(START + timedelta(seconds=seqs[-1] + 20))
    return gateway


def test_the_next_epoch_tells_how_many_batches_of_the_one_before_wait(folder: Path) -> None:
    with closing(opened(folder / "store.db")) as store:
        heard(store, folder, range(1, 40), cut=True)
        first, waiting = store.epoch, len(store.batches(0, 1000))
        assert store.earlier_epochs() == ()
    with closing(opened(folder / "store.db", "serial=b")) as store:
        gateway = Gateway(config(folder), store, START)
        assert store.epoch != first
        assert gateway.heartbeat(START).earlier_epochs == (first, waiting, 0)
        store.confirm([batch.key for batch in store.batches(0, 1)])
        assert gateway.heartbeat(START).earlier_epochs == (first, waiting - 1, 0)
    with closing(opened(folder / "store.db", "serial=c")) as store:
        assert store.earlier_epochs()[:3] == (first, waiting - 1, 0)
        assert len(store.earlier_epochs()) == 6


def test_what_damage_cost_is_counted_once_and_waits_no_more(folder: Path) -> None:
    path = folder / "store.db"
    with closing(opened(path)) as store:
        heard(store, folder, range(1, 40), cut=True)
        heard(store, folder, range(100, 400), cut=False)
        first, stored = store.epoch, store.ledger().journaled
    content = bytearray(path.read_bytes())
    for found in [*re.finditer(b"moisture", bytes(content))][-50::10]:
        content[found.start()] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreDamaged), closing(opened(path)) as store:
        Gateway(config(folder), store, START)
    rescue(path, BOUND, TABLES)
    with closing(opened(path)) as store:
        gateway = Gateway(config(folder), store, START)
        waiting, beat = sum(1 for _ in store.replay()), gateway.heartbeat(START)
        assert beat.readings_stored - beat.readings_summarised - (beat.readings_lost or 0) == waiting
        assert beat.readings_stored == stored
        assert 0 < (beat.readings_lost or 0) <= 5
        assert beat.earlier_epochs[0] == first
        again = Gateway(config(folder), store, START).heartbeat(START)
        assert again.readings_lost == beat.readings_lost
