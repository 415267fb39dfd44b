"""Says when a certificate is to be renewed, by when it begins and when it ends: for who has no need to read certificates, too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

_RENEWED_FROM = 2 / 3
"""The part of a certificate's life after which it is renewed."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Holds the first and the last moment of a certificate, UTC."""

    start: datetime
    end: datetime

    def renewal_time(self, jitter: float) -> datetime:
        """Returns when it is to be renewed: after two thirds of its life, and up to a tenth of it later by `jitter`, from 0 to 1."""
        return self.start + (self.end - self.start) * (_RENEWED_FROM + jitter / 10)
