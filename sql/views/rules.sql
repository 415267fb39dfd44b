-- Which rules of alerts are in force, and what do they watch?
create or replace view tinybeam.rules
options (description = "The rules of alerts, by the registry")
as
select
  name,
  json_value(definition, '$.source') as source,
  coalesce(json_value(definition, '$.severity'), 'warning') as severity,
  json_value(definition, '$.message') as message,
  definition
from tinybeam.rules_v1;
