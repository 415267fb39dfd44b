"""Makes, signs, renews and revokes the keys of a farm: its authority, its gateways, its sensors, its broker and its pipeline."""
