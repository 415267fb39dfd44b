-- What happened that was worth telling at once: which threshold was crossed, which label changed?
--
-- One row per device_id, event_time, cause, rule, channel and state, however often the batch arrived, and however many gateways told of it: then
-- that of the gateway whose id comes first. Where the sensor sends no time, each gateway took its own, and both events are shown.
-- The last 90 days by event_time, from midnight UTC, and what is dated ahead; for other days events_between(from_time, to_time). A filter on event_time
-- reaches the table and reads only those days.
create or replace view tinybeam.events
options (description = "Thresholds crossed and labels changed: one row for each, however many gateways told of it; of the last 90 days, for others events_between")
as
select *
from tinybeam.events_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp '9000-01-01');
