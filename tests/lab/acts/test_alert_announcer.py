import io
from dataclasses import replace

from lab.acts.alert_announcer import AlertAnnouncer
from lab.console import Console
from lab.services.webhook_receiver import WebhookReceiver
from schemas.notification import encode
from tests.lab.services.test_webhook_receiver import ALERT


def test_the_console_shows_each_alert_once() -> None:
    out, alert = io.StringIO(), replace(ALERT, time_zone="Europe/Berlin")
    with WebhookReceiver() as receiver:
        announcer = AlertAnnouncer(receiver, Console(out))
        receiver.receive(encode(alert)[1])
        announcer.announce()
        announcer.announce()
        receiver.receive(encode(replace(alert, state="resolved", revision=1))[1])
        announcer.announce()
    lines = [line.partition("s  ")[2] for line in out.getvalue().splitlines()]
    sentence = f"alert delivered to the webhook: {ALERT.message}, 14:00, 1 May 2026, Europe/Berlin"
    assert lines == [sentence, f"{sentence} (over)"]
