-- What did each model say about each window of each device?
--
-- What the view inferences shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by window_start. Both reach the
-- table before anything is compared, so only those days are read. What a model says that runs in the shadow of another is nobody's verdict, and left out
-- (shadow_inferences_between has it).
create or replace table function tinybeam.inferences_between(from_time timestamp, to_time timestamp)
options (description = "What each model said about each window of each device: one row, however many gateways heard the device")
as
select *
from tinybeam.inferences_v1
where window_start >= from_time and window_start < to_time and not coalesce(shadow, false)
qualify row_number() over (
  partition by window_start, window_seconds, device_id, model, model_sha256
  order by gateway_id, batch_id, `row`, received_time
) = 1;
