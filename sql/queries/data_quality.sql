-- Can the data be trusted? Per gateway: what is missing, what came late, what was not understood, how good the clocks are.
--
-- batches_missing are of the hours asked for; batches_lost and batches_waiting of what was cut in those days, readings_lost and readings_waiting of
-- the stores that were in use then (view stores). readings_missing counts gaps in the sensors' own numbers, each once, at the gateway that heard
-- the reading above the gap (missing_readings_between); what was dropped or lost on a gateway is missing there, too.
-- devices_with_wrong_clocks and devices_that_buffer tell clocks that lie from readings that were kept for a while (device_clocks_between).
-- A summary is late by the time from the end of its window to its arrival in the cloud. clock_offset is how much later than
-- dated readings arrived at the gateway, kept ones included; clock_unsynced_percent is the share of heartbeats in which the gateway's own clock
-- was not synchronised.
--
-- @from_time timestamp = now - 7 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
with
  transport as (
    select
      gateway_id,
      sum(received) as received,
      sum(missing) as missing,
      sum(declared) as declared
    from tinybeam.completeness_between(@from_time, @to_time)
    group by gateway_id
  ),
  windows as (
    select
      gateway_id,
      count(*) as summaries,
      countif(late_partials > 0) as late_summaries,
      countif(time_quality not in ('synced', 'corrected')) as doubtful_times,
      approx_quantiles(timestamp_diff(received_time, window_end, second), 100) as lateness,
      approx_quantiles(abs(clock_offset_ms), 100) as clock_offset
    from tinybeam.summaries_between(@from_time, @to_time)
    group by gateway_id
  ),
  numbers as (
    select gateway_id, sum(missing) as readings_missing
    from tinybeam.missing_readings_between(@from_time, @to_time)
    group by gateway_id
  ),
  clocks as (
    select gateway_id, 100 * countif(time_quality != 'synced') / count(*) as unsynced_percent
    from tinybeam.heartbeats_between(@from_time, @to_time)
    group by gateway_id
  ),
  device_clocks as (
    select gateway_id, countif(hours_ahead > 0 or hours_behind > 0 or jumps > 0) as lying, countif(hours_buffered > 0) as buffering
    from tinybeam.device_clocks_between(@from_time, @to_time)
    group by gateway_id
  ),
  stores as (
    select
      gateway_id,
      countif(replaced) as replaced,
      sum(lost) as lost,
      sum(waiting) as waiting,
      sum(readings_lost) as readings_lost,
      sum(readings_waiting) as readings_waiting
    from tinybeam.stores_between(@from_time, @to_time)
    group by gateway_id
  ),
  set_aside as (
    select coalesce(gateway_id, '(unknown)') as gateway_id, count(*) as rejects
    from tinybeam.rejects_between(@from_time, @to_time)
    group by 1
  )
select
  gateway_id,
  coalesce(transport.received, 0) as batches_received,
  coalesce(transport.missing, 0) as batches_missing,
  coalesce(transport.declared, 0) as batches_declared,
  coalesce(stores.lost, 0) as batches_lost,
  coalesce(stores.waiting, 0) as batches_waiting,
  round(100 * safe_divide(transport.received, transport.received + transport.missing + transport.declared), 2) as percent_complete,
  coalesce(windows.summaries, 0) as summaries,
  coalesce(windows.late_summaries, 0) as late_summaries,
  coalesce(numbers.readings_missing, 0) as readings_missing,
  coalesce(stores.readings_lost, 0) as readings_lost,
  coalesce(stores.readings_waiting, 0) as readings_waiting,
  coalesce(stores.replaced, 0) as stores_replaced,
  windows.lateness[offset(50)] as lateness_p50_seconds,
  windows.lateness[offset(99)] as lateness_p99_seconds,
  coalesce(windows.doubtful_times, 0) as doubtful_times,
  round(windows.clock_offset[offset(95)], 1) as clock_offset_p95_ms,
  round(clocks.unsynced_percent, 2) as clock_unsynced_percent,
  coalesce(device_clocks.lying, 0) as devices_with_wrong_clocks,
  coalesce(device_clocks.buffering, 0) as devices_that_buffer,
  coalesce(set_aside.rejects, 0) as rejects
from transport
full join windows using (gateway_id)
full join numbers using (gateway_id)
full join clocks using (gateway_id)
full join device_clocks using (gateway_id)
full join stores using (gateway_id)
full join set_aside using (gateway_id)
order by batches_missing desc, gateway_id;
