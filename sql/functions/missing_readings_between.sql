-- Which readings are missing, by the sensors' own numbers? One row for each gap: the numbers first_seq to last_seq of a device that nobody
-- heard, found out from from_time (inclusive) to to_time (exclusive): when the reading above the gap was measured.
--
-- A device numbers its readings 1, 2, 3, ...; a reading that any gateway heard is not missing, however late it came and in however many
-- windows, channels and rows it is. A gap within a window counts like one between two windows, hours or days.
-- Windows that overlap (held by a gateway and sent as one longer summary) are of the same readings and make one stretch of time. A number
-- that falls back is a counter that began anew: no gap. It is a late reading instead if it falls among the numbers of the three stretches
-- before or just below, the same gateway had not heard it in them, and the numbers go on above within the next three. What a sensor lost just before its counter began anew nobody knows,
-- and where another gateway holds a window over that very minute, the few readings of it may count for the wrong side.
-- What arrived and was refused (rejects, with the sensor's number) is not missing: refused says how many of the gap these are.
-- A gap of more than a billion numbers is a counter that jumped, and no loss: the row has missing = null.
-- The fortnight before from_time is searched for the reading below a gap, no more: what is asked about two days reads a twentieth of ninety. A longer
-- gap is found by asking from further back. Reads summaries_v1 itself, and of it six narrow columns: repeated rows
-- do not matter to a union of numbers, and ranges that make no sense are left out.
create or replace table function tinybeam.missing_readings_between(from_time timestamp, to_time timestamp)
options (description = "The gaps in each sensor's own numbers, found from one time to another: a row for each gap")
as
select *
from (
  with
    windows as (
      select
        device_id,
        window_start,
        gateway_id,
        if(window_seconds between 1 and 604800, window_seconds, 1) as window_seconds,
        seq_ranges
      from tinybeam.summaries_v1
      where window_start >= timestamp_sub(from_time, interval 14 day) and window_start < to_time and array_length(seq_ranges) > 0
    ),
    ends_of_windows as (
      select device_id, window_start, max(timestamp_add(window_start, interval window_seconds second)) as window_end
      from windows
      group by device_id, window_start
    ),
    with_the_end_of_those_before as (
      select
        device_id,
        window_start,
        max(window_end) over (partition by device_id order by window_start rows between unbounded preceding and 1 preceding) as end_before
      from ends_of_windows
    ),
    with_their_stretch as (
      select
        device_id,
        window_start,
        countif(end_before is null or window_start >= end_before) over (partition by device_id order by window_start) as stretch
      from with_the_end_of_those_before
    ),
    each_range as (
      select
        windows.device_id,
        windows.window_start,
        windows.gateway_id,
        with_their_stretch.stretch,
        first_seq,
        if(place + 1 < array_length(windows.seq_ranges), windows.seq_ranges[offset(place + 1)], null) as last_seq
      from windows
      inner join with_their_stretch on windows.device_id = with_their_stretch.device_id and windows.window_start = with_their_stretch.window_start,
      unnest(windows.seq_ranges) as first_seq with offset as place
      where mod(place, 2) = 0
    ),
    ranges as (
      select device_id, gateway_id, stretch, first_seq, last_seq, min(window_start) as window_start
      from each_range
      where first_seq >= 0 and last_seq between first_seq and (1 << 62)
      group by device_id, gateway_id, stretch, first_seq, last_seq
    ),
    stretches as (
      select device_id, stretch, min(first_seq) as lowest, max(last_seq) as highest
      from ranges
      group by device_id, stretch
    ),
    with_their_neighbours as (
      select
        *,
        lag(lowest) over (partition by device_id order by stretch) as lowest_before,
        lag(highest) over (partition by device_id order by stretch) as highest_before,
        lead(highest) over (partition by device_id order by stretch) as highest_of_next,
        max(highest) over (partition by device_id order by stretch rows between 1 following and 3 following) as highest_after,
        min(lowest) over (partition by device_id order by stretch rows between 3 preceding and 1 preceding) as lowest_of_three
      from stretches
    ),
    repetitions as (
      select its_range.device_id, its_range.stretch, max(earlier.stretch) as of_stretch
      from with_their_neighbours as falling
      inner join ranges as its_range on falling.device_id = its_range.device_id and falling.stretch = its_range.stretch
      inner join ranges as earlier on its_range.device_id = earlier.device_id and its_range.gateway_id = earlier.gateway_id
      where
        (falling.highest < falling.highest_before or falling.lowest <= falling.lowest_before)
        and earlier.stretch between falling.stretch - 3 and falling.stretch - 1
        and its_range.first_seq <= earlier.last_seq
        and its_range.last_seq >= earlier.first_seq
      group by its_range.device_id, its_range.stretch
    ),
    with_their_repetitions as (
      select
        with_their_neighbours.*,
        repetitions.of_stretch is not null as repeats,
        coalesce(
          lead(repetitions.of_stretch) over (partition by with_their_neighbours.device_id order by with_their_neighbours.stretch)
          = with_their_neighbours.stretch,
          false
        ) as is_repeated_by_next
      from with_their_neighbours
      left join repetitions on with_their_neighbours.device_id = repetitions.device_id and with_their_neighbours.stretch = repetitions.stretch
    ),
    with_their_beginnings as (
      select
        *,
        case
          when highest_before is null then false
          when highest < highest_before
            then repeats or lowest + 3 < lowest_of_three or coalesce(highest_after <= highest_before, true)
          -- It holds the last numbers of the old counting, too, if the next one goes on below: then that one begins anew.
          else repeats and lowest <= lowest_before and (coalesce(highest_of_next > highest, true) or is_repeated_by_next)
        end as begins_anew
      from with_their_repetitions
    ),
    with_their_count as (
      select
        *,
        countif(begins_anew) over (partition by device_id order by stretch) as beginning,
        if(lead(begins_anew) over (partition by device_id order by stretch), lead(lowest) over (partition by device_id order by stretch), null) as begins_anew_with
      from with_their_beginnings
    ),
    counted_ranges as (
      -- In a stretch in which the counter began anew, what lies below the numbers that follow is of the new beginning.
      select
        ranges.*,
        with_their_count.beginning + if(ranges.last_seq < with_their_count.begins_anew_with, 1, 0) as beginning
      from ranges
      inner join with_their_count on ranges.device_id = with_their_count.device_id and ranges.stretch = with_their_count.stretch
    ),
    with_the_number_before as (
      select
        *,
        max(last_seq) over (partition by device_id, beginning order by first_seq, last_seq rows between unbounded preceding and 1 preceding) as seq_before,
        max(window_start) over (partition by device_id, beginning order by first_seq, last_seq rows between unbounded preceding and 1 preceding)
          as time_before,
        max(stretch) over (partition by device_id, beginning) as last_stretch,
        min(stretch) over (partition by device_id, beginning order by first_seq, last_seq rows between unbounded preceding and 1 preceding)
          as first_stretch_below
      from counted_ranges
    ),
    gaps as (
      select
        device_id,
        seq_before + 1 as first_seq,
        first_seq - 1 as last_seq,
        max(time_before) as time_before,
        array_agg(struct(window_start as window_start, gateway_id as gateway_id) order by window_start, gateway_id limit 1)[offset(0)] as found
      from with_the_number_before
      where
        first_seq > seq_before + 1
        -- Numbers heard last of all, and below all others: a counter that has just begun anew.
        and not (first_stretch_below = last_stretch and stretch < last_stretch)
      group by device_id, beginning, seq_before, first_seq
    ),
    refusals as (
      select device_id, seq as first_seq, seq as last_seq, timestamp
      from tinybeam.rejects_v1
      where timestamp >= timestamp_sub(from_time, interval 14 day) and seq is not null
      union all
      select reading.device_id, reading.first_seq, reading.last_seq, timestamp
      from tinybeam.rejects_v1, unnest(readings) as reading
      where timestamp >= timestamp_sub(from_time, interval 14 day)
    ),
    refused_in_gaps as (
      select
        gaps.device_id,
        gaps.first_seq,
        gaps.last_seq,
        gaps.found.window_start as found_time,
        tinybeam.merged_ranges(
          array_concat_agg([greatest(gaps.first_seq, refusals.first_seq), least(gaps.last_seq, refusals.last_seq)])
        ) as ranges
      from gaps
      inner join refusals on gaps.device_id = refusals.device_id
      where
        refusals.first_seq <= gaps.last_seq
        and refusals.last_seq >= gaps.first_seq
        and refusals.timestamp >= timestamp_sub(gaps.time_before, interval 1 hour)
      group by gaps.device_id, gaps.first_seq, gaps.last_seq, found_time
    ),
    refused as (
      select
        device_id,
        first_seq,
        last_seq,
        found_time,
        (select sum(if(mod(place, 2) = 0, -number, number + 1)) from unnest(ranges) as number with offset as place) as readings
      from refused_in_gaps
    )
  select
    gaps.device_id,
    gaps.found.gateway_id as gateway_id,
    gaps.first_seq,
    gaps.last_seq,
    if(gaps.last_seq - gaps.first_seq < 1000000000, gaps.last_seq - gaps.first_seq + 1 - coalesce(refused.readings, 0), null) as missing,
    coalesce(refused.readings, 0) as refused,
    gaps.found.window_start as found_time
  from gaps
  left join refused
    on
      gaps.device_id = refused.device_id
      and gaps.first_seq = refused.first_seq
      and gaps.last_seq = refused.last_seq
      and gaps.found.window_start = refused.found_time
  where gaps.found.window_start >= from_time
);
