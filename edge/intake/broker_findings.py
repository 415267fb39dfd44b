"""Says what the broker does for the gateway: lets it in, grants its topics, knows it once, keeps its messages."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import datetime

from edge import certificate_findings
from edge.config import Config
from edge.finding import Finding, Status
from edge.intake import tls
from edge.intake.probe import Answers, Probe
from program.settings import ConfigError
from schemas.records import LinkState

_NAME = "broker"
_SHIPPED = "max_queued_messages 0, persistence true, autosave_interval 5, max_inflight_messages 0, or what `tinybeam keys broker` writes"


def of_broker(config: Config, now: datetime, *, runs_here: bool) -> Iterator[Finding]:
    """Asks the broker, with a client id of its own. `runs_here`: the gateway of this machine is running."""
    mqtt = config.mqtt
    address = f"{mqtt.host}:{mqtt.port}"
    try:
        answers = Probe(mqtt, config.gateway.id, tls.context(mqtt), config.subscriptions).ask()
    except (ConfigError, ssl.SSLError) as error:
        advice = "correct mqtt.tls_ca, tls_certificate and tls_key, or the broker's certificate"
        yield Finding(_NAME, Status.FAIL, str(error), advice)
    except OSError as error:
        yield Finding(_NAME, Status.FAIL, f"{address}: {error}", "start the broker, or correct mqtt.host and mqtt.port")
    else:
        yield from of_answers(config, answers, runs_here=runs_here)
        if answers.certificate:
            yield certificate_findings.of_broker(address, answers.certificate, now)
        if mqtt.is_plain:
            risk = f"readings from {mqtt.host} come without TLS: who is on that network can read and forge them"
            yield Finding(_NAME, Status.WARN, risk, "set mqtt.tls_ca where the broker can do TLS")


def of_answers(config: Config, answers: Answers, *, runs_here: bool) -> Iterator[Finding]:
    """Yields what the broker's answers mean."""
    address = f"{config.mqtt.host}:{config.mqtt.port}"
    if not answers.is_complete:
        reason = answers.refusal or "it hung up on the subscriptions"
        advice = f"let {answers.client_id!r} and the gateway in, with the user or certificate of [mqtt]; the broker's log says more"
        yield Finding(_NAME, Status.FAIL, f"{address} refuses a client like the gateway: {reason}", advice)
        return
    for topic in answers.refused_topics:
        yield Finding(_NAME, Status.FAIL, f"{address} refuses the subscription to {topic}", "grant it in the broker's access list")
    if not answers.refused_topics:
        yield Finding(_NAME, Status.OK, f"{address} lets the gateway in and grants {', '.join(config.subscriptions)}")
    yield from _of_state(config.gateway.id, answers.state(config.gateway.id), runs_here=runs_here)
    yield _of_queue(answers)


def _of_state(gateway_id: str, state: str, *, runs_here: bool) -> Iterator[Finding]:
    if state == LinkState.ONLINE and not runs_here:
        text = f"the broker says that {gateway_id} is online, but no gateway runs here on this store"
        advice = "another machine has its name, and they would throw each other out: give each its own gateway.id and mqtt.client_id"
        yield Finding(_NAME, Status.WARN, text, advice)
    if state == LinkState.OFFLINE and runs_here:
        text = f"a gateway runs here on this store, but the broker says that {gateway_id} is offline"
        yield Finding(_NAME, Status.WARN, text, "its log says why: a refusal, or another client with its id that throws it out")


def _of_queue(answers: Answers) -> Finding:
    name = "broker queue"
    broker = answers.version or "the broker"
    if answers.dropped:
        text = f"{broker} has dropped {answers.dropped} messages, of whichever clients, since it started"
        return Finding(name, Status.WARN, text, f"if it is mosquitto, give it {_SHIPPED}")
    text = (
        f"{broker} keeps messages while the gateway is away as its settings say; mosquitto's defaults keep 1,000, and none over a restart"
    )
    return Finding(name, Status.OK, text, f"if it is mosquitto, see that it has {_SHIPPED}")
