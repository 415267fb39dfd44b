-- How dry was each field at a moment, and how much water did it need? The latest day of each field, if it began in the three days before.
-- (`moment`, since as_of is a column here: when the result was computed.)
create or replace table function tinybeam.irrigation_at(moment timestamp)
options (description = "Water balance of each field at a moment: its latest day within the three days before, with the field's name")
as
select *
from (
  with
    latest_day_of_each_field as (
      select *
      from tinybeam.irrigation_between(timestamp_sub(moment, interval 3 day), timestamp_add(moment, interval 1 microsecond))
      where day > timestamp_sub(moment, interval 3 day)
      qualify row_number() over (partition by site_id order by day desc) = 1
    ),
    site_names as (
      select site_id, name
      from tinybeam.sites_v1
      where valid_from <= moment and (valid_to is null or valid_to > moment)
    )
  select
    coalesce(site_names.name, latest_day_of_each_field.site_id) as name,
    latest_day_of_each_field.*
  from latest_day_of_each_field
  left join site_names on latest_day_of_each_field.site_id = site_names.site_id
);
