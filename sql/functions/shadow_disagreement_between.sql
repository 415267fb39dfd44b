-- How often and how far does a model in the shadow disagree with the one in force, day by day?
--
-- One row per model, day, version in force and version in the shadow, over the windows that both judged. pairs has the labels of both, ordered by them.
-- Both times bound window_start, so only those days are read: from_time inclusive, to_time exclusive.
create or replace table function tinybeam.shadow_disagreement_between(from_time timestamp, to_time timestamp)
options (description = "How often and how far each model in the shadow disagrees with the one in force, by day")
as
select *
from (
  with
    judged_by_both as (
      select
        shadow.model,
        timestamp_trunc(shadow.window_start, day) as day,
        in_force.model_version,
        in_force.model_sha256,
        in_force.model_release,
        shadow.model_version as shadow_version,
        shadow.model_sha256 as shadow_sha256,
        shadow.model_release as shadow_release,
        shadow.device_id,
        in_force.label,
        shadow.label as shadow_label,
        shadow.score - in_force.score as higher
      from tinybeam.shadow_inferences_between(from_time, to_time) as shadow
      inner join tinybeam.inferences_between(from_time, to_time) as in_force
        on
          shadow.model = in_force.model
          and shadow.device_id = in_force.device_id
          and shadow.window_start = in_force.window_start
          and shadow.window_seconds = in_force.window_seconds
    ),
    by_pair as (
      select model, day, model_sha256, shadow_sha256, label, shadow_label, count(*) as windows
      from judged_by_both
      group by model, day, model_sha256, shadow_sha256, label, shadow_label
    ),
    pairs_of_each_day as (
      select
        model,
        day,
        model_sha256,
        shadow_sha256,
        array_agg(struct(label as label, shadow_label as shadow_label, windows as windows) order by label, shadow_label) as pairs
      from by_pair
      group by model, day, model_sha256, shadow_sha256
    ),
    days as (
      select
        model,
        day,
        model_sha256,
        shadow_sha256,
        max(model_version) as model_version,
        max(model_release) as model_release,
        max(shadow_version) as shadow_version,
        max(shadow_release) as shadow_release,
        count(*) as windows,
        count(distinct device_id) as devices,
        countif(label != shadow_label) as disagreements,
        avg(abs(higher)) as scores_apart,
        avg(higher) as shadow_higher
      from judged_by_both
      group by model, day, model_sha256, shadow_sha256
    )
  select
    days.model,
    days.day,
    days.model_version,
    days.model_sha256,
    days.model_release,
    days.shadow_version,
    days.shadow_sha256,
    days.shadow_release,
    days.windows,
    days.devices,
    days.disagreements,
    days.disagreements / days.windows as disagreement,
    pairs_of_each_day.pairs,
    days.scores_apart,
    days.shadow_higher
  from days
  inner join pairs_of_each_day using (model, day, model_sha256, shadow_sha256)
);
