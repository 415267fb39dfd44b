"""From Pub/Sub, or from card files, to the warehouse: one flow on Apache Beam. Imports schemas only."""
