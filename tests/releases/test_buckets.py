"""Releases are published to a bucket as to a folder: whatever ends that, who reads finds the state before or the one after, whole."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from releases import publishing, roles
from releases.error import ReleaseError
from releases.places import Folder, Place, opened
from releases.repository import Repository
from releases.rollout import Release
from tests.releases.object_server import ObjectServer, object_server
from tests.releases.publisher import NOW, Publisher

CLOUDS = {"gs://bucket/models": "bucket/models", "s3://bucket/models": "bucket/models", "az://box/models": "box/models"}
"""Target -> where the server has it."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectServer]:
    """A server for all three clouds; who publishes has keys for it."""
    with object_server() as running:
        for name in ("STORAGE_EMULATOR_HOST", "AWS_ENDPOINT_URL", "AZURE_ENDPOINT"):
            monkeypatch.setenv(name, running.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0")
        yield running


def rolled_out(publisher: Publisher, model: str = "soil") -> Release:
    release = publisher.release(model)
    publisher.roll_out(release, share=100)
    return release


def copied(publisher: Publisher, number: int) -> Repository:
    """Returns a copy of the folder: each publication signs one more version."""
    return Repository(shutil.copytree(publisher.repository.folder, publisher.folder / f"copy-{number}"))


def published(repository: Repository, place: Place) -> bool:
    """Says whether a publication came to its end."""
    try:
        publishing.publish(repository, place, NOW)
    except ReleaseError:
        return False
    return True


@pytest.mark.parametrize("target", CLOUDS)
def test_gateways_read_from_the_bucket_what_was_published_there(target: str, server: ObjectServer, tmp_path: Path) -> None:
    publisher = Publisher(tmp_path)
    release = rolled_out(publisher)
    written = publishing.publish(publisher.repository, opened(target), NOW)
    client = publisher.client(source=f"{server.url}/{CLOUDS[target]}")
    assert [(one.release, one.share) for one in client.refresh(NOW)] == [(1, 100)]
    client.fetch(release, tmp_path / "staged")
    assert (tmp_path / "staged" / "model.tflite").read_bytes() == b"a model"
    assert written == len(server.written) == len(set(server.written))
    assert server.written[-1] == f"/{CLOUDS[target]}/metadata/timestamp.json"


@pytest.mark.parametrize("target", CLOUDS)
def test_wherever_a_publication_ends_the_state_before_stands_and_the_next_one_does_the_rest(
    target: str, server: ObjectServer, tmp_path: Path
) -> None:
    publisher, place = Publisher(tmp_path), opened(target)
    rolled_out(publisher)
    publishing.publish(publisher.repository, place, NOW)
    rolled_out(publisher)
    before, cuts = dict(server.objects), 0
    while True:
        server.takes, server.objects = cuts, dict(before)
        client = publisher.client(f"gateway-{cuts}", source=f"{server.url}/{CLOUDS[target]}")
        if published(copied(publisher, cuts), place):
            break
        assert [one.release for one in client.refresh(NOW)] == [1]
        cuts += 1
    assert cuts > 5
    assert [one.release for one in client.refresh(NOW)] == [2]
    client.fetch(Release("soil", 2), tmp_path / "staged")


def test_metadata_that_came_before_its_files_would_be_seen(server: ObjectServer, tmp_path: Path) -> None:
    """The negative control of the test above: the same files in the reverse order."""
    publisher, place = Publisher(tmp_path), opened("gs://bucket/models")
    rolled_out(publisher)
    publishing.publish(publisher.repository, place, NOW)
    rolled_out(publisher)
    publishing.publish(publisher.repository, publisher.site, NOW)
    place.write("metadata/timestamp.json", (publisher.site / "metadata" / "timestamp.json").read_bytes())
    with pytest.raises(ReleaseError):
        publisher.client(source=f"{server.url}/bucket/models").refresh(NOW)


def test_what_is_there_is_not_written_again(server: ObjectServer, tmp_path: Path) -> None:
    publisher, place = Publisher(tmp_path), opened("s3://bucket/models")
    rolled_out(publisher)
    publishing.publish(publisher.repository, place, NOW)
    server.written.clear()
    assert publishing.publish(publisher.repository, place, NOW) == 2
    assert [path.rpartition(".")[0].rpartition("/")[2].rpartition(".")[2] for path in server.written] == [roles.SNAPSHOT, roles.TIMESTAMP]


def test_only_the_timestamp_may_not_be_kept_by_caches(server: ObjectServer, tmp_path: Path) -> None:
    publishing.publish(Publisher(tmp_path).repository, opened("gs://bucket/models"), NOW)
    kept = {path.rpartition("/")[2]: headers["cache-control"] for path, headers in server.headers.items()}
    assert kept.pop("timestamp.json") == "no-cache"
    assert set(kept.values()) == {"public, max-age=31536000, immutable"}


def test_another_copy_of_the_folder_does_not_publish_over_a_newer_one(server: ObjectServer, tmp_path: Path) -> None:
    older, place = Publisher(tmp_path / "older"), opened("gs://bucket/models")
    for _ in range(3):
        publishing.publish(older.repository, place, NOW)
    (older.repository.published / "metadata" / "timestamp.json").write_bytes((older.site / "metadata" / "timestamp.json").read_bytes())
    with pytest.raises(ReleaseError, match=r"gs://bucket/models has publication 5, this folder 2: another copy of"):
        publishing.publish(older.repository, place, NOW)


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("ftp://host/models", "ftp://host/models is neither a folder nor an address that begins with gs://, s3://, az://"),
        ("s3:///models", "s3:///models names no bucket that can be opened: "),
    ],
)
def test_what_is_no_place_is_said_in_one_line(target: str, sentence: str) -> None:
    with pytest.raises(ReleaseError) as failed:
        opened(target)
    assert str(failed.value).startswith(sentence)
    assert "\n" not in str(failed.value)


def test_without_a_client_of_buckets_folders_are_served_and_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.delitem(sys.modules, "releases.bucket", raising=False)
    with pytest.raises(ReleaseError, match=r"gs://bucket needs a client of buckets: pip install 'tinybeam\[publish\]'"):
        opened("gs://bucket")
    place: Place = opened(str(tmp_path))
    assert isinstance(place, Folder)
    place.write("metadata/a", b"content")
    assert (place.read("metadata/a"), place.read("metadata/b")) == (b"content", None)
