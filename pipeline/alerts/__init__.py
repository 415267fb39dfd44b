"""Events, site windows, irrigation and silence -> alerts that open, update and resolve."""
