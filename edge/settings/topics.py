"""Reads topic patterns: MQTT topic filters in which levels may have names, such as `$share/farm/site/+/{device}/{channel}`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from program.settings import require

DEVICE, CHANNEL = "{device}", "{channel}"
_SHARED = re.compile(r"\$share/[^/+#]+/(?=.)")
_LEVEL = re.compile(r"[^+#{}]*")
_NAMED = {DEVICE: "(?P<device{}>[^/]+)", CHANNEL: "(?P<channel{}>[^/]+)", "+": "[^/]*"}


@dataclass(frozen=True, slots=True)
class TopicPattern:
    """Says which topics are subscribed to, and where in a topic device and channel stand."""

    text: str
    filter: str
    """As the broker is asked for it."""
    expression: re.Pattern[str]

    @staticmethod
    def parse(setting: str, text: str, *, needs_device: bool = True) -> TopicPattern:
        """Raises ConfigError, naming the setting. Where no level is called {device}, the only + is the device."""
        levels = text[len(shared[0]) if (shared := _SHARED.match(text)) else 0 :].split("/")
        for number, level in enumerate(levels, 1):
            fits = level in _NAMED or _LEVEL.fullmatch(level) or (level == "#" and number == len(levels))
            require(fits, f"{setting} must be a topic filter, its # at the end, its + and {{device}} whole levels; not {text!r}")
        if DEVICE not in levels and levels.count("+") == 1:
            levels[levels.index("+")] = DEVICE
        require(
            DEVICE in levels or not needs_device,
            f"{setting} must say which level is the device: write {{device}} for one of its +; not {text!r}",
        )
        return TopicPattern(text, re.sub(r"\{device\}|\{channel\}", "+", text), _expression(levels))

    def match(self, topic: str) -> tuple[str | None, str | None] | None:
        """Returns the names of device and channel in the topic, None if it does not fit. Several levels are joined by slashes."""
        found = self.expression.fullmatch(topic)
        if found is None:
            return None
        groups = found.groupdict()
        return _joined(groups, "device"), _joined(groups, "channel")

    def topic_of(self, device: str) -> str:
        """Returns a topic that fits and has this device."""
        filled = _SHARED.sub("", self.text)
        if DEVICE not in filled and filled.count("+") == 1:
            return filled.replace("+", device)
        return filled.replace(DEVICE, device).replace(CHANNEL, "value").replace("+", "any").replace("/#", "")


def _expression(levels: list[str]) -> re.Pattern[str]:
    parts = [
        _NAMED.get(level, re.escape(level)).format(number) if level in _NAMED else re.escape(level) for number, level in enumerate(levels)
    ]
    if levels[-1] == "#":
        return re.compile("/".join(parts[:-1]) + "(?:/.*)?" if len(levels) > 1 else ".*", re.DOTALL)
    return re.compile("/".join(parts), re.DOTALL)


def _joined(groups: dict[str, str | None], name: str) -> str | None:
    return "/".join(text for key, text in groups.items() if key.startswith(name) and text) or None
