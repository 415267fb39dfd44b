-- Is there a water balance that cannot be true? Each row returned has a depletion beyond what the root zone holds, a need that is neither
-- nothing nor the depletion, cubic metres without millimetres, or days until stress that contradict it.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
select site_id, day, available_mm, readily_available_mm, depletion_mm, need_mm, need_m3, days_until_stress
from tinybeam.irrigation
where
  day >= @from_time
  and not (
    available_mm > 0
    and readily_available_mm between 0 and available_mm
    and depletion_mm between 0 and available_mm * (1 + 1e-9)
    and (need_mm = 0 or need_mm = depletion_mm)
    and (need_mm > 0 or depletion_mm <= readily_available_mm)
    and coalesce(need_m3 > 0, need_mm > 0) = (need_mm > 0)
    and coalesce(temperature_min <= temperature_max, true)
    and coalesce(reference_mm >= 0, true)
    and coalesce(days_until_stress between 0 and 14 and (days_until_stress = 0) = (depletion_mm >= readily_available_mm), true)
  );
