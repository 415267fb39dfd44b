-- How moist was the root zone of a field, step by step?
--
-- One row for each step of so many seconds: mean, lowest and highest, from the site's windows of a minute or an hour. A percentage is taken for a share.
--
-- @site_id string = : the field
-- @from_time timestamp = now - 1 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @window_seconds int64 = 3600: of the site's windows, 60 or 3600
-- @step_seconds int64 = 3600: width of a step
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
select
  site_id,
  timestamp_seconds(div(unix_seconds(window_start), @step_seconds) * @step_seconds) as time,
  safe_divide(sum(sum * if(unit = '%', 0.01, 1)), sum(count)) as mean,
  min(min * if(unit = '%', 0.01, 1)) as low,
  max(max * if(unit = '%', 0.01, 1)) as high
from tinybeam.site_windows_between(@from_time, @to_time)
where
  site_id = @site_id
  and channel = 'moisture'
  and window_seconds = @window_seconds
  and (@all_sites or site_id in unnest(@sites))
group by site_id, time
order by time;
