-- When was each device heard last, and by which gateways?
--
-- A row for each device_id and gateway_id. BigQuery keeps it up to date by itself: asking costs a row for each device, not a scan. Repeats and late
-- readings change nothing but what they should. A row that makes no sense is left out, and no reading is later than its arrival: a clock that was ahead for
-- once would hide for ever that its sensor fell silent.
create or replace materialized view tinybeam.last_heard
options (description = "When each device was heard last, by gateway; kept up to date by BigQuery")
as
select
  device_id,
  gateway_id,
  max(least(last_time, received_time)) as last_time,
  max(received_time) as received_time
from tinybeam.summaries_v1
where count > 0 and window_seconds > 0
group by device_id, gateway_id;
