-- How far has each input of each model drifted from what the model was trained on?
--
-- One row per model file, input and day. psi is the population stability index over the twentieths of the training examples, by the manifest of the bundle
-- (`tinybeam sql reference` brings it here): below 0.1 it is what it was, above 0.25 it is something else. A window within a model's deadband has no
-- inference, and is not counted; a season that the model knows drifts, too, against the whole year.
-- The last 14 days by window_start; for other days drift_between(from_time, to_time).
create or replace view tinybeam.drift
options (description = "How far each input of each model has drifted from its training examples, day by day; of the last 14 days, for others drift_between")
as
select *
from tinybeam.drift_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 14 day), timestamp_add(current_timestamp(), interval 1 day));
