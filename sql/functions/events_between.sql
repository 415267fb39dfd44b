-- What happened that was worth telling at once: which threshold was crossed, which label changed?
--
-- What the view events shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by event_time. Both reach the
-- table before anything is compared, so only those days are read.
create or replace table function tinybeam.events_between(from_time timestamp, to_time timestamp)
options (description = "Thresholds crossed and labels changed: one row for each, however many gateways told of it")
as
select *
from tinybeam.events_v1
where event_time >= from_time and event_time < to_time
qualify row_number() over (
  partition by event_time, device_id, cause, rule, channel, state
  order by gateway_id, batch_id, `row`, received_time
) = 1;
