"""Reads how a release does beside its control: the rows of the view `release_health`, as JSON."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from releases.error import ReleaseError
from releases.rollout import Release

_SAME_DAYS, _SAME_WINDOWS = "same days", "same windows"


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Is one row. What the view has besides is not looked at; what it does not know is None."""

    model: str
    release: int
    control: int | None = None
    gateways: int = 0
    gateways_refused: int = 0
    refusals: str | None = None
    compared_on: str | None = None
    device_days: int = 0
    inferences: int = 0
    control_device_days: int | None = None
    failures_per_inference: float | None = None
    control_failures_per_inference: float | None = None
    label_distance: float | None = None
    score_distance: float | None = None
    not_normal_share: float | None = None
    control_not_normal_share: float | None = None
    events_a_device_day: float | None = None
    control_events_a_device_day: float | None = None
    false_alarms: int | None = None
    answers: int | None = None
    control_false_alarms: int | None = None
    control_answers: int | None = None
    outcomes: int | None = None
    right_share: float | None = None
    control_outcomes: int | None = None
    control_right_share: float | None = None
    scoring_ms: float | None = None
    control_scoring_ms: float | None = None

    @property
    def on_other_sites(self) -> bool:
        """Says whether it is compared with a control that judged other sites, of which nothing is known from before."""
        return self.compared_on == _SAME_DAYS

    @property
    def in_shadow(self) -> bool:
        """Says whether the control judged the same windows."""
        return self.compared_on == _SAME_WINDOWS


def read(content: str | bytes, name: str) -> list[Health]:
    """Reads the rows; numbers may stand as texts. Raises ReleaseError, naming what was read."""
    try:
        return msgspec.convert(msgspec.json.decode(content), list[Health], strict=False)
    except (ValueError, RecursionError) as error:
        raise ReleaseError(f"{name} holds no rows of release_health: {error}") from error


def of(rows: Sequence[Health], release: Release) -> Health | None:
    """Returns the row of a release; None if no gateway has run it."""
    return next((row for row in rows if (row.model, row.release) == release), None)
