-- What did people say, and about which alert, field, device and model?
--
-- What the view labels shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by event_time. Both reach the
-- tables before anything is compared, so only those days are read: of alerts those of 400 days before too, of inferences one day.
create or replace table function tinybeam.labels_between(from_time timestamp, to_time timestamp)
options (description = "What people said: one row per label_id, with the alert, the field, the device and the model that it is about")
as
select *
from (
  with
    judged as (
      select
        placed.*,
        verdict.model,
        verdict.model_sha256 as window_sha256,
        verdict.window_start,
        verdict.window_seconds,
        verdict.label,
        verdict.score
      from tinybeam.placed_labels_between(from_time, to_time) as placed
      left join tinybeam.inferences_between(timestamp_sub(from_time, interval 1 day), to_time) as verdict
        on
          placed.device_id = verdict.device_id
          and verdict.window_start < placed.event_time
          and verdict.window_start >= timestamp_sub(placed.event_time, interval 1 day)
          and verdict.model_sha256 = coalesce(placed.model_sha256, verdict.model_sha256)
      where true
      qualify row_number() over (partition by placed.label_id order by verdict.window_start desc, verdict.model, verdict.model_sha256) = 1
    )
  select
    label_id,
    labelled_time,
    labelled_by,
    answer,
    amount,
    event_time,
    alert_id,
    rule,
    source,
    site_id,
    device_id,
    model,
    coalesce(model_sha256, window_sha256) as model_sha256,
    window_start,
    window_seconds,
    label,
    score,
    note
  from judged
);
