-- What is the 95th percentile of soil moisture of each field, and between which values does it usually lie?
--
-- One row per site and unit. Of every single reading, not of means: from the sketches in the summaries, each value to 1 %. Nulls where a gateway too old to send
-- sketches took part; then ask for the days after its update.
--
-- @from_time timestamp = now - 7 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @channel string = moisture: the channel, for example acceleration_rms
with
  -- Merged in steps, by device and day, then by day, then over the days: so that no group has more entries than the buckets of a device, a day or a site.
  entries_of_each_device_and_day as (
    select
      site_id,
      unit,
      device_id,
      day,
      sum(count) as readings,
      array_concat_agg(if(array_length(sketch) > 0, sketch, [-count])) as sketch
    from tinybeam.counted_summaries(@from_time, @to_time)
    where counts and window_start >= @from_time and window_start < @to_time and channel = @channel
    group by site_id, unit, device_id, day
  ),
  sketch_of_each_device_and_day as (
    select site_id, unit, device_id, day, readings, tinybeam.merged_sketch(sketch) as sketch
    from entries_of_each_device_and_day
  ),
  entries_of_each_day as (
    select site_id, unit, day, array_agg(device_id) as devices, sum(readings) as readings, array_concat_agg(sketch) as sketch
    from sketch_of_each_device_and_day
    group by site_id, unit, day
  ),
  sketch_of_each_day as (
    select site_id, unit, day, devices, readings, tinybeam.merged_sketch(sketch) as sketch
    from entries_of_each_day
  ),
  sketch_of_each_site as (
    select site_id, unit, array_concat_agg(devices) as devices, sum(readings) as readings, array_concat_agg(sketch) as sketch
    from sketch_of_each_day
    group by site_id, unit
  ),
  site_names as (
    select site_id, name
    from tinybeam.sites_v1
    where valid_from < @to_time and (valid_to is null or valid_to >= @to_time)
  )
select
  coalesce(site_names.name, sketch_of_each_site.site_id) as site,
  round(tinybeam.quantile(sketch, 0.05), 4) as p05,
  round(tinybeam.quantile(sketch, 0.5), 4) as p50,
  round(tinybeam.quantile(sketch, 0.95), 4) as p95,
  round(tinybeam.quantile(sketch, 0.99), 4) as p99,
  unit,
  (select count(distinct device) from unnest(devices) as device) as devices,
  readings
from sketch_of_each_site
left join site_names on sketch_of_each_site.site_id = site_names.site_id
order by p95 desc, site;
