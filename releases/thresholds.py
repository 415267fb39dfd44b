"""Holds by what a release is judged while some gateways run it: limits on the columns of the view `release_health`."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, sqrt
from pathlib import Path
from typing import Annotated, Any

import msgspec

from program.settings import Settings, parse, require, setting

Share = Annotated[float, msgspec.Meta(gt=0, le=100)]


class Thresholds(Settings, frozen=True, kw_only=True):
    """Is what `--thresholds FILE` of `tinybeam release roll-out` holds; each limit is what the canary may do at most beside its control."""

    steps: Annotated[tuple[Share, ...], setting("Shares of the gateways, in %, that run it one after the other", min_length=1)] = (
        5,
        25,
        100,
    )
    hours: Annotated[float, setting("How long a step lasts at least, in hours", ge=0)] = 24.0
    device_days: Annotated[int, setting("Days of devices that the canary must have judged before it goes on", ge=1)] = 20
    max_refused: Annotated[float, setting("Share of its gateways that fell back from it", ge=0, le=1)] = 0.0
    max_failures: Annotated[float, setting("Failed inferences by inferences, more than the control's", ge=0)] = 0.01
    longest_days: Annotated[float, setting("Days after which a step that still waits is a person's to decide", gt=0)] = 30.0
    max_label_distance: Annotated[float, setting("Total variation of the shares of labels, 0 to 1", ge=0, le=1)] = 0.13
    max_score_distance: Annotated[float, setting("Jensen-Shannon divergence of the scores, 0 to 1", ge=0, le=1)] = 0.15
    chance: Annotated[
        float,
        setting("What one day of a device adds to these two and to max_right_loss; n days add that, divided by the root of n", ge=0),
    ] = 1.3
    chance_in_shadow: Annotated[
        float, setting("The same where the control scores in the shadow of the release, and so judges the same windows", ge=0)
    ] = 1.1
    max_events: Annotated[float, setting("Events a device-day, as a multiple of the control's", gt=0)] = 1.5
    spare_events: Annotated[float, setting("Events a device-day that are added to that multiple", ge=0)] = 0.2
    min_not_normal: Annotated[float, setting("Share of windows that are not normal, as a multiple of the control's", ge=0)] = 0.25
    max_scoring: Annotated[float, setting("Time to score a window, as a multiple of the control's", gt=0)] = 3.0
    max_false_alarms: Annotated[float, setting("Share of answers that say false alarm, more than the control's", ge=0, le=1)] = 0.2
    min_answers: Annotated[int, setting("Answers, and outcomes, below which their shares say nothing", ge=1)] = 10
    max_right_loss: Annotated[float, setting("Share of right verdicts, less than the control's", ge=0, le=1)] = 0.1

    def __post_init__(self) -> None:
        require(list(self.steps) == sorted(set(self.steps)), "steps must rise")

    def next_share(self, share: float) -> float:
        """Returns the share of the step after one; the same after the last."""
        return next((step for step in self.steps if step > share), share)

    def chance_after(self, days: float, *, in_shadow: bool) -> float:
        """Returns by how much shares may differ of two releases that are alike, after so many days of devices.

        Devices stay moist or dry for weeks, so it is by days, not by windows, that chance shrinks.
        """
        return (self.chance_in_shadow if in_shadow else self.chance) / sqrt(max(days, 1.0))

    def days_needed(self, *, in_shadow: bool) -> int:
        """Returns after how many days of devices chance can hide no more than what is allowed anyway."""
        chance = self.chance_after(1, in_shadow=in_shadow)
        return max(self.device_days, ceil((chance / self.max_label_distance) ** 2) if self.max_label_distance else 0)


def checked(limits: Mapping[str, Any], file: Path) -> Thresholds:
    """Returns the limits of a rollout, with the defaults for those that it does not name. Raises ConfigError, naming the file."""
    return parse(Thresholds, dict(limits), file)
