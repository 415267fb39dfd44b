-- Which batches arrived, when, and how large were they?
--
-- What the view batches shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by cut_time. Both reach the
-- table before anything is compared, so only those days are read.
create or replace table function tinybeam.batches_between(from_time timestamp, to_time timestamp)
options (description = "The batches that arrived: one row per batch_id")
as
select
  *,
  count(*) over (partition by cut_time, batch_id) as copies
from tinybeam.batches_v1
where cut_time >= from_time and cut_time < to_time
qualify row_number() over (partition by cut_time, batch_id order by received_time) = 1;
