import io
from dataclasses import replace

from lab.acts.alert_announcer import AlertAnnouncer
from lab.console import Console
from lab.services.webhook_receiver import WebhookReceiver
from schemas.notification import encode
from tests.lab.services.test_webhook_receiver import ALERT


def test_the_console_shows_each_alert_once() -> None:
    out = io.StringIO()
    with WebhookReceiver() as receiver:
        announcer = AlertAnnouncer(receiver, Console(out))
        receiver.receive(encode(ALERT)[1])
        announcer.announce()
        announcer.announce()
        receiver.receive(encode(replace(ALERT, state="resolved", revision=1))[1])
        announcer.announce()
    lines = [line.partition("s  ")[2] for line in out.getvalue().splitlines()]
    assert lines == [f"alert delivered to the webhook: {ALERT.message}", f"alert delivered to the webhook: {ALERT.message} (over)"]
