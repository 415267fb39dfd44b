-- What did each version of each model say, day by day: how often each label, which scores, how sure?
--
-- One row per model, version, SHA-256 of the file, and day; two rows of one version mean that two files bear its name.
-- model_release is the number of the latest release by which that file came, null if the gateways' configurations name it. score_p10, score_p50 and score_p90 are approximate quantiles of the day's scores; labels is ordered by label.
-- Both times bound window_start, so only those days are read: from_time inclusive, to_time exclusive.
create or replace table function tinybeam.model_versions_between(from_time timestamp, to_time timestamp)
options (description = "Each version of each model by day: label shares, scores and uncertainty")
as
select *
from (
  with
    said as (
      select
        model,
        model_version,
        model_sha256,
        timestamp_trunc(window_start, day) as day,
        model_release,
        device_id,
        runtime,
        label,
        score,
        uncertainty
      from tinybeam.inferences_between(from_time, to_time)
    ),
    by_label as (
      select model, model_version, model_sha256, day, label, count(*) as inferences, avg(score) as score_mean, avg(uncertainty) as uncertainty_mean
      from said
      group by model, model_version, model_sha256, day, label
    ),
    shares as (
      select
        *,
        inferences / sum(inferences) over (partition by model, model_version, model_sha256, day) as share
      from by_label
    ),
    labels_of_each_day as (
      select
        model,
        model_version,
        model_sha256,
        day,
        array_agg(struct(label as label, inferences as inferences, share as share, score_mean as score_mean, uncertainty_mean as uncertainty_mean) order by label) as labels
      from shares
      group by model, model_version, model_sha256, day
    ),
    scores_of_each_day as (
      select
        model,
        model_version,
        model_sha256,
        day,
        count(*) as inferences,
        count(distinct device_id) as devices,
        max(model_release) as model_release,
        string_agg(distinct runtime, ', ' order by runtime) as runtimes,
        avg(score) as score_mean,
        stddev_samp(score) as score_stddev,
        approx_quantiles(score, 10) as score_deciles,
        avg(uncertainty) as uncertainty_mean
      from said
      group by model, model_version, model_sha256, day
    )
  select
    scores_of_each_day.model,
    scores_of_each_day.model_version,
    scores_of_each_day.model_sha256,
    scores_of_each_day.model_release,
    scores_of_each_day.day,
    scores_of_each_day.inferences,
    scores_of_each_day.devices,
    scores_of_each_day.runtimes,
    labels_of_each_day.labels,
    scores_of_each_day.score_mean,
    scores_of_each_day.score_stddev,
    scores_of_each_day.score_deciles[offset(1)] as score_p10,
    scores_of_each_day.score_deciles[offset(5)] as score_p50,
    scores_of_each_day.score_deciles[offset(9)] as score_p90,
    scores_of_each_day.uncertainty_mean
  from scores_of_each_day
  inner join labels_of_each_day using (model, model_version, model_sha256, day)
);
