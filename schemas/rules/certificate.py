"""Declares the rules of source `certificate`: the certificate of a gateway ends soon."""

from __future__ import annotations

from typing import Annotated, ClassVar

from program.settings import setting
from schemas.rules.rule import ALL, BaseRule, Patterns, matches


class CertificateRule(BaseRule, frozen=True, kw_only=True, tag="certificate"):
    """Opens an alert when the certificate by which a gateway enters its broker ends within `days`; resolved once it is renewed."""

    TO_DO: ClassVar[str] = "Renew it: `tinybeam keys renew` at the gateway; the next connection takes it, without a restart"

    days: Annotated[float, setting("How long before the end: less than a certificate renewed in time has left", gt=0, le=365)] = 6.0
    """A certificate of 30 days is renewed 7 days before its end at the latest."""
    gateways: Annotated[Patterns, setting("Patterns of gateway ids", example=["gateway-*"])] = ALL

    def watches(self, gateway_id: str) -> bool:
        return matches(gateway_id, self.gateways)
