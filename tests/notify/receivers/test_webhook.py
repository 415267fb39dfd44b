"""A real web server, that answers badly, late or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab.services.child import free_port
from notify.notice import Notice
from notify.receivers.receiver import ReceiverError
from notify.receivers.webhook import Webhook, WebhookSettings
from program.settings import Secret
from schemas.notification import parse
from tests.notify.alerts import Hook, alert


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook().listening() as listening:
        yield listening


def webhook(url: str, **changes: Any) -> Webhook:
    return WebhookSettings(name="pager", url=Secret(url), **changes).open()


def test_a_webhook_gets_the_notification_with_its_text_and_a_key_for_repetitions(hook: Hook) -> None:
    receiver = webhook(hook.url, authorization=Secret("Bearer secret"))
    for _ in range(2):
        receiver.send(Notice((alert(),)))
    (headers, content), (again, _) = hook.requests
    assert (content["alert_id"], content["revision"], content["opened_time"]) == (alert().alert_id, 0, "2026-05-01T12:00:00+00:00")
    assert content["text"].splitlines()[0] == "Warning: Norderfeld ist trocken: größte Not"
    assert alert().alert_id not in content["text"]
    assert (content["alerts"], content["alerts_open"], content["more"]) == (1, 1, [])
    assert headers["Idempotency-Key"] == again["Idempotency-Key"] == f"{alert().alert_id}/0"
    assert (headers["Content-Type"], headers["Authorization"]) == ("application/json", "Bearer secret")


def test_a_notice_of_many_counts_them_all_and_lists_few(hook: Hook) -> None:
    storm = Notice.of([alert(number) for number in range(39)] + [alert(39, revision=1)])
    webhook(hook.url).send(storm)
    [(headers, content)] = hook.requests
    assert (content["alert_id"], content["alerts"], content["alerts_open"], len(content["more"])) == (alert(0).alert_id, 40, 39, 20)
    assert content["text"].startswith("Warning and 39 more: ")
    assert headers["Idempotency-Key"] == storm.key != f"{alert(0).alert_id}/0"
    assert parse(json.dumps(content).encode()) == alert(0)


@pytest.mark.parametrize("answer", [302, 400, 404, 429, 500, 503])
def test_any_answer_but_2xx_is_a_failure_and_a_redirection_is_not_followed(hook: Hook, answer: int) -> None:
    hook.answers = [answer]
    with pytest.raises(ReceiverError, match=f"webhook pager: it answered {answer}"):
        webhook(hook.url, authorization=Secret("Bearer secret")).send(Notice((alert(),)))
    assert hook.requests == []


def test_a_refused_connection_and_a_server_that_never_answers_are_failures() -> None:
    with pytest.raises(ReceiverError, match="refused"):
        webhook(f"http://127.0.0.1:{free_port()}/").send(Notice((alert(),)))
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ReceiverError, match="timed out"):
        webhook(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_seconds=0.2).send(Notice((alert(),)))
