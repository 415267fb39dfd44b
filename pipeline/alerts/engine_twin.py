"""Runs rules as the streaming engine does, in one process and on a clock of its own: what arrives in its order, timers when they are due.

Pure: the same states, as the same bytes, and no engine. Sources that remember, such as silence, are not run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pipeline.alerts import subject
from pipeline.alerts.awaited_words import AWAITED_WORDS, AwaitedWords, Late, hear, late, pass_on
from pipeline.alerts.in_force import RulesInForce
from pipeline.alerts.observation import GatewayWord, Observation
from pipeline.alerts.state import ALERT
from schemas.envelope import from_micros
from schemas.records import Alert

_Timer = tuple[int, Callable[[int], None]]


class EngineTwin:
    """Takes observations and gateways' words: `twin.observe(observation, now)`, at last `twin.pass_time(until)`; then it has `rows`."""

    def __init__(self, rules: RulesInForce) -> None:
        self.rows: list[Alert] = []
        self._rules = rules
        self._alerts: dict[str, bytes] = {}
        self._words: dict[str, bytes] = {}

    def observe(self, observation: Observation, now: int) -> None:
        """Takes what was observed, at a time in microseconds that never goes back."""
        self.pass_time(now)
        for gateway_id, each in late(observation, now):
            self._hear(gateway_id, each, now)
        self._take(observation, now)

    def delivered(self, gateway_id: str, complete: int, now: int) -> None:
        """Takes a heartbeat: everything up to `complete` is delivered."""
        self.pass_time(now)
        self._hear(gateway_id, complete, now)

    def pass_time(self, now: int) -> None:
        """Lets the timers be heard that are due by then."""
        while (timer := min(self._timers(), default=None, key=_due)) is not None and timer[0] <= now:
            timer[1](timer[0])

    def _timers(self) -> Iterator[_Timer]:
        for gateway_id, packed in self._words.items():
            if (memory := AWAITED_WORDS.unpack(packed)) and memory.due is not None:
                yield memory.due, lambda now, gateway_id=gateway_id: self._pass_on(gateway_id, now)  # type: ignore[misc]
        for key, packed in self._alerts.items():
            if (state := ALERT.unpack(packed)) and (due := subject.wakes_at(self._rules, key, state)) is not None:
                yield due, lambda now, key=key: self._wake(key, now)  # type: ignore[misc]

    def _hear(self, gateway_id: str, report: Late | int, now: int) -> None:
        memory = AWAITED_WORDS.unpack(self._words.get(gateway_id)) or AwaitedWords()
        self._words[gateway_id] = AWAITED_WORDS.pack(hear(memory, report, now))

    def _pass_on(self, gateway_id: str, now: int) -> None:
        memory, words = pass_on(AWAITED_WORDS.unpack(self._words[gateway_id]) or AwaitedWords(), now)
        self._words[gateway_id] = AWAITED_WORDS.pack(memory)
        for word in words:
            self._take(word, now)

    def _take(self, reached: Observation | GatewayWord, now: int) -> None:
        state = ALERT.unpack(self._alerts.get(reached.key))
        self._keep(reached.key, subject.take(self._rules, reached.key, state, reached, from_micros(now)))

    def _wake(self, key: str, now: int) -> None:
        self._keep(key, subject.wake(self._rules, key, ALERT.unpack(self._alerts[key]), from_micros(now)))

    def _keep(self, key: str, stepped: subject.Stepped) -> None:
        state, added = stepped
        if state:
            self._alerts[key] = ALERT.pack(state)
        self.rows += added


def run(rules: RulesInForce, arrivals: Iterable[tuple[int, Observation | tuple[str, int]]], until: int) -> list[Alert]:
    """Returns the rows of (when it arrives, an observation or (gateway, until when everything is delivered)), in any order."""
    twin = EngineTwin(rules)
    for at, reached in sorted(arrivals, key=_due):
        if isinstance(reached, Observation):
            twin.observe(reached, at)
        else:
            twin.delivered(*reached, at)
    twin.pass_time(until)
    return twin.rows


def _due(timed: tuple[int, object]) -> int:
    return timed[0]
