"""A gateway is let in by its certificate, and says which it is if not: expired, refused, a wrong clock, or no network."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from edge.store.store import Store
from edge.uplink import access_child
from edge.uplink.access import Access, AccessFailed
from edge.uplink.credentials_findings import of_credentials
from edge.uplink.google_publisher import GooglePublisher
from edge.uplink.worker import UplinkWorker
from keys import identity
from lab.services.child import free_port
from program.backoff import Backoff
from tests.attack import Attack
from tests.edge.encoded import NOW, encoded
from tests.edge.uplink.token_server import TokenService, credentials, served
from tests.keys.farms import Farm, now
from tests.waiting import eventually

trustme = pytest.importorskip("trustme", reason="trustme is not installed (pip install trustme)")
LONG_AGO, TO_COME = timedelta(days=-90), timedelta(days=2)


@dataclass
class Google:
    """Everybody's Google, which the gateway knows by its authority."""

    folder: Path
    farm: Farm
    authority: trustme.CA
    revoked: set[str] = field(default_factory=set)

    @contextmanager
    def token_service(self, *, looks_at_dates: bool = True, by: trustme.CA | None = None) -> Iterator[tuple[TokenService, int]]:
        service = TokenService(self.farm.trusted, looks_at_dates, self.revoked)
        with served(service, by or self.authority) as port:
            yield service, port

    def ask(self, own: Path, port: int) -> dict[str, Any]:
        """What the child that makes headers prints: {headers, expires} or {state, text}."""
        printed = StringIO()
        with redirect_stdout(printed):
            access_child.main([str(credentials(self.folder, own, port))])
        return dict(json.loads(printed.getvalue()))

    def revoke(self, own: Path) -> None:
        self.revoked.add(f"{identity.read(own).certificate.serial_number:X}")


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Google:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "google.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "google.pem"))
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    return Google(tmp_path, Farm(tmp_path), authority)


def test_one_file_of_key_and_certificate_gets_a_token_and_a_renewed_one_needs_no_restart(google: Google) -> None:
    own = google.farm.identity("gw-1", at=now() + LONG_AGO)
    with google.token_service() as (service, port):
        access = Access(credentials(google.folder, own, port))
        with pytest.raises(AccessFailed, match="the gateway's certificate ended on"):
            access.headers()
        google.farm.identity("gw-1")
        assert dict(access.headers()) == {"authorization": "Bearer token of gw-1"}
    assert service.asked == ["gw-1"]


@pytest.mark.parametrize("looks_at_dates", [True, False], ids=["in-the-handshake", "in-the-answer"])
def test_a_certificate_that_is_not_valid_now_gets_no_token_and_the_gateway_says_which_end(
    google: Google, looks_at_dates: bool, attack: Attack
) -> None:
    expired, early = (google.farm.identity(name, at=now() + when) for name, when in (("gw-old", LONG_AGO), ("gw-new", TO_COME)))
    with google.token_service(looks_at_dates=looks_at_dates) as (_, port):
        answers = [google.ask(own, port) for own in (expired, early)]
        assert "headers" in google.ask(google.farm.identity("gw-1"), port)
    control = "by a certificate of the same authority that is valid now there is a token"
    outcome = "no token from a service that looks at dates, {} the gateway's uplink_state is {}"
    rows = ("expired", "has expired", "cert_expired"), ("future", "is not valid yet", "clock_wrong")
    for answer, (name, attempt, state) in zip(answers, rows, strict=True):
        attack(
            f"cloud-{name}",
            attacker="gateway",
            attempt=f"asks Google for a token by a certificate that {attempt}",
            outcome=outcome.format("in the handshake or in the answer;", state),
            attempts=1,
            accepted=int("headers" in answer),
            control=control,
        )
    assert [each["state"] for each in answers] == ["cert_expired", "clock_wrong"]
    assert "the gateway's certificate ended on" in answers[0]["text"]
    assert "the gateway's certificate begins on" in answers[1]["text"]


