"""A frame -> one reading: the levels of its channel, and the band energies that its class's model asks for. No I/O.

Reduced on arrival, before the journal: one sensor at 12 kHz would fill a store of 512 MiB with raw frames in three hours and wear out its
SD card, while nobody asks for them again. What is promised once a frame is acknowledged is the reading. A frame of 2048 samples costs
about 0.2 ms of a core. A frame of another rate or length than the model's gives levels only, so that it is summarised and not scored;
that is said once for each device and counted each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from edge.config import Config, Sensors
from edge.frame import Frame, decode
from edge.reading import Bands, Limits, PayloadError, Reading, Rejected, event_us
from edge.spectrum import Spectrum, time_domain_features
from program import logs
from schemas.envelope import micros

_MOST_TOLD = 10_000

_log = logs.get(__name__)


class FrameFeatures:
    """Of one gateway."""

    def __init__(self, config: Config, limits: Limits, spectra: Mapping[str, Spectrum], counted: Counter[str]) -> None:
        """`spectra` by the name of their [[models]]. Frames that have no bands though a model wants them are counted as frames_unfit."""
        self._limits, self._spectra, self._counted = limits, dict(spectra), counted
        self._told: set[str] = set()
        if any(sensors.frames for sensors in config.sensors):
            # Now, rather than while the first frame waits for its acknowledgement.
            import numpy as np  # noqa: F401

    def read(self, device_id: str, sensors: Sensors, payload: bytes, now: datetime, clock_quality: str) -> Reading | Rejected:
        """`sensors` is the device's class, `clock_quality` that of the gateway's own clock."""
        arrived = micros(now)
        try:
            frame = _frame(sensors, payload)
            event = event_us(device_id, frame.header, arrived, self._limits)
        except PayloadError as refused:
            return Rejected(refused.reason, str(refused), payload, device_id)
        said = frame.header
        values, bands = time_domain_features(said.channel, frame.samples), self._bands(device_id, sensors, frame)
        return Reading(device_id, event, arrived, clock_quality, said.boot, said.seq, said.time is not None, values, bands)

    def _bands(self, device_id: str, sensors: Sensors, frame: Frame) -> Bands | None:
        spectrum = self._spectra.get(sensors.model or "")
        if spectrum is None or spectrum.channel != frame.header.channel:
            return None
        if not spectrum.fits(frame.header.channel, frame.header.rate_hz, len(frame.samples)):
            self._unfit(device_id, sensors, spectrum, frame)
            return None
        return Bands(spectrum.fingerprint, tuple(spectrum.energies(frame.samples).tolist()))

    def _unfit(self, device_id: str, sensors: Sensors, spectrum: Spectrum, frame: Frame) -> None:
        self._counted["frames_unfit"] += 1
        if device_id in self._told or len(self._told) >= _MOST_TOLD:
            return
        self._told.add(device_id)
        came = f"{len(frame.samples)} samples at {frame.header.rate_hz:g} Hz"
        wanted = f"{spectrum.samples} at {spectrum.rate_hz:g} Hz"
        _log.warning("%s sends frames of %s, model %s wants %s: they are summarised, not scored", device_id, came, sensors.model, wanted)


def _frame(sensors: Sensors, payload: bytes) -> Frame:
    if not sensors.frames:
        raise PayloadError("no_frame_channel", f"the class {sensors.name!r} of [[sensors]] has no frames")
    frame = decode(payload)
    if frame.header.channel not in sensors.frames:
        raise PayloadError(
            "no_frame_channel", f"{frame.header.channel!r} is not among the frames of the class {sensors.name!r} of [[sensors]]"
        )
    return frame
