"""What the vibration model looks at: how far each band of the spectrum has risen above what is usual for this machine, and the kurtosis.

Every machine sounds different, so that no energy means anything by itself; what a month has made usual does.
"""

from __future__ import annotations

from typing import Any

from training.machine import RATE_HZ, SAMPLES

CHANNEL = "acceleration"
CHANNELS = {CHANNEL: "m/s2"}
EDGES_HZ = [60, 555, 1050, 1545, 2040, 2535, 3030, 3525, 4020, 4515, 5010, 5505, 6000]
_USUAL_HOURS = 720
_BANDS = [f"band{number:02}" for number in range(len(EDGES_HZ) - 1)]


def _rise(band: str) -> list[dict[str, Any]]:
    source = f"{CHANNEL}_{band}"
    return [
        {"name": f"usual_{band}", "op": "usual", "of": [source], "hours": _USUAL_HOURS},
        {"name": f"rise_{band}", "op": "difference", "of": [source, f"usual_{band}"]},
    ]


RECIPE: dict[str, Any] = {
    "young_hours": 24,
    "gap_hours": 720,
    "spectrum": {"channel": CHANNEL, "rate_hz": RATE_HZ, "samples": SAMPLES, "edges_hz": EDGES_HZ},
    "steps": [*(step for band in _BANDS for step in _rise(band)), {"name": "shocks", "op": "last", "of": [f"{CHANNEL}_kurtosis"]}],
    "inputs": [*(f"rise_{band}" for band in _BANDS), "shocks"],
}
