"""Reads the notifier's configuration: one TOML file -> one frozen tree, wholly checked before any thread or connection.

The kinds of receivers declare their settings themselves, in `notify.receivers`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar

from notify.answers import AnswerSettings
from notify.receivers import ReceiverSettings
from notify.receivers.stdout import StdoutSettings
from program import settings
from program.backoff import LimitedBackoff
from program.names import Subscription
from program.patterns import matches
from program.settings import YEAR, ConfigError, Settings, require, setting
from schemas.records import Alert, Severity

__all__ = ["Config", "ConfigError", "load", "parse"]


class SubscriptionSettings(Settings, frozen=True, kw_only=True):
    """Names where alerts come from."""

    subscription: Annotated[
        Subscription,
        setting("Subscription of the topic of alerts, this notifier's own", example="projects/my-project/subscriptions/notify"),
    ]


class NotifySettings(Settings, frozen=True, kw_only=True):
    """Says what is remembered, and how much is sent."""

    state_file: Annotated[Path, setting("The log of what was sent, so that nothing is sent twice; on a disk that stays", example="sent.db")]
    max_age_seconds: Annotated[int, setting("A notification that is older than this when it comes is not sent", ge=1, le=YEAR)] = 21_600
    max_per_hour: Annotated[
        int,
        setting(
            "Notices of one rule and site to each receiver in an hour; what is over that is gathered, and sent in the next one",
            ge=1,
            le=100_000,
        ),
    ] = 6
    gather_seconds: Annotated[
        int,
        setting(
            "For so long after a notice the next ones of its rule and site are gathered; after each further one in an hour twice as long",
            ge=0,
            le=3600,
            since="0.3.0",
        ),
    ] = 30


class RetrySettings(LimitedBackoff, frozen=True, kw_only=True):
    """Sets the back-off while a receiver fails, for each notification by itself."""

    max_elapsed_time: Annotated[float, setting("Seconds after which a notification is given up, loudly. 0: never", ge=0.0, le=YEAR)] = (
        21_600.0
    )


class Route(Settings, frozen=True, kw_only=True):
    """Sends alerts that fit all of it to its receivers."""

    receivers: Annotated[tuple[str, ...], setting("Names of receivers; `stdout` is always there", min_length=1, example=["pager"])]
    severities: Annotated[tuple[Severity, ...], setting("Severities of alerts")] = tuple(Severity)
    rules: Annotated[tuple[str, ...], setting("Names or patterns of rules")] = ("*",)
    sites: Annotated[tuple[str, ...], setting("Names or patterns of sites; a gateway's alert has no site, and fits `*` only")] = ("*",)

    def __post_init__(self) -> None:
        for name in ("severities", "rules", "sites"):
            require(getattr(self, name), f"{name} must not be empty: leave it out for all")

    def fits(self, alert: Alert) -> bool:
        return alert.severity in self.severities and matches(alert.rule, self.rules) and matches(alert.site_id or "", self.sites)


class MetricsSettings(Settings, frozen=True, kw_only=True):
    """Says where Prometheus finds what the notifier counts."""

    port: Annotated[int, setting("Port of this machine that /metrics is at, such as 9467. 0: none", ge=0, le=65_535, since="0.3.0")] = 0


class Config(Settings, frozen=True, kw_only=True):
    """Is everything that the notifier is configured by."""

    RENAMED: ClassVar = {
        "webhooks": 'write [[receivers]] with kind = "webhook"',
        "mails": 'write [[receivers]] with kind = "mail"',
    }

    pubsub: SubscriptionSettings
    notify: NotifySettings
    routes: Annotated[tuple[Route, ...], setting("Which alerts go where; every route that fits counts", min_length=1)]
    retry: RetrySettings = RetrySettings()
    answers: Annotated[AnswerSettings, setting("Links by which people answer notices", since="0.3.0")] = AnswerSettings()
    metrics: Annotated[MetricsSettings, setting("What the notifier counts, for Prometheus", since="0.3.0")] = MetricsSettings()
    receivers: Annotated[tuple[ReceiverSettings, ...], setting("Where notifications are sent to", since="0.2.0")] = ()

    def __post_init__(self) -> None:
        names = [receiver.name for receiver in self.all_receivers()]
        for name in names:
            require(names.count(name) == 1, f"the receiver name {name!r} stands twice; {STDOUT.name} is always there")
        for number, route in enumerate(self.routes, 1):
            for name in route.receivers:
                require(name in names, f"routes[{number}].receivers: there is no receiver {name!r}; there are {', '.join(names)}")

    def all_receivers(self) -> tuple[ReceiverSettings, ...]:
        return STDOUT, *self.receivers

    def receivers_of(self, alert: Alert) -> tuple[str, ...]:
        """Returns the receivers of every route that fits, each once."""
        return tuple(dict.fromkeys(name for route in self.routes if route.fits(alert) for name in route.receivers))


STDOUT = StdoutSettings(name="stdout")


def load(file: Path) -> Config:
    """Reads a file. Raises ConfigError. Relative paths are relative to the file's folder."""
    return settings.load(Config, file)


def parse(content: dict[str, Any], file: Path) -> Config:
    """Reads parsed TOML. Raises ConfigError."""
    return settings.parse(Config, content, file)
