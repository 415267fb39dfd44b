"""Counts what was lost and what is repeated, outside the system under test: sets of names, after Jepsen's total-queue.

A name is a reading (device, seq) or the bytes of a message that is no reading. *attempted* is what the sensors say, *acknowledged*
what was seen on the wire (lab.witness.tap), *delivered* what the fact views show (lab.witness.delivered), *declared* what a ledger
says was dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

Name = tuple[str, int] | bytes


@dataclass(frozen=True, slots=True)
class Delivered:
    """What the views show: the names, and how many times more than once they are shown."""

    names: frozenset[Name]
    repeated: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """`lost` = acknowledged - delivered - declared; `unexpected` = delivered - attempted; both must be empty, and `repeated` 0."""

    attempted: int
    acknowledged: int
    delivered: int
    declared: int
    lost: tuple[Name, ...]
    unexpected: tuple[Name, ...]
    repeated: int

    @property
    def sound(self) -> bool:
        return not self.lost and not self.unexpected and not self.repeated


@dataclass(frozen=True, slots=True)
class Shown:
    """What a fact view shows of one channel of one device: sequence numbers as [first, last, ...] and the number of values."""

    device_id: str
    channel: str
    seq_ranges: Sequence[int]
    values: int


def judge(attempted: Collection[Name], acknowledged: Collection[Name], delivered: Delivered, declared: Collection[Name] = ()) -> Verdict:
    """Pure set arithmetic."""
    said, held = set(attempted), set(acknowledged)
    lost = held - delivered.names - set(declared)
    unexpected = delivered.names - said
    return Verdict(len(said), len(held), len(delivered.names), len(set(declared)), _sorted(lost), _sorted(unexpected), delivered.repeated)


def delivered_names(shown: Sequence[Shown], channels: Callable[[str], Collection[str]], set_aside: Mapping[bytes, int]) -> Delivered:
    """A reading is delivered when each of its device's `channels` is shown. `set_aside`: bytes in the rejects view -> how often."""
    held: dict[str, dict[str, set[int]]] = {}
    too_many: Counter[str] = Counter()
    for one in shown:
        seqs = expand(one.seq_ranges)
        held.setdefault(one.device_id, {})[one.channel] = seqs
        too_many[one.device_id] = max(too_many[one.device_id], one.values - len(seqs))
    readings = {
        (device, seq)
        for device, by_channel in held.items()
        for seq in set.intersection(*(by_channel.get(channel, set()) for channel in channels(device)))
    }
    repeated = sum(too_many.values()) + sum(times - 1 for times in set_aside.values())
    return Delivered(frozenset(readings | set(set_aside)), repeated)


def expand(ranges: Sequence[int]) -> set[int]:
    """[1, 3, 7, 7] -> {1, 2, 3, 7}."""
    return {seq for first, last in zip(ranges[::2], ranges[1::2], strict=True) for seq in range(first, last + 1)}


def _sorted(names: Collection[Name]) -> tuple[Name, ...]:
    return tuple(sorted(names, key=repr))
