"""Tries in a project what the pipeline does there, on objects of its own: each is named after this run and taken away afterwards.

Nothing here touches tables, topics, subscriptions or objects of anybody else but to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
from google.cloud import bigquery, pubsub_v1
from google.cloud.storage import Blob, Client

from pipeline.dataflow.check import Check, NotTried
from pipeline.io import warehouse
from pipeline.io.append import ANSWER_SECONDS
from pipeline.io.append_stream import AppendStream
from pipeline.io.dataflow_jobs import DataflowJobs
from pipeline.io.warehouse import Warehouse

_ROWS = pa.record_batch([pa.array(["tried"])], names=["word"])
_DAYS = (1, 90)
_SUMMARIES = "tinybeam.summaries_between(timestamp_sub(current_timestamp(), interval {} day), current_timestamp())"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Says where to try it. `run` is part of the name of all that is made; `folder` is the job's temp_location."""

    jobs: DataflowJobs
    warehouse: Warehouse
    folder: str
    subscription: str
    run: str

    @property
    def table(self) -> str:
        return f"tinybeam_verify_{self.run}"


def checks(place: Place) -> Sequence[Check]:
    """Returns what is tried, in order."""
    tried = (
        ("Dataflow", "the API dataflow.googleapis.com and the role Dataflow Developer", _dataflow),
        ("bucket", "the bucket of --temp_location, and the role Storage Object Admin on it", _bucket),
        ("publish and pull", "the API pubsub.googleapis.com, and the role Pub/Sub Editor to make a topic", _publish),
        ("subscription", "the subscription of --input_subscription, and the roles Pub/Sub Subscriber and Viewer on it", _subscription),
        ("tables", "tables and columns of this version: `tinybeam sql apply`", _tables),
        ("append and query", "the API bigquerystorage.googleapis.com, and the role BigQuery Data Editor on the dataset", _append),
        ("load", "the roles BigQuery Job User on the project and BigQuery Data Editor on the dataset", _load),
        ("partitions", "views and functions of this version: `tinybeam sql apply`", _partitions),
    )
    return [Check(name, needs, partial(attempt, place)) for name, needs, attempt in tried]


def _dataflow(place: Place, made: ExitStack) -> str:
    found = place.jobs.running("tinybeam-verify")
    return f"answers for {place.jobs.region}" + (f"; {found.id} is {found.state}" if found else "")


def _bucket(place: Place, made: ExitStack) -> str:
    tried = _own_object(place, made, "txt", b"tried")
    if (back := tried.download_as_bytes(timeout=ANSWER_SECONDS)) != b"tried":
        raise ValueError(f"{_path(tried)} holds {back!r}")
    return f"{_path(tried)} was written and read"


def _publish(place: Place, made: ExitStack) -> str:
    name = place.table.replace("_", "-")
    topic, subscription = (f"projects/{place.warehouse.project}/{kind}/{name}" for kind in ("topics", "subscriptions"))
    publisher, subscriber = made.enter_context(pubsub_v1.PublisherClient()), made.enter_context(pubsub_v1.SubscriberClient())
    publisher.create_topic(name=topic, timeout=ANSWER_SECONDS)
    made.callback(publisher.delete_topic, topic=topic)
    subscriber.create_subscription(name=subscription, topic=topic, timeout=ANSWER_SECONDS)
    made.callback(subscriber.delete_subscription, subscription=subscription)
    publisher.publish(topic, b"tried").result(timeout=ANSWER_SECONDS)
    [received] = subscriber.pull(subscription=subscription, max_messages=1, timeout=ANSWER_SECONDS).received_messages
    subscriber.acknowledge(subscription=subscription, ack_ids=[received.ack_id])
    return f"a message went through {name}"


def _subscription(place: Place, made: ExitStack) -> str:
    if not place.subscription:
        raise NotTried("--input_subscription is not given")
    subscriber = made.enter_context(pubsub_v1.SubscriberClient())
    found = subscriber.get_subscription(subscription=place.subscription, timeout=ANSWER_SECONDS)
    return f"{place.subscription} of {found.topic}, {found.ack_deadline_seconds} s to acknowledge"


