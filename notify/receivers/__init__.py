"""The kinds of receivers, a module each."""

from __future__ import annotations

from notify.config import Config
from notify.receivers.mail import Mail
from notify.receivers.receiver import Receiver
from notify.receivers.stdout import Stdout
from notify.receivers.webhook import Webhook


def open_receivers(config: Config) -> list[Receiver]:
    """Those that a route names."""
    receivers: list[Receiver] = [Stdout(), *map(Webhook, config.webhooks), *map(Mail, config.mails)]
    routed = {name for route in config.routes for name in route.receivers}
    return [receiver for receiver in receivers if receiver.name in routed]
