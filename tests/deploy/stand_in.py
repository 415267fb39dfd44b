"""Stands in for Google's provider, whose program could not be had: tofu plans with it as with the real one, and no cloud is asked.

It takes the arguments of provider.json, plans what is proposed and leaves the rest to be known after an apply. It speaks version 5 of
tofu's plugin protocol (docs/plugin-protocol of OpenTofu), of which it needs few messages: their fields are written and read here by number.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import msgspec

from tests.deploy.policies import PROVIDER

_TYPES: dict[str, Any] = {
    "map": ["map", "string"],
    "strings": ["list", "string"],
    "numbers": ["list", "number"],
    "maps": ["list", ["map", "string"]],
    "any": "dynamic",
}
_UNKNOWN = msgspec.msgpack.Ext(0, b"\x00")
_LIST = 2
"""How blocks are nested, as the protocol counts it."""
_SETTINGS = {"project": "string", "region": "string", "billing_project": "string", "user_project_override": "bool"}


@contextmanager
def stand_in(folder: Path) -> Iterator[dict[str, str]]:
    """Serves as both of Google's providers, and yields the variables by which tofu finds it. The folder's path must be short."""
    server = grpc.server(futures.ThreadPoolExecutor(8), options=[("grpc.max_send_message_length", -1)])
    handlers = {name: grpc.unary_unary_rpc_method_handler(answer) for name, answer in _ANSWERS.items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("tfplugin5.Provider", handlers),))
    socket = folder / "provider.sock"
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    here = {"Protocol": "grpc", "ProtocolVersion": 5, "Pid": os.getpid(), "Test": True, "Addr": {"Network": "unix", "String": str(socket)}}
    names = [f"registry.opentofu.org/hashicorp/{name}" for name in ("google", "google-beta")]
    try:
        yield {"TF_REATTACH_PROVIDERS": json.dumps(dict.fromkeys(names, here))}
    finally:
        server.stop(None).wait()


def _schemas(request: bytes, context: grpc.ServicerContext) -> bytes:
    kinds = {kind: _schema(known) for kind, known in PROVIDER.items()}
    resources = [_entry(kind, schema) for kind, schema in kinds.items() if not kind.startswith("data.")]
    data = [_entry(kind.removeprefix("data."), schema) for kind, schema in kinds.items() if kind.startswith("data.")]
    own = _text(2, b"".join(_text(2, _attribute(name, type_)) for name, type_ in _SETTINGS.items()))
    return _text(1, own) + b"".join(_text(2, one) for one in resources) + b"".join(_text(3, one) for one in data)


def _schema(known: Mapping[str, Any]) -> bytes:
    computed = b"".join(_text(2, _text(1, name) + _text(2, '"string"') + _number(6, 1)) for name in ("id", *known.get("~", ())))
    return _text(2, _block(known) + computed)


def _block(known: Mapping[str, Any]) -> bytes:
    parts = []
    for name, type_ in known.items():
        if isinstance(type_, dict):
            parts.append(_text(3, _text(1, name) + _text(2, _block(type_)) + _number(3, _LIST) + _number(4, int("!" in type_))))
        elif name not in {"!", "~"}:
            parts.append(_text(2, _attribute(name, type_)))
    return b"".join(parts)


def _attribute(name: str, type_: str) -> bytes:
    plain = type_.removesuffix("!")
    needed = 4 if type_.endswith("!") else 5
    return _text(1, name) + _text(2, json.dumps(_TYPES.get(plain, plain))) + _number(needed, 1)


def _plan(request: bytes, context: grpc.ServicerContext) -> bytes:
    """What is proposed; of a new resource all that only Google knows is not known yet."""
    fields = _fields(request)
    kind, prior, proposed = fields[1].decode(), _value(fields[2]), _value(fields[3])
    if proposed is not None and prior is None:
        proposed |= dict.fromkeys(("id", *PROVIDER[kind].get("~", ())), _UNKNOWN)
    return _text(1, _text(1, msgspec.msgpack.encode(proposed)))


def _read_data(request: bytes, context: grpc.ServicerContext) -> bytes:
    fields = _fields(request)
    known = PROVIDER[f"data.{fields[1].decode()}"]
    return _text(
        1, _text(1, msgspec.msgpack.encode(_value(fields[2]) | {name: f"{name}-of-google" for name in ("id", *known.get("~", ()))}))
    )


def _same_configuration(request: bytes, context: grpc.ServicerContext) -> bytes:
    return _text(1, _fields(request)[1])


def _nothing(request: bytes, context: grpc.ServicerContext) -> bytes:
    return b""


_ANSWERS: dict[str, Callable[[bytes, grpc.ServicerContext], bytes]] = {
    "GetSchema": _schemas,
    "PrepareProviderConfig": _same_configuration,
    "ValidateResourceTypeConfig": _nothing,
    "ValidateDataSourceConfig": _nothing,
    "Configure": _nothing,
    "PlanResourceChange": _plan,
    "ReadDataSource": _read_data,
    "Stop": _nothing,
}


def _value(dynamic: bytes) -> Any:
    """A value of tofu's, as packed in the first field of a DynamicValue."""
    return msgspec.msgpack.decode(_fields(dynamic)[1])


def _entry(key: str, value: bytes) -> bytes:
    return _text(1, key) + _text(2, value)


def _text(field: int, value: bytes | str) -> bytes:
    content = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _fields(message: bytes) -> dict[int, bytes]:
    """The texts of a message by field; numbers are passed over."""
    found, at = {}, 0
    while at < len(message):
        key, at = _read_varint(message, at)
        value, at = _read_varint(message, at)
        if key & 7 == 2:
            found[key >> 3] = message[at : at + value]
            at += value
    return found


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (message[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if not message[at - 1] & 128:
            return value, at
