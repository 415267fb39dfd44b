-- Which windows did gateways keep because they are worth learning from?
--
-- One row per device_id, window_start, window_seconds and model_sha256, however often the batch arrived, and however many gateways heard the device.
-- The last 90 days by window_start, from midnight UTC, and what is dated ahead; for other days samples_between(from_time, to_time). A filter on window_start
-- reaches the table and reads only those days.
create or replace view tinybeam.samples
options (description = "Windows that are worth learning from: what the model was given, what it said, and why they were kept; of the last 90 days, for others samples_between")
as
select *
from tinybeam.samples_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp '9000-01-01');
