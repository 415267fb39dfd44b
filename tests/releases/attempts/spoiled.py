"""Attempts of who sits between gateway and source, without any key: other bytes, more bytes, fewer bytes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from releases import roles
from tests.releases.attempts.attempt import Attempt
from tests.releases.workshop import Workshop

_HUGE = 64 << 20


def _altered(shop: Workshop, name: str, change: Callable[[bytes], bytes]) -> None:
    for file in (shop.publisher.site / "targets").rglob(f"*.{name}"):
        file.write_bytes(change(file.read_bytes()))


def _other_model(shop: Workshop) -> None:
    """Gives the model of one release under the name of the other."""
    first, second = sorted((shop.publisher.site / "targets/releases/soil").iterdir())
    (model,), (other,) = (folder.glob("*.model.tflite") for folder in (first, second))
    other.write_bytes(model.read_bytes())


def _endless(shop: Workshop, role: str, version: int | None) -> None:
    name = f"{role}.json" if version is None else f"{version}.{role}.json"
    with (shop.publisher.site / "metadata" / name).open("ab") as content:
        content.truncate(_HUGE)


def _no_json(shop: Workshop, content: bytes) -> None:
    (shop.publisher.site / "metadata" / "timestamp.json").write_bytes(content)


def _endless_newest(shop: Workshop, role: str) -> None:
    shop.publisher.publish()  # something new, so that it has to be read
    _endless(shop, role, int(shop.publisher.repository.newest(role).signed.version))


_network = partial(Attempt, attacker="network")

SPOILED = (
    _network(
        "model-altered", "changes the bytes of a model, not their number", lambda s: _altered(s, "model.tflite", lambda old: old[::-1])
    ),
    _network("model-longer", "adds bytes to a model", lambda s: _altered(s, "model.tflite", lambda old: old + b" and more")),
    _network("model-endless", "sends a model that does not end", lambda s: _altered(s, "model.tflite", lambda old: old + bytes(_HUGE))),
    _network("model-cut", "leaves out the end of a model", lambda s: _altered(s, "model.tflite", lambda old: old[:-1])),
    _network("model-of-another-release", "gives the model of one release as that of another", _other_model),
    _network(
        "rollout-altered",
        "changes a rollout",
        lambda s: _altered(s, "soil.json", lambda old: old.replace(b'"release": 2', b'"release": 1')),
    ),
    _network("timestamp-endless", "sends a timestamp that does not end", lambda shop: _endless(shop, roles.TIMESTAMP, None)),
    _network("snapshot-endless", "sends a snapshot that does not end", lambda shop: _endless_newest(shop, roles.SNAPSHOT)),
    _network("root-endless", "sends a root that does not end", lambda shop: _endless(shop, roles.ROOT, 2)),
    _network("timestamp-deep", "sends lists in each other, ten thousand deep", lambda shop: _no_json(shop, b"[" * 10_000)),
)
