"""Writes the page as HTML. Everything that a device or a file can name is escaped. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from edge.health import HealthStatus
from edge.page import errors, words
from edge.page.log_tail import Logged
from edge.page.names import Names
from edge.page.notices import Notice, is_silent, notices
from edge.page.recent import MOST_DEVICES, ChannelNow, DeviceNow, RejectNow, VerdictNow
from presentation import wording
from presentation.wording import capital
from schemas.envelope import from_micros, micros
from schemas.records import Heartbeat

_WIDTH, _HEIGHT = 200, 36


@dataclass(frozen=True, slots=True)
class Shown:
    """Holds what the page shows, of one moment."""

    gateway: str
    names: Names
    now: datetime
    status: HealthStatus
    devices: Sequence[DeviceNow]
    rejects: Sequence[RejectNow]
    logged: Sequence[Logged]


def document(gateway: str, content: str) -> str:
    """Returns the whole page with its first content; without scripts it is loaded anew."""
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(gateway)}</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="page.css"><noscript><meta http-equiv="refresh" content="10"></noscript></head>
<body><div id="stale" role="alert" hidden></div><main>
{content}</main><script src="page.js"></script></body>
</html>
"""


def starting() -> str:
    """Returns the content while the gateway has said nothing yet."""
    return "<h1>The gateway starts</h1><p>There is nothing to show yet.</p>\n"


def content(shown: Shown) -> str:
    """Returns what is between the page's head and foot: what needs doing, the devices, and the gateway itself."""
    beat = shown.status.heartbeat
    name, as_of = capital(shown.names.gateway(shown.gateway)), f"{beat.heartbeat_time:%Y-%m-%d %H:%M:%S}"
    return "\n".join(
        [
            f'<h1>{escape(name)}</h1><p class="muted">As of {as_of}, by the gateway\'s clock (UTC).</p>',
            "<h2>What needs doing</h2>",
            _notices(shown),
            "<h2>Devices</h2>",
            _devices(shown),
            "<h2>This gateway</h2>",
            _table(_of_gateway(shown)),
            "<h2>Last errors</h2>",
            _errors(shown),
            "",
        ]
    )


def _notices(shown: Shown) -> str:
    found = notices(shown.devices, shown.names, shown.status, shown.now)
    if not found:
        heard = sum(device.heard_us is not None for device in shown.devices)
        return f"<p>Nothing, by the {heard} devices that are heard.</p>" if heard else "<p>No device has been heard yet.</p>"
    rows = "".join(_notice(each) for each in found)
    return f'<ul class="notices">{rows}</ul>'


def _notice(notice: Notice) -> str:
    text = f"{escape(notice.subject)}: {escape(notice.sentence)}"
    return f'<li class="{notice.severity}"><b>{_severity(notice.severity)}</b> {text}.</li>'


def _severity(severity: str) -> str:
    return {"critical": "Now:", "warning": "Look:", "info": "To know:"}[severity]


def _devices(shown: Shown) -> str:
    if not shown.devices:
        return "<p>None yet. `tinybeam edge doctor` says whether the broker answers.</p>"
    cards = "".join(_device(device, shown.names.device(device.device_id), shown.now) for device in shown.devices)
    more = f'<p class="muted">No more than {MOST_DEVICES} devices are shown.</p>' if len(shown.devices) >= MOST_DEVICES else ""
    return f'<ul class="devices">{cards}</ul>{more}'


def _device(device: DeviceNow, name: str, now: datetime) -> str:
    channels = "".join(_channel(name, channel) for name, channel in sorted(device.channels.items()))
    parts = [
        f"<h3>{escape(name)}</h3>",
        _muted(f"{escape(device.device_id)}, {_heard(device, micros(now))}" if name != device.device_id else _heard(device, micros(now))),
        *(_verdict(verdict, now) for verdict in device.verdicts.values()),
        f"<dl>{channels}</dl>" if channels else "",
        _muted(f"summed up until {words.clock(from_micros(device.window_end_us), now)}") if device.window_end_us else "",
    ]
    return f"<li>{''.join(parts)}</li>"


def _heard(device: DeviceNow, now_us: int) -> str:
    if device.heard_us is None:
        return "not heard since the gateway started"
    return f"heard {words.ago((now_us - device.heard_us) / 1e6)}{', and silent since' if is_silent(device, now_us) else ''}"


def _verdict(verdict: VerdictNow, now: datetime) -> str:
    says = f'<p class="verdict {verdict.severity or ""}"><b>{escape(words.advice(verdict))}</b></p>'
    return says + _muted(f"by the model {escape(verdict.model)}, at {words.clock(from_micros(verdict.end_us), now)}")


def _channel(name: str, channel: ChannelNow) -> str:
    unit = escape(wording.unit(channel.unit))
    label = words.channel(name)
    return f"<dt>{escape(label)}</dt><dd>{words.number(channel.value)} {unit}</dd>{_line(label, unit, list(channel.means))}"


def _line(name: str, unit: str, means: Sequence[float]) -> str:
    """Draws the means of the last windows, from the least to the greatest of them."""
    if len(means) < 2:
        return ""
    low, high = min(means), max(means)
    points = " ".join(
        f"{index * _WIDTH / (len(means) - 1):.1f},{_HEIGHT - 2 - (mean - low) / ((high - low) or 1) * (_HEIGHT - 4):.1f}"
        for index, mean in enumerate(means)
    )
    label = f"{escape(name)} in the last {len(means)} windows: {words.number(low)} to {words.number(high)} {unit}".rstrip()
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{label}">'
        f'<title>{label}</title><polyline points="{points}"/></svg>'
    )


def _of_gateway(shown: Shown) -> Iterable[tuple[str, str]]:
    beat, day = shown.status.heartbeat, shown.status.uplink_day
    yield "Waits to go up", f"{beat.batches_pending} batches{_oldest(beat, shown.now)}"
    yield "Uplink, broker", f"{beat.uplink_state.replace('_', ' ')}, {beat.broker_state.replace('_', ' ')}"
    if day and day.limit:
        yield "Sent today", f"{words.size(day.spent)} of {words.size(day.limit)}"
    yield "Store", f"{words.size(beat.store_bytes)} of {words.size(beat.store_bytes_max)}"
    yield (
        "Readings",
        f"{beat.readings_stored:,} stored, {beat.readings_rejected:,} set aside, {beat.readings_dropped:,} dropped for want of room",
    )
    yield "Clock", beat.time_quality
    if beat.certificate_end_time:
        yield "Certificate", f"until {beat.certificate_end_time:%Y-%m-%d}"
    releases = json.loads(beat.model_releases or "{}")
    for model, digest in json.loads(beat.models).items():
        yield f"Model {model}", f"release {releases[model]}" if model in releases else f"by the configuration, {digest[:12]}"
    yield "Runs since", f"{words.clock(beat.started_time, shown.now)}, version {beat.version}"


def _oldest(beat: Heartbeat, now: datetime) -> str:
    if not beat.oldest_pending_time:
        return ""
    return f", the oldest for {words.lasting((now - beat.oldest_pending_time).total_seconds())}"


def _errors(shown: Shown) -> str:
    rows = errors.rows(shown.logged, shown.rejects, shown.names, shown.now)
    return _table(rows) if rows else "<p>None since the gateway started.</p>"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = (f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in rows)
    return f"<table>{''.join(lines)}</table>"


def _muted(text: str) -> str:
    return f'<p class="muted">{text}</p>'
