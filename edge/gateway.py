"""Turns messages into durable batches: the gateway's core. Knows every stage; no broker, no Pub/Sub, no clock of its own.

Where a reading becomes a batch: `accept` puts it into the journal (from here on it may be acknowledged), `tick` closes its window, makes
the window's summaries, inferences and events, and cuts them into batches; each cut stores the batches, closes their journal rows and
commits the stages' sections in one transaction of edge.store.store, which says who may lose a batch.

Guarantees: what `accept` returned from survives any crash, as reading or as reject; a reading is summarised exactly once and its
events are raised exactly once, however often the process dies between. Not thread-safe: one thread drives it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from edge.closing import Closing
from edge.config import Config
from edge.events.threshold_monitor import ThresholdMonitor
from edge.forgetting import Forgetting
from edge.heartbeats import Heartbeats, counts
from edge.intake.ahead import Ahead
from edge.intake.inbox import Inbox, MqttMessage
from edge.intake.rejects import reject_row
from edge.journaling import Journaling
from edge.listening import Listening
from edge.models.infer import ModelRunner
from edge.models.running import Withheld, begin_measuring, columns_of, needs
from edge.models.sampling import Sampling
from edge.models.slot import Slot
from edge.open_windows import OpenWindows
from edge.store.batch import BatchLimits, EncodedBatch, encode_all
from edge.store.earlier import counted_anew
from edge.store.form import form
from edge.store.section import Section
from edge.store.store import JournalMark, Store
from edge.summaries.thin import STEPS, thinned
from edge.timekeeper import Moment
from edge.uplink.attestor import Attests, NoAttestor
from edge.watcher import Watcher
from program.version import version
from schemas.envelope import Envelope, from_micros, micros
from schemas.records import Heartbeat, Kind, LinkState, TimeQuality
from schemas.releases import FIRST_IN_COLUMNS, is_before

__all__ = ["Gateway", "Links", "MqttMessage"]

_PENDING_SHARE = 16
"""This part of the store may be taken by what deadbands hold back."""
_VERSION = version()


@dataclass(frozen=True, slots=True)
class Links:
    """Holds the state of the gateway's connections, for its heartbeat."""

    uplink: LinkState = LinkState.OFFLINE
    broker: LinkState = LinkState.OFFLINE
    certificate_end: datetime | None = None
    """When the certificate ends by which the gateway enters the broker."""


