"""The gateway's core: messages in, durable batches out. Knows every stage; no broker, no Pub/Sub, no clock of its own.

Guarantees: what `accept` returned from survives any crash, as reading or as reject; a reading is summarised exactly once and its
events are raised exactly once, however often the process dies between. Not thread-safe: one thread drives it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from edge.config import Config, Sensors
from edge.events.threshold_monitor import ThresholdMonitor
from edge.intake.inbox import Inbox, Message
from edge.intake.rejects import portion, reject
from edge.models.bundle import Bundle
from edge.models.infer import Models, NoScores, Scores
from edge.reading import Reading
from edge.store.batch import EncodedBatch, encode
from edge.store.store import Closed, Entry, Store
from edge.summaries.deadband import CountedSummary, Deadbands
from edge.summaries.summarise import summaries
from edge.windows import Placed, Window, Windows, pack, unpack
from program.version import version
from schemas.envelope import Envelope, micros
from schemas.records import Heartbeat, Inference, Summary, TimeQuality

__all__ = ["Gateway", "Links", "Message"]

_NEVER = -(2**62)
_WATERMARK, _EVALUATED, _REJECTED = "watermark", "evaluated", "rejected"
_READINGS_A_COMMIT = 500


_VERSION = version()


@dataclass(frozen=True, slots=True)
class Links:
    """State of the gateway's connections, for its heartbeat: online or offline."""

    uplink: str = "offline"
    broker: str = "offline"


