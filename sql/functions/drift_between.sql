-- How far has each input of each model drifted from what the model was trained on?
--
-- What the view drift shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by window_start. Both reach the table
-- before anything is compared, so only those days are read.
create or replace table function tinybeam.drift_between(from_time timestamp, to_time timestamp)
options (description = "How far each input of each model has drifted from its training examples, day by day")
as
select *
from (
  with
    references_once as (
      select model, model_sha256, input, position, quantiles
      from tinybeam.model_references_v1
      where true
      qualify row_number() over (partition by model_sha256, position order by added_time) = 1
    ),
    edges as (
      select model_sha256, position, edge, min(step) as step
      from references_once, unnest(quantiles) as edge with offset as step
      where step between 1 and array_length(quantiles) - 2 and edge > quantiles[offset(0)]
      group by model_sha256, position, edge
    ),
    bounds as (
      select model_sha256, position, array_agg(edge order by edge) as edges
      from edges
      group by model_sha256, position
    ),
    bins as (
      select
        model_sha256,
        position,
        row_number() over (partition by model_sha256, position order by step) as bin,
        coalesce(lead(step) over (partition by model_sha256, position order by step), 20) - step as steps
      from edges
      union all
      select model_sha256, position, 0 as bin, min(step) as steps
      from edges
      group by model_sha256, position
    ),
    inputs as (
      select
        verdict.model_sha256,
        timestamp_trunc(verdict.window_start, day) as day,
        verdict.device_id,
        position,
        value
      from tinybeam.inferences_between(from_time, to_time) as verdict, unnest(verdict.features) as value with offset as position
    ),
    placed as (
      select
        inputs.model_sha256,
        inputs.position,
        inputs.day,
        inputs.device_id,
        range_bucket(inputs.value, bounds.edges) as bin,
        inputs.value < references_once.quantiles[offset(0)]
          or inputs.value > references_once.quantiles[offset(array_length(references_once.quantiles) - 1)] as is_outside
      from inputs
      inner join bounds on inputs.model_sha256 = bounds.model_sha256 and inputs.position = bounds.position
      inner join references_once on inputs.model_sha256 = references_once.model_sha256 and inputs.position = references_once.position
    ),
    days as (
      select model_sha256, position, day, count(*) as inferences, count(distinct device_id) as devices, countif(is_outside) as outside
      from placed
      group by model_sha256, position, day
    ),
    counted as (
      select model_sha256, position, day, bin, count(*) as inferences
      from placed
      group by model_sha256, position, day, bin
    ),
    shares as (
      select
        days.model_sha256,
        days.position,
        days.day,
        greatest(bins.steps / 20, 0.0001) as expected,
        greatest(coalesce(counted.inferences, 0) / days.inferences, 0.0001) as seen
      from days
      inner join bins on days.model_sha256 = bins.model_sha256 and days.position = bins.position
      left join counted
        on days.model_sha256 = counted.model_sha256 and days.position = counted.position and days.day = counted.day and bins.bin = counted.bin
    ),
    distances as (
      select model_sha256, position, day, sum((seen - expected) * ln(seen / expected)) as psi
      from shares
      group by model_sha256, position, day
    )
  select
    references_once.model,
    days.model_sha256,
    references_once.input,
    days.day,
    distances.psi,
    days.outside / days.inferences as outside_share,
    days.inferences,
    days.devices
  from days
  inner join distances on days.model_sha256 = distances.model_sha256 and days.position = distances.position and days.day = distances.day
  inner join references_once on days.model_sha256 = references_once.model_sha256 and days.position = references_once.position
);
