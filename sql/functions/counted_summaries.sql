-- Which summaries that begin in a time count, where several gateways hear a device? Each row of the table once, with counts and its hour.
--
-- The law of rollups (docs/adr/0020): rows of one device, channel and unit that begin in one hour and overlap in time form a stretch, for held
-- windows (deadband) have other lengths at every gateway. In a stretch the gateway with the most values counts, and of each other one the rows
-- whose sensor numbers meet those of no gateway before it. The SQL twin of pipeline/rollup/hearing.py. Rows that make no sense are left out.
-- Both times are taken to full hours: from_time downwards, to_time (exclusive) upwards.
create or replace table function tinybeam.counted_summaries(from_time timestamp, to_time timestamp)
options (description = "Summaries that begin in a time, each row once, with whether it counts where several gateways heard its device")
as
select *
from (
  with
    each_row_once as (
      select
        *,
        timestamp_trunc(window_start, hour) as hour,
        -- What is longer reaches beyond its hour all the same.
        timestamp_add(window_start, interval least(window_seconds, 7200) second) as window_end
      from tinybeam.summaries_v1
      where
        window_start >= timestamp_trunc(from_time, hour)
        and window_start < timestamp_trunc(timestamp_add(to_time, interval 3599999999 microsecond), hour)
        and window_seconds > 0
        and count between 1 and (1 << 40)
        and abs(sum) < 1e100
        and abs(m2) < 1e200
        and abs(min) < 1e100
        and abs(max) < 1e100
      qualify row_number() over (partition by window_start, batch_id, `row` order by received_time) = 1
    ),
    with_the_end_of_those_before as (
      select
        *,
        max(window_end) over (
          partition by site_id, device_id, channel, unit, hour order by window_start rows between unbounded preceding and 1 preceding
        ) as end_before
      from each_row_once
    ),
    with_their_stretch as (
      select
        *,
        countif(end_before is null or window_start >= end_before) over (
          partition by site_id, device_id, channel, unit, hour order by window_start
        ) as stretch
      from with_the_end_of_those_before
    ),
    with_what_its_gateway_heard as (
      select
        *,
        sum(count) over (partition by site_id, device_id, channel, unit, hour, stretch, gateway_id) as heard,
        min(gateway_id) over (partition by site_id, device_id, channel, unit, hour, stretch)
        != max(gateway_id) over (partition by site_id, device_id, channel, unit, hour, stretch) as is_shared
      from with_their_stretch
    ),
    with_the_rows_before as (
      select
        *,
        first_value(gateway_id) over (
          partition by site_id, device_id, channel, unit, hour, stretch order by heard desc, gateway_id
        ) as first_gateway,
        -- Nearly every stretch has one gateway, of which nothing needs to be kept.
        array_agg(struct(gateway_id as gateway_id, if(is_shared, seq_ranges, []) as ranges)) over (
          partition by site_id, device_id, channel, unit, hour, stretch, is_shared
          order by heard desc, gateway_id rows between unbounded preceding and 1 preceding
        ) as rows_before
      from with_what_its_gateway_heard
    )
  select
    * except (end_before, stretch, heard, is_shared, first_gateway, rows_before),
    gateway_id = first_gateway
    or tinybeam.heard_apart(gateway_id, if(gateway_id != first_gateway, seq_ranges, []), if(gateway_id != first_gateway, rows_before, [])) as counts
  from with_the_rows_before
);
