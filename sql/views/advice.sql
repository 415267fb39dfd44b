-- What is to be done for each field now, on what does that rest, and why? (For another moment: advice_at.)
create or replace view tinybeam.advice
options (description = "One recommendation for each field: what to do, what it rests on and why, with the figures of balance and model beside it")
as
select *
from tinybeam.advice_at(current_timestamp());
