"""Training: from a teacher to a model bundle that the gateway runs. Imports `schemas` and the gateway's features, bundle and scorer."""
