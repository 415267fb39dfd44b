"""A card file holds the outbox, whole or not at all, and a cut one gives back what is sound."""

import io
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.store.store import Store
from edge.uplink.export import export
from schemas.envelope import Envelope, entries
from tests.edge.parcels import NOW, parcel


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.db", "gw-1", 16 << 20)
    yield store
    store.close()


def read(paths: list[Path]) -> list[tuple[Envelope, bytes]]:
    """Every entry of the files, which must all be sound."""
    held = []
    for path in paths:
        with path.open("rb") as file:
            for one in entries(file):
                assert not isinstance(one, bytes), f"{path} holds what is no entry"
                held.append((Envelope.parse(one[0]), one[1]))
    return held


def test_the_card_holds_what_waits_in_order_and_it_still_waits(store: Store, tmp_path: Path) -> None:
    cut = store.cut([parcel(kind, bytes([number]) * number) for number, kind in enumerate(["summaries", "events", "rejects"] * 30, 1)], NOW)
    store.confirm([1, 50])
    (card,) = export(store, tmp_path / "card" / "new")
    assert card.path.name == f"gw-1-{store.epoch}-2.tbb"
    assert (card.batches, card.bytes) == (88, card.path.stat().st_size)
    assert read([card.path]) == [(envelope, bytes([envelope.seq]) * envelope.seq) for envelope in cut if envelope.seq not in {1, 50}]
    assert store.ledger().pending == 88


def test_large_outboxes_become_several_cards_of_bounded_size(store: Store, tmp_path: Path) -> None:
    store.cut([parcel(body=bytes(3000)) for _ in range(100)], NOW)
    cards = export(store, tmp_path / "card", card_bytes=20_000)
    assert len(cards) > 10
    assert all(card.bytes <= 20_000 for card in cards)
    assert [envelope.seq for envelope, _ in read([card.path for card in cards])] == list(range(1, 101))
    assert len({card.path for card in cards}) == len(cards)


def test_a_batch_larger_than_a_card_has_one_for_itself(store: Store, tmp_path: Path) -> None:
    store.cut([parcel(), parcel(body=bytes(3000)), parcel()], NOW)
    assert [card.batches for card in export(store, tmp_path, card_bytes=1000)] == [1, 1, 1]


def test_an_empty_outbox_makes_no_file(store: Store, tmp_path: Path) -> None:
    assert export(store, tmp_path / "card") == []
    assert list((tmp_path / "card").iterdir()) == []


def test_exporting_twice_replaces_the_file(store: Store, tmp_path: Path) -> None:
    store.cut([parcel()], NOW)
    export(store, tmp_path / "card")
    store.cut([parcel()], NOW)
    (card,) = export(store, tmp_path / "card")
    assert [path.name for path in (tmp_path / "card").iterdir()] == [card.path.name]
    assert len(read([card.path])) == 2


def test_a_full_card_leaves_no_half_file_and_the_old_one_untouched(store: Store, tmp_path: Path) -> None:
    store.cut([parcel(body=b"small")], NOW)
    (card,) = export(store, tmp_path / "card")
    store.cut([parcel(body=bytes(100_000)) for _ in range(20)], NOW)
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            export(store, tmp_path / "card")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert list((tmp_path / "card").iterdir()) == [card.path]
    assert [body for _, body in read([card.path])] == [b"small"]


def test_a_card_cut_short_at_any_byte_gives_its_whole_entries_and_the_rest_as_bytes(store: Store, tmp_path: Path) -> None:
    store.cut([parcel(body=b"first"), parcel(body=b"second")], NOW)
    (card,) = export(store, tmp_path)
    content = card.path.read_bytes()
    first_ends = content.index(b"TBB1", 4)
    for length in range(1, len(content)):
        held = list(entries(io.BytesIO(content[:length])))
        whole = [one[1] for one in held if not isinstance(one, bytes)]
        rest = b"".join(one for one in held if isinstance(one, bytes))
        assert whole == ([b"first"] if length >= first_ends else [])
        assert rest == content[first_ends if length >= first_ends else 0 : length]
