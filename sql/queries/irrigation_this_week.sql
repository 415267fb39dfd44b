-- How much water does each field need this week?
--
-- One row per field, the most urgent first: the advice of the view advice, and what the root zone would lack in a week (missing_in_a_week_mm).
-- Water is net, and no rain is foreseen: look at the forecast, and divide by your irrigation's efficiency. Without advice, why says what is wrong.
--
-- @as_of timestamp = now: the moment to look from
with
  in_a_week as (
    select site_id, day, least(depletion_mm + 7 * crop_coefficient * reference_mm, available_mm) as missing_mm
    from tinybeam.irrigation_at(@as_of)
  )
select
  advice.field,
  advice.site_id,
  in_a_week.day,
  advice.advice,
  advice.action,
  round(advice.need_mm, 1) as need_mm,
  round(advice.need_m3, 1) as need_m3,
  round(advice.balance_days, 1) as balance_days,
  round(advice.model_days, 1) as model_days,
  advice.rests_on,
  round(advice.depletion_mm, 1) as missing_mm,
  round(in_a_week.missing_mm, 1) as missing_in_a_week_mm,
  advice.why,
  advice.assumed
from tinybeam.advice_at(@as_of) as advice
left join in_a_week on advice.site_id = in_a_week.site_id
order by advice.action = 'unknown', advice.action = 'water' desc, coalesce(if(advice.rests_on = 'model', advice.model_days, advice.balance_days), 99), advice.field;
