-- How much of the water that a field was given does its moisture not show yet?
--
-- Days with a water balance from from_time (inclusive) to to_time (exclusive), which reach the tables first; nothing is known of water that was given before.
-- Water counts from the day on which it was given, at most as much as the root zone lacked. Then the books are kept: each day the moisture may fall by what the crop
-- drinks (crop_coefficient x reference_mm), less rain. What it falls less than that, or rises, is water that it shows or that the crop took: so much less is unseen.
create or replace table function tinybeam.irrigation_unseen_between(from_time timestamp, to_time timestamp)
options (description = "Water given to each field that its moisture does not show yet, day by day, until it is shown or used")
as
select *
from (
  with
    balances as (
      select
        site_id,
        day,
        depletion_mm,
        depletion_mm + coalesce(rain_unseen_mm, 0) as shown_mm,
        coalesce(crop_coefficient * reference_mm, 0) as drunk_mm,
        coalesce(rain_mm, 0) as rain_mm,
        moisture_time,
        lead(day) over (partition by site_id order by day) as next_day
      from tinybeam.irrigation_between(from_time, to_time)
      where depletion_mm is not null
    ),
    given as (
      select balances.site_id, balances.day, sum(water.irrigated_mm) as irrigated_mm
      from balances
      inner join tinybeam.water_given_between(from_time, to_time) as water
        on
          balances.site_id = water.site_id
          and water.day >= balances.day
          and (balances.next_day is null or water.day < balances.next_day)
      group by balances.site_id, balances.day
    ),
    changes as (
      select
        balances.site_id,
        balances.day,
        balances.depletion_mm,
        coalesce(given.irrigated_mm, 0) as irrigated_mm,
        least(coalesce(given.irrigated_mm, 0), balances.shown_mm)
        + least(
          coalesce(
            balances.shown_mm
            - lag(balances.shown_mm) over (partition by balances.site_id order by balances.day)
            - balances.drunk_mm
            * timestamp_diff(balances.moisture_time, lag(balances.moisture_time) over (partition by balances.site_id order by balances.day), second)
            / 86400
            + balances.rain_mm,
            0
          ),
          0
        ) as change_mm
      from balances
      left join given on balances.site_id = given.site_id and balances.day = given.day
    ),
    booked as (
      select *, sum(change_mm) over (partition by site_id order by day rows between unbounded preceding and current row) as booked_mm
      from changes
    )
  select
    site_id,
    day,
    irrigated_mm,
    least(
      booked_mm - least(min(booked_mm) over (partition by site_id order by day rows between unbounded preceding and current row), 0),
      depletion_mm
    ) as irrigation_unseen_mm
  from booked
);
