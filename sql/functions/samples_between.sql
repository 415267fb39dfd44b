-- Which windows did gateways keep because they are worth learning from?
--
-- What the view samples shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by window_start. Both reach the
-- table before anything is compared, so only those days are read.
create or replace table function tinybeam.samples_between(from_time timestamp, to_time timestamp)
options (description = "Windows that are worth learning from: what the model was given, what it said, and why they were kept; one row however many gateways heard the device")
as
select *
from tinybeam.samples_v1
where window_start >= from_time and window_start < to_time
qualify row_number() over (
  partition by window_start, window_seconds, device_id, model_sha256
  order by gateway_id, batch_id, `row`, received_time
) = 1;
