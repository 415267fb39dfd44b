-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.heartbeats_v1 (
  `batch_id` string not null options (description = "Name of the batch that carried the row: gateway_id:epoch:seq"),
  `row` int64 not null options (description = "Position of the row in its batch, from 0; (batch_id, row) identifies a row for ever"),
  `gateway_id` string not null options (description = "Gateway that sent the row"),
  `site_id` string options (description = "Site of the device at the time of the row, from the registry"),
  `received_time` timestamp not null options (description = "When Pub/Sub received the batch; in batch mode when it was cut [UTC]"),
  `extras` string options (description = "JSON object of columns that this version does not know, null when none"),
  `heartbeat_time` timestamp not null options (description = "When it was written [UTC]"),
  `started_time` timestamp not null options (description = "When the gateway process started [UTC]"),
  `version` string not null options (description = "Version of the gateway software"),
  `runtime` string not null options (description = "Inference runtime and its version"),
  `models` string not null options (description = "JSON object: model name to SHA-256 of the running model"),
  `time_quality` string not null options (description = "How far the gateway's clock can be trusted"),
  `readings_stored` int64 not null options (description = "Readings committed to the journal and acknowledged"),
  `readings_repeated` int64 not null options (description = "Readings that were already stored, acknowledged again"),
  `readings_rejected` int64 not null options (description = "Readings or messages set aside as rejects"),
  `readings_summarised` int64 not null options (description = "Stored readings whose windows are cut into batches"),
  `readings_dropped` int64 not null options (description = "Stored readings lost because the store was full"),
  `batches_cut` int64 not null options (description = "Batches cut so far: the highest seq given out before this one"),
  `batches_confirmed` int64 not null options (description = "Batches that Pub/Sub has confirmed"),
  `batches_pending` int64 not null options (description = "Batches waiting in the outbox"),
  `batches_dropped` int64 not null options (description = "Batches dropped because the store was full"),
  `dropped_ranges` array<int64> options (description = "Batch seqs dropped, as [first, last, first, last, ...], at most 1,000 ranges: of more, the oldest are drawn together, with what lies between them and has been confirmed"),
  `oldest_pending_time` timestamp options (description = "When the oldest waiting batch was cut, null if none waits [UTC]"),
  `store_bytes` int64 not null options (description = "Size of the store on disk, write-ahead log included [byte]"),
  `store_bytes_max` int64 not null options (description = "Bound of the store [byte]"),
  `devices_seen` int64 not null options (description = "Devices heard since the process started"),
  `uplink_state` string not null options (description = "online or offline"),
  `broker_state` string not null options (description = "online or offline"),
  `listening_since_time` timestamp options (description = "Since when it has heard the broker without interruption: no start, no lost broker, no sleep, no jump of its clock. Null while the broker is offline, and of a gateway that does not say so [UTC]")
)
partition by timestamp_trunc(heartbeat_time, day)
cluster by gateway_id
options (description = "A row shows the gateway's own state at one time, with its ledger. Counters run since the epoch (the store) began.");