class Gateway:
    """Drives one store. `tick` wants to be called a few times in each window."""

    def __init__(
        self, config: Config, store: Store, started: datetime, *, scorer: Scores | None = None, bundles: Mapping[str, Bundle] | None = None
    ) -> None:
        """`bundles` by the name of their [[models]]. Resumes open windows and unfinished evaluation from the store."""
        memory = store.memory()
        self._config, self._store, self._started, self._bundles = config, store, started, dict(bundles or {})
        spectra = {name: bundle.recipe.spectrum for name, bundle in self._bundles.items() if bundle.recipe.spectrum}
        self._intray = Inbox(config, store.recent_identities(), memory.get(_REJECTED, b""), spectra)
        # As if it had ticked all the while: so a death between two cuts does not change which readings are late.
        watermark = max(int(memory.get(_WATERMARK, _NEVER)), micros(started) - config.windows.grace_seconds * 1_000_000)
        self._windows = Windows(config.windows.seconds, config.windows.grace_seconds, watermark)
        self._watch, self._models, self._holds = ThresholdMonitor(memory), Models(scorer or NoScores(), memory), Deadbands(memory)
        self._deadbands = {model.name: model.deadband for model in config.models}
        self._closed_windows = _Rows([], [], [])
        self._summarised: Counter[str] = Counter()
        # Not the highest id replayed: what the last cut closed may lie above it, and Closed never descends.
        self._evaluated, self._last_id = int(memory.get(_EVALUATED, 0)), store.ledger().journaled
        self._last_cut, self._last_heartbeat = started, datetime.min.replace(tzinfo=started.tzinfo)
        self.links = Links()
        self.clock_quality = TimeQuality.SYNCED
        for journal_id, end_us, body in store.replay():
            self._apply(journal_id, unpack(body), end_us)

    def accept(self, messages: Sequence[Message], now: datetime) -> list[Envelope]:
        """Returns when every message is durable, so that it may be acknowledged; the batches are those of its events and rejects.

        Raises edge.store.store.StoreFull: acknowledge none of them, and call again, with no messages, until it returns.
        """
        self._intray.take(messages, now, self.clock_quality)
        while part := self._intray.readings[:_READINGS_A_COMMIT]:
            self._append([one.reading for one in part], b"".join(one.dedup_key for one in part if one.dedup_key))
            del self._intray.readings[: len(part)]
        return self._cut_urgent(now)

    def tick(self, now: datetime) -> list[Envelope]:
        """Closes the windows that are due, scores them, cuts what waited long enough. Returns the batches it cut. Raises StoreFull."""
        self._close_due(now)
        made = self._cut_urgent(now)
        if _due(self._last_cut, now, self._config.batch_seconds) or len(self._closed_windows.summaries) >= self._config.batches.max_rows:
            made += self._cut_windows(now)
        if _due(self._last_heartbeat, now, self._config.gateway.heartbeat_seconds):
            made += self._store.cut([encode("heartbeats", [self.heartbeat(now)])], now)
            self._last_heartbeat = now
        return made

    def flush(self, now: datetime) -> list[Envelope]:
        """For a clean stop: cuts what is closed or held, and a last heartbeat. Open windows stay in the journal."""
        self._close_due(now)
        self._closed_windows.add(self._holds.all())
        self._last_heartbeat = datetime.min.replace(tzinfo=now.tzinfo)
        self._last_cut = self._last_heartbeat
        return self.tick(now)

    def heartbeat(self, now: datetime) -> Heartbeat:
        """The gateway's state and ledger."""
        ledger = self._store.ledger()
        counted = Counter(ledger.counters) + self._summarised + self._intray.counted
        return Heartbeat(
            heartbeat_time=now,
            started_time=self._started,
            version=_VERSION,
            runtime=self._models.runtime,
            models=json.dumps({name: bundle.sha256 for name, bundle in sorted(self._bundles.items())}),
            time_quality=self.clock_quality,
            readings_stored=ledger.journaled,
            readings_repeated=counted["readings_repeated"],
            readings_rejected=counted["readings_rejected"],
            readings_summarised=counted["readings_summarised"],
            readings_dropped=ledger.readings_dropped,
            batches_cut=ledger.cut,
            batches_confirmed=ledger.confirmed,
            batches_pending=ledger.pending,
            batches_dropped=ledger.dropped,
            dropped_ranges=ledger.dropped_ranges,
            oldest_pending_time=ledger.oldest_pending_time,
            store_bytes=ledger.store_bytes,
            store_bytes_max=ledger.store_bytes_max,
            devices_seen=self._intray.devices,
            uplink_state=self.links.uplink,
            broker_state=self.links.broker,
        )

    def _append(self, readings: Sequence[Reading], identities: bytes) -> None:
        placed = self._windows.place(readings)
        ids = self._store.append([Entry(one.window_end_us, pack(one), len(one.readings)) for one in placed], identities)
        for one in placed:
            self._apply(ids[-1], one, one.window_end_us)

    def _apply(self, journal_id: int, placed: Placed, end_us: int) -> None:
        self._windows.add(placed, end_us)
        self._last_id = max(self._last_id, journal_id)
        if journal_id > self._evaluated:
            for reading in placed.readings:
                sensors = self._intray.sensors(reading.device_id)
                self._watch.reading(sensors.thresholds if sensors else (), reading)

    def _close_due(self, now: datetime) -> None:
        for group in _by_end(self._windows.advance(micros(now))):
            self._close(group)
        self._closed_windows.add(self._holds.expired(self._windows.watermark_us))

    def _close(self, group: Sequence[Window]) -> None:
        """Summarises and scores windows of the same end."""
        for window in group:
            sensors = self._sensors(window)
            made = summaries(window, sensors.units if sensors else {})
            for told in map(CountedSummary, made, [len(window.readings), *[0] * (len(made) - 1)]):
                self._closed_windows.add(self._held_or_told(told, sensors))
        for name, bundle in self._bundles.items():
            chosen = [window for window in group if not window.late and (of := self._sensors(window)) and of.model == name]
            for inference, window in self._models.infer(bundle, chosen):
                sensors = self._sensors(window)
                if self._holds.is_news(inference, self._deadbands.get(name, 0.0), sensors.hold_seconds if sensors else 0):
                    self._closed_windows.inferences.append(inference)
                self._watch.inference(inference, window, bundle)

    def _held_or_told(self, told: CountedSummary, sensors: Sensors | None) -> Iterable[CountedSummary]:
        deadband = sensors.deadband.get(told.summary.channel) if sensors and not told.summary.late else None
        return self._holds.take(told, deadband, sensors.hold_seconds) if sensors and deadband else [told]

    def _sensors(self, window: Window) -> Sensors | None:
        return self._intray.sensors(window.device_id)

    def _cut_urgent(self, now: datetime) -> list[Envelope]:
        """Rejects, and events with the states they led to."""
        made: list[Envelope] = []
        while part := portion(self._intray.refusals):
            parcel = encode("rejects", [reject(refusal, now) for refusal in part])
            identities = {_REJECTED: self._intray.identities_with(len(part))}
            made += self._store.cut([parcel], now, memory=identities, counters={"readings_rejected": len(part)})
            self._intray.refused(len(part))
        if self._watch.events:
            states = {**self._watch.changed, _EVALUATED: str(self._last_id).encode()}
            made += self._store.cut(_parcels("events", self._watch.events, self._config.batches.max_rows), now, memory=states)
            self._evaluated = self._last_id
            self._watch.stored()
        return made

    def _cut_windows(self, now: datetime) -> list[Envelope]:
        """Everything closed, with the feature memory it led to, in the transaction that closes its journal rows.

        Only right after the windows were advanced: each row up to the watermark is then in a closed window.
        """
        rows = self._closed_windows
        if not rows.summaries and not self._holds.changed:
            return []
        most, watermark = self._config.batches.max_rows, self._windows.watermark_us
        parcels = _parcels("summaries", rows.summaries, most, rows.readings) + _parcels("inferences", rows.inferences, most)
        memory = {**self._models.changed, **self._holds.changed, _WATERMARK: str(watermark).encode()}
        counters = Counter(readings_summarised=sum(rows.readings), inferences_failed=self._models.failed) + self._intray.counted
        made = self._store.cut(parcels, now, closed=Closed(watermark, self._last_id), memory=memory, counters=counters)
        self._closed_windows, self._models.failed, self._last_cut = _Rows([], [], []), 0, now
        self._intray.counted.clear()
        self._models.stored()
        self._holds.stored()
        return made


@dataclass(slots=True)
class _Rows:
    """Of windows closed and not cut yet. `readings[i]` is how many readings are first told of by `summaries[i]`."""

    summaries: list[Summary]
    readings: list[int]
    inferences: list[Inference]

    def add(self, told: Iterable[CountedSummary]) -> None:
        for summary, readings in told:
            self.summaries.append(summary)
            self.readings.append(readings)


def _by_end(windows: Sequence[Window]) -> Iterator[list[Window]]:
    return (list(group) for _, group in groupby(windows, key=lambda window: window.end_us))


def _due(last: datetime, now: datetime, seconds: int) -> bool:
    """A clock that jumped back must not put anything off for years."""
    return abs(now - last) >= timedelta(seconds=seconds)


def _parcels(kind: str, rows: Sequence[Any], most: int, readings: Sequence[int] = ()) -> list[EncodedBatch]:
    return [encode(kind, rows[at : at + most], sum(readings[at : at + most])) for at in range(0, len(rows), most)]
