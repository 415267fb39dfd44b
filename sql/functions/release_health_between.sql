-- How does each release of a model do beside the one before it?
--
-- What the view release_health shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by the time of windows, heartbeats
-- and answers. Both reach the tables before anything is compared, so only those days are read.
create or replace table function tinybeam.release_health_between(from_time timestamp, to_time timestamp)
options (description = "Each release of a model beside its control, the release before it, on the same windows, sites or days")
as
select *
from (
  with
    compared as (
      select *
      from tinybeam.compared_verdicts_between(from_time, to_time)
    ),
    run as (
      select *
      from tinybeam.releases_run_between(from_time, to_time)
    ),
    verdicts_of_each_release as (
      select model, coalesce(model_release, 0) as release, count(*) as inferences
      from tinybeam.inferences_between(from_time, to_time)
      group by model, release
    ),
    seen as (
      select
        coalesce(run.model, verdicts.model) as model,
        coalesce(run.release, verdicts.release) as release,
        coalesce(run.gateways, 0) as gateways,
        coalesce(run.gateways_refused, 0) as gateways_refused,
        run.refusals,
        run.scoring_ms,
        safe_divide(run.failures, run.failures + coalesce(verdicts.inferences, 0)) as failures_per_inference
      from run
      full outer join verdicts_of_each_release as verdicts on run.model = verdicts.model and run.release = verdicts.release
    ),
    releases as (
      select *, lag(release) over (partition by model order by release) as next_lower
      from seen
    ),
    parts as (
      select model, release, side, weight, 'label' as kind, label as part
      from compared
      union all
      select
        model,
        release,
        side,
        weight,
        'score' as kind,
        cast(least(floor(20 * coalesce(safe_divide(score - least, greatest - least), 0)), 19) as string) as part
      from compared
    ),
    parts_of_each_side as (
      select
        model,
        release,
        kind,
        part,
        sum(if(side = 'release', weight, 0)) as of_release,
        sum(if(side = 'control', weight, 0)) as of_control,
        sum(if(side = 'before', weight, 0)) as of_before,
        sum(if(side = 'control before', weight, 0)) as of_control_before
      from parts
      group by model, release, kind, part
    ),
    shares as (
      select
        model,
        release,
        kind,
        part,
        safe_divide(of_release, sum(of_release) over of_pair) as p,
        greatest(
          safe_divide(of_control, sum(of_control) over of_pair)
          + coalesce(safe_divide(of_before, sum(of_before) over of_pair) - safe_divide(of_control_before, sum(of_control_before) over of_pair), 0),
          0
        ) as control_weight
      from parts_of_each_side
      window of_pair as (partition by model, release, kind)
    ),
    expected_shares as (
      select
        *,
        safe_divide(control_weight, sum(control_weight) over (partition by model, release, kind)) as q,
        row_number() over (partition by model, release, kind order by control_weight desc, p desc, part) = 1 as is_usual
      from shares
    ),
    label_differences as (
      select
        model,
        release,
        sum(abs(p - q)) / 2 as label_distance,
        1 - max(if(is_usual, p, null)) as not_normal_share,
        1 - max(if(is_usual, q, null)) as control_not_normal_share
      from expected_shares
      where kind = 'label'
      group by model, release
    ),
    score_differences as (
      select
        model,
        release,
        sum(if(p > 0, p * log(p / ((p + q) / 2), 2), 0) + if(q > 0, q * log(q / ((p + q) / 2), 2), 0)) / 2 as score_distance
      from expected_shares
      where kind = 'score' and p is not null and q is not null
      group by model, release
    ),
    changes as (
      select distinct device_id, rule as model, event_time
      from tinybeam.events_between(from_time, timestamp_add(to_time, interval 1 day))
      where cause = 'label'
    ),
    turned_out as (
      select distinct device_id, window_start, window_seconds, model_sha256, outcome
      from tinybeam.soil_outcomes_between(from_time, to_time)
      where outcome not in ('open', 'censored')
    ),
    figures as (
      select
        compared.model,
        compared.release,
        compared.side,
        compared.control,
        any_value(compared.compared_on) as compared_on,
        count(distinct concat(compared.device_id, ' ', cast(compared.day as string))) as device_days,
        count(*) as inferences,
        safe_divide(
          sum(if(if(compared.compared_on = 'same windows', compared.is_changed, changes.event_time is not null), compared.weight, 0)),
          sum(compared.weight)
        ) as changes_per_inference,
        count(turned_out.outcome) as outcomes,
        safe_divide(sum(if(turned_out.outcome = 'right', compared.weight, 0)), sum(if(turned_out.outcome is not null, compared.weight, 0))) as right_share,
        safe_divide(sum(compared.uncertainty * compared.weight), sum(if(compared.uncertainty is not null, compared.weight, 0))) as uncertainty_mean,
        min(compared.window_start) as first_time,
        max(compared.window_start) as last_time
      from compared
      left join changes
        on
          compared.device_id = changes.device_id
          and compared.model = changes.model
          and changes.event_time = timestamp_add(compared.window_start, interval compared.window_seconds second)
      left join turned_out
        on
          compared.device_id = turned_out.device_id
          and compared.window_start = turned_out.window_start
          and compared.window_seconds = turned_out.window_seconds
          and compared.model_sha256 = turned_out.model_sha256
      group by compared.model, compared.release, compared.side, compared.control
    ),
    answered as (
      select
        compared.model,
        compared.release,
        compared.side,
        count(*) as answers,
        countif(answer.answer = 'false_alarm') as false_alarms
      from compared
      inner join tinybeam.labels_between(from_time, timestamp_add(to_time, interval 1 day)) as answer
        on
          compared.device_id = answer.device_id
          and compared.window_start = answer.window_start
          and compared.window_seconds = answer.window_seconds
          and compared.model_sha256 = answer.model_sha256
      where answer.alert_id is not null and answer.answer != 'seen'
      group by compared.model, compared.release, compared.side
    ),
    pairs as (
      select releases.*, coalesce(figures.control, releases.next_lower) as control
      from releases
      left join figures on releases.model = figures.model and releases.release = figures.release and figures.side = 'release'
    ),
    differences_before as (
      select
        canary.model,
        canary.release,
        canary.changes_per_inference - control.changes_per_inference as changes_per_inference,
        canary.right_share - control.right_share as right_share
      from figures as canary
      inner join figures as control on canary.model = control.model and canary.release = control.release
      where canary.side = 'before' and control.side = 'control before'
    )
  select
    pairs.model,
    pairs.release,
    pairs.control,
    pairs.gateways,
    control_pair.gateways as control_gateways,
    pairs.gateways_refused,
    pairs.refusals,
    coalesce(canary.compared_on, 'nothing') as compared_on,
    coalesce(canary.device_days, 0) as device_days,
    control.device_days as control_device_days,
    coalesce(canary.inferences, 0) as inferences,
    control.inferences as control_inferences,
    pairs.failures_per_inference,
    control_pair.failures_per_inference as control_failures_per_inference,
    label_differences.label_distance,
    score_differences.score_distance,
    label_differences.not_normal_share,
    label_differences.control_not_normal_share,
    safe_divide(canary.changes_per_inference * canary.inferences, canary.device_days) as events_a_device_day,
    safe_divide(
      greatest(control.changes_per_inference + coalesce(differences_before.changes_per_inference, 0), 0) * canary.inferences, canary.device_days
    ) as control_events_a_device_day,
    if(canary.inferences > 0, coalesce(answered.false_alarms, 0), null) as false_alarms,
    if(canary.inferences > 0, coalesce(answered.answers, 0), null) as answers,
    if(control.inferences > 0, coalesce(control_answered.false_alarms, 0), null) as control_false_alarms,
    if(control.inferences > 0, coalesce(control_answered.answers, 0), null) as control_answers,
    canary.outcomes,
    canary.right_share,
    control.outcomes as control_outcomes,
    least(greatest(control.right_share + coalesce(differences_before.right_share, 0), 0), 1) as control_right_share,
    pairs.scoring_ms,
    control_pair.scoring_ms as control_scoring_ms,
    canary.uncertainty_mean,
    control.uncertainty_mean as control_uncertainty_mean,
    canary.first_time,
    canary.last_time
  from pairs
  left join pairs as control_pair on pairs.model = control_pair.model and pairs.control = control_pair.release
  left join figures as canary on pairs.model = canary.model and pairs.release = canary.release and canary.side = 'release'
  left join figures as control on pairs.model = control.model and pairs.release = control.release and control.side = 'control'
  left join differences_before on pairs.model = differences_before.model and pairs.release = differences_before.release
  left join answered on pairs.model = answered.model and pairs.release = answered.release and answered.side = 'release'
  left join answered as control_answered
    on pairs.model = control_answered.model and pairs.release = control_answered.release and control_answered.side = 'control'
  left join label_differences on pairs.model = label_differences.model and pairs.release = label_differences.release
  left join score_differences on pairs.model = score_differences.model and pairs.release = score_differences.release
  where pairs.release > 0
);
