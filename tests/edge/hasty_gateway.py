"""A gateway that breaks its promise on purpose: it acknowledges first and commits later, on a slow disk. Called as `tinybeam edge` is."""

from __future__ import annotations

import time
from collections.abc import Sequence

from edge import run
from edge.__main__ import cli
from edge.intake.client import Incoming, Intake

SLOW_SECONDS = 0.4


class HastyIntake(Intake):
    """Acknowledges what it hands over."""

    def take(self, seconds: float) -> list[Incoming]:
        incoming = super().take(seconds)
        super().acknowledge(incoming)
        time.sleep(SLOW_SECONDS if incoming else 0)
        return incoming

    def acknowledge(self, incoming: Sequence[Incoming]) -> None:
        """Was done."""


run.Intake = HastyIntake  # type: ignore[misc]
cli(prog_name="tinybeam edge")
