-- Which summaries of some channels that begin in a time count, where several gateways hear a device? Each row of the table once, with counts and its hour.
--
-- Of all channels where `channels` is null. They reach the table, as a filter from outside need not: who wants a few of many channels asks for them here.
-- The law of rollups and of the view summaries (docs/adr/0020): rows of one device, channel and unit that begin in one hour and overlap in time
-- form a stretch, for held windows (deadband) have other lengths at every gateway. In a stretch the gateway with the most values counts, and of
-- each other one the rows whose sensor numbers meet those of no gateway before it. The SQL twin of pipeline/rollup/hearing.py.
-- gateways says how many heard the stretch. readings_uncounted says how many readings of the stretch are in no row that counts, on the first row
-- of the stretch that counts; null if that is not known, 0 on every other row. Rows that do not make sense never count and disturb no other.
-- Both times are taken to full hours: from_time downwards, to_time (exclusive) upwards. A filter on day from outside reaches the table, too: it is
-- in every `partition by`.
create or replace table function tinybeam.counted_summaries_of(from_time timestamp, to_time timestamp, channels array<string>)
options (description = "Summaries of some channels that begin in a time, each row once, with whether it counts where several gateways heard its device")
as
select *
from (
  with
    each_row_once as (
      select
        *,
        timestamp_trunc(window_start, day) as day,
        timestamp_trunc(window_start, hour) as hour,
        -- What is longer reaches beyond its hour all the same.
        timestamp_add(window_start, interval if(window_seconds > 0, least(window_seconds, 7200), 0) second) as window_end,
        window_seconds > 0
        and count between 1 and (1 << 40)
        and abs(sum) < 1e100
        and abs(m2) < 1e200
        and abs(min) < 1e100
        and abs(max) < 1e100 as makes_sense
      from tinybeam.summaries_v1
      where
        window_start >= timestamp_trunc(from_time, hour)
        and window_start < timestamp_trunc(timestamp_add(to_time, interval 3599999999 microsecond), hour)
        and (channels is null or channel in unnest(channels))
      qualify row_number() over (partition by window_start, batch_id, `row` order by received_time) = 1
    ),
    -- A stretch ends with its hour: where one gateway heard the hour, as nearly everywhere, nothing is to be compared.
    with_the_gateways_of_their_hour as (
      select *, min(gateway_id) over of_hour = max(gateway_id) over of_hour as is_of_one_gateway
      from each_row_once
      window of_hour as (partition by device_id, channel, unit, day, hour)
    ),
    with_the_end_of_those_before as (
      select
        * except (is_of_one_gateway),
        max(least(window_end, timestamp_add(hour, interval 1 hour))) over (
          partition by device_id, channel, unit, day, makes_sense order by window_start rows between unbounded preceding and 1 preceding
        ) as end_before
      from with_the_gateways_of_their_hour
      where not is_of_one_gateway
    ),
    with_their_stretch as (
      select
        *,
        countif(end_before is null or window_start >= end_before) over (
          partition by device_id, channel, unit, day, makes_sense order by window_start
        ) as stretch
      from with_the_end_of_those_before
    ),
    with_what_its_gateway_heard as (
      select
        *,
        sum(if(makes_sense, count, 0)) over (partition by device_id, channel, unit, day, makes_sense, stretch, gateway_id) as heard,
        count(distinct gateway_id) over (partition by device_id, channel, unit, day, makes_sense, stretch) as gateways
      from with_their_stretch
    ),
    with_the_rows_before as (
      select
        *,
        first_value(gateway_id) over (
          partition by device_id, channel, unit, day, makes_sense, stretch order by heard desc, gateway_id
        ) as first_gateway,
        -- Nearly every stretch has one gateway, of which nothing needs to be kept.
        array_agg(struct(gateway_id as gateway_id, if(gateways > 1, seq_ranges, []) as ranges)) over (
          partition by device_id, channel, unit, day, makes_sense, stretch, gateways
          order by heard desc, gateway_id rows between unbounded preceding and 1 preceding
        ) as rows_before
      from with_what_its_gateway_heard
    ),
    judged as (
      select
        *,
        makes_sense
        and (
          gateway_id = first_gateway
          or tinybeam.heard_apart(gateway_id, if(gateway_id != first_gateway, seq_ranges, []), if(gateway_id != first_gateway, rows_before, []))
        ) as counts
      from with_the_rows_before
    ),
    with_what_does_not_count as (
      -- In columns, not in place: all rows that count hand over the same, and it is computed once.
      select
        *,
        makes_sense and not counts as is_left_out,
        if(makes_sense and not counts, seq_ranges, []) as ranges_left_out,
        if(makes_sense and not counts, rows_before, []) as rows_ranked_before
      from judged
    ),
    with_what_only_it_has as (
      select *, if(is_left_out, tinybeam.numbers_only_in(ranges_left_out, rows_ranked_before), 0) as only_here
      from with_what_does_not_count
    )
  select
    * except (end_before, stretch, heard, first_gateway, rows_before, is_left_out, ranges_left_out, rows_ranked_before, only_here),
    case
      when row_number() over (
        partition by device_id, channel, unit, day, makes_sense, stretch order by counts desc, window_start, window_seconds, batch_id, `row`
      ) > 1
        then 0
      when countif(only_here is null) over (partition by device_id, channel, unit, day, makes_sense, stretch) = 0
        then sum(only_here) over (partition by device_id, channel, unit, day, makes_sense, stretch)
    end as readings_uncounted
  from with_what_only_it_has
  union all
  select * except (is_of_one_gateway), 1 as gateways, makes_sense as counts, 0 as readings_uncounted
  from with_the_gateways_of_their_hour
  where is_of_one_gateway
);