def test_a_certificate_that_was_revoked_or_is_of_another_authority_is_refused_which_is_no_outage(
    google: Google, tmp_path: Path, attack: Attack
) -> None:
    (tmp_path / "other").mkdir()
    revoked, other = google.farm.identity("gw-1"), Farm(tmp_path / "other").identity("gw-2")
    with google.token_service() as (_, port):
        assert "headers" in google.ask(revoked, port)
        google.revoke(revoked)
        answers = [google.ask(own, port) for own in (revoked, other)]
    rows = (
        ("revoked", "whose serial number is in `revoked`", "before it was revoked the same certificate gets a token"),
        ("wrong-authority", "of another authority", "one of the farm's authority gets a token from the same service"),
    )
    for answer, (name, attempt, control) in zip(answers, rows, strict=True):
        attack(
            f"cloud-{name}",
            attacker="gateway",
            attempt=f"asks Google for a token by a certificate {attempt}",
            outcome="no token from a service that answers as Google's does; the gateway's uplink_state is refused, and its log says why",
            attempts=1,
            accepted=int("headers" in answer),
            control=control,
        )
    assert [each["state"] for each in answers] == ["refused", "refused"]
    assert "rejected by the attribute condition" in answers[0]["text"]


def test_without_a_network_the_gateway_is_offline_and_nothing_else(google: Google) -> None:
    answer = google.ask(google.farm.identity("gw-1"), free_port())
    assert answer["state"] == "offline"
    assert answer["text"].startswith("the service is not reached: ")


def test_who_answers_in_google_s_place_is_shown_nothing(google: Google, attack: Attack) -> None:
    own = google.farm.identity("gw-1")
    with google.token_service(by=trustme.CA()) as (false, port):
        answer = google.ask(own, port)
    with google.token_service() as (true, port):
        google.ask(own, port)
    attack(
        "cloud-false",
        attacker="network",
        attempt="answers in the place of Google's token service, with a certificate of another authority",
        outcome="the gateway breaks off before it shows its own certificate, and is offline",
        attempts=1,
        accepted=len(false.asked),
        control=f"the service that the gateway knows is asked by {len(true.asked)} of 1",
    )
    assert (answer["state"], answer["text"].partition(":")[0]) == ("offline", "who answers is not the service")


def test_a_gateway_that_is_not_let_in_says_why_in_its_state_and_its_log(google: Google, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "tinybeam.edge.uplink")
    own = google.farm.identity("gw-1", at=now() + LONG_AGO)
    store = Store(google.folder / "store.db", "gw-1", 64 << 20)
    store.cut([encoded()], NOW)
    with google.token_service() as (_, port), closing(store):
        publisher = GooglePublisher("projects/test-project/topics/batches", credentials(google.folder, own, port))
        uplink = UplinkWorker(store, publisher, backoff=Backoff(initial_interval=0.05, max_interval=0.2))
        uplink.start()
        assert eventually(lambda: uplink.state == "cert_expired", 30)
        google.farm.identity("gw-1", at=now() + TO_COME)
        assert eventually(lambda: uplink.state == "clock_wrong", 30)
        google.revoke(google.farm.identity("gw-1"))
        assert eventually(lambda: uplink.state == "refused", 30)
        uplink.stop(0)
        publisher.close()
    states = [record.getMessage().partition(":")[0] for record in caplog.records]
    assert states == ["uplink is cert_expired", "uplink is clock_wrong", "uplink is refused"]


def test_the_doctor_warns_of_a_service_account_by_name_and_shows_the_end_of_a_certificate(google: Google, tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text('{"type": "service_account", "client_email": "gw@my-project.iam.gserviceaccount.com", "private_key": "secret"}')
    key.chmod(0o644)
    readable, warning = of_credentials(key, now())
    assert (readable.status, warning.status) == ("fail", "warn")
    assert "key of the service account gw@my-project.iam.gserviceaccount.com" in warning.text
    assert "secret" not in warning.text
    file = credentials(tmp_path, google.farm.identity("gw-1", at=now() + LONG_AGO), 1)
    assert [(each.name, each.status) for each in of_credentials(file, now())] == [("certificate", "fail")]
    (tmp_path / "certificate.json").write_text("{}")
    [broken] = of_credentials(file, now())
    assert (broken.status, "names no cert_configs.workload.cert_path" in broken.text) == ("fail", True)
