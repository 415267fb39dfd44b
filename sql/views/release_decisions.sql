-- What was decided about each release of a model, and why?
--
-- One row per decision of `tinybeam release advance` (told twice it is one), with the figures that it rests on. What a person decided
-- (`roll-out`, `halt`, `roll-back`) is in the rollout, which alone says what holds: `tinybeam release status`.
create or replace view tinybeam.release_decisions
options (description = "What `tinybeam release advance` decided about releases, why, and by which figures")
as
select
  decided_time,
  model,
  release,
  control,
  action,
  share,
  array_to_string(reasons, '; ') as reasons,
  json_value(figures, '$.compared_on') as compared_on,
  safe_cast(json_value(figures, '$.device_days') as int64) as device_days,
  figures
from tinybeam.release_decisions_v1
where true
qualify row_number() over (partition by model, release, decided_time, action) = 1;
