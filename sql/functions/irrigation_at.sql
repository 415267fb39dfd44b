-- How dry was each field at a moment, and how much water did it need? The latest day of each field, if it began in the three days before.
--
-- Water that was given in the month before and that the moisture does not show yet (irrigation_unseen_between) is taken off depletion_mm, and need and days to
-- stress follow from that; the balance without it is that of the view irrigation.
-- (`moment`, since as_of is a column here: when the result was computed.)
create or replace table function tinybeam.irrigation_at(moment timestamp)
options (description = "Water balance of each field at a moment: its latest day within the three days before, with the field's name, and with water that was given")
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
    ),
    watered as (
      select
        latest_day_of_each_field.*,
        coalesce(water.irrigation_unseen_mm, 0) as unseen_mm,
        latest_day_of_each_field.depletion_mm - coalesce(water.irrigation_unseen_mm, 0) as left_mm,
        latest_day_of_each_field.crop_coefficient * latest_day_of_each_field.reference_mm as drunk_mm
      from latest_day_of_each_field
      left join
        tinybeam.irrigation_unseen_between(
          timestamp_sub(timestamp_trunc(moment, day), interval 30 day), timestamp_add(moment, interval 1 microsecond)
        ) as water
        on latest_day_of_each_field.site_id = water.site_id and latest_day_of_each_field.day = water.day
    ),
    foreseen as (
      select
        *,
        case
          when unseen_mm = 0 then balance_days
          when left_mm > readily_available_mm then 0
          when drunk_mm is null then null
          when balance_days > 0 then least(balance_days + safe_divide(unseen_mm, drunk_mm), 14)
          else least(coalesce(safe_divide(readily_available_mm - left_mm, drunk_mm), 14), 14)
        end as days
      from watered
    ),
    needed as (
      select
        *,
        case
          when unseen_mm = 0 then need_mm
          when left_mm > readily_available_mm or days < 1 then left_mm
          else 0
        end as needed_mm
      from foreseen
    )
  select
    coalesce(site_names.name, needed.site_id) as name,
    needed.* except (unseen_mm, left_mm, drunk_mm, days, needed_mm)
      replace (
        needed.left_mm as depletion_mm,
        needed.needed_mm as need_mm,
        if(needed.unseen_mm = 0 or needed.need_m3 is null, needed.need_m3, coalesce(safe_divide(needed.need_m3, needed.need_mm), 0) * needed.needed_mm) as need_m3,
        needed.days as balance_days
      ),
    needed.unseen_mm as irrigation_unseen_mm
  from needed
  left join site_names on needed.site_id = site_names.site_id
);
