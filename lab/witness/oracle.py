"""Counts what was lost and what is repeated, outside the system under test: sets of keys, after Jepsen's total-queue.

A key names a reading (device, seq) or a message that is no reading (its bytes). *attempted* comes from the sensors' log, *acknowledged*
from the wire (lab.witness.tap), *delivered* from the fact views (lab.witness.delivered), *declared* from a ledger of what was dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

MessageKey = tuple[str, int] | bytes


@dataclass(frozen=True, slots=True)
class DeliveredKeys:
    """The views show these keys, and show a key again so often."""

    keys: frozenset[MessageKey]
    repeated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Holds the outcome: `lost` = acknowledged - delivered - declared; `unexpected` = delivered - attempted.

    Both must be empty, and `repeated` 0.
    """

    attempted: int
    acknowledged: int
    delivered: int
    declared: int
    lost: tuple[MessageKey, ...]
    unexpected: tuple[MessageKey, ...]
    repeated: int

    @property
    def sound(self) -> bool:
        return not self.lost and not self.unexpected and not self.repeated


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """A fact view shows this of one channel of one device: sequence numbers as [first, last, ...] and the number of values."""

    device_id: str
    channel: str
    seq_ranges: Sequence[int]
    values: int


def judge(
    attempted: Collection[MessageKey], acknowledged: Collection[MessageKey], delivered: DeliveredKeys, declared: Collection[MessageKey] = ()
) -> Verdict:
    """Compares the four sets: `judge(log.attempted(), log.keys(tap.acknowledged()), delivered)`."""
    return Verdict(
        attempted=len(set(attempted)),
        acknowledged=len(set(acknowledged)),
        delivered=len(delivered.keys),
        declared=len(set(declared)),
        lost=_sorted(set(acknowledged) - delivered.keys - set(declared)),
        unexpected=_sorted(delivered.keys - set(attempted)),
        repeated=delivered.repeated,
    )


def delivered_keys(
    facts: Sequence[ChannelFacts], channels: Callable[[str], Collection[str]], rejected: Mapping[bytes, int]
) -> DeliveredKeys:
    """Finds the readings whose `channels` are all shown, and the rejected messages. `rejected`: bytes in the rejects view -> how often."""
    seqs_of: dict[str, dict[str, set[int]]] = {}
    surplus: Counter[str] = Counter()
    for row in facts:
        seqs = expand(row.seq_ranges)
        seqs_of.setdefault(row.device_id, {})[row.channel] = seqs
        surplus[row.device_id] = max(surplus[row.device_id], row.values - len(seqs))
    readings = {
        (device, seq)
        for device, by_channel in seqs_of.items()
        for seq in set.intersection(*(by_channel.get(channel, set()) for channel in channels(device)))
    }
    repeated = sum(surplus.values()) + sum(times - 1 for times in rejected.values())
    return DeliveredKeys(frozenset(readings | set(rejected)), repeated)


def expand(ranges: Sequence[int]) -> set[int]:
    """Expands ranges: [1, 3, 7, 7] -> {1, 2, 3, 7}."""
    return {seq for first, last in zip(ranges[::2], ranges[1::2], strict=True) for seq in range(first, last + 1)}


def _sorted(keys: Collection[MessageKey]) -> tuple[MessageKey, ...]:
    return tuple(sorted(keys, key=repr))
