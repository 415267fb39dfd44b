"""Says for people what a water balance assumed, and why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pipeline.irrigation.fields import Field
from pipeline.irrigation.probes import Verdict
from pipeline.irrigation.weather import Reference
from pipeline.rollup.stats import HOUR
from schemas.envelope import from_micros

OLD_HOURS = 6
"""From which age beside the newest the value of a probe is worth a word."""
APART = 0.5
"""Probes disagree when they lie further apart than this share of the water that the soil can give."""

_SECOND = 1_000_000


def reasons(probes: Iterable[Verdict]) -> str:
    """Says why no probe of moisture can be believed."""
    return "no moisture that can be believed: " + "; ".join(_left_out(probe) for probe in probes)


def assumptions(  # noqa: PLR0913 - all of which may have had to be assumed
    field: Field, age: int, everybody: Iterable[Verdict], probes: Sequence[Verdict], reference: Reference, latest: int
) -> str | None:
    """Says what was not known and how it was filled in, and who was left out; None if nothing. `latest` is the start of the latest hour."""
    sentences = [_age(field, age), reference.assumed, *_percent(probes), *_old(probes, latest), _apart(field, probes)]
    faulty = (_bridged(probe) if probe in probes else _left_out(probe) for probe in everybody if probe.fault)
    return "; ".join(filter(None, [*sentences, *faulty])) or None


def _age(field: Field, age: int) -> str | None:
    if field.site.planted is None:
        return "mid-season: the registry does not say when the crop was planted"
    if age > field.crop.days:
        return f"still in the field, though {field.crop.days} days after planting the season of the table is over"
    return None


def _percent(probes: Iterable[Verdict]) -> Iterator[str]:
    units = sorted({probe.latest.unit for probe in probes} - {"m3/m3", "m³/m³", "cm3/cm3"})
    return (f"moisture in {unit} is percent of the soil's volume" for unit in units)


def _old(probes: Iterable[Verdict], latest: int) -> Iterator[str]:
    for probe in probes:
        if probe.fault is None and latest - probe.sound[-1].start >= OLD_HOURS * HOUR:
            yield f"the last word of {probe.device_id} is of {_clock(probe.sound[-1].start + HOUR)}"


def _apart(field: Field, probes: Sequence[Verdict]) -> str | None:
    ordered = sorted((probe.sound[-1].mean, probe.device_id) for probe in probes)
    if not ordered or ordered[-1][0] - ordered[0][0] <= APART * (field.soil.field_capacity - field.soil.wilting_point):
        return None
    (low, driest), (high, wettest) = ordered[0], ordered[-1]
    return f"the mean of probes that disagree, from {low:.2f} ({driest}) to {high:.2f} m3/m3 ({wettest})"


def _bridged(probe: Verdict) -> str:
    return f"the {probe.channel} of {probe.device_id} is that of {_clock(probe.sound[-1].start + HOUR)}: since then {probe.fault}"


def _left_out(probe: Verdict) -> str:
    return f"{probe.device_id} is left out: {probe.fault or 'its last word is too old'}"


def _clock(seconds: int) -> str:
    return f"{from_micros(seconds * _SECOND):%Y-%m-%d %H:%M} UTC"
