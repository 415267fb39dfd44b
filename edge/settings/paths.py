"""Reads paths into a message, such as `decoded.payload[0]."soil moisture"`: a part of JMESPath, to be walked without an interpreter.

A message is asked for a path a hundred thousand times a second; docs/adr/0038-payloads-by-configuration.md has the figures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from program.settings import require

MISSING: Any = object()
"""What a path leads to where the message has nothing."""
WHOLE = "@"
_STEP = re.compile(r'(?:(?<!.)|\.)(?:(?P<name>[^.\[\]"]+)|"(?P<quoted>[^"]+)")|\[(?P<place>-?\d+)\]')
_FORM = 'a path such as `decoded.payload[0]."soil moisture"`'


@dataclass(frozen=True, slots=True)
class Path:
    """Leads from a document to a part of it. `@` is the document itself."""

    steps: tuple[str | int, ...]

    @staticmethod
    def parse(setting: str, text: str) -> Path:
        """Raises ConfigError, naming the setting."""
        steps: list[str | int] = []
        at = 0
        while at < len(text) and text != WHOLE:
            step = _STEP.match(text, at)
            require(step is not None, f"{setting} must be {_FORM}, not {text!r}")
            assert step is not None
            steps.append(int(step["place"]) if step["place"] else step["name"] or step["quoted"])
            at = step.end()
        return Path(tuple(steps))

    def find(self, document: Any) -> Any:
        """Returns what stands there, MISSING if nothing does."""
        for step in self.steps:
            try:
                document = document[step]
            except (KeyError, IndexError, TypeError):
                return MISSING
        return document

    @property
    def name(self) -> str:
        """Returns it as nested values are named: joined by dots."""
        return ".".join(map(str, self.steps))
