"""Counts what a broker took and threw away: messages that the access list refuses, by who sent them and on which topic.

To MQTT 3.1.1 mosquitto acknowledges such a message as any other, and counts it nowhere; only its log says so, with `log_type debug`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_DENIED = re.compile(r"Denied PUBLISH from (\S+) \(d\d, q\d, r\d, m\d+, '([^']*)'")


def refused(lines: Iterable[str]) -> Counter[tuple[str, str]]:
    """Returns how many messages were refused, by client and topic."""
    return Counter((found[1], found[2]) for line in lines if (found := _DENIED.search(line)))
