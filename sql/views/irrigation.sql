-- What was the water balance of each field, day by day?
--
-- One row per site_id and day: the result computed last (as_of, then revision). A day that is not over shows its latest hour.
-- need_mm is net: divide it by the efficiency of the irrigation. assumed says what was not known. docs/models/irrigation.md explains both.
-- Filter on day: it is in the `partition by`, so the filter reaches the table and reads only those days.
create or replace view tinybeam.irrigation
options (description = "Water balance of each field and day after FAO-56: depletion, net irrigation need, days until stress; the latest result of each day")
as
select *
from tinybeam.irrigation_v1
where true
qualify row_number() over (partition by day, site_id order by as_of desc, revision desc) = 1;
