-- How was each gateway, heartbeat by heartbeat, and what did its ledger say?
--
-- One row per batch_id and row, however often the batch arrived.
-- The last 90 days by heartbeat_time, from midnight UTC, and what is dated ahead; for other days heartbeats_between(from_time, to_time). A filter on heartbeat_time
-- reaches the table and reads only those days.
create or replace view tinybeam.heartbeats
options (description = "The state of each gateway heartbeat by heartbeat, with its ledger: one row per batch_id and row; of the last 90 days, for others heartbeats_between")
as
select *
from tinybeam.heartbeats_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp '9000-01-01');
