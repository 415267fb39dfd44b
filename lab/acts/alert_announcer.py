"""Writes to the console which alerts reached the webhook."""

from __future__ import annotations

from dataclasses import dataclass

from lab.console import Console
from lab.services.webhook_receiver import WebhookReceiver
from program import terminal
from program.local_time import moment


@dataclass(slots=True)
class AlertAnnouncer:
    """Announces each received alert once, in the thread that calls it."""

    receiver: WebhookReceiver
    console: Console
    announced: int = 0

    def announce(self) -> None:
        """Logs the alerts that came since the last call."""
        alerts = self.receiver.alerts()
        for alert in alerts[self.announced :]:
            over = " (over)" if alert.state == "resolved" else ""
            message = terminal.safe(alert.message)
            self.console.log(f"alert delivered to the webhook: {message}, {moment(alert.event_time, alert.time_zone)}{over}")
        self.announced = len(alerts)
