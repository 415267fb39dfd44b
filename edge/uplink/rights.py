"""Asks Google whether a gateway may publish to its topic, and sends nothing. `tinybeam edge doctor` shows the answer."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException
from typing import Protocol

from edge.finding import Finding, Status
from edge.uplink.access import AccessFailed, Headers
from edge.uplink.diagnosis import advice
from schemas.records import LinkState

_NAME = "uplink"
_PERMISSION = "pubsub.topics.publish"


class HeaderSource(Protocol):
    """Gives the headers of a request: what this needs of edge.uplink.access.Access."""

    def headers(self) -> Headers: ...


def of_publishing(topic: str, access: HeaderSource, connection: HTTPConnection) -> Finding:
    """Says whether the credentials hold that permission. What cannot be asked now is a warning: a gateway may be offline for days."""
    try:
        status, granted = _ask(topic, access, connection)
    except AccessFailed as failure:
        result = Status.WARN if failure.state == LinkState.OFFLINE else Status.FAIL
        return Finding(_NAME, result, f"{failure.state}: {failure}", advice(failure.state))
    except (OSError, HTTPException, ValueError) as error:
        return Finding(_NAME, Status.WARN, f"whether it may publish cannot be asked now: {error}", "batches wait in the store until it may")
    if _PERMISSION in granted:
        return Finding(_NAME, Status.OK, f"may publish to {topic}")
    text = f"may not publish to {topic}, or there is no such topic (answer {status})"
    return Finding(_NAME, Status.FAIL, text, "grant roles/pubsub.publisher on the topic, or correct uplink.topic")


def _ask(topic: str, access: HeaderSource, connection: HTTPConnection) -> tuple[int, list[str]]:
    headers = {**dict(access.headers()), "content-type": "application/json"}
    connection.request("POST", f"/v1/{topic}:testIamPermissions", json.dumps({"permissions": [_PERMISSION]}), headers)
    answer = connection.getresponse()
    body = json.loads(answer.read() or b"{}")
    return answer.status, body.get("permissions", []) if isinstance(body, dict) else []
