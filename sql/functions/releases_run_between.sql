-- On how many gateways did each release of a model run, how many fell back from it, and how often did it fail?
--
-- By heartbeats from from_time (inclusive) to to_time (exclusive), which reach the table first. Release 0 is the bundle that a configuration names. A gateway that
-- fell back from a release counts as one of it. inferences_failed of a heartbeat counts for every model that its gateway runs; scoring_ms is a mean of heartbeats.
create or replace table function tinybeam.releases_run_between(from_time timestamp, to_time timestamp)
options (description = "Each release of a model: gateways that ran it, that fell back from it and why, windows at which it failed")
as
select *
from (
  with
    heartbeats as (
      select
        batch_id,
        `row`,
        gateway_id,
        models,
        coalesce(model_releases, '') as model_releases,
        coalesce(releases_refused, '') as releases_refused,
        coalesce(scoring_ms, '') as scoring_ms,
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
    timed as (
      select
        heartbeats.batch_id,
        heartbeats.`row`,
        regexp_extract(named, r'^"([^"]+)"') as model,
        safe_cast(regexp_extract(named, r': ?([-+.0-9eE]+)$') as float64) as scoring_ms
      from heartbeats, unnest(regexp_extract_all(heartbeats.scoring_ms, r'"[^"]+": ?[-+.0-9eE]+')) as named
    ),
    running as (
      select loaded.gateway_id, loaded.model, coalesce(numbered.release, 0) as release, loaded.failed, timed.scoring_ms
      from loaded
      left join numbered on loaded.batch_id = numbered.batch_id and loaded.`row` = numbered.`row` and loaded.model = numbered.model
      left join timed on loaded.batch_id = timed.batch_id and loaded.`row` = timed.`row` and loaded.model = timed.model
    ),
    refused as (
      select
        heartbeats.gateway_id,
        regexp_extract(named, r'^"([^"/]+)/') as model,
        safe_cast(regexp_extract(named, r'/([0-9]+)"') as int64) as release,
        regexp_extract(named, r': ?"([^"]*)"$') as reason
      from heartbeats, unnest(regexp_extract_all(heartbeats.releases_refused, r'"[^"/]+/[0-9]+": ?"[^"]*"')) as named
    )
  select
    model,
    release,
    count(distinct gateway_id) as gateways,
    count(distinct if(reason is not null, gateway_id, null)) as gateways_refused,
    string_agg(distinct reason, ', ' order by reason) as refusals,
    sum(greatest(coalesce(failed, 0), 0)) as failures,
    avg(scoring_ms) as scoring_ms
  from (
    select gateway_id, model, release, failed, scoring_ms, cast(null as string) as reason from running
    union all
    select gateway_id, model, release, cast(null as int64) as failed, cast(null as float64) as scoring_ms, reason from refused
  )
  group by model, release
);
