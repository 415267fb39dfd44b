-- Which alerts were raised that all facts together do not support, and were people notified of them?
--
-- One row per alert that `tinybeam sql recompute` retracted: a run raised it from a part of the facts, or as of another time than they say.
-- An alert in its place, if the facts support one, is in the view alerts.
--
-- @from_time timestamp = now - 7 days: alerts that opened from then, inclusive
-- @to_time timestamp = now: until then, exclusive
with
  latest_rows as (
    select *, logical_or(coalesce(notified, not historical)) over (partition by opened_time, alert_id) as told
    from tinybeam.alerts_v1
    where opened_time >= @from_time and opened_time < @to_time
    qualify row_number() over (partition by opened_time, alert_id order by revision desc, as_of desc) = 1
  ),
  site_names as (
    select site_id, name
    from tinybeam.sites_v1
    where true
    qualify row_number() over (partition by site_id order by valid_from desc) = 1
  )
select
  latest_rows.opened_time,
  latest_rows.rule,
  latest_rows.severity,
  coalesce(site_names.name, latest_rows.site_id) as site,
  latest_rows.subject,
  latest_rows.told,
  latest_rows.message,
  latest_rows.as_of as retracted_time
from latest_rows
left join site_names on latest_rows.site_id = site_names.site_id
where latest_rows.state = 'retracted'
order by opened_time, rule, subject;
