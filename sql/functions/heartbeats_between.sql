-- How was each gateway, heartbeat by heartbeat, and what did its ledger say?
--
-- What the view heartbeats shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by heartbeat_time. Both reach the
-- table before anything is compared, so only those days are read.
create or replace table function tinybeam.heartbeats_between(from_time timestamp, to_time timestamp)
options (description = "The state of each gateway heartbeat by heartbeat, with its ledger: one row per batch_id and row")
as
select *
from tinybeam.heartbeats_v1
where heartbeat_time >= from_time and heartbeat_time < to_time
qualify row_number() over (partition by heartbeat_time, batch_id, `row` order by received_time) = 1;
