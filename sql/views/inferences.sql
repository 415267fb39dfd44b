-- What did each model say about each window of each device?
--
-- One row per device_id, window_start, window_seconds and model_sha256, however often the batch arrived, and however many gateways heard the
-- device: then that of the gateway whose id comes first.
-- Filter on window_start: it is in the `partition by`, so the filter reaches the table and reads only those days.
create or replace view tinybeam.inferences
options (description = "What each model said about each window of each device: one row, however many gateways heard the device")
as
select *
from tinybeam.inferences_v1
where true
qualify row_number() over (
  partition by window_start, window_seconds, device_id, model, model_sha256
  order by gateway_id, batch_id, `row`, received_time
) = 1;
