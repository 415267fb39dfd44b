-- Which rules raise alerts, how often, at which sites, and how long are the alerts open?
--
-- One row per rule and site. An alert that is still open counts as open until @to_time.
--
-- @from_time timestamp = now - 7 days: alerts that opened from then, inclusive
-- @to_time timestamp = now: until then, exclusive
with
  alerts_of_the_time as (
    select
      *,
      timestamp_diff(coalesce(least(resolved_time, @to_time), @to_time), opened_time, second) as open_seconds
    from tinybeam.alerts_between(@from_time, @to_time)
  ),
  site_names as (
    select site_id, name
    from tinybeam.sites_v1
    where true
    qualify row_number() over (partition by site_id order by valid_from desc) = 1
  )
select
  alerts_of_the_time.rule,
  alerts_of_the_time.source,
  any_value(alerts_of_the_time.severity) as severity,
  coalesce(any_value(site_names.name), alerts_of_the_time.site_id) as site,
  count(*) as alerts,
  countif(alerts_of_the_time.open) as still_open,
  countif(alerts_of_the_time.told) as told,
  count(distinct alerts_of_the_time.subject) as subjects,
  round(avg(alerts_of_the_time.open_seconds) / 3600, 2) as mean_hours_open,
  round(max(alerts_of_the_time.open_seconds) / 3600, 2) as longest_hours_open,
  max(alerts_of_the_time.opened_time) as last_opened
from alerts_of_the_time
left join site_names on alerts_of_the_time.site_id = site_names.site_id
group by alerts_of_the_time.rule, alerts_of_the_time.source, alerts_of_the_time.site_id
order by alerts desc, rule, site;
