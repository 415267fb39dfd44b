-- What score had a machine, step by step?
--
-- One row for each step of so many seconds: mean, lowest and highest.
--
-- @device_id string = : the machine
-- @model string = vibration: the model
-- @from_time timestamp = now - 1 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @step_seconds int64 = 3600: width of a step
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
select
  any_value(site_id) as site_id,
  timestamp_seconds(div(unix_seconds(window_start), @step_seconds) * @step_seconds) as time,
  avg(score) as mean,
  min(score) as low,
  max(score) as high
from tinybeam.inferences_between(@from_time, @to_time)
where device_id = @device_id and model = @model and (@all_sites or site_id in unnest(@sites))
group by time
order by time;
