"""Whatever arrives is attested once at least: over signing that fails or is late, a backlog that drains, and an orderly stop."""

from __future__ import annotations

import base64
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from edge.gateway import Gateway
from edge.settings.signatures import SigningKeys
from edge.store.section import Section
from edge.store.store import OutboxBatch, Store
from edge.uplink.attestor import HEARTBEAT_BLOCKS, SECTION, Attestation, Attestor, NoAttestor, attesting
from edge.uplink.worker import UplinkWorker
from program.child import ChildFailed
from schemas.attestation import block, digest, read, signed_digest
from tests.edge.encoded import NOW, encoded
from tests.edge.gateways import START, config, rows
from tests.edge.uplink.test_worker import QUICK, Instant
from tests.pipeline.signed import key_of, private_pem
from tests.waiting import eventually


class Signing:
    """Signs as the child does, at once, when it may; fails so often first."""

    def __init__(self, failures: int = 0) -> None:
        self.failures, self.may, self.asked = failures, threading.Event(), threading.Event()
        self.may.set()

    def __call__(self, keys: SigningKeys, digest: bytes) -> str:
        self.asked.set()
        self.may.wait(10)
        if self.failures:
            self.failures -= 1
            raise ChildFailed("a private key is not plain PEM")
        return signature_of(digest)


def signature_of(digest: bytes) -> str:
    return base64.b64encode(key_of("gw-1").sign(digest, ECDSA(Prehashed(SHA256())))).decode()


@pytest.fixture
def keys(tmp_path: Path) -> SigningKeys:
    found = SigningKeys("gw-1", tmp_path / "gw-1.key", tmp_path / "pipeline.pub")
    found.key_file.write_bytes(private_pem("gw-1"))
    return found


@pytest.fixture
def batches(tmp_path: Path) -> list[OutboxBatch]:
    with closing(Store(tmp_path / "some.db", "gw-1", 16 << 20)) as store:
        store.cut([encoded(body=str(number).encode()) for number in range(6)], NOW)
        return store.batches(0, 10)


def numbers(attestation: Attestation) -> list[int]:
    return [number for each in read(attestation.batches or "[]") for _, number in each.numbers()]


def test_the_child_signs_by_the_key_on_disk_and_the_gateway_does_not_load_what_signs(keys: SigningKeys, batches: list[OutboxBatch]) -> None:
    attestor = Attestor(keys)
    attestor.note(batches[:3])
    attestor.attest()
    ready = attestor.ready
    assert ready.batches is not None
    assert ready.signature is not None
    public = key_of("gw-1").public_key()
    public.verify(base64.b64decode(ready.signature), signed_digest("gw-1", ready.batches), ECDSA(Prehashed(SHA256())))
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(ready.signature), signed_digest("gw-2", ready.batches), ECDSA(Prehashed(SHA256())))
    epoch = batches[0].envelope.epoch
    expected = {(epoch, each.envelope.seq): digest(each.envelope.attributes(), each.body) for each in batches[:3]}
    assert read(ready.batches) == [block(expected)]
    code = "import sys; import edge.uplink.attestor; assert 'cryptography' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_could_not_be_signed_is_signed_after_the_next_heartbeat(
    keys: SigningKeys, batches: list[OutboxBatch], caplog: pytest.LogCaptureFixture
) -> None:
    attestor = Attestor(keys, Signing(failures=1))
    attestor.note(batches[:2])
    attestor.attest()
    assert attestor.ready == Attestation()
    assert "not attested yet" in caplog.text
    attestor.note(batches[2:4])
    attestor.mark_cut(attestor.ready)
    assert eventually(lambda: numbers(attestor.ready) == [1, 2, 3, 4], 5)


def test_a_heartbeat_that_was_cut_while_the_child_signed_takes_nothing_away(keys: SigningKeys, batches: list[OutboxBatch]) -> None:
    signing = Signing()
    attestor = Attestor(keys, signing)
    attestor.note(batches[:2])
    signing.may.clear()
    attestor.mark_cut(attestor.ready)
    assert signing.asked.wait(5)
    carried = attestor.ready
    signing.may.set()
    assert eventually(lambda: numbers(attestor.ready) == [1, 2], 5)
    attestor.mark_cut(carried)
    assert numbers(attestor.ready) == [1, 2], "no heartbeat has carried it"
    attestor.note(batches[2:])
    attestor.attest()
    assert numbers(attestor.ready) == [1, 2, 3, 4, 5, 6], "an orderly stop attests what waits, and what is signed"


