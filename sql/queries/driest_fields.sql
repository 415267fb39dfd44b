-- Which fields are driest now, and how many days are left until the crop is under stress?
--
-- One row per field, the most urgent first, by the figure that its advice rests on (view advice). balance_days is the water balance's, model_days
-- the soil model's on the field's most urgent device. A field without advice is at the end, with the reason.
--
-- @as_of timestamp = now: the moment to look from
select
  field,
  crop,
  advice,
  rests_on,
  round(balance_days, 1) as balance_days,
  round(model_days, 1) as model_days,
  round(model_uncertainty, 1) as model_uncertainty,
  round(depletion_mm, 1) as missing_mm,
  model_device,
  heard_time,
  if(rests_on = 'nothing', why, assumed) as remark
from tinybeam.advice_at(@as_of)
order by rests_on = 'nothing', coalesce(need_mm, 0) > 0 desc, coalesce(if(rests_on = 'model', model_days, balance_days), 99), field;
