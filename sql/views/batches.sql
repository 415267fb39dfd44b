-- Which batches arrived, when, and how large were they?
--
-- One row per batch_id, as it first arrived; copies says how many rows the table holds of it (a write may be repeated, a batch is not).
-- Filter on cut_time: it is in the `partition by`, so the filter reaches the table and reads only those days.
create or replace view tinybeam.batches
options (description = "The batches that arrived: one row per batch_id")
as
select
  *,
  count(*) over (partition by cut_time, batch_id) as copies
from tinybeam.batches_v1
where true
qualify row_number() over (partition by cut_time, batch_id order by received_time) = 1;
