-- What did people say, and of which field and device?
--
-- One row per label_id of labels_v1, from from_time (inclusive) to to_time (exclusive) by event_time, which reach the table first. Who names an alert alone speaks of
-- the alert's field and device; alerts of 400 days before are known. labels_between adds which model had judged, and reads verdicts for it.
create or replace table function tinybeam.placed_labels_between(from_time timestamp, to_time timestamp)
options (description = "What people said: one row per label_id, with the alert's rule, the field and the device")
as
select
  said_once.* except (site_id, device_id),
  coalesce(said_once.site_id, alert.site_id) as site_id,
  coalesce(said_once.device_id, alert.device_id) as device_id,
  alert.rule,
  alert.source
from (
  select *
  from tinybeam.labels_v1
  where event_time >= from_time and event_time < to_time
  qualify row_number() over (partition by label_id order by labelled_time, labelled_by) = 1
) as said_once
left join tinybeam.alerts_between(timestamp_sub(from_time, interval 400 day), to_time) as alert on said_once.alert_id = alert.alert_id;
