"""Packs what a step remembers of a key as versioned bytes: msgpack of (version, body).

An update of the pipeline finds the bytes that its predecessor wrote. It reads every version that it lists, and refuses by number any
other; nothing shifts silently, as it does where objects are pickled. The bytes of every released version stand in
tests/pipeline/golden. Knows no engine: its states are bytes to Beam, `ReadModifyWriteStateSpec("seqs", BytesCoder())`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

State = TypeVar("State")


class UnreadableState(Exception):
    """Is raised for bytes that no version known here has written."""


@dataclass(frozen=True, slots=True)
class Earlier(Generic[State]):
    """Reads a version of before: what its body was, and what that is today."""

    body: Any
    upgrade: Callable[[Any], State]


class StateFormat(Generic[State]):
    """Packs and unpacks one kind of state.

    `body` is a type that msgspec knows, best a NamedTuple or a tuple: `SEQS = StateFormat("seqs", 1, tuple[int, ...])`. When it changes,
    `version` rises, and the one before goes to `earlier`: `{1: Earlier(tuple[int, ...], upgrade)}`.
    """

    def __init__(self, name: str, version: int, body: type[State], earlier: Mapping[int, Earlier[State]] | None = None) -> None:
        self._name, self._version = name, version
        self._readers = {version: _reader(Earlier(body, _unchanged))}
        self._readers.update((number, _reader(known)) for number, known in (earlier or {}).items())

    def pack(self, state: State) -> bytes:
        return msgspec.msgpack.encode((self._version, state))

    def unpack(self, packed: bytes | None) -> State | None:
        """Returns the state; None where there is none yet. Raises UnreadableState."""
        if packed is None:
            return None
        try:
            version, body = _VERSIONED.decode(packed)
            return self._read(version, body)
        except msgspec.MsgspecError as error:
            raise UnreadableState(f"state {self._name}: {error} in {packed[:40].hex()}: drain the pipeline and start it anew") from error

    def _read(self, version: int, body: msgspec.Raw) -> State:
        if version not in self._readers:
            known = ", ".join(map(str, sorted(self._readers)))
            raise UnreadableState(f"state {self._name} has version {version}, this pipeline reads {known}: run the version that wrote it")
        return self._readers[version](body)


_VERSIONED: msgspec.msgpack.Decoder[tuple[int, msgspec.Raw]] = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw])


def _reader(known: Earlier[State]) -> Callable[[msgspec.Raw], State]:
    decoder = msgspec.msgpack.Decoder(known.body)
    return lambda body: known.upgrade(decoder.decode(body))


def _unchanged(state: State) -> State:
    return state
