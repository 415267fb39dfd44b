-- Can the data be trusted? Per gateway: what is missing, what came late, what was not understood, how good the clocks are.
--
-- A summary is late by the time from the end of its window to its arrival in the cloud. clock_offset is the sensors' time against the
-- gateway's; clock_unsynced_percent is the share of heartbeats in which the gateway's own clock was not synchronised.
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
    from tinybeam.completeness
    where hour >= timestamp_trunc(@from_time, hour) and hour < @to_time
    group by gateway_id
  ),
  windows as (
    select
      gateway_id,
      count(*) as summaries,
      countif(late_partials > 0) as late_summaries,
      sum(seq_missing) as readings_missing,
      countif(time_quality != 'synced') as doubtful_times,
      approx_quantiles(timestamp_diff(received_time, window_end, second), 100) as lateness,
      approx_quantiles(abs(clock_offset_ms), 100) as clock_offset
    from tinybeam.summaries
    where window_start >= @from_time and window_start < @to_time
    group by gateway_id
  ),
  clocks as (
    select gateway_id, 100 * countif(time_quality != 'synced') / count(*) as unsynced_percent
    from tinybeam.heartbeats
    where heartbeat_time >= @from_time and heartbeat_time < @to_time
    group by gateway_id
  ),
  set_aside as (
    select coalesce(gateway_id, '(unknown)') as gateway_id, count(*) as rejects
    from tinybeam.rejects
    where timestamp >= @from_time and timestamp < @to_time
    group by 1
  )
select
  gateway_id,
  coalesce(transport.received, 0) as batches_received,
  coalesce(transport.missing, 0) as batches_missing,
  coalesce(transport.declared, 0) as batches_declared,
  round(100 * safe_divide(transport.received, transport.received + transport.missing + transport.declared), 2) as percent_complete,
  coalesce(windows.summaries, 0) as summaries,
  coalesce(windows.late_summaries, 0) as late_summaries,
  coalesce(windows.readings_missing, 0) as readings_missing,
  windows.lateness[offset(50)] as lateness_p50_seconds,
  windows.lateness[offset(99)] as lateness_p99_seconds,
  coalesce(windows.doubtful_times, 0) as doubtful_times,
  round(windows.clock_offset[offset(95)], 1) as clock_offset_p95_ms,
  round(clocks.unsynced_percent, 2) as clock_unsynced_percent,
  coalesce(set_aside.rejects, 0) as rejects
from transport
full join windows using (gateway_id)
full join clocks using (gateway_id)
full join set_aside using (gateway_id)
order by batches_missing desc, gateway_id;
