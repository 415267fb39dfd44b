-- What was the water balance of each field, day by day?
--
-- One row per site_id and day: the result that knows the latest hour, then the one that rests on most readings, then the one computed last.
-- So a run that saw only a part of a day's readings does not hide one that saw more. A day that is not over shows its latest hour.
-- need_mm is net: divide it by the efficiency of the irrigation. no_advice says why there is none, assumed what was not known.
-- docs/models/irrigation.md explains all of it. Days that only pipelines up to 0.2 wrote (irrigation_v1) are here with what they know.
-- The last 90 days by day, from midnight UTC, and what is dated ahead; for other days irrigation_between(from_time, to_time). A filter on day
-- reaches the table and reads only those days.
create or replace view tinybeam.irrigation
options (description = "Water balance of each field and day after FAO-56: depletion, net irrigation need, days until stress, and why there is none; one row a day; of the last 90 days, for others irrigation_between")
as
select *
from tinybeam.irrigation_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp '9000-01-01');
