-- What did a field need day by day, and what did water balance and soil model foresee?
--
-- One row for each day of the view irrigation. full_moisture is the moisture at field capacity, stress_moisture that at which stress begins, both m3/m3; model_days is the
-- latest verdict of the soil model on the field's most urgent device up to the balance's hour, but for devices that the balance leaves out.
--
-- @site_id string = : the field
-- @from_time timestamp = now - 30 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
with
  balances as (
    select *
    from tinybeam.irrigation_between(@from_time, @to_time)
    where site_id = @site_id and (@all_sites or site_id in unnest(@sites))
  ),
  left_out as (
    select distinct balances.day, probe.device_id
    from balances, unnest(balances.probes) as probe
    where probe.fault is not null and probe.channel in ('moisture', 'temperature')
  ),
  -- Of the table: whether a row came twice does not matter to the latest of a day.
  verdicts_of_field as (
    select device_id, window_start, score, batch_id
    from tinybeam.inferences_v1
    where
      window_start >= @from_time
      and window_start < @to_time
      and model = 'soil'
      and site_id = @site_id
      and not coalesce(shadow, false)
  ),
  verdicts as (
    select balances.day, verdict.device_id, verdict.score
    from verdicts_of_field as verdict
    inner join balances on verdict.window_start >= balances.day and verdict.window_start < balances.moisture_time
    qualify row_number() over (partition by balances.day, verdict.device_id order by verdict.window_start desc, verdict.batch_id) = 1
  ),
  most_urgent as (
    select verdicts.day, min(verdicts.score) as model_days
    from verdicts
    left join left_out on verdicts.day = left_out.day and verdicts.device_id = left_out.device_id
    where left_out.device_id is null
    group by verdicts.day
  )
select
  balances.site_id,
  balances.day,
  balances.need_mm,
  balances.rain_mm,
  soil.field_capacity as full_moisture,
  soil.field_capacity - safe_divide(balances.readily_available_mm, 1000 * balances.root_depth) as stress_moisture,
  balances.balance_days,
  most_urgent.model_days
from balances
left join tinybeam.soils as soil on regexp_replace(lower(balances.soil), r'[\s_-]', '') = soil.soil
left join most_urgent on balances.day = most_urgent.day
order by balances.day;
