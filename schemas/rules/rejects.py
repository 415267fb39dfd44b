"""Declares the rules of source `rejects`: much of a gateway is set aside."""

from __future__ import annotations

from typing import Annotated, ClassVar

from program.settings import setting
from schemas.rules.rule import ALL, BaseRule, Patterns, matches

DAY = 86_400


class RejectsRule(BaseRule, frozen=True, kw_only=True, tag="rejects"):
    """Opens an alert of a gateway when more of it was set aside in a time than the limit; resolved at half of the limit."""

    TO_DO: ClassVar[str] = "Look at what was set aside: `tinybeam rejects ls` says what to do, `tinybeam rejects replay` brings it in"

    above: Annotated[int, setting("Opens when more rejects than this were made in window_seconds", ge=0, le=1_000_000, example=100)]
    window_seconds: Annotated[int, setting("In how long they are counted", ge=10, le=DAY)] = 600
    gateways: Annotated[Patterns, setting("Patterns of gateway ids; what no gateway sent is of `unknown`", example=["gateway-*"])] = ALL

    reasons: Annotated[Patterns, setting("Patterns of reasons that are counted", example=["name_taken"])] = ALL

    def counts(self, reason: str) -> bool:
        return matches(reason, self.reasons)

    def watches(self, gateway_id: str) -> bool:
        return matches(gateway_id, self.gateways)
