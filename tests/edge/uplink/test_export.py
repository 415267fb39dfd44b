"""An export file holds the outbox, whole or not at all, and a cut one gives back what is sound."""

import io
import resource
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.store.store import Store
from edge.uplink.export import export
from schemas.envelope import Envelope, entries
from tests.edge.encoded import NOW, encoded


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.db", "gw-1", 16 << 20)
    yield store
    store.close()


def read(paths: list[Path]) -> list[tuple[Envelope, bytes]]:
    """Every entry of the files, which must all be sound."""
    batches = []
    for path in paths:
        with path.open("rb") as file:
            for entry in entries(file):
                assert not isinstance(entry, bytes), f"{path} holds what is no entry"
                batches.append((Envelope.parse(entry[0]), entry[1]))
    return batches


def test_the_file_holds_what_waits_in_order_and_it_still_waits(store: Store, tmp_path: Path) -> None:
    cut = store.cut(
        [encoded(kind, bytes([number]) * number) for number, kind in enumerate(["summaries", "events", "rejects"] * 30, 1)], NOW
    )
    store.confirm([1, 50])
    (file,) = export(store, tmp_path / "export" / "new")
    assert file.path.name == f"gw-1-{store.epoch}-2.tbb"
    assert (file.batches, file.bytes) == (88, file.path.stat().st_size)
    assert read([file.path]) == [(envelope, bytes([envelope.seq]) * envelope.seq) for envelope in cut if envelope.seq not in {1, 50}]
    assert store.ledger().pending == 88


def test_large_outboxes_become_several_files_of_bounded_size(store: Store, tmp_path: Path) -> None:
    store.cut([encoded(body=bytes(3000)) for _ in range(100)], NOW)
    files = export(store, tmp_path / "export", max_file_bytes=20_000)
    assert len(files) > 10
    assert all(file.bytes <= 20_000 for file in files)
    assert [envelope.seq for envelope, _ in read([file.path for file in files])] == list(range(1, 101))
    assert len({file.path for file in files}) == len(files)


def test_a_batch_larger_than_a_file_has_one_for_itself(store: Store, tmp_path: Path) -> None:
    store.cut([encoded(), encoded(body=bytes(3000)), encoded()], NOW)
    assert [file.batches for file in export(store, tmp_path, max_file_bytes=1000)] == [1, 1, 1]


def test_an_empty_outbox_makes_no_file(store: Store, tmp_path: Path) -> None:
    assert export(store, tmp_path / "export") == []
    assert list((tmp_path / "export").iterdir()) == []


def test_exporting_twice_replaces_the_file(store: Store, tmp_path: Path) -> None:
    store.cut([encoded()], NOW)
    export(store, tmp_path / "export")
    store.cut([encoded()], NOW)
    (file,) = export(store, tmp_path / "export")
    assert [path.name for path in (tmp_path / "export").iterdir()] == [file.path.name]
    assert len(read([file.path])) == 2


def test_a_full_disk_leaves_no_half_file_and_the_old_one_untouched(store: Store, tmp_path: Path) -> None:
    store.cut([encoded(body=b"small")], NOW)
    (file,) = export(store, tmp_path / "export")
    store.cut([encoded(body=bytes(100_000)) for _ in range(20)], NOW)
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            export(store, tmp_path / "export")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert list((tmp_path / "export").iterdir()) == [file.path]
    assert [body for _, body in read([file.path])] == [b"small"]


def test_a_file_cut_short_at_any_byte_gives_its_whole_entries_and_the_rest_as_bytes(store: Store, tmp_path: Path) -> None:
    store.cut([encoded(body=b"first"), encoded(body=b"second")], NOW)
    (file,) = export(store, tmp_path)
    content = file.path.read_bytes()
    first_ends = content.index(b"TBB1", 4)
    for length in range(1, len(content)):
        found = list(entries(io.BytesIO(content[:length])))
        whole = [entry[1] for entry in found if not isinstance(entry, bytes)]
        rest = b"".join(entry for entry in found if isinstance(entry, bytes))
        assert whole == ([b"first"] if length >= first_ends else [])
        assert rest == content[first_ends if length >= first_ends else 0 : length]


def test_batches_of_an_earlier_epoch_do_not_give_their_number_to_a_file_of_this(tmp_path: Path) -> None:
    """A later file had the same name, and took the place of batches that were nowhere else any more."""
    with closing(Store(tmp_path / "store.db", "gw-1", 16 << 20, machine=lambda: "serial=1")) as store:
        [old] = store.cut([encoded(body=b"of the first box")], NOW)
    with closing(Store(tmp_path / "store.db", "gw-1", 16 << 20, machine=lambda: "serial=2")) as store:
        [new] = store.cut([encoded(body=b"of the second")], NOW)
        assert [file.path.name for file in export(store, tmp_path / "export")] == [f"gw-1-{old.epoch}-1.tbb"]
        store.confirm([batch.key for batch in store.batches(0, 1)])
        [file] = export(store, tmp_path / "export")
    assert file.path.name == f"gw-1-{new.epoch}-1.tbb"
    assert len(read(list((tmp_path / "export").iterdir()))) == 3
