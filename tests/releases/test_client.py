"""The client: what was released arrives as it was signed, from a folder and over HTTP, and what fails says which kind it is."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from releases import drafting, publishing
from releases.client import Client
from releases.error import Expired, ReleaseError, Unreachable, Untrusted
from releases.repository import Repository
from releases.rollout import Release
from releases.source import Source
from tests.releases.publisher import FILES, NOW, Publisher


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def rolled_out(publisher: Publisher) -> Release:
    release = publisher.release()
    publisher.roll_out(release, 25)
    publisher.publish()
    return release


def test_before_anything_is_released_there_is_no_rollout(publisher: Publisher) -> None:
    assert publisher.client().refresh(NOW) == []


def test_what_was_released_arrives_as_it_was_signed(publisher: Publisher, tmp_path: Path) -> None:
    release = rolled_out(publisher)
    client = publisher.client()
    (rollout,) = client.refresh(NOW)
    assert (rollout.model, rollout.release, rollout.share, rollout.previous) == ("soil", 1, 25, None)
    client.fetch(release, tmp_path / "staged")
    assert content(tmp_path / "staged") == FILES
    assert (client.expires - NOW).days == 7


def test_a_plain_server_of_files_is_enough(publisher: Publisher, tmp_path: Path) -> None:
    release = rolled_out(publisher)
    with served(publisher.site) as address:
        client = publisher.client(source=address)
        assert len(client.refresh(NOW)) == 1
        client.fetch(release, tmp_path / "staged")
    assert content(tmp_path / "staged") == FILES


def test_a_stick_is_a_folder_of_the_same_files(publisher: Publisher, tmp_path: Path) -> None:
    release = rolled_out(publisher)
    shutil.copytree(publisher.site, tmp_path / "a stick")
    client = publisher.client(source=(tmp_path / "a stick").as_uri())
    client.refresh(NOW)
    client.fetch(release, tmp_path / "staged")
    assert content(tmp_path / "staged") == FILES


def test_a_source_that_is_not_there_is_unreachable(publisher: Publisher, tmp_path: Path) -> None:
    with served(publisher.site) as address:
        pass
    for source in (address, str(tmp_path / "nowhere")):
        with pytest.raises(Unreachable, match="does not answer as it should"):
            publisher.client(source=source).refresh(NOW)


def test_what_nobody_publishes_anew_expires_and_holds_again_after_a_publication(publisher: Publisher) -> None:
    rolled_out(publisher)
    later = publisher.later(days=8)
    with pytest.raises(Expired, match=r"timestamp\.json is expired"):
        publisher.client().refresh(later)
    publisher.publish()
    assert len(publisher.client().refresh(later)) == 1


def test_a_release_that_one_holder_alone_has_signed_is_not_there(publisher: Publisher, tmp_path: Path) -> None:
    release = publisher.release(by=["ada"])
    publisher.publish()
    client = publisher.client()
    client.refresh(NOW)
    with pytest.raises(Untrusted, match="has 0 files"):
        client.fetch(release, tmp_path / "staged")


def test_a_release_that_was_withdrawn_is_not_there_and_its_number_is_not_given_again(publisher: Publisher, tmp_path: Path) -> None:
    release = rolled_out(publisher)
    drafting.withdraw(publisher.repository, release, NOW)
    for holder in ("ada", "eva"):
        drafting.sign(publisher.repository, publisher.key(holder))
    publisher.publish()
    client = publisher.client()
    client.refresh(NOW)
    with pytest.raises(Untrusted, match="has 0 files"):
        client.fetch(release, tmp_path / "staged")
    assert publisher.release().number == 2


def test_an_old_copy_of_the_folder_does_not_publish_over_a_newer_one(publisher: Publisher, tmp_path: Path) -> None:
    old = Repository(Path(shutil.copytree(publisher.repository.folder, tmp_path / "old copy")))
    publisher.publish()
    with pytest.raises(ReleaseError, match=r"another copy of .* was published there"):
        publishing.publish(old, publisher.site, NOW)


def test_a_publication_that_was_interrupted_is_done_by_the_next(publisher: Publisher) -> None:
    rolled_out(publisher)
    for file in (publisher.site / "targets").rglob("*.model.tflite"):
        file.unlink()
    assert publisher.publish() == 3  # the model, snapshot and timestamp
    assert publisher.publish() == 2


def test_the_holders_of_another_root_are_nobody(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Publisher(tmp_path / "other")
    with pytest.raises(Untrusted):
        other.client(source=str(publisher.site)).refresh(NOW)


@pytest.mark.parametrize("source", ["ftp://models.example", "gs://bucket/models"])
def test_a_source_of_another_kind_is_refused_by_name(publisher: Publisher, source: str) -> None:
    with pytest.raises(ReleaseError, match="is neither a folder nor an address as https://HOST/PATH"):
        publisher.client(source=source)


def test_a_root_that_is_missing_is_named(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"absent\.json, which says whom to trust, cannot be read"):
        publisher.client(root=tmp_path / "absent.json")


def test_a_download_ends_at_its_deadline(publisher: Publisher, tmp_path: Path) -> None:
    rolled_out(publisher)
    times = iter(range(0, 100_000, 40))
    source = Source(str(publisher.site), seconds=60, clock=lambda: next(times))
    client = Client(source, tmp_path / "m", publisher.root, tmp_path / "seen")
    with pytest.raises(Unreachable, match="takes too long"):
        client.refresh(NOW)
