-- What did each model say about each window of each device?
--
-- One row per device_id, window_start, window_seconds and model_sha256, however often the batch arrived, and however many gateways heard the
-- device: then that of the gateway whose id comes first.
-- What a model says that runs in the shadow of another is left out: shadow_inferences has it.
-- The last 90 days by window_start, from midnight UTC, and what is dated ahead; for other days inferences_between(from_time, to_time). A filter on window_start
-- reaches the table and reads only those days.
create or replace view tinybeam.inferences
options (description = "What each model said about each window of each device: one row, however many gateways heard the device; of the last 90 days, for others inferences_between")
as
select *
from tinybeam.inferences_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp '9000-01-01');
