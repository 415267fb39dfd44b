-- Is a number in both? [1, 3] and [3, 5] share 3; [1, 3] and [4, 5] share none, and neither does anything with [].
-- Takes the flat form [first, last, first, last, ...], inclusive, in any order; a first number without a last is no range.
create or replace function tinybeam.ranges_meet(one array<int64>, other array<int64>)
returns bool
options (description = "Whether two sets of intervals [first, last, first, last, ...] share a number")
as ((
  with
    first_set as (
      select low, if(place + 1 < array_length(one), one[offset(place + 1)], null) as high
      from unnest(one) as low with offset as place
      where mod(place, 2) = 0
    ),
    second_set as (
      select low, if(place + 1 < array_length(other), other[offset(place + 1)], null) as high
      from unnest(other) as low with offset as place
      where mod(place, 2) = 0
    )
  select count(*) > 0
  from first_set
  inner join second_set on first_set.low <= second_set.high and second_set.low <= first_set.high
));
