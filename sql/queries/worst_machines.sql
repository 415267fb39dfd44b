-- Which machines are in the worst condition now, and is it getting worse?
--
-- One row per device, the highest anomaly score first: the latest verdict, the mean score of the last day, and how many times the mean
-- of the day a week before that is.
--
-- @as_of timestamp = now: the moment to look from
-- @days int64 = 2: a device whose last window is older than this does not count
-- @model string = vibration: the model whose score grows with wear
with
  scored as (
    select device_id, site_id, window_start, window_seconds, received_time, label, score, uncertainty
    from tinybeam.inferences_between(timestamp_sub(@as_of, interval 8 + @days day), timestamp_add(@as_of, interval 1 microsecond))
    where window_start > timestamp_sub(@as_of, interval 8 + @days day) and model = @model
  ),
  latest_verdict_of_each_device as (
    select *
    from scored
    where window_start > timestamp_sub(@as_of, interval @days day)
    qualify row_number() over (partition by device_id order by window_start desc, received_time desc) = 1
  ),
  means_of_each_device as (
    select
      scored.device_id,
      avg(if(scored.window_start > timestamp_sub(latest_verdict_of_each_device.window_start, interval 1 day), scored.score, null)) as last_day,
      avg(
        if(
          scored.window_start > timestamp_sub(latest_verdict_of_each_device.window_start, interval 8 day)
          and scored.window_start <= timestamp_sub(latest_verdict_of_each_device.window_start, interval 7 day),
          scored.score,
          null
        )
      ) as week_before
    from scored
    inner join latest_verdict_of_each_device on scored.device_id = latest_verdict_of_each_device.device_id
    group by scored.device_id
  ),
  site_names as (
    select site_id, name
    from tinybeam.sites_v1
    where valid_from <= @as_of and (valid_to is null or valid_to > @as_of)
  )
select
  latest_verdict_of_each_device.device_id as machine,
  coalesce(site_names.name, latest_verdict_of_each_device.site_id) as site,
  latest_verdict_of_each_device.label as verdict,
  round(latest_verdict_of_each_device.score, 3) as score,
  round(latest_verdict_of_each_device.uncertainty, 3) as uncertainty,
  round(means_of_each_device.last_day, 3) as last_day_mean,
  round(safe_divide(means_of_each_device.last_day, means_of_each_device.week_before), 2) as times_week_before,
  timestamp_add(latest_verdict_of_each_device.window_start, interval latest_verdict_of_each_device.window_seconds second) as time
from latest_verdict_of_each_device
inner join means_of_each_device on latest_verdict_of_each_device.device_id = means_of_each_device.device_id
left join site_names on latest_verdict_of_each_device.site_id = site_names.site_id
order by score desc, machine;
