"""Tries one thing after the other, says what came of each, and takes away what was made for it, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["ok", "failed", "not tried"]


@dataclass(frozen=True, slots=True)
class Check:
    """Says what is tried, and what is needed for it; `attempt` returns what was found, and puts what it makes onto the stack."""

    name: str
    needs: str
    """The role, API or setting without which it fails."""
    attempt: Callable[[ExitStack], str]


@dataclass(frozen=True, slots=True)
class Finding:
    """Holds what came of a check."""

    name: str
    outcome: Outcome
    text: str

    def line(self) -> str:
        return f"{self.outcome:9} {self.name}: {self.text}"


def findings(checks: Iterable[Check], brief: Callable[[BaseException], str]) -> Iterator[Finding]:
    """Yields one finding for each check, and one for every clean-up that failed; no check keeps another from being tried."""
    for check in checks:
        with ExitStack() as made:
            try:
                found = Finding(check.name, "ok", check.attempt(made))
            except NotTried as reason:
                found = Finding(check.name, "not tried", str(reason))
            except Exception as error:  # noqa: BLE001 - whatever a cloud answers is what is asked for
                found = Finding(check.name, "failed", f"{brief(error)}; needed: {check.needs}")
            yield found
            yield from _cleaned(check.name, made.pop_all(), brief)


class NotTried(Exception):
    """There is nothing to try it on; the text says why."""


def _cleaned(name: str, made: AbstractContextManager[object], brief: Callable[[BaseException], str]) -> Iterator[Finding]:
    try:
        with made:
            pass
    except Exception as error:  # noqa: BLE001 - as above
        yield Finding(f"{name}, clean-up", "failed", brief(error))
