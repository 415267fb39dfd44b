-- How much water does each field need this week?
--
-- One row per field, the most urgent first. Water is net, and no rain is foreseen: look at the forecast, and divide by your irrigation's
-- efficiency. missing_in_a_week_mm is what the root zone would lack by then. A field that was not heard for `days` days is not listed.
--
-- @as_of timestamp = now: the moment to look from
-- @days int64 = 3: how many days old the latest result of a field may be
with
  latest_day_of_each_field as (
    select *
    from tinybeam.irrigation
    where day > timestamp_sub(@as_of, interval @days day) and day <= @as_of
    qualify row_number() over (partition by site_id order by day desc) = 1
  ),
  site_names as (
    select site_id, name
    from tinybeam.sites_v1
    where valid_from <= @as_of and (valid_to is null or valid_to > @as_of)
  ),
  with_names as (
    select coalesce(site_names.name, balance.site_id) as field, balance.*
    from latest_day_of_each_field as balance
    left join site_names on balance.site_id = site_names.site_id
  )
select
  field,
  day,
  case
    when need_m3 is not null and need_mm > 0 then format('%s: %.0f mm today, %.*f m3', field, need_mm, if(need_m3 < 10, 1, 0), need_m3)
    when need_mm > 0 then format('%s: %.0f mm today', field, need_mm)
    when days_until_stress < 2 then format('%s: nothing today, stress in 1 day without rain', field)
    when days_until_stress < 7 then format('%s: nothing today, stress in %.0f days without rain', field, floor(days_until_stress))
    when days_until_stress >= 7 then format('%s: nothing this week', field)
    else format('%s: nothing today, and no forecast', field)
  end as advice,
  round(need_mm, 1) as need_mm,
  round(need_m3, 1) as need_m3,
  round(days_until_stress, 1) as days_until_stress,
  round(depletion_mm, 1) as missing_mm,
  round(least(depletion_mm + 7 * crop_coefficient * reference_mm, available_mm), 1) as missing_in_a_week_mm,
  assumed
from with_names
order by need_mm > 0 desc, days_until_stress, field;
