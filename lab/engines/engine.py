"""Says what an engine is: a runner with its flags, and the modes in which the day goes through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BATCH, STREAMING = "batch", "streaming"


@dataclass(frozen=True, slots=True)
class Engine:
    """Has a name for people, and what the pipeline is called with."""

    name: str
    flags: tuple[str, ...]
    modes: tuple[str, ...] = (BATCH, STREAMING)


DIRECT = Engine("DirectRunner", ("--runner=DirectRunner",))
PRISM = Engine("PrismRunner", ("--runner=PrismRunner",))


@dataclass(frozen=True, slots=True)
class Way:
    """Is an engine and a mode."""

    engine: Engine
    mode: str

    @property
    def folder(self) -> str:
        """Returns what its folder is called."""
        return f"{self.engine.name}-{self.mode}".lower().replace(" ", "-")


def ways(engines: Sequence[Engine]) -> list[Way]:
    """Returns batch mode first: what it holds is what the others are compared with."""
    return [Way(engine, mode) for mode in (BATCH, STREAMING) for engine in engines if mode in engine.modes]
