"""The notifier's configuration: one TOML file -> one frozen tree, wholly checked before any thread or connection.

`${NAME}` in a text is replaced by the environment variable: passwords and tokens belong there. Every error names the file and the setting.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from program.dataclass_settings import checked
from program.settings import ConfigError, is_local, read
from schemas.envelope import ID_PATTERN
from schemas.records import Alert, Severity

__all__ = ["Config", "ConfigError", "load", "parse"]

STDOUT = "stdout"
"""The receiver that is always there."""

_SUBSCRIPTION = re.compile(r"projects/[a-z][a-z0-9:.-]+/subscriptions/[A-Za-z][A-Za-z0-9._~+%-]{2,254}")
_ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")


@dataclass(frozen=True, slots=True)
class Pubsub:
    subscription: str


@dataclass(frozen=True, slots=True)
class NotifySettings:
    state_file: Path
    max_age_seconds: int = 21_600
    max_per_hour: int = 6
    """Of one rule and site, to each receiver."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Full jitter: a random time up to a limit that grows with every failure in a row. Seconds."""

    initial_interval: float = 1.0
    max_interval: float = 300.0
    multiplier: float = 2.0
    max_elapsed_time: float = 21_600.0
    """0: for ever."""


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    name: str
    url: str = field(repr=False)
    """Not shown: many hooks have their secret in it."""
    authorization: str = field(default="", repr=False)
    timeout_seconds: float = 10.0
    tls_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class MailSettings:
    name: str
    host: str
    sender: str
    recipients: tuple[str, ...]
    port: int = 587
    starttls: bool = True
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_seconds: float = 30.0
    tls_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Alerts that fit all of it go to its receivers."""

    receivers: tuple[str, ...]
    severities: tuple[str, ...] = tuple(Severity)
    rules: tuple[str, ...] = ("*",)
    sites: tuple[str, ...] = ("*",)

    def fits(self, alert: Alert) -> bool:
        return alert.severity in self.severities and _fits(alert.rule, self.rules) and _fits(alert.site_id or "", self.sites)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the notifier is configured by. `file` is where it came from."""

    pubsub: Pubsub
    notify: NotifySettings
    routes: tuple[Route, ...]
    retry: Retry = Retry()
    webhooks: tuple[WebhookSettings, ...] = ()
    mails: tuple[MailSettings, ...] = ()
    file: Path = field(default=Path("notify.toml"), compare=False, metadata={"setting": False})

    def receivers_of(self, alert: Alert) -> tuple[str, ...]:
        """Of every route that fits, each once."""
        return tuple(dict.fromkeys(name for route in self.routes if route.fits(alert) for name in route.receivers))


def load(file: Path) -> Config:
    """Raises ConfigError. Relative paths are relative to the file's folder."""
    return parse(read(file), file)


def parse(content: dict[str, Any], file: Path) -> Config:
    """From parsed TOML. Raises ConfigError."""
    config: Config = checked(Config, content, file, _check)
    return config


def _check(config: Config) -> None:
    name = config.pubsub.subscription
    _demand(_SUBSCRIPTION.fullmatch(name), f"pubsub.subscription must look like projects/PROJECT/subscriptions/NAME, not {name!r}")
    _check_numbers(config)
    names = [STDOUT, *(webhook.name for webhook in config.webhooks), *(mail.name for mail in config.mails)]
    for name in names:
        _demand(ID_PATTERN.fullmatch(name), f"the receiver name {name!r} must be letters, digits, dot, dash or underscore, at most 64")
        _demand(names.count(name) == 1, f"the receiver name {name!r} stands twice")
    for number, webhook in enumerate(config.webhooks, 1):
        _check_webhook(webhook, f"webhooks[{number}]")
    for number, mail in enumerate(config.mails, 1):
        _check_mail(mail, f"mails[{number}]")
    _demand(config.routes, "routes: at least one [[routes]] is needed")
    for number, route in enumerate(config.routes, 1):
        _check_route(route, f"routes[{number}]", names)


def _check_numbers(config: Config) -> None:
    low = {
        "notify.max_age_seconds": (config.notify.max_age_seconds, 1),
        "notify.max_per_hour": (config.notify.max_per_hour, 1),
        "retry.initial_interval": (config.retry.initial_interval, 0.01),
        "retry.max_interval": (config.retry.max_interval, config.retry.initial_interval),
        "retry.multiplier": (config.retry.multiplier, 1.0),
        "retry.max_elapsed_time": (config.retry.max_elapsed_time, 0),
    }
    for name, (value, least) in low.items():
        _demand(value >= least, f"{name} must be at least {least}, not {value}")


def _check_webhook(webhook: WebhookSettings, where: str) -> None:
    try:
        url = urlsplit(webhook.url)
        host, _ = url.hostname or "", url.port
    except ValueError as error:
        raise ConfigError(f"{where}.url is no URL: {error}") from error
    _demand(url.scheme in ("http", "https") and host and webhook.url.isprintable(), f"{where}.url must be an http or https URL")
    _demand(url.username is None and url.password is None, f"{where}.url must hold no password: use authorization")
    _demand(url.scheme == "https" or is_local(host), f"{where}.url: {host} is another machine: it must be https")
    _demand(webhook.authorization.isprintable(), f"{where}.authorization must be one line")
    _check_connection(webhook, where)


def _check_mail(mail: MailSettings, where: str) -> None:
    _demand(mail.starttls or is_local(mail.host), f"{where}.host {mail.host} is another machine: starttls must be true")
    _demand(0 < mail.port < 65536, f"{where}.port must be 1 to 65535, not {mail.port}")
    _demand(bool(mail.user) == bool(mail.password), f"{where}: user and password go together")
    _demand(mail.recipients, f"{where}.recipients must name at least one address")
    for address in (mail.sender, *mail.recipients):
        _demand(_ADDRESS.fullmatch(address), f"{where}: {address!r} is no mail address")
    _check_connection(mail, where)


def _check_connection(one: WebhookSettings | MailSettings, where: str) -> None:
    _demand(0.1 <= one.timeout_seconds <= 300, f"{where}.timeout_seconds must be 0.1 to 300, not {one.timeout_seconds}")
    _demand(one.tls_ca is None or one.tls_ca.is_file(), f"{where}.tls_ca: there is no file {one.tls_ca}")


def _check_route(route: Route, where: str, names: list[str]) -> None:
    _demand(route.receivers, f"{where}.receivers must name at least one receiver")
    for name in route.receivers:
        _demand(name in names, f"{where}.receivers: there is no receiver {name!r}; there are {', '.join(names)}")
    for severity in route.severities:
        _demand(severity in tuple(Severity), f"{where}.severities must be of {', '.join(tuple(Severity))}, not {severity!r}")
    _demand(route.severities and route.rules and route.sites, f"{where}: an empty list fits nothing: leave it out for all")


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _demand(held: object, otherwise: str) -> None:
    if not held:
        raise ConfigError(otherwise)
