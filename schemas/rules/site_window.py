"""Declares the rules of source `site_window`: the mean of a channel over all devices of a site, by the minute or the hour."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from program.settings import setting
from schemas.rules.rule import LimitRule


class SiteWindowRule(LimitRule, frozen=True, kw_only=True, tag="site_window"):
    """Opens an alert when the mean is below or above the limit."""

    TO_DO: ClassVar[str] = "Look at the site; the view site_windows has its values by the minute and the hour"

    channel: Annotated[str, setting("Name of the measured quantity", min_length=1, example="temperature")]
    window_seconds: Annotated[Literal[60, 3600], setting("Length of the window: a minute or an hour", example=3600)]
    unit: Annotated[
        str | None, setting("Unit that the limit is in; to be named where devices of a site measure the channel in several", example="degC")
    ] = None
