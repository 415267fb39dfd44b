-- Which alerts were there, and how does each of them stand?
--
-- One row per alert_id: its latest revision. `told` says whether people were notified of any of its revisions. What a run raised from a part of
-- the facts, and all of them do not support, was retracted by `tinybeam sql recompute` and is none; the table and the query retracted_alerts have it.
-- Filter on opened_time: it is in the `partition by`, so the filter reaches the table and reads only those days.
create or replace view tinybeam.alerts
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
where true
qualify row_number() over (partition by opened_time, alert_id order by revision desc, as_of desc) = 1 and state != 'retracted';
