-- Which verdicts of a release are compared with which of its control, and how much does each count?
--
-- Verdicts from from_time (inclusive) to to_time (exclusive) by window_start, which reach the table first. The control of a release is the lower one that judged most
-- on its days, 0 the bundle that the configuration of a gateway names.
-- A verdict of the release counts 1, those of the control in a stratum together as much as those of the release there: so a canary in a drier place meets the
-- control of that place. compared_on says what a stratum is, the best that there is of
--
-- - same windows: the control ran in the shadow of the release (by a rollout's `shadow`);
-- - same sites and days: gateways with the control judged devices of the same sites;
-- - same days, and those before: other sites differ, whatever runs there. So the same gateways, while they ran the control (side `before`), are compared with those
--   others (`control before`), and that difference is allowed for;
-- - same days: no verdict of those gateways is known from before: the difference may be that of the sites;
-- - nothing.
create or replace table function tinybeam.compared_verdicts_between(from_time timestamp, to_time timestamp)
options (description = "Verdicts of each release and those of its control that are compared with them, with what each counts")
as
select *
from (
  with
    all_verdicts as (
      select
        model,
        coalesce(model_release, 0) as release,
        coalesce(shadow, false) as is_shadow,
        gateway_id,
        coalesce(site_id, '') as site_id,
        timestamp_trunc(window_start, day) as day,
        device_id,
        window_start,
        window_seconds,
        model_sha256,
        label,
        score,
        uncertainty
      from (
        select *
        from tinybeam.inferences_between(from_time, to_time)
        union all
        select *
        from tinybeam.shadow_inferences_between(from_time, to_time)
        where model_release is not null
      )
    ),
    verdicts as (
      select *, label != lag(label) over (partition by device_id, model, model_sha256, is_shadow order by window_start) as is_changed
      from all_verdicts
    ),
    days as (
      select model, release, day, count(*) as verdicts
      from verdicts
      where not is_shadow
      group by model, release, day
    ),
    controls as (
      select canary.model, canary.release, other.release as control, sum(other.verdicts) as verdicts
      from days as canary
      inner join days as other on canary.model = other.model and canary.day = other.day and canary.release > other.release
      group by canary.model, canary.release, other.release
    ),
    releases as (
      select model, release, lag(release) over (partition by model order by release) as next_lower
      from days
      group by model, release
    ),
    pairs as (
      select releases.model, releases.release, coalesce(controls.control, releases.next_lower) as control
      from releases
      left join controls on releases.model = controls.model and releases.release = controls.release
      where true
      qualify row_number() over (partition by releases.model, releases.release order by controls.verdicts desc, controls.control desc) = 1
    ),
    begun as (
      select model, release, gateway_id, min(window_start) as first_window
      from verdicts
      where not is_shadow
      group by model, release, gateway_id
    ),
    sided as (
      select
        verdicts.* except (release, is_shadow),
        pairs.release,
        pairs.control,
        case
          when verdicts.is_shadow then 'control in the shadow'
          when verdicts.release = pairs.release then 'release'
          when begun.first_window is null then 'control'
          when verdicts.window_start < begun.first_window then 'before'
        end as side
      from verdicts
      inner join pairs on verdicts.model = pairs.model and (verdicts.release = pairs.control or verdicts.release = pairs.release and not verdicts.is_shadow)
      left join begun on pairs.model = begun.model and pairs.release = begun.release and verdicts.gateway_id = begun.gateway_id
    ),
    beside_others as (
      select
        *,
        max(if(side = 'release', 1, 0)) over same_window * max(if(side = 'control in the shadow', 1, 0)) over same_window as in_one_window,
        max(if(side = 'release', 1, 0)) over same_site_and_day * max(if(side = 'control', 1, 0)) over same_site_and_day as in_one_site_and_day,
        max(if(side = 'release', 1, 0)) over same_day * max(if(side = 'control', 1, 0)) over same_day as in_one_day,
        max(if(side = 'before', 1, 0)) over same_day * max(if(side = 'control', 1, 0)) over same_day as in_one_day_before
      from sided
      window
        same_window as (partition by model, release, device_id, window_start, window_seconds),
        same_site_and_day as (partition by model, release, site_id, day),
        same_day as (partition by model, release, day)
    ),
    matched as (
      select
        *,
        case
          when max(in_one_window) over (partition by model, release) = 1 then 'same windows'
          when max(in_one_site_and_day) over (partition by model, release) = 1 then 'same sites and days'
          when max(in_one_day) over (partition by model, release) = 0 then 'nothing'
          when max(in_one_day_before) over (partition by model, release) = 1 then 'same days, and those before'
          else 'same days'
        end as compared_on,
        max(if(side = 'before', in_one_day_before, 0)) over (partition by model, release, gateway_id) as has_before
      from beside_others
    ),
    kept as (
      select
        * except (side),
        if(side = 'control in the shadow', 'control', side) as side,
        case compared_on
          when 'same windows' then concat(device_id, ' ', cast(window_start as string), ' ', cast(window_seconds as string))
          when 'same sites and days' then concat(site_id, ' ', cast(day as string))
          else cast(day as string)
        end as stratum
      from matched
      where
        case compared_on
          when 'same windows' then in_one_window = 1 and side in ('release', 'control in the shadow')
          when 'same sites and days' then in_one_site_and_day = 1 and side in ('release', 'control')
          when 'same days' then in_one_day = 1 and side in ('release', 'control')
          when 'same days, and those before' then
            case side when 'release' then in_one_day = 1 and has_before = 1 when 'before' then in_one_day_before = 1 else side = 'control' end
          else side = 'release'
        end
    ),
    weighed as (
      select
        *,
        safe_divide(
          countif(side = 'release') over (partition by model, release, gateway_id),
          countif(side = 'before') over (partition by model, release, gateway_id)
        ) as before_weight
      from kept
    ),
    counted as (
      select
        *,
        countif(side = 'release') over (partition by model, release, stratum) as of_release,
        countif(side = 'control') over (partition by model, release, stratum) as of_control,
        sum(if(side = 'before', before_weight, 0)) over (partition by model, release, stratum) as of_before,
        min(score) over (partition by model, release) as least,
        max(score) over (partition by model, release) as greatest
      from weighed
    )
  select
    counted.* except (side),
    if(time = 'before' and counted.side = 'control', 'control before', counted.side) as side,
    case counted.side
      when 'release' then 1
      when 'before' then counted.before_weight
      else safe_divide(if(time = 'before', counted.of_before, counted.of_release), counted.of_control)
    end as weight
  from counted
  cross join unnest(['since', 'before']) as time
  where
    case counted.side
      when 'release' then time = 'since'
      when 'before' then time = 'before'
      else if(time = 'before', counted.of_before, counted.of_release) > 0
    end
);
