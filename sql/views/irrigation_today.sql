-- How much water does each field need now? (For another moment: irrigation_at.)
create or replace view tinybeam.irrigation_today
options (description = "Water balance of each field now: its latest day of the last three, with the field's name")
as
select *
from tinybeam.irrigation_at(current_timestamp());
