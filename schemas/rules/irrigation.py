"""Declares the rules of source `irrigation`: a column of a field's water balance of a day."""

from __future__ import annotations

from typing import Annotated, Literal

from program.settings import setting
from schemas.rules.rule import LimitRule


class IrrigationRule(LimitRule, frozen=True, kw_only=True, tag="irrigation"):
    """Opens an alert when the column is below or above the limit."""

    column: Annotated[
        Literal["need_mm", "days_until_stress", "depletion_mm"], setting("Column of irrigation_v1", example="days_until_stress")
    ]
