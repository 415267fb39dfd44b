"""Says in words what a model, a threshold or a length of time says. Pure."""

from __future__ import annotations

from datetime import datetime

from edge.page.recent import AlarmNow, VerdictNow
from presentation import wording

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

_ADVICE = {
    ("soil", "now"): "Needs water now",
    ("soil", "soon"): "Needs water soon",
    ("soil", "fine"): "Has enough water",
    ("vibration", "normal"): "Runs as usual",
    ("vibration", "worn"): "Shows wear: look at it at the next stop",
    ("vibration", "failing"): "Is failing: stop it and look",
}
_STATES = {"standing_still": "Stands still", "sensor_disturbed": "Its sensor is disturbed, or gives one value only"}


def advice(verdict: VerdictNow) -> str:
    """Says what a verdict means for who stands there; of a model that is not ours, what it says."""
    words = _STATES.get(verdict.label) or _ADVICE.get((verdict.model, verdict.label)) or f"{verdict.model} says: {verdict.label}"
    if verdict.score is None or verdict.unit != "d":
        return words
    if verdict.score >= verdict.highest:
        return f"{words}, for {number(verdict.highest)} days or more if nothing is given"
    if verdict.score < 1:
        return f"{words}: stress begins within a day if nothing is given"
    return f"{words}: stress begins in about {number(round(verdict.score))} {_plural('day', round(verdict.score))} if nothing is given"


def alarm(threshold: AlarmNow, unit: str) -> str:
    """Says which threshold a device is beyond, and with which value."""
    if threshold.channel is None or threshold.value is None:
        return f"{threshold.rule}: {threshold.state}"
    return (
        f"{threshold.rule}: {channel(threshold.channel)} is too {threshold.state}, {number(threshold.value)} {wording.unit(unit)}".rstrip()
    )


def ago(seconds: float) -> str:
    """Says how long ago something was."""
    return "just now" if seconds < 5 else f"{lasting(seconds)} ago"


def lasting(seconds: float) -> str:
    """Says how long something lasts, in its largest unit: `3 min`, `2 h`, `5 days`."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds // _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR:.0f} h"
    return f"{seconds // _DAY:.0f} days"


def clock(time: datetime, now: datetime) -> str:
    """Says when something was: the time of today, or with its date; UTC."""
    return f"{time:%H:%M:%S}" if time.date() == now.date() else f"{time:%Y-%m-%d %H:%M:%S}"


def channel(name: str) -> str:
    """Says what a channel measures: acceleration RMS of acceleration_rms."""
    return name.replace("_", " ").removesuffix("rms") + ("RMS" if name.endswith("rms") else "")


def size(count: float) -> str:
    """Says a number of bytes: `1.4 MB`."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


def number(value: float) -> str:
    """Writes a value in four digits, with no exponent where none is needed."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def _plural(noun: str, count: float) -> str:
    return noun if count == 1 else f"{noun}s"
