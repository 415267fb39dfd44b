-- What did a model see of a machine, on the first and on the last day of a time?
--
-- One row for each input of the model: its name, where the warehouse knows it, and its mean of the last day and of the first.
--
-- @device_id string = : the machine
-- @model string = vibration: the model
-- @from_time timestamp = now - 30 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
with
  verdicts as (
    select site_id, model_sha256, window_start, features
    from tinybeam.inferences_between(@from_time, @to_time)
    where
      device_id = @device_id
      and model = @model
      and (@all_sites or site_id in unnest(@sites))
      and (window_start < timestamp_add(@from_time, interval 1 day) or window_start >= timestamp_sub(@to_time, interval 1 day))
  ),
  newest as (
    select max_by(model_sha256, window_start) as model_sha256
    from verdicts
  ),
  inputs as (
    select site_id, window_start >= timestamp_sub(@to_time, interval 1 day) as is_now, position, value
    from verdicts
    inner join newest on verdicts.model_sha256 = newest.model_sha256, unnest(features) as value with offset as position
  )
select
  any_value(inputs.site_id) as site_id,
  any_value(newest.model_sha256) as model_sha256,
  inputs.position,
  any_value(named.input) as name,
  avg(if(inputs.is_now, inputs.value, null)) as mean_now,
  avg(if(inputs.is_now, null, inputs.value)) as mean_before
from inputs
cross join newest
left join tinybeam.model_references_v1 as named on newest.model_sha256 = named.model_sha256 and inputs.position = named.position
group by inputs.position
order by inputs.position;
