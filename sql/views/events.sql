-- What happened that was worth telling at once: which threshold was crossed, which label changed?
--
-- One row per device_id, event_time, cause, rule, channel and state, however often the batch arrived, and however many gateways told of it: then
-- that of the gateway whose id comes first. Where the sensor sends no time, each gateway took its own, and both events are shown.
-- Filter on event_time: it is in the `partition by`, so the filter reaches the table and reads only those days.
create or replace view tinybeam.events
options (description = "Thresholds crossed and labels changed: one row for each, however many gateways told of it")
as
select *
from tinybeam.events_v1
where true
qualify row_number() over (
  partition by event_time, device_id, cause, rule, channel, state
  order by gateway_id, batch_id, `row`, received_time
) = 1;
