-- Was a row heard by no gateway that ranks before its own? By the sensor's numbers, and no where either side has none.
-- Takes the row's gateway and ranges [first, last, first, last, ...], and those of the rows before it; rows of its own gateway are passed over.
create or replace function tinybeam.heard_apart(
  gateway string,
  ranges array<int64>,
  rows_before array<struct<gateway_id string, ranges array<int64>>>
)
returns bool
options (description = "Whether a row's sensor numbers [first, last, ...] meet those of no row of another gateway before it; false where a side has none")
as (
  array_length(ranges) > 0
  and not exists (
    select 1
    from unnest(rows_before) as one
    where one.gateway_id != gateway and (array_length(one.ranges) = 0 or tinybeam.ranges_meet(ranges, one.ranges))
  )
);
