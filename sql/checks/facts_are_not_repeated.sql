-- Does a fact view show a row twice? Each row returned is a (batch_id, row) that does.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
with
  identities as (
    select 'inferences' as view_name, batch_id, `row` from tinybeam.inferences_between(@from_time, timestamp '9000-01-01')
    union all
    select 'events' as view_name, batch_id, `row` from tinybeam.events_between(@from_time, timestamp '9000-01-01')
    union all
    select 'samples' as view_name, batch_id, `row` from tinybeam.samples_between(@from_time, timestamp '9000-01-01')
    union all
    select 'heartbeats' as view_name, batch_id, `row` from tinybeam.heartbeats_between(@from_time, timestamp '9000-01-01')
  )
select view_name, batch_id, `row`, count(*) as times
from identities
group by view_name, batch_id, `row`
having count(*) > 1;
