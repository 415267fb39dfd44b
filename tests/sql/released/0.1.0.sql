-- The tables of TinyBeam 0.1.0, as it made them. Never changed.
create table if not exists tinybeam.alerts_v1 (
  `alert_id` string not null options (description = "Identity of the alert: rule:subject:opened_time in microseconds"),
  `rule` string not null options (description = "Name of the rule in the registry"),
  `source` string not null options (description = "What the rule watches: event, site_window, irrigation or silence"),
  `subject` string not null options (description = "Device, site or gateway that it is about; at most one alert of a rule is open for it"),
  `site_id` string options (description = "Site of the subject, null for a gateway"),
  `device_id` string options (description = "Device, null for a site or gateway"),
  `severity` string not null options (description = "info, warning or critical"),
  `state` string not null options (description = "opened, updated or resolved"),
  `opened_time` timestamp not null options (description = "Event time of the opening [UTC]"),
  `event_time` timestamp not null options (description = "Event time of what this row tells [UTC]"),
  `value` float64 options (description = "The value that led to it [the source's unit]"),
  `threshold` float64 options (description = "The rule's limit, null if it has none [the source's unit]"),
  `message` string not null options (description = "One sentence for the person who is told"),
  `historical` bool not null options (description = "True if it comes from backlog: nobody is told"),
  `revision` int64 not null options (description = "0 for the opening, then rising"),
  `as_of` timestamp not null options (description = "When the row was made [UTC]")
)
partition by timestamp_trunc(opened_time, day)
cluster by rule, subject
options (description = "What happened to an alert: opened, updated or resolved. All rows of an alert share `alert_id`; the highest revision is its state.");
create table if not exists tinybeam.batches_v1 (
  `batch_id` string not null options (description = "Name of the batch: gateway_id:epoch:seq"),
  `gateway_id` string not null options (description = "Gateway that cut it"),
  `epoch` int64 not null options (description = "Random name of the gateway's store; seq starts anew with it"),
  `seq` int64 not null options (description = "Number of the batch in its epoch, from 1, without gaps"),
  `kind` string not null options (description = "Kind of its rows: summaries, inferences, events, heartbeats or rejects"),
  `schema_version` string not null options (description = "Version of the records, major.minor"),
  `row_count` int64 not null options (description = "Number of rows"),
  `body_bytes` int64 not null options (description = "Size as sent, compressed [byte]"),
  `raw_bytes` int64 not null options (description = "Size of the Arrow stream before compression [byte]"),
  `priority` int64 not null options (description = "Higher goes first"),
  `cut_time` timestamp not null options (description = "When the gateway cut it [UTC]"),
  `time_min` timestamp not null options (description = "Earliest event time of its rows [UTC]"),
  `time_max` timestamp not null options (description = "Latest event time of its rows [UTC]"),
  `received_time` timestamp not null options (description = "When Pub/Sub received it; in batch mode when it was cut [UTC]")
)
partition by timestamp_trunc(cut_time, day)
cluster by gateway_id, epoch
options (description = "One batch as it was received: the transport's own record, for completeness and cost.");
create table if not exists tinybeam.devices_v1 (
  `device_id` string not null options (description = "Device identifier, unique in the fleet"),
  `kind` string not null options (description = "Kind of sensor, for example soil"),
  `site_id` string not null options (description = "Site it stands on"),
  `valid_from` timestamp not null options (description = "From when this row holds, inclusive [UTC]"),
  `valid_to` timestamp options (description = "Until when it holds, exclusive; null for now [UTC]")
)
cluster by device_id
options (description = "Registry: where a device stood from one time to another.");
create table if not exists tinybeam.dirty_windows_v1 (
  `site_id` string not null options (description = "Site that got the late facts"),
  `window_start` timestamp not null options (description = "Start of the hour, inclusive [UTC]"),
  `window_seconds` int64 not null options (description = "Length of the window: 3600 [s]"),
  `marked_time` timestamp not null options (description = "received_time of the late batch [UTC]"),
  `batch_id` string not null options (description = "The batch that came too late")
)
partition by timestamp_trunc(window_start, day)
cluster by site_id
options (description = "An hour of a site that got facts too late for its rollup: to be computed anew from the facts.");
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
options (description = "Something worth sending at once: a threshold crossed or a label changed.");
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
  `dropped_ranges` array<int64> options (description = "Batch seqs dropped, as [first, last, first, last, ...]"),
  `oldest_pending_time` timestamp options (description = "When the oldest waiting batch was cut, null if none waits [UTC]"),
  `store_bytes` int64 not null options (description = "Size of the store on disk, write-ahead log included [byte]"),
  `store_bytes_max` int64 not null options (description = "Bound of the store [byte]"),
  `devices_seen` int64 not null options (description = "Devices heard since the process started"),
  `uplink_state` string not null options (description = "online, offline or paused"),
  `broker_state` string not null options (description = "online or offline")
)
partition by timestamp_trunc(heartbeat_time, day)
cluster by gateway_id
options (description = "The gateway's own state once a minute, with its ledger. Counters run since the epoch (the store) began.");
create table if not exists tinybeam.inferences_v1 (
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
  `runtime` string not null options (description = "Inference runtime and its version"),
  `label` string not null options (description = "The model's verdict, one of the bundle's labels"),
  `score` float64 not null options (description = "The model's main output, for example days until stress [the bundle's unit]"),
  `uncertainty` float64 not null options (description = "Width of the model's central 80 % interval of the score [the bundle's unit]"),
  `features` array<float64> options (description = "The model's inputs in the order of the bundle's recipe, before quantisation"),
  `time_quality` string not null options (description = "How far the event time can be trusted: synced, corrected, estimated or untrusted")
)
partition by timestamp_trunc(window_start, day)
cluster by device_id, model
options (description = "What one model said about one window of one device.");
create table if not exists tinybeam.irrigation_v1 (
  `site_id` string not null options (description = "Site that has a soil and a crop"),
  `day` timestamp not null options (description = "Start of the day, inclusive [UTC]"),
  `crop` string not null options (description = "Crop of the registry"),
  `soil` string not null options (description = "Soil texture of the registry"),
  `moisture` float64 not null options (description = "Mean of the site's readings in the day's latest hour, taken for the root zone [m3/m3]"),
  `moisture_time` timestamp not null options (description = "End of the hour that `moisture` is of [UTC]"),
  `temperature_min` float64 options (description = "Lowest hourly mean of the day so far [degC]"),
  `temperature_max` float64 options (description = "Highest hourly mean of the day so far [degC]"),
  `reference_mm` float64 options (description = "Reference evapotranspiration ET0 of the day [mm]"),
  `crop_coefficient` float64 not null options (description = "Crop coefficient Kc of the day"),
  `root_depth` float64 not null options (description = "Depth of the root zone [m]"),
  `available_mm` float64 not null options (description = "Total available water TAW of the root zone [mm]"),
  `readily_available_mm` float64 not null options (description = "Readily available water RAW: a greater depletion is stress [mm]"),
  `depletion_mm` float64 not null options (description = "Root-zone depletion Dr: what is missing to field capacity [mm]"),
  `need_mm` float64 not null options (description = "Net irrigation need: the depletion once the stress is near, else 0 [mm]"),
  `need_m3` float64 options (description = "The need over the area of the site, null without an area [m3]"),
  `days_until_stress` float64 options (description = "Days until stress without rain, 0 in stress, at most 14, null if unknown [d]"),
  `assumed` string options (description = "What the registry or the sensors did not say and was assumed, null if nothing"),
  `revision` int64 not null options (description = "0 for the first result of a day, then rising"),
  `as_of` timestamp not null options (description = "When the result was computed; the latest wins [UTC]")
)
partition by timestamp_trunc(day, day)
cluster by site_id
options (description = "Water balance of one field and day after FAO-56, from measured moisture. A later revision replaces an earlier one.");
create table if not exists tinybeam.rejects_v1 (
  `timestamp` timestamp not null options (description = "When it was set aside [UTC]"),
  `payloadString` string options (description = "payloadBytes as text if it is valid UTF-8, else null"),
  `payloadBytes` bytes not null options (description = "The original bytes, unchanged"),
  `attributes` array<struct<`key` string, `value` string>> options (description = "Pub/Sub attributes of the message"),
  `errorMessage` string not null options (description = "What was wrong, in one sentence"),
  `stacktrace` string options (description = "Where it was found, for faults of ours"),
  `reject_id` string not null options (description = "Identity: batch_id:row for rejects of a gateway, else SHA-256 over attributes and bytes"),
  `stage` string not null options (description = "Who set it aside: edge.intake, pipeline.decode, pipeline.enrich, pipeline.warehouse"),
  `reason` string not null options (description = "Short fixed word to group by, for example malformed_json"),
  `device_id` string options (description = "Device, if known"),
  `topic` string options (description = "MQTT topic, if it came from a sensor"),
  `gateway_id` string options (description = "Gateway, if known"),
  `batch_id` string options (description = "Batch, if known"),
  `versions` string options (description = "JSON object: software and schema versions that took part")
)
partition by timestamp_trunc(timestamp, day)
cluster by reason
options (description = "Anything not understood, with its original bytes. Begins with the columns of Google's dead-letter tables.");
create table if not exists tinybeam.site_windows_v1 (
  `site_id` string not null options (description = "Site that the rollup is of"),
  `channel` string not null options (description = "Name of the measured quantity"),
  `unit` string not null options (description = "Unit of min, max and sum"),
  `window_start` timestamp not null options (description = "Start of the window, inclusive [UTC]"),
  `window_seconds` int64 not null options (description = "Length of the window: 60 or 3600 [s]"),
  `count` int64 not null options (description = "Number of values"),
  `sum` float64 not null options (description = "Sum of the values [channel unit]"),
  `m2` float64 not null options (description = "Sum of squared differences from the mean [channel unit squared]"),
  `min` float64 not null options (description = "Smallest value [channel unit]"),
  `max` float64 not null options (description = "Largest value [channel unit]"),
  `summaries` int64 not null options (description = "Number of (partial) device summaries in it"),
  `revision` int64 not null options (description = "0 for the first result of a window, then rising"),
  `timing` string not null options (description = "early, on_time, late or batch: when the result was given, by the watermark"),
  `as_of` timestamp not null options (description = "When the result was computed; the latest wins [UTC]")
)
partition by timestamp_trunc(window_start, day)
cluster by site_id, channel
options (description = "A rollup of one channel over one site and window. A later revision replaces an earlier one.");
create table if not exists tinybeam.sites_v1 (
  `site_id` string not null options (description = "Site identifier"),
  `name` string not null options (description = "Name that people use"),
  `latitude` float64 options (description = "Latitude, WGS 84 [degree]"),
  `longitude` float64 options (description = "Longitude, WGS 84 [degree]"),
  `area_m2` float64 options (description = "Area of the field or hall [m2]"),
  `soil` string options (description = "Soil texture, for a field"),
  `crop` string options (description = "Crop, for a field"),
  `planted` timestamp options (description = "When the crop was sown, for a field [UTC]"),
  `valid_from` timestamp not null options (description = "From when this row holds, inclusive [UTC]"),
  `valid_to` timestamp options (description = "Until when it holds, exclusive; null for now [UTC]")
)
cluster by site_id
options (description = "Registry: a field, a hall, a barn.");
create table if not exists tinybeam.summaries_v1 (
  `batch_id` string not null options (description = "Name of the batch that carried the row: gateway_id:epoch:seq"),
  `row` int64 not null options (description = "Position of the row in its batch, from 0; (batch_id, row) identifies a row for ever"),
  `gateway_id` string not null options (description = "Gateway that sent the row"),
  `site_id` string options (description = "Site of the device at the time of the row, from the registry"),
  `received_time` timestamp not null options (description = "When Pub/Sub received the batch; in batch mode when it was cut [UTC]"),
  `extras` string options (description = "JSON object of columns that this version does not know, null when none"),
  `device_id` string not null options (description = "Device identifier, unique in the fleet"),
  `channel` string not null options (description = "Name of the measured quantity"),
  `unit` string not null options (description = "Unit of min, max, last and sum"),
  `window_start` timestamp not null options (description = "Start of the tumbling event-time window, inclusive [UTC]"),
  `window_seconds` int64 not null options (description = "Length of the window, or of the unchanged windows that were held and sent as one [s]"),
  `count` int64 not null options (description = "Number of values"),
  `sum` float64 not null options (description = "Sum of the values [channel unit]"),
  `m2` float64 not null options (description = "Sum of squared differences from the mean (Welford); variance = m2 / count [channel unit squared]"),
  `min` float64 not null options (description = "Smallest value [channel unit]"),
  `max` float64 not null options (description = "Largest value [channel unit]"),
  `last` float64 not null options (description = "Value with the latest event time [channel unit]"),
  `last_time` timestamp not null options (description = "Event time of `last` [UTC]"),
  `seq_ranges` array<int64> options (description = "Sensor sequence numbers in it as [first, last, first, last, ...], ascending, inclusive; empty if the sensor sends none"),
  `sketch` array<int64> options (description = "Quantile sketch: for each bucket of values bucket * 2^40 + count, ascending; ask it with tinybeam.quantile. Empty: not known"),
  `late` bool not null options (description = "True for a partial summary of readings that came after the window was cut"),
  `time_quality` string not null options (description = "Worst time quality among the readings: synced, corrected, estimated or untrusted"),
  `clock_offset_ms` float64 options (description = "Median of arrival time minus sensor time in the (last) window, null if the sensor sends no time [ms]")
)
partition by timestamp_trunc(window_start, day)
cluster by device_id, channel
options (description = "Statistics of one channel of one device over one window. Mergeable: partial summaries of a window add up.");
