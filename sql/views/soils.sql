-- How much water does each soil hold, and at which moisture does stress begin?
--
-- One row for each texture that the registry may name, written small and without spaces, dashes or underscores. The SQL twin of SOILS in
-- pipeline/irrigation/crops.py. stress_moisture lies half way between field capacity and wilting point (FAO-56's p = 0.5): what the soil model foresees.
create or replace view tinybeam.soils
options (description = "Each soil that the registry may name: its water at field capacity, at the wilting point, and where stress begins")
as
select
  soil,
  field_capacity,
  wilting_point,
  (field_capacity + wilting_point) / 2 as stress_moisture
from unnest([
  struct('sand' as soil, 0.13 as field_capacity, 0.06 as wilting_point),
  struct('loamysand' as soil, 0.16 as field_capacity, 0.08 as wilting_point),
  struct('sandyloam' as soil, 0.22 as field_capacity, 0.10 as wilting_point),
  struct('loam' as soil, 0.31 as field_capacity, 0.15 as wilting_point),
  struct('siltloam' as soil, 0.33 as field_capacity, 0.13 as wilting_point),
  struct('silt' as soil, 0.33 as field_capacity, 0.09 as wilting_point),
  struct('sandyclayloam' as soil, 0.32 as field_capacity, 0.20 as wilting_point),
  struct('clayloam' as soil, 0.39 as field_capacity, 0.23 as wilting_point),
  struct('siltclayloam' as soil, 0.44 as field_capacity, 0.23 as wilting_point),
  struct('siltyclayloam' as soil, 0.44 as field_capacity, 0.23 as wilting_point),
  struct('sandyclay' as soil, 0.39 as field_capacity, 0.27 as wilting_point),
  struct('siltclay' as soil, 0.50 as field_capacity, 0.32 as wilting_point),
  struct('siltyclay' as soil, 0.50 as field_capacity, 0.32 as wilting_point),
  struct('clay' as soil, 0.54 as field_capacity, 0.39 as wilting_point)
]);
