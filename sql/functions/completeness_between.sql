-- How much of what each gateway sent has arrived, hour by hour?
--
-- What the view completeness shows, which says what a row is, of the hours that begin from from_time (its hour inclusive) to to_time (exclusive).
-- Of batches, those days are read; what lies before and after, up to 366 days, is known by the day (batch_numbers). The newest ledger is that of
-- up to 31 days later: what a gateway dropped later still is missing here.
create or replace table function tinybeam.completeness_between(from_time timestamp, to_time timestamp)
options (description = "Batches received, missing, declared dropped and thinned, per gateway and hour")
as
select *
from (
  with
    arrivals as (
      select gateway_id, epoch, seq, seq as covers_to, cut_time as first_time, cut_time as last_time
      from tinybeam.batches_v1
      where
        cut_time >= timestamp_trunc(from_time, day)
        and cut_time < timestamp_trunc(timestamp_add(to_time, interval 1 day), day)
        and seq between 1 and 1000000000000
    ),
    -- Of other days, what lies between the lowest and the highest number is theirs.
    other_days as (
      select gateway_id, epoch, lowest as seq, highest as covers_to, first_time, last_time
      from tinybeam.batch_numbers
      where
        day >= timestamp_trunc(timestamp_sub(from_time, interval 366 day), day)
        and day < timestamp_trunc(timestamp_add(to_time, interval 366 day), day)
        and not (day >= timestamp_trunc(from_time, day) and day < timestamp_trunc(timestamp_add(to_time, interval 1 day), day))
    ),
    ledgers as (
      select
        gateway_id,
        safe_cast(split(batch_id, ':')[safe_offset(1)] as int64) as epoch,
        -- Of the heartbeats with the highest number, the first says when the batches were there, and the last what was dropped.
        array_agg(struct(batches_cut as batches_cut, heartbeat_time as heartbeat_time) order by batches_cut desc, heartbeat_time limit 1)[offset(0)] as newest,
        array_agg(
          struct(dropped_ranges as dropped_ranges, thinned_ranges as thinned_ranges) order by batches_cut desc, heartbeat_time desc limit 1
        )[offset(0)] as latest
      from tinybeam.heartbeats_v1
      where
        heartbeat_time >= timestamp_trunc(from_time, day)
        and heartbeat_time < timestamp_add(to_time, interval 31 day)
        and batches_cut between 0 and 1000000000000
      group by gateway_id, epoch
    ),
    ends_of_ledgers as (
      select gateway_id, epoch, newest.batches_cut + 1 as seq, newest.batches_cut as covers_to, newest.heartbeat_time as first_time, newest.heartbeat_time as last_time
      from ledgers
      where epoch is not null
    ),
    landmarks as (
      select gateway_id, epoch, seq, max(covers_to) as covers_to, min(first_time) as first_time, min(last_time) as last_time
      from (select * from arrivals union all select * from other_days union all select * from ends_of_ledgers)
      group by gateway_id, epoch, seq
    ),
    landmarks_with_their_neighbour as (
      select
        gateway_id,
        epoch,
        seq,
        first_time as seen_time,
        coalesce(max(covers_to) over (partition by gateway_id, epoch order by seq rows between unbounded preceding and 1 preceding), 0) as covered_before,
        coalesce(lag(last_time) over (partition by gateway_id, epoch order by seq), first_time) as seen_before
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
      where gaps.end_time >= timestamp_trunc(from_time, hour) and gaps.begin_time < to_time
    ),
    merged_ranges_of_ledgers as (
      select gateway_id, epoch, tinybeam.merged_ranges(latest.dropped_ranges) as dropped, tinybeam.merged_ranges(ifnull(latest.thinned_ranges, [])) as thinned
      from ledgers
    ),
    -- A number that both say was dropped: what was thinned is what is gone and was not dropped.
    ranges_of_ledgers as (
      select gateway_id, epoch, true as was_dropped, dropped as ranges
      from merged_ranges_of_ledgers
      union all
      select gateway_id, epoch, false as was_dropped, tinybeam.merged_ranges(array_concat(dropped, thinned)) as ranges
      from merged_ranges_of_ledgers
    ),
    gone_ranges as (
      select gateway_id, epoch, was_dropped, first_seq, ranges[offset(place + 1)] as last_seq
      from ranges_of_ledgers, unnest(ranges) as first_seq with offset as place
      where mod(place, 2) = 0
    ),
    absent as (
      select
        hours_of_gaps.gateway_id,
        hours_of_gaps.hour_start,
        any_value(hours_of_gaps.unplaced) as unplaced,
        any_value(hours_of_gaps.last_seq - hours_of_gaps.first_seq + 1) as size,
        coalesce(
          sum(if(gone_ranges.was_dropped, least(hours_of_gaps.last_seq, gone_ranges.last_seq) - greatest(hours_of_gaps.first_seq, gone_ranges.first_seq) + 1, 0)), 0
        ) as declared,
        coalesce(
          sum(if(gone_ranges.was_dropped, 0, least(hours_of_gaps.last_seq, gone_ranges.last_seq) - greatest(hours_of_gaps.first_seq, gone_ranges.first_seq) + 1)), 0
        ) as gone
      from hours_of_gaps
      left join gone_ranges
        on
          hours_of_gaps.gateway_id = gone_ranges.gateway_id
          and hours_of_gaps.epoch = gone_ranges.epoch
          and hours_of_gaps.first_seq <= gone_ranges.last_seq
          and hours_of_gaps.last_seq >= gone_ranges.first_seq
      where hours_of_gaps.last_seq >= hours_of_gaps.first_seq
      group by hours_of_gaps.gateway_id, hours_of_gaps.epoch, hours_of_gaps.hour_start, hours_of_gaps.first_seq
    ),
    -- What was lost to damage was lost when the epoch began.
    damages as (
      select
        gateway_id,
        safe_cast(split(batch_id, ':')[safe_offset(1)] as int64) as epoch,
        min(heartbeat_time) as heartbeat_time,
        max(readings_lost) as readings_lost
      from tinybeam.heartbeats_v1
      where
        heartbeat_time >= timestamp_trunc(timestamp_sub(from_time, interval 31 day), day)
        and heartbeat_time < to_time
        and readings_lost between 1 and 1000000000000000
      group by gateway_id, epoch
    ),
    counts as (
      select
        gateway_id, timestamp_trunc(min(first_time), hour) as hour,
        1 as received, 0 as missing, 0 as declared, 0 as thinned, 0 as unplaced, 0 as readings_lost
      from arrivals
      group by gateway_id, epoch, seq
      union all
      select
        gateway_id, hour_start as hour,
        0 as received, size - gone as missing, declared, gone - declared as thinned, if(unplaced, size, 0) as unplaced, 0 as readings_lost
      from absent
      union all
      select gateway_id, timestamp_trunc(heartbeat_time, hour) as hour, 0 as received, 0 as missing, 0 as declared, 0 as thinned, 0 as unplaced, readings_lost
      from damages
    )
  select
    gateway_id,
    hour,
    sum(received) as received,
    sum(missing) as missing,
    sum(declared) as declared,
    sum(thinned) as thinned,
    sum(unplaced) as unplaced,
    -- Where all was thinned, all of it is in what came later.
    if(
      sum(thinned) > 0 and sum(received) + sum(missing) + sum(declared) = 0, 1, safe_divide(sum(received), sum(received) + sum(missing) + sum(declared))
    ) as completeness,
    sum(readings_lost) as readings_lost
  from counts
  where hour >= timestamp_trunc(from_time, hour) and hour < to_time
  group by gateway_id, hour
);
