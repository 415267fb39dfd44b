"""Lists the drills; what each needs to know of a drill is in lab/drills/drill.py."""

from __future__ import annotations

from collections.abc import Mapping

from lab.drills import (
    bad_deploy,
    clock_jump,
    duplicate_storm,
    moved_device,
    outage,
    power_cut,
    schema_change,
    shuffled_month,
    silent_sensor,
)
from lab.drills.drill import Drill

DRILLS: Mapping[str, Drill] = {
    drill.NAME: drill
    for drill in (outage, duplicate_storm, shuffled_month, clock_jump, schema_change, silent_sensor, moved_device, power_cut, bad_deploy)
}
