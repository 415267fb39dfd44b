"""Reads frames of raw samples: one frame becomes one reading.

The reading has the time-domain features of the frame's channel and the bands that its class's model asks for. Frames are reduced on
arrival, before the journal: one sensor at 12 kHz would fill a store of 512 MiB with raw frames in three hours and wear out its SD card,
while nobody asks for them again. What is promised once a frame is acknowledged is the reading. A frame of 2048 samples costs about
0.2 ms of a core. A frame of another rate or length than the model's gives time-domain features only, so that it is summarised and not
scored; that is logged once for each device and counted each time. No I/O.
"""

from __future__ import annotations

from collections.abc import Iterator

from edge.frame import MAGIC, Frame, decode
from edge.intake.formats.format import Context, FormatSetup, reading_of
from edge.reading import Bands, PayloadError, Reading, Rejected
from edge.settings.sensors import Sensors
from edge.spectrum import Spectrum, time_domain_features
from program import logs

_MAX_DEVICES_LOGGED = 10_000

_log = logs.get(__name__)


class FrameFormat:
    """Claims payloads that begin with edge.frame.MAGIC. Frames that have no bands though a model wants them count as frames_unfit."""

    def __init__(self, setup: FormatSetup) -> None:
        self._spectra, self._counted = setup.spectra, setup.counted
        self._logged: set[str] = set()
        if any(sensors.frames for sensors in setup.config.sensors):
            # Now, rather than while the first frame waits for its acknowledgement.
            import numpy as np  # noqa: F401

    def claims(self, payload: bytes) -> bool:
        return payload.startswith(MAGIC)

    def read(self, payload: bytes, context: Context) -> Iterator[Reading | Rejected]:
        try:
            yield self._reading(payload, context)
        except PayloadError as error:
            yield Rejected(error.reason, str(error), payload, context.device_id)

    def _reading(self, payload: bytes, context: Context) -> Reading:
        frame = _frame(context.sensors, payload)
        values = time_domain_features(frame.header.channel, frame.samples)
        return reading_of(context, frame.header, values, self._bands(context, frame))

    def _bands(self, context: Context, frame: Frame) -> list[Bands]:
        wanted = [spectrum for spectrum in self._spectra.get(context.sensors.model or "", ()) if spectrum.channel == frame.header.channel]
        fit = [spectrum for spectrum in wanted if spectrum.fits(frame.header.channel, frame.header.rate_hz, len(frame.samples))]
        if wanted and not fit:
            self._unfit(context, wanted[0], frame)
        return [Bands(spectrum.fingerprint, tuple(spectrum.energies(frame.samples).tolist())) for spectrum in fit]

    def _unfit(self, context: Context, spectrum: Spectrum, frame: Frame) -> None:
        self._counted["frames_unfit"] += 1
        if context.device_id in self._logged or len(self._logged) >= _MAX_DEVICES_LOGGED:
            return
        self._logged.add(context.device_id)
        arrived = f"{len(frame.samples)} samples at {frame.header.rate_hz:g} Hz"
        wanted = f"model {context.sensors.model} wants {spectrum.samples} at {spectrum.rate_hz:g} Hz"
        _log.warning("%s sends frames of %s, %s: they are summarised, not scored", context.device_id, arrived, wanted)


def _frame(sensors: Sensors, payload: bytes) -> Frame:
    if not sensors.frames:
        raise PayloadError("no_frame_channel", f"the class {sensors.name!r} of [[sensors]] has no frames")
    frame = decode(payload)
    if frame.header.channel not in sensors.frames:
        raise PayloadError(
            "no_frame_channel", f"{frame.header.channel!r} is not among the frames of the class {sensors.name!r} of [[sensors]]"
        )
    return frame