def _tables(place: Place, made: ExitStack) -> str:
    if found := warehouse.faults(place.warehouse):
        raise ValueError(f"{place.warehouse.name} {', '.join(found)}")
    return f"{place.warehouse.name} has every table and column"


def _append(place: Place, made: ExitStack) -> str:
    client, table = _own_table(place, made, "appended")
    where = warehouse.default_stream(table.project, table.dataset_id, table.table_id)
    stream = AppendStream(place.warehouse.write_client(), where, _ROWS.schema)
    made.callback(stream.close)
    stream.send(_ROWS).result(ANSWER_SECONDS)
    return _counted(client, table, "appended through the Storage Write API")


def _load(place: Place, made: ExitStack) -> str:
    client, table = _own_table(place, made, "loaded")
    parquet = BytesIO()
    pq.write_table(pa.Table.from_batches([_ROWS]), parquet)
    path = _path(_own_object(place, made, "parquet", parquet.getvalue()))
    config = warehouse.load_config()
    if place.warehouse.endpoint:
        client.load_table_from_file(parquet, table, rewind=True, job_config=config).result(timeout=ANSWER_SECONDS)
    else:
        client.load_table_from_uri(path, table, job_config=config).result(timeout=ANSWER_SECONDS)
    return _counted(client, table, f"loaded from {path}")


def _partitions(place: Place, made: ExitStack) -> str:
    if place.warehouse.endpoint:
        raise NotTried("a local warehouse does not say how many bytes a query would read")
    client = made.enter_context(place.warehouse.client())
    config = bigquery.QueryJobConfig(dry_run=True, use_query_cache=False)
    statements = [place.warehouse.datasets.sql(f"select count(*) from {_SUMMARIES.format(days)}") for days in _DAYS]
    few, many = (client.query(statement, job_config=config, timeout=ANSWER_SECONDS).total_bytes_processed for statement in statements)
    if few == many != 0:
        raise ValueError(f"one day reads {few:,} bytes, as many as {_DAYS[1]}: the bounds do not reach the table, or it has one day only")
    return f"a day of summaries reads {few:,} bytes, {_DAYS[1]} days {many:,}"


def _own_object(place: Place, made: ExitStack, ending: str, content: bytes) -> Blob:
    client = made.enter_context(closing(Client(project=place.warehouse.project)))
    bucket, _, folder = place.folder.removeprefix("gs://").partition("/")
    found: Blob = client.bucket(bucket).blob(f"{folder}/{place.table}.{ending}".lstrip("/"))
    found.upload_from_string(content, timeout=ANSWER_SECONDS)
    made.callback(found.delete, timeout=ANSWER_SECONDS)
    return found


def _path(found: Blob) -> str:
    return f"gs://{found.bucket.name}/{found.name}"


def _own_table(place: Place, made: ExitStack, what: str) -> tuple[bigquery.Client, bigquery.Table]:
    """Makes a table that BigQuery deletes by itself after an hour if nobody does before."""
    client = made.enter_context(place.warehouse.client())
    table = bigquery.Table(
        f"{place.warehouse.project}.{place.warehouse.datasets.tables}.{place.table}_{what}", schema=[bigquery.SchemaField("word", "STRING")]
    )
    if not place.warehouse.endpoint:
        table.expires = datetime.now(UTC) + timedelta(hours=1)
    client.create_table(table, timeout=ANSWER_SECONDS)
    made.callback(client.delete_table, table, not_found_ok=True)
    return client, table


def _counted(client: bigquery.Client, table: bigquery.Table, how: str) -> str:
    [row] = client.query_and_wait(f"select count(*) as n from `{table.project}.{table.dataset_id}.{table.table_id}`")
    if row.n != 1:
        raise ValueError(f"a row was {how}, and {row.n} are there")
    return f"a row was {how}, and is there"
