"""What the notifier alone can reach is no target: not by name, not in another spelling, and not a moment after it was checked."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from notify.notice import Notice
from notify.receivers.receiver import ReceiverError
from notify.receivers.webhook import WebhookSettings
from notify.target import TargetRefused, Targets
from program.settings import ConfigError, Secret
from tests.attack import Attack
from tests.notify.alerts import Hook, alert, config

METADATA = ("169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "fd00:ec2::254", "100.100.100.200")
HERE = ("127.0.0.1", "127.8.8.8", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "64:ff9b::7f00:1")
LINK = ("169.254.7.7", "fe80::1%1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "ff02::1")
SPELT_OTHERWISE = ("2130706433", "0x7f.1", "0177.0.0.1", "127.1", "2852039166", "0xa9.0xfe.0xa9.0xfe")


class Names:
    """Gives these addresses for a name, one list after the other, and the last for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers, self.asked = list(answers), 0

    def __call__(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        self.asked += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [(socket.AF_INET6 if ":" in address else socket.AF_INET, 0, 0, "", (address, port)) for address in answer]


def is_tried(targets: Targets, host: str, port: int = 1) -> bool:
    """Whether a connection is tried at all."""
    try:
        targets.connect(host, port, 0.2).close()
    except TargetRefused:
        return False
    except OSError:
        pass
    return True


def test_a_name_that_leads_to_what_the_notifier_alone_can_reach_is_no_target(attack: Attack) -> None:
    answers = [(address,) for address in (*METADATA, *HERE, *LINK)]
    answers += [("93.184.216.34", address) for address in METADATA]
    tried = [answer for answer in answers if is_tried(Targets((), Names(answer)), "hooks.example")]
    here = [answer for answer in answers if answer[-1].startswith("127.")]
    allowed = [answer for answer in here if is_tried(Targets([ip_network("127.0.0.0/8")], Names(answer)), "hooks.example")]
    attack(
        "webhook-to-metadata",
        attacker="receiver",
        attempt="names a host that leads to this machine, its link or where a cloud keeps credentials, alone or beside a public address",
        outcome="refused before a connection is tried; the error names the address",
        attempts=len(answers),
        accepted=len(tried),
        control=f"where allowed_networks has 127.0.0.0/8, a connection to each of the {len(allowed)} names that lead there is tried",
    )
    assert allowed == here


def test_an_address_in_another_spelling_is_no_target(attack: Attack) -> None:
    tried = [host for host in SPELT_OTHERWISE if is_tried(Targets(()), host)]
    everywhere = Targets([ip_network("0.0.0.0/0")])
    anyhow = [host for host in SPELT_OTHERWISE[:4] if is_tried(everywhere, host)]
    attack(
        "webhook-address-spelt-otherwise",
        attacker="receiver",
        attempt="writes 127.0.0.1 and 169.254.169.254 as one number, in octal, hexadecimal or short",
        outcome="refused: what counts is the address that the system makes of it",
        attempts=len(SPELT_OTHERWISE),
        accepted=len(tried),
        control=f"where every network is allowed, a connection to {len(anyhow)} of 4 that mean this machine is tried",
    )
    assert len(anyhow) == 4


def test_the_connection_goes_to_the_address_that_was_checked(attack: Attack) -> None:
    """127.0.0.2 stands for a public address here, and 127.0.0.1 for what it must not become."""
    with Hook().listening() as inside, socket.create_server(("127.0.0.2", int(inside.url.split(":")[2].split("/")[0]))) as outside:
        port = outside.getsockname()[1]
        names = Names(["127.0.0.2"], ["127.0.0.1"])
        with Targets([ip_network("127.0.0.2/32")], names).connect("hooks.example", port, 1.0) as connection:
            reached = connection.getpeername()[0]
        naive = Names(["127.0.0.2"], ["127.0.0.1"])
        checked, used = (naive("hooks.example", port)[0][4][0] for _ in range(2))
    attack(
        "webhook-dns-rebinding",
        attacker="receiver",
        attempt="has a name that leads to a public address when it is checked, and to this machine a moment later",
        outcome="the name is resolved once, and the connection goes to the address that was checked",
        attempts=1,
        accepted=int(reached != "127.0.0.2" or names.asked != 1),
        control=f"whoever resolves the name again to connect reaches {used} after {checked} was checked",
    )
    assert (checked, used) == ("127.0.0.2", "127.0.0.1")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_redirection_leads_nowhere(attack: Attack) -> None:
    with Hook().listening() as first, Hook().listening() as second:
        first.location, first.answers = second.url, [302, 302]
        with pytest.raises(ReceiverError, match="it answered 302"):
            WebhookSettings(name="pager", url=Secret(first.url)).open().send(Notice((alert(),)))
        followed = second.knocks
        urllib.request.urlopen(urllib.request.Request(first.url, b"{}", method="POST"), timeout=5).close()
    attack(
        "webhook-redirection",
        attacker="receiver",
        attempt="answers with a redirection to another address",
        outcome="it counts as an error, and nothing is sent there",
        attempts=1,
        accepted=followed,
        control=f"a client that follows redirections knocks there {second.knocks} time",
    )
    assert second.knocks == 1


@pytest.mark.parametrize("host", ["169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "100.100.100.200", "[::]"])
def test_a_url_with_such_an_address_is_a_config_error(tmp_path: Path, host: str) -> None:
    hook = {"kind": "webhook", "name": "pager", "url": f"https://{host}/latest"}
    with pytest.raises(ConfigError, match=r"receivers\[1\]\.url: .* nothing is sent there unless allowed_networks has it"):
        config(tmp_path, receivers=[hook])
    config(tmp_path, receivers=[hook | {"allowed_networks": ["0.0.0.0/0", "::/0"]}])


def test_a_network_that_is_none_is_a_config_error(tmp_path: Path) -> None:
    hook = {"kind": "webhook", "name": "pager", "url": "https://example.com", "allowed_networks": ["10.0.0.1/8"]}
    with pytest.raises(ConfigError, match=r"receivers\[1\]\.allowed_networks: 10\.0\.0\.1/8 has host bits set"):
        config(tmp_path, receivers=[hook])


def test_this_machine_by_its_own_name_is_a_target() -> None:
    with Hook().listening() as hook:
        port = hook.url.split(":")[2].split("/")[0]
        WebhookSettings(name="pager", url=Secret(f"http://localhost:{port}/hook")).open().send(Notice((alert(),)))
    assert len(hook.requests) == 1
