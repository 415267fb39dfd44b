"""Flags: what is right becomes one frozen Options, what is wrong one clear sentence and exit code 2."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.dataflow.choices import job_options
from pipeline.flags import UsageError
from pipeline.options import BUNDLES, FN_API, parse
from pipeline.run import main

KEYS = "--signature_keys=gs://p1/pipeline.key"
STREAMING = ["--project=p1", "--registry=r.toml", "--input_subscription=projects/p1/subscriptions/s1", KEYS]
BATCH = ["--mode=batch", "--project=p1", "--registry=r.toml", "--input=exported/*.tbb", KEYS]


def test_the_least_that_must_be_said() -> None:
    options = parse(STREAMING)
    assert (options.mode, options.warehouse.project, options.warehouse.datasets.tables, options.registry) == (
        "streaming",
        "p1",
        "tinybeam",
        "r.toml",
    )
    assert (options.schedule.early_seconds, options.schedule.lateness, options.streaming) == (60, timedelta(days=7), True)


@pytest.mark.parametrize(("arguments", "runner"), [(STREAMING, BUNDLES), (BATCH, FN_API)])
def test_direct_runner_means_a_runner_that_downloads_nothing(arguments: list[str], runner: str) -> None:
    assert f"--runner={runner}" in parse([*arguments, "--runner=DirectRunner"]).beam


@pytest.mark.parametrize(
    ("arguments", "interval"),
    [
        ([], None),
        (["--write_method=append"], None),
        (["--write_method=load"], timedelta(minutes=15)),
        (["--write_method=load", "--load_interval=58s"], timedelta(seconds=58)),
        (["--write_method=load", "--load_interval=30m"], timedelta(minutes=30)),
    ],
)
def test_rows_are_appended_unless_loads_are_asked_for(arguments: list[str], interval: timedelta | None) -> None:
    assert parse([*STREAMING, *arguments]).load_interval == interval


def test_flags_that_are_not_ours_go_to_beam() -> None:
    beam = parse([STREAMING[0], STREAMING[2], KEYS, "--runner=FlinkRunner", "--flink_master=here", "--parallelism", "3"]).beam
    assert beam[-3:] == ("--flink_master=here", "--parallelism", "3")
    assert {"--runner=FlinkRunner", "--project=p1", "--streaming", "--no_save_main_session"} <= set(beam)


def test_the_names_of_googles_templates_are_understood() -> None:
    options = parse(
        [
            *STREAMING[:2],
            KEYS,
            "--inputSubscription=projects/p/subscriptions/s",
            "--tempLocation=gs://b",
            "--allowedLateness=2h",
        ]
    )
    assert (options.input_subscription, options.temp_location) == ("projects/p/subscriptions/s", "gs://b")
    assert options.schedule.lateness == timedelta(hours=2)


@pytest.mark.parametrize(("text", "meant"), [("5s", timedelta(seconds=5)), ("12m", timedelta(minutes=12)), ("7d", timedelta(days=7))])
def test_durations(text: str, meant: timedelta) -> None:
    assert parse([*STREAMING, f"--allowed_lateness={text}"]).schedule.lateness == meant


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (STREAMING[:2], "give --input_subscription"),
        (STREAMING[1:], "--project is missing"),
        ([*STREAMING, "--registry_refresh=0s"], "at least 1s"),
        ([*STREAMING, "--registry_refresh=often"], "'often' is no duration: write for example"),
        ([*STREAMING, "--archive_every=1"], "'1' is no duration: write for example"),
        ([*STREAMING, "--load_interval=5m"], "--load_interval is of --write_method=load"),
        (
            [*STREAMING, "--write_method=load", "--load_interval=57s"],
            "at least 58s: BigQuery takes 1,500 load jobs a day for a table, and this",
        ),
        ([*STREAMING, "--write_method=load", "--load_interval=0s"], "at least 58s"),
        ([*STREAMING, "--write_method=load", "--load_interval=31m"], "at most 30m"),
        ([*BATCH, "--write_method=load"], "--mode=batch loads its rows once"),
        ([*STREAMING, "--runner=DataflowRunner"], "`tinybeam pipeline launch` launches on Dataflow"),
        ([*STREAMING, "--input=x"], "no --input"),
        ([*BATCH, STREAMING[2]], "no --input_subscription"),
        (BATCH[:3], "give --input=GLOB"),
        ([*STREAMING[:2], "--input_subscription=s1"], "projects/P/subscriptions/S"),
        ([*STREAMING, "--allowed_lateness=soon"], "5s, 12m, 2h or 7d"),
        ([*STREAMING, "--allowed_lateness=999d"], "at most 365d"),
        ([*STREAMING, "--early_seconds=0"], "whole number of seconds"),
        ([*STREAMING, "--mode=both"], "invalid choice"),
        ([*STREAMING, "--id_attribute=x"], "--id_attribute is gone: the pipeline drops repeats"),
        ([*STREAMING, "--timestampAttribute=t"], "--timestampAttribute is gone: times are in the batches"),
        ([*STREAMING, "--bigquery_endpoint=http://127.0.0.1:1"], "--bigquery_storage_endpoint"),
        ([*STREAMING, "stray"], "'stray' is no flag"),
        (STREAMING[:3], "--signature_keys=PLACE is missing"),
        ([*STREAMING[:3], "--require_signatures=warn"], "--signature_keys=PLACE is missing"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(arguments: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BIGQUERY_STORAGE_EMULATOR_HOST", raising=False)
    with pytest.raises(UsageError) as caught:
        parse(arguments)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_wrong_usage_and_a_wrong_registry_end_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(STREAMING[:2]) == 2
    (tmp_path / "r.toml").write_text("[[devices]]\ndevice_id = 'd1'\nkind = 'soil'\nsite_id = 'nowhere'\n")
    assert main([STREAMING[0], STREAMING[2], KEYS, f"--registry={tmp_path / 'r.toml'}"]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_the_registry_is_that_of_the_warehouse_unless_a_file_is_named() -> None:
    options = parse([STREAMING[0], STREAMING[2], KEYS])
    assert (options.registry, options.registry_refresh) == ("bigquery", timedelta(minutes=1))
    assert job_options([STREAMING[0], STREAMING[2], KEYS, "--temp_location=gs://b", "--registry=gs://b/r.toml"]).registry == "gs://b/r.toml"


def test_help_teaches_with_examples() -> None:
    shown = subprocess.run([sys.executable, "-m", "pipeline", "--help"], capture_output=True, text=True, check=True).stdout
    for word in ("--input_subscription", "tinybeam pipeline launch", "--mode=batch", "--allowed_lateness", "examples:"):
        assert word in shown


def test_an_archive_is_kept_only_where_it_is_asked_for() -> None:
    assert not parse(STREAMING).archive
    options = parse([*STREAMING, "--archive=gs://bucket/archive/", "--archive_every=15m"])
    assert (options.archive, options.archive_every) == ("gs://bucket/archive", timedelta(minutes=15))
