-- Is there a summary that cannot be true? Each row returned is a window without values, or whose mean or last value is not between
-- the smallest and the largest, or whose spread is negative or larger than these allow.
--
-- @from_time timestamp = now - 30 days: from when, inclusive
select device_id, channel, window_start, window_seconds, count, min, mean, max, last, m2
from tinybeam.summaries_between(@from_time, timestamp '9000-01-01')
where not (
  coalesce(count, 0) > 0
  and window_seconds > 0
  and mean >= min - 1e-9 * abs(min)
  and mean <= max + 1e-9 * abs(max)
  and last between min and max
  and m2 >= 0
  and m2 <= count * pow(max - min, 2) * (1 + 1e-9)
);
