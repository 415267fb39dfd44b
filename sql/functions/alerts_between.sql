-- Which alerts were there, and how does each of them stand?
--
-- What the view alerts shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by opened_time. Both reach the
-- table before anything is compared, so only those days are read.
create or replace table function tinybeam.alerts_between(from_time timestamp, to_time timestamp)
options (description = "Alerts as they stand: the latest revision of each alert_id")
as
select
  alert_id,
  rule,
  source,
  subject,
  site_id,
  device_id,
  severity,
  state,
  state != 'resolved' as open,
  opened_time,
  event_time,
  if(state = 'resolved', event_time, null) as resolved_time,
  value,
  threshold,
  message,
  logical_or(coalesce(notified, not historical)) over (partition by opened_time, alert_id) as told,
  revision,
  as_of,
  unit,
  site_name,
  device_name,
  time_zone,
  to_do,
  link
from tinybeam.alerts_v1
where opened_time >= from_time and opened_time < to_time
qualify row_number() over (partition by opened_time, alert_id order by revision desc, as_of desc) = 1 and state != 'retracted';
