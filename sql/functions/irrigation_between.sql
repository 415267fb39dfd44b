-- What was the water balance of each field, day by day?
--
-- What the view irrigation shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by day. Both reach the
-- table before anything is compared, so only those days are read.
create or replace table function tinybeam.irrigation_between(from_time timestamp, to_time timestamp)
options (description = "Water balance of each field and day after FAO-56: depletion, net irrigation need, days until stress, and why there is none; one row a day")
as
select *
from (
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
      where day >= from_time and day < to_time
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
      where day >= from_time and day < to_time
    )
  select * except (version)
  from results_of_every_version
  where true
  qualify
    row_number() over (
      partition by day, site_id
      order by version desc, moisture_time desc, readings desc, as_of desc, revision desc
    ) = 1
);
