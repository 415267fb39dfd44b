"""Simulates what an accelerometer measures on the housing of a machine that turns on a bearing, healthy or at any stage of a fault.

Each machine is its own: speed, load, resonances, noise, unbalance, tones and sensor are drawn from its seed and never change. What is
different from frame to frame is drawn from the generator that is passed in. Deterministic for both: `random_machine(7).frame(0.3, rng)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from training.vibration.bearing import BEARINGS, FAULTS, Bearing, Fault, Floats, OperatingPoint, Slip, strikes

RATE_HZ = 12_000
SAMPLES = 2048
_RINGING_SECONDS = 0.04
_STEPS = 8
"""A strike falls on an eighth of a sample."""
_KNOCKS_A_SECOND = 0.06
Frame = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Mode:
    """A mode is a resonance of the structure: natural frequency, damping ratio, and its share in what a blow excites."""

    hz: float
    damping: float
    share: float


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone comes from what turns with the shaft: times a turn, and amplitude in m/s2 at rated speed."""

    order: float
    amplitude: float


@dataclass(frozen=True, slots=True)
class Sound:
    """Says what a machine sounds like: its tones, and its noise as root mean square in m/s2.

    `tilt` is that of the noise's spectrum (amplitude ~ f^-tilt), `resonant` the share of its power that comes through the resonances,
    `ripple` that of the path in dB, as (cycles an octave, phase, size).
    """

    tones: tuple[Tone, ...]
    noise: float
    tilt: float
    resonant: float
    ripple: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine never changes, but for its wear. `blow` is the peak of a strike in m/s2 at full severity, rated speed and full load;
    `drift` is by what share speed and load vary.
    """

    seed: int
    bearing: Bearing
    fault: Fault
    rated_hz: float
    usual_load: float
    drift: tuple[float, float]
    slip: Slip
    modes: tuple[Mode, ...]
    sound: Sound
    blow: float
    sensor_gain: float
    sensor_noise: float

    def operating_point(self, hours: float) -> OperatingPoint:
        """Returns speed and load at a time of its life: both wander slowly, load also with the hour of the day. Reproducible."""
        rng = np.random.default_rng([self.seed, 1])
        periods, phases = np.array([6.0, 31.0, 170.0]) * rng.uniform(0.8, 1.25, 3), rng.uniform(0, 2 * np.pi, (2, 3))
        speed, load = (np.sin(2 * np.pi * hours / periods + phases).mean(axis=1)).tolist()
        day = np.cos(2 * np.pi * (hours - 14) / 24)
        share = self.usual_load * (1 + self.drift[1] * (load + 0.5 * day))
        return OperatingPoint(self.rated_hz * (1 + self.drift[0] * speed), float(np.clip(share, 0.1, 1.0)))

    def frame(
        self, severity: float, rng: np.random.Generator, operating_point: OperatingPoint | None = None, samples: int = SAMPLES
    ) -> Frame:
        """Draws acceleration in m/s2, shape (samples,), at 12 kHz. `severity` is 0 for a healthy bearing, 1 for one about to fail."""
        point = operating_point or self.operating_point(float(rng.uniform(0, 10_000)))
        signal = self._noise(severity, point, rng, samples) + self._tones(point, rng, samples) + self._knocks(rng, samples)
        if severity > 0:
            signal += self._strikes(severity, point, rng, samples)
        sensor_noise = self.sensor_noise * rng.standard_normal(samples)
        return (self.sensor_gain * signal + sensor_noise).astype(np.float32)

    def _noise(self, severity: float, point: OperatingPoint, rng: np.random.Generator, samples: int) -> Floats:
        """Draws rolling noise, which grows with speed and load, and with wear: a rough race is louder all along."""
        level = (
            self.sound.noise * (point.speed_hz / self.rated_hz) ** 1.5 * (0.75 + 0.5 * point.load) * np.exp(0.06 * rng.standard_normal())
        )
        straight, resonant = _noise_shapes(self, samples)
        shape = np.sqrt(straight**2 + (resonant * (1 + 1.5 * severity**2)) ** 2)
        return level * np.fft.irfft(np.fft.rfft(rng.standard_normal(samples)) * shape, samples)

    def _tones(self, point: OperatingPoint, rng: np.random.Generator, samples: int) -> Floats:
        """Adds up the tones, which grow with the square of speed as unbalance does."""
        growth = (point.speed_hz / self.rated_hz) ** 2
        seconds, start = np.arange(samples) / RATE_HZ, rng.random()
        angles = 2 * np.pi * np.outer([tone.order for tone in self.sound.tones], point.speed_hz * seconds + start)
        return growth * np.array([tone.amplitude for tone in self.sound.tones]) @ np.sin(angles + np.arange(len(angles))[:, None])

    def _knocks(self, rng: np.random.Generator, samples: int) -> Floats:
        """Lets something else strike the machine now and then."""
        seconds = samples / RATE_HZ
        moments = rng.uniform(-_RINGING_SECONDS, seconds, rng.poisson(_KNOCKS_A_SECOND * (seconds + _RINGING_SECONDS)))
        return self._impulse_responses(moments, 6 * self.sound.noise * rng.exponential(size=len(moments)), samples)

    def _strikes(self, severity: float, point: OperatingPoint, rng: np.random.Generator, samples: int) -> Floats:
        """Strikes a spall where it begins and, the longer it is the later, where it ends."""
        span = (-_RINGING_SECONDS, samples / RATE_HZ)
        moments, force = strikes(self.bearing, self.fault, point, self.slip, span=span, rng=rng)
        peak = self.blow * severity**1.5 * (0.4 + 0.6 * point.load) * (point.speed_hz / self.rated_hz)
        width = 0.25 * severity / (self.bearing.strikes(self.fault) * point.speed_hz)
        begin = self._impulse_responses(moments, peak * force, samples)
        return begin + self._impulse_responses(moments + width, 0.5 * severity * peak * force, samples)

    def _impulse_responses(self, moments: Floats, peaks: Floats, samples: int) -> Floats:
        """Adds up what blows at these moments leave in the frame, each ringing down in the machine's resonances."""
        table = _impulse_response(self)
        lead = table.shape[1]
        buffer = np.zeros(lead + samples + lead)
        places = np.round((moments * RATE_HZ + lead) * _STEPS).astype(int)
        for place, peak in zip(places.tolist(), peaks.tolist(), strict=True):
            if 0 <= place < (lead + samples) * _STEPS:
                buffer[place // _STEPS : place // _STEPS + lead] += peak * table[place % _STEPS]
        return buffer[lead : lead + samples]


@lru_cache(maxsize=512)
def _impulse_response(machine: Machine) -> Floats:
    """Returns shape (steps, samples): the response to a blow that falls 0, 1/8, ... 7/8 of a sample late; its largest value is 1."""
    late = np.arange(_STEPS)[:, None] / _STEPS
    seconds = (np.arange(int(_RINGING_SECONDS * RATE_HZ)) - late + 1) / RATE_HZ
    response = sum(
        mode.share
        * np.exp(-mode.damping * 2 * np.pi * mode.hz * seconds)
        * np.sin(2 * np.pi * mode.hz * np.sqrt(1 - mode.damping**2) * seconds)
        for mode in machine.modes
    )
    return np.asarray(response / np.abs(response).max())


@lru_cache(maxsize=512)
def _noise_shapes(machine: Machine, samples: int) -> tuple[Floats, Floats]:
    """Returns what white noise is multiplied with in the spectrum, straight through the path and through the resonances; together their
    power is 1.
    """
    sound = machine.sound
    hz = np.maximum(np.fft.rfftfreq(samples, 1 / RATE_HZ), 20.0)
    octaves = np.log2(hz / 20)
    ripple = sum(size * np.sin(2 * np.pi * (cycles * octaves + phase)) for cycles, phase, size in sound.ripple)
    path = 10 ** (np.asarray(ripple) / 20)
    straight = path * (hz / 1000) ** -sound.tilt
    resonant = path * np.sqrt(
        sum((mode.share / np.abs(1 - (hz / mode.hz) ** 2 + 2j * mode.damping * hz / mode.hz)) ** 2 for mode in machine.modes)
    )
    parts = [np.sqrt(share / np.mean(part**2)) * part for part, share in ((straight, 1 - sound.resonant), (resonant, sound.resonant))]
    return parts[0], parts[1]


def random_machine(seed: int, fault: Fault | None = None) -> Machine:
    """Draws the machine of this seed. `fault` is the one it will have; without it, that is random too."""
    rng = np.random.default_rng([seed, 0])
    random_fault = FAULTS[int(rng.integers(len(FAULTS)))]
    return Machine(
        seed=seed,
        bearing=BEARINGS[int(rng.integers(len(BEARINGS)))],
        fault=fault or random_fault,
        rated_hz=float(rng.uniform(15, 45)),
        usual_load=float(rng.uniform(0.3, 0.9)),
        drift=(float(rng.choice([0.01, 0.03, 0.1])), float(rng.uniform(0.1, 0.5))),
        slip=Slip(float(rng.uniform(-0.01, 0.01)), float(rng.uniform(0.01, 0.02))),
        modes=tuple(
            Mode(float(rng.uniform(low, high)), float(rng.uniform(0.02, 0.08)), float(np.exp(rng.normal(0, 0.5))))
            for low, high in ((900, 2200), (2200, 3800), (3800, 5600))
        ),
        sound=_sound(rng),
        blow=float(30 * np.exp(rng.normal(0, 0.3))),
        sensor_gain=float(rng.normal(1, 0.05)),
        sensor_noise=0.02,
    )


def _sound(rng: np.random.Generator) -> Sound:
    def about(size: float, spread: float) -> float:
        return float(size * np.exp(rng.normal(0, spread)))

    harmonics = tuple(Tone(order, about(size, 0.5)) for order, size in ((1, 0.6), (2, 0.3), (3, 0.15), (4, 0.1)))
    teeth = int(rng.integers(7, 40))
    mesh = tuple(Tone(teeth * order, about(0.5 / order, 0.7)) for order in (1, 2, 3)) if rng.random() < 0.6 else ()
    ripple = tuple((float(rng.uniform(0.15, 0.8)), float(rng.random()), float(abs(rng.normal(0, 2)))) for _ in range(4))
    return Sound((*harmonics, *mesh), about(0.8, 0.4), float(rng.uniform(0.0, 0.8)), float(rng.uniform(0.1, 0.5)), ripple)
