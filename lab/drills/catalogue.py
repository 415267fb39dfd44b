"""Lists the drills; what each needs to know of a drill is in lab/drills/drill.py."""

from __future__ import annotations

from collections.abc import Mapping

from lab.drills import outage, power_cut, silent_sensor
from lab.drills.drill import Drill

DRILLS: Mapping[str, Drill] = {drill.NAME: drill for drill in (outage, power_cut, silent_sensor)}
