-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.batches_v1 (
  `batch_id` string not null options (description = "Name of the batch: gateway_id:epoch:seq"),
  `gateway_id` string not null options (description = "Gateway that cut it"),
  `epoch` int64 not null options (description = "Random name of the gateway's store; seq starts anew with it"),
  `seq` int64 not null options (description = "Number of the batch in its epoch, from 1, without gaps"),
  `kind` string not null options (description = "Kind of its rows: summaries, inferences, events, heartbeats, rejects or samples"),
  `schema_version` string not null options (description = "Version of the records, major.minor"),
  `row_count` int64 not null options (description = "Number of rows"),
  `body_bytes` int64 not null options (description = "Size as sent, compressed [byte]"),
  `raw_bytes` int64 not null options (description = "Size before compression [byte]"),
  `priority` int64 not null options (description = "Higher goes first"),
  `cut_time` timestamp not null options (description = "When the gateway cut it [UTC]"),
  `time_min` timestamp not null options (description = "Earliest event time of its rows [UTC]"),
  `time_max` timestamp not null options (description = "Latest event time of its rows [UTC]"),
  `received_time` timestamp not null options (description = "When Pub/Sub received it; in batch mode when it was cut [UTC]"),
  `body_digest` int64 options (description = "CRC-32 of its body as sent: two of one batch_id are of two boxes that share a name; null before 0.3")
)
partition by timestamp_trunc(cut_time, day)
cluster by gateway_id, epoch
options (description = "A row is one batch as it was received: the transport's own record, for completeness and cost.");
