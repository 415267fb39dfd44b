-- What happened that was worth telling at once: which threshold was crossed, which label changed?
--
-- One row per batch_id and row, however often the batch arrived.
-- Filter on event_time: it is in the `partition by`, so the filter reaches the table and reads only those days.
create or replace view tinybeam.events
options (description = "Thresholds crossed and labels changed: one row per batch_id and row")
as
select *
from tinybeam.events_v1
where true
qualify row_number() over (partition by event_time, batch_id, `row` order by received_time) = 1;
