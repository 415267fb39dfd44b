-- What did each model say about each window of each device?
--
-- One row per batch_id and row, however often the batch arrived.
-- Filter on window_start: it is in the `partition by`, so the filter reaches the table and reads only those days.
create or replace view tinybeam.inferences
options (description = "What each model said about each window of each device: one row per batch_id and row")
as
select *
from tinybeam.inferences_v1
where true
qualify row_number() over (partition by window_start, batch_id, `row` order by received_time) = 1;
