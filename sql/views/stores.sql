-- What became of what each store of a gateway held: what arrived, what waits, what is lost?
--
-- A row for each epoch, the life of a gateway's store. received, declared, thinned and missing are the sums of what completeness shows by the hour.
-- A gateway that comes back with a new store has lost the old one, and with it what it had not sent, unless the new one says that it has taken over
-- what waited, as after a copy of a card, a backup or damage:
--   lost     missing batches of a store that was replaced, or those that the new one says were lost to damage: they will not come;
--   waiting  missing batches that the newest heartbeat says are still in the store, under this epoch or a later one;
--   unknown  missing batches that it says were confirmed, or of which it says nothing: on their way, or lost behind the gateway.
-- readings_waiting are readings that the newest heartbeat counts as stored and in no batch yet. readings_lost are those of a store that was replaced
-- and not taken over, and those that a store says were lost to damage. What a gateway stored after its newest heartbeat nobody knows: of a gateway that never came back, silent_minutes says since when.
-- Two boxes under one name have two stores at a time: neither replaces the other.
-- Of the stores that were heard in the last 90 days, from midnight UTC, and of the batches cut in them; for other days stores_between(from_time, to_time).
create or replace view tinybeam.stores
options (description = "Each store (epoch) of each gateway: batches received, declared, waiting, lost and unknown, and readings in no batch; of the last 90 days, for others stores_between")
as
select *
from tinybeam.stores_between(timestamp_sub(timestamp_trunc(current_timestamp(), day), interval 90 day), timestamp '9000-01-01');
