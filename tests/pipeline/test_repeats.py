"""A repeat is acknowledged when its batch is known to be written, whatever comes first and in which process."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.elements import BatchName
from pipeline.repeats import WAITING, Repeats, pack_repeats, pack_written
from tests.pipeline.golden_bytes import golden

NAME: BatchName = ("gw1", 7, 1)
_NAMES = st.tuples(st.sampled_from(["gw1", "gw2"]), st.integers(1, 2), st.integers(1, 4))


def test_a_repeat_of_an_unwritten_batch_waits_until_the_batch_is_written() -> None:
    repeats = Repeats()
    assert list(repeats.hear(pack_repeats([(NAME, "again")]))) == []
    assert list(repeats.hear(pack_written([("gw1", 7, 2)]))) == []
    assert list(repeats.hear(pack_written([NAME]))) == ["again"]


def test_a_repeat_of_a_written_batch_is_acknowledged_at_once() -> None:
    repeats = Repeats()
    assert list(repeats.hear(pack_written([NAME]))) == []
    assert list(repeats.hear(pack_repeats([(NAME, "again"), (NAME, "and again")]))) == ["again", "and again"]


@settings(max_examples=40)
@given(st.lists(st.tuples(_NAMES, st.text(min_size=1) | st.none())))
def test_every_repeat_is_acknowledged_once_and_never_before_its_batch_is_written(news: list[tuple[BatchName, str | None]]) -> None:
    """`None` says that the batch is written; the state is packed and read again between any two pieces of news."""
    written: set[BatchName] = set()
    waiting: list[tuple[BatchName, str]] = []
    states: tuple[bytes, bytes] | tuple[None, None] = (None, None)
    for name, ack_id in news:
        repeats = Repeats(*states)
        if ack_id is None:
            written.add(name)
            acknowledged = list(repeats.hear(pack_written([name])))
        else:
            waiting.append((name, ack_id))
            acknowledged = list(repeats.hear(pack_repeats([(name, ack_id)])))
        assert acknowledged == [ack_id for name, ack_id in waiting if name in written]
        waiting = [each for each in waiting if each[0] not in written]
        states = repeats.pack()


def test_the_bytes_of_what_waits_are_read_by_every_later_version() -> None:
    assert WAITING.unpack(golden("waiting_repeats", 1)) == (("gw1", 7, 1, "an id"),)
