"""Runs the whole path in real time: broker, gateways, Pub/Sub, streaming pipeline, warehouse, notifier; with connections that can be cut.

Every process is a child of ours and stopped on the way out, whatever happened. Enter it from the main thread (lab.services.child).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from keys.holder import Role
from lab.acts import notifier
from lab.acts.gateways import ALERTS_SUBSCRIPTION, ALERTS_TOPIC, GATEWAYS, LIVE, SUBSCRIPTION, TOPIC, Ports, write_settings
from lab.acts.signatures import LabKeys
from lab.services.child import Child, free_port, listens
from lab.services.farm import Farm
from lab.services.stack import Broker, PubSub, StartFailed, Warehouse
from lab.services.webhook_receiver import WebhookReceiver
from lab.witness.tap import Publication, Tap
from lab.witness.tcp_proxy import TcpProxy, Tls
from program.child import python_module


@dataclass(slots=True, kw_only=True)
class RunningGateway:
    """Holds a running gateway, and the proxy and tap between it and the broker."""

    gateway_id: str
    settings: Path
    ports: Ports
    proxy: TcpProxy
    tap: Tap
    child: Child


class LivePath:
    """Runs the path as a context manager: `with LivePath(directory, warehouse) as path: path.kill("gateway-north")`.

    `directory` is for logs, settings and keys, which the registry has; gateways go on from the state that is there.
    """

    def __init__(self, directory: Path, warehouse: Warehouse, parts: str = "auto", *, registry: Path) -> None:
        self._directory, self.warehouse, self._registry = directory, warehouse, registry
        self._running = ExitStack()
        self.farm = Farm(directory)
        self.broker, self.pubsub = Broker(directory / "broker", parts, self.farm), PubSub(directory, parts)
        self.webhook = WebhookReceiver()
        self.gateways: dict[str, RunningGateway] = {}

    def __enter__(self) -> LivePath:
        """Raises StartFailed."""
        with ExitStack() as starting:
            for gateway_id in GATEWAYS:
                self.farm.identity(gateway_id, Role.GATEWAY)
            starting.enter_context(self.broker)
            starting.enter_context(self.pubsub)
            self.pubsub.create(TOPIC, SUBSCRIPTION)
            self.pubsub.create(ALERTS_TOPIC, ALERTS_SUBSCRIPTION)
            starting.enter_context(self.webhook)
            self.notifier = starting.enter_context(notifier.start(self._directory, self.webhook.url, self.pubsub.address))
            host, port = self.pubsub.address.rsplit(":", 1)
            self.uplink = starting.enter_context(TcpProxy((host, int(port))))
            self.pipeline = starting.enter_context(self._start_pipeline())
            self.recomputation = starting.enter_context(self._start_recomputation())
            for gateway_id in GATEWAYS:
                self.gateways[gateway_id] = self._add_gateway(starting, gateway_id)
            starting.callback(self._stop_gateways)
            self._running = starting.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._running.close()

    def kill(self, gateway_id: str) -> None:
        """Sends SIGKILL to the gateway, as a power cut would end it."""
        self.gateways[gateway_id].child.kill()

    def restart(self, gateway_id: str) -> None:
        """Starts the gateway again with its settings and state. Raises StartFailed."""
        gateway = self.gateways[gateway_id]
        gateway.child.stop()
        gateway.child = self._start_gateway(gateway_id, gateway.settings, gateway.ports.health)

    def stop_gateways(self) -> dict[str, int]:
        """Stops the gateways with SIGTERM, so that they send what they have. Returns their exit statuses."""
        return {gateway_id: gateway.child.stop(30.0) for gateway_id, gateway in self.gateways.items()}

    def acknowledged(self) -> list[Publication]:
        """Returns what the gateways acknowledged, as seen on the wire."""
        return [publication for gateway in self.gateways.values() for publication in gateway.tap.acknowledged()]

    @property
    def bytes_raw_mqtt(self) -> int:
        """Counts the bytes that the broker sent to the gateways."""
        return sum(gateway.proxy.bytes_received for gateway in self.gateways.values())

    def ended(self) -> Sequence[str]:
        """Names the processes that ended by themselves."""
        children = [self.pipeline, self.recomputation, self.notifier, *(gateway.child for gateway in self.gateways.values())]
        return [child.name for child in children if child.status is not None]

    def check(self) -> None:
        """Raises StartFailed when the pipeline or the notifier has ended."""
        for child in (self.pipeline, self.recomputation, self.notifier):
            if child.status is not None:
                raise StartFailed(child.failure_text(f"ended with status {child.status}"))

    def _add_gateway(self, starting: ExitStack, gateway_id: str) -> RunningGateway:
        tap, tls = Tap(), Tls(self.farm.server_context("tap"), self.farm.client_context(gateway_id, Role.GATEWAY))
        proxy = starting.enter_context(TcpProxy(("127.0.0.1", self.broker.port), tap.connection, tls))
        ports = Ports(mqtt=proxy.port, health=free_port(), page=free_port())
        settings = write_settings(self._directory, gateway_id, LIVE, ports, self._registry)
        return RunningGateway(
            gateway_id=gateway_id,
            settings=settings,
            ports=ports,
            proxy=proxy,
            tap=tap,
            child=self._start_gateway(gateway_id, settings, ports.health),
        )

    def _start_gateway(self, gateway_id: str, settings: Path, health_port: int) -> Child:
        command = python_module("edge", "run", "--config", str(settings))
        child = Child(gateway_id, command, self._directory / f"{gateway_id}.log", {"PUBSUB_EMULATOR_HOST": self.uplink.address})
        child.wait_until(lambda: listens(health_port), "healthy")
        return child

    def _start_pipeline(self) -> Child:
        command = python_module(
            "pipeline",
            "--runner=DirectRunner",
            f"--project={self.warehouse.project}",
            f"--registry={self._registry}",
            f"--input_subscription={SUBSCRIPTION}",
            LabKeys(self._directory).pipeline_flag,
            f"--alerts_topic={ALERTS_TOPIC}",
        )
        environment = {**self.warehouse.environment, "PUBSUB_EMULATOR_HOST": self.pubsub.address}
        return Child("pipeline", command, self._directory / "pipeline.log", environment)

    def _start_recomputation(self) -> Child:
        # Not by marks: those of the season that act one has just loaded stay worth a look for a day.
        command = python_module(
            "tinybeam", "sql", "recompute", "--from", "now - 2 hours", "--every", "5m", "--registry", str(self._registry)
        )
        return Child("recompute", command, self._directory / "recompute.log", self.warehouse.environment)

    def _stop_gateways(self) -> None:
        for gateway in self.gateways.values():
            gateway.child.stop()
