-- What was the water balance of each field, day by day?
--
-- One row per site_id and day: the result that knows the latest hour, then the one that rests on most readings, then the one computed last.
-- So a run that saw only a part of a day's readings does not hide one that saw more. A day that is not over shows its latest hour.
-- need_mm is net: divide it by the efficiency of the irrigation. no_advice says why there is none, assumed what was not known.
-- docs/models/irrigation.md explains all of it. Days that only pipelines up to 0.2 wrote (irrigation_v1) are here with what they know.
-- Filter on day: it is in the `partition by`, so the filter reaches the tables and reads only those days.
create or replace view tinybeam.irrigation
options (description = "Water balance of each field and day after FAO-56: depletion, net irrigation need, days until stress, and why there is none; one row a day")
as
with
  results_of_every_version as (
    select
      site_id,
      day,
      crop,
      soil,
      moisture,
      moisture_time,
      probes,
      temperature_min,
      temperature_max,
      reference_mm,
      rain_mm,
      rain_unseen_mm,
      crop_coefficient,
      root_depth,
      available_mm,
      readily_available_mm,
      depletion_mm,
      need_mm,
      need_m3,
      balance_days,
      no_advice,
      assumed,
      readings,
      revision,
      as_of,
      2 as version
    from tinybeam.irrigation_v2
    union all
    select
      site_id,
      day,
      crop,
      soil,
      moisture,
      moisture_time,
      cast(null as array<struct<device_id string, channel string, value float64, unit string, time timestamp, fault string>>) as probes,
      temperature_min,
      temperature_max,
      reference_mm,
      cast(null as float64) as rain_mm,
      cast(null as float64) as rain_unseen_mm,
      crop_coefficient,
      root_depth,
      available_mm,
      readily_available_mm,
      depletion_mm,
      need_mm,
      need_m3,
      days_until_stress as balance_days,
      cast(null as string) as no_advice,
      assumed,
      0 as readings,
      revision,
      as_of,
      1 as version
    from tinybeam.irrigation_v1
  )
select
  site_id,
  day,
  crop,
  soil,
  moisture,
  moisture_time,
  probes,
  temperature_min,
  temperature_max,
  reference_mm,
  rain_mm,
  rain_unseen_mm,
  crop_coefficient,
  root_depth,
  available_mm,
  readily_available_mm,
  depletion_mm,
  need_mm,
  need_m3,
  balance_days,
  no_advice,
  assumed,
  readings,
  revision,
  as_of
from results_of_every_version
where true
qualify
  row_number() over (
    partition by day, site_id
    order by version desc, moisture_time desc, readings desc, as_of desc, revision desc
  ) = 1;
