"""Says what things may be called: the name of a gateway, device, site, rule or receiver, and those of Google's topics and subscriptions."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""A regular expression. A name is safe in a topic, a file, a batch's name and an alert's identity."""

_RESOURCE = r"[A-Za-z][A-Za-z0-9._~+%-]{2,254}"
_PROJECT = r"projects/[a-z][a-z0-9:.-]+"

Name = Annotated[str, Meta(pattern=f"^{NAME}$", extra={"form": "letters, digits, dot, dash or underscore, at most 64"})]
Topic = Annotated[
    str, Meta(pattern=f"^{_PROJECT}/topics/{_RESOURCE}$", extra={"form": "a topic's full name, projects/PROJECT/topics/TOPIC"})
]
Subscription = Annotated[
    str,
    Meta(
        pattern=f"^{_PROJECT}/subscriptions/{_RESOURCE}$",
        extra={"form": "a subscription's full name, projects/PROJECT/subscriptions/NAME"},
    ),
]


def gateway_called(gateway_id: str, name: str | None = None) -> str:
    """Returns what people call a gateway: its name, and without one, or where that is its identifier, gateway north for gateway-north."""
    return name if name and name != gateway_id else f"gateway {gateway_id.removeprefix('gateway-')}"