def test_a_backlog_is_hashed_in_blocks_and_a_heartbeat_carries_so_many(keys: SigningKeys, batches: list[OutboxBatch]) -> None:
    attestor, size = Attestor(keys, Signing(), block_batches=3), 3
    for first in range(0, (HEARTBEAT_BLOCKS + 3) * size, size):
        attestor.note(numbered(batches[0], range(first, first + size)))
    attestor.attest()
    assert numbers(attestor.ready) == list(range(HEARTBEAT_BLOCKS * size))
    attestor.mark_cut(attestor.ready)
    assert eventually(lambda: numbers(attestor.ready) == list(range(HEARTBEAT_BLOCKS * size, (HEARTBEAT_BLOCKS + 3) * size)), 5)


def numbered(batch: OutboxBatch, numbers: range) -> list[OutboxBatch]:
    return [replace(batch, envelope=replace(batch.envelope, seq=number)) for number in numbers]


def test_what_has_arrived_is_in_the_heartbeat_after_the_next_and_nothing_else(keys: SigningKeys, tmp_path: Path) -> None:
    attestor, publisher = Attestor(keys, Signing()), Instant()
    with closing(Store(tmp_path / "store.db", "gw-1", 64 << 20)) as store:
        gateway = Gateway(config(tmp_path), store, START, attestor=attestor)
        uplink = UplinkWorker(store, publisher, backoff=QUICK, attestor=attestor)
        store.cut([encoded(), encoded()], START)
        uplink.start()
        assert eventually(lambda: store.ledger().pending == 0, 5)
        uplink.stop(1)
        gateway.flush(START)
        assert eventually(lambda: numbers(attestor.ready) == [1, 2], 5)
        gateway.flush(START)
        [without, carrying] = rows(store, "heartbeats")
        assert "attestation" not in without
        [attested] = read(carrying["attested_batches"])
        assert attested.batches == (store.epoch, 1, 2)
        assert carrying["attestation"]


def test_a_gateway_without_keys_attests_nothing() -> None:
    assert isinstance(attesting(None), NoAttestor)
    assert attesting(None).ready == Attestation()


KILLED = """
import os, sys
from pathlib import Path
from edge.settings.signatures import SigningKeys
from edge.store.store import Store
from edge.uplink.attestor import SECTION, Attestor
from edge.uplink.worker import UplinkWorker
from tests.edge.encoded import NOW, encoded
from tests.edge.uplink.test_worker import QUICK, Instant
from tests.waiting import eventually

folder, count = Path(sys.argv[1]), int(sys.argv[2])
store = Store(folder / "store.db", "gw-1", 16 << 20)
attestor = Attestor(SigningKeys("gw-1", folder / "gw-1.key", folder / "pipeline.pub"), block_batches=4, section=store.section(SECTION))
uplink = UplinkWorker(store, Instant(), backoff=QUICK, attestor=attestor)
uplink.start()
for number in range(count):
    store.cut([encoded(body=str(number).encode())], NOW)
    uplink.wake()
    assert eventually(lambda: store.ledger().pending == 0, 20)
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("count", [1, 6])
def test_what_had_arrived_before_a_kill_is_attested_after_it(keys: SigningKeys, tmp_path: Path, count: int) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(count)], check=False)
    assert killed.returncode == -9
    with closing(Store(tmp_path / "store.db", "gw-1", 16 << 20)) as store:
        attestor = Attestor(keys, Signing(), section=store.section(SECTION))
        attestor.attest()
        assert numbers(attestor.ready) == list(range(1, count + 1))
        forgetful = Attestor(keys, Signing())
        forgetful.attest()
        assert numbers(forgetful.ready) == [], "one that keeps nothing in the store"


def test_what_a_heartbeat_has_carried_is_kept_no_longer(keys: SigningKeys, batches: list[OutboxBatch]) -> None:
    section = Section(SECTION)
    attestor = Attestor(keys, Signing(), block_batches=2, section=section)
    attestor.note(batches[:1])
    attestor.note(batches[1:2])
    attestor.note(batches[2:3])
    assert len(section.items()) == 2, "a block, and what came since"
    again = Attestor(keys, Signing(), section=Section(SECTION, section.items()))
    again.attest()
    assert numbers(again.ready) == [1, 2, 3]
    attestor.attest()
    attestor.mark_cut(attestor.ready)
    attestor.note(batches[3:4])
    again = Attestor(keys, Signing(), section=Section(SECTION, section.items()))
    again.attest()
    assert numbers(again.ready) == [4]
