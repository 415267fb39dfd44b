"""Remembers one gateway: when anything of it arrived, since when it listens, whom it hears. Says when it is silent itself.

A gateway is silent when nothing of it arrives, however old. Its devices are judged by its newest heartbeat that came at once, and only
when the pipeline is not behind itself: after a pause, and after anything that waited for the pipeline, it lets what waits too come first.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pipeline.alerts.gateway_report import GatewayReport
from pipeline.alerts.silence.hearing import Ear, Found, Hearing
from pipeline.alerts.silence.listening import Listening
from pipeline.alerts.silence.watch import LAG, Finding, Liveness, Watch, of_gateway, silence
from pipeline.alerts.source import Outcome
from pipeline.state import StateFormat
from schemas.rules.silence import SilenceRule


class GatewayState(msgspec.Struct, array_like=True):
    """Is what is remembered of a gateway. Times in microseconds."""

    listening: Listening
    hearing: Hearing
    silent: set[str] = set()
    """The rules that found the gateway silent."""
    arrival: int = 0
    silence_counts_from: int = 0
    """From when its silence counts: the last arrival, or later if this pipeline itself slept."""
    verdict: tuple[int, int] | None = None
    """(complete, time) of a heartbeat that is still to judge."""
    judges_from: int = 0


GATEWAY = StateFormat("gateway_liveness", 1, GatewayState)


class GatewayMemory:
    """Is the memory of a gateway, under its name. It says what devices' memories are to know, and observes the gateway."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def on_report(self, packed: bytes | None, key: str, report: GatewayReport, now: int) -> Outcome:
        state = GATEWAY.unpack(packed) or GatewayState(Listening(), Hearing())
        found = list(self._hear(state, report, now))
        return self._outcome(state, key, found)

    def on_timer(self, packed: bytes | None, key: str, now: int) -> Outcome:
        state = GATEWAY.unpack(packed)
        if state is None:
            return Outcome(None)
        found = [*self._judge_gateway(state, key, now), *self._judge_late(state, key, now)]
        return self._outcome(state, key, found)

    def _outcome(self, state: GatewayState, gateway_id: str, found: list[Found]) -> Outcome:
        due = [state.silence_counts_from + silence(rule) for rule in self._waiting(state, gateway_id)]
        due += [state.judges_from] if state.verdict else []
        return Outcome(GATEWAY.pack(state), min(due, default=None), found)

    def _waiting(self, state: GatewayState, gateway_id: str) -> list[SilenceRule]:
        return [rule for rule in self._watch.rules_of_gateway(gateway_id) if rule.name not in state.silent]

    def _hear(self, state: GatewayState, report: GatewayReport, now: int) -> Iterator[Found]:
        if max(now - state.arrival, now - report.received) > LAG:
            state.judges_from = now + LAG
        state.arrival = state.silence_counts_from = max(state.arrival, now)
        yield from self._hear_gateway(state, report.gateway_id)
        ear = Ear(self._watch, report.gateway_id, state.hearing, state.listening)
        for device_id, (at, site_id) in report.devices.items():
            yield from ear.hear(device_id, min(state.listening.true_time(at), report.received), site_id, report.received)
        if report.heartbeat is not None and state.listening.hear(report, report.heartbeat) and report.heartbeat.complete is not None:
            complete, time = (state.listening.true_time(at) for at in (report.heartbeat.complete, report.heartbeat.time))
            state.verdict = min(complete, report.received), min(time, report.received)
        yield from self._judge_devices(state, report.gateway_id, now)

    def _judge_devices(self, state: GatewayState, gateway_id: str, now: int) -> Iterator[Found]:
        if state.verdict is None or now < state.judges_from:
            return
        (complete, at), state.verdict = state.verdict, None
        yield from Ear(self._watch, gateway_id, state.hearing, state.listening).judge(complete, at)

    def _judge_late(self, state: GatewayState, gateway_id: str, now: int) -> Iterator[Found]:
        """Judges what waited; but if this pipeline slept meanwhile it waits once more."""
        if now - state.judges_from > LAG:
            state.judges_from = now + LAG
        yield from self._judge_devices(state, gateway_id, now)

    def _judge_gateway(self, state: GatewayState, gateway_id: str, now: int) -> Iterator[Found]:
        """Observes whether nothing of it has arrived for too long; nobody is judged much later than was due."""
        waiting = self._waiting(state, gateway_id)
        if waiting and now - min(state.silence_counts_from + silence(rule) for rule in waiting) > LAG:
            state.silence_counts_from = now
        for rule in waiting:
            at = state.silence_counts_from + silence(rule)
            if now >= at:
                state.silent.add(rule.name)
                sentence = f"nothing has arrived since {self._watch.clock(state.arrival, None)}"
                yield of_gateway(rule, gateway_id, Finding(Liveness.SILENT, at, at, sentence))

    def _hear_gateway(self, state: GatewayState, gateway_id: str) -> Iterator[Found]:
        for rule in self._watch.rules_of_gateway(gateway_id):
            if rule.name in state.silent:
                state.silent.discard(rule.name)
                at = state.arrival
                yield of_gateway(rule, gateway_id, Finding(Liveness.ALIVE, at, at, f"heard again at {self._watch.clock(at, None)}"))
