"""The archive keeps what came as it was sent, gathers small files, and batch mode builds equal rows from it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.coders import PickleCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing import test_stream as scripted

from pipeline import archive, flow
from pipeline.elements import ReceivedMessage
from pipeline.io.archive import WAITING, Archive, ArchiveError, Gathering, WaitingFiles, check, gather, gather_leftovers
from pipeline.io.files import write
from pipeline.io.sources import ExportFiles, FromExportFiles, NoInput
from pipeline.options import BUNDLES, FN_API
from pipeline.rollup.transform import Schedule
from schemas.envelope import MAX_BODY_BYTES, entries
from schemas.registry import FixedRegistry
from tests.pipeline.bodies import NOW, REGISTRY, message, numbered, one_of, summary
from tests.pipeline.golden_bytes import golden
from tests.pipeline.io.object_store import OBJECTS, OUT_OF_ORDER
from tests.pipeline.memory import MemorySink, still

STREAMED = [
    message(numbered(5), NOW + timedelta(seconds=3), seq=1),
    message([one_of("events")], NOW + timedelta(seconds=4), seq=2),
    message([summary("stranger"), summary("d2")], NOW + timedelta(days=1), seq=3),
]
EXTENDED = replace(STREAMED[1], attributes={**message([one_of("events")], seq=4).attributes, "signature": "abc"})
BROKEN = ReceivedMessage({"gateway_id": "gw1", "kind": "summaries"}, b"no batch", NOW + timedelta(seconds=5))
TOO_LARGE = ReceivedMessage(
    {**message([summary()], seq=9).attributes, "note": "\0" * 5000}, bytes(MAX_BODY_BYTES + 1), NOW + timedelta(seconds=6)
)
TABLES = ("summaries_v1", "events_v1", "batches_v1", "site_windows_v1")


@pytest.fixture
def folder() -> Iterator[str]:
    """A folder among objects, as those of a cloud."""
    OBJECTS.clear()
    yield "memory://bucket/kept"
    OBJECTS.clear()


@pytest.fixture(params=["local", "objects"])
def any_folder(request: pytest.FixtureRequest, folder: str, tmp_path: Path) -> str:
    return str(tmp_path / "kept") if request.param == "local" else folder


def kept(folder: str) -> dict[str, bytes]:
    """Content of each file of an archive, by its path there."""
    if "://" in folder:
        return {path.removeprefix(f"{folder}/"): content for path, content in OBJECTS.items()}
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def scripted_clock() -> datetime:
    """The time of processing of a TestStream, which begins at 1970 whatever its event times are."""
    return datetime(1970, 1, 1, tzinfo=UTC)


def streamed(name: str, messages: Iterable[ReceivedMessage], folder: str, gathering: Gathering) -> MemorySink:
    """Each message in a bundle of its own, then an hour passes."""
    sink = MemorySink(name)
    script = scripted.TestStream(coder=PickleCoder()).advance_watermark_to(NOW.timestamp())
    for one in messages:
        script = script.add_elements([one])
    script = script.advance_processing_time(3601).advance_watermark_to_infinity()
    with beam.Pipeline(options=PipelineOptions([f"--runner={BUNDLES}", "--streaming"])) as pipeline:
        keep = Archive(folder, scripted_clock, gathering)
        flow.build(pipeline | script, FixedRegistry(REGISTRY), sink, Schedule(streaming=True), still, archive=keep)
    return sink


def rebuilt(name: str, folder: str, keep: Archive | None = None) -> MemorySink:
    sink = MemorySink(name)
    with beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}"])) as pipeline:
        source = FromExportFiles(ExportFiles.at(folder).glob, still)
        flow.build(pipeline | source, FixedRegistry(REGISTRY), sink, Schedule(streaming=False), still, archive=keep)
    return sink


def test_what_was_streamed_is_rebuilt_row_by_row_with_the_times_at_which_it_was_received(any_folder: str) -> None:
    sent = [*STREAMED, EXTENDED, BROKEN, TOO_LARGE, STREAMED[0], BROKEN]
    first = streamed("streamed-to-archive", sent, any_folder, Gathering())
    second = rebuilt("from-archive", any_folder)
    for table in ("summaries_v1", "events_v1", "batches_v1"):
        assert sorted(second.table(table), key=str) == sorted(first.table(table), key=str)
        assert second.table(table)
    of_both = [{(row["reject_id"], row["reason"]) for row in sink.table("rejects_v1")} for sink in (first, second)]
    assert of_both[0] == of_both[1]
    assert {reason for _, reason in of_both[0]} == {"unknown_device", "bad_envelope", "oversized"}


def test_entries_are_kept_as_they_were_sent_by_kind_and_day_of_receipt(any_folder: str) -> None:
    streamed("by-kind-and-day", [*STREAMED, EXTENDED, BROKEN], any_folder, Gathering())
    files = kept(any_folder)
    assert sorted({path.rpartition("/")[0] for path in files}) == [
        "kind=events/day=2026-05-01",
        "kind=summaries/day=2026-05-01",
        "kind=summaries/day=2026-05-02",
        "kind=undecodable/day=2026-05-01",
    ]
    found = [entry for content in files.values() for entry in entries(io.BytesIO(content))]
    bodies = {(_sorted(archive.restored(entry[0])[0]), entry[1]) for entry in found if isinstance(entry, tuple)}
    assert bodies == {(_sorted(one.attributes), one.body) for one in [*STREAMED, EXTENDED, BROKEN]}


def _sorted(attributes: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(attributes.items()))


def test_files_of_an_hour_become_one_a_kind_and_are_complete_before(folder: str) -> None:
    many = [message([summary("d1", NOW + timedelta(minutes=number))], NOW, seq=1 + number) for number in range(8)]
    sink = streamed("gathered", many, folder, Gathering())
    assert len(kept(folder)) == 1
    assert len(rebuilt("from-gathered", folder).table("summaries_v1")) == len(sink.table("summaries_v1")) == 8


def test_files_become_one_before_the_hour_when_they_are_large(folder: str) -> None:
    many = [message([summary("d1", NOW + timedelta(minutes=number))], NOW, seq=1 + number) for number in range(8)]
    streamed("gathered-by-size", many, folder, Gathering(most_bytes=2 * len(many[0].body) + 100))
    assert 2 <= len(kept(folder)) <= 4
    assert not any(archive.ARRIVED in path for path in kept(folder))


def test_a_rebuild_that_archives_too_makes_an_equal_archive(folder: str) -> None:
    streamed("first-archive", [*STREAMED, BROKEN], folder, Gathering())
    copy = f"{folder}-copy"
    first = rebuilt("into-a-copy", folder, Archive(copy, still, None))
    second = rebuilt("from-the-copy", copy)
    for table in (*TABLES, "rejects_v1"):
        assert sorted(map(_without_run, second.table(table)), key=str) == sorted(map(_without_run, first.table(table)), key=str)


def _without_run(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name != "as_of"}


PLACE = "kind=events/day=2026-05-01"


def test_a_gathering_that_is_tried_again_after_a_crash_neither_loses_nor_fails(folder: str) -> None:
    paths = [f"{folder}/{PLACE}/{archive.ARRIVED}{number}.tbb" for number in range(3)]
    for number, path in enumerate(paths):
        write(path, b"%d" % number)
    gather(folder, PLACE, paths)
    gather(folder, PLACE, paths)
    assert list(kept(folder).values()) == [b"012"]


def test_storage_that_does_not_take_a_file_is_waited_for() -> None:
    path, pauses = "memory://bucket/kept/a.tbb", list[float]()
    OUT_OF_ORDER.add(path)

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            OUT_OF_ORDER.clear()

    write(path, b"12", sleep)
    assert (OBJECTS.pop(path), len(pauses)) == (b"12", 3)


def test_small_files_that_cannot_be_read_stay_and_are_gathered_later() -> None:
    folder = "memory://bucket/kept"
    paths = [f"{folder}/{PLACE}/{archive.ARRIVED}{number}.tbb" for number in range(2)]
    for path in paths:
        write(path, b"1")
    OUT_OF_ORDER.add(paths[1])
    gather(folder, PLACE, paths)
    assert set(kept(folder)) == {path.removeprefix(f"{folder}/") for path in paths}
    OUT_OF_ORDER.clear()
    gather_leftovers(folder)
    assert list(kept(folder).values()) == [b"11"]
    OBJECTS.clear()


def test_what_an_earlier_run_left_is_gathered_at_the_next_start(folder: str) -> None:
    for number in range(5):
        write(f"{folder}/{PLACE}/{archive.ARRIVED}{number}.tbb", b"%d" % number)
    write(f"{folder}/kind=summaries/day=2026-05-01/{archive.ARRIVED}7.tbb", b"7")
    gather_leftovers(folder, most_bytes=2)
    assert sorted(kept(folder).values()) == [b"01", b"23", b"4", b"7"]
    assert not any(archive.ARRIVED in path for path in kept(folder))


def test_an_unfinished_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "new-1.tbb.x.part").write_bytes(b"half")
    with pytest.raises(NoInput, match="names no file"):
        ExportFiles.at(str(tmp_path))


@pytest.mark.parametrize("form", ["{}", "{}/", "{}/**", "{}/**.tbb", "{}/kind=*/*/*.tbb"])
def test_a_folder_or_a_glob_names_all_files_below(folder: str, form: str) -> None:
    write(f"{folder}/{PLACE}/a.tbb", b"12")
    write(f"{folder}/{PLACE}/b.tbb", b"345")
    found = ExportFiles.at(form.format(folder))
    assert (found.files, found.bytes) == (2, 5)


def test_no_file_is_an_error_that_names_the_flag(tmp_path: Path) -> None:
    with pytest.raises(NoInput, match=r"--input=.*none\*\.tbb names no file"):
        ExportFiles.at(f"{tmp_path}/none*.tbb")
    with pytest.raises(NoInput, match=r"--input=nowhere://x cannot be looked at: .*nowhere"):
        ExportFiles.at("nowhere://x")


def test_an_archive_that_cannot_be_written_to_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchiveError, match=r"--archive=.*/file cannot be written to"):
        check(str(tmp_path / "file"))
    check(str(tmp_path / "folder"))
    assert not any(path.is_file() for path in (tmp_path / "folder").iterdir())


WAITING_TWO = WaitingFiles(("gs://b/archive/kind=events/day=2026-05-01/new-1.tbb", "/a/new-2.tbb"), 70_000)


def test_what_waits_is_read_from_the_bytes_of_every_release_and_written_as_this_one_writes_it() -> None:
    assert WAITING.unpack(golden("archived_files", 1)) == WAITING_TWO
    assert WAITING.pack(WAITING_TWO) == golden("archived_files", 1)
