-- The hours of each site, in two revisions of a farm's day: @sites of @devices each on @day, whose windows are numbered from @first_number.
insert into tinybeam.site_windows_v1 (
  site_id, channel, unit, window_start, window_seconds, count, sum, m2, min, max, summaries, revision, timing, as_of
)
{{devices}}
select
  site_id, if(channel = 1, 'temperature', if(is_plant, 'acceleration_rms', 'moisture')), if(channel = 1, 'degC', if(is_plant, 'm/s2', 'm3/m3')),
  timestamp_add(@day, interval hour hour), 3600, 60 * @devices, 60 * @devices * value, value, 0.8 * value, 1.2 * value, 4 * @devices, revision,
  'on_time', timestamp_add(@day, interval hour + 2 + revision hour)
from (
  select sites.*, hour, channel, revision, if(channel = 1, 15 + 8 * sin(hour / 3.8), 0.22 + 0.05 * sin(site + first_number / 450 + hour / 25)) as value
  from sites, unnest(generate_array(0, 23)) as hour, unnest([0, 1]) as channel, unnest([0, 1]) as revision
)
order by site_id, channel, hour
