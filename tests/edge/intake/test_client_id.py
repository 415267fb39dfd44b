"""The doctor warns of a client id that others could guess, and names one that they could not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge.intake.client_id import is_guessable, of_settings
from edge.settings.mqtt import MqttSettings


@pytest.mark.parametrize(
    ("client_id", "guessable"),
    [
        ("gateway-1", True),
        ("gateway-1-2026-11-27", True),
        ("thegatewayofmillfarm", True),
        ("gateway-1-8c1f0a62", True),
        ("1234567890123456", True),
        ("a1a1a1a1a1a1a1a1", True),
        ("gateway-1-8c1f0a62b7d94e35", False),
        ("8c1f0a62-8c1f0a62b7d94e35", False),
    ],
)
def test_a_random_part_is_what_nobody_guesses(client_id: str, guessable: bool) -> None:
    assert is_guessable(client_id) == guessable


def test_it_is_said_where_others_may_come_in_and_the_one_that_is_named_is_good() -> None:
    tls = MqttSettings(host="broker", tls_ca=Path("ca.pem"))
    [warning] = of_settings(tls, "gateway-1")
    assert warning.status == "warn"
    proposed = re.search(r'"(.*)"', warning.advice)
    assert proposed
    assert not list(of_settings(MqttSettings(host="broker", tls_ca=Path("ca.pem"), client_id=proposed[1]), "gateway-1"))
    assert not list(of_settings(MqttSettings(), "gateway-1")), "nobody comes in from elsewhere"
