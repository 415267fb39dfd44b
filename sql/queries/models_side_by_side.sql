-- Does the newer version of a model decide as the older one did? Label by label, over the days on which both ran where there are any.
--
-- Per model the version of the newest inference and the version before it. A label that a version never gave has share 0.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
-- @to_time timestamp = now: until when, exclusive
with
  versions as (
    select model, model_version, max(day) as last_day, min(day) as first_day, sum(inferences) as inferences
    from tinybeam.model_versions_between(@from_time, @to_time)
    group by model, model_version
  ),
  ranked as (
    select *, row_number() over (partition by model order by last_day desc, first_day desc, model_version desc) as place
    from versions
  ),
  pairs as (
    select newer.model, newer.model_version as newer_version, older.model_version as older_version
    from (select * from ranked where place = 1) as newer
    left join (select * from ranked where place = 2) as older on newer.model = older.model
  ),
  said as (
    select model, model_version, day, one.label as label, one.inferences as inferences, one.score_mean as score_mean, one.uncertainty_mean as uncertainty_mean
    from tinybeam.model_versions_between(@from_time, @to_time), unnest(labels) as one
  ),
  days_of_both as (
    select newer.model, newer.day
    from (select distinct said.model, said.day from said inner join pairs on said.model = pairs.model and said.model_version = pairs.newer_version) as newer
    inner join (select distinct said.model, said.day from said inner join pairs on said.model = pairs.model and said.model_version = pairs.older_version) as older
      on newer.model = older.model and newer.day = older.day
  ),
  with_both as (
    select model, count(*) as days
    from days_of_both
    group by model
  ),
  compared as (
    select said.*, coalesce(with_both.days, 0) as days_of_both
    from said
    left join with_both on said.model = with_both.model
    left join days_of_both on said.model = days_of_both.model and said.day = days_of_both.day
    where with_both.days is null or days_of_both.day is not null
  ),
  totals as (
    select
      pairs.model,
      any_value(pairs.newer_version) as newer_version,
      any_value(pairs.older_version) as older_version,
      max(compared.days_of_both) as days_of_both,
      sum(if(compared.model_version = pairs.newer_version, compared.inferences, 0)) as newer_inferences,
      sum(if(compared.model_version = pairs.older_version, compared.inferences, 0)) as older_inferences
    from pairs
    inner join compared on pairs.model = compared.model
    group by pairs.model
  ),
  by_label as (
    select
      compared.model,
      compared.label,
      sum(if(compared.model_version = pairs.newer_version, compared.inferences, 0)) as newer,
      sum(if(compared.model_version = pairs.older_version, compared.inferences, 0)) as older,
      sum(if(compared.model_version = pairs.newer_version, compared.inferences * compared.score_mean, 0)) as newer_scores,
      sum(if(compared.model_version = pairs.older_version, compared.inferences * compared.score_mean, 0)) as older_scores,
      sum(if(compared.model_version = pairs.newer_version, compared.inferences * compared.uncertainty_mean, 0)) as newer_uncertainties,
      sum(if(compared.model_version = pairs.older_version, compared.inferences * compared.uncertainty_mean, 0)) as older_uncertainties
    from pairs
    inner join compared on pairs.model = compared.model
    group by compared.model, compared.label
  )
select
  by_label.model,
  by_label.label,
  totals.older_version,
  totals.newer_version,
  round(100 * safe_divide(by_label.older, totals.older_inferences), 1) as older_percent,
  round(100 * safe_divide(by_label.newer, totals.newer_inferences), 1) as newer_percent,
  round(safe_divide(by_label.older_scores, by_label.older), 3) as older_score,
  round(safe_divide(by_label.newer_scores, by_label.newer), 3) as newer_score,
  round(safe_divide(by_label.older_uncertainties, by_label.older), 3) as older_uncertainty,
  round(safe_divide(by_label.newer_uncertainties, by_label.newer), 3) as newer_uncertainty,
  totals.days_of_both
from by_label
inner join totals on by_label.model = totals.model
where by_label.newer + by_label.older > 0
order by by_label.model, by_label.label;
