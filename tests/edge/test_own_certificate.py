"""The gateway knows when its certificate ends, follows a renewal, and says of a broker that is offline whether that is why."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from edge.own_certificate import OwnCertificate, state_of
from keys import identity
from schemas.records import LinkState
from tests.keys.farms import Farm, now


def test_a_renewed_certificate_is_seen_and_a_torn_file_costs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    farm = Farm(tmp_path)
    file = farm.identity("gateway-1", at=now() - timedelta(days=50))
    own, first = OwnCertificate("uplink.tls_certificate", file), identity.read(file).end
    assert own.end() == first
    renewed = farm.identity("gateway-1").read_bytes()
    os.utime(file, ns=(0, 1))
    last = own.end()
    assert last == identity.read(file).end > first
    file.write_bytes(b"torn")
    assert own.end() == last
    assert f"uplink.tls_certificate {file} cannot be read" in caplog.text
    file.write_bytes(renewed)
    file.unlink()
    assert own.end() == last
    assert OwnCertificate("mqtt.tls_certificate", None).end() is None


def test_a_gateway_that_knows_when_its_certificate_ends_does_not_load_what_reads_it(tmp_path: Path) -> None:
    file = Farm(tmp_path).identity("gateway-1")
    code = "import sys; import edge.run; from pathlib import Path; from edge.own_certificate import OwnCertificate"
    ends = f"assert OwnCertificate('mqtt.tls_certificate', Path({str(file)!r})).end()"
    subprocess.run([sys.executable, "-c", f"{code}; {ends}; assert 'cryptography' not in sys.modules"], check=True)


@pytest.mark.parametrize(
    ("connection", "left", "says"),
    [
        (LinkState.OFFLINE, -1, LinkState.CERT_EXPIRED),
        (LinkState.OFFLINE, 1, LinkState.OFFLINE),
        (LinkState.ONLINE, -1, LinkState.ONLINE),
        (LinkState.OFFLINE, None, LinkState.OFFLINE),
    ],
)
def test_only_a_broker_that_is_offline_is_so_for_an_expired_certificate(connection: LinkState, left: int | None, says: LinkState) -> None:
    end = None if left is None else now() + timedelta(days=left)
    assert state_of(connection, end, now()) == says
