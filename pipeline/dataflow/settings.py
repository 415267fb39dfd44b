"""Says with what a job is launched, as flags for Beam and as sentences for whoever launches it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

AT_LEAST_ONCE = "streaming_mode_at_least_once"
VALIDATE_ONLY = "graph_validate_only"
"""Options of Dataflow's service: https://cloud.google.com/dataflow/docs/guides/streaming-modes and .../updating-a-pipeline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """Holds what a job runs on and as whom. `image` is empty where workers get the sources instead."""

    project: str
    region: str
    name: str
    streaming: bool = True
    exactly_once: bool = False
    min_workers: int = 1
    max_workers: int = 5
    machine_type: str = "n1-standard-2"
    service_account: str = ""
    network: str = ""
    subnetwork: str = ""
    public_addresses: bool = False
    image: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError, naming the setting."""
        if self.min_workers > self.max_workers:
            raise ValueError(f"--min_workers={self.min_workers} is more than --max_workers={self.max_workers}")

    @property
    def account(self) -> str:
        """Returns the service account of the workers: by default one of the project's own, with the rights of the pipeline alone."""
        return self.service_account or f"tinybeam-pipeline@{self.project}.iam.gserviceaccount.com"

    def flags(self) -> Sequence[str]:
        """Returns the flags for Beam."""
        workers = [f"--num_workers={self.min_workers}", f"--max_num_workers={self.max_workers}", f"--machine_type={self.machine_type}"]
        words = [f"--region={self.region}", f"--job_name={self.name}", *workers, "--autoscaling_algorithm=THROUGHPUT_BASED"]
        words += [f"--service_account_email={self.account}", "--use_public_ips" if self.public_addresses else "--no_use_public_ips"]
        words += [f"--network={self.network}"] if self.network else []
        words += [f"--subnetwork={self.subnetwork}"] if self.subnetwork else []
        words += [f"--sdk_container_image={self.image}", "--sdk_location=container"] if self.image else []
        words += [f"--labels={key}={value}" for key, value in self.labels]
        return words + [f"--dataflow_service_options={option}" for option in self._service_options()]

    def _service_options(self) -> Iterator[str]:
        if self.streaming and not self.exactly_once:
            yield AT_LEAST_ONCE
        if self.streaming:
            yield f"min_num_workers={self.min_workers}"

    def sentences(self) -> Iterator[str]:
        """Yields what was chosen, a line each."""
        yield f"job {self.name} of project {self.project} in {self.region}, as {self.account}"
        if self.streaming:
            mode = "exactly-once mode" if self.exactly_once else "at-least-once mode: what a retry repeats, views show once"
            yield f"streaming engine, {mode}"
        yield f"{self.min_workers} to {self.max_workers} workers of {self.machine_type}, by load"
        yield self._addresses()
        yield f"TinyBeam from the image {self.image}" if self.image else self._sources()
        yield "labels: " + ", ".join(f"{key}={value}" for key, value in self.labels)

    def _addresses(self) -> str:
        network = f"subnetwork {self.subnetwork}" if self.subnetwork else f"network {self.network or 'default'}"
        if self.public_addresses:
            return f"with public addresses in {network}"
        return f"without public addresses in {network}: its subnetwork needs Private Google Access"

    def _sources(self) -> str:
        way = "" if self.public_addresses else ", so they need a way out such as Cloud NAT"
        return f"TinyBeam from these sources: workers install it and what Beam's image lacks when they start{way}; --image has all of it"
