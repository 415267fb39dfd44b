-- The summaries of a farm's day: @sites of @devices each on @day, whose windows are numbered from @first_number.
insert into tinybeam.summaries_v1 (
  batch_id, `row`, gateway_id, site_id, received_time, device_id, channel, unit, window_start, window_seconds, count, sum, m2, min, max, last,
  last_time, seq_ranges, sketch, late, time_quality, clock_offset_ms
)
{{devices}}
select
  concat(store, cast(3 * number + 1 as string)), device * 2 + channel, gateway_id, site_id, timestamp_add(start_time, interval 930 second), device_id,
  if(channel = 1, 'temperature', if(is_plant, 'acceleration_rms', 'moisture')), if(channel = 1, 'degC', if(is_plant, 'm/s2', 'm3/m3')),
  start_time, 900, 15, 15 * value, 0.002 * value, 0.98 * value, 1.02 * value, 1.001 * value, timestamp_add(start_time, interval 870 second),
  [number * 15 + 1, number * 15 + 15], [(1 << 40) * cast(100 * ln(value) as int64) + 5, (1 << 40) * cast(100 * ln(value) + 1 as int64) + 10],
  mod(number, 97) = 0, 'synced', 120.0
from (
  select
    devices.*,
    channel,
    first_number + quarter as number,
    timestamp_add(@day, interval quarter * 900 second) as start_time,
    if(channel = 1, 15 + 8 * sin(quarter / 15.3), if(is_plant, 1.2, 0.22) + 0.05 * sin(site + device + first_number / 450 + quarter / 100)) as value
  from devices, unnest(generate_array(0, 95)) as quarter, unnest([0, 1]) as channel
)
order by device_id, channel, start_time
