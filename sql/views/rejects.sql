-- What was not understood, and why?
--
-- One row per reject_id, as it was first set aside. The same message can be set aside again on another day, so timestamp cannot be in
-- the `partition by`: a filter on it does not spare the reading of other days. Leave payloadBytes and payloadString out of the select
-- where they are not needed: what remains is narrow.
create or replace view tinybeam.rejects
options (description = "What was not understood, with its original bytes: one row per reject_id")
as
select *
from tinybeam.rejects_v1
where true
qualify row_number() over (partition by reject_id order by timestamp) = 1;
