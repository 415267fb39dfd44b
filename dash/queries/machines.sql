-- What does its model say of each machine at a moment, and is it getting worse?
--
-- One row for each device that a model judged in the ten days before, but for the soil model: its latest verdict, the mean score of the last day of
-- verdicts, and that of the day a week before, both by the model that gave the latest.
--
-- @moment timestamp = now: the moment
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
with
  scored as (
    select device_id, site_id, model, model_sha256, window_start, window_seconds, label, score
    from tinybeam.inferences_between(timestamp_sub(@moment, interval 10 day), timestamp_add(@moment, interval 1 microsecond))
    where model != 'soil' and (@all_sites or site_id in unnest(@sites))
  ),
  with_the_latest as (
    select
      *,
      max(window_start) over (partition by device_id) as latest_start,
      model_sha256 = first_value(model_sha256) over (partition by device_id order by window_start desc, model_sha256) as by_the_latest
    from scored
  )
select
  device_id,
  max_by(site_id, window_start) as site_id,
  max_by(model, window_start) as model,
  max_by(model_sha256, window_start) as model_sha256,
  max_by(label, window_start) as label,
  max_by(score, window_start) as score,
  max(timestamp_add(window_start, interval window_seconds second)) as judged_time,
  avg(if(by_the_latest and window_start > timestamp_sub(latest_start, interval 1 day), score, null)) as last_day,
  avg(
    if(
      by_the_latest
      and window_start > timestamp_sub(latest_start, interval 8 day)
      and window_start <= timestamp_sub(latest_start, interval 7 day),
      score,
      null
    )
  ) as week_before
from with_the_latest
group by device_id
order by device_id;
