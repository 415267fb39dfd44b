-- How much water does each field need now? (For another moment: irrigation_at.)
--
-- The latest day of the view irrigation, but that water which was given and which the moisture does not show yet counts: depletion, need and days until stress are
-- those with it. Where a meter reports (channel `irrigation` in mm), its amount counts, and what people said of that day does not (water_given_between).
create or replace view tinybeam.irrigation_today
options (description = "Water balance of each field now: its latest day of the last three, with the field's name")
as
select *
from tinybeam.irrigation_at(current_timestamp());
