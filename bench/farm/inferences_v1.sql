-- The verdicts of an hour of a farm's day: @sites of @devices each on @day, whose windows are numbered from @first_number.
insert into tinybeam.inferences_v1 (
  batch_id, `row`, gateway_id, site_id, received_time, device_id, window_start, window_seconds, model, model_version, model_sha256, runtime, label,
  score, uncertainty, features, time_quality, model_release
)
{{devices}}
select
  concat(store, cast(3 * number + 2 as string)), device, gateway_id, site_id, timestamp_add(start_time, interval 930 second), device_id,
  start_time, 900, if(is_plant, 'vibration', 'soil'), '1.0.0', if(mod(site, 10) = 0, 'sha-canary', 'sha-control'), 'tflite-runtime 2.14.0',
  if(is_plant, if(score > 0.832, 'worn', 'normal'), if(score < 2, 'now', if(score < 5, 'soon', 'fine'))), score, 0.4,
  [score, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2], 'synced', if(mod(site, 10) = 0, 3, 2)
from (
  select
    devices.*,
    first_number + 4 * hour as number,
    timestamp_add(@day, interval hour hour) as start_time,
    if(is_plant, 0.5 + 0.5 * sin(site + device + first_number / 900), 6 + 5 * sin(site + device + first_number / 700)) as score
  from devices, unnest(generate_array(0, 23)) as hour
)
order by is_plant, device_id, start_time
