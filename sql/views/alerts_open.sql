-- What is wrong now, where, and since when?
--
-- One row per rule and subject that has an open alert. Of several alerts of the same rule and subject the one counts whose row is of the latest
-- event, then the one that opened last: a pipeline may follow one that began elsewhere than the facts say. An alert that opened more than 366 days
-- ago is not there: a rule that has been broken for a year tells nobody anything.
create or replace view tinybeam.alerts_open
options (description = "Alerts that are open: at most one per rule and subject, with the name of the site and the age; of the last 366 days")
as
with
  latest_alert_of_each_rule_and_subject as (
    select *
    from tinybeam.alerts_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 366 day), timestamp '9000-01-01')
    where true
    qualify row_number() over (partition by rule, subject order by event_time desc, opened_time desc) = 1
  ),
  latest_name_of_each_site as (
    select site_id, name
    from tinybeam.sites_v1
    where true
    qualify row_number() over (partition by site_id order by valid_from desc) = 1
  )
select
  latest_alert_of_each_rule_and_subject.severity,
  latest_alert_of_each_rule_and_subject.rule,
  latest_alert_of_each_rule_and_subject.subject,
  coalesce(latest_name_of_each_site.name, latest_alert_of_each_rule_and_subject.site_id) as site,
  latest_alert_of_each_rule_and_subject.message,
  latest_alert_of_each_rule_and_subject.value,
  latest_alert_of_each_rule_and_subject.threshold,
  latest_alert_of_each_rule_and_subject.opened_time,
  timestamp_diff(current_timestamp(), latest_alert_of_each_rule_and_subject.opened_time, second) as age_seconds,
  latest_alert_of_each_rule_and_subject.event_time,
  latest_alert_of_each_rule_and_subject.told,
  latest_alert_of_each_rule_and_subject.site_id,
  latest_alert_of_each_rule_and_subject.device_id,
  latest_alert_of_each_rule_and_subject.alert_id,
  latest_alert_of_each_rule_and_subject.revision,
  latest_alert_of_each_rule_and_subject.unit,
  coalesce(latest_alert_of_each_rule_and_subject.device_name, latest_alert_of_each_rule_and_subject.device_id) as device,
  latest_alert_of_each_rule_and_subject.time_zone,
  latest_alert_of_each_rule_and_subject.to_do,
  latest_alert_of_each_rule_and_subject.link,
  latest_alert_of_each_rule_and_subject.source
from latest_alert_of_each_rule_and_subject
left join latest_name_of_each_site on latest_alert_of_each_rule_and_subject.site_id = latest_name_of_each_site.site_id
where latest_alert_of_each_rule_and_subject.open;
