"""What a gateway has attested it cannot deny, and nobody can make it seem so: by an archive, and the keys of the registry."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from pipeline.archive import RECEIVED_TIME
from pipeline.attestations import Attestations, OfGateway
from pipeline.command import cli
from pipeline.elements import ReceivedMessage
from schemas.attestation import Block, block, digest, signed_digest, written
from schemas.envelope import entry, micros
from schemas.records import GatewayKey, Heartbeat
from tests.attack import Attack
from tests.pipeline.bodies import NOW, message, one_of, summary
from tests.pipeline.signed import key_of, registered

BATCHES = [message([summary(value=number / 10)], seq=number) for number in range(1, 6)]
KEYS = [registered("gw1")]


def block_of(batches: Sequence[ReceivedMessage]) -> Block:
    return block({(7, int(each.attributes["seq"])): digest(each.attributes, each.body) for each in batches})


def heartbeat(blocks: Sequence[Block], owner: str = "gw1", seq: int = 100) -> ReceivedMessage:
    text = written(blocks)
    signature = key_of(owner).sign(signed_digest("gw1", text), ECDSA(Prehashed(SHA256())))
    row: Heartbeat = replace(one_of("heartbeats"), attested_batches=text, attestation=base64.b64encode(signature).decode())
    return message([row], seq=seq)


def judged(messages: Sequence[ReceivedMessage], keys: Sequence[GatewayKey] = KEYS) -> OfGateway:
    attestations = Attestations()
    for each in messages:
        attestations.add({**each.attributes, RECEIVED_TIME: str(micros(each.received_time))}, each.body)
    return attestations.judged(keys)["gw1"]


def changed(batch: ReceivedMessage) -> ReceivedMessage:
    return message([summary(value=0.9)], seq=int(batch.attributes["seq"]))


def test_what_a_gateway_attested_it_cannot_deny_and_what_it_did_not_is_counted() -> None:
    found = judged([*BATCHES, heartbeat([block_of(BATCHES[:2]), block_of(BATCHES[3:4])])])
    assert found.attested == {(7, 1), (7, 2), (7, 4)}
    assert (found.batches, found.faults) == (6, [])


def test_an_archive_that_was_changed_by_who_keeps_it_no_longer_fits(attack: Attack) -> None:
    said = heartbeat([block_of(BATCHES)])
    altered = {
        "a batch is changed": [changed(BATCHES[0]), *BATCHES[1:], said],
        "a batch is taken out": [*BATCHES[1:], said],
        "another key signs for what was changed": [changed(BATCHES[0]), *BATCHES[1:], heartbeat([block_of([changed(BATCHES[0])])], "gw2")],
    }
    found = {what: judged(messages) for what, messages in altered.items()}
    accepted = sum(bool((7, 1) in each.attested or not each.faults) for each in found.values())
    assert judged([*BATCHES, said]).attested >= {(7, 1)}
    attack(
        "archive-rewritten",
        attacker="keeper",
        attempt="changes a batch of the archive, takes one out, or signs for another in the gateway's place",
        outcome="`tinybeam pipeline attestations` names the batch, and it is not attested",
        attempts=len(found),
        accepted=accepted,
        control="the archive as it came fits, and each of its batches is attested",
    )


def test_a_gateway_does_not_deny_what_it_attested_by_giving_its_name_to_something_else(attack: Attack) -> None:
    said, other = heartbeat([block_of(BATCHES)]), changed(BATCHES[0])
    found = judged([*BATCHES, other, said])
    denied = judged([other, *BATCHES[1:], said])
    assert not found.faults
    assert (7, 1) in found.attested, "both bodies are there: what it signed is still proven"
    attack(
        "batch-denied",
        attacker="gateway",
        attempt="says that a batch of its name was another",
        outcome="the hash that it signed is of the batch that came, and of no other",
        attempts=1,
        accepted=int((7, 1) in denied.attested),
        control="with the batch that came the same heartbeat attests it",
    )


def test_a_revoked_key_attests_nothing_that_came_from_then_on() -> None:
    messages = [*BATCHES, heartbeat([block_of(BATCHES)])]
    assert not judged(messages, [registered("gw1", revoked_time=NOW)]).attested
    assert judged(messages, [registered("gw1", revoked_time=NOW + timedelta(seconds=1))]).attested


@pytest.mark.parametrize("batches", [(7, 1), (7, 2, 1), (7, 1, 10**30)])
def test_what_is_no_block_is_a_fault_and_takes_no_time(batches: tuple[int, ...]) -> None:
    text = json.dumps([{"batches": batches, "sha256": "00"}])
    signature = base64.b64encode(key_of("gw1").sign(signed_digest("gw1", text), ECDSA(Prehashed(SHA256())))).decode()
    found = judged([*BATCHES, message([replace(one_of("heartbeats"), attested_batches=text, attestation=signature)], seq=100)])
    assert len(found.faults) == 1
    assert not found.attested


def test_the_command_reads_an_archive(tmp_path: Path) -> None:
    folder, registry = tmp_path / "archive" / "kind=any" / "day=2026-05-01", tmp_path / "registry.toml"
    folder.mkdir(parents=True)
    key = KEYS[0]
    registry.write_text(f'[[gateways]]\ngateway_id = "gw1"\npublic_key = "{key.public_key}"\nvalid_from = 2026-01-01T00:00:00Z\n')
    arguments = ["attestations", str(tmp_path / "archive"), "--registry", str(registry)]
    file = folder / "some.tbb"
    messages = [*BATCHES, heartbeat([block_of(BATCHES)])]
    file.write_bytes(b"".join(entry(each.attributes, each.body) for each in messages))
    result = CliRunner().invoke(cli, arguments)
    assert (result.exit_code, result.output) == (0, "gw1: 5 of 6 batches are attested\n")
    file.write_bytes(b"".join(entry(each.attributes, each.body) for each in messages[1:]))
    result = CliRunner().invoke(cli, [*arguments, "--json"])
    assert result.exit_code == 1
    assert json.loads(result.output) == {"gw1": {"batches": 5, "attested": 0, "faults": ["gw1:7:100: the archive lacks 7:1"]}}
