-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
create table if not exists tinybeam.events_v1 (
  `batch_id` string not null options (description = "Name of the batch that carried the row: gateway_id:epoch:seq"),
  `row` int64 not null options (description = "Position of the row in its batch, from 0; (batch_id, row) identifies a row for ever"),
  `gateway_id` string not null options (description = "Gateway that sent the row"),
  `site_id` string options (description = "Site of the device at the time of the row, from the registry"),
  `received_time` timestamp not null options (description = "When Pub/Sub received the batch; in batch mode when it was cut [UTC]"),
  `extras` string options (description = "JSON object of columns that this version does not know, null when none"),
  `device_id` string not null options (description = "Device identifier, unique in the fleet"),
  `event_time` timestamp not null options (description = "When it happened, by the reading or the end of the window [UTC]"),
  `cause` string not null options (description = "threshold or label"),
  `rule` string not null options (description = "Name of the threshold, or of the model whose label changed"),
  `channel` string options (description = "Channel of the threshold, null for a label"),
  `previous_state` string options (description = "State before: normal, low or high, or the former label; null at the first label"),
  `state` string not null options (description = "State now"),
  `value` float64 not null options (description = "The value or score that changed the state [channel or bundle unit]"),
  `threshold` float64 options (description = "The threshold that was crossed, null for a label [channel unit]"),
  `severity` string not null options (description = "info, warning or critical"),
  `time_quality` string not null options (description = "How far the event time can be trusted: synced, corrected, estimated or untrusted")
)
partition by timestamp_trunc(event_time, day)
cluster by device_id, rule
options (description = "A row is worth sending at once: a threshold was crossed or a label changed.");
