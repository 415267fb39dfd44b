-- Is there a water balance that cannot be true? Each row returned has a depletion beyond what the root zone holds, a need that is neither
-- nothing nor the depletion, cubic metres without millimetres, days until stress that contradict it, or no balance and no reason for that.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
select site_id, day, available_mm, readily_available_mm, depletion_mm, need_mm, need_m3, balance_days, no_advice
from tinybeam.irrigation_between(@from_time, timestamp '9000-01-01')
where
  (depletion_mm is null) != (no_advice is not null)
  or (depletion_mm is null) != (need_mm is null)
  or (depletion_mm is null and coalesce(moisture, need_m3, balance_days) is not null)
  or not (
    available_mm > 0
    and readily_available_mm between 0 and available_mm
    and coalesce(moisture between 0 and 1, true)
    and coalesce(depletion_mm between 0 and available_mm * (1 + 1e-9), true)
    and coalesce(need_mm = 0 or need_mm = depletion_mm, true)
    and coalesce(need_mm > 0 or depletion_mm <= readily_available_mm, true)
    and coalesce(coalesce(need_m3 > 0, need_mm > 0) = (need_mm > 0), true)
    and coalesce(temperature_min <= temperature_max, true)
    and coalesce(reference_mm >= 0, true)
    and coalesce(rain_unseen_mm >= 0, true)
    and coalesce(balance_days between 0 and 14 and (balance_days = 0) = (depletion_mm >= readily_available_mm), true)
  );
