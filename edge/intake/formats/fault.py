"""Sets a message aside that an error of ours makes unreadable: the gateway goes on, and the trace is in its log."""

from __future__ import annotations

from collections.abc import Iterator

from edge.intake.formats.format import Context
from edge.reading import Reading, Rejected
from program import logs

_log = logs.get(__name__)


def or_fault(results: Iterator[Reading | Rejected], body: bytes, context: Context) -> Iterator[Reading | Rejected]:
    """Yields the results, and a reject in the place of an exception."""
    try:
        yield from results
    except Exception as error:  # noqa: BLE001 - whatever it is, the reject holds the message
        _log.exception("a message of %s is set aside by an error", context.device_id or context.sensors.name)
        yield Rejected("fault", f"{type(error).__name__}: {error}"[:1000], body, context.device_id or None)
