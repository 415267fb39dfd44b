"""Says how a successor compares with the release that runs and with simple rules, whatever is measured of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Protocol

import msgspec

SUCCESSOR, CURRENT = "successor", "release that runs"


class Succession(Protocol):
    """Is a dataclass of what was measured of the successor, of the release that runs and of each rule, on the same windows."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def refusals(self) -> tuple[str, ...]:
        """Says in what the successor falls short, and of what; empty: it may follow."""
        ...

    def table(self) -> Sequence[str]:
        """Returns a heading, and a line for each that was measured."""
        ...


def refusals(shortcomings: Mapping[str, Sequence[str]], verb: str) -> tuple[str, ...]:
    """Returns a reason for each of the others, of what the successor does not do (`verb`) in these measures."""
    return tuple(f"it does not {verb} the {name} in {' and in '.join(measures)}" for name, measures in shortcomings.items())


def as_json(succession: Succession) -> bytes:
    """Returns all that the table says, and the reasons of a refusal."""
    return msgspec.json.format(msgspec.json.encode({**asdict(succession), "refusals": succession.refusals}), indent=1) + b"\n"
