-- What did each model say of each window while it ran in the shadow of another?
--
-- What the view shadow_inferences shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by window_start. Both reach
-- the table before anything is compared, so only those days are read.
create or replace table function tinybeam.shadow_inferences_between(from_time timestamp, to_time timestamp)
options (description = "What each model said of each window in the shadow of the one in force: nobody's verdicts, to be compared")
as
select *
from tinybeam.inferences_v1
where window_start >= from_time and window_start < to_time and coalesce(shadow, false)
qualify row_number() over (
  partition by window_start, window_seconds, device_id, model, model_sha256
  order by gateway_id, batch_id, `row`, received_time
) = 1;
