-- What did each channel of each device read last?
--
-- A row for each device_id, channel and unit: the reading with the latest event time, whichever gateway heard it; of several of one time that of the
-- gateway and batch whose names come last. BigQuery keeps it up to date by itself: asking costs a row for each channel, not a scan. Repeats and
-- late readings change nothing but what they should. A row that makes no sense is left out; a reading that is dated ahead stays until its time has come.
create or replace materialized view tinybeam.latest_values
options (description = "The latest reading of each channel of each device; kept up to date by BigQuery")
as
select
  device_id,
  channel,
  unit,
  max(last_time) as time,
  max_by(last, concat(lpad(cast(unix_micros(last_time) as string), 20, '0'), gateway_id, batch_id)) as value,
  max_by(gateway_id, concat(lpad(cast(unix_micros(last_time) as string), 20, '0'), gateway_id, batch_id)) as gateway_id,
  max_by(time_quality, concat(lpad(cast(unix_micros(last_time) as string), 20, '0'), gateway_id, batch_id)) as time_quality
from tinybeam.summaries_v1
where count > 0 and window_seconds > 0 and abs(last) < 1e100
group by device_id, channel, unit;
