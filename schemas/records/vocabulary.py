"""Lists the words of the records: what a column that holds one of a few words may say."""

from __future__ import annotations

from enum import StrEnum


class TimeQuality(StrEnum):
    """Says how far an event time can be trusted, best first."""

    SYNCED = "synced"
    CORRECTED = "corrected"
    """It came before the gateway's clock was known, and its time was put right when that was."""
    ESTIMATED = "estimated"
    UNTRUSTED = "untrusted"


class Severity(StrEnum):
    """Says how much an event or an alert matters, least first."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Cause(StrEnum):
    """Says what raised an event."""

    THRESHOLD = "threshold"
    LABEL = "label"


class ChannelKind(StrEnum):
    """Says what a channel is, if it is no number."""

    STATE = "state"
    COUNTER = "counter"


class AlertChange(StrEnum):
    """Says what a row shows of its alert."""

    OPENED = "opened"
    UPDATED = "updated"
    RESOLVED = "resolved"
    RETRACTED = "retracted"
    """The facts do not support it: a run raised it from a part of them."""


class ThresholdState(StrEnum):
    """Says where a channel is by one of its thresholds."""

    NORMAL = "normal"
    LOW = "low"
    HIGH = "high"


class LinkState(StrEnum):
    """Says whether a gateway's connection to its uplink or its broker stands."""

    ONLINE = "online"
    OFFLINE = "offline"
    CERT_EXPIRED = "cert_expired"
    """It is offline, and cannot come back before the gateway's own certificate is renewed."""
    REFUSED = "refused"
    """The other side answers, and does not let the gateway in: revoked there, unknown, or without the right."""
    CLOCK_WRONG = "clock_wrong"
    """It is offline, and cannot come back before the gateway's clock is set: by that, certificates have not begun."""


class Timing(StrEnum):
    """Says when the result of a window was given, by the watermark, or that it was computed anew from the facts."""

    EARLY = "early"
    ON_TIME = "on_time"
    LATE = "late"
    BATCH = "batch"
    RECOMPUTED = "recomputed"


class Kind(StrEnum):
    """Says what a batch carries: the word in its envelope."""

    SUMMARIES = "summaries"
    INFERENCES = "inferences"
    EVENTS = "events"
    HEARTBEATS = "heartbeats"
    REJECTS = "rejects"
    SAMPLES = "samples"


class SampleReason(StrEnum):
    """Says why a window is worth learning from, the best reason first."""

    RANDOM = "random"
    """It was drawn, whatever was said of it."""
    SHADOW = "shadow"
    """The model that scores beside the first says another label."""
    OUTSIDE = "outside"
    """An input lies beyond what the model was trained on."""
    UNCERTAIN = "uncertain"
    """A threshold between two labels lies close to the score, for a model that is so unsure."""


class Answer(StrEnum):
    """Says what a person answers to a notice, or says without one."""

    DONE = "done"
    FALSE_ALARM = "false_alarm"
    IRRIGATED = "irrigated_mm"
    REPLACED = "replaced"
    SEEN = "seen"
    """Somebody looks after it. It says nothing of what became of it, so no model is judged by it."""


def any_of(values: type[StrEnum]) -> str:
    """Returns the words as a description lists them: `a, b or c`."""
    *others, last = values
    return f"{', '.join(others)} or {last}"
