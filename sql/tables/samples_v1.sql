-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.samples_v1 (
  `batch_id` string not null options (description = "Name of the batch that carried the row: gateway_id:epoch:seq"),
  `row` int64 not null options (description = "Position of the row in its batch, from 0; (batch_id, row) identifies a row for ever"),
  `gateway_id` string not null options (description = "Gateway that sent the row"),
  `site_id` string options (description = "Site of the device at the time of the row, from the registry"),
  `received_time` timestamp not null options (description = "When Pub/Sub received the batch; in batch mode when it was cut [UTC]"),
  `extras` string options (description = "JSON object of columns that this version does not know, null when none"),
  `device_id` string not null options (description = "Device identifier, unique in the fleet"),
  `window_start` timestamp not null options (description = "Start of the tumbling event-time window, inclusive [UTC]"),
  `window_seconds` int64 not null options (description = "Length of the window [s]"),
  `model` string not null options (description = "Name of the model"),
  `model_version` string not null options (description = "Version of the model bundle"),
  `model_sha256` string not null options (description = "SHA-256 of model.tflite, hexadecimal"),
  `label` string not null options (description = "The model's verdict, one of the bundle's labels"),
  `score` float64 not null options (description = "The model's main output [the bundle's unit]"),
  `uncertainty` float64 not null options (description = "Width of the model's central 80 % interval of the score [the bundle's unit]"),
  `features` array<float64> options (description = "The model's inputs in the order of the bundle's recipe, before quantisation"),
  `reason` string not null options (description = "Why it was kept: random, shadow, outside or uncertain; of several the first"),
  `time_quality` string not null options (description = "How far the event time can be trusted: synced, corrected, estimated or untrusted")
)
partition by timestamp_trunc(window_start, day)
cluster by model, device_id
options (description = "A row is a window that is worth learning from: what the model was given, what it said, and why the gateway kept it.");
