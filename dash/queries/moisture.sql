-- How moist was the root zone of a field, step by step?
--
-- One row for each step of so many seconds: mean, lowest and highest. Steps of less than an hour are of the site's windows of a minute, but in hours of which
-- those do not hold all that the window of the hour holds: there it is one row for the hour. A percentage is taken for a share.
--
-- @site_id string = : the field
-- @from_time timestamp = now - 1 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @step_seconds int64 = 3600: width of a step
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
with
  windows as (
    select
      site_id,
      window_start,
      window_seconds,
      count,
      sum * if(unit = '%', 0.01, 1) as sum,
      min * if(unit = '%', 0.01, 1) as min,
      max * if(unit = '%', 0.01, 1) as max
    from tinybeam.site_windows_between(@from_time, @to_time)
    where
      site_id = @site_id
      and channel = 'moisture'
      and window_seconds in (60, 3600)
      and (@all_sites or site_id in unnest(@sites))
  ),
  hours as (
    select
      timestamp_trunc(window_start, hour) as hour,
      sum(if(window_seconds = 60, count, 0)) >= sum(if(window_seconds = 3600, count, 0)) as is_in_minutes
    from windows
    group by hour
  )
select
  windows.site_id,
  timestamp_seconds(div(unix_seconds(windows.window_start), @step_seconds) * @step_seconds) as time,
  safe_divide(sum(windows.sum), sum(windows.count)) as mean,
  min(windows.min) as low,
  max(windows.max) as high
from windows
inner join hours on timestamp_trunc(windows.window_start, hour) = hours.hour
where windows.window_seconds = if(@step_seconds < 3600 and hours.is_in_minutes, 60, 3600)
group by windows.site_id, time
order by time;
