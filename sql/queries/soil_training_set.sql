-- How many days after each window of a soil probe did its field run short of water, as far as was known at a time?
--
-- What the soil model is trained on (`tinybeam train soil --from=warehouse`): a row is a window in which a probe measured moisture and temperature,
-- on a site whose soil the registry knows. Stress begins when the mean moisture of the day around a window's end lies so far below what the probe
-- shows of a wet soil, the 95 % quantile of its season, as half of what a crop can use: a probe errs by an offset and a gain, which its own wettest
-- has as well. days is 0 in stress, 14 if none came within 14 days, and null where that is not known: the record ends, or people said that they
-- watered before. What came from until on is not looked at, and figures are rounded, so that a set can be asked for again. Of a window that several
-- gateways heard, the one with the most readings counts. A season is a crop's time on a site, from its sowing.
--
-- @from_time timestamp = now - 400 days: windows from when, inclusive
-- @until timestamp = now: the snapshot: what came from then on is not known, exclusive
with
  each_row_once as (
    select *
    from tinybeam.summaries_v1
    where
      window_start >= @from_time
      and window_start < @until
      and received_time < @until
      and channel in ('moisture', 'temperature')
      and window_seconds between 1 and 86400
      and count > 0
    qualify row_number() over (partition by window_start, batch_id, `row` order by received_time) = 1
  ),
  heard_by_each_gateway as (
    select device_id, channel, gateway_id, window_start, window_seconds, sum(sum) / sum(count) as mean, sum(count) as readings
    from each_row_once
    group by device_id, channel, gateway_id, window_start, window_seconds
  ),
  heard_best as (
    select *
    from heard_by_each_gateway
    qualify row_number() over (partition by device_id, channel, window_start, window_seconds order by readings desc, gateway_id) = 1
  ),
  whole_windows as (
    select
      device_id,
      window_start,
      window_seconds,
      unix_seconds(window_start) + window_seconds as window_end,
      max(if(channel = 'moisture', mean, null)) as moisture,
      max(if(channel = 'temperature', mean, null)) as temperature
    from heard_best
    group by device_id, window_start, window_seconds
    having count(*) = 2
  ),
  placed as (
    select
      whole_windows.*,
      sites.site_id,
      coalesce(sites.planted, timestamp_trunc(whole_windows.window_start, year)) as season,
      soils.field_capacity,
      soils.field_capacity - soils.wilting_point as available
    from whole_windows
    inner join tinybeam.devices_v1 as devices
      on
        whole_windows.device_id = devices.device_id
        and whole_windows.window_start >= devices.valid_from
        and (devices.valid_to is null or whole_windows.window_start < devices.valid_to)
    inner join tinybeam.sites_v1 as sites
      on
        devices.site_id = sites.site_id
        and whole_windows.window_start >= sites.valid_from
        and (sites.valid_to is null or whole_windows.window_start < sites.valid_to)
    inner join tinybeam.soils as soils on regexp_replace(lower(sites.soil), r'[\s_-]', '') = soils.soil
  ),
  watered as (
    select placed.device_id, placed.window_start, placed.window_seconds, min(unix_seconds(said.event_time)) as watered
    from placed
    inner join tinybeam.placed_labels_between(@from_time, @until) as said
      on placed.site_id = said.site_id and unix_seconds(said.event_time) >= placed.window_end
    where said.answer = 'irrigated_mm' and said.labelled_time < @until
    group by placed.device_id, placed.window_start, placed.window_seconds
  ),
  smoothed as (
    select
      placed.*,
      watered.watered,
      avg(placed.moisture) over (
        partition by placed.device_id, placed.site_id, placed.season
        order by placed.window_end
        range between 43200 preceding and 43200 following
      ) as moisture_of_a_day,
      percentile_cont(placed.moisture, 0.95) over (partition by placed.device_id, placed.site_id, placed.season) - 0.5 * placed.available as stress_line
    from placed
    left join watered
      on
        placed.device_id = watered.device_id
        and placed.window_start = watered.window_start
        and placed.window_seconds = watered.window_seconds
  ),
  with_what_came as (
    select
      *,
      min(if(moisture_of_a_day < stress_line, window_end, null)) over (
        partition by device_id, site_id, season order by window_end rows between current row and unbounded following
      ) as stress_end,
      least(max(window_end) over (partition by device_id, site_id, season), coalesce(watered, 253402300799)) as known_end
    from smoothed
  )
select
  device_id,
  site_id,
  season,
  window_start,
  window_seconds,
  round(moisture, 6) as moisture,
  round(temperature, 4) as temperature,
  field_capacity,
  round(available, 6) as available,
  case
    when stress_end <= least(window_end + 14 * 86400, known_end) then round((stress_end - window_end) / 86400, 4)
    when known_end >= window_end + 14 * 86400 then 14.0
  end as days
from with_what_came
order by device_id, window_start, window_seconds;
