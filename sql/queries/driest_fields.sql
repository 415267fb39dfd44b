-- Which fields are driest now, and how many days are left until the crop is under stress?
--
-- One row per site, the most urgent first: the verdict on its most urgent device, and the mean moisture of the latest window of all its devices.
--
-- @as_of timestamp = now: the moment to look from
-- @days int64 = 2: a device whose last window is older than this does not count
-- @model string = soil: the model that says how many days are left
-- @channel string = moisture: the channel that is shown beside it
with
  latest_verdict_of_each_device as (
    select device_id, site_id, window_start, window_seconds, label, score, uncertainty
    from tinybeam.inferences
    where
      window_start > timestamp_sub(@as_of, interval @days day)
      and window_start <= @as_of
      and model = @model
    qualify row_number() over (partition by device_id order by window_start desc, received_time desc) = 1
  ),
  verdict_of_each_site as (
    select
      site_id,
      array_agg(
        struct(device_id as device_id, label as label, score as score, uncertainty as uncertainty, timestamp_add(window_start, interval window_seconds second) as time)
        order by score, device_id limit 1
      )[offset(0)] as worst,
      count(*) as devices
    from latest_verdict_of_each_device
    group by site_id
  ),
  latest_value_of_each_device as (
    select device_id, site_id, mean, unit
    from tinybeam.summaries
    where
      window_start > timestamp_sub(@as_of, interval @days day)
      and window_start <= @as_of
      and channel = @channel
    -- Not by window_start: a gateway may send an unchanged hour as one window, and a straggler's window begins within it.
    qualify row_number() over (partition by device_id order by last_time desc, window_start desc) = 1
  ),
  value_of_each_site as (
    select site_id, avg(mean) as value, min(unit) as unit
    from latest_value_of_each_device
    group by site_id
  ),
  site_names as (
    select site_id, name, crop
    from tinybeam.sites_v1
    where valid_from <= @as_of and (valid_to is null or valid_to > @as_of)
  )
select
  coalesce(site_names.name, verdict_of_each_site.site_id) as field,
  site_names.crop,
  worst.label as verdict,
  round(worst.score, 1) as days_until_stress,
  round(worst.uncertainty, 1) as uncertainty,
  round(value_of_each_site.value, 3) as channel_mean,
  value_of_each_site.unit,
  worst.device_id as device_id,
  verdict_of_each_site.devices,
  worst.time as time
from verdict_of_each_site
left join value_of_each_site on verdict_of_each_site.site_id = value_of_each_site.site_id
left join site_names on verdict_of_each_site.site_id = site_names.site_id
order by days_until_stress, field;
