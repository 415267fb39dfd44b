"""Makes alerts that open, update and resolve from events, site windows, irrigation and silence."""
