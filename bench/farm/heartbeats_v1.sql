-- The heartbeats of a farm's day: @sites of @devices each on @day, whose windows are numbered from @first_number.
insert into tinybeam.heartbeats_v1 (
  batch_id, `row`, gateway_id, received_time, heartbeat_time, started_time, version, runtime, models, time_quality, readings_stored,
  readings_repeated, readings_rejected, readings_summarised, readings_dropped, batches_cut, batches_confirmed, batches_pending, batches_dropped,
  dropped_ranges, store_bytes, store_bytes_max, devices_seen, uplink_state, broker_state, certificate_end_time, model_releases, inferences_failed
)
{{devices}}
select
  concat(store, cast(3 * number + 3 as string)), 0, gateway_id, timestamp_add(start_time, interval 931 second),
  timestamp_add(start_time, interval 930 second), @day, '0.3.0', 'tflite-runtime 2.14.0',
  if(is_plant, '{"vibration": "sha-control"}', '{"soil": "sha-control"}'), 'synced', 15 * @devices * number, 0, 0, 15 * @devices * number, 0,
  3 * number + 2, 3 * number + 2, 0, 0, [], 4000000, 512000000, @devices, 'online', 'online', timestamp_add(@day, interval 60 day),
  concat(if(is_plant, '{"vibration": ', '{"soil": '), if(mod(site, 10) = 0, '3', '2'), '}'), 0
from (
  select sites.*, first_number + quarter as number, timestamp_add(@day, interval quarter * 900 second) as start_time
  from sites, unnest(generate_array(0, 95)) as quarter
)
order by gateway_id, start_time
