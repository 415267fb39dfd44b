"""Is what an attack on releases says of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from releases.error import ReleaseError, Untrusted
from tests.releases.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Attempt:
    """Is one attack: what it does, by the keys that are online and stolen, and what a gateway says of it.

    `old`: it offers what was true once, which a gateway has to believe that never saw anything newer. `days` pass before the gateway looks.
    """

    name: str
    what: str
    make: Callable[[Workshop], None]
    stolen: Sequence[str] = ()
    error: type[ReleaseError] = Untrusted
    attacker: str = "thief of keys"
    old: bool = False
    days: float = 0
