"""Shows how long a reading takes to become a row."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lab.acts.gateways import LIVE
from lab.acts.run_record import RunRecord
from lab.report import charts
from lab.report.sections.points import affected_by_faults
from lab.witness.latency import percentile
from presentation.svg import both_widths

_DOTS_A_SECOND = 2


def content(record: RunRecord) -> dict[str, Any]:
    """Draws a dot for each batch."""
    unaffected = [arrival.milliseconds / 1000 for arrival in record.unaffected]
    if not unaffected:
        return {"chart": "", "p50": None, "p99": None}
    affected, stacks, dots = affected_by_faults(record), Counter[float](), []
    for arrival in sorted(record.arrivals, key=lambda arrival: (arrival in affected, arrival.milliseconds)):
        place = round(arrival.milliseconds / 1000 * _DOTS_A_SECOND) / _DOTS_A_SECOND
        dots.append({"seconds": place, "height": stacks[place], "affected": arrival in affected})
        stacks[place] += 1
    p50, p99 = percentile(unaffected, 0.5), percentile(unaffected, 0.99)
    high = max(stacks.values())
    marks = [
        {"seconds": p50, "text": f"median {p50:.1f} s", "height": high + 1.8},
        {"seconds": p99, "text": f"99 % within {p99:.1f} s", "height": high + 0.6},
    ]
    longest = max(dot["seconds"] for dot in dots) + 1
    description = f"Latency of {len(dots)} batches: median {p50:.1f} s, 99 percent within {p99:.1f} s of those that no fault affected"
    return {"chart": both_widths(lambda width: charts.latencies(dots, marks, longest, width), description), "p50": p50, "p99": p99}


def lede(content: dict[str, Any]) -> str:
    waiting = f"Waiting for the window of {LIVE.window_seconds} seconds to close is in it."
    times = f": half within {content['p50']:.1f} s, 99 % within {content['p99']:.1f} s" if content["chart"] else ""
    return f"From the newest reading of a batch to its row in the warehouse{times}. {waiting}"
