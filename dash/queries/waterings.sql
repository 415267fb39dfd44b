-- What water do people say they gave to a field?
--
-- One row for each answer, once.
--
-- @site_id string = : the field
-- @from_time timestamp = now - 30 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
with
  -- Of the table: the view labels looks up which model judged the field, too, and that takes four times as long.
  said_once as (
    select label_id, site_id, alert_id, event_time, amount, labelled_by
    from tinybeam.labels_v1
    where event_time >= @from_time and event_time < @to_time and answer = 'irrigated_mm' and amount is not null
    qualify row_number() over (partition by label_id order by labelled_time, labelled_by) = 1
  ),
  placed as (
    select coalesce(said_once.site_id, alert.site_id) as site_id, said_once.event_time, said_once.amount, said_once.labelled_by
    from said_once
    left join tinybeam.alerts_between(timestamp_sub(@from_time, interval 400 day), @to_time) as alert on said_once.alert_id = alert.alert_id
  )
select site_id, event_time as time, amount as amount_mm, labelled_by
from placed
where site_id = @site_id and (@all_sites or site_id in unnest(@sites))
order by event_time;
