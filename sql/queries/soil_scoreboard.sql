-- How good is each version of the soil model, by what came of its verdicts?
--
-- Open and censored verdicts are counted and not judged. Of what came as `now`, found_of_now is the share that was called so; of what was called `now`,
-- right_of_now is the share that came so. The error counts verdicts whose stress came within 14 days.
--
-- @from_time timestamp = now - 90 days: from when, by window_start, inclusive
-- @to_time timestamp = now: until when, exclusive
select
  model_version,
  model_sha256,
  count(*) as verdicts,
  countif(outcome in ('open', 'censored')) as unknown,
  countif(outcome = 'right') as `right`,
  countif(outcome = 'early') as early,
  countif(outcome = 'late') as late,
  countif(outcome = 'missed') as missed,
  safe_divide(countif(outcome = 'right'), countif(outcome not in ('open', 'censored'))) as right_share,
  safe_divide(countif(came = 'now' and label = 'now'), countif(came = 'now')) as found_of_now,
  safe_divide(countif(came = 'now' and label = 'now'), countif(label = 'now' and outcome not in ('open', 'censored'))) as right_of_now,
  avg(abs(score - days_to_stress)) as error_days,
  avg(if(days_to_stress < 5, abs(score - days_to_stress), null)) as decisive_error_days
from tinybeam.soil_outcomes_between(@from_time, @to_time)
group by model_version, model_sha256
order by model_version, model_sha256;
