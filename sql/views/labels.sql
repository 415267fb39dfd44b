-- What did people say, and about which alert, field, device and model?
--
-- One row per label_id, however often it was said. Field and device are those of the alert where the answer itself names none; model, window, label and score
-- are of the inference that judged the device last before event_time, at most a day before.
-- The last 90 days by event_time, from midnight UTC, and what is dated ahead; for other days labels_between(from_time, to_time).
create or replace view tinybeam.labels
options (description = "What people said: answers to notices, water that was given; of the last 90 days, for others labels_between")
as
select *
from tinybeam.labels_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp_add(timestamp_trunc(current_timestamp(), day), interval 2 day));
