"""No secret is said: not by an error of a configuration, however it is broken, and not by what fails while it is used."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import trustme
from aiosmtpd.smtp import AuthResult

from edge.intake import tls
from edge.intake.http.tokens import Tokens
from edge.intake.routes import Routes
from edge.password import password
from edge.store.section import Section
from edge.store_opening import open_store
from edge.uplink.access import Access
from edge.uplink.uplink import UplinkError
from notify.config import load
from notify.notice import Notice
from notify.receivers.receiver import ReceiverError
from notify.receivers.webhook import WebhookSettings
from program import settings
from program.settings import ConfigError, Secret
from tests.attack import Attack, number
from tests.edge.gateways import config
from tests.notify.alerts import Hook, alert
from tests.notify.receivers.test_mail import Mailbox, mail, mail_server

CANARY = "canary7f3a9c41"
NOTIFY = f"""
[pubsub]
subscription = "projects/demo-project/subscriptions/notify"
[notify]
state_file = "sent.db"
[[receivers]]
kind = "webhook"
name = "pager"
url = "https://example.com/hooks/{CANARY}"
authorization = "Bearer {CANARY}"
[[receivers]]
kind = "mail"
name = "farmer"
host = "smtp.example.com"
sender = "tinybeam@example.com"
recipients = ["farmer@example.com"]
user = "farmer"
password = "{CANARY}"
[[routes]]
receivers = ["pager", "farmer"]
"""
PUT_IN = ('"', "'", "[", "]", "{", "}", "=", ",", "#", "\n", "\\", "$", "${", " ", "@", ":", "é", "\x07", '"""')


def test_every_secret_setting_is_one_of_those_that_are_tried_here() -> None:
    """A new one needs its attempts below."""
    found = {
        f"{kind.__name__}.{name}" for kind in _tables() for name, hint in get_type_hints(kind).items() if Secret in (hint, *get_args(hint))
    }
    assert found == {"WebhookSettings.url", "WebhookSettings.authorization", "MailSettings.password", "StoreSettings.encryption_key"}


def _tables() -> Iterator[type]:
    """Every table of every configuration that is loaded."""
    waiting = settings.Settings.__subclasses__()
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if not kind.__module__.startswith("tests."):
            yield kind


def test_a_configuration_that_is_broken_anywhere_says_none_of_its_secrets(tmp_path: Path, attack: Attack) -> None:
    seed = random.randrange(2**32)
    broken = list(_broken(NOTIFY))
    chosen = random.Random(seed).sample(broken, min(number(300, len(broken)), len(broken)))
    wrong = [text for line in NOTIFY.splitlines() if CANARY in line for text in _wrong(line)]
    said = [sentence for text in (*chosen, *wrong) if (sentence := _said(tmp_path, text))]
    host = [_said(tmp_path, text) for text in _wrong('host = "smtp.example.com"')]
    shown = sum("smtp.example.com" in sentence for sentence in host)
    attack(
        "secret-in-config-error",
        attacker="reader",
        attempt="reads the errors of a notify.toml that lacks a character, has one too many, or a secret of another type",
        outcome=f"{len(said):,} errors that name file and setting, without the secret",
        attempts=len(chosen) + len(wrong),
        accepted=sum(CANARY in sentence for sentence in said),
        control=f"the value of a setting that is no secret is shown by {shown} of {len(host)} errors of another type",
    )
    assert len(said) > len(chosen) // 2, f"seed {seed}"
    assert shown


def _broken(text: str) -> Iterator[str]:
    for at in range(len(text)):
        yield text[:at] + text[at + 1 :]
        yield from (text[:at] + put + text[at:] for put in PUT_IN)


def _wrong(line: str) -> list[str]:
    """The file with the value of this line as another type."""
    name, value = line.split(" = ")
    return [NOTIFY.replace(line, f"{name} = {form}") for form in (f"[{value}]", f"[[{value}]]", f"{{ a = {value} }}", f"{{ {value} = 1 }}")]


def _said(folder: Path, text: str) -> str:
    file = folder / "notify.toml"
    file.write_text(text)
    try:
        load(file)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "url",
    [
        f"https://user:{CANARY}@example.com",
        f"https://example.com:{CANARY}/",
        f"https://[{CANARY}/",
        f"ftp://example.com/{CANARY}",
        f"http://example.com/{CANARY}",
        f"https://example.com/{CANARY} with a space",
        f"https://example.com/{CANARY}/é",
        f"https://169.254.169.254/{CANARY}",
    ],
)
def test_a_url_that_is_refused_is_not_shown(tmp_path: Path, url: str, attack: Attack) -> None:
    said = _said(tmp_path, NOTIFY.replace(f"https://example.com/hooks/{CANARY}", url))
    attack(
        "secret-in-url-error",
        attacker="reader",
        attempt="reads the error of a webhook's URL that is refused",
        outcome="the sentence says what is wrong with the URL, and no part of it but the host",
        attempts=1,
        accepted=int(CANARY in said),
        control="each of these URLs holds the secret, and each is refused",
    )
    assert "receivers[1].url" in said


