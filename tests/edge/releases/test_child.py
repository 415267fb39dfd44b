"""What the child leaves in a model's folder is what the holders of the keys have signed, whole, and answers its golden cases."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from edge.models.bundle import Bundle
from edge.releases import child
from edge.releases.choice import Offer
from edge.releases.folder import ReleaseFolder
from edge.releases.request import Request
from program.child import environment
from releases.error import ReleaseError, Untrusted
from releases.rollout import Release
from tests.edge.models.test_process_scorer import SOIL
from tests.releases.publisher import Publisher

ALL = 100.0


def files(**changed: Any) -> Mapping[str, bytes]:
    """The soil model's, with these keys of its manifest changed."""
    model = (SOIL / "model.tflite").read_bytes()
    manifest = json.loads((SOIL / "manifest.json").read_text()) | {"sha256": sha256(model).hexdigest()} | changed
    return {"model.tflite": model, "manifest.json": json.dumps(manifest).encode()}


def unmet(**changed: Any) -> Mapping[str, bytes]:
    """Those of a bundle whose model does not answer its golden cases."""
    manifest = json.loads((SOIL / "manifest.json").read_text())
    golden = manifest["golden"]
    golden["cases"][0]["outputs"] = [999.0, 999.0, 999.0]
    return files(golden=golden, **changed)


class Gateway:
    """Asks as a gateway does."""

    def __init__(self, publisher: Publisher, folder: Path) -> None:
        self.publisher, self.directory = publisher, folder / "releases-here"
        self.counters = (folder / "store.releases", self.directory / "seen.json")

    @property
    def soil(self) -> ReleaseFolder:
        return ReleaseFolder(self.directory, "soil")

    def request(self, **changed: Any) -> Request:
        settings: dict[str, Any] = {
            "source": str(self.publisher.site),
            "root": self.publisher.root,
            "directory": self.directory,
            "counters": self.counters,
            "gateway_id": "gw-1",
            "sites": (),
            "models": ("soil",),
        }
        return Request(**settings | changed)

    def refresh(self, **changed: Any) -> None:
        child.refresh(self.request(**changed), self.publisher.now)

    def publish(self, release: Release, share: float = ALL) -> None:
        self.publisher.roll_out(release, share)
        self.publisher.publish()


@pytest.fixture
def gateway(publisher: Publisher, tmp_path: Path) -> Gateway:
    return Gateway(publisher, tmp_path)


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path)


def test_a_release_for_this_gateway_is_fetched_and_offered(gateway: Gateway) -> None:
    gateway.publish(gateway.publisher.release(files=files(version="9")))
    gateway.refresh()
    assert gateway.soil.offer == Offer(release=1)
    assert Bundle.load(gateway.soil.bundle(1)).version == "9"


def test_what_is_for_microcontrollers_alone_is_not_fetched(gateway: Gateway) -> None:
    gateway.publish(gateway.publisher.release(files={**files(), "model.h": b"// C", "model.cc": b"// C"}))
    gateway.refresh()
    assert {file.name for file in gateway.soil.bundle(1).iterdir()} == {"model.tflite", "manifest.json"}


def test_a_release_for_others_is_not_fetched(gateway: Gateway) -> None:
    gateway.publish(gateway.publisher.release(files=files()), share=0)
    gateway.refresh()
    assert gateway.soil.offer == Offer(withdrawn=(1,))
    assert gateway.soil.numbers() == []


def test_a_model_that_misses_its_golden_cases_is_refused_and_never_fetched_again(gateway: Gateway) -> None:
    gateway.publish(gateway.publisher.release(files=unmet()))
    gateway.refresh()
    assert gateway.soil.numbers() == []
    assert "golden case 0" in gateway.soil.refused()[1]
    (gateway.publisher.site / "targets").rename(gateway.publisher.folder / "gone")
    (gateway.publisher.folder / "gone" / "rollouts").rename(gateway.publisher.site / "targets")
    with pytest.raises(ReleaseError):
        gateway.refresh()
    assert list(gateway.soil.refused()) == [1]


def test_a_damaged_file_is_never_given_its_place(gateway: Gateway) -> None:
    gateway.publish(gateway.publisher.release(files=files()))
    for file in gateway.publisher.site.rglob("*model.tflite"):
        content = bytearray(file.read_bytes())
        content[100] ^= 1
        file.write_bytes(bytes(content))
    with pytest.raises(Untrusted):
        gateway.refresh()
    assert gateway.soil.numbers() == []
    offer = gateway.soil.offer
    assert offer
    assert (offer.release, "not trusted" in (offer.missing or "")) == (1, True)
    assert list(gateway.soil.waiting()) == [1]


def test_a_damaged_release_does_not_hold_up_other_models(gateway: Gateway) -> None:
    gateway.publish(gateway.publisher.release("vibration", files=files()), share=0)
    gateway.publish(gateway.publisher.release(files=files()))
    for file in (gateway.publisher.site / "targets" / "releases" / "soil").rglob("*model.tflite"):
        file.write_bytes(file.read_bytes()[:-1] + b"!")
    with pytest.raises(Untrusted):
        gateway.refresh(models=("soil", "vibration"))
    assert ReleaseFolder(gateway.directory, "vibration").offer == Offer(withdrawn=(1,))


@pytest.mark.parametrize("lost", [(0,), (1,)])
def test_either_copy_of_what_was_seen_keeps_the_source_from_going_back(gateway: Gateway, lost: tuple[int, ...], tmp_path: Path) -> None:
    older = tmp_path / "older"
    gateway.publish(gateway.publisher.release(files=files(version="1")))
    shutil.copytree(gateway.publisher.site, older)
    gateway.publish(gateway.publisher.release(files=files(version="2")))
    gateway.refresh()
    for number in lost:
        gateway.counters[number].unlink()
    _forget(gateway.directory / "metadata")
    with pytest.raises(Untrusted, match="seen before"):
        gateway.refresh(source=str(older))
    assert gateway.soil.offer == Offer(release=2, instead=1)


def test_without_both_copies_it_would_go_back(gateway: Gateway, tmp_path: Path) -> None:
    """The negative control of the test above."""
    older = tmp_path / "older"
    gateway.publish(gateway.publisher.release(files=files(version="1")))
    shutil.copytree(gateway.publisher.site, older)
    gateway.publish(gateway.publisher.release(files=files(version="2")))
    gateway.refresh()
    for file in gateway.counters:
        file.unlink()
    _forget(gateway.directory / "metadata")
    gateway.refresh(source=str(older))
    assert gateway.soil.offer == Offer(release=1)


def test_the_child_prints_until_when_it_holds(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.publisher.now = datetime.now(UTC)
    gateway.publish(gateway.publisher.release(files=files()))
    assert child.main([gateway.request(fetch=False).packed()]) == 0
    assert json.loads(capsys.readouterr().out)["models"] == ["soil"]
    assert child.main([gateway.request(source=str(gateway.directory / "nowhere")).packed()]) == 1
    assert "nowhere" in capsys.readouterr().err


def _forget(metadata: Path) -> None:
    for file in [each for each in metadata.rglob("*") if each.is_file()]:
        file.unlink()


def test_a_gateway_that_runs_has_loaded_nothing_that_verifies() -> None:
    code = "import edge.run, sys; print([name for name in ('tuf', 'securesystemslib', 'releases') if name in sys.modules])"
    found = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, env=environment())
    assert found.stdout.strip() == "[]"
