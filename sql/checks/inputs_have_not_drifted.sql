-- Does a model see other inputs than it was trained on? Each row returned is a day on which an input of a model does.
--
-- @from_time timestamp = now - 3 days: from when, by window_start, inclusive
-- @psi_above float64 = 0.25: a population stability index above this is another distribution
-- @least_inferences int64 = 500: days with fewer inferences say nothing
select model, model_sha256, input, day, psi, outside_share, inferences
from tinybeam.drift_between(@from_time, timestamp '9000-01-01')
where psi > @psi_above and inferences >= @least_inferences;
