-- How much of what each gateway sent has arrived, hour by hour?
--
-- A gateway numbers its batches 1, 2, 3, ... within an epoch (the life of its store). In each hour
--   received  batches that are here, by their cut_time;
--   declared  batches that are not here and that the gateway's ledger says it dropped (dropped_ranges of its newest heartbeat);
--   missing   batches that are not here and that nobody declared: waiting on the gateway, on their way, or lost (the view stores says which).
--             Known from the numbers between 1 and the highest one seen, in a batch or in a ledger (batches_cut).
-- When an absent batch was cut is not known: the numbers of a gap are spread evenly over the time between its two neighbours. Where those
-- lie more than 31 days apart, the gateway's clock was set or it stood still: its numbers count in the hour of the upper neighbour, and
-- unplaced says how many of missing and declared these are.
-- Numbers below 1 or above 10^12, more than any gateway cuts, and ranges that descend or lack their end are nonsense and left out, so that
-- one gateway gone mad does not take the view from everybody.
-- Absent batches are found between neighbours, so a filter on hour cannot spare the reading of other days; one on gateway_id does
-- (the tables are clustered by it), and only five narrow columns are read: about 60 bytes a batch.
create or replace view tinybeam.completeness
options (description = "Batches received, missing and declared dropped, per gateway and hour")
as
with
  arrivals as (
    select gateway_id, epoch, seq, seq as covers_to, cut_time as seen_time
    from tinybeam.batches_v1
    where seq between 1 and 1000000000000
  ),
  ledgers as (
    select
      gateway_id,
      safe_cast(split(batch_id, ':')[safe_offset(1)] as int64) as epoch,
      -- Of the heartbeats with the highest number, the first says when the batches were there, and the last what was dropped.
      array_agg(struct(batches_cut as batches_cut, heartbeat_time as heartbeat_time) order by batches_cut desc, heartbeat_time limit 1)[offset(0)] as newest,
      array_agg(struct(dropped_ranges as dropped_ranges) order by batches_cut desc, heartbeat_time desc limit 1)[offset(0)] as latest
    from tinybeam.heartbeats_v1
    where batches_cut between 0 and 1000000000000
    group by gateway_id, epoch
  ),
  ends_of_ledgers as (
    select gateway_id, epoch, newest.batches_cut + 1 as seq, newest.batches_cut as covers_to, newest.heartbeat_time as seen_time
    from ledgers
    where epoch is not null
  ),
  landmarks as (
    select gateway_id, epoch, seq, max(covers_to) as covers_to, min(seen_time) as seen_time
    from (select * from arrivals union all select * from ends_of_ledgers)
    group by gateway_id, epoch, seq
  ),
  landmarks_with_their_neighbour as (
    select
      gateway_id,
      epoch,
      seq,
      seen_time,
      coalesce(lag(covers_to) over (partition by gateway_id, epoch order by seq), 0) as covered_before,
      coalesce(lag(seen_time) over (partition by gateway_id, epoch order by seq), seen_time) as seen_before
    from landmarks
  ),
  gaps as (
    select
      gateway_id,
      epoch,
      covered_before + 1 as first_seq,
      seq - covered_before - 1 as size,
      abs(timestamp_diff(seen_time, seen_before, second)) > 31 * 86400 as unplaced,
      if(abs(timestamp_diff(seen_time, seen_before, second)) > 31 * 86400, seen_time, least(seen_before, seen_time)) as begin_time,
      if(abs(timestamp_diff(seen_time, seen_before, second)) > 31 * 86400, seen_time, greatest(seen_before, seen_time)) as end_time
    from landmarks_with_their_neighbour
    where seq > covered_before + 1
  ),
  hours_of_gaps as (
    select
      gateway_id,
      epoch,
      hour_start,
      unplaced,
      first_seq + if(
        hour_start <= begin_time,
        0,
        cast(
          floor(
            safe_divide(
              cast(size as float64) * timestamp_diff(hour_start, begin_time, microsecond), timestamp_diff(end_time, begin_time, microsecond)
            )
          ) as int64
        )
      ) as first_seq,
      first_seq + if(
        timestamp_add(hour_start, interval 1 hour) > end_time,
        size,
        cast(
          floor(
            safe_divide(
              cast(size as float64) * timestamp_diff(timestamp_add(hour_start, interval 1 hour), begin_time, microsecond),
              timestamp_diff(end_time, begin_time, microsecond)
            )
          ) as int64
        )
      ) - 1 as last_seq
    from gaps, unnest(generate_timestamp_array(timestamp_trunc(begin_time, hour), end_time, interval 1 hour)) as hour_start
  ),
  merged_dropped_ranges as (
    select gateway_id, epoch, tinybeam.merged_ranges(latest.dropped_ranges) as ranges
    from ledgers
  ),
  declared_ranges as (
    select gateway_id, epoch, first_seq, ranges[offset(place + 1)] as last_seq
    from merged_dropped_ranges, unnest(ranges) as first_seq with offset as place
    where mod(place, 2) = 0
  ),
  absent as (
    select
      hours_of_gaps.gateway_id,
      hours_of_gaps.hour_start,
      any_value(hours_of_gaps.unplaced) as unplaced,
      any_value(hours_of_gaps.last_seq - hours_of_gaps.first_seq + 1) as size,
      coalesce(sum(least(hours_of_gaps.last_seq, declared_ranges.last_seq) - greatest(hours_of_gaps.first_seq, declared_ranges.first_seq) + 1), 0) as declared
    from hours_of_gaps
    left join declared_ranges
      on
        hours_of_gaps.gateway_id = declared_ranges.gateway_id
        and hours_of_gaps.epoch = declared_ranges.epoch
        and hours_of_gaps.first_seq <= declared_ranges.last_seq
        and hours_of_gaps.last_seq >= declared_ranges.first_seq
    where hours_of_gaps.last_seq >= hours_of_gaps.first_seq
    group by hours_of_gaps.gateway_id, hours_of_gaps.epoch, hours_of_gaps.hour_start, hours_of_gaps.first_seq
  ),
  counts as (
    select gateway_id, timestamp_trunc(min(seen_time), hour) as hour, 1 as received, 0 as missing, 0 as declared, 0 as unplaced
    from arrivals
    group by gateway_id, epoch, seq
    union all
    select gateway_id, hour_start as hour, 0 as received, size - declared as missing, declared, if(unplaced, size, 0) as unplaced
    from absent
  )
select
  gateway_id,
  hour,
  sum(received) as received,
  sum(missing) as missing,
  sum(declared) as declared,
  sum(unplaced) as unplaced,
  safe_divide(sum(received), sum(received) + sum(missing) + sum(declared)) as completeness
from counts
group by gateway_id, hour;
