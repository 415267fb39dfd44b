-- How far can an event time be trusted that rests on all of these? A word that is not known counts as untrusted.
create or replace function tinybeam.worst_time_quality(qualities array<string>)
returns string
options (description = "The worst of these time qualities: synced, corrected, estimated, untrusted; null if there are none")
as (
  case
    when coalesce(array_length(qualities), 0) = 0 then null
    when exists(select 1 from unnest(qualities) as quality where quality not in ('synced', 'corrected', 'estimated')) then 'untrusted'
    when 'estimated' in unnest(qualities) then 'estimated'
    when 'corrected' in unnest(qualities) then 'corrected'
    else 'synced'
  end
);
