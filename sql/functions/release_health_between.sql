-- How does each release of a model do beside the one before it?
--
-- What the view release_health shows, which says what a row is, of any time: from from_time (inclusive) to to_time (exclusive) by the time of windows, heartbeats
-- and answers. Both reach the tables before anything is compared, so only those days are read.
create or replace table function tinybeam.release_health_between(from_time timestamp, to_time timestamp)
options (description = "Each release of a model beside its control, the release before it, on the same sites and days where there are such")
as
select *
from (
  with
    verdicts as (
      select
        model,
        coalesce(model_release, 0) as release,
        coalesce(site_id, '') as site_id,
        timestamp_trunc(window_start, day) as day,
        device_id,
        window_start,
        window_seconds,
        model_sha256,
        label,
        score,
        uncertainty
      from tinybeam.inferences_between(from_time, to_time)
    ),
    heartbeats as (
      select
        batch_id,
        `row`,
        gateway_id,
        models,
        coalesce(model_releases, '') as model_releases,
        coalesce(releases_refused, '') as releases_refused,
        inferences_failed
          - lag(inferences_failed) over (partition by gateway_id, split(batch_id, ':')[safe_offset(1)] order by heartbeat_time, batch_id, `row`) as failed
      from tinybeam.heartbeats_between(from_time, to_time)
    ),
    numbered as (
      select
        heartbeats.batch_id,
        heartbeats.`row`,
        regexp_extract(named, r'^"([^"]+)"') as model,
        safe_cast(regexp_extract(named, r'([0-9]+)$') as int64) as release
      from heartbeats, unnest(regexp_extract_all(heartbeats.model_releases, r'"[^"]+": ?[0-9]+')) as named
    ),
    loaded as (
      select heartbeats.batch_id, heartbeats.`row`, heartbeats.gateway_id, regexp_extract(named, r'^"([^"]+)"') as model, heartbeats.failed
      from heartbeats, unnest(regexp_extract_all(heartbeats.models, r'"[^"]+": ?"[^"]*"')) as named
    ),
    running as (
      select loaded.gateway_id, loaded.model, coalesce(numbered.release, 0) as release, loaded.failed
      from loaded
      left join numbered on loaded.batch_id = numbered.batch_id and loaded.`row` = numbered.`row` and loaded.model = numbered.model
    ),
    refused as (
      select
        heartbeats.gateway_id,
        regexp_extract(named, r'^"([^"/]+)/') as model,
        safe_cast(regexp_extract(named, r'/([0-9]+)"') as int64) as release,
        regexp_extract(named, r': ?"([^"]*)"$') as reason
      from heartbeats, unnest(regexp_extract_all(heartbeats.releases_refused, r'"[^"/]+/[0-9]+": ?"[^"]*"')) as named
    ),
    seen as (
      select model, release from verdicts
      union distinct
      select model, release from running
      union distinct
      select model, release from refused
    ),
    pairs as (
      select model, release, lag(release) over (partition by model order by release) as control
      from seen
    ),
    sides as (
      select pairs.model, pairs.release, 'release' as side, pairs.release as running from pairs
      union all
      select pairs.model, pairs.release, 'control' as side, pairs.control as running from pairs
    ),
    judged as (
      select
        sides.release as release_of_pair,
        sides.side,
        verdicts.*,
        max(if(sides.side = 'release', 1, 0)) over (partition by verdicts.model, sides.release, verdicts.site_id, verdicts.day)
          + max(if(sides.side = 'control', 1, 0)) over (partition by verdicts.model, sides.release, verdicts.site_id, verdicts.day) as sides_of_site_day,
        max(if(sides.side = 'release', 1, 0)) over (partition by verdicts.model, sides.release, verdicts.day)
          + max(if(sides.side = 'control', 1, 0)) over (partition by verdicts.model, sides.release, verdicts.day) as sides_of_day
      from verdicts
      inner join sides on verdicts.model = sides.model and verdicts.release = sides.running
    ),
    matched as (
      select
        *,
        max(sides_of_site_day) over (partition by model, release_of_pair) = 2 as by_site_and_day,
        max(sides_of_day) over (partition by model, release_of_pair) = 2 as by_day
      from judged
    ),
    compared as (
      select
        * except (release),
        case when by_site_and_day then 'same sites and days' when by_day then 'same days' else 'nothing' end as compared_on,
        min(score) over (partition by model, release_of_pair) as least,
        max(score) over (partition by model, release_of_pair) as greatest
      from matched
      where case when by_site_and_day then sides_of_site_day = 2 when by_day then sides_of_day = 2 else true end
    ),
    labels_of_each_side as (
      select model, release_of_pair, label, countif(side = 'release') as of_release, countif(side = 'control') as of_control
      from compared
      group by model, release_of_pair, label
    ),
    label_shares as (
      select
        *,
        safe_divide(of_release, sum(of_release) over (partition by model, release_of_pair)) as release_share,
        safe_divide(of_control, sum(of_control) over (partition by model, release_of_pair)) as control_share,
        row_number() over (partition by model, release_of_pair order by of_control desc, of_release desc, label) = 1 as is_usual
      from labels_of_each_side
    ),
    label_differences as (
      select
        model,
        release_of_pair,
        sum(abs(release_share - control_share)) / 2 as label_distance,
        1 - max(if(is_usual, release_share, null)) as not_normal_share,
        1 - max(if(is_usual, control_share, null)) as control_not_normal_share
      from label_shares
      group by model, release_of_pair
    ),
    bins as (
      select
        model,
        release_of_pair,
        least(floor(20 * coalesce(safe_divide(score - least, greatest - least), 0)), 19) as bin,
        countif(side = 'release') as of_release,
        countif(side = 'control') as of_control
      from compared
      group by model, release_of_pair, bin
    ),
    bin_shares as (
      select
        model,
        release_of_pair,
        safe_divide(of_release, sum(of_release) over (partition by model, release_of_pair)) as p,
        safe_divide(of_control, sum(of_control) over (partition by model, release_of_pair)) as q
      from bins
    ),
    score_differences as (
      select
        model,
        release_of_pair,
        sum(if(p > 0, p * log(p / ((p + q) / 2), 2), 0) + if(q > 0, q * log(q / ((p + q) / 2), 2), 0)) / 2 as score_distance
      from bin_shares
      where p is not null and q is not null
      group by model, release_of_pair
    ),
    changes as (
      select compared.model, compared.release_of_pair, compared.side, count(*) as events
      from compared
      inner join tinybeam.events_between(from_time, timestamp_add(to_time, interval 1 day)) as event
        on
          compared.device_id = event.device_id
          and compared.model = event.rule
          and event.cause = 'label'
          and event.event_time = timestamp_add(compared.window_start, interval compared.window_seconds second)
      group by compared.model, compared.release_of_pair, compared.side
    ),
    answered as (
      select
        compared.model,
        compared.release_of_pair,
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
      where answer.alert_id is not null
      group by compared.model, compared.release_of_pair, compared.side
    ),
    turned_out as (
      select
        compared.model,
        compared.release_of_pair,
        compared.side,
        countif(outcome.outcome not in ('open', 'censored')) as outcomes,
        safe_divide(countif(outcome.outcome = 'right'), countif(outcome.outcome not in ('open', 'censored'))) as right_share
      from compared
      inner join tinybeam.soil_outcomes_between(from_time, to_time) as outcome
        on
          compared.device_id = outcome.device_id
          and compared.window_start = outcome.window_start
          and compared.window_seconds = outcome.window_seconds
          and compared.model_sha256 = outcome.model_sha256
      group by compared.model, compared.release_of_pair, compared.side
    ),
    said as (
      select
        model,
        release_of_pair,
        side,
        any_value(compared_on) as compared_on,
        count(distinct concat(device_id, ' ', cast(day as string))) as device_days,
        count(*) as inferences,
        avg(uncertainty) as uncertainty_mean,
        min(window_start) as first_time,
        max(window_start) as last_time
      from compared
      group by model, release_of_pair, side
    ),
    verdicts_of_each_release as (
      select model, release, count(*) as inferences
      from verdicts
      group by model, release
    ),
    gateways_of_each_release as (
      select
        model,
        release,
        count(distinct gateway_id) as gateways,
        count(distinct if(reason is not null, gateway_id, null)) as gateways_refused,
        string_agg(distinct reason, ', ' order by reason) as refusals,
        sum(greatest(coalesce(failed, 0), 0)) as failures
      from (
        select gateway_id, model, release, failed, cast(null as string) as reason from running
        union all
        select gateway_id, model, release, cast(null as int64) as failed, reason from refused
      )
      group by model, release
    ),
    failing as (
      select
        gateways.*,
        safe_divide(gateways.failures, gateways.failures + coalesce(verdicts.inferences, 0)) as failures_per_inference
      from gateways_of_each_release as gateways
      left join verdicts_of_each_release as verdicts on gateways.model = verdicts.model and gateways.release = verdicts.release
    ),
    of_each_side as (
      select
        sides.model,
        sides.release,
        sides.side,
        sides.running,
        failing.gateways,
        failing.gateways_refused,
        failing.refusals,
        failing.failures_per_inference,
        said.compared_on,
        said.device_days,
        said.inferences,
        safe_divide(coalesce(changes.events, 0), said.device_days) as events_a_device_day,
        if(said.inferences > 0, coalesce(answered.answers, 0), null) as answers,
        if(said.inferences > 0, coalesce(answered.false_alarms, 0), null) as false_alarms,
        if(said.inferences > 0, coalesce(turned_out.outcomes, 0), null) as outcomes,
        turned_out.right_share,
        said.uncertainty_mean,
        said.first_time,
        said.last_time
      from sides
      left join failing on sides.model = failing.model and sides.running = failing.release
      left join said on sides.model = said.model and sides.release = said.release_of_pair and sides.side = said.side
      left join changes on sides.model = changes.model and sides.release = changes.release_of_pair and sides.side = changes.side
      left join answered on sides.model = answered.model and sides.release = answered.release_of_pair and sides.side = answered.side
      left join turned_out on sides.model = turned_out.model and sides.release = turned_out.release_of_pair and sides.side = turned_out.side
    )
  select
    canary.model,
    canary.release,
    control.running as control,
    coalesce(canary.gateways, 0) as gateways,
    control.gateways as control_gateways,
    coalesce(canary.gateways_refused, 0) as gateways_refused,
    canary.refusals,
    coalesce(canary.compared_on, 'nothing') as compared_on,
    coalesce(canary.device_days, 0) as device_days,
    control.device_days as control_device_days,
    coalesce(canary.inferences, 0) as inferences,
    control.inferences as control_inferences,
    canary.failures_per_inference,
    control.failures_per_inference as control_failures_per_inference,
    label_differences.label_distance,
    score_differences.score_distance,
    label_differences.not_normal_share,
    label_differences.control_not_normal_share,
    canary.events_a_device_day,
    control.events_a_device_day as control_events_a_device_day,
    canary.false_alarms,
    canary.answers,
    control.false_alarms as control_false_alarms,
    control.answers as control_answers,
    canary.outcomes,
    canary.right_share,
    control.outcomes as control_outcomes,
    control.right_share as control_right_share,
    canary.uncertainty_mean,
    control.uncertainty_mean as control_uncertainty_mean,
    canary.first_time,
    canary.last_time
  from of_each_side as canary
  inner join of_each_side as control on canary.model = control.model and canary.release = control.release and control.side = 'control'
  left join label_differences on canary.model = label_differences.model and canary.release = label_differences.release_of_pair
  left join score_differences on canary.model = score_differences.model and canary.release = score_differences.release_of_pair
  where canary.side = 'release' and canary.release > 0
);
