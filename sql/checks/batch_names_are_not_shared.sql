-- Did two batches come under one name, with other bytes? Each row returned is a gateway of which that is so: two boxes share its name, as copies of
-- one card do, or a folder of state was put back. Facts show the rows of one of the two.
--
-- A pipeline sets the second one aside (reject name_taken). This finds those that came by another run, or after a pipeline lost its state.
--
-- @from_time timestamp = now - 30 days: from when (cut_time), inclusive
with
  names as (
    select batch_id, any_value(gateway_id) as gateway_id, any_value(epoch) as epoch, min(cut_time) as first_time, count(distinct body_digest) as bodies
    from tinybeam.batches_v1
    where cut_time >= @from_time
    group by batch_id
  )
select gateway_id, epoch, count(*) as batches, min(first_time) as first_time, min(batch_id) as for_example
from names
where bodies > 1
group by gateway_id, epoch;
