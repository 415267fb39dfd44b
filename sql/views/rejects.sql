-- What was not understood, why, and what of it came in by a replay since?
--
-- One row per reject_id, as it was first set aside. The same message can be set aside again on another day, so timestamp cannot be in
-- the `partition by`: a filter on it does not spare the reading of other days. Leave payloadBytes and payloadString out of the select
-- where they are not needed: what remains is narrow.
create or replace view tinybeam.rejects
options (description = "What was not understood, with its original bytes, and whether it was replayed: one row per reject_id")
as
with first_rejects as (
  select *
  from tinybeam.rejects_v1
  where true
  qualify row_number() over (partition by reject_id order by timestamp) = 1
),

latest_replays as (
  select reject_id, replayed_time, rows_in, rows_left
  from tinybeam.replays_v1
  where true
  qualify row_number() over (partition by reject_id order by rows_in desc, replayed_time) = 1
)

select
  first_rejects.*,
  latest_replays.replayed_time,
  latest_replays.rows_in as replayed_rows,
  latest_replays.rows_left
from first_rejects
left join latest_replays using (reject_id);
