-- What became of what each store of a gateway held: what arrived, what waits, what is lost?
--
-- What the view stores shows, which says what a row is, of the stores that were heard from from_time (its day inclusive) to to_time (exclusive), and of
-- the batches that they cut in that time: numbers up to the highest of the 366 days before (batch_numbers) are of before.
create or replace table function tinybeam.stores_between(from_time timestamp, to_time timestamp)
options (description = "Each store (epoch) of each gateway: batches received, declared, waiting, lost and unknown, and readings in no batch")
as
select *
from (
  with
    cut_before as (
      select gateway_id, epoch, max(highest) as highest
      from tinybeam.batch_numbers
      where day >= timestamp_trunc(timestamp_sub(from_time, interval 366 day), day) and day < timestamp_trunc(from_time, day)
      group by gateway_id, epoch
    ),
    arrivals as (
      select batches.gateway_id, batches.epoch, batches.seq, min(batches.cut_time) as cut_time
      from tinybeam.batches_v1 as batches
      left join cut_before on batches.gateway_id = cut_before.gateway_id and batches.epoch = cut_before.epoch
      where
        batches.cut_time >= timestamp_trunc(from_time, day)
        and batches.cut_time < to_time
        and batches.seq between 1 and 1000000000000
        and batches.seq > coalesce(cut_before.highest, 0)
      group by batches.gateway_id, batches.epoch, batches.seq
    ),
    batches_of_stores as (
      select gateway_id, epoch, count(*) as received, max(seq) as highest, min(cut_time) as first_time, max(cut_time) as last_time
      from arrivals
      group by gateway_id, epoch
    ),
    heartbeats as (
      select *, safe_cast(split(batch_id, ':')[safe_offset(1)] as int64) as epoch
      from tinybeam.heartbeats_v1
      where heartbeat_time >= timestamp_trunc(from_time, day) and heartbeat_time < to_time and batches_cut between 0 and 1000000000000
    ),
    ledgers as (
      select
        gateway_id,
        epoch,
        min(heartbeat_time) as first_time,
        max(heartbeat_time) as last_time,
        array_agg(
          struct(
            batches_cut as batches_cut, batches_pending as batches_pending, dropped_ranges as dropped_ranges, thinned_ranges as thinned_ranges,
            readings_stored as readings_stored, readings_summarised as readings_summarised, coalesce(readings_lost, 0) as readings_lost
          )
          order by batches_cut desc, heartbeat_time desc limit 1
        )[offset(0)] as newest
      from heartbeats
      where epoch is not null
      group by gateway_id, epoch
    ),
    -- What the newest heartbeat of a gateway says of epochs whose batches its store has taken over.
    newest_of_gateways as (
      select gateway_id, array_agg(struct(earlier_epochs as earlier_epochs) order by heartbeat_time desc, batches_cut desc limit 1)[offset(0)] as newest
      from heartbeats
      where epoch is not null
      group by gateway_id
    ),
    taken_over as (
      select gateway_id, epoch, max(pending) as pending, max(lost) as lost
      from (
        select
          gateway_id,
          earlier as epoch,
          greatest(newest.earlier_epochs[offset(place + 1)], 0) as pending,
          greatest(newest.earlier_epochs[offset(place + 2)], 0) as lost
        from newest_of_gateways, unnest(newest.earlier_epochs) as earlier with offset as place
        where mod(place, 3) = 0 and mod(array_length(newest.earlier_epochs), 3) = 0
      )
      group by gateway_id, epoch
    ),
    known as (
      select
        gateway_id,
        epoch,
        coalesce(batches_of_stores.received, 0) as received,
        coalesce(cut_before.highest, 0) as highest_before,
        greatest(coalesce(batches_of_stores.highest, 0), coalesce(ledgers.newest.batches_cut, 0), coalesce(cut_before.highest, 0)) as highest,
        least(coalesce(batches_of_stores.first_time, ledgers.first_time), coalesce(ledgers.first_time, batches_of_stores.first_time)) as first_time,
        greatest(coalesce(batches_of_stores.last_time, ledgers.last_time), coalesce(ledgers.last_time, batches_of_stores.last_time)) as last_time,
        ledgers.last_time as last_heartbeat_time,
        greatest(coalesce(ledgers.newest.batches_pending, 0), 0) as pending,
        greatest(
          if(
            ledgers.newest.readings_stored between 0 and 1000000000000000 and ledgers.newest.readings_summarised between 0 and 1000000000000000,
            ledgers.newest.readings_stored - ledgers.newest.readings_summarised - ledgers.newest.readings_lost,
            0
          ),
          0
        ) as readings_in_no_batch,
        greatest(coalesce(ledgers.newest.readings_lost, 0), 0) as readings_damaged,
        tinybeam.merged_ranges(ledgers.newest.dropped_ranges) as dropped_ranges,
        tinybeam.merged_ranges(ifnull(ledgers.newest.thinned_ranges, [])) as thinned_ranges
      from batches_of_stores
      full join ledgers using (gateway_id, epoch)
      left join cut_before using (gateway_id, epoch)
    ),
    -- A number that both say was dropped: what was thinned is what is gone and was not dropped.
    ranges_of_ledgers as (
      select gateway_id, epoch, highest_before, highest, true as was_dropped, dropped_ranges as ranges
      from known
      union all
      select gateway_id, epoch, highest_before, highest, false as was_dropped, tinybeam.merged_ranges(array_concat(dropped_ranges, thinned_ranges)) as ranges
      from known
    ),
    gone_ranges as (
      select gateway_id, epoch, was_dropped, greatest(first_seq, highest_before + 1) as first_seq, least(ranges[offset(place + 1)], highest) as last_seq
      from ranges_of_ledgers, unnest(ranges) as first_seq with offset as place
      where mod(place, 2) = 0
    ),
    gone_and_here as (
      select gone_ranges.gateway_id, gone_ranges.epoch, countif(gone_ranges.was_dropped) as dropped, countif(not gone_ranges.was_dropped) as batches
      from gone_ranges
      inner join arrivals
        on
          gone_ranges.gateway_id = arrivals.gateway_id
          and gone_ranges.epoch = arrivals.epoch
          and arrivals.seq between gone_ranges.first_seq and gone_ranges.last_seq
      group by gone_ranges.gateway_id, gone_ranges.epoch
    ),
    gone as (
      select
        gateway_id,
        epoch,
        sum(if(was_dropped, greatest(last_seq - first_seq + 1, 0), 0)) as dropped,
        sum(if(was_dropped, 0, greatest(last_seq - first_seq + 1, 0))) as batches
      from gone_ranges
      group by gateway_id, epoch
    ),
    not_here as (
      select
        known.*,
        coalesce(gone.dropped, 0) - coalesce(gone_and_here.dropped, 0) as declared,
        coalesce(gone.batches, 0) - coalesce(gone_and_here.batches, 0) as gone
      from known
      left join gone on known.gateway_id = gone.gateway_id and known.epoch = gone.epoch
      left join gone_and_here on known.gateway_id = gone_and_here.gateway_id and known.epoch = gone_and_here.epoch
    ),
    counted as (
      select
        known.*,
        known.gone - known.declared as thinned,
        known.highest - known.highest_before - known.received - known.gone as missing,
        coalesce(max(known.first_time) over (partition by known.gateway_id) >= known.last_time and count(*) over (partition by known.gateway_id) > 1, false)
          as replaced,
        taken_over.epoch is not null as is_taken_over,
        coalesce(taken_over.pending, 0) as pending_there,
        coalesce(taken_over.lost, 0) as lost_there
      from not_here as known
      left join taken_over on known.gateway_id = taken_over.gateway_id and known.epoch = taken_over.epoch
    )
  select
    gateway_id,
    epoch,
    first_time,
    last_time,
    last_heartbeat_time,
    timestamp_diff(current_timestamp(), last_time, minute) as silent_minutes,
    replaced,
    received,
    declared,
    thinned,
    missing,
    lost,
    waiting,
    missing - lost - waiting as `unknown`,
    if(replaced, 0, readings_in_no_batch) as readings_waiting,
    if(replaced and not is_taken_over, readings_in_no_batch, 0) + if(replaced, 0, readings_damaged) as readings_lost
  from (
    select
      *,
      case
        when not replaced then least(missing, pending)
        when is_taken_over then least(missing, pending_there)
        else 0
      end as waiting,
      case
        when not replaced then 0
        when is_taken_over then least(missing - least(missing, pending_there), lost_there)
        else missing
      end as lost
    from counted
  )
);
