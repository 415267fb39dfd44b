-- Does the registry place a device twice, or describe a site twice, at one time? Each row returned is a row that begins too early.
with
  spans as (
    select 'device' as what, device_id as name, valid_from, valid_to from tinybeam.devices_v1
    union all
    select 'site' as what, site_id as name, valid_from, valid_to from tinybeam.sites_v1
  ),
  with_the_span_before as (
    select
      *,
      lag(valid_to) over (partition by what, name order by valid_from) as end_before,
      row_number() over (partition by what, name order by valid_from) as place
    from spans
  )
select what, name, valid_from, end_before
from with_the_span_before
where place > 1 and (end_before is null or end_before > valid_from);
