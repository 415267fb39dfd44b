import io
import urllib.error
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lab.console import Console
from lab.services.webhook_receiver import Ringing, WebhookReceiver
from schemas.notification import encode
from schemas.records import Alert

T = datetime(2026, 5, 1, 12, tzinfo=UTC)
ALERT = Alert(
    alert_id="dry:north:1",
    rule="dry",
    source="event",
    subject="soil-01",
    site_id="north",
    device_id="soil-01",
    severity="warning",
    state="opened",
    opened_time=T,
    event_time=T,
    value=0.1,
    threshold=0.2,
    message="The soil dries out: Mill Field",
    historical=False,
    revision=0,
    as_of=T,
)


def _post(url: str, body: bytes) -> int:
    with urllib.request.urlopen(urllib.request.Request(url, body, method="POST"), timeout=10) as answer:
        return answer.status


def test_a_notice_is_kept_and_heard_as_it_came() -> None:
    heard = []
    with WebhookReceiver(heard.append) as phone:
        assert _post(phone.url, encode(ALERT)[1]) == 204
        told = phone.told()
    assert [(one.message, one.severity, one.state, one.event_time) for one in told] == [
        ("The soil dries out: Mill Field", "warning", "opened", T)
    ]
    assert heard == list(told)


def test_what_is_no_notice_is_refused_and_not_kept() -> None:
    with WebhookReceiver() as phone:
        with pytest.raises(urllib.error.HTTPError, match="400"):
            _post(phone.url, b'{"alert_id": 1}')
        assert phone.told() == ()


def test_the_screen_says_each_notice_once() -> None:
    out = io.StringIO()
    with WebhookReceiver() as phone:
        ringing = Ringing(phone, Console(out))
        phone.take(encode(ALERT)[1])
        ringing.say()
        ringing.say()
        phone.take(encode(replace(ALERT, state="resolved", revision=1))[1])
        ringing.say()
    lines = [line.partition("s  ")[2] for line in out.getvalue().splitlines()]
    assert lines == [f"the farmer's phone: {ALERT.message}", f"the farmer's phone: {ALERT.message} (over)"]
