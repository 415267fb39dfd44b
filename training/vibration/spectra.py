"""Says what the vibration model looks at: how far each band of the spectrum has risen above what is usual for this machine, in terms of how
far it usually strays, and the kurtosis.

Every machine sounds different, so that no energy means anything by itself; what a month has made usual does. A machine whose gear tone
wanders from band to band strays further there than others, and is forgiven as much.
"""

from __future__ import annotations

from typing import Any

from training.vibration.machine import RATE_HZ, SAMPLES

CHANNEL = "acceleration"
CHANNELS = {CHANNEL: "m/s2"}
EDGES_HZ = [60, 555, 1050, 1545, 2040, 2535, 3030, 3525, 4020, 4515, 5010, 5505, 6000]
_USUAL_HOURS = 720
_LEAST_STRAY = 0.1
"""Less than this, in decades of energy, is nothing unusual on any machine."""
SUSTAINED_HOURS = 12
"""What the model calls worn or failing most of the time for so long is not learned as usual."""
STANDSTILL = -1.0
"""Decades of energy below what is usual, in the median band. Of 40 simulated machines none that ran fell by more than 0.21, and none that
was switched off by less than 2.3, or 2.1 with mains hum in its sensor."""
_BANDS = [f"band{number:02}" for number in range(len(EDGES_HZ) - 1)]


def _steps(band: str) -> list[dict[str, Any]]:
    return [
        {"name": f"usual_{band}", "op": "usual", "of": [f"{CHANNEL}_{band}"], "hours": _USUAL_HOURS},
        {"name": f"rise_{band}", "op": "difference", "of": [f"{CHANNEL}_{band}", f"usual_{band}"]},
        {"name": f"size_{band}", "op": "magnitude", "of": [f"rise_{band}"]},
        {"name": f"stray_{band}", "op": "usual", "of": [f"size_{band}"], "hours": _USUAL_HOURS},
        {"name": f"unusual_{band}", "op": "ratio", "of": [f"rise_{band}", f"stray_{band}"], "floor": _LEAST_STRAY},
    ]


RECIPE: dict[str, Any] = {
    "young_hours": 24,
    "gap_hours": 720,
    "spectrum": {"channel": CHANNEL, "rate_hz": RATE_HZ, "samples": SAMPLES, "edges_hz": EDGES_HZ},
    "steps": [*(step for band in _BANDS for step in _steps(band)), {"name": "shocks", "op": "last", "of": [f"{CHANNEL}_kurtosis"]}],
    "inputs": [*(f"unusual_{band}" for band in _BANDS), "shocks"],
    "sustained_hours": SUSTAINED_HOURS,
    "standstill": {"of": [f"rise_{band}" for band in _BANDS], "below": STANDSTILL},
}
