"""Declares the rules of source `irrigation`: a column of a field's water balance of a day."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from program.settings import setting
from schemas.rules.rule import LimitRule


class IrrigationRule(LimitRule, frozen=True, kw_only=True, tag="irrigation"):
    """Opens an alert when the column is below or above the limit."""

    TO_DO: ClassVar[str] = "Look at the field, and give it the water that it lacks; the view advice says what that rests on"

    column: Annotated[
        Literal["need_mm", "balance_days", "depletion_mm"],
        setting("Column of the view irrigation", example="balance_days", renamed={"days_until_stress": "balance_days"}),
    ]

    @property
    def unit(self) -> str:
        """Returns the unit of the column, in words."""
        return "days" if self.column == "balance_days" else "mm"