def test_a_receiver_that_fails_says_no_secret(attack: Attack, caplog: pytest.LogCaptureFixture) -> None:
    failures = [*_webhook_failures(), *_mail_failures()]
    said = [*(str(each) for each in failures), *(record.getMessage() for record in caplog.records)]
    attack(
        "secret-in-receiver-error",
        attacker="reader",
        attempt="reads what the notifier says of webhooks and mail servers that refuse, break off, redirect or are not there",
        outcome="each failure is named, without URL, token or password",
        attempts=len(failures),
        accepted=sum(CANARY in sentence for sentence in said),
        control="each of these receivers was sent the secret, or would have been",
    )
    assert len(failures) == 6


def _webhook_failures() -> Iterator[ReceiverError]:
    with Hook().listening() as hook:
        port = hook.url.split(":")[2].split("/")[0]
        hook.answers = [500, 302, 404]
        for at in (port, port, port, "1"):
            secret = Secret(f"http://127.0.0.1:{at}/{CANARY}")
            webhook = WebhookSettings(name="pager", url=secret, authorization=Secret(CANARY)).open()
            with pytest.raises(ReceiverError) as failed:
                webhook.send(Notice((alert(),)))
            yield failed.value


def _mail_failures() -> Iterator[ReceiverError]:
    def refuse(*_: object) -> AuthResult:
        return AuthResult(success=False, handled=False)

    user = {"user": "farmer", "password": Secret(CANARY), "starttls": False}
    with mail_server(Mailbox(), authenticator=refuse, auth_require_tls=False) as port:
        for at in (port, 1):
            with pytest.raises(ReceiverError) as failed:
                mail(at, **user).send(Notice((alert(),)))
            yield failed.value


FILES = {
    "tokens": ("short {0}", "{0}{0}", "{0}{0} soil-*\n{0}{0} soil-*", "\xff{0}"),
    "password": ("\n{0}", "\xff{0}", ""),
    "hash_key": ("{0}",),
    "store_key": ("{0}", "{0}{0}{0}\xff"),
    "store_key_of_environment": ("{0}",),
    "tls_key": ("{0}", "-----BEGIN PRIVATE KEY-----\n{0}\n-----END PRIVATE KEY-----\n"),
    "credentials": ("{0}", '{{"type": "{1}", "private_key": "{0}"}}', '{{"type": "service_account", "private_key": "{0}"}}', '["{0}"]'),
}
"""What a file of a secret holds, and cannot be used."""


def test_a_file_of_secrets_that_cannot_be_used_is_named_and_not_shown(
    tmp_path: Path, attack: Attack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tried = [(name, form.format(CANARY, "user")) for name, forms in FILES.items() for form in forms]
    said = [_of_file(tmp_path, name, text) for name, text in tried]
    said += [record.getMessage() for record in caplog.records]
    attack(
        "secret-in-file-error",
        attacker="reader",
        attempt="reads what is said of files of tokens, passwords and keys that cannot be used",
        outcome="each file is named with what is wrong, and nothing of what is in it",
        attempts=len(tried),
        accepted=sum(CANARY in sentence for sentence in said),
        control=f"{sum(CANARY in text for _, text in tried)} of the {len(tried)} files hold the secret, and an error is said of each",
    )
    assert all(said)


def _of_file(folder: Path, name: str, text: str) -> str:
    file = folder / name
    file.write_bytes(text.encode("latin-1"))
    try:
        _OPENED[name](folder, file)
    except (ConfigError, UplinkError) as error:
        return str(error)
    return ""


def _key(folder: Path, file: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert("gw-1").cert_chain_pems[0].write_to_path(str(folder / "own.pem"))
    tls.context(config(folder, mqtt={"tls_ca": "ca.pem", "tls_certificate": "own.pem", "tls_key": file.name}).mqtt)


def _hash_key(folder: Path, file: Path) -> None:
    sensors = {"name": "s", "devices": ["*"], "channels": {"v": ""}, "payload": {"hash_key_file": file.name}}
    Routes(config(folder, sensors=[sensors]), Section("names"))


_OPENED: dict[str, Callable[[Path, Path], object]] = {
    "tokens": lambda _, file: Tokens(file),
    "password": lambda _, file: password("mqtt.password_file", file),
    "hash_key": _hash_key,
    "store_key": lambda folder, file: open_store(config(folder, store={"encryption_key_file": file.name})),
    "store_key_of_environment": lambda folder, file: open_store(config(folder, store={"encryption_key": file.read_text()})),
    "tls_key": _key,
    "credentials": lambda _, file: Access(file),
}
