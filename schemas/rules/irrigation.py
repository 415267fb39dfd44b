"""Declares the rules of source `irrigation`: a column of a field's water balance of a day."""

from __future__ import annotations

from typing import Annotated, Literal

from program.settings import setting
from schemas.rules.rule import LimitRule


class IrrigationRule(LimitRule, frozen=True, kw_only=True, tag="irrigation"):
    """Opens an alert when the column is below or above the limit."""

    column: Annotated[
        Literal["need_mm", "balance_days", "depletion_mm"],
        setting("Column of the view irrigation", example="balance_days", renamed={"days_until_stress": "balance_days"}),
    ]
