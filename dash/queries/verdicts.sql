-- What did each version of each model say on each site, and did people call it a false alarm?
--
-- One row for each model, version, file, release and site, 1000 at most.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
-- @sites array<string> = : the sites that the viewer may see
-- @all_sites bool = true: the viewer may see every site, and what has none
with
  answers as (
    select site_id, model_sha256, count(*) as answers, countif(answer = 'false_alarm') as false_alarms
    from tinybeam.labels_between(@from_time, @to_time)
    where alert_id is not null and answer != 'seen'
    group by site_id, model_sha256
  ),
  verdicts as (
    select
      site_id,
      model,
      model_version,
      model_sha256,
      model_release,
      label,
      count(*) as inferences,
      min(window_start) as first_time,
      max(window_start) as last_time
    from tinybeam.inferences_between(@from_time, @to_time)
    where @all_sites or site_id in unnest(@sites)
    group by site_id, model, model_version, model_sha256, model_release, label
  ),
  versions as (
    select
      site_id,
      model,
      model_version,
      model_sha256,
      model_release,
      sum(inferences) as inferences,
      min(first_time) as first_time,
      max(last_time) as last_time,
      array_agg(struct(label as label, inferences as inferences) order by inferences desc, label) as labels
    from verdicts
    group by site_id, model, model_version, model_sha256, model_release
  )
select
  versions.site_id,
  versions.model,
  versions.model_version,
  versions.model_sha256,
  versions.model_release,
  versions.inferences,
  versions.first_time,
  versions.last_time,
  versions.labels,
  coalesce(answers.answers, 0) as answers,
  coalesce(answers.false_alarms, 0) as false_alarms
from versions
left join answers on versions.site_id = answers.site_id and versions.model_sha256 = answers.model_sha256
order by versions.model, versions.model_release desc, versions.last_time desc, versions.site_id
limit 1000;
