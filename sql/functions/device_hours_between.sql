-- What did each device measure, hour by hour, by whatever gateways it was heard? One row per site, channel, unit, hour and device.
--
-- Hours that begin from from_time to to_time (exclusive); both are taken to full hours. A device that several gateways hear counts once
-- (counted_summaries). The SQL twin of `HourOfDevices` in pipeline/rollup/stats.py.
create or replace table function tinybeam.device_hours_between(from_time timestamp, to_time timestamp)
options (description = "Each device's values of each hour: count, mean, min, max; a device that several gateways hear counts once")
as
select site_id, channel, unit, hour, device_id, sum(count) as count, sum(sum) / sum(count) as mean, min(min) as min, max(max) as max
from tinybeam.counted_summaries(from_time, to_time)
where counts
group by site_id, channel, unit, hour, device_id;
