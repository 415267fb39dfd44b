-- Generated from schemas/records/ by `python -m schemas`. Do not edit.
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
  `clock_offset_ms` float64 options (description = "Median of arrival time minus sensor time in the (last) window, null if the sensor sends no time [ms]"),
  `fidelity` int64 options (description = "The gateway's store was nearly full, so windows were merged that lie in one interval of this length: 900 or 3600. Null: they are as they were closed [s]"),
  `channel_kind` string options (description = "state or counter: what the channel is, null if it is a number"),
  `states` string options (description = "Of a state: its names, with commas between; a value is the position of its name, from 0"),
  `wraps_at` float64 options (description = "Of a counter that wraps: where it begins at 0 again, else null [channel unit]"),
  `point_offsets_us` array<int64> options (description = "Of a state or a counter: times of its points since window_start, ascending, below 0 for what it was before; what was read between them changes nothing. Ask tinybeam.points_between [us]"),
  `point_values` array<float64> options (description = "Of a state or a counter: the values of its points [channel unit]")
)
partition by timestamp_trunc(window_start, day)
cluster by device_id, channel
options (description = "A row holds the statistics of one channel of one device over one window. Partial summaries of a window add up.");