class Gateway:
    """Drives one store. `tick` wants to be called a few times in each window.

    Usage: `gateway.accept(messages, now)`, acknowledge them, `gateway.tick(now)`; `gateway.flush(now)` at the end.
    """

    def __init__(  # noqa: PLR0913 - made in one place
        self,
        config: Config,
        store: Store,
        started: datetime,
        *,
        slots: Mapping[str, Slot] = MappingProxyType({}),
        clock: Section | None = None,
        attestor: Attests | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        """Resumes open windows and unfinished evaluation from the store.

        `slots` hold models by the name of their [[models]]: where they change `models_changed` is to be called.
        `clock` is the section of who keeps the time, which heartbeats commit; what `attestor` has signed goes
        with them. `watcher` looks on.

        Raises FormError: what is missing to write batches is to be known now, not at the first cut.
        """
        form(config.batches.schema_version)
        self._batch_limits = BatchLimits(
            config.batches.max_rows, min(store.max_batch_bytes, config.uplink.wire.max_body_bytes), config.batches.schema_version
        )
        # A pipeline that knows no shadows would take what they say for verdicts.
        self._tells_shadows = not is_before(config.batches.schema_version, FIRST_IN_COLUMNS)
        store.thin_by(thinned, STEPS, self._batch_limits.body_bytes)
        self._config, self._store, self._started = config, store, started
        self._slots = slots
        self._withheld = Withheld()
        self._windows = OpenWindows(config.windows, store.section, micros(started), store.closed.window_end_us)
        ahead = Ahead(self._windows.offset_us)
        self._inbox = Inbox(config, store.recent_dedup_keys(), store.section, *needs(self._slots), ahead)
        self._monitor, self._runner = ThresholdMonitor(store.section), ModelRunner(store.section)
        self._watcher = watcher or Watcher()
        self._journaling = Journaling(store, self._inbox, self._windows, self._monitor, self._watcher, open_bytes=config.limits.open_bytes)
        self._sampling = Sampling(config.samples, store.section)
        self._closing = Closing(
            self._inbox,
            self._monitor,
            self._runner,
            self._slots,
            config.models,
            self._sampling,
            self._watcher,
            store.section,
            max_held_bytes=store.max_bytes // _PENDING_SHARE,
        )
        self._forgetting = Forgetting(self._inbox, [self._monitor, self._runner, *self._closing.stages], self._watcher)
        self._watcher.resumed(self._inbox.device_names, self._monitor.thresholds)
        self._last_cut = started
        self._heartbeats = Heartbeats(config.gateway, config.batch_seconds, store.ledger)
        self.links = Links()
        self._listening = Listening(timedelta(seconds=config.windows.seconds))
        self.clock_quality = TimeQuality.SYNCED
        self._clock, self._attestor = clock, attestor or NoAttestor()
        self._resume()

    def accept(self, messages: Sequence[MqttMessage], now: datetime) -> list[Envelope]:
        """Returns when every message is durable, so that it may be acknowledged; the batches are those of its events and rejects.

        Raises edge.store.store.StoreFull: acknowledge none of them, and call again, with no messages, until it returns.
        """
        self._inbox.receive(messages, now, self.clock_quality)
        self._journaling.append(now)
        return self._cut_urgent(now)

    def tick(self, now: datetime) -> list[Envelope]:
        """Closes the windows that are due, scores them, cuts what waited long enough. Returns the batches it cut. Raises StoreFull."""
        self._listening.note(now, self.links.broker)
        envelopes, last_cut = self._retime(now) if self._windows.retiming.is_due else [], self._last_cut
        self._close_due(now)
        envelopes += self._cut_urgent(now)
        if _due(last_cut, now, self._config.batch_seconds) or len(self._closing.rows.summaries) >= self._config.batches.max_rows:
            envelopes += self._cut_windows(now)
        states = self.links.uplink, self.links.broker, self.clock_quality
        if self._heartbeats.is_due(now, states=states, was_cut=self._last_cut != last_cut, last_cut=last_cut):
            attested = self._attestor.ready
            heartbeat = replace(self.heartbeat(now), attested_batches=attested.batches, attestation=attested.signature)
            sections = [self._windows.retiming.section, *filter(None, [self._clock])]
            envelopes += self._store.cut(self._encoded(Kind.HEARTBEATS, [heartbeat]), now, sections=sections)
            self._heartbeats.note(now, states, heartbeat.oldest_pending_time)
            begin_measuring(self._slots.values())
            self._attestor.mark_cut(attested)
        return envelopes

    def seconds_to_close(self, now: datetime) -> float:
        """Says in how many seconds the next window is to close; infinity if none is open."""
        return self._windows.seconds_to_close(micros(now))

    def models_changed(self, withheld: Withheld) -> None:
        """Reads what comes from now on as the models need it, and says soon what runs, and which releases do not, and why."""
        self._withheld = withheld
        self._inbox.fit(*needs(self._slots))
        self._runner.forget_others(self._slots.values())
        self._heartbeats.make_due()

    def note_clock(self, moment: Moment) -> None:
        """Follows the clock: to be called with each moment before what happens then."""
        self.clock_quality = moment.quality
        self._windows.note_clock(moment, self._journaling.last_id)

    def sensors_offset(self, now: datetime) -> timedelta | None:
        """Says how much later than dated the readings of most sensors come, None if they do not agree: by their clocks this one is off."""
        return self._windows.sensors_offset(micros(now))

    def end_of_windows(self, now: datetime) -> datetime:
        """Returns when all windows that are open are over, if nothing more comes: `flush` it then to have everything."""
        last_us = self._windows.last_due_time()
        return now if last_us is None else max(now, from_micros(last_us))

    def flush(self, now: datetime) -> list[Envelope]:
        """Cuts what is closed or pending, and a last heartbeat, for a clean stop. Open windows stay in the journal."""
        self._close_due(now)
        self._closing.release_all()
        self._heartbeats.make_due()
        self._last_cut = datetime.min.replace(tzinfo=now.tzinfo)
        return self.tick(now)

    def heartbeat(self, now: datetime) -> Heartbeat:
        """Returns the gateway's state and ledger."""
        ledger = self._store.ledger()
        return Heartbeat(
            heartbeat_time=now,
            started_time=self._started,
            version=_VERSION,
            **columns_of(self._slots, self._withheld),
            time_quality=self.clock_quality,
            **counts(ledger, Counter(ledger.counters) + self._inbox.counted, self._batch_limits.schema_version),
            devices_seen=self._inbox.devices,
            uplink_state=self.links.uplink,
            broker_state=self.links.broker,
            listening_since_time=self._listening.since,
            certificate_end_time=self.links.certificate_end,
            earlier_epochs=self._store.earlier_epochs(),
        )

    def _resume(self) -> None:
        """Opens the windows of the journal again, and counts anew what a damaged store lost."""
        open_readings = self._journaling.resume()
        if counted := counted_anew(self._store.ledger(), open_readings + self._closing.readings_held):
            self._store.cut([], self._started, counters=counted)

    def _retime(self, now: datetime) -> list[Envelope]:
        """Reads the journal again, with the times put right of what came before the clock was known: once all of it is open or cut."""
        self._close_due(now)
        envelopes = self._cut_urgent(now) + self._cut_windows(now)
        self._store.cut([], now, sections=[self._windows.retiming.section])
        self._journaling.reopen()
        self._windows.retiming.is_due = False
        return envelopes

    def _close_due(self, now: datetime) -> None:
        self._closing.close(self._windows.advance(micros(now)), self._windows.is_over)

    def _cut_urgent(self, now: datetime) -> list[Envelope]:
        """Cuts rejects, and events with the changes that raised them."""
        envelopes: list[Envelope] = []
        while rejected := self._inbox.next_rejected():
            rows = [reject_row(each, now) for each in rejected]
            batches = self._encoded(Kind.REJECTS, rows)
            sections, counters = [self._inbox.rejected_keys], {"readings_rejected": len(rejected)}
            envelopes += self._store.cut(batches, now, sections=sections, counters=counters)
            self._inbox.rejected_cut(len(rejected))
            self._watcher.rejects(rows)
        if self._monitor.events:
            batches = self._encoded(Kind.EVENTS, self._monitor.events)
            envelopes += self._store.cut(batches, now, sections=[*self._monitor.sections, self._journaling.evaluated()])
            self._journaling.mark_cut()
            self._watcher.events(self._monitor.events)
            self._monitor.mark_committed()
        return envelopes

    def _cut_windows(self, now: datetime) -> list[Envelope]:
        """Cuts everything closed, with the sections it led to, in the transaction that closes its journal rows.

        It is called right after the windows were advanced alone: each row up to the watermark is then in a closed window.
        """
        forgotten = self._forgetting.forget()
        if not (self._closing.is_waiting or forgotten):
            return []
        rows = self._closing.rows
        watermark = self._windows.watermark_us
        batches = self._encoded(Kind.SUMMARIES, rows.summaries, rows.readings)
        batches += self._encoded(Kind.INFERENCES, rows.inferences if self._tells_shadows else rows.verdicts)
        batches += self._sampling.batches(lambda samples: self._encoded(Kind.SAMPLES, samples), now)
        sections = [*self._forgetting.sections, *self._windows.sections(), *self._sampling.sections]
        counters = (
            Counter(readings_summarised=sum(rows.readings) + rows.set_aside, inferences_failed=self._runner.failed) + self._inbox.counted
        )
        envelopes = self._store.cut(
            batches, now, closed=JournalMark(watermark, self._journaling.last_id), sections=sections, counters=counters
        )
        self._closing.mark_cut()
        self._runner.failed, self._last_cut = 0, now
        self._inbox.counted.clear()
        return envelopes

    def _encoded(self, kind: Kind, rows: Sequence[Any], readings: Sequence[int] = ()) -> list[EncodedBatch]:
        return encode_all(kind, rows, readings, self._batch_limits)


def _due(last: datetime, now: datetime, seconds: int) -> bool:
    """Says whether so many seconds are over: a clock that jumped back must not put anything off for years."""
    return abs(now - last) >= timedelta(seconds=seconds)
