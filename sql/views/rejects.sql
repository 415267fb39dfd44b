-- What was not understood, why, and what of it came in by a replay since?
--
-- One row per reject_id, as it was first set aside. Leave payloadBytes and payloadString out of the select where they are not needed: what
-- remains is narrow.
-- The last 90 days by timestamp, from midnight UTC, and what is dated ahead; for other days rejects_between(from_time, to_time). A filter on timestamp
-- reaches the table and reads only those days.
create or replace view tinybeam.rejects
options (description = "What was not understood, with its original bytes, and whether it was replayed: one row per reject_id; of the last 90 days, for others rejects_between")
as
select *
from tinybeam.rejects_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp '9000-01-01');
