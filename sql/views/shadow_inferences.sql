-- What did each model say of each window while it ran in the shadow of another, over the last 90 days? (For other days: shadow_inferences_between.)
--
-- One row per device_id, window_start, window_seconds and model_sha256, as in the view inferences, which leaves these rows out: they raise no event and no
-- alert, and no advice rests on them.
create or replace view tinybeam.shadow_inferences
options (description = "What each model said of each window in the shadow of the one in force, of the last 90 days; for others shadow_inferences_between")
as
select *
from tinybeam.shadow_inferences_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp '9000-01-01');
