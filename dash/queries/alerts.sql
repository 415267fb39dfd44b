-- Which alerts opened in a time, how do they stand, and what did people say of them?
--
-- One row for each alert, those that are open first, then the newest, so many at most. Of several of one rule and subject the latest alone may be open, as in the
-- view alerts_open.
--
-- @site_id string = : the site, or nothing for all
-- @open_alone bool = false: only those that are open
-- @most int64 = 500: so many at most
-- @from_time timestamp = now - 7 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
with
  wanted as (
    select
      * except (open),
      open and row_number() over (partition by rule, subject order by event_time desc, opened_time desc) = 1 as open
    from tinybeam.alerts_between(@from_time, @to_time)
    where (@all_sites or site_id in unnest(@sites)) and (@site_id = '' or site_id = @site_id)
  ),
  said_once as (
    select *
    from tinybeam.labels_v1
    where event_time >= @from_time and alert_id is not null
    qualify row_number() over (partition by label_id order by labelled_time, labelled_by) = 1
  ),
  said_of_each_alert as (
    select
      alert_id,
      array_agg(struct(answer as answer, labelled_time as time, labelled_by as labelled_by, note as note) order by labelled_time) as said
    from said_once
    group by alert_id
  )
select
  wanted.alert_id,
  wanted.rule,
  wanted.source,
  wanted.subject,
  wanted.site_id,
  wanted.site_name,
  wanted.device_id,
  wanted.device_name,
  wanted.severity,
  wanted.open,
  wanted.opened_time,
  wanted.resolved_time,
  wanted.value,
  wanted.threshold,
  wanted.unit,
  wanted.message,
  wanted.to_do,
  wanted.told,
  wanted.time_zone,
  said_of_each_alert.said
from wanted
left join said_of_each_alert on wanted.alert_id = said_of_each_alert.alert_id
where wanted.open or not @open_alone
qualify row_number() over (order by wanted.open desc, wanted.opened_time desc, wanted.alert_id) <= @most
order by wanted.open desc, wanted.opened_time desc, wanted.alert_id;
