"""A store that a released version wrote goes on in this one: one file for each version, as it was left on a clean stop."""

import gzip
from contextlib import closing
from pathlib import Path

from edge.store.store import Entry, Store
from tests.edge.encoded import NOW, encoded

STORES = Path(__file__).parent / "stores"


def test_a_store_of_0_2_goes_on_under_its_names_and_becomes_one_of_this_version(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(gzip.decompress((STORES / "version_2.db.gz").read_bytes()))
    with closing(Store(path, "gw-1", 16 << 20)) as store:
        assert store.epoch == 128388486920843
        assert list(store.replay()) == [(2, 20, b"open")]
        assert [(batch.envelope.seq, batch.body) for batch in store.batches(0, 10)] == [(2, b"second")]
        assert (dict(store.section("m").items()), store.ledger().counters) == ({"d1": b"memory"}, {"readings_rejected": 3})
        assert store.recent_dedup_keys() == [int.from_bytes(b"12345678")]
        assert [envelope.seq for envelope in store.cut([encoded()], NOW)] == [3]
        assert list(store.append([Entry(30, b"more")])) == [3]
    with closing(Store(path, "gw-1", 16 << 20)) as store:
        assert list(store.replay()) == [(2, 20, b"open"), (3, 30, b"more")]
        assert [batch.envelope.seq for batch in store.batches(0, 10)] == [2, 3]
