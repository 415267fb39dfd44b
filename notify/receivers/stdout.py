"""A line on standard output: the receiver that is always there."""

from __future__ import annotations

from notify.receivers.receiver import ReceiverError, sentence
from schemas.records import Alert


class Stdout:
    name = "stdout"

    def send(self, alert: Alert, remark: str) -> None:
        try:
            print(f"{alert.event_time:%Y-%m-%d %H:%M:%S} {sentence(alert, remark)}", flush=True)
        except (OSError, ValueError) as error:
            raise ReceiverError(f"stdout: {error}") from error
