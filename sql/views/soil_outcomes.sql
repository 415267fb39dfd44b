-- What came of each verdict on a soil: was stress foreseen when it came?
--
-- One row per verdict of the model soil on a device whose site has a soil. Stress begins with the first hour whose mean moisture lies below stress_moisture of
-- the site's soil (view soils). A device was watered when its moisture rises by more than a quarter of the soil's available water above the least of the 24 hours
-- before, while no gauge of its site heard 2 mm of rain, or when people said so (irrigated_mm). What comes after water, or after a day without a word, is not
-- known: such a verdict is censored, unless what is known contradicts it. Without a rain gauge a rain that wets the soil so much censors too.
-- The last 90 days by window_start; for other days soil_outcomes_between(from_time, to_time).
create or replace view tinybeam.soil_outcomes
options (description = "Each verdict on a soil against what came within 14 days: right, early, late, missed, censored or open; of the last 90 days, for others soil_outcomes_between")
as
select *
from tinybeam.soil_outcomes_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp_add(timestamp_trunc(current_timestamp(), day), interval 2 day));
