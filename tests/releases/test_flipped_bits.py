"""M1: whichever bit is flipped of what is published, a gateway takes what was signed or nothing."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

import pytest

from releases import drafting, renewal, roles
from releases.error import ReleaseError
from releases.rollout import Release, Rollout
from tests import long_form
from tests.attack import Attack
from tests.edge.folders import memory_folder
from tests.releases.publisher import FILES, NOW, Publisher
from tests.releases.workshop import Runs, trusting

SEED = 20260501
Taken = tuple[list[Rollout], Mapping[str, bytes]]
SAMPLE = 200
"""Bits that the suite flips; the long form flips all, or its share."""


@pytest.fixture
def published() -> Iterator[Publisher]:
    """A small repository whose root was signed anew, so that its second version is read too."""
    with memory_folder() as folder:
        publisher = Publisher(folder)
        renewal.renew(publisher.repository, NOW)
        for key in ("root", "releases"):
            for holder in ("ben", "eva"):
                drafting.sign(publisher.repository, publisher.key(holder, key))
        publisher.roll_out(publisher.release(files=FILES | {"model.tflite": Random(SEED).randbytes(500)}), 100)
        publisher.publish()
        yield publisher


def read_files(publisher: Publisher) -> list[Path]:
    """The files that a client reads: of each role the newest version, and what it names."""
    metadata, repository = publisher.site / "metadata", publisher.repository
    numbers = {role: repository.newest(role).signed.version for role in (*roles.OFFLINE, roles.ROLLOUTS, roles.SNAPSHOT)}
    named = [metadata / "timestamp.json", *(metadata / f"{number}.{role}.json" for role, number in numbers.items())]
    return [*named, *(file for file in sorted((publisher.site / "targets").rglob("*")) if file.is_file())]


def bits(publisher: Publisher) -> list[tuple[Path, int]]:
    every = [(file, bit) for file in read_files(publisher) for bit in range(8 * file.stat().st_size)]
    count = long_form.number(SAMPLE, len(every))
    return every if count >= len(every) else Random(SEED).sample(every, count)


def new_gateway(publisher: Publisher) -> Taken | ReleaseError:
    """What one takes that has read nothing yet, to the last field."""
    kept = publisher.folder / "gateway"
    shutil.rmtree(kept, ignore_errors=True)
    try:
        client = publisher.client()
        rollouts = client.refresh(NOW)
        client.fetch(Release("soil", 1), kept / "staged")
    except ReleaseError as error:
        return error
    return rollouts, {file.name: file.read_bytes() for file in (kept / "staged").iterdir()}


def flipped(content: bytes, bit: int) -> bytes:
    return content[: bit // 8] + bytes([content[bit // 8] ^ 1 << bit % 8]) + content[bit // 8 + 1 :]


def believed(publisher: Publisher, truth: Runs) -> bool:
    """Says whether a client that checks nothing takes something else than what was signed."""
    try:
        return trusting(publisher.site) != truth
    except (ValueError, KeyError, TypeError, OSError, AttributeError):
        return False


def test_whichever_bit_is_flipped_what_was_signed_is_taken_or_nothing(published: Publisher, attack: Attack) -> None:
    truth, trusted = new_gateway(published), trusting(published.site)
    assert not isinstance(truth, ReleaseError)
    found, controls, chosen = Counter[str](), 0, bits(published)
    for number, (file, bit) in enumerate(chosen):
        content = file.read_bytes()
        file.write_bytes(flipped(content, bit))
        came = new_gateway(published)
        found["refused" if isinstance(came, ReleaseError) else "without effect" if came == truth else "accepted"] += 1
        controls += believed(published, trusted)
        file.write_bytes(content)
        long_form.progress(number, len(chosen))
    assert found["refused"] > len(chosen) / 2
    control = f"a client that checks nothing takes something else after {controls:,} of {len(chosen):,} flips"
    assert controls
    attack(
        "release-bits",
        attacker="network",
        attempt="flips one bit of what is published",
        outcome="refused, or without effect: a space, a hash's letter in capitals, the signature that two others make superfluous",
        attempts=len(chosen),
        accepted=found["accepted"],
        control=control,
    )
    counts = f"{found['refused']:,} refused, {found['without effect']:,} without effect"
    long_form.note("M1", measured=f"{len(chosen):,} flips of one bit: {found['accepted']} accepted ({counts})", control=control, seed=SEED)
