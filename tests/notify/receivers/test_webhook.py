"""A real web server, that answers badly, late or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab.services.child import free_port
from notify.receivers.receiver import ReceiverError
from notify.receivers.webhook import Webhook, WebhookSettings
from program.settings import Secret
from tests.notify.alerts import Hook, alert


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook().listening() as listening:
        yield listening


def webhook(url: str, **changes: Any) -> Webhook:
    return WebhookSettings(name="pager", url=Secret(url), **changes).open()


def test_a_webhook_gets_the_notification_with_its_text_and_a_key_for_repetitions(hook: Hook) -> None:
    receiver = webhook(hook.url, authorization=Secret("Bearer secret"))
    for remark in ("", "further ones are not sent"):
        receiver.send(alert(), remark)
    (headers, content), (again, remarked) = hook.requests
    assert (content["alert_id"], content["revision"], content["opened_time"]) == (alert().alert_id, 0, "2026-05-01T12:00:00+00:00")
    assert content["text"] == "[warning] dry opened: Norderfeld ist trocken: größte Not"
    assert remarked["text"].endswith("größte Not (further ones are not sent)")
    assert headers["Idempotency-Key"] == again["Idempotency-Key"] == f"{alert().alert_id}/0"
    assert (headers["Content-Type"], headers["Authorization"]) == ("application/json", "Bearer secret")


@pytest.mark.parametrize("answer", [302, 400, 404, 429, 500, 503])
def test_any_answer_but_2xx_is_a_failure_and_a_redirection_is_not_followed(hook: Hook, answer: int) -> None:
    hook.answers = [answer]
    with pytest.raises(ReceiverError, match=f"webhook pager: it answered {answer}"):
        webhook(hook.url, authorization=Secret("Bearer secret")).send(alert(), "")
    assert hook.requests == []


def test_a_refused_connection_and_a_server_that_never_answers_are_failures() -> None:
    with pytest.raises(ReceiverError, match="refused"):
        webhook(f"http://127.0.0.1:{free_port()}/").send(alert(), "")
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ReceiverError, match="timed out"):
        webhook(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_seconds=0.2).send(alert(), "")
