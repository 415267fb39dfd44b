-- How was each gateway, minute by minute, and what did its ledger say?
--
-- One row per batch_id and row, however often the batch arrived.
-- Filter on heartbeat_time: it is in the `partition by`, so the filter reaches the table and reads only those days.
create or replace view tinybeam.heartbeats
options (description = "The state of each gateway minute by minute, with its ledger: one row per batch_id and row")
as
select *
from tinybeam.heartbeats_v1
where true
qualify row_number() over (partition by heartbeat_time, batch_id, `row` order by received_time) = 1;
