-- Which batches arrived, when, and how large were they?
--
-- One row per batch_id, as it first arrived; copies says how many rows the table holds of it (a write may be repeated, a batch is not).
-- The last 90 days by cut_time, from midnight UTC, and what is dated ahead; for other days batches_between(from_time, to_time). A filter on cut_time
-- reaches the table and reads only those days.
create or replace view tinybeam.batches
options (description = "The batches that arrived: one row per batch_id; of the last 90 days, for others batches_between")
as
select *
from tinybeam.batches_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp '9000-01-01');
