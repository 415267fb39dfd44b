-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.rejects_v1 (
  `timestamp` timestamp not null options (description = "When it was set aside [UTC]"),
  `payloadString` string options (description = "payloadBytes as text if it is valid UTF-8, else null"),
  `payloadBytes` bytes not null options (description = "The original bytes, unchanged"),
  `attributes` array<struct<`key` string, `value` string>> options (description = "Pub/Sub attributes of the message"),
  `errorMessage` string not null options (description = "What was wrong, in one sentence"),
  `stacktrace` string options (description = "Where it was found, for faults of ours"),
  `reject_id` string not null options (description = "Identity: batch_id:row for rejects of a gateway, else SHA-256 over attributes and bytes"),
  `stage` string not null options (description = "Who set it aside: edge.intake, pipeline.decode, pipeline.validate, pipeline.enrich, pipeline.warehouse"),
  `reason` string not null options (description = "Short fixed word to group by, for example malformed_json"),
  `device_id` string options (description = "Device, if known"),
  `topic` string options (description = "MQTT topic, if it came from a sensor"),
  `gateway_id` string options (description = "Gateway, if known"),
  `batch_id` string options (description = "Batch, if known"),
  `versions` string options (description = "JSON object: software and schema versions that took part"),
  `seq` int64 options (description = "The sensor's own number of the reading, if it can be read"),
  `readings` array<struct<`device_id` string, `first_seq` int64, `last_seq` int64>> options (description = "Readings whose summaries the pipeline set aside, by their sensors' own numbers")
)
partition by timestamp_trunc(timestamp, day)
cluster by reason
options (description = "A row is anything that was not understood, with its original bytes. It begins with the columns of Google's dead-letter tables.");
