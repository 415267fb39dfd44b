"""Starts Pub/Sub: Google's emulator where its jar and a Java are installed, else drongo from pip."""

from __future__ import annotations

import glob
import os
import shutil
from importlib.metadata import version
from pathlib import Path
from types import TracebackType

import grpc
from google.api_core.exceptions import AlreadyExists
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from lab.services.child import Child, free_port, listens
from program.child import python_module

JAR = "TINYBEAM_PUBSUB_JAR"
_JVM_OPTIONS = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class PubSub:
    """Runs Pub/Sub as a context manager: `with PubSub(directory) as pubsub: pubsub.create(topic, subscription)`.

    `address` is host:port; `version` says which server it is; `is_fallback` is true for the one that pip brings.
    """

    def __init__(self, directory: Path, parts: str = "auto") -> None:
        """`parts` is `auto`, or `pip` for what pip brings even where Google's emulator is installed."""
        self._directory = Path(directory).absolute()
        self._java = None if parts == "pip" else _java()
        self.is_fallback = self._java is None
        self.version = f"drongo {version('drongo')}" if self._java is None else _version(self._java[-1])
        self.address = ""

    def __enter__(self) -> PubSub:
        """Raises StartFailed."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._child = self._start_drongo() if self._java is None else self._start_google(self._java)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._child.stop(1.0)  # the emulator keeps nothing, and its JVM is slow to end

    def create(self, topic: str, subscription: str) -> None:
        """Creates both, by their full names, where they do not exist."""
        with grpc.insecure_channel(self.address) as channel:
            publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
            subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
            try:
                publisher.create_topic(name=topic)
                subscriber.create_subscription(name=subscription, topic=topic, ack_deadline_seconds=60)
            except AlreadyExists:
                return

    def _start_google(self, java: list[str]) -> Child:
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        child = Child("pubsub", [*java, "--host=127.0.0.1", f"--port={port}"], self._directory / "pubsub.log")
        child.wait_until(lambda: listens(port), "listening")
        return child

    def _start_drongo(self) -> Child:
        address_file = self._directory / "pubsub.address"
        address_file.unlink(missing_ok=True)
        child = Child("pubsub", python_module("lab.services.drongo_server", str(address_file)), self._directory / "pubsub.log")
        child.wait_until(address_file.exists, "listening")
        self.address = address_file.read_text().replace("localhost", "127.0.0.1")
        return child


def _java() -> list[str] | None:
    """Builds the command that starts Google's emulator, without its address; it ends with the jar."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    jar = _jar()
    return [java, *_JVM_OPTIONS, "-jar", str(jar)] if java and jar else None


def _jar() -> Path | None:
    jar, gcloud = os.environ.get(JAR), shutil.which("gcloud")
    if jar:
        return Path(jar)
    if not gcloud:
        return None
    component = Path(gcloud).resolve().parent.parent / "platform" / "pubsub-emulator" / "lib"
    jars = sorted(glob.glob(f"{glob.escape(str(component))}/cloud-pubsub-emulator-*.jar"))  # noqa: PTH207 - silent where it may not look
    return Path(jars[0]) if jars else None


def _version(jar: str) -> str:
    return "Google's Pub/Sub emulator " + Path(jar).stem.removeprefix("cloud-pubsub-emulator-").removesuffix("-all")
