import urllib.error
import urllib.request
from datetime import UTC, datetime

import pytest

from lab.services.webhook_receiver import WebhookReceiver
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


def test_an_alert_is_kept_and_passed_on_as_it_came() -> None:
    seen = []
    with WebhookReceiver(seen.append) as receiver:
        assert _post(receiver.url, encode(ALERT)[1]) == 204
        alerts = receiver.alerts()
    assert [(alert.message, alert.severity, alert.state, alert.event_time) for alert in alerts] == [
        ("The soil dries out: Mill Field", "warning", "opened", T)
    ]
    assert seen == list(alerts)


def test_a_body_that_is_no_alert_is_refused_and_not_kept() -> None:
    with WebhookReceiver() as receiver:
        with pytest.raises(urllib.error.HTTPError, match="400"):
            _post(receiver.url, b'{"alert_id": 1}')
        assert receiver.alerts() == ()
