"""Makes what twenty gateways send, from a seed, with repeats; and says what views and rollups must then show, to the last bit.

Values are whole numbers, so that sums are exact in any order. Messages are made by the gateway's own code.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.pubsub_v1.types import PubsubMessage

from edge.store.batch import encode
from edge.store.store import OutboxBatch
from edge.uplink.google_publisher import publish_request
from lab.acts.gateways import TOPIC
from lab.world.named_keys import agreed_key, registered
from lab.world.summary import summary_of
from schemas.records import Device, Kind, Site, Summary
from schemas.registry import Registry

GATEWAYS, SITES = 20, 4
CHANNELS = ("c1", "c2", "c3")
VALUES = 3
"""So many a window, of one minute."""
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)

SiteHour = tuple[str, str, datetime]
"""Is a site, a channel and the start of an hour."""


@dataclass(frozen=True, slots=True)
class Load:
    """Is so many messages of batches that are different, of the hours from `begin`; each has a row for every channel of a device."""

    messages: int
    begin: datetime
    repeated: float = 0.2
    """So many more come again, as a share."""
    shards: int = 0
    """So many parts the sites are in; 0: messages have no shard."""

    @classmethod
    def until(cls, end: datetime, messages: int, repeated: float = 0.2, shards: int = 0) -> Load:
        """Returns a load of the hours before `end`."""
        minutes = -(-messages // GATEWAYS)
        begin = end.replace(minute=0, second=0, microsecond=0) - -(-minutes // 60) * _HOUR
        return cls(messages, begin, repeated, shards)

    @property
    def rows(self) -> int:
        return self.messages * len(CHANNELS)

    def published(self, rng: random.Random, together: int = 50) -> Iterator[list[PubsubMessage]]:
        """Yields messages by portions, each with some that came before."""
        sent: list[PubsubMessage] = []
        for first in range(0, self.messages, together):
            portion = [self._message(number) for number in range(first, min(first + together, self.messages))]
            sent += portion
            yield portion + rng.sample(sent, round(len(portion) * self.repeated))

    def sums(self) -> dict[SiteHour, tuple[int, float]]:
        """Returns count and sum of every hour of every site and channel."""
        counts, sums = Counter[SiteHour](), Counter[SiteHour]()
        for number in range(self.messages):
            for row in self._rows(number):
                key = _site(number % GATEWAYS), row.channel, row.window_start.replace(minute=0)
                counts[key] += row.count
                sums[key] += int(row.sum)
        return {key: (count, float(sums[key])) for key, count in counts.items()}

    def _message(self, number: int) -> PubsubMessage:
        rows = self._rows(number)
        batch = encode(Kind.SUMMARIES, rows)
        envelope = batch.envelope(_gateway(number % GATEWAYS), 7, number // GATEWAYS + 1, batch.time_max + _MINUTE)
        signature = agreed_key(envelope.gateway_id).signature(envelope.attributes(), batch.body)
        return publish_request(TOPIC, [OutboxBatch(number, envelope, batch.body, signature)], self._shard(number % GATEWAYS)).messages[0]

    def _shard(self, gateway: int) -> str | None:
        """Returns the shard of a gateway: gateways of one site are in one."""
        return str(gateway % SITES % self.shards + 1) if self.shards else None

    def _rows(self, number: int) -> Sequence[Summary]:
        start, seq = self.begin + number // GATEWAYS * _MINUTE, number // GATEWAYS * VALUES + 1
        return [_summary(_device(number % GATEWAYS), channel, start, seq, number + at) for at, channel in enumerate(CHANNELS)]


def registry() -> Registry:
    """Returns where the devices stand: one for each gateway, on a few sites; and the gateways' keys."""
    return Registry(
        tuple(Site(site_id=_site(number), name=_site(number), valid_from=_ALWAYS) for number in range(SITES)),
        tuple(Device(_device(number), "engine", _site(number), _ALWAYS, None) for number in range(GATEWAYS)),
        gateways=registered(map(_gateway, range(GATEWAYS))),
    )


def _summary(device_id: str, channel: str, start: datetime, seq: int, first: int) -> Summary:
    values = [float(first % 97 + at) for at in range(VALUES)]
    last, seqs = start + timedelta(seconds=50), (seq, seq + VALUES - 1)
    return summary_of(values, device_id=device_id, channel=channel, unit="1", window_start=start, last_time=last, seq_ranges=seqs)


def _gateway(number: int) -> str:
    return f"gateway-{number:02}"


def _device(gateway: int) -> str:
    return f"engine-{gateway:02}"


def _site(gateway: int) -> str:
    return f"site-{gateway % SITES}"
