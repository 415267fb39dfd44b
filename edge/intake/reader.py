"""Reads a message: its topic says which class it is of, the class how its payload becomes readings. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

import msgspec

from edge.config import Config
from edge.intake.ahead import Ahead
from edge.intake.formats import Context, Format, FormatSetup, described_formats, formats
from edge.intake.routes import Routes
from edge.reading import Limits, PayloadError, Reading, Rejected, oversized
from edge.spectrum import Spectrum
from edge.store.section import Section
from edge.units import Range
from schemas.records import TimeQuality

_SYNCED = str(TimeQuality.SYNCED)
"""Is looked at in each message."""


class MqttMessage(msgspec.Struct, frozen=True, gc=False):
    """Holds a message as it arrived. `dup` is the broker's flag: it may have delivered it before; `retain`: it kept it from earlier.

    `left_out` counts bytes at the end of a payload that is too large, which streamed by. `queued`: it may have waited while the gateway
    was away.
    """

    topic: str
    payload: bytes
    dup: bool = False
    retain: bool = False
    left_out: int = 0
    queued: bool = False

    @property
    def may_be_old(self) -> bool:
        """Says that the time of its arrival may be long after it was sent."""
        return self.dup or self.retain or self.queued


class Reader:
    """Knows the classes and formats of a gateway. Usage: `for result in reader.read(message, arrived_us, clock_quality)`."""

    def __init__(
        self,
        config: Config,
        spectra: Mapping[str, Sequence[Spectrum]] | None = None,
        model_ranges: Mapping[str, Mapping[str, Range]] | None = None,
        names: Section | None = None,
        ahead: Ahead | None = None,
    ) -> None:
        """`names` are those of devices, kept over restarts; `spectra` and `model_ranges` are by the name of their [[models]].

        `ahead` knows devices whose clocks are ahead.

        Raises ConfigError for a key file that cannot be read.
        """
        self.counted: Counter[str] = Counter()
        self.routes = Routes(config, names or Section("names"))
        self._known = self.routes.known
        bounds = config.mqtt.max_payload_bytes, config.mqtt.max_future_seconds, config.mqtt.max_age_seconds
        self._limits = Limits(*bounds, is_steadily_ahead=(ahead or Ahead()).is_steady)
        self._unsure_limits = replace(self._limits, is_clock_known=False)
        self._config = config
        self.fit(spectra or {}, model_ranges or {})

    def fit(self, spectra: Mapping[str, Sequence[Spectrum]], model_ranges: Mapping[str, Mapping[str, Range]]) -> None:
        """Reads what comes from now on as these models need it."""
        setup = FormatSetup(self._config, spectra, self.counted, model_ranges, self.routes)
        self._formats, self._described = formats(setup), described_formats(setup)

    def read(self, message: MqttMessage, arrived_us: int, clock_quality: str) -> Iterable[Reading | Rejected]:
        """Returns the readings of the message, and what of it is none. Raises nothing, whatever it holds."""
        payload = message.payload
        if len(payload) > self._limits.max_payload_bytes:
            return [oversized(payload, self._limits, message.left_out)]
        try:
            route = self._known.get(message.topic) or self.routes.of_topic(message.topic)
        except PayloadError as error:
            return [Rejected(error.reason, str(error), payload, error.device_id)]
        sensors = route.sensors
        if message.retain and not sensors.retained:
            self.counted["readings_retained"] += 1
            return ()
        limits = self._limits if clock_quality == _SYNCED else self._unsure_limits
        context = Context(route.device_id or "", sensors, arrived_us, clock_quality, limits, route.channel, route.beside)
        results = _format_of(payload, self._described if sensors.payload else self._formats).read(payload, context)
        return chain(results, self._beside(payload, context)) if route.beside else results

    def _beside(self, payload: bytes, context: Context) -> Iterator[Reading | Rejected]:
        """Yields what is of the other classes in a message; what is of no class, the first has rejected."""
        classes = (context.sensors, *context.beside)
        for sensors in context.beside:
            others = tuple(other for other in classes if other is not sensors)
            each = msgspec.structs.replace(context, sensors=sensors, beside=others)
            results = _format_of(payload, self._described).read(payload, each)
            yield from (result for result in results if result.device_id)


def _format_of(payload: bytes, known: Sequence[Format]) -> Format:
    for payload_format in known:
        if payload_format.claims(payload):
            return payload_format
    raise AssertionError("the last format claims every payload")
